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
	"mixcloud-graphql/mixcloud"
)

// To join somebody else's call costs nothing of the budget, not for a moment.
func TestFlight_JoiningCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Budget: 1}, func(call) reply { return reply{delay: time.Second} })
		var wg sync.WaitGroup
		for _, key := range []string{"/b/", "/c/", "/d/"} {
			wg.Go(func() { name(t.Context(), s.Session(""), key) })
		}
		synctest.Wait()
		session := s.Session("")
		for _, key := range []string{"/a/", "/a/", "/b/", "/c/", "/d/"} {
			wg.Go(func() { want(t, name(t.Context(), session, key), "1") })
		}
		synctest.Wait()
		for range 3 {
			if _, err := Fetch(t.Context(), session, user("/x/")); gqlerr.CodeOf(err) != gqlerr.CodeLimitExceeded {
				t.Errorf("over the budget: %v", err)
			}
		}
		wg.Wait()
		if spent := session.spent.Load(); spent != 1 || session.Cost() != (Cost{Calls: 1, Coalesced: 4}) {
			t.Errorf("%d are spent, cost %+v", spent, session.Cost())
		}
		wantCalls(t, up, 4)
	})
}

// The first caller has little time and leaves; one who came later has more, and
// gets the answer of the same call.
func TestFlight_LongerDeadline(t *testing.T) {
	t.Parallel()
	for title, o := range map[string]Options{"in the air": {}, "waiting for its turn": {Rate: 0.5, Burst: 1}} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newRig(t, o, func(call) reply { return reply{delay: time.Second} })
				name(t.Context(), s.Session(""), "/first/")
				up.made()
				var wg sync.WaitGroup
				for _, d := range []time.Duration{500 * time.Millisecond, 2500 * time.Millisecond, 10 * time.Second} {
					wg.Go(func() {
						ctx, cancel := context.WithTimeout(t.Context(), d)
						defer cancel()
						_, err := Fetch(ctx, s.Session(""), user("/a/"))
						if (err == nil) != (d > time.Second) {
							t.Errorf("with %v: %v", d, err)
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

// Who boards what was begun in the background, and has nothing else, gets what
// any caller gets: its turn, and tries again.
func TestFlight_BackgroundBecomesAwaited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := map[Class]Lifetime{ClassUser: {Fresh: time.Second, Revalidate: time.Second, Keep: 2 * time.Second}}
		s, up := newRig(t, Options{Lifetimes: life}, func(c call) reply {
			if c.of == 2 {
				return reply{delay: time.Second, status: 502, body: "<html>"}
			}
			return reply{delay: 10 * time.Millisecond}
		})
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		time.Sleep(1500 * time.Millisecond)
		first := s.Session("")
		want(t, name(t.Context(), first, "/a/"), "1")
		time.Sleep(800 * time.Millisecond) // and then it is too old for anything
		session := s.Session("")
		want(t, name(t.Context(), session, "/a/"), "3")
		if session.Cost() != (Cost{Coalesced: 1}) || first.Cost() != (Cost{Stale: 1}) || first.spent.Load() != 0 {
			t.Errorf("cost %+v, of the first one %+v, %d spent", session.Cost(), first.Cost(), first.spent.Load())
		}
		wantCalls(t, up, 3)
	})
}

// What waits in the background for ever does not keep other things from being
// refreshed.
func TestRefresh_DoesNotStarve(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Refreshes: 1, Rate: 0.01, Burst: 2}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		want(t, name(t.Context(), s.Session("t"), "/a/"), "t2")
		want(t, name(t.Context(), s.Session(""), "/b/"), "1")
		time.Sleep(lifetimes[ClassUser].Fresh)
		for own := s.limitsOf(s.everybody, KindRead); own[0].rate.Take(s.clock.now()) == 0; { // the next one is 100 s away
		}
		name(t.Context(), s.Session(""), "/a/")
		synctest.Wait()
		up.made()
		name(t.Context(), s.Session("t"), "/a/")
		time.Sleep(time.Second)
		wantCalls(t, up, 0) // there is one place, and it is taken
		time.Sleep(DefaultTimeout)
		name(t.Context(), s.Session("t"), "/a/")
		time.Sleep(time.Second)
		wantCalls(t, up, 1)
	})
}

