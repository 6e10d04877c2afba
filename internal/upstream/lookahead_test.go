package upstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
)

// Two resources: the child is read if the parent exists.
const parentKey, childKey = "/parent/", "/child/"

func lookAhead(ctx context.Context, s *Session, children ...string) {
	var reads []Prefetch
	for _, key := range children {
		reads = append(reads, NewPrefetch(ResourceID{ClassUser, parentKey}, user(key)))
	}
	s.LookAhead(ctx, reads)
}

// A Fetch takes over the read that was started ahead, as if it had started it.
func TestLookAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, cacheBytes := range []int64{0, -1} {
			s, up := newTestStore(t, Options{CacheBytes: cacheBytes}, latest)
			recorder := trace.New()
			session := s.SessionOf(Caller{Trace: recorder})
			began := time.Now()
			lookAhead(t.Context(), session, childKey)
			want(t, fetchName(t.Context(), session, parentKey), "1")
			want(t, fetchName(t.Context(), session, childKey), "1")
			if took := time.Since(began); took != 10*time.Millisecond {
				t.Errorf("took %v, want 10ms, the time of one call", took)
			}
			wantCalls(t, up, 2)
			if got := session.Cost(); got != (opstats.Cost{Calls: 2}) {
				t.Errorf("cost = %+v, want 2 calls", got)
			}
			if left, ok := session.FreshFor(); !ok || left <= 0 && cacheBytes == 0 {
				t.Errorf("FreshFor() = %v, %v, want more than 0 without a cache, and true", left, ok)
			}
			outcomes := map[string]trace.Outcome{}
			for _, c := range recorder.End().Calls {
				outcomes[c.Path] = c.Outcome
			}
			if len(outcomes) != 2 || outcomes[parentKey] != trace.Called || outcomes[childKey] != trace.LookedAhead {
				t.Errorf("outcomes = %v, want %v for the parent and %v for the child", outcomes, trace.Called, trace.LookedAhead)
			}
			wantIdle(t, s, DefaultConcurrency)
		}
	})
}

// The Fetch gets the error of a read that failed ahead, without another call.
func TestLookAhead_Error(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{CacheBytes: -1}, func(c call) reply {
			if c.path == childKey {
				return missing
			}
			return latest(c)
		})
		session := s.Session("")
		lookAhead(t.Context(), session, childKey)
		want(t, fetchName(t.Context(), session, parentKey), "1")
		if _, err := Fetch(t.Context(), session, user(childKey)); !errors.Is(err, mixcloud.ErrNotFound) {
			t.Errorf("error = %v, want not found", err)
		}
		wantCalls(t, up, 2)
	})
}

// A read that no Fetch takes over affects only the cost of its session. When the operation ends,
// the read is not retried, and dropped if its call still waits.
func TestLookAhead_Unused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		child reply
		calls int // of the child
	}{
		"slow":    {reply{delay: time.Second}, 1},
		"fails":   {reply{delay: 15 * time.Millisecond, status: 502, body: "<html>"}, 1},
		"missing": {missing, 1},
		"limited": {limited("1"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, Options{}, func(c call) reply {
					if c.path == parentKey {
						return missing
					}
					return tt.child
				})
				ctx, end := context.WithCancel(t.Context())
				session := s.Session("")
				lookAhead(ctx, session, childKey)
				if _, err := Fetch(ctx, session, user(parentKey)); !errors.Is(err, mixcloud.ErrNotFound) {
					t.Errorf("error = %v, want not found", err)
				}
				parentLeft, _ := session.FreshFor()
				end()
				time.Sleep(10 * time.Second)
				wantCalls(t, up, 1+tt.calls)
				if left, _ := session.FreshFor(); left != parentLeft || len(session.StaleReads()) > 0 {
					t.Errorf("FreshFor() = %v, want %v; stale reads %v, want none", left, parentLeft, session.StaleReads())
				}
				if got := session.Cost(); got != (opstats.Cost{Calls: 1 + tt.calls}) {
					t.Errorf("cost = %+v, want %d calls", got, 1+tt.calls)
				}
				wantIdle(t, s, DefaultConcurrency)
			})
		})
	}
}

