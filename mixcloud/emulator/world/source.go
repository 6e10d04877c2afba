package world

import (
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"
)

// A source is a random stream that is derived from a seed. Every part of the data,
// and every user and cloudcast, has its own stream, so that a change in one does not
// affect the others.
//
// It uses integers only: some processors fuse floating-point operations and others do
// not, and the data must not depend on that.
type source struct{ pcg rand.PCG }

// newSource returns the stream of the nth element of a part. The part's name is an
// input of the hash, so renaming a part changes the data.
func newSource(seed int64, part string, n int) *source {
	h := fnv.New64a()
	_, _ = h.Write([]byte(part))
	s := &source{}
	s.pcg.Seed(uint64(seed), h.Sum64()^uint64(n)*0x9e3779b97f4a7c15)
	s.pcg.Uint64() // consecutive seeds differ in few bits; mix them
	return s
}

// n returns a number from 0 to limit-1.
func (s *source) n(limit int) int {
	hi, _ := bits.Mul64(s.pcg.Uint64(), uint64(limit))
	return int(hi)
}

// between returns a number from lo to hi, inclusive.
func (s *source) between(lo, hi int) int { return lo + s.n(hi-lo+1) }

// chance returns true with a probability of percent/100.
func (s *source) chance(percent int) bool { return s.n(100) < percent }

// skew returns a number from lo to hi with an approximately log-uniform
// distribution: many small numbers and a long tail.
func (s *source) skew(lo, hi int) int {
	if hi <= lo {
		return lo
	}
	step := s.n(bits.Len(uint(hi - lo)))
	return min(hi, lo+(1<<step)-1+s.n(1<<step))
}

// pick returns a random element of a list, which must not be empty.
func pick[T any](s *source, list []T) T { return list[s.n(len(list))] }

// shuffle shuffles a list.
func shuffle[T any](s *source, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := s.n(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

// weights are cumulative weights, to pick indexes in proportion to them.
type weights []int

// add appends the next index with its weight.
func (ws *weights) add(weight int) {
	last := 0
	if len(*ws) > 0 {
		last = (*ws)[len(*ws)-1]
	}
	*ws = append(*ws, last+weight)
}

// pick returns a random index, never one of weight 0.
func (ws weights) pick(s *source) int {
	return sort.SearchInts(ws, 1+s.n(ws[len(ws)-1]))
}

// newestFirst sorts by a time in Unix seconds, newest first. The sort is stable.
// It sorts integers, which is several times as fast as slices.SortStableFunc.
func newestFirst[T any](list []T, at func(*T) int64) {
	order := make([]uint64, len(list))
	for i := range list {
		order[i] = uint64(1<<32-1-at(&list[i]))<<32 | uint64(i)
	}
	if slices.IsSorted(order) {
		return
	}
	slices.Sort(order)
	sorted := make([]T, len(list))
	for i, o := range order {
		sorted[i] = list[uint32(o)]
	}
	copy(list, sorted)
}
