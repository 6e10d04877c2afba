package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/mixcloud"
)

// A shared pace is asked before each call, and hears of refusals.
func TestSharedLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &slowPace{waits: []time.Duration{2 * time.Second, time.Second, 0}}
		s, _ := newRig(t, Options{Limiter: shared}, func(c call) reply {
			if c.path == "/b/" {
				return limited("7")
			}
			return latest(c)
		})
		s.Proven("t")
		began := time.Now()
		want(t, name(t.Context(), s.Session("t"), "/a/"), "t1")
		if took := time.Since(began); took != 3010*time.Millisecond {
			t.Errorf("took %v", took)
		}
		soon, stop := context.WithTimeout(t.Context(), time.Second)
		defer stop()
		name(soon, s.Session("t"), "/b/")
		synctest.Wait()
		if got := shared.refused; got != fmt.Sprintf("%q read sent 10ms ago, wait 7s", s.Session("t").Audience()) {
			t.Errorf("told of %q", got)
		}
	})
}

// What the shared pace holds back takes nobody's place, and whoever cannot wait
// for it is told at once: with what is stale, or with the wait.
func TestSharedLimiter_HoldsNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(sharedBucket)
		s, up := newRig(t, Options{Limiter: shared, Concurrency: 1}, latest)
		want(t, name(t.Context(), s.Session(""), "/seen/"), "1")
		time.Sleep(2 * time.Hour)
		shared.next = map[string]time.Time{" read": time.Now().Add(time.Minute), " action": time.Now().Add(time.Minute)}
		up.made()
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() { want(t, name(t.Context(), s.Session(""), fmt.Sprintf("/%d/", i)), "1") })
		}
		synctest.Wait()
		want(t, name(t.Context(), s.Session("t"), "/a/"), "t1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("somebody else's call took %v", took)
		}
		session := s.Session("")
		want(t, name(t.Context(), session, "/seen/"), "1")
		if notes := session.Freshness(); len(notes) != 1 || notes[0].Reason != RateLimited {
			t.Errorf("notes %v", notes)
		}
		soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for what, ask := range map[string]func() error{
			"a read": func() error { _, err := Fetch(soon, s.Session(""), user("/b/")); return err },
			"a write": func() error {
				_, err := Write(soon, s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				return err
			},
		} {
			if wait, limited := mixcloud.RetryAfter(ask()); !limited || wait != time.Minute-10*time.Millisecond {
				t.Errorf("%s: limited %v, wait %v", what, limited, wait)
			}
		}
		if at := s.Session("").RateLimit().RetryAt; at == nil || !at.Equal(began.Add(time.Minute)) {
			t.Errorf("rateLimit says %v", at)
		}
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("they were told after %v", took)
		}
		wantCalls(t, up, 1)
		wg.Wait()
		if took := time.Since(began); took > time.Minute+2*time.Second {
			t.Errorf("all took %v", took)
		}
	})
}

// Calls go as fast as the shared pace lets them, writes first, and few ask it in
// vain.
func TestSharedLimiter_Order(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &sharedBucket{every: 200 * time.Millisecond}
		s, up := newRig(t, Options{Limiter: shared}, latest)
		var wg sync.WaitGroup
		greedy := s.Session("")
		for i := range 100 {
			wg.Go(func() { name(t.Context(), greedy, fmt.Sprintf("/%d/", i)) })
		}
		time.Sleep(time.Second + time.Millisecond)
		began := time.Now()
		wg.Go(func() {
			_, err := Write(t.Context(), s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
			if took := time.Since(began); err != nil || took > 800*time.Millisecond {
				t.Errorf("a write took %v, %v", took, err)
			}
		})
		wg.Go(func() {
			name(t.Context(), s.Session(""), "/modest/")
			// Some of the greedy one's calls ask the shared pace already: not a hundred
			// of them, which take twenty seconds.
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("a single read took %v", took)
			}
		})
		wg.Wait()
		if took := time.Since(began); took > 20*time.Second || up.made() != 101 {
			t.Errorf("took %v", took)
		}
		if shared.takes > 4*102 {
			t.Errorf("the shared pace was asked %d times", shared.takes)
		}
		if s.queue.free != DefaultConcurrency || s.queue.waiting != 0 || s.everybody.limiters[KindRead].asking != 0 {
			t.Errorf("%d are free, %d wait, %d ask", s.queue.free, s.queue.waiting, s.everybody.limiters[KindRead].asking)
		}
	})
}

// A shared pace that hangs, though it must not, is left when all have.
func TestSharedLimiter_Hangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Limiter: hangingPace{}, Concurrency: 1}, latest)
		for range 3 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if _, err := Fetch(ctx, s.Session(""), user("/a/")); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			cancel()
			synctest.Wait()
		}
		if s.queue.free != 1 {
			t.Errorf("%d are free", s.queue.free)
		}
		wantCalls(t, up, 0)
	})
}

// A sharedBucket lets one call of a class pass at a time.
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

type hangingPace struct{}

func (hangingPace) Take(ctx context.Context, _ SharedLimit) time.Duration {
	<-ctx.Done()
	return 0
}

func (hangingPace) Refused(_ context.Context, _ SharedLimit, _, wait time.Duration) time.Duration {
	return wait
}

type slowPace struct {
	waits   []time.Duration
	refused string
}

func (p *slowPace) Take(context.Context, SharedLimit) time.Duration {
	if len(p.waits) == 0 {
		return 0
	}
	wait := p.waits[0]
	p.waits = p.waits[1:]
	return wait
}

func (p *slowPace) Refused(_ context.Context, l SharedLimit, ago, wait time.Duration) time.Duration {
	p.refused = fmt.Sprintf("%q %v sent %v ago, wait %v", l.Principal, l.Kind, ago, wait)
	return wait
}
