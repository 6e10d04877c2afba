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

// An operation that needs one call does not wait behind one that needs two hundred.
func TestQueue_Fair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Concurrency: 4, Budget: 1000}, func(call) reply { return reply{delay: time.Second} })
		var wg sync.WaitGroup
		greedy := s.Session("")
		for i := range 200 {
			wg.Go(func() { fetchName(t.Context(), greedy, fmt.Sprintf("/greedy%d/", i)) })
		}
		synctest.Wait()
		began := time.Now()
		for i := range 8 {
			wg.Go(func() {
				fetchName(t.Context(), s.Session([]string{"", "t"}[i%2]), fmt.Sprintf("/modest%d/", i))
				if took := time.Since(began); took > 5*time.Second {
					t.Errorf("single call took %v, want at most 5s", took)
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != 52*time.Second || up.maxInFlight != 4 {
			t.Errorf("all calls took %v with %d in flight, want 52s with 4", took, up.maxInFlight)
		}
	})
}

// A refusal of one token's calls does not delay the calls of other tokens.
func TestQueue_RefusalOfOneToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Concurrency: 2, CacheBytes: -1}, func(c call) reply {
			if c.token == "slow" && c.of == 1 {
				return limited("10")
			}
			return latest(c)
		})
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		fetchName(soon, s.Session("slow"), "/a/")
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { fetchName(t.Context(), s.Session("slow"), "/a/") })
		}
		synctest.Wait()
		began := time.Now()
		want(t, fetchName(t.Context(), s.Session("quick"), "/b/"), "quick1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("call with another token took %v, want 10ms", took)
		}
		wg.Wait()
	})
}

// An operation that arrives when too many calls wait is refused at once. It is never refused if no other operation has waiting
// calls.
func TestQueue_Full(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Concurrency: 1, Budget: 3 * waitingPerSlot, Retries: -1}, latest)
		alone, session := sync.WaitGroup{}, s.Session("")
		for i := range 3 * waitingPerSlot {
			alone.Go(func() {
				if _, err := Fetch(t.Context(), session, user(fmt.Sprintf("/%d/", i))); err != nil {
					t.Error(err)
				}
			})
		}
		alone.Wait()
		wantCalls(t, up, 3*waitingPerSlot)
	})
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Concurrency: 1, Budget: 1, Retries: -1}, func(call) reply { return reply{delay: time.Second} })
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		refused := 0
		var mu sync.Mutex
		for i := range waitingPerSlot + 11 {
			wg.Go(func() {
				began := time.Now()
				if _, err := Fetch(ctx, s.Session(""), user(fmt.Sprintf("/%d/", i))); Overloaded(err) {
					mu.Lock()
					defer mu.Unlock()
					refused++
					if time.Since(began) > 0 {
						t.Errorf("refused after %v, want at once", time.Since(began))
					}
				}
			})
		}
		wg.Wait()
		if refused != 10 {
			t.Errorf("%d calls were refused, want 10", refused)
		}
	})
}

// A write is retried once, only if it provably was not sent.
func TestWrite_RetriedOnlyIfNeverSent(t *testing.T) {
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
				s, _ := newTestStore(t, Options{}, latest)
				session, n := s.Session("t"), 0
				_, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { n++; return 0, tt.err })
				if n != tt.want || !errors.Is(err, tt.err) || session.Cost().Calls != tt.want {
					t.Errorf("write was sent %d times, want %d; cost %+v; error %v, want %v", n, tt.want, session.Cost(), err, tt.err)
				}
				wantIdle(t, s, DefaultConcurrency)
			})
		})
	}
}

// A stream holds no slot while it is sent.
func TestStream_HoldsNoSlot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Concurrency: 1, Timeout: time.Second}, latest)
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
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("call during a stream took %v, want 10ms", took)
		}
		wg.Wait()
	})
}

// Waiting callers get an error when the store is closed, including a write without a deadline.
func TestClose_EndsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Rate: 0.001, Burst: 1}, latest)
		fetchName(t.Context(), s.Session(""), "/a/")
		if _, err := Write(t.Context(), s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if _, err := Fetch(t.Context(), s.Session(""), user("/b/")); !errors.Is(err, context.Canceled) {
					t.Errorf("waiting read = %v, want context.Canceled", err)
				}
			})
			wg.Go(func() {
				_, err := Write(t.Context(), s.Session(""), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				if !errors.Is(err, context.Canceled) {
					t.Errorf("waiting write = %v, want context.Canceled", err)
				}
			})
		}
		synctest.Wait()
		if err := s.Close(t.Context()); err != nil {
			t.Error(err)
		}
		wg.Wait()
		if _, err := Fetch(t.Context(), s.Session(""), user("/c/")); !errors.Is(err, context.Canceled) {
			t.Errorf("read after Close = %v, want context.Canceled", err)
		}
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1") // a cached response needs no call
	})
}
