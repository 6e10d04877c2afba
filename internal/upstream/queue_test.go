package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/mixcloud"
)

// An operation that needs one call does not wait behind one that needs two
// hundred.
func TestQueue_Fair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Concurrency: 4, Budget: 1000}, func(call) reply { return reply{delay: time.Second} })
		var wg sync.WaitGroup
		greedy := s.Session("")
		for i := range 200 {
			wg.Go(func() { name(t.Context(), greedy, fmt.Sprintf("/greedy%d/", i)) })
		}
		synctest.Wait()
		began := time.Now()
		for i := range 8 {
			wg.Go(func() {
				name(t.Context(), s.Session([]string{"", "t"}[i%2]), fmt.Sprintf("/modest%d/", i))
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("a single call took %v", took)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != 52*time.Second || up.most != 4 {
			t.Errorf("all took %v with %d in the air", took, up.most)
		}
	})
}

// Writes go before reads, and both before what nobody waits for.
func TestQueue_Priorities(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newClock(nil)
		q := newQueue(c, 1, 1)
		p := limits{{rate: ratelimit.New(ratelimit.Limit{}, c.now())}}
		hear := func(tick) error { return nil }
		holder := q.newTicket("", "holder", p, waited)
		if err := q.enter(t.Context(), holder, hear); err != nil {
			t.Fatal(err)
		}
		var order []string
		var wg sync.WaitGroup
		tickets := map[string]*ticket{}
		for _, x := range []struct {
			name string
			priority
		}{{"refresh", background}, {"promoted", background}, {"read", waited}, {"write", urgent}} {
			tickets[x.name] = q.newTicket("", x.name, p, x.priority)
			wg.Go(func() {
				if err := q.enter(t.Context(), tickets[x.name], hear); err != nil {
					t.Error(err)
				}
				order = append(order, x.name) // one at a time
				q.leave(tickets[x.name], nil)
			})
			synctest.Wait()
		}
		q.promote(tickets["promoted"], "", "somebody")
		q.leave(holder, nil)
		wg.Wait()
		if got := fmt.Sprint(order); got != "[write read promoted refresh]" {
			t.Errorf("the order is %v", got)
		}
		if q.free != 1 || q.waiting != 0 {
			t.Errorf("%d are free and %d wait", q.free, q.waiting)
		}
	})
}

// A ticket that is given up, before or just when it is granted, leaves its
// place to others.
func TestQueue_GiveUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := newClock(nil)
		q := newQueue(c, 2, 1)
		p := limits{{rate: ratelimit.New(ratelimit.Limit{Rate: 1000, Burst: 1}, c.now())}}
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*time.Millisecond)
				defer cancel()
				ticket := q.newTicket(i%3, i%5, p, priority(i%priorities))
				if err := q.enter(ctx, ticket, func(tick) error {
					if i%3 == 0 {
						return errors.New("too long")
					}
					return nil
				}); err == nil {
					time.Sleep(time.Duration(i%3) * time.Millisecond)
					q.leave(ticket, nil)
				}
			})
		}
		wg.Wait()
		if q.free != 2 || q.waiting != 0 || len(q.rings[0])+len(q.rings[1])+len(q.rings[2]) != 0 {
			t.Errorf("%d are free, %d wait, in %v", q.free, q.waiting, q.rings)
		}
	})
}

// One token's pause holds up nobody else.
func TestQueue_OthersPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Concurrency: 2, CacheBytes: -1}, func(c call) reply {
			if c.token == "slow" && c.of == 1 {
				return limited("10")
			}
			return latest(c)
		})
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		name(soon, s.Session("slow"), "/a/")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { name(t.Context(), s.Session("slow"), "/a/") })
		}
		synctest.Wait()
		began := time.Now()
		want(t, name(t.Context(), s.Session("quick"), "/b/"), "quick1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("took %v", took)
		}
		wg.Wait()
	})
}

// Whoever comes when far too many wait already is refused at once, but not a
// part of the only operation that there is.
func TestQueue_Full(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Concurrency: 1, Budget: 3 * patienceOfQueue, Retries: -1}, latest)
		alone, session := sync.WaitGroup{}, s.Session("")
		for i := range 3 * patienceOfQueue {
			alone.Go(func() {
				if _, err := Fetch(t.Context(), session, user(fmt.Sprintf("/%d/", i))); err != nil {
					t.Error(err)
				}
			})
		}
		alone.Wait()
		wantCalls(t, up, 3*patienceOfQueue)
	})
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Concurrency: 1, Budget: 1, Retries: -1}, func(call) reply { return reply{delay: time.Second} })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		refused := 0
		var mu sync.Mutex
		for i := range patienceOfQueue + 11 {
			wg.Go(func() {
				began := time.Now()
				if _, err := Fetch(ctx, s.Session(""), user(fmt.Sprintf("/%d/", i))); Overloaded(err) {
					mu.Lock()
					defer mu.Unlock()
					refused++
					if time.Since(began) > 0 {
						t.Errorf("refused after %v", time.Since(began))
					}
				}
			})
		}
		wg.Wait()
		if refused != 10 {
			t.Errorf("%d were refused", refused)
		}
	})
}

// Reads that are never tried again, and a write that is, once, when it provably
// was not sent.
func TestWrite_Once(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want int
	}{
		"failed":     {&mixcloud.Error{Kind: mixcloud.ErrUnavailable, Status: 502}, 1},
		"never sent": {&mixcloud.Error{Kind: mixcloud.ErrUnavailable, NeverSent: true}, 2},
		"timed out":  {&mixcloud.Error{Kind: mixcloud.ErrTimeout}, 1},
		"done":       {nil, 1},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := newRig(t, Options{}, latest)
				session, n := s.Session("t"), 0
				_, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { n++; return 0, tt.err })
				if n != tt.want || !errors.Is(err, tt.err) || session.Cost().Calls != tt.want {
					t.Errorf("sent %d times, cost %+v, %v", n, session.Cost(), err)
				}
				if n == 0 || s.queue.free != DefaultConcurrency {
					t.Errorf("%d are free", s.queue.free)
				}
			})
		})
	}
}

// A stream holds no slot while it flows.
func TestStream_HoldsNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Concurrency: 1, Timeout: time.Second}, latest)
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := Stream(t.Context(), s.Session("t"), KindUpload, "/a/follow/", func(ctx context.Context, _ *mixcloud.Client) (int, error) {
				time.Sleep(time.Hour)
				return 0, ctx.Err()
			})
			if err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		began := time.Now()
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("took %v", took)
		}
		wg.Wait()
	})
}

// Whoever waits for a turn when the store is closed is told so, a write that has
// all the time too.
func TestClose_EndsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Rate: 0.001, Burst: 1}, latest)
		name(t.Context(), s.Session(""), "/a/")
		if _, err := Write(t.Context(), s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := Fetch(t.Context(), s.Session(""), user("/b/")); !errors.Is(err, context.Canceled) {
					t.Errorf("a read: %v", err)
				}
			})
			wg.Go(func() {
				_, err := Write(t.Context(), s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				if !errors.Is(err, context.Canceled) {
					t.Errorf("a write: %v", err)
				}
			})
		}
		synctest.Wait()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if _, err := Fetch(t.Context(), s.Session(""), user("/c/")); !errors.Is(err, context.Canceled) {
			t.Errorf("after it was closed: %v", err)
		}
		want(t, name(t.Context(), s.Session(""), "/a/"), "1") // what is kept needs nobody
	})
}
