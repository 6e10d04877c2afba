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
	"mixcloud-graphql/mixcloud"
)

// The life of an answer: fresh, then given at once while it is fetched anew,
// then waited for, and in all that time one that may stand in.
func TestFetch_Life(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		life := lifetimes[ClassUser]
		s, up := newRig(t, Options{}, latest)
		ask := func() (string, *Session, time.Duration) {
			session, began := s.Session(""), time.Now()
			got := name(t.Context(), session, "/a/")
			return got, session, time.Since(began)
		}
		got, session, took := ask()
		want(t, got, "1")
		if took != 10*time.Millisecond || session.Cost() != (Cost{Calls: 1}) {
			t.Errorf("cold: took %v, cost %+v", took, session.Cost())
		}
		time.Sleep(life.Fresh - time.Nanosecond)
		got, session, took = ask()
		want(t, got, "1")
		if took != 0 || session.Cost() != (Cost{Hits: 1}) || len(session.Freshness()) > 0 {
			t.Errorf("fresh: took %v, cost %+v, notes %v", took, session.Cost(), session.Freshness())
		}
		if left, ok := session.FreshFor(); left != time.Nanosecond || !ok {
			t.Errorf("fresh: for another %v, %v", left, ok)
		}
		wantCalls(t, up, 1)

		time.Sleep(time.Nanosecond)
		for range 3 {
			got, session, took = ask()
			want(t, got, "1")
			if took != 0 || session.Cost() != (Cost{Stale: 1}) {
				t.Errorf("stale: took %v, cost %+v", took, session.Cost())
			}
		}
		session.Place("/a/", []any{"user", 0})
		session.Place("/a/", []any{"user", 0})
		session.Place("/b/", []any{"other"})
		notes := []Note{{ID: "/a/", Age: life.Fresh, Reason: Revalidating, Paths: [][]any{{"user", 0}}}}
		if diff := cmp.Diff(notes, session.Freshness()); diff != "" || !session.Stale("/a/") || session.Stale("/b/") {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		if left, ok := session.FreshFor(); left != 0 || !ok {
			t.Errorf("stale: fresh for another %v, %v", left, ok)
		}
		time.Sleep(time.Second)
		wantCalls(t, up, 1) // in the background
		got, _, _ = ask()
		want(t, got, "1") // the stub counts anew

		time.Sleep(life.Fresh + life.Revalidate)
		up.answer = func(call) reply { return reply{delay: 20 * time.Millisecond, body: `{"key":"/a/","name":"anew"}`} }
		got, session, took = ask()
		want(t, got, "anew")
		if took != 20*time.Millisecond || session.Cost() != (Cost{Calls: 1}) {
			t.Errorf("after that: took %v, cost %+v", took, session.Cost())
		}
	})
}

// What was seen within a day answers when Mixcloud does not, whatever the
// reason; what says something of the resource itself goes through.
func TestFetch_StandIn(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer reply
		stands Reason      // "" for an error
		code   gqlerr.Code // of the error that nothing stands in for
		took   time.Duration
		again  int // calls when somebody asks right after that
	}{
		"down":                    {reply{err: errors.New("connection refused")}, Unavailable, gqlerr.CodeUpstreamUnavailable, 0, 0},
		"failing":                 {broken, Unavailable, gqlerr.CodeUpstreamUnavailable, 10 * time.Millisecond, 0},
		"nonsense":                {reply{body: "{"}, Unavailable, gqlerr.CodeUpstreamBadResponse, 0, 0},
		"limiting":                {limited("60"), RateLimited, gqlerr.CodeRateLimited, 10 * time.Millisecond, 0},
		"limiting without a wait": {limited(""), RateLimited, gqlerr.CodeRateLimited, 10 * time.Millisecond, 0},
		"slow":                    {reply{delay: time.Hour}, Unavailable, gqlerr.CodeUpstreamTimeout, DefaultPatience, 0},
		"gone":                    {missing, "", gqlerr.CodeNotFound, 10 * time.Millisecond, 0},
		"forbidden":               {reply{status: 403, body: `{"error":{"type":"X","message":"no"}}`}, "", gqlerr.CodeForbidden, 0, 0},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newRig(t, Options{}, latest)
				want(t, name(t.Context(), s.Session(""), "/a/"), "1")
				up.answer = func(call) reply { return tt.answer }
				check := func(took time.Duration, stands Reason, age time.Duration) {
					t.Helper()
					session, began := s.Session(""), time.Now()
					_, err := Fetch(t.Context(), session, user("/a/"))
					if time.Since(began) != took {
						t.Errorf("took %v, want %v", time.Since(began), took)
					}
					var notes []Note
					if code := gqlerr.CodeOf(err); stands != "" {
						notes = []Note{{ID: "/a/", Age: age, Reason: stands}}
						if err != nil {
							t.Error(err)
						}
					} else if code != tt.code {
						t.Errorf("the error is %v, want %s", err, tt.code)
					}
					if diff := cmp.Diff(notes, session.Freshness(), cmpopts.EquateEmpty()); diff != "" {
						t.Errorf("notes (-want +got):\n%s", diff)
					}
				}
				time.Sleep(2 * time.Hour)
				check(tt.took, tt.stands, 2*time.Hour+tt.took)
				synctest.Wait()
				up.made()
				check(0, tt.stands, 2*time.Hour+tt.took) // nobody waits for the same again
				wantCalls(t, up, tt.again)
				time.Sleep(day) // and then it is too old to stand in for anything
				if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); gqlerr.CodeOf(err) != tt.code {
					t.Errorf("after a day: %v, want %s", err, tt.code)
				}
			})
		})
	}
}

