package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// Joining another session's call costs no budget, not even temporarily.
func TestLoad_JoiningCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Budget: 1}, func(call) reply { return reply{delay: time.Second} })
		var wg sync.WaitGroup
		for _, key := range []string{"/b/", "/c/", "/d/"} {
			wg.Go(func() { fetchName(t.Context(), s.Session(""), key) })
		}
		synctest.Wait()
		session := s.Session("")
		for _, key := range []string{"/a/", "/a/", "/b/", "/c/", "/d/"} {
			wg.Go(func() { want(t, fetchName(t.Context(), session, key), "1") })
		}
		synctest.Wait()
		for range 3 {
			if _, err := Fetch(t.Context(), session, user("/x/")); gqlerr.CodeOf(err) != gqlerr.CodeLimitExceeded {
				t.Errorf("Fetch above the budget = %v, want LIMIT_EXCEEDED", err)
			}
		}
		wg.Wait()
		if spent := session.spent.Load(); spent != 1 || session.Cost() != (opstats.Cost{Calls: 1, Coalesced: 4}) {
			t.Errorf("%d calls charged, want 1; cost %+v, want 1 call and 4 coalesced", spent, session.Cost())
		}
		wantCalls(t, up, 4)
	})
}

// The first caller has a short deadline and leaves. A later one has a longer deadline and gets
// the response of the same call.
func TestLoad_LongerDeadline(t *testing.T) {
	t.Parallel()
	for title, o := range map[string]Options{"in flight": {}, "waiting for a slot": {Rate: 0.5, Burst: 1}} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, o, func(call) reply { return reply{delay: time.Second} })
				fetchName(t.Context(), s.Session(""), "/first/")
				up.made()
				var wg sync.WaitGroup
				for _, d := range []time.Duration{500 * time.Millisecond, 2500 * time.Millisecond, 10 * time.Second} {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), d)
						defer cancel()
						_, err := Fetch(ctx, s.Session(""), user("/a/"))
						if (err == nil) != (d > time.Second) {
							t.Errorf("deadline of %v: Fetch = %v, want success: %v", d, err, d > time.Second)
						}
					})
					synctest.Wait()
				}
				wg.Wait()
				wantCalls(t, up, 1)
			})
		})
	}
}

// A session that joins a background load and has no stale entry gets normal priority and
// retries.
func TestLoad_BackgroundBecomesAwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := map[Class]Lifetime{ClassUser: {Fresh: time.Second, Revalidate: time.Second, Retain: 2 * time.Second}}
		s, up := newTestStore(t, Options{Lifetimes: life}, func(c call) reply {
			if c.of == 2 {
				return reply{delay: time.Second, status: 502, body: "<html>"}
			}
			return reply{delay: 10 * time.Millisecond}
		})
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		time.Sleep(1500 * time.Millisecond)
		first := s.Session("")
		want(t, fetchName(t.Context(), first, "/a/"), "1")
		time.Sleep(800 * time.Millisecond) // until the entry is too old to be served
		session := s.Session("")
		want(t, fetchName(t.Context(), session, "/a/"), "3")
		if session.Cost() != (opstats.Cost{Coalesced: 1}) || first.Cost() != (opstats.Cost{Stale: 1}) || first.spent.Load() != 0 {
			t.Errorf("cost %+v, want 1 coalesced; cost of the first session %+v, want 1 stale read; %d calls charged, want 0", session.Cost(), first.Cost(), first.spent.Load())
		}
		wantCalls(t, up, 3)
	})
}

// A background load that waits indefinitely does not block other refreshes.
func TestRefresh_DoesNotStarve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Refreshes: 1, Rate: 0.01, Burst: 2}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		want(t, fetchName(t.Context(), s.Session("t"), "/a/"), "t2")
		want(t, fetchName(t.Context(), s.Session(""), "/b/"), "1")
		time.Sleep(lifetimes[ClassUser].Fresh)
		for i := 0; *s.Session("").RateLimit().Remaining > 0; i++ { // then the next call is 100 s away
			fetchName(t.Context(), s.Session(""), fmt.Sprintf("/%d/", i))
		}
		fetchName(t.Context(), s.Session(""), "/a/")
		synctest.Wait()
		up.made()
		fetchName(t.Context(), s.Session("t"), "/a/")
		time.Sleep(time.Second)
		wantCalls(t, up, 0) // the only slot is taken
		time.Sleep(DefaultTimeout)
		fetchName(t.Context(), s.Session("t"), "/a/")
		time.Sleep(time.Second)
		wantCalls(t, up, 1)
	})
}

