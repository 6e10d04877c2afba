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

// backward returns the items before a cursor.
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
	case ByOffset, ByWindow:
		above, top, err = r.aboveOffset(ctx, from)
	case ByTime:
		above, top, err = r.aboveTime(ctx, from)
	default:
		above, top, err = r.abovePage(ctx, from)
	}
	if err != nil {
		return nil, err
	}
	cut := max(0, len(above)-r.req.size)
	result := &Result[T]{
		Edges:           r.edges(above[cut:]),
		HasNextPage:     true,
		HasPreviousPage: cut > 0 || !top,
		Seen:            len(above),
	}
	if r.unfiltered() {
		result.Total = r.total
	}
	return result, nil
}

// aboveTime reads the items above a time cursor, one more than asked for if
// there is one. Top says that there are no others.
func (r *reader[T]) aboveTime(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	if from.Key == noItem {
		return r.fill(ctx, nil, false, from.Second, ident{}, r.atMost(r.req.size+2))
	}
	w, err := r.readDownTo(ctx, from.Second-1, from.ident(), r.atMost(r.req.size+2))
	if err != nil {
		return nil, false, err
	}
	if w.at < 0 { // gone, or in the midst of a second that does not fit a page
		lo, hi := run(w.entries, from.Second)
		if w.full || lo == 0 && !w.top {
			return r.aboveInSecond(ctx, from)
		}
		w.at, _ = insertionPoint(w.entries, lo, hi, from)
	}
	above = w.entries[:w.at]
	r.pass(w.entries)
	switch {
	case len(above) == 0 && w.begins && w.second == from.Second:
		return r.fill(ctx, nil, w.top, from.Second, ident{}, r.limit)
	case len(above) == 0:
		return r.fill(ctx, nil, w.top, from.Second, from.ident(), r.limit)
	}
	return r.fill(ctx, above, w.top, above[0].at.Second, above[0].at.ident(), r.limit)
}

// aboveInSecond is aboveTime for a second that does not fit a page: down from
// its top to the cursor, then up from it.
func (r *reader[T]) aboveInSecond(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	var p *page[T]
	for limit := r.atMost(from.Place + 1); ; limit = r.limit {
		p, err = r.bounded(ctx, noTime, from.Second+1, limit)
		if err != nil {
			return nil, false, err
		}
		lo, hi := run(p.entries, from.Second)
		at := locate(p.entries, from)
		if at < 0 && (hi < len(p.entries) || p.next == nil) {
			at, _ = insertionPoint(p.entries, lo, hi, from)
		}
		if at >= 0 {
			return r.fill(ctx, p.entries[lo:at], false, from.Second, ident{}, r.limit)
		}
		if limit >= r.limit {
			break
		}
	}
	if first := max(0, from.Place-min(r.req.size+2, r.limit-1)); from.Place > 0 && first > 0 { // at its place
		q, err := r.within(ctx, p.asked, first, r.atMost(from.Place-first+1), Cursor{Second: from.Second, Place: first - 1}, 0)
		if err != nil {
			return nil, false, err
		}
		if at := locate(q.entries, from); at > 1 && !q.repeated && digest(q.entries[at-1].at.Key) == from.Above {
			return q.entries[1:at], false, nil // the first one's neighbour is not known
		}
	}
	all, at, _, err := r.scan(ctx, p, from)
	if err != nil {
		return nil, false, err
	}
	if at > 0 && all[at-1].at.ident() == from.ident() {
		at--
	}
	return r.fill(ctx, all[:at], false, from.Second, ident{}, r.limit)
}

// abovePage reads the items above a page cursor, one more than asked for if
// there is one: those of its page, then those above that. Top says that there
// are no others.
func (r *reader[T]) abovePage(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	if from.Key == noItem {
		return r.fill(ctx, nil, false, from.Second, ident{}, r.atMost(r.req.size+2))
	}
	entries, at, p, err := r.seek(ctx, from, r.atMost(from.Place+1), func(until int64, limit int) (*page[T], error) {
		return r.bounded(ctx, noTime, until, limit)
	})
	if err != nil {
		return nil, false, err
	}
	r.pass(entries)
	here := at < len(entries) && entries[at].at.Key == from.Key
	if !here && at == len(entries) && p.next != nil && from.Place >= len(entries) && from.Second != noTime && p.lowest() >= from.Second {
		return r.aboveInSecond(ctx, from)
	}
	switch {
	case from.Second == noTime:
		return entries[:at], true, nil // the page began at the top
	case len(entries) == 0:
		return r.fill(ctx, nil, false, from.Second, ident{}, r.limit)
	}
	return r.fill(ctx, entries[:at], false, entries[0].at.Second, entries[0].at.ident(), r.atMost(max(0, r.req.size-at)+2))
}

