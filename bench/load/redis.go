package main

import (
	"context"
	"fmt"
	"time"

	"mixcloud-graphql/bench/process"
)

// secret is what replicas name things with that they share: of no worth, since
// they live for a minute.
const secretKeyEnv = "MIXCLOUD_GRAPHQL_SECRET_KEY=0123456789abcdef0123456789abcdef"

// startReplica starts a server that shares what it has with others.
func startReplica(ctx context.Context, m *mixcloud, redis *process.Process) (*process.Process, error) {
	return startServer(ctx, m.Address(), []string{secretKeyEnv}, "--upstream-rate=0", "--redis-url=redis://"+redis.Address())
}

const redisOutage = 10 * time.Second

// redisKilled has Redis die under traffic, half of it for pages that nobody has
// seen, and come back.
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
	defer func() { redis.Stop() }() // the one that is there then
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
	during, unasked := c.sendAtRate(ctx, b.rate, redisOutage, next)
	again, err := process.Redis(ctx, redis.Address())
	if err != nil {
		return nil, err
	}
	redis = again
	back, _ := c.sendAtRate(ctx, b.rate, redisOutage, next)
	return []row{{
		fmt.Sprintf("Redis killed for %v under load", redisOutage),
		"no failed request",
		fmt.Sprintf("%d failed%s of %d, %d unasked; p99 %s; before %d of %d, p99 %s; after %d of %d, p99 %s",
			len(during.failures()), during.firstFailure(), len(during), unasked, ms(during.percentile(0.99)),
			len(before.failures()), len(before), ms(before.percentile(0.99)), len(back.failures()), len(back), ms(back.percentile(0.99))),
	}}, nil
}

const pagesShared = 300

// replicas has a second server asked what a first one has answered.
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
		fmt.Sprintf("cold start of a second replica, %d pages: its upstream calls ÷ the first one's", pagesShared),
		"≤ 5 %",
		fmt.Sprintf("%s (%d of %d)", percent(calls[1], calls[0]), calls[1], calls[0]),
	}}, nil
}
