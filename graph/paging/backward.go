package paging

import (
	"context"
	"errors"
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// errTooFar reports that the calls allowed for a backward page did not reach the
// items next to the cursor.
var errTooFar = gqlerr.Limit("Too many items of this list are newer than the cursor to read backward from it. " +
	"Read forward from the top instead.")

// backward returns the items before a cursor.
//
// In a list paged by date, since selects those items. If more items are newer than
// since than fit in a page, it is not documented which ones Mixcloud returns: those
// closest to since, or the newest. Both cases work: a page is used directly if it
// is known to be adjacent to the cursor. From any other page, the reader goes down
// to the cursor with until.
func (r *reader[T]) backward(ctx context.Context, from Cursor) (*Result[T], error) {
	var above []entry[T]
	var top bool // no other items are above
	var err error
	switch from.Kind {
	case ByOffset, ByOffsetPage:
		above, top, err = r.aboveOffset(ctx, from)
	case ByTime:
		above, top, err = r.aboveTime(ctx, from)
	default:
		above, top, err = r.abovePage(ctx, from)
	}
	if err != nil {
		return nil, err
	}
	cut := max(0, len(above)-r.args.size)
	result := &Result[T]{
		Edges:           r.edges(above[cut:]),
		HasNextPage:     true,
		HasPreviousPage: cut > 0 || !top,
		MinTotal:        len(above),
	}
	if r.unfiltered() {
		result.Total = r.total
	}
	return result, nil
}

// aboveTime reads the items above a time cursor, up to one more than requested. Top
// reports that there are no others.
func (r *reader[T]) aboveTime(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	if from.Key == noItem {
		return r.fillAbove(ctx, nil, false, from.Second, itemID{}, r.capLimit(r.args.size+2))
	}
	w, err := r.readDownTo(ctx, from.Second-1, from.itemID(), r.capLimit(r.args.size+2))
	if err != nil {
		return nil, false, err
	}
	if w.index < 0 { // deleted, or inside a second that does not fit in a page
		lo, hi := secondRange(w.entries, from.Second)
		if w.overflows || lo == 0 && !w.atTop {
			return r.aboveInSecond(ctx, from)
		}
		w.index, _ = insertionPoint(w.entries, lo, hi, from)
	}
	above = w.entries[:w.index]
	r.markPassed(w.entries)
	switch {
	case len(above) == 0 && w.startsSecond && w.second == from.Second:
		return r.fillAbove(ctx, nil, w.atTop, from.Second, itemID{}, r.limit)
	case len(above) == 0:
		return r.fillAbove(ctx, nil, w.atTop, from.Second, from.itemID(), r.limit)
	}
	return r.fillAbove(ctx, above, w.atTop, above[0].cursor.Second, above[0].cursor.itemID(), r.limit)
}

// aboveInSecond does the work of aboveTime for a second that does not fit in a
// page. It reads down from the top of the second to the cursor, then up from the
// cursor.
func (r *reader[T]) aboveInSecond(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	var p *page[T]
	for limit := r.capLimit(from.Index + 1); ; limit = r.limit {
		p, err = r.fetchBounded(ctx, noTime, from.Second+1, limit)
		if err != nil {
			return nil, false, err
		}
		lo, hi := secondRange(p.entries, from.Second)
		at := indexOfCursor(p.entries, from)
		if at < 0 && (hi < len(p.entries) || p.next == nil) {
			at, _ = insertionPoint(p.entries, lo, hi, from)
		}
		if at >= 0 {
			return r.fillAbove(ctx, p.entries[lo:at], false, from.Second, itemID{}, r.limit)
		}
		if limit >= r.limit {
			break
		}
	}
	if first := max(0, from.Index-min(r.args.size+2, r.limit-1)); from.Index > 0 && first > 0 { // read at the cursor's place
		q, err := r.fetchInSecond(ctx, p.requested, first, r.capLimit(from.Index-first+1), Cursor{Second: from.Second, Index: first - 1}, 0)
		if err != nil {
			return nil, false, err
		}
		if at := indexOfCursor(q.entries, from); at > 1 && !q.tooNew && digest(q.entries[at-1].cursor.Key) == from.PreviousDigest {
			return q.entries[1:at], false, nil // drop the first entry: its upper neighbor is unknown
		}
	}
	all, at, _, err := r.scan(ctx, p, from)
	if err != nil {
		return nil, false, err
	}
	if at > 0 && all[at-1].cursor.itemID() == from.itemID() {
		at--
	}
	return r.fillAbove(ctx, all[:at], false, from.Second, itemID{}, r.limit)
}

// abovePage reads the items above a page cursor, up to one more than requested:
// first those of its page, then those above that page. Top reports that there are
// no others.
func (r *reader[T]) abovePage(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	if from.Key == noItem {
		return r.fillAbove(ctx, nil, false, from.Second, itemID{}, r.capLimit(r.args.size+2))
	}
	entries, at, p, err := r.seek(ctx, from, r.capLimit(from.Index+1), func(until int64, limit int) (*page[T], error) {
		return r.fetchBounded(ctx, noTime, until, limit)
	})
	if err != nil {
		return nil, false, err
	}
	r.markPassed(entries)
	found := at < len(entries) && entries[at].cursor.Key == from.Key
	if !found && at == len(entries) && p.next != nil && from.Index >= len(entries) && from.Second != noTime && p.lowest() >= from.Second {
		return r.aboveInSecond(ctx, from)
	}
	switch {
	case from.Second == noTime:
		return entries[:at], true, nil // the page starts at the top
	case len(entries) == 0:
		return r.fillAbove(ctx, nil, false, from.Second, itemID{}, r.limit)
	}
	return r.fillAbove(ctx, entries[:at], false, entries[0].cursor.Second, entries[0].cursor.itemID(), r.capLimit(max(0, r.args.size-at)+2))
}

// fillAbove extends above, the items directly above a cursor, upward until it has one item more
// than the client requested. Pivot is the item directly below the missing ones and was listed at
// second; the zero itemID stands for all items of that second. Limit is the size of the first page.
// The other pages are rarely needed and have the maximum size. If the maximum number of calls is
// reached and above contains items, fillAbove returns these, and the client's next page continues
// from there.
func (r *reader[T]) fillAbove(ctx context.Context, above []entry[T], top bool, second int64, pivot itemID, limit int) ([]entry[T], bool, error) {
	r.markPassed(above)
	for len(above) <= r.args.size && !top && second != noTime {
		w, err := r.readDirectlyAbove(ctx, second, pivot, limit)
		switch {
		case (errors.Is(err, errTooFar) || errors.Is(err, errTies) || errors.Is(err, errNoNextLink)) && len(above) > 0:
			return above, false, nil
		case errors.Is(err, errTooFar) && r.sawEmptyPage && pivot == (itemID{}):
			return nil, false, r.exhaustedError("before", r.secondCursor(second))
		case err != nil:
			return nil, false, err
		}
		w.entries = r.dropPassed(w.entries)
		above, top = slices.Concat(w.entries, above), w.atTop
		switch {
		case len(w.entries) > 0:
			second, pivot = w.second, w.entries[0].cursor.itemID()
		case !top && w.second-1 <= second:
			return nil, false, errTies
		case !top: // all items in between are hidden
			second, pivot = w.second-1, itemID{}
		}
		limit = r.limit
	}
	if len(above) > 0 && above[0].cursor.Kind == ByTime {
		setTieIndexes(above)
	}
	return above, top || second == noTime, nil
}

// markPassed records items that are already in above, or are known to be below it.
func (r *reader[T]) markPassed(entries []entry[T]) {
	if r.passed == nil {
		r.passed = make(map[itemID]bool)
	}
	for _, e := range entries {
		r.passed[e.cursor.itemID()] = true
	}
}

// dropPassed returns the entries above the first passed one and marks them as passed. A page that
// comes from a cache can be older than the pivot: it then contains passed entries without the
// pivot. If keys do not identify items, dropPassed cannot recognize them and drops none.
func (r *reader[T]) dropPassed(entries []entry[T]) []entry[T] {
	if !r.list.Repeats || r.list.Time != nil {
		if at := slices.IndexFunc(entries, func(e entry[T]) bool { return r.passed[e.cursor.itemID()] }); at >= 0 {
			entries = entries[:at]
		}
	}
	r.markPassed(entries)
	return entries
}

// readDirectlyAbove reads the items directly above the pivot. If there are none, it
// returns an empty window. That window reports either that nothing is above the
// pivot, or up to which second all items are hidden.
func (r *reader[T]) readDirectlyAbove(ctx context.Context, second int64, pivot itemID, limit int) (window[T], error) {
	if pivot == (itemID{}) {
		return r.readDownTo(ctx, second, itemID{}, limit)
	}
	startsSecond := false // the pivot is the first item of its second
	for ; ; limit = r.limit {
		w, err := r.readDownTo(ctx, second-1, pivot, limit)
		if err != nil {
			return w, err
		}
		if w.index > 0 || w.index == 0 && w.atTop {
			r.markPassed(w.entries[w.index:])
			w.entries = w.entries[:w.index]
			return w, nil
		}
		if w.index < 0 && w.reachesLow {
			// The pivot is older than second, which is the time of hidden items
			// above it.
			return w, nil
		}
		startsSecond = startsSecond || w.index == 0 && w.startsSecond
		if limit >= r.limit || startsSecond && len(w.entries) >= r.limit {
			break
		} // items below the pivot, of the same second, filled the page
	}
	if startsSecond {
		return r.readDownTo(ctx, second, itemID{}, r.limit)
	}
	// Its second does not fit in a page, or all items above it are hidden.
	p, err := r.fetchBounded(ctx, second-1, second+1, r.limit)
	if err != nil {
		return window[T]{}, err
	}
	switch at := indexOf(p.entries, pivot); {
	case at > 0:
		return window[T]{entries: p.entries[:at], second: second}, nil
	case at < 0 && p.next != nil && p.lowest() >= second:
		return window[T]{}, errTies
	}
	return r.readDownTo(ctx, second, itemID{}, limit)
}

// A window is a contiguous part of a list.
type window[T any] struct {
	entries      []entry[T]
	index        int   // index of the requested item; -1 if it is not in the window
	second       int64 // when the first item was listed; noTime if unknown
	atTop        bool  // no other items are above
	detached     bool  // it was read below the newest items and is not connected to them
	startsSecond bool  // the first item is the first of its second
	reachesLow   bool  // it extends down to the requested lower bound
	overflows    bool  // the last second may have more items than fit in a page
}

// readDownTo reads items newer than low until the window contains the item id or is
// known to extend down to low.
func (r *reader[T]) readDownTo(ctx context.Context, low int64, id itemID, limit int) (window[T], error) {
	low = max(low, r.args.since)
	p, err := r.fetchBounded(ctx, low, noTime, limit)
	if err != nil {
		return window[T]{}, err
	}
	w := window[T]{entries: p.entries, second: p.top, atTop: p.complete}
	floor := p.floor()
	for {
		if w.index = indexOf(w.entries, id); w.index >= 0 || p.complete || floor == noTime || floor <= low {
			w.reachesLow = p.complete || floor != noTime
			switch {
			case w.reachesLow || w.index >= 0 || p.next == nil:
				return w, nil
			case limit < r.limit:
				return r.readDownTo(ctx, low, id, r.limit)
			}
			return window[T]{}, errNoNextLink // the list pages by offset: the items between the page and low are unknown
		}
		// The window is not known to be adjacent to low: read the page below it.
		p, err = r.fetchBounded(ctx, low, floor+1, r.limit)
		if err != nil {
			return window[T]{}, err
		}
		if r.extendDown(&w, p) || indexOf(w.entries, id) >= 0 {
			floor = p.floor()
			continue
		}
		if lowest := p.lowest(); lowest != noTime && lowest < floor {
			floor = lowest // the page ends with hidden items
			continue
		}
		if p.next == nil {
			w.index, w.reachesLow = -1, true
			return w, nil
		}
		// The page ends where the window ends. Either that is at low, or the second
		// has more items than fit in a page.
		if floor == low+1 && id != (itemID{}) {
			w.index, w.overflows, r.sawTies = -1, true, true
			return w, nil
		}
		if r.list.Time == nil && (id == (itemID{}) || p.rawSize < p.requested.Limit) {
			// Deeper pages would not show that Mixcloud applies low. But p may be
			// the last page, with a link that leads below low.
			step, err := r.fetchBounded(ctx, low, floor, r.limit)
			if err == nil && (len(step.entries) > 0 || step.next != nil || p.rawSize >= p.requested.Limit) {
				err = errTies
			}
			w.index, w.reachesLow = -1, true
			return w, err
		}
		for len(w.entries) > 0 && p.lowest() != noTime && p.lowest() >= floor {
			q, unread, err := r.nextInSecond(ctx, p, r.limit)
			if err != nil {
				return window[T]{}, err
			}
			for _, e := range unread {
				if indexOf(w.entries, e.cursor.itemID()) < 0 {
					w.entries = append(slices.Clip(w.entries), e)
				}
			}
			p = q
			if w.index = indexOf(w.entries, id); w.index >= 0 || q.next == nil && r.list.Time != nil {
				w.reachesLow = true
				return w, nil
			}
			if q.next == nil {
				return window[T]{}, errTies
			}
			if r.calls > maxFurtherCalls {
				return window[T]{}, errTooFar
			}
		}
		return window[T]{}, errTies
	}
}

// extendDown extends a window downward with p, which starts with the second in
// which the window ends. It reports whether p has new items. If it has, the first
// page held the newest items.
func (r *reader[T]) extendDown(w *window[T], p *page[T]) bool {
	if len(p.entries) == 0 {
		return false
	}
	startsSecond := p.top != noTime && p.requested.Until.Unix() == p.top+1
	if len(w.entries) == 0 {
		w.entries, w.second, w.startsSecond = p.entries, p.top, startsSecond
		return true
	}
	if indexOf(p.entries, w.entries[0].cursor.itemID()) >= 0 { // the whole window is of one second
		joined := merge(w.entries, p.entries)
		grew := len(joined) > len(w.entries)
		w.entries, w.second, w.startsSecond = joined, p.top, startsSecond
		return grew
	}
	unread := p.entries
	if p.requested.Until.Unix() > w.entries[len(w.entries)-1].cursor.Second || p.kind() == ByPage {
		last := w.entries[len(w.entries)-1].cursor.itemID()
		end := indexOf(p.entries, last)
		if end < 0 { // the items between them are unknown
			*w = window[T]{entries: p.entries, second: p.top, startsSecond: startsSecond, detached: true}
			return true
		}
		unread = p.entries[end+1:]
	}
	if len(unread) == 0 {
		return false
	}
	w.entries, w.atTop = slices.Concat(w.entries, unread), !w.detached
	return true
}

// merge combines two overlapping parts of a list that were read at different times,
// so each may lack items of the other. The common items are in the order of a;
// items of only one part are between them.
func merge[T any](a, b []entry[T]) []entry[T] {
	merged := make([]entry[T], 0, max(len(a), len(b)))
	next := 0 // index of the first entry of b that is not merged
	for _, e := range a {
		if at := indexOf(b[next:], e.cursor.itemID()); at >= 0 {
			merged = append(merged, b[next:next+at]...)
			next += at + 1
		} else if indexOf(merged, e.cursor.itemID()) >= 0 {
			continue // the two parts contradict each other
		}
		merged = append(merged, e)
	}
	return append(merged, b[next:]...)
}

// fetchBounded fetches a page for reading backward, with items newer than since and
// older than until. A bound of noTime is not sent.
func (r *reader[T]) fetchBounded(ctx context.Context, since, until int64, limit int) (*page[T], error) {
	if r.calls >= maxBackwardCalls && !r.sawEmptyPage && !r.sawTies || r.calls > maxFurtherCalls {
		return nil, errTooFar
	}
	return r.fetch(ctx, mixcloud.Range{Limit: limit, Since: timeOf(since), Until: timeOf(r.args.olderBound(until))})
}
