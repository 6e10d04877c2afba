package world

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSource_IsPinned compares the numbers of a stream with fixed ones. If they change,
// the data of every seed changes.
func TestSource_IsPinned(t *testing.T) {
	t.Parallel()
	s := newSource(1, "pinned", 0)
	var got []int
	for range 6 {
		got = append(got, s.n(1000))
	}
	if want := []int{939, 191, 315, 15, 754, 160}; !slices.Equal(got, want) {
		t.Errorf("numbers of the stream = %v, want %v", got, want)
	}
}

func TestSource_StreamsAreIndependent(t *testing.T) {
	t.Parallel()
	seen := map[uint64]bool{}
	for seed := range int64(20) {
		for _, part := range []string{"a", "b", "uploads demo"} {
			for n := range 50 {
				v := newSource(seed, part, n).pcg.Uint64()
				if seen[v] {
					t.Fatalf("two sources begin with the number %d, want different ones", v)
				}
				seen[v] = true
			}
		}
	}
}

func TestSource_StaysInRange(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := newSource(rapid.Int64().Draw(t, "seed"), rapid.String().Draw(t, "part"), rapid.Int().Draw(t, "n"))
		lo := rapid.IntRange(-1000, 1<<30).Draw(t, "lo")
		hi := lo + rapid.IntRange(0, 1<<30).Draw(t, "width")
		if v := s.between(lo, hi); v < lo || v > hi {
			t.Fatalf("between(%d, %d) = %d, want a number in this range", lo, hi, v)
		}
		if v := s.skew(lo, hi); v < lo || v > hi {
			t.Fatalf("skew(%d, %d) = %d, want a number in this range", lo, hi, v)
		}
	})
}

func TestWeights_PickInProportion(t *testing.T) {
	t.Parallel()
	s := newSource(1, "weights", 0)
	ws := weights{}
	for _, w := range []int{0, 1, 0, 3, 6, 0} {
		ws.add(w)
	}
	hits := make([]int, 6)
	for range 10000 {
		hits[ws.pick(s)]++
	}
	for i, want := range []int{0, 1000, 0, 3000, 6000, 0} {
		if hits[i] < want*85/100 || hits[i] > want*115/100 {
			t.Errorf("index %d was picked %d times, want about %d", i, hits[i], want)
		}
	}
}

func TestNewestFirst_IsStable(t *testing.T) {
	t.Parallel()
	type item struct{ at, place int }
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOf(rapid.IntRange(0, 9)).Draw(t, "times")
		list := make([]item, len(times))
		for i, at := range times {
			list[i] = item{at, i}
		}
		newestFirst(list, func(x *item) int64 { return int64(x.at) })
		for i := 1; i < len(list); i++ {
			a, b := list[i-1], list[i]
			if a.at < b.at || a.at == b.at && a.place > b.place {
				t.Fatalf("newestFirst put %v before %v, want newest first, and the order of equal times unchanged", a, b)
			}
		}
	})
}