// "Not found" is believed for a while, an error for a second.
func TestFetch_Missing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answer := missing
		s, up := newRig(t, Options{Retries: -1}, func(call) reply { return answer })
		for range 3 {
			if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); !errors.Is(err, mixcloud.ErrNotFound) {
				t.Fatal(err)
			}
		}
		wantCalls(t, up, 1)
		time.Sleep(lifetimes[ClassUser].Missing)
		answer = broken
		for range 3 {
			if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); !errors.Is(err, mixcloud.ErrUnavailable) {
				t.Fatal(err)
			}
		}
		wantCalls(t, up, 1)
		time.Sleep(time.Second)
		answer = reply{}
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
	})
}

// Five hundred who ask at the same time are one call; who leaves does not fail
// the others.
func TestFetch_OneFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, func(call) reply { return reply{delay: time.Second} })
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
			t.Errorf("%d were coalesced and %d left", coalesced, left)
		}
		wantCalls(t, up, 1)
	})
}

// A call that is in the air when all have left is finished, for the cache. One
// that still waits for its turn is not made.
func TestFetch_AllLeave(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Concurrency: 1}, func(call) reply { return reply{delay: time.Second} })
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
			want(t, name(t.Context(), session, key), "1")
			hits += session.Cost().Hits
		}
		if hits != 1 {
			t.Errorf("%d answers were kept", hits)
		}
	})
}

// A call has a deadline of its own: Mixcloud hanging does not hold a place for
// longer.
func TestFetch_OwnDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Timeout: 3 * time.Second}, func(call) reply { return reply{delay: time.Hour} })
		began := time.Now()
		if _, err := Fetch(t.Context(), s.Session(""), user("/a/")); !errors.Is(err, mixcloud.ErrTimeout) {
			t.Error(err)
		}
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestFetch_Budget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Budget: 3}, latest)
		session := s.Session("")
		for i := range 5 {
			want(t, name(t.Context(), session, fmt.Sprintf("/%d/", min(i, 2))), "1") // what is kept costs nothing
		}
		if _, err := Fetch(t.Context(), session, user("/x/")); gqlerr.CodeOf(err) != gqlerr.CodeLimitExceeded {
			t.Errorf("over the budget: %v", err)
		}
		wantCalls(t, up, 3)
	})
}

// A panic in a read is an error of those who asked, and nothing is lost by it.
func TestFetch_Panic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Concurrency: 1}, latest)
		r := user("/a/")
		r.Get = func(context.Context, *mixcloud.Client) (*mixcloud.FullUser, error) { panic("boom") }
		for range 3 {
			var p *PanicError
			if _, err := Fetch(t.Context(), s.Session(""), r); !errors.As(err, &p) || !strings.Contains(p.Error(), "goroutine") {
				t.Errorf("got %v", err)
			}
		}
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
	})
}

// Two types under one id are a mistake of this program, not a crash.
func TestFetch_OtherType(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		_, err := Fetch(t.Context(), s.Session(""), Resource[string]{Class: ClassUser, ID: "/a/"})
		if gqlerr.CodeOf(err) != gqlerr.CodeInternal {
			t.Errorf("got %v", err)
		}
	})
}

// An upstream that offers validators is asked with them, and a 304 makes what is
// kept fresh again.
func TestFetch_Conditional(t *testing.T) {
	t.Parallel()
	for header, asked := range map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				value := `"v1"`
				s, up := newRig(t, Options{}, func(c call) reply {
					if c.header.Get(asked) == value {
						return reply{status: 304}
					}
					return reply{header: map[string]string{header: value}}
				})
				want(t, name(t.Context(), s.Session(""), "/a/"), "1")
				for range 3 {
					time.Sleep(2 * time.Hour)
					session := s.Session("")
					want(t, name(t.Context(), session, "/a/"), "1")
					if session.Cost() != (Cost{Calls: 1}) {
						t.Errorf("cost %+v", session.Cost())
					}
					session = s.Session("")
					want(t, name(t.Context(), session, "/a/"), "1")
					if session.Cost() != (Cost{Hits: 1}) {
						t.Errorf("after a 304: cost %+v", session.Cost())
					}
				}
				value = `"v2"`
				time.Sleep(2 * time.Hour)
				want(t, name(t.Context(), s.Session(""), "/a/"), "5")
				wantCalls(t, up, 5)
			})
		})
	}
}

// With the cache off every operation asks, but two at the same time still ask
// once.
func TestFetch_NoCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{CacheBytes: -1}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		var wg sync.WaitGroup
		for range 2 {
			wg.Go(func() { want(t, name(t.Context(), s.Session(""), "/a/"), "2") })
		}
		wg.Wait()
		wantCalls(t, up, 2)
	})
}
