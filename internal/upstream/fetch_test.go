package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/mixcloud"
)

// An entry is served without a call while it is fresh, then while it is revalidated in the
// background, then only if a call fails.
func TestFetch_Lifetime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := lifetimes[ClassUser]
		s, up := newTestStore(t, Options{}, latest)
		fetch := func() (string, *Session, time.Duration) {
			session, began := s.Session(""), time.Now()
			got := fetchName(t.Context(), session, "/a/")
			return got, session, time.Since(began)
		}
		got, session, took := fetch()
		want(t, got, "1")
		if took != 10*time.Millisecond || session.Cost() != (opstats.Cost{Calls: 1}) {
			t.Errorf("cold: took %v, want 10ms; cost %+v, want 1 call", took, session.Cost())
		}
		time.Sleep(life.Fresh - time.Nanosecond)
		got, session, took = fetch()
		want(t, got, "1")
		if took != 0 || session.Cost() != (opstats.Cost{Hits: 1}) || len(session.StaleReads()) > 0 {
			t.Errorf("fresh: took %v, want 0; cost %+v, want 1 hit; stale reads %v, want none", took, session.Cost(), session.StaleReads())
		}
		if left, ok := session.FreshFor(); left != time.Nanosecond || !ok {
			t.Errorf("fresh: FreshFor() = %v, %v, want 1ns, true", left, ok)
		}
		wantCalls(t, up, 1)

		time.Sleep(time.Nanosecond)
		for range 3 {
			got, session, took = fetch()
			want(t, got, "1")
			if took != 0 || session.Cost() != (opstats.Cost{Stale: 1}) {
				t.Errorf("stale: took %v, want 0; cost %+v, want 1 stale read", took, session.Cost())
			}
		}
		session.AddStalePath("/a/", []any{"user", 0})
		session.AddStalePath("/a/", []any{"user", 0})
		session.AddStalePath("/b/", []any{"other"})
		staleReads := []opstats.StaleRead{{ID: "/a/", Age: life.Fresh, Reason: opstats.Revalidating, Paths: [][]any{{"user", 0}}}}
		if diff := cmp.Diff(staleReads, session.StaleReads()); diff != "" || !session.Stale("/a/") || session.Stale("/b/") {
			t.Errorf("stale reads (-want +got):\n%s", diff)
		}
		if left, ok := session.FreshFor(); left != 0 || !ok {
			t.Errorf("stale: FreshFor() = %v, %v, want 0, true", left, ok)
		}
		time.Sleep(time.Second)
		wantCalls(t, up, 1) // the background refresh
		got, _, _ = fetch()
		want(t, got, "1") // the stub's counter

		time.Sleep(life.Fresh + life.Revalidate)
		up.respond = func(call) reply { return reply{delay: 20 * time.Millisecond, body: `{"key":"/a/","name":"new"}`} }
		got, session, took = fetch()
		want(t, got, "new")
		if took != 20*time.Millisecond || session.Cost() != (opstats.Cost{Calls: 1}) {
			t.Errorf("expired: took %v, want 20ms; cost %+v, want 1 call", took, session.Cost())
		}
	})
}

// An entry of at most a day is served if Mixcloud fails for any reason. An error of the resource
// itself is returned.
func TestFetch_StaleIfError(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reply reply
		stale opstats.Reason // "" for an error
		code  gqlerr.Code    // of the returned error
		took  time.Duration
		again int // calls if the read is repeated at once
	}{
		"down":                    {reply{err: errors.New("connection refused")}, opstats.Unavailable, gqlerr.CodeUpstreamUnavailable, 0, 0},
		"failing":                 {broken, opstats.Unavailable, gqlerr.CodeUpstreamUnavailable, 10 * time.Millisecond, 0},
		"malformed":               {reply{body: "{"}, opstats.Unavailable, gqlerr.CodeUpstreamBadResponse, 0, 0},
		"refusing":                {limited("60"), opstats.RateLimited, gqlerr.CodeRateLimited, 10 * time.Millisecond, 0},
		"refusing without a wait": {limited(""), opstats.RateLimited, gqlerr.CodeRateLimited, 10 * time.Millisecond, 0},
		"slow":                    {reply{delay: time.Hour}, opstats.Unavailable, gqlerr.CodeUpstreamTimeout, DefaultSoftTimeout, 0},
		"gone":                    {missing, "", gqlerr.CodeNotFound, 10 * time.Millisecond, 0},
		"forbidden":               {reply{status: 403, body: `{"error":{"type":"X","message":"no"}}`}, "", gqlerr.CodeForbidden, 0, 0},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, Options{}, latest)
				want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
				up.respond = func(call) reply { return tt.reply }
				check := func(took time.Duration, stale opstats.Reason, age time.Duration) {
					t.Helper()
					session, began := s.Session(""), time.Now()
					_, err := Fetch(t.Context(), session, user("/a/"))
					if time.Since(began) != took {
						t.Errorf("took %v, want %v", time.Since(began), took)
					}
					var staleReads []opstats.StaleRead
					if code := gqlerr.CodeOf(err); stale != "" {
						staleReads = []opstats.StaleRead{{ID: "/a/", Age: age, Reason: stale}}
						if err != nil {
							t.Error(err)
						}
					} else if code != tt.code {
						t.Errorf("Fetch = %v, want code %s", err, tt.code)
					}
					if diff := cmp.Diff(staleReads, session.StaleReads(), cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("stale reads (-want +got):\n%s", diff)
					}
				}
				time.Sleep(2 * time.Hour)
				check(tt.took, tt.stale, 2*time.Hour+tt.took)
				synctest.Wait()
				up.made()
				check(0, tt.stale, 2*time.Hour+tt.took) // the next session does not wait again
				wantCalls(t, up, tt.again)
				time.Sleep(day) // until the entry is too old to be served
				if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); gqlerr.CodeOf(err) != tt.code {
					t.Errorf("after a day: %v, want %s", err, tt.code)
				}
			})
		})
	}
}

