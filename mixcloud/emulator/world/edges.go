package world

// An edge is one entry of two lists: from's list holds to, and to's list holds
// from, both since the same second. Users and cloudcasts stand here as their
// indexes.
type edge struct {
	from, to int32
	at       int64
}

// An edgeSet collects edges of one kind, each pair once.
type edgeSet struct {
	edges []edge
	tos   int
	seen  []uint64 // a bit for every pair
}

// newEdgeSet makes room for edges between indexes below froms and tos.
func newEdgeSet(froms, tos, room int) *edgeSet {
	return &edgeSet{make([]edge, 0, room), tos, make([]uint64, froms*tos/64+1)}
}

// add takes an edge unless its pair is there already.
func (e *edgeSet) add(from, to int, at int64) bool {
	pair := from*e.tos + to
	if e.seen[pair/64]>>(pair%64)&1 == 1 {
		return false
	}
	e.seen[pair/64] |= 1 << (pair % 64)
	e.edges = append(e.edges, edge{int32(from), int32(to), at})
	return true
}

// sort puts the edges newest first, which also puts every list made of them in
// that order; tied ones keep theirs.
func (e *edgeSet) sort() {
	newestFirst(e.edges, func(x *edge) int64 { return x.at })
}

// tie makes three edges on the page border share a second, in the list of
// everyone named. Moving one list's edges can move another's, so it is done
// until all lists hold.
func (e *edgeSet) tie(from, to []int) {
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
				tie(len(at), func(i, j int) {
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

// counts tells how many edges each index has, on either side.
func (e *edgeSet) counts(froms int) (from, to []int) {
	from, to = make([]int, froms), make([]int, e.tos)
	for _, x := range e.edges {
		from[x.from]++
		to[x.to]++
	}
	return from, to
}

// room gives each index an empty slice of its size out of one allocation.
func room[T any](counts []int) [][]T {
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
