package upstream

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// shelf is a second level in memory.
type shelf struct {
	mu   sync.Mutex
	kept map[Address]shelved
	gets int
}

// allProven are the proofs of processes that know all tokens.
type allProven struct{}

func (allProven) Proven(context.Context, string) bool { return true }
func (allProven) Prove(context.Context, string, bool) {}

type shelved struct {
	record Record
	at     time.Time
}

func (s *shelf) Get(_ context.Context, at Address) (Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	r, ok := s.kept[at]
	r.record.Age += time.Since(r.at)
	return r.record, ok
}

func (s *shelf) Put(_ context.Context, at Address, r Record, life Lifetime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if left := map[bool]time.Duration{true: life.Missing, false: life.Keep}[r.Body == nil]; left <= r.Age {
		return
	}
	if s.kept == nil {
		s.kept = map[Address]shelved{}
	}
	s.kept[at] = shelved{r, time.Now()}
}

func (s *shelf) Drop(_ context.Context, audience string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := range s.kept {
		if at.Audience == audience {
			delete(s.kept, at)
		}
	}
}

// A second process answers what the first one has seen without a call; each
// audience has its own there too.
func TestSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(shelf)
		o := Options{Second: shared, Proofs: allProven{}, AudienceOf: func(token string) string { return "of " + token }}
		one, up1 := newRig(t, o, latest)
		two, up2 := newRig(t, o, func(c call) reply {
			if c.path == "/gone/" {
				return missing
			}
			return reply{delay: 10 * time.Millisecond, body: `{"key":"/a/","name":"two"}`}
		})
		want(t, name(t.Context(), one.Session(""), "/a/"), "1")
		want(t, name(t.Context(), one.Session("t"), "/a/"), "t2")
		up1.made()

		began := time.Now()
		session := two.Session("")
		want(t, name(t.Context(), session, "/a/"), "1")
		want(t, name(t.Context(), two.Session("t"), "/a/"), "t2")
		want(t, name(t.Context(), two.Session("u"), "/a/"), "two")
		wantCalls(t, up2, 1)
		if took := time.Since(began); session.Cost() != (Cost{Hits: 1}) || took != 10*time.Millisecond {
			t.Errorf("cost %+v, took %v", session.Cost(), took)
		}
		gets := shared.gets
		want(t, name(t.Context(), two.Session(""), "/a/"), "1")
		if shared.gets != gets {
			t.Error("what is kept here is asked for there")
		}

		// "Not found" is shared too.
		for _, s := range []*Store{two, one} {
			if _, err := Fetch(t.Context(), s.Session(""), user("/gone/")); gqlerr.CodeOf(err) != gqlerr.CodeNotFound {
				t.Errorf("got %v", err)
			}
		}
		wantCalls(t, up1, 0)

		// A write drops the token's part for all.
		if _, err := Write(t.Context(), one.Session("t"), "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
			t.Fatal(err)
		}
		two.Forget(one.Session("t").Audience())
		up2.made()
		want(t, name(t.Context(), two.Session("t"), "/a/"), "two")
		wantCalls(t, up2, 1)
	})
}

// What another process has seen stands in here, and what is old there is not
// taken for fresh here.
func TestSecond_Old(t *testing.T) {
	t.Parallel()
	life := lifetimes[ClassUser]
	tests := map[string]struct {
		age    time.Duration
		down   bool
		name   string
		cost   Cost
		reason Reason
	}{
		"fresh":                 {life.Fresh - 1, false, "1", Cost{Hits: 1}, ""},
		"stale":                 {life.Fresh, false, "1", Cost{Stale: 1}, Revalidating},
		"old":                   {life.Fresh + life.Revalidate, false, "two", Cost{Calls: 1}, ""},
		"old and Mixcloud down": {life.Fresh + life.Revalidate, true, "1", Cost{Calls: 1, Stale: 1}, Unavailable},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := Options{Second: new(shelf), AudienceOf: func(token string) string { return "of " + token }}
				one, _ := newRig(t, o, latest)
				two, _ := newRig(t, o, func(call) reply {
					if tt.down {
						return reply{err: errors.New("refused")}
					}
					return reply{body: `{"key":"/a/","name":"two"}`}
				})
				want(t, name(t.Context(), one.Session(""), "/a/"), "1")
				time.Sleep(tt.age)
				session := two.Session("")
				want(t, name(t.Context(), session, "/a/"), tt.name)
				if session.Cost() != tt.cost {
					t.Errorf("cost %+v, want %+v", session.Cost(), tt.cost)
				}
				if notes := session.Freshness(); tt.reason == "" != (len(notes) == 0) || len(notes) > 0 && (notes[0].Reason != tt.reason || notes[0].Age < tt.age) {
					t.Errorf("notes %v", notes)
				}
			})
		})
	}
}

// What cannot be read is asked for.
func TestSecond_Damaged(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(shelf)
		shared.Put(t.Context(), Address{ID: "/a/"}, Record{Body: []byte(`{"key":`)}, lifetimes[ClassUser])
		s, _ := newRig(t, Options{Second: shared}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
	})
}

