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
)

// A caller that requests revalidation gets a response that is at most ten seconds old, and
// causes at most one call in that time.
func TestFetch_Revalidate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		s, up := newTestStore(t, Options{}, func(call) reply {
			n++
			return reply{delay: 10 * time.Millisecond, body: fmt.Sprintf(`{"key":"/a/","name":"%d"}`, n)}
		})
		fetch := func(revalidate bool) string {
			return fetchName(t.Context(), s.SessionOf(Caller{Revalidate: revalidate}), "/a/")
		}
		want(t, fetch(true), "1")
		want(t, fetch(true), "1")
		time.Sleep(RevalidateAge - 20*time.Millisecond)
		want(t, fetch(true), "1")
		wantCalls(t, up, 1)
		time.Sleep(20 * time.Millisecond)
		want(t, fetch(false), "1")
		want(t, fetch(true), "2")
		want(t, fetch(false), "2") // and all others get it
		wantCalls(t, up, 1)

		time.Sleep(RevalidateAge)
		var all sync.WaitGroup
		for range 20 { // they share one call
			all.Go(func() { want(t, fetch(true), "3") })
		}
		all.Wait()
		wantCalls(t, up, 1)

		time.Sleep(lifetimes[ClassUser].Fresh) // stale for others
		session := s.SessionOf(Caller{Revalidate: true})
		want(t, fetchName(t.Context(), session, "/a/"), "4")
		if len(session.StaleReads()) > 0 || session.Cost() != (opstats.Cost{Calls: 1}) {
			t.Errorf("cost %+v, want 1 call; stale reads %v, want none", session.Cost(), session.StaleReads())
		}
	})
}

// If revalidation fails, the cached entry is served and reported as stale. Callers that did not
// request revalidation are unaffected.
func TestFetch_RevalidateFails(t *testing.T) {
	t.Parallel()
	for title, tt := range map[string]struct {
		reply reply
		why   opstats.Reason
	}{
		"down":     {reply{err: errors.New("connection refused")}, opstats.Unavailable},
		"refusing": {limited("60"), opstats.RateLimited},
		"slow":     {reply{delay: time.Hour}, opstats.Unavailable},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, Options{Retries: -1}, latest)
				want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
				up.respond = func(call) reply { return tt.reply }
				time.Sleep(30 * time.Second)
				for range 2 {
					session := s.SessionOf(Caller{Revalidate: true})
					want(t, fetchName(t.Context(), session, "/a/"), "1")
					staleReads := session.StaleReads()
					if len(staleReads) != 1 || staleReads[0].Reason != tt.why {
						t.Errorf("stale reads %+v, want one with reason %s", staleReads, tt.why)
					}
				}
				wantCalls(t, up, 2) // one for each of the first two: the second caller did not retry at once
				session := s.Session("")
				want(t, fetchName(t.Context(), session, "/a/"), "1")
				if len(session.StaleReads()) > 0 || session.Cost() != (opstats.Cost{Hits: 1}) {
					t.Errorf("another session: cost %+v, want 1 hit; stale reads %v, want none", session.Cost(), session.StaleReads())
				}
			})
		})
	}
}

// oldSharedCache is a shared cache that has every resource, 90 seconds old.
type oldSharedCache struct{ reads chan struct{} }

func (o oldSharedCache) Get(context.Context, Address) (Record, bool) {
	<-o.reads
	return Record{Body: []byte(`{"key":"/a/","name":"old"}`), Age: 90 * time.Second}, true
}
func (oldSharedCache) Put(context.Context, Address, Record, Lifetime) {}
func (oldSharedCache) Drop(context.Context, string)                   {}

// A load in flight for another caller may end with an old response: then the session loads
// again.
func TestFetch_RevalidateJoins(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := oldSharedCache{make(chan struct{})}
		s, up := newTestStore(t, Options{SharedCache: shared}, func(call) reply { return reply{body: `{"key":"/a/","name":"new"}`} })
		var all sync.WaitGroup
		for _, revalidate := range []bool{false, true} {
			all.Go(func() {
				session := s.SessionOf(Caller{Revalidate: revalidate})
				want(t, fetchName(t.Context(), session, "/a/"), map[bool]string{false: "old", true: "new"}[revalidate])
				if len(session.StaleReads()) > 0 {
					t.Errorf("stale reads %v, want none", session.StaleReads())
				}
			})
			synctest.Wait()
		}
		close(shared.reads)
		all.Wait()
		wantCalls(t, up, 1)
	})
}