// The reason of a stale read is determined before the refresh starts: it stays Revalidating even if
// the refresh fails before the read returns.
func TestRefresh_ReasonIsDeterminedFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		time.Sleep(lifetimes[ClassUser].Fresh)
		up.respond = func(call) reply { return reply{err: errors.New("connection refused")} }
		session, r := s.Session(""), user("/a/")
		k := session.key(r.Class, r.ID)
		e := s.cache.Get(k)
		why := s.refresh(t.Context(), session, k, e, r.untyped())
		synctest.Wait()
		if e.Cooldown(s.clock.Now()) == nil {
			t.Fatal("refresh succeeded, want a failure and a cooldown")
		}
		if _, err := session.serveStale(k, e, why); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			session *Session
			reason  opstats.Reason
		}{{session, opstats.Revalidating}, {s.Session(""), opstats.Unavailable}} {
			if tt.session != session {
				want(t, fetchName(t.Context(), tt.session, "/a/"), "1")
			}
			if reads := tt.session.StaleReads(); len(reads) != 1 || reads[0].Reason != tt.reason {
				t.Errorf("stale reads %+v, want one with reason %s", reads, tt.reason)
			}
		}
	})
}

// A stale read of an entry that cannot be revalidated reports the cause, even if the entry's last
// call succeeded.
func TestRefresh_ReasonWithoutRefresh(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		options Options
		others  reply // to the reads of five other users
		reason  opstats.Reason
		calls   int // of the stale read
	}{
		"healthy":             {Options{}, reply{}, opstats.Revalidating, 1},
		"circuit breaker":     {Options{Retries: -1}, broken, opstats.Unavailable, 0},
		"rate limited":        {Options{Retries: -1}, limited("600"), opstats.RateLimited, 0},
		"other refreshes run": {Options{Refreshes: -1}, reply{}, opstats.Revalidating, 0},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, tt.options, latest)
				want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
				time.Sleep(lifetimes[ClassUser].Fresh)
				up.respond = func(call) reply { return tt.others }
				soon, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				for i := range 5 {
					fetchName(soon, s.Session(""), fmt.Sprintf("/other%d/", i))
				}
				up.made()
				session := s.Session("")
				want(t, fetchName(t.Context(), session, "/a/"), "1")
				if reads := session.StaleReads(); len(reads) != 1 || reads[0].Reason != tt.reason {
					t.Errorf("stale reads %+v, want one with reason %s", reads, tt.reason)
				}
				synctest.Wait()
				wantCalls(t, up, tt.calls)
			})
		})
	}
}

// A panic in a background read is logged, and the read is not repeated at once.
func TestRefresh_Panic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, _ := newTestStore(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		time.Sleep(lifetimes[ClassUser].Fresh)
		r, n := user("/a/"), 0
		r.Get = func(context.Context, *mixcloud.Client) (*mixcloud.FullUser, error) { n++; panic("boom") }
		for range 3 {
			if _, err := Fetch(t.Context(), s.Session(""), r); err != nil {
				t.Error(err)
			}
			synctest.Wait()
		}
		if n != 1 || !strings.Contains(log.String(), "boom") {
			t.Errorf("%d calls, want 1; log %q, want it to contain boom", n, log.String())
		}
		wantIdle(t, s, DefaultConcurrency)
	})
}

