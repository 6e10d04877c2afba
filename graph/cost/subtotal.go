package cost

import "math"

// Unbounded is the estimate of an operation without a useful upper bound. It is the
// largest GraphQL Int, and the maximum of all estimates.
const Unbounded = math.MaxInt32

// saturatingAdd adds two numbers from 0 to Unbounded, up to Unbounded.
func saturatingAdd(a, b int64) int64 { return min(a+b, Unbounded) }

// saturatingMul multiplies two numbers from 0 to Unbounded, up to Unbounded. The
// product of two such numbers fits in an int64.
func saturatingMul(a, b int64) int64 { return min(a*b, Unbounded) }

// A subtotal is the maximum number of calls for a selection on objects of one type.
type subtotal struct {
	perObject int64 // for each object
	once      int64 // for all objects together, because it applies to one of them at most
	// viewer and ownWrites are calls that the whole operation makes at most once:
	// those for the viewer, and those for the targets of the viewer's recent writes.
	viewer, ownWrites bool
}

// add adds the subtotal of another selection on the same objects.
func (s *subtotal) add(o subtotal) {
	s.perObject, s.once = saturatingAdd(s.perObject, o.perObject), saturatingAdd(s.once, o.once)
	s.viewer, s.ownWrites = s.viewer || o.viewer, s.ownWrites || o.ownWrites
}

// multiply returns the subtotal for the parent of n of the objects.
func (s subtotal) multiply(n int64) subtotal {
	if n == 0 {
		return subtotal{}
	}
	s.perObject = saturatingMul(s.perObject, n)
	return s
}

// maximum returns the subtotal for objects that can each be of one type or of
// another, for which the subtotals are s and o.
func (s subtotal) maximum(o subtotal) subtotal {
	return subtotal{max(s.perObject, o.perObject), saturatingAdd(s.once, o.once), s.viewer || o.viewer, s.ownWrites || o.ownWrites}
}

// onlyOnce returns a subtotal that applies to one of the objects at most.
func (s subtotal) onlyOnce() subtotal {
	s.perObject, s.once = 0, saturatingAdd(s.perObject, s.once)
	return s
}
