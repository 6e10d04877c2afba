package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A caller that asks for new answers gets what is at most ten seconds old, and calls are made no more often than that.
func TestFetch_Revalidate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s, up := newRig(t, Options{}, func(call) reply {
			n++
			return reply{delay: 10 * time.Millisecond, body: fmt.Sprintf(`{"key":"/a/","name":"%d"}`, n)}
		})
		ask := func(revalidate bool) string {
			return name(t.Context(), s.SessionOf(Caller{Revalidate: revalidate}), "/a/")
		}
		want(t, ask(true), "1")
		want(t, ask(true), "1")
		time.Sleep(RevalidateAge - 20*time.Millisecond)
		want(t, ask(true), "1")
		wantCalls(t, up, 1)
		time.Sleep(20 * time.Millisecond)
		want(t, ask(false), "1")
		want(t, ask(true), "2")
		want(t, ask(false), "2") // and all others have it
		wantCalls(t, up, 1)

		time.Sleep(RevalidateAge)
		var all sync.WaitGroup
		for range 20 { // together they make one call
			all.Go(func() { want(t, ask(true), "3") })
		}
		all.Wait()
		wantCalls(t, up, 1)

		time.Sleep(lifetimes[ClassUser].Fresh) // stale for others
		session := s.SessionOf(Caller{Revalidate: true})
		want(t, name(t.Context(), session, "/a/"), "4")
		if len(session.Freshness()) > 0 || session.Cost() != (Cost{Calls: 1}) {
			t.Errorf("cost %+v, notes %v", session.Cost(), session.Freshness())
		}
	})
}

// When Mixcloud cannot give a new answer, the one that is kept stands in, as if it had been stale, and says so. Callers that did
// not ask for a new one do not notice.
func TestFetch_RevalidateFails(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		answer reply
		why    Reason
	}{
		"down":     {reply{err: errors.New("connection refused")}, Unavailable},
		"limiting": {limited("60"), RateLimited},
		"slow":     {reply{delay: time.Hour}, Unavailable},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newRig(t, Options{Retries: -1}, latest)
				want(t, name(t.Context(), s.Session(""), "/a/"), "1")
				up.answer = func(call) reply { return tt.answer }
				time.Sleep(30 * time.Second)
				for range 2 {
					session := s.SessionOf(Caller{Revalidate: true})
					want(t, name(t.Context(), session, "/a/"), "1")
					notes := session.Freshness()
					if len(notes) != 1 || notes[0].Reason != tt.why {
						t.Errorf("notes %+v, want one that says %s", notes, tt.why)
					}
				}
				wantCalls(t, up, 2) // one for each of the first two: the second caller did not try again at once
				session := s.Session("")
				want(t, name(t.Context(), session, "/a/"), "1")
				if len(session.Freshness()) > 0 || session.Cost() != (Cost{Hits: 1}) {
					t.Errorf("another caller: cost %+v, notes %v", session.Cost(), session.Freshness())
				}
			})
		})
	}
}

// oldSecond is a second level that has everything, 90 seconds old.
type oldSecond struct{ asked chan struct{} }

func (o oldSecond) Get(context.Context, Address) (Record, bool) {
	<-o.asked
	return Record{Body: []byte(`{"key":"/a/","name":"old"}`), Age: 90 * time.Second}, true
}
func (oldSecond) Put(context.Context, Address, Record, Lifetime) {}
func (oldSecond) Drop(context.Context, string)                   {}

// A read that is under way for another caller may end with something old: then the caller's own follows.
func TestFetch_RevalidateJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		second := oldSecond{make(chan struct{})}
		s, up := newRig(t, Options{Second: second}, func(call) reply { return reply{body: `{"key":"/a/","name":"new"}`} })
		var all sync.WaitGroup
		for _, revalidate := range []bool{false, true} {
			all.Go(func() {
				session := s.SessionOf(Caller{Revalidate: revalidate})
				want(t, name(t.Context(), session, "/a/"), map[bool]string{false: "old", true: "new"}[revalidate])
				if len(session.Freshness()) > 0 {
					t.Errorf("notes %v", session.Freshness())
				}
			})
			synctest.Wait()
		}
		close(second.asked)
		all.Wait()
		wantCalls(t, up, 1)
	})
}
