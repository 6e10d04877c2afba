package upstream

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/mixcloud"
)

// memoryCache is a SharedCache in memory.
type memoryCache struct {
	mu      sync.Mutex
	records map[Address]storedRecord
	gets    int
}

// allVerified reports every token as verified.
type allVerified struct{}

func (allVerified) Verified(context.Context, string) bool     { return true }
func (allVerified) SetVerified(context.Context, string, bool) {}

type storedRecord struct {
	record Record
	at     time.Time
}

func (s *memoryCache) Get(_ context.Context, at Address) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	r, ok := s.records[at]
	r.record.Age += time.Since(r.at)
	return r.record, ok
}

func (s *memoryCache) Put(_ context.Context, at Address, r Record, life Lifetime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := map[bool]time.Duration{true: life.NegativeTTL, false: life.Retain}[r.Body == nil]; left <= r.Age {
		return
	}
	if s.records == nil {
		s.records = map[Address]storedRecord{}
	}
	s.records[at] = storedRecord{r, time.Now()}
}

func (s *memoryCache) Drop(_ context.Context, principal string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := range s.records {
		if at.Principal == principal {
			delete(s.records, at)
		}
	}
}

// A second process serves what the first one has cached without a call, separately for each
// principal.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(memoryCache)
		o := Options{SharedCache: shared, VerifiedTokens: allVerified{}, PrincipalOf: func(token string) string { return "of " + token }}
		one, up1 := newTestStore(t, o, latest)
		two, up2 := newTestStore(t, o, func(c call) reply {
			if c.path == "/gone/" {
				return missing
			}
			return reply{delay: 10 * time.Millisecond, body: `{"key":"/a/","name":"two"}`}
		})
		want(t, fetchName(t.Context(), one.Session(""), "/a/"), "1")
		want(t, fetchName(t.Context(), one.Session("t"), "/a/"), "t2")
		up1.made()

		began := time.Now()
		session := two.Session("")
		want(t, fetchName(t.Context(), session, "/a/"), "1")
		want(t, fetchName(t.Context(), two.Session("t"), "/a/"), "t2")
		want(t, fetchName(t.Context(), two.Session("u"), "/a/"), "two")
		wantCalls(t, up2, 1)
		if took := time.Since(began); session.Cost() != (opstats.Cost{Hits: 1}) || took != 10*time.Millisecond {
			t.Errorf("cost %+v, want 1 hit; took %v, want 10ms", session.Cost(), took)
		}
		gets := shared.gets
		want(t, fetchName(t.Context(), two.Session(""), "/a/"), "1")
		if shared.gets != gets {
			t.Error("a locally cached response was read from the shared cache again")
		}

		// A "not found" is shared too.
		for _, s := range []*Store{two, one} {
			if _, err := Fetch(t.Context(), s.Session(""), user("/gone/")); gqlerr.CodeOf(err) != gqlerr.CodeNotFound {
				t.Errorf("Fetch = %v, want NOT_FOUND", err)
			}
		}
		wantCalls(t, up1, 0)

		// A write drops the token's entries in all processes.
		if _, err := Write(t.Context(), one.Session("t"), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		two.Forget(one.Session("t").Principal())
		up2.made()
		want(t, fetchName(t.Context(), two.Session("t"), "/a/"), "two")
		wantCalls(t, up2, 1)
	})
}