// A "not found" is cached for its negative TTL. Other errors have a backoff.
func TestFetch_NotFound(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		response := missing
		s, up := newTestStore(t, Options{Retries: -1}, func(call) reply { return response })
		for range 3 {
			if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); !errors.Is(err, mixcloud.ErrNotFound) {
				t.Fatal(err)
			}
		}
		wantCalls(t, up, 1)
		time.Sleep(lifetimes[ClassUser].NegativeTTL)
		response = broken
		for range 3 {
			if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); !errors.Is(err, mixcloud.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		wantCalls(t, up, 1)
		time.Sleep(time.Second)
		response = reply{}
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
	})
}

// 500 concurrent reads share one call. A caller that leaves does not fail the others.
func TestFetch_Coalesces(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, func(call) reply { return reply{delay: time.Second} })
		var wg sync.WaitGroup
		var mu sync.Mutex
		var coalesced, left int
		for i := range 500 {
			wg.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i%2 == 0 {
					time.AfterFunc(500*time.Millisecond, cancel)
				}
				session := s.Session("")
				_, err := Fetch(ctx, session, user("/a/"))
				mu.Lock()
				defer mu.Unlock()
				coalesced += session.Cost().Coalesced
				switch {
				case i%2 == 0 && errors.Is(err, context.Canceled):
					left++
				case err != nil:
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if coalesced != 499 || left != 250 {
			t.Errorf("%d coalesced and %d left, want 499 and 250", coalesced, left)
		}
		wantCalls(t, up, 1)
	})
}

// A call in flight is completed for the cache even if all callers have left. A call that still
// waits for a slot is dropped.
func TestFetch_AllLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Concurrency: 1}, func(call) reply { return reply{delay: time.Second} })
		soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		for _, key := range []string{"/a/", "/b/", "/c/"} {
			wg.Go(func() {
				if _, err := Fetch(soon, s.Session(""), user(key)); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		time.Sleep(10 * time.Second)
		wantCalls(t, up, 1)
		hits := 0
		for _, key := range []string{"/a/", "/b/", "/c/"} {
			session := s.Session("")
			want(t, fetchName(t.Context(), session, key), "1")
			hits += session.Cost().Hits
		}
		if hits != 1 {
			t.Errorf("%d responses are cached, want 1", hits)
		}
	})
}

// A call has its own timeout, so that a hanging Mixcloud does not occupy a slot for longer.
func TestFetch_OwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Timeout: 3 * time.Second}, func(call) reply { return reply{delay: time.Hour} })
		began := time.Now()
		if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); !errors.Is(err, mixcloud.ErrTimeout) {
			t.Error(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("Fetch took %v, want 3s", took)
		}
	})
}

func TestFetch_Budget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Budget: 3}, latest)
		session := s.Session("")
		for i := range 5 {
			want(t, fetchName(t.Context(), session, fmt.Sprintf("/%d/", min(i, 2))), "1") // a cached response costs nothing
		}
		if _, err := Fetch(t.Context(), session, user("/x/")); gqlerr.CodeOf(err) != gqlerr.CodeLimitExceeded {
			t.Errorf("Fetch above the budget = %v, want LIMIT_EXCEEDED", err)
		}
		wantCalls(t, up, 3)
	})
}

// A panic in a read becomes the error of its waiters, and leaks nothing.
func TestFetch_Panic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Concurrency: 1}, latest)
		r := user("/a/")
		r.Get = func(context.Context, *mixcloud.Client) (*mixcloud.FullUser, error) { panic("boom") }
		for range 3 {
			var p *PanicError
			if _, err := Fetch(t.Context(), s.Session(""), r); !errors.As(err, &p) || !strings.Contains(p.Error(), "goroutine") {
				t.Errorf("Fetch = %v, want a *PanicError with a stack", err)
			}
		}
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
	})
}

// Two types under one id are an internal error, not a panic.
func TestFetch_OtherType(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		_, err := Fetch(t.Context(), s.Session(""), Resource[string]{Class: ClassUser, ID: "/a/"})
		if gqlerr.CodeOf(err) != gqlerr.CodeInternal {
			t.Errorf("Fetch as another type = %v, want INTERNAL", err)
		}
	})
}

// Without a cache every operation calls Mixcloud, but concurrent reads still share a call.
func TestFetch_NoCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{CacheBytes: -1}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { want(t, fetchName(t.Context(), s.Session(""), "/a/"), "2") })
		}
		wg.Wait()
		wantCalls(t, up, 2)
	})
}
