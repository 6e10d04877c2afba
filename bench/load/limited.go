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
	limit        = 5 // requests per second that Mixcloud accepts
	retryAfter   = 5 // seconds, in the refusal after which the recovery is measured
	cachedPages  = 200
	adaptTime    = 10 * time.Second // for the server to adapt to the limit
	pollInterval = 20 * time.Millisecond
)

// limited measures many clients while Mixcloud limits its rate: nine of ten request cached pages, the
// others uncached ones, at a higher rate than the limit.
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

	clientCtx, leave := context.WithCancel(ctx)
	defer leave()
	clients := b.startClients(clientCtx, c)
	counts, err := m.watch(ctx, adaptTime+b.duration)
	if err != nil {
		return nil, err
	}
	if err := m.limit(ctx, 0); err != nil {
		return nil, err
	}
	late, err := m.recovery(ctx)
	leave()
	clients.wait()
	if err != nil {
		return nil, err
	}

	cached, uncached := clients.cached.results(), clients.uncached.results()
	first, then := counts.within(0, adaptTime), counts.within(adaptTime, adaptTime+b.duration)
	return []row{
		{
			fmt.Sprintf("%d clients while Mixcloud accepts %d requests per second: cached pages", b.clients, limit),
			"no error",
			fmt.Sprintf("%d errors%s in %d responses, %d of them stale; slowest %s (uncached pages: %d succeeded, %d refused)",
				len(cached.failures()), cached.firstFailure(), len(cached), len(cached.filter(func(a result) bool { return a.stale })), ms(cached.percentile(1)),
				len(uncached.good()), len(uncached.failures())),
		},
		{
			"the same: calls ÷ those that the limit allows",
			"≤ 105 %",
			fmt.Sprintf("%s over %v after the first %v, busiest 10 s %s; refused %d of %d; the first %v: %d refused of %d",
				percent(then.calls, int(limit*b.duration.Seconds())), b.duration, adaptTime,
				percent(counts.busiest(adaptTime, 10*time.Second), limit*10), then.refused, then.calls, adaptTime, first.refused, first.calls),
		},
		{
			fmt.Sprintf("the same: next call after a refusal with a Retry-After of %d s", retryAfter),
			"within 1 s after the wait",
			fmt.Sprintf("%+.0f ms", late.Seconds()*1000),
		},
	}, nil
}

// limitedClients are clients that send requests repeatedly.
type limitedClients struct {
	cached, uncached collector
	wg               sync.WaitGroup
}

func (m *limitedClients) wait() { m.wg.Wait() }

// startClients starts the clients, which send requests until ctx ends, together at the configured
// rate unless responses are slow.
func (b *bench) startClients(ctx context.Context, c *client) *limitedClients {
	var m limitedClients
	every := time.Duration(float64(b.clients) / b.rate * float64(time.Second))
	var mu sync.Mutex
	uncached := b.pages[cachedPages:]
	for i := range b.clients {
		random := rand.New(rand.NewPCG(uint64(b.seed), uint64(i))) //nolint:gosec // not for secrets
		draw := newZipf(b.seed+int64(i), cachedPages, b.exponent)
		m.wg.Go(func() {
			if !pause(ctx, time.Duration(random.Int64N(int64(every)))) {
				return
			}
			for ctx.Err() == nil {
				began := time.Now()
				t, q := &m.cached, b.pages[draw.next()]
				if i%10 == 0 {
					mu.Lock()
					t, q = &m.uncached, uncached[0]
					uncached = append(uncached[1:len(uncached):len(uncached)], uncached[0])
					mu.Unlock()
				}
				// Requests that are canceled at the end do not count.
				if a := c.execute(ctx, q); ctx.Err() == nil {
					t.add(a)
				}
				pause(ctx, every-time.Since(began))
			}
		})
	}
	return &m
}

// A count is the number of calls until a time, and the number of refused ones among them.
type count struct {
	at             time.Duration
	calls, refused int
}

type counts []count

// watch counts the calls for a duration, and returns a series of counts.
func (m *mixcloud) watch(ctx context.Context, d time.Duration) (counts, error) {
	all := counts{{}}
	for began := time.Now(); time.Since(began) < d; pause(ctx, 10*pollInterval) {
		calls, err := m.requests(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, count{time.Since(began), len(calls), refusals(calls)})
	}
	return all, nil
}

func refusals(calls []process.Request) (n int) {
	for _, r := range calls {
		if r.Status == 403 {
			n++
		}
	}
	return n
}

// within returns the count between two times.
func (all counts) within(from, to time.Duration) count {
	before, after := all.before(from), all.before(to)
	return count{to - from, after.calls - before.calls, after.refused - before.refused}
}

func (all counts) before(at time.Duration) count {
	i, _ := slices.BinarySearchFunc(all, at, func(c count, at time.Duration) int { return int(c.at - at) })
	return all[min(i, len(all)-1)]
}

// busiest returns the maximum number of calls in any window of a length after a time.
func (all counts) busiest(from, window time.Duration) (calls int) {
	for _, c := range all {
		if c.at >= from && c.at+window <= all[len(all)-1].at {
			calls = max(calls, all.before(c.at+window).calls-c.calls)
		}
	}
	return calls
}

// recovery makes the emulator refuse one call, and returns the time from the end of its Retry-After to
// the next call. Clients must be sending requests.
func (m *mixcloud) recovery(ctx context.Context) (late time.Duration, err error) {
	if !pause(ctx, 2*time.Second) { // until earlier pauses have ended
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
		calls, err := m.requests(ctx)
		if err != nil {
			return 0, err
		}
		switch now := time.Now(); {
		case refused.IsZero() && refusals(calls) > 0:
			refused = now
		case refused.IsZero():
		case now.Sub(refused) < retryAfter*time.Second/2: // calls that were in flight; no other ones may be made then
			known = len(calls)
		case len(calls) > known:
			return now.Sub(refused) - retryAfter*time.Second, nil
		}
	}
	return 0, fmt.Errorf("no call within %v after a refusal with a Retry-After of %d s", maxOverhead/2, retryAfter)
}
