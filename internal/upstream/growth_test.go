package upstream

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/mixcloud"
)

// smallValue is the read of a small value, such as a user of a few members.
func smallValue(i int) Resource[*mixcloud.User] {
	name := "user" + strconv.Itoa(i)
	return Resource[*mixcloud.User]{
		Class: ClassUser, ID: "/" + name + "/",
		Encode: func(u *mixcloud.User) []byte { return u.Raw() },
		Decode: func(raw []byte) (*mixcloud.User, error) { return mixcloud.Decode[mixcloud.User](raw) },
		Get: func(context.Context, *mixcloud.Client) (*mixcloud.User, error) {
			return mixcloud.Decode[mixcloud.User](fmt.Appendf(nil, `{"key": "/%[1]s/", "url": "https://www.mixcloud.com/%[1]s/", "name": "%[1]s", "username": "%[1]s"}`, name))
		},
	}
}

// cacheSmallValues fetches n small values.
func cacheSmallValues(tb testing.TB, s *Store, n int) *Session {
	tb.Helper()
	session := s.Session("")
	for i := range n {
		if _, err := Fetch(tb.Context(), session, smallValue(i)); err != nil {
			tb.Fatal(err)
		}
	}
	return session
}

// BenchmarkFetch_Entries measures hits of random keys in caches of 1,000 to 1,000,000 entries.
// Only misses of the processor's caches should increase the time.
func BenchmarkFetch_Entries(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, _ := newTestStore(b, Options{CacheBytes: 4 << 30, Budget: 1 << 30}, latest)
			session := cacheSmallValues(b, s, n)
			reads := make([]Resource[*mixcloud.User], 4096)
			for i := range reads {
				reads[i] = smallValue(rand.N(n))
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := Fetch(b.Context(), session, reads[i%len(reads)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			if calls := session.calls.Load(); calls != int64(n) {
				b.Fatalf("%d calls were made, want %d: each read must be a hit", calls, n)
			}
		})
	}
}

// TestFetch_AllocationsOfHits checks that a hit costs the same with 100 and with 20,000 entries.
func TestFetch_AllocationsOfHits(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, n := range []int{100, 20_000} {
		s, _ := newTestStore(t, Options{Budget: 1 << 30}, latest)
		session, r := cacheSmallValues(t, s, n), smallValue(n/2)
		if got := testing.AllocsPerRun(100, func() { _, _ = Fetch(t.Context(), session, r) }); got > 0 {
			t.Errorf("a hit in a cache of %d entries takes %g allocations, want none", n, got)
		}
	}
}
