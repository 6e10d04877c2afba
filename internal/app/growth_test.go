package app

import (
	"fmt"
	"strings"
	"testing"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
)

// itemsQuery selects a list of n items with their pictures and owners.
func itemsQuery(n int) string {
	return fmt.Sprintf(`{ popular(first: %d) { nodes { key name playCount createdAt picture(size: LARGE) { url } tags { name } user { username url } } } }`, n)
}

// BenchmarkServeHTTP_Items measures a cached list of 1 to 100 items. The time per item must not grow.
func BenchmarkServeHTTP_Items(b *testing.B) {
	for _, n := range []int{1, 10, 50, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			send := newRequestFunc(b, itemsQuery(n))
			send()
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
		})
	}
}

// TestServeHTTP_AllocationsPerItem checks that the hundredth item of a list costs no more than the second one.
func TestServeHTTP_AllocationsPerItem(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	allocations := func(n int) float64 {
		send := newRequestFunc(t, itemsQuery(n))
		send()
		least := testing.AllocsPerRun(20, send)
		for range 2 { // other goroutines allocate too
			least = min(least, testing.AllocsPerRun(20, send))
		}
		return least
	}
	one, ten, hundred := allocations(1), allocations(10), allocations(100)
	first, last := (ten-one)/9, (hundred-ten)/90
	t.Logf("1, 10 and 100 items: %.0f, %.0f and %.0f allocations", one, ten, hundred)
	if last > first*1.15+1 {
		t.Errorf("items 11 to 100 cost %.1f allocations each, want at most the %.1f of items 2 to 10", last, first)
	}
}

// TestProjection_ManyConnections checks that an operation with more connections than a projection may read is left to the
// executor, which stops at the limits of the response.
func TestProjection_ManyConnections(t *testing.T) {
	t.Parallel()
	query := func(aliases int) string {
		var b strings.Builder
		for i := range aliases {
			fmt.Fprintf(&b, " a%d: cloudcasts(first: 1) { nodes { key } }", i)
		}
		return "{ popular(first: 100) { nodes { user {" + b.String() + " } } } }"
	}
	for name, test := range map[string]struct {
		aliases int
		left    bool
	}{
		"900":   {aliases: 9},
		"1,100": {aliases: 11, left: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			with, without := newProjectionServer(t, newEmulator(t).Transport()), newProjectionServer(t, newEmulator(t).Transport(), config.Projection)
			responseTo(t, with, query(1)) // fills the cache, so that no projection waits for calls
			_, before := with.graph.projection.Counts()
			compareResponses(t, with, without, query(test.aliases))
			if _, left := with.graph.projection.Counts(); left > before != test.left {
				t.Errorf("%d values were left to the executor, want some: %t", left-before, test.left)
			}
		})
	}
}
