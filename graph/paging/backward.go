package paging

import (
	"context"
	"errors"
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// errFar says that the calls of a backward page did not suffice to come next to
// the cursor.
var errFar = gqlerr.Limit("Too many items of this list are newer than the cursor to read backward from it. " +
	"Read forward from the top instead.")

// backward gives the items before a cursor.
//
// By date, since is what reaches them; but it is not known which end of the
// list a page holds when more items are newer than since than fit in it: those
// nearest to since, or the newest. Both are read right: a page counts when it
// is seen to be next to the cursor, and from any other one the way goes down to
// the cursor by until.
func (r *reader[T]) backward(ctx context.Context, from Cursor) (*Result[T], error) {
	var above []entry[T]
	var top bool // nothing else is above
	var err error
	switch from.Kind {
	case ByOffset:
		start := max(0, from.Offset-r.req.size)
		top = start == 0
		if from.Offset > 0 {
			above, _, err = r.offsets(ctx, nil, start, from.Offset-start)
			above = above[:min(len(above), from.Offset-start)]
		}
	case ByTime:
		above, top, err = r.aboveTime(ctx, from)
	default:
		above, top, err = r.abovePage(ctx, from)
	}
	if err != nil {
		return nil, err
	}
	cut := max(0, len(above)-r.req.size)
	return &Result[T]{
		Edges:           r.edges(above[cut:]),
		HasNextPage:     true,
		HasPreviousPage: cut > 0 || !top,
	}, nil
}

// aboveTime reads the items above a time cursor, one more than asked for if
// there is one. Top says that there are no others.
func (r *reader[T]) aboveTime(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	b, err := r.adjacent(ctx, from.Second-1, from.ident(), r.atMost(r.req.size+2))
	if err != nil {
		return nil, false, err
	}
	if b.at < 0 { // gone, or in the midst of a second that does not fit a page
		lo, hi := run(b.entries, from.Second)
		if lo == 0 && !b.top {
			return r.aboveSecond(ctx, from)
		}
		var sure bool
		if b.at, sure = spot(b.entries, lo, hi, from); !sure && b.cut {
			b.at = hi // deeper in its second than a page
		}
	}
	above = b.entries[:b.at]
	if len(above) == 0 {
		return r.climb(ctx, nil, b.top, from.Second, from.ident(), r.limit)
	}
	return r.climb(ctx, above, b.top, above[0].at.Second, above[0].at.ident(), r.limit)
}

// aboveSecond is aboveTime for a second that does not fit a page: down from its
// top to the cursor, then up from it.
func (r *reader[T]) aboveSecond(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	for limit := r.atMost(from.Place + 1); ; limit = r.limit {
		s, err := r.near(ctx, noTime, from.Second+1, limit)
		if err != nil {
			return nil, false, err
		}
		lo, hi := run(s.entries, from.Second)
		at := find(s.entries, from.ident())
		if at < 0 {
			sure := false
			at, sure = spot(s.entries, lo, hi, from)
			if !sure && hi == len(s.entries) && s.next != nil { // its second goes on below
				if limit < r.limit {
					continue
				}
				at = hi
			}
		}
		return r.climb(ctx, s.entries[lo:at], false, from.Second, ident{}, r.limit)
	}
}

// abovePage reads the items above a page cursor, one more than asked for if
// there is one: those of its page, then those above that. Top says that there
// are no others.
func (r *reader[T]) abovePage(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	entries, at, _, err := r.seek(ctx, from, r.atMost(from.Place+1), func(until int64, limit int) (*sheet[T], error) {
		return r.near(ctx, noTime, until, limit)
	})
	switch {
	case err != nil:
		return nil, false, err
	case from.Second == noTime:
		return entries[:at], true, nil // the page began at the top
	case len(entries) == 0:
		return r.climb(ctx, nil, false, from.Second, ident{}, r.limit)
	}
	return r.climb(ctx, entries[:at], false, entries[0].at.Second, entries[0].at.ident(), r.atMost(max(0, r.req.size-at)+2))
}

// climb completes above, what is known to stand directly over a cursor, upwards
// to one item more than the client asked for. Pivot is what was listed at second
// and stands directly under the items that are missing; the zero ident for all
// of that second. Limit is the size of the first page; the others, rarely
// needed, are as large as can be. What maxBackwardCalls do not reach is left to
// the client's next page, if this one has anything.
func (r *reader[T]) climb(ctx context.Context, above []entry[T], top bool, second int64, pivot ident, limit int) ([]entry[T], bool, error) {
	for len(above) <= r.req.size && !top && second != noTime {
		b, err := r.over(ctx, second, pivot, limit)
		if errors.Is(err, errFar) && len(above) > 0 {
			return above, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		above, top = slices.Concat(b.entries, above), b.top
		if len(b.entries) > 0 {
			second, pivot = b.second, b.entries[0].at.ident()
		}
		limit = r.limit
	}
	if len(above) > 0 && above[0].at.Kind == ByTime {
		countTies(above)
	}
	return above, top || second == noTime, nil
}

// over reads items that stand directly over the pivot: none only if there are
// none, and then the block says top.
func (r *reader[T]) over(ctx context.Context, second int64, pivot ident, limit int) (block[T], error) {
	for pivot != (ident{}) {
		b, err := r.adjacent(ctx, second-1, pivot, limit)
		if err != nil {
			return b, err
		}
		if b.at > 0 || b.at == 0 && b.top {
			b.entries = b.entries[:b.at]
			return b, nil
		}
		if limit >= r.limit {
			r.log.WarnContext(ctx, "more items in one second than fit a page: some may be skipped",
				"list", r.list.Identity, "second", timeOf(second))
			break
		}
		limit = r.limit // items under the pivot, of its second, took the places
	}
	b, err := r.adjacent(ctx, second, ident{}, limit)
	b.top = b.top || len(b.entries) == 0
	return b, err
}

// A block is a piece of a list without holes.
type block[T any] struct {
	entries []entry[T]
	at      int   // the index of the item that was looked for; -1 if it is not here
	second  int64 // when the first item was listed; noTime where nothing says
	top     bool  // nothing else is above
	cut     bool  // the last second may have more items, out of reach
}

// adjacent reads items newer than low, until the block holds the item id or is
// known to reach down to low.
func (r *reader[T]) adjacent(ctx context.Context, low int64, id ident, limit int) (block[T], error) {
	low = max(low, r.req.since)
	s, err := r.near(ctx, low, noTime, limit)
	if err != nil {
		return block[T]{}, err
	}
	b := block[T]{entries: s.entries, second: s.top, top: s.complete}
	for {
		if b.at = find(b.entries, id); b.at >= 0 || s.complete || s.bottom == noTime {
			return b, nil
		}
		// Not next to low as far as is known: see what stands under the block.
		last := b.entries[len(b.entries)-1].at.ident()
		until := s.bottom + 1
		s, err = r.near(ctx, low, until, r.limit)
		if err != nil {
			return block[T]{}, err
		}
		first, end := find(s.entries, b.entries[0].at.ident()), find(s.entries, last)
		switch {
		case first >= 0: // all of the block is of one second
			b.entries, b.second = s.entries, s.top
		case end >= 0:
			b.extend(s.entries[end+1:])
		case len(s.entries) > 0:
			b = block[T]{entries: s.entries, second: s.top}
		}
		if s.complete || len(s.entries) == 0 || find(b.entries, id) >= 0 ||
			b.entries[len(b.entries)-1].at.ident() != last {
			continue
		}
		// The page ends where the block does. Either it ends at low, or the
		// second goes on for longer than a page: one step further tells.
		b.cut = s.raw >= s.asked.Limit
		s, err = r.near(ctx, low, until-1, r.limit)
		if err != nil {
			return block[T]{}, err
		}
		if len(s.entries) > 0 {
			r.log.WarnContext(ctx, "more items in one second than fit a page: some may be skipped",
				"list", r.list.Identity, "second", timeOf(until-1))
		}
		b.extend(s.entries)
	}
}

// extend lengthens the block downwards. That there was more below says that the
// first page held the newest items.
func (b *block[T]) extend(entries []entry[T]) {
	if len(entries) > 0 {
		b.entries, b.top = slices.Concat(b.entries, entries), true
	}
}

// near reads a page for the way back: newer than since and older than until,
// where these are not noTime.
func (r *reader[T]) near(ctx context.Context, since, until int64, limit int) (*sheet[T], error) {
	if r.calls >= maxBackwardCalls {
		return nil, errFar
	}
	return r.fetch(ctx, mixcloud.Range{Limit: limit, Since: timeOf(since), Until: timeOf(r.before(until))}, 0)
}
