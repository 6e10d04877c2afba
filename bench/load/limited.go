package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"mixcloud-graphql/bench/process"
)

const (
	limit        = 5 // requests a second that Mixcloud answers
	retryAfter   = 5 // seconds that it names in the refusal from which the recovery is timed
	cachedPages  = 200
	adaptTime    = 10 * time.Second // that the server is given to find out the limit
	pollInterval = 20 * time.Millisecond
)

// limited has many clients ask while Mixcloud limits: nine of ten ask for what
// the server has seen, the others for what it has not, which is more than the
// limit lets through.
func (b *bench) limited(ctx context.Context) ([]row, error) {
	m, err := b.startMixcloud(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Stop()
	s, err := startServer(ctx, m.Address(), nil)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	c := newClient(s.Address())
	defer c.close()
	if err := c.warmUp(ctx, b.pages[:cachedPages]); err != nil {
		return nil, err
	}
	if err := m.clearRequests(ctx); err != nil {
		return nil, err
	}
	if err := m.limit(ctx, limit); err != nil {
		return nil, err
	}

	asking, leave := context.WithCancel(ctx)
	defer leave()
	askers := b.startClients(asking, c)
	counts, err := m.watch(ctx, adaptTime+b.duration)
	if err != nil {
		return nil, err
	}
	if err := m.limit(ctx, 0); err != nil {
		return nil, err
	}
	late, err := m.recovery(ctx)
	leave()
	askers.wait()
	if err != nil {
		return nil, err
	}

	seen, unseen := askers.seen.results(), askers.unseen.results()
	first, then := counts.within(0, adaptTime), counts.within(adaptTime, adaptTime+b.duration)
	return []row{
		{
			fmt.Sprintf("%d clients while Mixcloud answers %d requests a second: pages seen before", b.clients, limit),
			"no error",
			fmt.Sprintf("%d errors%s in %d answers, %d of them said to be stale; slowest %s (unseen pages: %d answered, %d refused)",
				len(seen.failures()), seen.firstFailure(), len(seen), len(seen.filter(func(a result) bool { return a.stale })), ms(seen.percentile(1)),
				len(unseen.good()), len(unseen.failures())),
		},
		{
			"the same: calls made of what the limit allows",
			"≤ 105 %",
			fmt.Sprintf("%s over %v after the first %v, busiest 10 s %s; refused %d of %d; the first %v: %d refused of %d",
				percent(then.calls, int(limit*b.duration.Seconds())), b.duration, adaptTime,
				percent(counts.busiest(adaptTime, 10*time.Second), limit*10), then.refused, then.calls, adaptTime, first.refused, first.calls),
		},
		{
			fmt.Sprintf("the same: next call after a refusal that names %d s", retryAfter),
			"within 1 s of the named wait",
			fmt.Sprintf("%+.0f ms", late.Seconds()*1000),
		},
	}, nil
}

// A crowd are clients that ask again and again.
type limitedClients struct {
	seen, unseen collector
	asking       sync.WaitGroup
}

func (m *limitedClients) wait() { m.asking.Wait() }

// crowd has the bench's clients ask until ctx ends. Together they ask at the
// bench's rate, as long as the answers come soon.
func (b *bench) startClients(ctx context.Context, c *client) *limitedClients {
	var m limitedClients
	every := time.Duration(float64(b.clients) / b.rate * float64(time.Second))
	var mu sync.Mutex
	unseen := b.pages[cachedPages:]
	for i := range b.clients {
		chance := rand.New(rand.NewPCG(uint64(b.seed), uint64(i))) //nolint:gosec // not for secrets
		draw := newZipf(b.seed+int64(i), cachedPages, b.exponent)
		m.asking.Go(func() {
			if !pause(ctx, time.Duration(chance.Int64N(int64(every)))) {
				return
			}
			for ctx.Err() == nil {
				began := time.Now()
				t, q := &m.seen, b.pages[draw.next()]
				if i%10 == 0 {
					mu.Lock()
					t, q = &m.unseen, unseen[0]
					unseen = append(unseen[1:len(unseen):len(unseen)], unseen[0])
					mu.Unlock()
				}
				// Who leaves at the end does not want its answer any more.
				if a := c.execute(ctx, q); ctx.Err() == nil {
					t.add(a)
				}
				pause(ctx, every-time.Since(began))
			}
		})
	}
	return &m
}

// A count is how many calls were made until a moment, and how many of them were
// refused.
type count struct {
	at             time.Duration
	calls, refused int
}

type counts []count

// watch counts the calls for a while.
func (m *mixcloud) watch(ctx context.Context, d time.Duration) (counts, error) {
	all := counts{{}}
	for began := time.Now(); time.Since(began) < d; pause(ctx, 10*pollInterval) {
		made, err := m.requests(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, count{time.Since(began), len(made), refusals(made)})
	}
	return all, nil
}

func refusals(made []process.Request) (n int) {
	for _, r := range made {
		if r.Status == 403 {
			n++
		}
	}
	return n
}

// within is what happened between two moments.
func (all counts) within(from, to time.Duration) count {
	before, after := all.before(from), all.before(to)
	return count{to - from, after.calls - before.calls, after.refused - before.refused}
}

func (all counts) before(at time.Duration) count {
	i, _ := slices.BinarySearchFunc(all, at, func(c count, at time.Duration) int { return int(c.at - at) })
	return all[min(i, len(all)-1)]
}

// busiest is the most calls within any stretch of time after a moment.
func (all counts) busiest(from, stretch time.Duration) (most int) {
	for _, c := range all {
		if c.at >= from && c.at+stretch <= all[len(all)-1].at {
			most = max(most, all.before(c.at+stretch).calls-c.calls)
		}
	}
	return most
}

// recovery refuses one call and gives how much longer it took than it was told
// to wait until another one was made. Somebody must be asking.
func (m *mixcloud) recovery(ctx context.Context) (late time.Duration, err error) {
	if !pause(ctx, 2*time.Second) { // what was refused before is over
		return 0, ctx.Err()
	}
	if err := m.clearRequests(ctx); err != nil {
		return 0, err
	}
	if err := m.refuseOnce(ctx, retryAfter); err != nil {
		return 0, err
	}
	var refused time.Time
	known := 0
	for deadline := time.Now().Add(maxOverhead / 2); time.Now().Before(deadline); pause(ctx, pollInterval) {
		made, err := m.requests(ctx)
		if err != nil {
			return 0, err
		}
		switch now := time.Now(); {
		case refused.IsZero() && refusals(made) > 0:
			refused = now
		case refused.IsZero():
		case now.Sub(refused) < retryAfter*time.Second/2: // what was in the air, too, and no call must come then
			known = len(made)
		case len(made) > known:
			return now.Sub(refused) - retryAfter*time.Second, nil
		}
	}
	return 0, fmt.Errorf("no call came within %v of a refusal that named %d s", maxOverhead/2, retryAfter)
}
