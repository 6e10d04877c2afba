package world

import (
	"hash/fnv"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sort"
)

// A source is one random stream of a seed. Every part of the world, and every
// user and cloudcast in it, draws from a stream of its own, so a change in one
// does not shift the others.
//
// It deals in integers only: products and sums of floats may be fused on some
// processors and not on others, and the world must not depend on that.
type source struct{ pcg rand.PCG }

// newSource opens the stream that belongs to the nth thing of a part.
func newSource(seed int64, part string, n int) *source {
	h := fnv.New64a()
	_, _ = h.Write([]byte(part))
	s := &source{}
	s.pcg.Seed(uint64(seed), h.Sum64()^uint64(n)*0x9e3779b97f4a7c15)
	s.pcg.Uint64() // neighbouring seeds differ in few bits; let them drift apart
	return s
}

// n gives a number from 0 to limit-1.
func (s *source) n(limit int) int {
	hi, _ := bits.Mul64(s.pcg.Uint64(), uint64(limit))
	return int(hi)
}

// between gives a number from lo to hi, both included.
func (s *source) between(lo, hi int) int { return lo + s.n(hi-lo+1) }

// chance is true in percent of a hundred cases.
func (s *source) chance(percent int) bool { return s.n(100) < percent }

// skew gives a number from lo to about hi in which every doubling is as likely
// as the next: many small ones, and a long tail.
func (s *source) skew(lo, hi int) int {
	if hi <= lo {
		return lo
	}
	step := s.n(bits.Len(uint(hi - lo)))
	return min(hi, lo+(1<<step)-1+s.n(1<<step))
}

// pick gives one element of a list, which must not be empty.
func pick[T any](s *source, list []T) T { return list[s.n(len(list))] }

// shuffle puts a list into a random order.
func shuffle[T any](s *source, list []T) {
	for i := len(list) - 1; i > 0; i-- {
		j := s.n(i + 1)
		list[i], list[j] = list[j], list[i]
	}
}

// weights picks indexes in proportion to their weights.
type weights []int

// add appends the next index with its weight.
func (ws *weights) add(weight int) {
	last := 0
	if len(*ws) > 0 {
		last = (*ws)[len(*ws)-1]
	}
	*ws = append(*ws, last+weight)
}

// pick gives an index; one of weight 0 never comes.
func (ws weights) pick(s *source) int {
	return sort.SearchInts(ws, 1+s.n(ws[len(ws)-1]))
}

// newestFirst sorts by a time in Unix seconds, newest first; ties keep their
// order. It sorts integers, which is several times as fast as a stable sort
// with a comparison.
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