// The parent's call is made first. If the limit of the next call delays it, nothing is read ahead. A
// session that waits for the call of another one looks ahead too.
func TestLookAhead_Order(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Concurrency: 2}, latest)
		first, second := s.Session(""), s.Session("")
		go func() { _, _ = Fetch(t.Context(), first, user(parentKey)) }()
		synctest.Wait()
		lookAhead(t.Context(), second, childKey)
		synctest.Wait()
		if n := len(up.paths()); n != 1 {
			t.Errorf("%d calls before the parent is fetched, want 1", n)
		}
		want(t, fetchName(t.Context(), second, parentKey), "1")
		want(t, fetchName(t.Context(), second, childKey), "1")
		if got := up.times(); len(got) != 2 || got[0] != got[1] || up.paths()[0] != parentKey {
			t.Errorf("calls at %v to %q, want two at the same time, the parent first", got, up.paths())
		}
		if got := second.Cost(); got != (opstats.Cost{Calls: 1, Coalesced: 1}) {
			t.Errorf("cost = %+v, want one call and one coalesced", got)
		}
	})
}

// Nothing is read ahead if that saves no time, or the call is probably useless or has to wait.
func TestLookAhead_Off(t *testing.T) {
	t.Parallel()
	fetch := func(t *testing.T, s *Store, keys ...string) {
		for _, key := range keys {
			_, _ = Fetch(t.Context(), s.Session(""), user(key))
		}
	}
	for name, tt := range map[string]struct {
		options Options
		token   string
		before  func(t *testing.T, s *Store)
		calls   int // ahead, of 3 children
	}{
		"control":             {calls: 3},
		"the parent is fresh": {before: func(t *testing.T, s *Store) { fetch(t, s, parentKey) }},
		"the parent is stale": {before: func(t *testing.T, s *Store) {
			fetch(t, s, parentKey)
			time.Sleep(ClassUser.Lifetime().Fresh + time.Second)
		}},
		"the parent is old": {before: func(t *testing.T, s *Store) {
			fetch(t, s, parentKey)
			time.Sleep(ClassUser.Lifetime().Retain - time.Second)
		}, calls: 3},
		"the parent was missing": {before: func(t *testing.T, s *Store) { s.cache.Put(s.Session("").key(ClassUser, parentKey), negative(s)) }},
		"a child is fresh":       {before: func(t *testing.T, s *Store) { fetch(t, s, "/child0/") }, calls: 2},
		"a child has failed": {before: func(t *testing.T, s *Store) {
			s.breakers.reads.Failed(s.Session("").key(ClassUser, "/child1/"), mixcloud.ErrUnavailable, 0)
		}, calls: 2},
		"the breaker is open": {before: func(t *testing.T, s *Store) { tripUsers(t, s); time.Sleep(time.Hour) }},
		"an unverified token": {token: "t"},
		"a verified token":    {token: "t", before: func(_ *testing.T, s *Store) { s.MarkVerified("t") }, calls: 3},
		"a refused token": {token: "t", before: func(_ *testing.T, s *Store) {
			s.MarkVerified("t")
			s.refuseToken(s.viewer(principalOf(s.options.PrincipalOf("t"))), mixcloud.ErrUnauthenticated)
		}},
		"a slot for the parent":       {options: Options{Concurrency: 1}},
		"slots for two children":      {options: Options{Concurrency: 3}, calls: 2},
		"tokens for two children":     {options: Options{Rate: 1, Burst: 3}, calls: 2},
		"a rate limit":                {options: Options{Rate: 1, Burst: 1}},
		"the end of a pause":          {before: func(t *testing.T, s *Store) { fetch(t, s, "/limited/") }, calls: 3}, // the parent waits
		"budget for two children":     {options: Options{Budget: 3}, calls: 2},
		"a limit of the whole server": {options: Options{TotalRate: 2}, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tt.options.Retries = -1
				s, up := newTestStore(t, tt.options, func(c call) reply {
					switch {
					case strings.HasPrefix(c.path, "/down"):
						return broken
					case c.path == "/limited/":
						return limited("60")
					}
					return latest(c)
				})
				if tt.before != nil {
					tt.before(t, s)
				}
				synctest.Wait()
				up.made()
				session := s.Session(tt.token)
				lookAhead(t.Context(), session, "/child0/", "/child1/", "/child2/")
				_, _ = Fetch(t.Context(), session, user(parentKey))
				time.Sleep(time.Second)
				ahead := 0
				for _, path := range up.paths() {
					if strings.HasPrefix(path, "/child") {
						ahead++
					}
				}
				if ahead != tt.calls {
					t.Errorf("%d calls were made ahead, want %d", ahead, tt.calls)
				}
			})
		})
	}
}

