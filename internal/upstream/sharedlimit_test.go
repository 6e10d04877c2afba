package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/mixcloud"
)

// A shared limiter is called before each call, and is informed of refusals.
func TestSharedLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &slowLimiter{waits: []time.Duration{2 * time.Second, time.Second, 0}}
		s, _ := newTestStore(t, Options{SharedLimiter: shared}, func(c call) reply {
			if c.path == "/b/" {
				return limited("7")
			}
			return latest(c)
		})
		s.MarkVerified("t")
		began := time.Now()
		want(t, fetchName(t.Context(), s.Session("t"), "/a/"), "t1")
		if took := time.Since(began); took != 3010*time.Millisecond {
			t.Errorf("Fetch took %v, want 3.01s", took)
		}
		soon, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		fetchName(soon, s.Session("t"), "/b/")
		synctest.Wait()
		if got := shared.refused; got != fmt.Sprintf("%q read sent 10ms ago, wait 7s", s.Session("t").Principal()) {
			t.Errorf("reported refusal = %q, want a read sent 10ms ago with a wait of 7s", got)
		}
	})
}

// A call that the shared limiter delays holds no slot, and a caller that cannot wait gets a
// stale response or an error at once.
func TestSharedLimiter_HoldsNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(sharedBucket)
		s, up := newTestStore(t, Options{SharedLimiter: shared, Concurrency: 1}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/seen/"), "1")
		time.Sleep(2 * time.Hour)
		shared.next = map[string]time.Time{" read": time.Now().Add(time.Minute), " action": time.Now().Add(time.Minute)}
		up.made()
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() { want(t, fetchName(t.Context(), s.Session(""), fmt.Sprintf("/%d/", i)), "1") })
		}
		synctest.Wait()
		want(t, fetchName(t.Context(), s.Session("t"), "/a/"), "t1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("another principal's call took %v, want 10ms", took)
		}
		session := s.Session("")
		want(t, fetchName(t.Context(), session, "/seen/"), "1")
		if staleReads := session.StaleReads(); len(staleReads) != 1 || staleReads[0].Reason != opstats.RateLimited {
			t.Errorf("stale reads %v, want one with reason %s", staleReads, opstats.RateLimited)
		}
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for what, fetch := range map[string]func() error{
			"read": func() error { _, err := Fetch(soon, s.Session(""), user("/b/")); return err },
			"write": func() error {
				_, err := Write(soon, s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				return err
			},
		} {
			if wait, limited := mixcloud.RetryAfter(fetch()); !limited || wait != time.Minute-10*time.Millisecond {
				t.Errorf("%s: rate limited %v, wait %v, want true and 59.99s", what, limited, wait)
			}
		}
		if at := s.Session("").RateLimit().RetryAt; at == nil || !at.Equal(began.Add(time.Minute)) {
			t.Errorf("RateLimit().RetryAt = %v, want in 1m", at)
		}
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("callers were notified after %v, want 10ms", took)
		}
		wantCalls(t, up, 1)
		wg.Wait()
		if took := time.Since(began); took > time.Minute+2*time.Second {
			t.Errorf("all calls took %v, want at most 1m2s", took)
		}
	})
}

// Calls are made at the rate of the shared limiter, writes first, with few unsuccessful attempts.
func TestSharedLimiter_Order(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &sharedBucket{every: 200 * time.Millisecond}
		s, up := newTestStore(t, Options{SharedLimiter: shared}, latest)
		var wg sync.WaitGroup
		greedy := s.Session("")
		for i := range 100 {
			wg.Go(func() { fetchName(t.Context(), greedy, fmt.Sprintf("/%d/", i)) })
		}
		time.Sleep(time.Second + time.Millisecond)
		began := time.Now()
		wg.Go(func() {
			_, err := Write(t.Context(), s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
			if took := time.Since(began); err != nil || took > 800*time.Millisecond {
				t.Errorf("write took %v, want at most 800ms; error %v", took, err)
			}
		})
		wg.Go(func() {
			fetchName(t.Context(), s.Session(""), "/modest/")
			// Some calls of the other operation wait for the shared limiter already, but not
			// a hundred of them, which would take twenty seconds.
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("single read took %v, want at most 5s", took)
			}
		})
		wg.Wait()
		if took := time.Since(began); took > 20*time.Second || up.made() != 101 {
			t.Errorf("all calls took %v, want at most 20s", took)
		}
		if shared.takes > 4*102 {
			t.Errorf("shared limiter was called %d times, want at most %d", shared.takes, 4*102)
		}
		wantIdle(t, s, DefaultConcurrency)
	})
}

// A shared limiter that hangs, although it must not, is abandoned when all callers have left.
func TestSharedLimiter_Hangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{SharedLimiter: hangingLimiter{}, Concurrency: 1}, latest)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := Fetch(ctx, s.Session(""), user("/a/")); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
			synctest.Wait()
		}
		wantIdle(t, s, 1)
		wantCalls(t, up, 0)
	})
}

// A sharedBucket grants one call of a kind at a time.
type sharedBucket struct {
	every time.Duration
	mu    sync.Mutex
	next  map[string]time.Time
	takes int
}

func (b *sharedBucket) Take(_ context.Context, l SharedLimit) time.Duration {
	class := l.Principal + " " + l.Kind.String()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.takes++
	now := time.Now()
	if wait := b.next[class].Sub(now); wait > 0 {
		return wait
	}
	if b.next == nil {
		b.next = map[string]time.Time{}
	}
	b.next[class] = now.Add(b.every)
	return 0
}

func (b *sharedBucket) Refused(_ context.Context, _ SharedLimit, _, wait time.Duration) time.Duration {
	return wait
}

type hangingLimiter struct{}

func (hangingLimiter) Take(ctx context.Context, _ SharedLimit) time.Duration {
	<-ctx.Done()
	return 0
}

func (hangingLimiter) Refused(_ context.Context, _ SharedLimit, _, wait time.Duration) time.Duration {
	return wait
}

type slowLimiter struct {
	waits   []time.Duration
	refused string
}

func (p *slowLimiter) Take(context.Context, SharedLimit) time.Duration {
	if len(p.waits) == 0 {
		return 0
	}
	wait := p.waits[0]
	p.waits = p.waits[1:]
	return wait
}

func (p *slowLimiter) Refused(_ context.Context, l SharedLimit, ago, wait time.Duration) time.Duration {
	p.refused = fmt.Sprintf("%q %v sent %v ago, wait %v", l.Principal, l.Kind, ago, wait)
	return wait
}