// fill completes above, what is known to stand directly over a cursor, upwards
// to one item more than the client asked for. Pivot is what was listed at second
// and stands directly under the items that are missing; the zero ident for all
// of that second. Limit is the size of the first page; the others, rarely
// needed, are as large as can be. What the calls do not reach is left to the
// client's next page, if this one has anything.
func (r *reader[T]) fill(ctx context.Context, above []entry[T], top bool, second int64, pivot ident, limit int) ([]entry[T], bool, error) {
	r.pass(above)
	for len(above) <= r.req.size && !top && second != noTime {
		w, err := r.directlyAbove(ctx, second, pivot, limit)
		switch {
		case (errors.Is(err, errFar) || errors.Is(err, errTies) || errors.Is(err, errLink)) && len(above) > 0:
			return above, false, nil
		case errors.Is(err, errFar) && r.hidden && pivot == (ident{}):
			return nil, false, r.exhausted("before", r.secondCursor(second))
		case err != nil:
			return nil, false, err
		}
		w.entries = r.unpassed(w.entries)
		above, top = slices.Concat(w.entries, above), w.top
		switch {
		case len(w.entries) > 0:
			second, pivot = w.second, w.entries[0].at.ident()
		case !top && w.second-1 <= second:
			return nil, false, errTies
		case !top: // all in between is hidden
			second, pivot = w.second-1, ident{}
		}
		limit = r.limit
	}
	if len(above) > 0 && above[0].at.Kind == ByTime {
		countTies(above)
	}
	return above, top || second == noTime, nil
}

// pass notes items that are above already, or known to stand under them.
func (r *reader[T]) pass(entries []entry[T]) {
	if r.passed == nil {
		r.passed = make(map[ident]bool)
	}
	for _, e := range entries {
		r.passed[e.at.ident()] = true
	}
}

// unpassed returns the entries above the first one that was passed, and passes
// them. One that was passed is there if the page is older than the pivot, which is
// not on it. Where a key is no identity nothing can be told.
func (r *reader[T]) unpassed(entries []entry[T]) []entry[T] {
	if !r.list.Repeats || r.list.Time != nil {
		if at := slices.IndexFunc(entries, func(e entry[T]) bool { return r.passed[e.at.ident()] }); at >= 0 {
			entries = entries[:at]
		}
	}
	r.pass(entries)
	return entries
}

// directlyAbove reads items that stand directly over the pivot. If there are
// none the window is empty, and says either that nothing is above it or up to
// which second all is hidden.
func (r *reader[T]) directlyAbove(ctx context.Context, second int64, pivot ident, limit int) (window[T], error) {
	if pivot == (ident{}) {
		return r.readDownTo(ctx, second, ident{}, limit)
	}
	begins := false // the pivot is the first of its second
	for ; ; limit = r.limit {
		w, err := r.readDownTo(ctx, second-1, pivot, limit)
		if err != nil {
			return w, err
		}
		if w.at > 0 || w.at == 0 && w.top {
			r.pass(w.entries[w.at:])
			w.entries = w.entries[:w.at]
			return w, nil
		}
		if w.at < 0 && w.reaches {
			// The pivot is older than second, which was that of hidden items above it.
			return w, nil
		}
		begins = begins || w.at == 0 && w.begins
		if limit >= r.limit || begins && len(w.entries) >= r.limit {
			break
		} // items under the pivot, of its second, took the places
	}
	if begins {
		return r.readDownTo(ctx, second, ident{}, r.limit)
	}
	// Its second does not fit a page, or all above it is hidden.
	p, err := r.bounded(ctx, second-1, second+1, r.limit)
	if err != nil {
		return window[T]{}, err
	}
	switch at := find(p.entries, pivot); {
	case at > 0:
		return window[T]{entries: p.entries[:at], second: second}, nil
	case at < 0 && p.next != nil && p.lowest() >= second:
		return window[T]{}, errTies
	}
	return r.readDownTo(ctx, second, ident{}, limit)
}

// A window is a piece of a list without holes.
type window[T any] struct {
	entries []entry[T]
	at      int   // the index of the item that was looked for; -1 if it is not here
	second  int64 // when the first item was listed; noTime where nothing says
	top     bool  // nothing else is above
	apart   bool  // it was read from below the newest items
	begins  bool  // the first item is the first of its second
	reaches bool  // it goes down to the bound that was asked for
	full    bool  // the last second may have more items than a page
}