// A stale entry of another process is served on a failure, and never counts as fresh.
func TestSharedCache_Old(t *testing.T) {
	t.Parallel()
	life := lifetimes[ClassUser]
	tests := map[string]struct {
		age    time.Duration
		down   bool
		name   string
		cost   opstats.Cost
		reason opstats.Reason
	}{
		"fresh":                 {life.Fresh - 1, false, "1", opstats.Cost{Hits: 1}, ""},
		"stale":                 {life.Fresh, false, "1", opstats.Cost{Stale: 1}, opstats.Revalidating},
		"old":                   {life.Fresh + life.Revalidate, false, "two", opstats.Cost{Calls: 1}, ""},
		"old and Mixcloud down": {life.Fresh + life.Revalidate, true, "1", opstats.Cost{Calls: 1, Stale: 1}, opstats.Unavailable},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := Options{SharedCache: new(memoryCache), PrincipalOf: func(token string) string { return "of " + token }}
				one, _ := newTestStore(t, o, latest)
				two, _ := newTestStore(t, o, func(call) reply {
					if tt.down {
						return reply{err: errors.New("refused")}
					}
					return reply{body: `{"key":"/a/","name":"two"}`}
				})
				want(t, fetchName(t.Context(), one.Session(""), "/a/"), "1")
				time.Sleep(tt.age)
				session := two.Session("")
				want(t, fetchName(t.Context(), session, "/a/"), tt.name)
				if session.Cost() != tt.cost {
					t.Errorf("cost %+v, want %+v", session.Cost(), tt.cost)
				}
				if staleReads := session.StaleReads(); tt.reason == "" != (len(staleReads) == 0) || len(staleReads) > 0 && (staleReads[0].Reason != tt.reason || staleReads[0].Age < tt.age) {
					t.Errorf("stale reads %v, want reason %q and an age of at least %v", staleReads, tt.reason, tt.age)
				}
				if tt.reason == opstats.Revalidating { // the refresh has finished
					synctest.Wait()
					again := two.Session("")
					want(t, fetchName(t.Context(), again, "/a/"), "two")
					if again.Cost() != (opstats.Cost{Hits: 1}) {
						t.Errorf("next read: cost %+v, want 1 hit", again.Cost())
					}
				}
			})
		})
	}
}

// A record that cannot be decoded is a miss.
func TestSharedCache_Damaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(memoryCache)
		shared.Put(t.Context(), Address{ID: "/a/"}, Record{Body: []byte(`{"key":`)}, lifetimes[ClassUser])
		s, _ := newTestStore(t, Options{SharedCache: shared}, latest)
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
	})
}

// memoryWrites are SharedWrites in memory.
type memoryWrites struct {
	delay     time.Duration
	mu        sync.Mutex
	published map[string]map[flagKey]SharedWrite // Age is the time of the write, since began
	began     time.Time
	reads     map[string]int
	drop      func(principal string)
	down      bool // Recent fails
}

func newMemoryWrites() *memoryWrites {
	return &memoryWrites{published: map[string]map[flagKey]SharedWrite{}, reads: map[string]int{}, began: time.Now()}
}

func (b *memoryWrites) Publish(_ context.Context, principal string, w SharedWrite) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.published[principal] == nil {
		b.published[principal] = map[flagKey]SharedWrite{}
	}
	w.Age = time.Since(b.began) - w.Age
	b.published[principal][flagKeyOf(w.Flag, w.Target)] = w
	if b.drop != nil {
		b.drop(principal)
	}
}

func (b *memoryWrites) Recent(_ context.Context, principal string) ([]SharedWrite, bool) {
	time.Sleep(b.delay)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reads[principal]++
	if b.down {
		return nil, false
	}
	var all []SharedWrite
	for _, w := range b.published[principal] {
		w.Age = time.Since(b.began) - w.Age
		all = append(all, w)
	}
	return all, true
}

// following returns the corrected flag and follower count of user /a/ for the holder of token t.
func following(t *testing.T, s *Store) (flag bool, count int) {
	t.Helper()
	session := s.Session("t")
	u, err := Fetch(t.Context(), session, user("/a/"))
	if err != nil {
		t.Fatal(err)
	}
	corrected := session.CorrectFullUser(*u)
	return *corrected.Following, *corrected.FollowerCount
}

