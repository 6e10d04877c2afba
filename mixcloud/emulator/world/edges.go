package world

// An edge is an entry of two lists, added in the same second: from's list
// contains to, and to's list contains from. from and to are indexes of users and
// cloudcasts.
type edge struct {
	from, to int32
	at       int64
}

// An edgeSet is a set of edges of one kind, with at most one edge per pair.
type edgeSet struct {
	edges []edge
	tos   int
	seen  []uint64 // one bit per pair
}

// newEdgeSet returns an empty set for from < froms and to < tos.
func newEdgeSet(froms, tos, capacity int) *edgeSet {
	return &edgeSet{make([]edge, 0, capacity), tos, make([]uint64, froms*tos/64+1)}
}

// add adds an edge and returns true, unless the set has one for the pair.
func (e *edgeSet) add(from, to int, at int64) bool {
	pair := from*e.tos + to
	if e.seen[pair/64]>>(pair%64)&1 == 1 {
		return false
	}
	e.seen[pair/64] |= 1 << (pair % 64)
	e.edges = append(e.edges, edge{int32(from), int32(to), at})
	return true
}

// sort sorts the edges newest first. Lists that are built from them then have the same
// order. Edges with equal times keep their order.
func (e *edgeSet) sort() {
	newestFirst(e.edges, func(x *edge) int64 { return x.at })
}

// shareSecond sets the edges 18, 19 and 20 of the lists of the given owners to the
// same time. A change of one list can change others, so it repeats until no list
// changes.
func (e *edgeSet) shareSecond(from, to []int) {
	e.sort()
	for range 8 {
		moved := false
		for _, lists := range []struct {
			owners []int
			owner  func(edge) int32
		}{
			{from, func(x edge) int32 { return x.from }},
			{to, func(x edge) int32 { return x.to }},
		} {
			for _, owner := range lists.owners {
				var at []int
				for i, x := range e.edges {
					if lists.owner(x) == int32(owner) {
						at = append(at, i)
					}
				}
				shareSecond(len(at), func(i, j int) {
					if to := e.edges[at[j]].at; e.edges[at[i]].at != to {
						e.edges[at[i]].at, moved = to, true
					}
				})
				if moved {
					e.sort()
				}
			}
		}
		if !moved {
			return
		}
	}
}

// counts returns the number of edges of each index, on both sides.
func (e *edgeSet) counts(froms int) (from, to []int) {
	from, to = make([]int, froms), make([]int, e.tos)
	for _, x := range e.edges {
		from[x.from]++
		to[x.to]++
	}
	return from, to
}

// allocateLists returns an empty slice per count, with that capacity, from one
// allocation.
func allocateLists[T any](counts []int) [][]T {
	total := 0
	for _, n := range counts {
		total += n
	}
	all := make([]T, total)
	lists := make([][]T, len(counts))
	for i, n := range counts {
		if n > 0 {
			lists[i], all = all[:0:n], all[n:]
		}
	}
	return lists
}
