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

// recentOf returns a principal's writes as a replica reads them, sorted by target. It checks that
// their ages are between least and most.
func (r *replica) recentOf(t *testing.T, principal string, least, most time.Duration) []upstream.SharedWrite {
	t.Helper()
	all, _ := r.RecentWrites().Recent(t.Context(), principal)
	for i := range all {
		if all[i].Age < least || all[i].Age > most {
			t.Errorf("age of write %+v = %v, want %v to %v", all[i], all[i].Age, least, most)
		}
		all[i].Age = 0
	}
	slices.SortFunc(all, func(a, b upstream.SharedWrite) int {
		return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Flag, b.Flag))
	})
	return all
}

func TestRecentWrites(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	if got := two.recentOf(t, alice, 0, 0); len(got) > 0 {
		t.Errorf("Recent before the first write = %v, want none", got)
	}
	at := upstream.Address{Principal: alice, ID: "x"}
	one.put(t, at, []byte("before"))
	follow := upstream.SharedWrite{ID: "a", Flag: upstream.Following, Target: "/a b/", Want: true}
	favorite := upstream.SharedWrite{ID: "b", Flag: upstream.Favorited, Target: "/a b/", Age: 20 * time.Second}
	one.RecentWrites().Publish(t.Context(), alice, follow)
	two.RecentWrites().Publish(t.Context(), alice, favorite)
	favorite.Age = 0
	unfollow := upstream.SharedWrite{ID: "c", Flag: upstream.Following, Target: "/a b/", Supersedes: true}
	for _, want := range [][]upstream.SharedWrite{{follow, favorite}, {unfollow, favorite}} {
		for _, r := range []*replica{one, two} {
			eventually(t, func() bool {
				return diff.Equal(want, r.recentOf(t, alice, 0, 40*time.Second), cmpopts.EquateEmpty())
			})
			if got := r.recentOf(t, bob, 0, 0); len(got) > 0 {
				t.Errorf("Recent of another principal = %v, want none", got)
			}
		}
		two.RecentWrites().Publish(t.Context(), alice, unfollow)
	}
	if got := two.get(t, at); got != "miss" {
		t.Errorf("get of a response from before the write = %s, want miss", got)
	}
	eventually(t, func() bool {
		one.mu.Lock()
		defer one.mu.Unlock()
		return slices.Contains(one.invalidated, alice)
	})
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(one.cache.keys.recentWrites(alice)).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > writesLife || d < writesLife-time.Minute {
		t.Errorf("TTL = %v (error %v), want about %v", d, err, writesLife)
	}
	one.RecentWrites().Publish(t.Context(), "", follow)
	if got := one.recentOf(t, "", 0, 0); len(got) > 0 {
		t.Errorf("Recent of the anonymous principal = %v, want none", got)
	}

	// Values that are not writes, and keys of another type, are ignored.
	must(t, raw.Do(t.Context(), raw.B().Hset().Key(one.cache.keys.recentWrites(bob)).FieldValue().FieldValue("x", "arbitrary").FieldValue("y", "1 2 3").FieldValue("z", "a b c d e").Build()))
	eventually(t, func() bool {
		return len(one.recentOf(t, bob, 0, time.Minute)) == 0 && len(two.recentOf(t, bob, 0, time.Minute)) == 0
	})
	one.RecentWrites().Publish(t.Context(), bob, follow)
	eventually(t, func() bool {
		return diff.Equal([]upstream.SharedWrite{follow}, two.recentOf(t, bob, 0, 20*time.Second))
	})
	must(t, raw.Do(t.Context(), raw.B().Set().Key(one.cache.keys.recentWrites(bob)).Value("x").Build()))
	eventually(t, func() bool { return len(two.recentOf(t, bob, 0, time.Minute)) == 0 })
}

// Writes made while Redis is unreachable are published with their true age when it is reachable
// again, before anything is read.
func TestRecentWrites_WhileUnreachable(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, p.url()), ready(t, s.URL())
	p.refuse.Store(true)
	p.closeConnections()
	var want []upstream.SharedWrite
	for i := range 3 {
		w := upstream.SharedWrite{ID: fmt.Sprint(i), Target: fmt.Sprint("/", i, "/"), Want: true}
		want = append(want, w)
		w.Age = time.Minute
		one.RecentWrites().Publish(t.Context(), alice, w)
	}
	p.refuse.Store(false)
	eventually(t, func() bool {
		return diff.Equal(want, two.recentOf(t, alice, time.Minute, 2*time.Minute), cmpopts.EquateEmpty())
	})
}