// Other processes show a write too, until a read agrees or a minute has passed, without delay or
// additional calls.
func TestSharedWrites(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newMemoryWrites()
		shared.delay = 50 * time.Millisecond
		agrees := false
		respond := func(call) reply {
			if agrees {
				return reply{delay: 100 * time.Millisecond, body: `{"key":"/a/","following":true,"follower_count":8}`}
			}
			return reply{delay: 100 * time.Millisecond, body: `{"key":"/a/","following":false,"follower_count":7}`}
		}
		o := Options{SharedCache: new(memoryCache), SharedWrites: shared, VerifiedTokens: allVerified{}, PrincipalOf: func(token string) string { return "of " + token }}
		one, _ := newTestStore(t, o, respond)
		two, up2 := newTestStore(t, o, respond)
		shared.drop = func(principal string) { one.Forget(principal); two.Forget(principal) }
		sees := func(when string, s *Store, flag bool, count int) {
			t.Helper()
			if f, c := following(t, s); f != flag || c != count {
				t.Errorf("%s: following = %v, follower count %d; want %v, %d", when, f, c, flag, count)
			}
		}
		sees("before", two, false, 7)
		writer := one.Session("t")
		writer.RecordWrite(Following, mixcloud.ParseKey("/a/"), true)
		up2.made()
		began := time.Now()
		sees("in another process", two, true, 8)
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("the reads took %v, want 100ms", took)
		}
		wantCalls(t, up2, 1)
		if got := two.Session("t").Pending(Following); len(got) != 1 || got[0].String() != "/a/" {
			t.Errorf("Pending() = %q, want /a/", got)
		}
		third, _ := newTestStore(t, o, respond) // starts while reads lag
		sees("in a process that has just started", third, true, 8)
		time.Sleep(30 * time.Second)
		sees("later", two, true, 8)

		// A read that agrees ends the correction permanently, although the write is still shared.
		agrees = true
		sees("when a read agrees", two, true, 8)
		agrees = false
		sees("undone by another client", two, false, 7)
		time.Sleep(time.Second)
		sees("undone by another client, a second later", two, false, 7)
		sees("in a process without a read that agrees", third, true, 8)
		time.Sleep(time.Minute)
		sees("after a minute", third, false, 7)
		sees("after a minute, in the process of the write", one, false, 7)

		// The latest write wins, in any process.
		two.Session("t").RecordWrite(Following, mixcloud.ParseKey("/a/"), true)
		sees("the first sees what the second wrote", one, true, 8)
		one.Session("t").RecordWrite(Following, mixcloud.ParseKey("/a/"), false)
		sees("the second sees what the first wrote then", two, false, 7)
		agrees = true
		sees("a read from before that write", two, false, 7)

		if n := shared.reads[""]; n > 0 {
			t.Errorf("%d reads for the anonymous principal, want none", n)
		}
		if _, err := Fetch(t.Context(), two.Session(""), user("/a/")); err != nil || shared.reads[""] > 0 {
			t.Errorf("%d reads for the anonymous principal, want none; error %v", shared.reads[""], err)
		}
	})
}

// All processes know that a cloudcast was just uploaded through one of them.
func TestSharedWrites_uploaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := Options{SharedWrites: newMemoryWrites(), VerifiedTokens: allVerified{}, PrincipalOf: func(token string) string { return "of " + token }}
		one, _ := newTestStore(t, o, func(call) reply { return missing })
		two, _ := newTestStore(t, o, func(call) reply { return missing })
		one.Session("t").RecordUpload(mixcloud.ParseKey("/b/"))
		for _, test := range []struct {
			wait time.Duration
			want bool
		}{{0, true}, {10*time.Minute - time.Second, true}, {time.Second, false}} {
			time.Sleep(test.wait)
			session := two.Session("t")
			if _, err := Fetch(t.Context(), session, user("/b/")); gqlerr.CodeOf(err) != gqlerr.CodeNotFound {
				t.Errorf("Fetch = %v, want NOT_FOUND", err)
			}
			if got := session.JustUploaded(mixcloud.ParseKey("/b/")); got != test.want || two.Session("u").JustUploaded(mixcloud.ParseKey("/b/")) {
				t.Errorf("%v later: just uploaded is %v, want %v", test.wait, got, test.want)
			}
		}
	})
}
