package main

import (
	"context"
	"fmt"
	"time"

	"mixcloud-graphql/bench/process"
)

// secretKeyEnv is the replicas' secret key. It protects nothing, because they run for a minute.
const secretKeyEnv = "MIXCLOUD_GRAPHQL_SECRET_KEY=0123456789abcdef0123456789abcdef"

// startReplica starts a server that uses a Redis.
func startReplica(ctx context.Context, m *mixcloud, redis *process.Process) (*process.Process, error) {
	return startServer(ctx, m.Address(), []string{secretKeyEnv}, "--upstream-rate=0", "--redis-url=redis://"+redis.Address())
}

const redisOutage = 10 * time.Second

// redisKilled measures traffic while Redis is killed and restarted. Half of the requests are for
// uncached pages.
func (b *bench) redisKilled(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	redis, err := process.Redis(ctx, "")
	if err != nil {
		return nil, err
	}
	defer func() { redis.Stop() }() // redis may have been restarted
	s, err := startReplica(ctx, m, redis)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	defer c.close()
	draw := newZipf(b.seed, cachedPages, b.exponent)
	i := 0
	next := func() request {
		if i++; i%2 == 0 {
			return b.pages[draw.next()]
		}
		return b.pages[(cachedPages+i)%len(b.pages)]
	}

	before, _ := c.sendAtRate(ctx, b.rate, redisOutage, next)
	redis.Kill()
	during, skipped := c.sendAtRate(ctx, b.rate, redisOutage, next)
	restarted, err := process.Redis(ctx, redis.Address())
	if err != nil {
		return nil, err
	}
	redis = restarted
	back, _ := c.sendAtRate(ctx, b.rate, redisOutage, next)
	return []row{{
		fmt.Sprintf("Redis killed for %v under load", redisOutage),
		"no failed request",
		fmt.Sprintf("%d failed%s of %d, %d skipped; p99 %s; before %d of %d, p99 %s; after %d of %d, p99 %s",
			len(during.failures()), during.firstFailure(), len(during), skipped, ms(during.percentile(0.99)),
			len(before.failures()), len(before), ms(before.percentile(0.99)), len(back.failures()), len(back), ms(back.percentile(0.99))),
	}}, nil
}

const pagesShared = 300

// replicas measures the calls of a second server, for pages that a first one has stored in Redis.
func (b *bench) replicas(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	redis, err := process.Redis(ctx, "")
	if err != nil {
		return nil, err
	}
	defer redis.Stop()
	var calls [2]int
	for i := range calls {
		s, err := startReplica(ctx, m, redis)
		if err != nil {
			return nil, err
		}
		defer s.Stop()
		c := newClient(s.Address())
		defer c.close()
		if err := m.clearRequests(ctx); err != nil {
			return nil, err
		}
		if err := c.warmUp(ctx, b.pages[:pagesShared]); err != nil {
			return nil, err
		}
		if calls[i], err = m.calls(ctx); err != nil {
			return nil, err
		}
	}
	return []row{{
		fmt.Sprintf("start of a second replica, %d pages: its calls ÷ those of the first one", pagesShared),
		"≤ 5 %",
		fmt.Sprintf("%s (%d of %d)", percent(calls[1], calls[0]), calls[1], calls[0]),
	}}, nil
}
