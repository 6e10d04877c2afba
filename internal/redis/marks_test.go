package redis

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/upstream"
)

// told is what a replica knows of an audience's writes, by target; their ages
// must be within most.
func (r *replica) told(t *testing.T, audience string, least, most time.Duration) []upstream.Written {
	t.Helper()
	all := r.Marks().Told(t.Context(), audience)
	for i := range all {
		if all[i].Age < least || all[i].Age > most {
			t.Errorf("%+v: the age must be from %v to %v", all[i], least, most)
		}
		all[i].Age = 0
	}
	slices.SortFunc(all, func(a, b upstream.Written) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Flag, b.Flag))
	})
	return all
}

func TestMarks(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	if got := two.told(t, alice, 0, 0); len(got) > 0 {
		t.Errorf("before anything was written: %v", got)
	}
	at := upstream.Address{Audience: alice, ID: "x"}
	one.put(t, at, []byte("before"))
	follow := upstream.Written{ID: "a", Flag: upstream.Following, Target: "/a b/", Want: true}
	favorite := upstream.Written{ID: "b", Flag: upstream.Favorited, Target: "/a b/", Age: 20 * time.Second}
	one.Marks().Tell(t.Context(), alice, follow)
	two.Marks().Tell(t.Context(), alice, favorite)
	favorite.Age = 0
	unfollow := upstream.Written{ID: "c", Flag: upstream.Following, Target: "/a b/", Churned: true}
	for _, want := range [][]upstream.Written{{follow, favorite}, {unfollow, favorite}} {
		for _, r := range []*replica{one, two} {
			eventually(t, func() bool {
				return diff.Equal(want, r.told(t, alice, 0, 40*time.Second), cmpopts.EquateEmpty())
			})
			if got := r.told(t, bob, 0, 0); len(got) > 0 {
				t.Errorf("somebody else is told %v", got)
			}
		}
		two.Marks().Tell(t.Context(), alice, unfollow)
	}
	if got := two.get(t, at); got != "miss" {
		t.Errorf("what was kept before the write is %s", got)
	}
	eventually(t, func() bool {
		one.mu.Lock()
		defer one.mu.Unlock()
		return slices.Contains(one.forgotten, alice)
	})
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(one.cache.keys.marks(alice)).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > marksLife || d < marksLife-time.Minute {
		t.Errorf("they are kept for %v, %v", d, err)
	}
	one.Marks().Tell(t.Context(), "", follow)
	if got := one.told(t, "", 0, 0); len(got) > 0 {
		t.Errorf("nobody has written %v", got)
	}

	// What is no mark, and a key of another type, tells nothing.
	must(t, raw.Do(t.Context(), raw.B().Hset().Key(one.cache.keys.marks(bob)).FieldValue().FieldValue("x", "nonsense").FieldValue("y", "1 2 3").FieldValue("z", "a b c d e").Build()))
	eventually(t, func() bool {
		return len(one.told(t, bob, 0, time.Minute)) == 0 && len(two.told(t, bob, 0, time.Minute)) == 0
	})
	one.Marks().Tell(t.Context(), bob, follow)
	eventually(t, func() bool { return diff.Equal([]upstream.Written{follow}, two.told(t, bob, 0, 20*time.Second)) })
	must(t, raw.Do(t.Context(), raw.B().Set().Key(one.cache.keys.marks(bob)).Value("x").Build()))
	eventually(t, func() bool { return len(two.told(t, bob, 0, time.Minute)) == 0 })
}

// What is told while Redis is away is told when it is back, before anything is
// read there, with its true age.
func TestMarks_away(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, p.url()), ready(t, s.URL())
	p.deny.Store(true)
	p.cut()
	var want []upstream.Written
	for i := range 3 {
		w := upstream.Written{ID: fmt.Sprint(i), Target: fmt.Sprint("/", i, "/"), Want: true}
		want = append(want, w)
		w.Age = time.Minute
		one.Marks().Tell(t.Context(), alice, w)
	}
	p.deny.Store(false)
	eventually(t, func() bool {
		return diff.Equal(want, two.told(t, alice, time.Minute, 2*time.Minute), cmpopts.EquateEmpty())
	})
}

// However much one viewer writes, a bounded number of it is kept.
func TestMarks_bounded(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	tell := func(n int, age time.Duration) {
		for i := range n {
			r.Marks().Tell(t.Context(), alice, upstream.Written{ID: "x", Target: fmt.Sprint(age, i), Age: age})
		}
	}
	tell(100, marksLife)
	tell(maxMarks, 0)
	eventually(t, func() bool { return len(r.Marks().Told(t.Context(), alice)) == maxMarks })
	tell(maxMarks+1, time.Second)
	eventually(t, func() bool { n := len(r.Marks().Told(t.Context(), alice)); return n > 0 && n <= maxMarks })
}

func TestReadMark(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{0,22} [0-9]{0,3} [0-9] [a-z]* .*`)).Draw(t, "text")
		if w, ok := readMark(text, time.Now()); ok && (w.ID == "" || w.Age < 0) {
			t.Fatalf("%q is %+v", text, w)
		}
	})
}

// Replicas' clocks may differ: an answer is as old as it is, whoever asks.
func TestClocksDiffer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	replicas := []*replica{}
	for _, off := range []time.Duration{0, -time.Hour, 3 * time.Hour} {
		replicas = append(replicas, ready(t, s.URL(), func(o *settings) { o.off = off }))
	}
	for i, writer := range replicas {
		at := upstream.Address{ID: fmt.Sprint("x", i)}
		writer.Cache().Put(t.Context(), at, upstream.Record{Body: []byte("x"), Age: time.Minute}, life)
		writer.Marks().Tell(t.Context(), fmt.Sprint(alice, i), upstream.Written{ID: "a", Target: "/a/", Age: 10 * time.Second})
		writer.drain(t)
		for j, reader := range replicas {
			record, ok := reader.Cache().Get(t.Context(), at)
			if !ok || record.Age < time.Minute-time.Second || record.Age > 2*time.Minute {
				t.Errorf("what %d has put is %v old for %d (%v), want a minute", i, record.Age, j, ok)
			}
			if got := reader.told(t, fmt.Sprint(alice, i), 9*time.Second, time.Minute); len(got) != 1 {
				t.Errorf("what %d has written is %v for %d", i, got, j)
			}
		}
	}
}