// A panic in the background is told to the log, and not repeated at once.
func TestRefresh_Panic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s, _ := newRig(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
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
			t.Errorf("it was called %d times, and the log says %q", n, log.String())
		}
		if s.queue.free != DefaultConcurrency || len(s.refreshes) != 0 {
			t.Errorf("%d are free, %d are refreshed", s.queue.free, len(s.refreshes))
		}
	})
}

// A write that hangs until its caller gives up is a failure of Mixcloud's; a
// caller in a hurry, or one who leaves, says nothing of it.
func TestWrite_HangingOpensTheBreaker(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		after time.Duration
		leave bool
		open  bool
	}{
		"hangs":       {5 * time.Second, false, true},
		"in a hurry":  {100 * time.Millisecond, false, false},
		"client left": {5 * time.Second, true, false},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, _ := newRig(t, Options{}, latest)
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
						t.Error("no error")
					}
					cancel()
				}
				if open := s.breakers[routeWrite].Check("/x/follow/") != nil; open != tt.open {
					t.Errorf("open: %v", open)
				}
			})
		})
	}
}

// A viewer who has written, or whom Mixcloud refuses, is not forgotten for those
// who come and go; and who is forgotten is found again by what is under way.
func TestViewers_Forgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, func(c call) reply {
			if c.token == "limited" {
				return limited("600")
			}
			return latest(c)
		})
		time.Sleep(time.Second)
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, token := range []string{"limited", "writer", "reader"} {
			s.Proven(token)
		}
		name(soon, s.Session("limited"), "/a/")
		write := func(session *Session) {
			if _, err := Write(t.Context(), session, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
				t.Fatal(err)
			}
		}
		write(s.Session("writer"))
		long := s.Session("reader")
		want(t, name(t.Context(), long, "/a/"), "reader2")
		crowd := func() {
			for i := range 2 * maxViewers {
				s.viewer(audienceOf(string(rune(i + 1000))))
			}
		}
		crowd()
		up.made()
		if _, err := Fetch(soon, s.Session("limited"), user("/b/")); !errors.Is(err, mixcloud.ErrRateLimited) {
			t.Errorf("the limit is forgotten: %v", err)
		}
		if s.Session("writer").as().lag(s.clock.now()) == 0 {
			t.Error("the write is forgotten")
		}
		wantCalls(t, up, 0)

		write(s.Session("reader")) // as another viewer of the same audience
		want(t, name(t.Context(), long, "/a/"), "reader1")
		if long.as() != s.Session("reader").as() {
			t.Error("two stand for one audience")
		}
	})
}

// A refused token sees nothing any more of what is kept elsewhere either, and
// its writes are not forgotten for it.
func TestUnauthenticated_DropsTheSecondLevel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		good := true
		s, _ := newRig(t, Options{Second: new(shelf), Proofs: allProven{}}, func(call) reply {
			if good {
				return reply{}
			}
			return reply{status: 401, body: `{"error":{"type":"OAuthException","message":"no"}}`}
		})
		want(t, name(t.Context(), s.Session("a"), "/x/"), "a1")
		time.Sleep(time.Second)
		good = false
		for _, key := range []string{"/y/", "/x/"} {
			if got := name(t.Context(), s.Session("a"), key); !strings.Contains(got, "not authenticated") {
				t.Errorf("a refused token sees %q", got)
			}
		}
		time.Sleep(refusedFor)
		if _, err := Write(t.Context(), s.Session("a"), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		name(t.Context(), s.Session("a"), "/x/")
		if s.Session("a").as().lag(s.clock.now()) != overlayLife {
			t.Error("the write is forgotten")
		}
	})
}

// Who has looked into the cache just before a flight landed finds what it brought,
// though it is no longer under way.
func TestFlight_LandedMeanwhile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		wantCalls(t, up, 1)
		late := s.Session("")
		r := user("/a/")
		got, err := give[*mixcloud.FullUser](late.get(t.Context(), late.key(r.Class, r.ID), nil, r.erase()))
		if err != nil || got.Name != "1" || late.Cost() != (Cost{Hits: 1}) {
			t.Errorf("got %+v, %v at %+v", got, err, late.Cost())
		}
		if left, ok := late.FreshFor(); !ok || left > ClassUser.Lifetime().Fresh {
			t.Errorf("fresh for %v", left)
		}
		wantCalls(t, up, 0)
	})
}