// board is what processes have written, in memory.
type board struct {
	delay time.Duration
	mu    sync.Mutex
	told  map[string]map[mark]Written // Age is when, since began
	began time.Time
	asked map[string]int
	drop  func(audience string)
}

func newBoard() *board {
	return &board{told: map[string]map[mark]Written{}, asked: map[string]int{}, began: time.Now()}
}

func (b *board) Tell(_ context.Context, audience string, w Written) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.told[audience] == nil {
		b.told[audience] = map[mark]Written{}
	}
	w.Age = time.Since(b.began) - w.Age
	b.told[audience][mark{w.Flag, w.Target}] = w
	if b.drop != nil {
		b.drop(audience)
	}
}

func (b *board) Told(_ context.Context, audience string) []Written {
	time.Sleep(b.delay)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.asked[audience]++
	var all []Written
	for _, w := range b.told[audience] {
		w.Age = time.Since(b.began) - w.Age
		all = append(all, w)
	}
	return all
}

// following reads whether the holder of t follows /a/, as the session corrects
// it, and how many do.
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

// What one process has written, another one shows too, until a read agrees or a
// minute has passed; what it learns so costs no time and no call.
func TestMarks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := newBoard()
		shared.delay = 50 * time.Millisecond
		agrees := false
		answers := func(call) reply {
			if agrees {
				return reply{delay: 100 * time.Millisecond, body: `{"key":"/a/","following":true,"follower_count":8}`}
			}
			return reply{delay: 100 * time.Millisecond, body: `{"key":"/a/","following":false,"follower_count":7}`}
		}
		o := Options{Second: new(shelf), Marks: shared, Proofs: allProven{}, AudienceOf: func(token string) string { return "of " + token }}
		one, _ := newRig(t, o, answers)
		two, up2 := newRig(t, o, answers)
		shared.drop = func(audience string) { one.Forget(audience); two.Forget(audience) }
		sees := func(when string, s *Store, flag bool, count int) {
			t.Helper()
			if f, c := following(t, s); f != flag || c != count {
				t.Errorf("%s: following is %v, of %d; want %v, %d", when, f, c, flag, count)
			}
		}
		sees("before", two, false, 7)
		writer := one.Session("t")
		writer.Wrote(Following, "/a/", true)
		up2.made()
		began := time.Now()
		sees("elsewhere", two, true, 8)
		if took := time.Since(began); took != 100*time.Millisecond {
			t.Errorf("it takes %v", took)
		}
		wantCalls(t, up2, 1)
		if got := two.Session("t").Pending(Following); len(got) != 1 || got[0] != "/a/" {
			t.Errorf("pending: %q", got)
		}
		third, _ := newRig(t, o, answers) // begins while reads lag
		sees("in one that has just begun", third, true, 8)
		time.Sleep(30 * time.Second)
		sees("later", two, true, 8)

		// A read that agrees ends it for good, though it is still told of.
		agrees = true
		sees("when a read agrees", two, true, 8)
		agrees = false
		sees("undone elsewhere", two, false, 7)
		time.Sleep(time.Second)
		sees("undone elsewhere, again", two, false, 7)
		sees("where no read has agreed", third, true, 8)
		time.Sleep(time.Minute)
		sees("after a minute", third, false, 7)
		sees("in one that begins then", one, false, 7)

		// The latest write counts, whichever process has made it.
		two.Session("t").Wrote(Following, "/a/", true)
		sees("the first sees what the second wrote", one, true, 8)
		one.Session("t").Wrote(Following, "/a/", false)
		sees("the second sees what the first wrote then", two, false, 7)
		agrees = true
		sees("a read of before that", two, false, 7)

		if n := shared.asked[""]; n > 0 {
			t.Errorf("asked %d times for nobody", n)
		}
		if _, err := Fetch(t.Context(), two.Session(""), user("/a/")); err != nil || shared.asked[""] > 0 {
			t.Errorf("asked %d times for nobody, %v", shared.asked[""], err)
		}
	})
}

// A cloudcast that was uploaded by one process is a new one for all.
func TestMarks_uploaded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := Options{Marks: newBoard(), Proofs: allProven{}, AudienceOf: func(token string) string { return "of " + token }}
		one, _ := newRig(t, o, func(call) reply { return missing })
		two, _ := newRig(t, o, func(call) reply { return missing })
		one.Session("t").Uploaded("/b/")
		for _, test := range []struct {
			wait time.Duration
			want bool
		}{{0, true}, {10*time.Minute - time.Second, true}, {time.Second, false}} {
			time.Sleep(test.wait)
			session := two.Session("t")
			if _, err := Fetch(t.Context(), session, user("/b/")); gqlerr.CodeOf(err) != gqlerr.CodeNotFound {
				t.Errorf("got %v", err)
			}
			if got := session.JustUploaded("/b/"); got != test.want || two.Session("u").JustUploaded("/b/") {
				t.Errorf("%v later: just uploaded is %v, want %v", test.wait, got, test.want)
			}
		}
	})
}