// Recent distinguishes no writes from writes that cannot be read.
func TestRecentWrites_Unreadable(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	eventually(t, func() bool { // the first read may time out on a busy machine
		all, ok := r.RecentWrites().Recent(t.Context(), alice)
		return ok && len(all) == 0
	})
	p.dropReplies.Store(true)
	if all, ok := r.RecentWrites().Recent(t.Context(), bob); ok {
		t.Errorf("Recent = %v without a reply of Redis, want not ok", all)
	}
	if all, ok := r.RecentWrites().Recent(t.Context(), ""); len(all) > 0 || !ok {
		t.Errorf("Recent of the anonymous principal = %v, %v, want none, true", all, ok)
	}
}

// The message of a write may arrive before the client knows that its copy of the writes is
// outdated. Then Recent must not use the outdated copy.
func TestRecentWrites_OutdatedCopy(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	r := ready(t, p.url())
	read := func() (roundTrips int64) {
		least := int64(1 << 30)
		for range 20 { // keepalives add round trips, so the minimum is compared
			before := p.sent.Load()
			r.recentOf(t, alice, 0, 0)
			least = min(least, p.sent.Load()-before)
		}
		return least
	}
	if n := read(); n != 0 {
		t.Errorf("read from the client-side copy made %d round trips, want 0", n)
	}
	before := p.sent.Load()
	r.cache.epochs.changed(alice) // a message without a change in Redis: the client still has its copy
	r.recentOf(t, alice, 0, 0)
	if p.sent.Load() == before {
		t.Error("Recent used a copy from before the message, want a read from Redis")
	}
	if n := read(); n != 0 {
		t.Errorf("second read from the client-side copy made %d round trips, want 0", n)
	}
}

// The number of writes that are stored for a viewer is bounded.
func TestRecentWrites_Bounded(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	publish := func(n int, age time.Duration) {
		for i := range n {
			r.RecentWrites().Publish(t.Context(), alice, upstream.SharedWrite{ID: "x", Target: fmt.Sprint(age, i), Age: age})
		}
	}
	publish(100, writesLife)
	publish(maxWrites, 0)
	stored := func() int {
		all, _ := r.RecentWrites().Recent(t.Context(), alice)
		return len(all)
	}
	eventually(t, func() bool { return stored() == maxWrites })
	publish(maxWrites+1, time.Second)
	eventually(t, func() bool { n := stored(); return n > 0 && n <= maxWrites })
}

func TestParseWrite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{0,22} [0-9]{0,3} [0-9] [a-z]* .*`)).Draw(t, "text")
		if w, ok := parseWrite(text, time.Now()); ok && (w.ID == "" || w.Age < 0) {
			t.Fatalf("parseWrite(%q) = %+v, want an id and an age of at least 0", text, w)
		}
	})
}

// The clocks of replicas may differ: the age of a response is the same on all of them.
func TestDifferentClocks(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	replicas := []*replica{}
	for _, offset := range []time.Duration{0, -time.Hour, 3 * time.Hour} {
		replicas = append(replicas, ready(t, s.URL(), func(o *settings) { o.clockOffset = offset }))
	}
	for i, writer := range replicas {
		at := upstream.Address{ID: fmt.Sprint("x", i)}
		writer.Cache().Put(t.Context(), at, upstream.Record{Body: []byte("x"), Age: time.Minute}, life)
		writer.RecentWrites().Publish(t.Context(), fmt.Sprint(alice, i), upstream.SharedWrite{ID: "a", Target: "/a/", Age: 10 * time.Second})
		writer.drain(t)
		for j, reader := range replicas {
			record, ok := reader.Cache().Get(t.Context(), at)
			if !ok || record.Age < time.Minute-time.Second || record.Age > 2*time.Minute {
				t.Errorf("age of a response of replica %d on replica %d = %v (found: %v), want a minute", i, j, record.Age, ok)
			}
			if got := reader.recentOf(t, fmt.Sprint(alice, i), 9*time.Second, time.Minute); len(got) != 1 {
				t.Errorf("replica %[3]d reads %[2]v as the write of replica %[1]d, want one write", i, got, j)
			}
		}
	}
}
