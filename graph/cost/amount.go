package cost

import "math"

// Unbounded is the estimate for what has no useful bound. It is the largest Int
// that GraphQL has, and no estimate is above it.
const Unbounded = math.MaxInt32

// plus adds, up to Unbounded. Neither is negative.
func plus(a, b int64) int64 { return min(a+b, Unbounded) }

// times multiplies, up to Unbounded: neither is above that, so that the product
// fits.
func times(a, b int64) int64 { return min(a*b, Unbounded) }

// A sum is what a selection costs on objects of one kind.
type sum struct {
	each int64 // for each object
	once int64 // for all of them together: what at most one of them can have
	// viewer and own are paid once for the whole operation: to know who the
	// viewer is, and to look at what they have just written to.
	viewer, own bool
}

// add adds what costs on the same objects.
func (s *sum) add(o sum) {
	s.each, s.once = plus(s.each, o.each), plus(s.once, o.once)
	s.viewer, s.own = s.viewer || o.viewer, s.own || o.own
}

// of is the sum on the owner of n of the objects.
func (s sum) of(n int64) sum {
	if n == 0 {
		return sum{}
	}
	s.each = times(s.each, n)
	return s
}

// either is the sum on objects of which each costs one of both.
func (s sum) either(o sum) sum {
	return sum{max(s.each, o.each), plus(s.once, o.once), s.viewer || o.viewer, s.own || o.own}
}

// shared makes what is paid for each object be paid once.
func (s sum) shared() sum {
	s.each, s.once = 0, plus(s.each, s.once)
	return s
}