// A write that hangs until its caller's deadline is a failure of Mixcloud. A caller with a
// short deadline, or one that leaves, does not count.
func TestWrite_HangingOpensTheBreaker(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		after time.Duration
		leave bool
		open  bool
	}{
		"hangs":          {5 * time.Second, false, true},
		"short deadline": {100 * time.Millisecond, false, false},
		"client left":    {5 * time.Second, true, false},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := newTestStore(t, Options{}, latest)
				for i := range 5 {
					ctx, cancel := context.WithTimeout(t.Context(), tt.after)
					if tt.leave {
						ctx, cancel = context.WithCancel(t.Context())
						time.AfterFunc(tt.after, cancel)
					}
					_, err := Write(ctx, s.Session("t"), fmt.Sprintf("/%d/follow/", i), func(ctx context.Context, _ *mixcloud.Client) (int, error) {
						<-ctx.Done()
						kind := mixcloud.ErrTimeout
						if tt.leave {
							kind = context.Canceled
						}
						return 0, &mixcloud.Error{Kind: kind, Err: ctx.Err()}
					})
					if err == nil {
						t.Error("hanging write returned no error")
					}
					cancel()
				}
				if open := s.breakers.routes[routeWrite].Check("/x/follow/") != nil; open != tt.open {
					t.Errorf("breaker open: %v, want %v", open, tt.open)
				}
			})
		})
	}
}

// A viewer with a recent write or a refusal is not pruned in favor of others. After pruning,
// sessions in progress find the principal's new viewer.
func TestViewers_Pruned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, func(c call) reply {
			if c.token == "limited" {
				return limited("600")
			}
			return latest(c)
		})
		time.Sleep(time.Second)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, token := range []string{"limited", "writer", "reader"} {
			s.MarkVerified(token)
		}
		fetchName(soon, s.Session("limited"), "/a/")
		write := func(session *Session) {
			if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
				t.Fatal(err)
			}
		}
		write(s.Session("writer"))
		long := s.Session("reader")
		want(t, fetchName(t.Context(), long, "/a/"), "reader2")
		addViewers := func() {
			for i := range 2 * maxViewers {
				s.viewer(principalOf(string(rune(i + 1000))))
			}
		}
		addViewers()
		up.made()
		if _, err := Fetch(soon, s.Session("limited"), user("/b/")); !errors.Is(err, mixcloud.ErrRateLimited) {
			t.Errorf("Fetch = %v, want the rate limit still applied", err)
		}
		if s.Session("writer").currentViewer().lag(s.clock.Now()) == 0 {
			t.Error("pruning removed a recent write")
		}
		wantCalls(t, up, 0)

		write(s.Session("reader")) // as another viewer of the same principal
		want(t, fetchName(t.Context(), long, "/a/"), "reader1")
		if long.currentViewer() != s.Session("reader").currentViewer() {
			t.Error("sessions of one principal have different viewers")
		}
	})
}

// After Mixcloud refuses a token, its responses in the shared cache are dropped, and its recent
// writes stay.
func TestUnauthenticated_DropsSharedCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := true
		s, _ := newTestStore(t, Options{SharedCache: new(memoryCache), VerifiedTokens: allVerified{}}, func(call) reply {
			if good {
				return reply{}
			}
			return reply{status: 401, body: `{"error":{"type":"OAuthException","message":"no"}}`}
		})
		want(t, fetchName(t.Context(), s.Session("a"), "/x/"), "a1")
		time.Sleep(time.Second)
		good = false
		for _, key := range []string{"/y/", "/x/"} {
			if got := fetchName(t.Context(), s.Session("a"), key); !strings.Contains(got, "not authenticated") {
				t.Errorf("refused token reads %q, want an error", got)
			}
		}
		time.Sleep(refusedFor)
		if _, err := Write(t.Context(), s.Session("a"), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		fetchName(t.Context(), s.Session("a"), "/x/")
		if s.Session("a").currentViewer().lag(s.clock.Now()) != writeLag {
			t.Error("dropping the cached responses removed a recent write")
		}
	})
}

// A session that read the cache just before a call finished finds the cached response although
// the call is no longer in flight.
func TestLoad_FinishedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		wantCalls(t, up, 1)
		late := s.Session("")
		r := user("/a/")
		got, err := typed[*mixcloud.FullUser](late.get(t.Context(), late.key(r.Class, r.ID), nil, r.untyped()))
		if err != nil || got.Name != "1" || late.Cost() != (opstats.Cost{Hits: 1}) {
			t.Errorf("get = %+v, %v with cost %+v, want the finished call's value as a hit", show.Value(got), err, late.Cost())
		}
		if left, ok := late.FreshFor(); !ok || left > ClassUser.Lifetime().Fresh {
			t.Errorf("FreshFor() = %v, %v, want at most %v", left, ok, ClassUser.Lifetime().Fresh)
		}
		wantCalls(t, up, 0)
	})
}