// readDownTo reads items newer than low, until the window holds the item id or
// is known to reach down to low.
func (r *reader[T]) readDownTo(ctx context.Context, low int64, id ident, limit int) (window[T], error) {
	low = max(low, r.req.since)
	p, err := r.bounded(ctx, low, noTime, limit)
	if err != nil {
		return window[T]{}, err
	}
	w := window[T]{entries: p.entries, second: p.top, top: p.complete}
	floor := p.floor()
	for {
		if w.at = find(w.entries, id); w.at >= 0 || p.complete || floor == noTime || floor <= low {
			w.reaches = p.complete || floor != noTime
			switch {
			case w.reaches || w.at >= 0 || p.next == nil:
				return w, nil
			case limit < r.limit:
				return r.readDownTo(ctx, low, id, r.limit)
			}
			return window[T]{}, errLink // it goes by offset: nothing tells what is between the page and low
		}
		// Not next to low as far as is known: see what stands under the window.
		p, err = r.bounded(ctx, low, floor+1, r.limit)
		if err != nil {
			return window[T]{}, err
		}
		if r.under(&w, p) || find(w.entries, id) >= 0 {
			floor = p.floor()
			continue
		}
		if lowest := p.lowest(); lowest != noTime && lowest < floor {
			floor = lowest // hidden items end the page
			continue
		}
		if p.next == nil {
			w.at, w.reaches = -1, true
			return w, nil
		}
		// The page ends where the window does. Either it ends at low, or the
		// second goes on for longer than a page.
		if floor == low+1 && id != (ident{}) {
			w.at, w.full, r.tied = -1, true, true
			return w, nil
		}
		if r.list.Time == nil && (id == (ident{}) || p.raw < p.asked.Limit) {
			// Nothing in deeper pages would show that low is kept. But p may just
			// be the last page, whose link leads below low.
			step, err := r.bounded(ctx, low, floor, r.limit)
			if err == nil && (len(step.entries) > 0 || step.next != nil || p.raw >= p.asked.Limit) {
				err = errTies
			}
			w.at, w.reaches = -1, true
			return w, err
		}
		for len(w.entries) > 0 && p.lowest() != noTime && p.lowest() >= floor {
			q, fresh, err := r.deeper(ctx, p, r.limit)
			if err != nil {
				return window[T]{}, err
			}
			for _, e := range fresh {
				if find(w.entries, e.at.ident()) < 0 {
					w.entries = append(slices.Clip(w.entries), e)
				}
			}
			p = q
			if w.at = find(w.entries, id); w.at >= 0 || q.next == nil && r.list.Time != nil {
				w.reaches = true
				return w, nil
			}
			if q.next == nil {
				return window[T]{}, errTies
			}
			if r.calls > maxFurtherCalls {
				return window[T]{}, errFar
			}
		}
		return window[T]{}, errTies
	}
}

// under lengthens a window downwards by p, which begins with the second in which
// the window ends, and reports whether p has anything new. That there was more
// below says that the first page held the newest items.
func (r *reader[T]) under(w *window[T], p *page[T]) bool {
	if len(p.entries) == 0 {
		return false
	}
	begins := p.top != noTime && p.asked.Until.Unix() == p.top+1
	if len(w.entries) == 0 {
		w.entries, w.second, w.begins = p.entries, p.top, begins
		return true
	}
	if find(p.entries, w.entries[0].at.ident()) >= 0 { // all of the window is of one second
		joined := merge(w.entries, p.entries)
		fresh := len(joined) > len(w.entries)
		w.entries, w.second, w.begins = joined, p.top, begins
		return fresh
	}
	fresh := p.entries
	if p.asked.Until.Unix() > w.entries[len(w.entries)-1].at.Second || p.kind() == ByPage {
		last := w.entries[len(w.entries)-1].at.ident()
		end := find(p.entries, last)
		if end < 0 { // what is between them is not known
			*w = window[T]{entries: p.entries, second: p.top, begins: begins, apart: true}
			return true
		}
		fresh = p.entries[end+1:]
	}
	if len(fresh) == 0 {
		return false
	}
	w.entries, w.top = slices.Concat(w.entries, fresh), !w.apart
	return true
}

// merge combines two pieces of a list that have items in common and were read
// at different times, so that each may lack what the other has: those items in
// their order in a, and between them what only one of the pieces has.
func merge[T any](a, b []entry[T]) []entry[T] {
	merged := make([]entry[T], 0, max(len(a), len(b)))
	next := 0 // the first entry of b that is not merged
	for _, e := range a {
		if at := find(b[next:], e.at.ident()); at >= 0 {
			merged = append(merged, b[next:next+at]...)
			next += at + 1
		} else if find(merged, e.at.ident()) >= 0 {
			continue // the pieces contradict each other
		}
		merged = append(merged, e)
	}
	return append(merged, b[next:]...)
}

// bounded reads a page for the way back: newer than since and older than until,
// where these are not noTime.
func (r *reader[T]) bounded(ctx context.Context, since, until int64, limit int) (*page[T], error) {
	if r.calls >= maxBackwardCalls && !r.hidden && !r.tied || r.calls > maxFurtherCalls {
		return nil, errFar
	}
	return r.fetch(ctx, mixcloud.Range{Limit: limit, Since: timeOf(since), Until: timeOf(r.before(until))})
}
