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

func (s *shelf) Put(_ context.Context, at Address, r Record, _ Lifetime) {
	s.mu.Lock()
	defer s.mu.Unlock()
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
		o := Options{Second: shared, AudienceOf: func(token string) string { return "of " + token }}
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
		if _, err := Write(t.Context(), one.Session("t"), func(context.Context, *mixcloud.Client) (int, error) { return 0, nil }); err != nil {
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
		shared.Put(t.Context(), Address{ID: "/a/"}, Record{Body: []byte(`{"key":`)}, Lifetime{})
		s, _ := newRig(t, Options{Second: shared}, latest)
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
	})
}