// negative returns a cache entry that says that a resource does not exist, and is no longer fresh.
func negative(s *Store) *cache.Entry {
	life := ClassUser.Lifetime().Negative()
	return &cache.Entry{Err: mixcloud.ErrNotFound, Size: 1, Stored: s.clock.Now().Add(-life.Fresh), Life: life}
}

// tripUsers opens the breaker of users.
func tripUsers(t *testing.T, s *Store) {
	t.Helper()
	for i := range 5 {
		_, _ = Fetch(t.Context(), s.Session(""), user(fmt.Sprintf("/down%d/", i)))
	}
	if s.breakers.closed(s.Session("").key(ClassUser, "/x/")) {
		t.Error("the breaker of users is closed, want open")
	}
}

// Unused calls are at most 2 % of all calls, after the first fifty.
func TestLookAhead_UnusedBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{CacheBytes: -1}, func(c call) reply {
			if c.path == parentKey {
				return missing
			}
			return reply{}
		})
		operation := func(parent string) {
			ctx, end := context.WithCancel(t.Context())
			session := s.Session("")
			session.LookAhead(ctx, []Prefetch{NewPrefetch(ResourceID{ClassUser, parent}, user(childKey))})
			if _, err := Fetch(ctx, session, user(parent)); err == nil {
				_, _ = Fetch(ctx, session, user(childKey))
			}
			end()
			synctest.Wait()
		}
		for range 200 {
			operation(parentKey)
		}
		if unused := up.made() - 200; unused < unusedBurst || unused > unusedBurst+10 {
			t.Errorf("%d of 200 calls were unused, want about %d", unused, unusedBurst)
		}
		for range 1000 {
			operation(parentKey)
		}
		if unused := up.made() - 1000; unused < 10 || unused > 25 {
			t.Errorf("%d of 1,000 calls were unused, want about 20", unused)
		}
		for range 100 {
			_, _ = Fetch(t.Context(), s.Session(""), user("/other/"))
			up.made()
			operation("/another/")
			up.made()
		}
		if s.unused.isSpent() {
			t.Error("isSpent() = true after more calls, want false: the budget must recover")
		}
	})
}

// The key of the viewer is learned from /me/, and from the viewer's own name.
func TestSession_ViewerKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		class Class
		body  string
		want  string
	}{
		"me":            {ClassViewer, `{"key":"/Ann/"}`, "/ann/"},
		"by name":       {ClassUser, `{"key":"/Ann/","is_current_user":true}`, "/ann/"},
		"another user":  {ClassUser, `{"key":"/Ben/","is_current_user":false}`, ""},
		"a plain user":  {ClassUser, `{"key":"/Ben/"}`, ""},
		"without a key": {ClassViewer, `[]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := newTestStore(t, Options{Retries: -1}, func(call) reply { return reply{body: tt.body} })
			r := user("/x/")
			r.Class = tt.class
			_, _ = Fetch(t.Context(), s.Session("t"), r)
			key, ok := s.Session("t").ViewerKey()
			if key.String() != tt.want || ok != (tt.want != "") {
				t.Errorf("ViewerKey() = %q, %v, want %q", key, ok, tt.want)
			}
			if _, ok := s.Session("").ViewerKey(); ok {
				t.Error("ViewerKey() of an anonymous session = true, want false")
			}
		})
	}
}

// One session looks ahead and fetches concurrently with others that read the same resources.
func TestLookAhead_Race(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{CacheBytes: -1, Concurrency: 1000, Budget: 1000}, latest)
		done := make(chan bool)
		for i := range 20 {
			go func() {
				defer func() { done <- true }()
				ctx, end := context.WithCancel(t.Context())
				defer end()
				session := s.Session("")
				lookAhead(ctx, session, "/child0/", "/child1/")
				if i%3 == 0 {
					return // uses nothing
				}
				for range 3 {
					go func() {
						defer func() { done <- true }()
						if _, err := Fetch(ctx, session, user("/child0/")); err != nil && ctx.Err() == nil {
							t.Error(err)
						}
					}()
				}
				_, _ = Fetch(ctx, session, user(parentKey))
			}()
		}
		for range 20 + 13*3 {
			<-done
		}
		synctest.Wait()
		wantIdle(t, s, 1000)
	})
}
