package paging

import (
	"context"
	"slices"
)

// resumeTime reads a page of at least n items after a time cursor, if the list has
// them and they fit in a page. The page starts with the cursor's whole second, so
// that its items after the cursor are not lost. Before and rest are the entries
// before and after the cursor; p is the last page read.
func (r *reader[T]) resumeTime(ctx context.Context, from Cursor, n int) (before, rest []entry[T], p *page[T], err error) {
	begin := r.args.startAfter(&from)
	for limit := r.capLimit(begin.limit); ; limit = r.limit {
		p, err = r.fetchOlder(ctx, begin.until, limit, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		lo, hi := secondRange(p.entries, from.Second)
		known := hi < len(p.entries) || p.next == nil || p.lowest() < from.Second // the page contains the whole second
		at := indexOf(p.entries, from.itemID()) + 1
		found := at > 0
		switch {
		case from.Key == noItem:
			at, known = lo, true
		case !found:
			at, _ = insertionPoint(p.entries, lo, hi, from)
		}
		before, rest = p.entries[:at], p.entries[at:]
		switch {
		case (known || found) && (len(rest) > 0 || p.next == nil || p.lowest() < from.Second):
			return before, rest, p, nil
		case limit < r.limit:
			continue // the second has more items than when the cursor was created: read a larger page
		case known || found:
			return before, rest, p, nil
		}
		return r.resumeInSecond(ctx, from, n)
	}
}

// resumePage finds the item of a page cursor, and reads at least n items after it.
func (r *reader[T]) resumePage(ctx context.Context, from Cursor, n int) (before, rest []entry[T], p *page[T], err error) {
	begin := r.args.startAfter(&from)
	if from.Key == noItem {
		p, err = r.fetchOlder(ctx, begin.until, r.capLimit(begin.limit), nil)
		if err != nil {
			return nil, nil, nil, err
		}
		return nil, p.entries, p, nil
	}
	found := func(p *page[T]) bool { return indexOfCursor(p.entries, from) >= 0 }
	// The last item of a page is searched for at its own time.
	if from.Next != noTime {
		p, err = r.fetchOlder(ctx, begin.until, r.capLimit(begin.limit), found)
		if err != nil {
			return nil, nil, nil, err
		}
		at, known := indexOfCursor(p.entries, from)+1, true
		if at == 0 {
			at, known = p.guessLast(from)
		}
		if known && (at < len(p.entries) || p.next == nil) {
			return p.entries[:at], p.entries[at:], p, nil
		}
	}
	// Any other item is searched for from the start of its page.
	entries, at, p, err := r.seek(ctx, from, r.capLimit(n+from.Index+1), func(until int64, limit int) (*page[T], error) {
		return r.fetchOlder(ctx, until, limit, found)
	})
	if err != nil {
		return nil, nil, nil, err
	}
	switch atItem := at < len(entries) && entries[at].cursor.Key == from.Key; {
	case atItem:
		at++
		if at < len(entries) || p.next == nil || from.Next == noTime {
			return entries[:at], entries[at:], p, nil
		}
	case at < len(entries) || p.next == nil:
		return entries[:at], entries[at:], p, nil
	case from.Index >= len(entries) && from.Second != noTime && p.lowest() >= from.Second:
		return r.resumeInSecond(ctx, from, n)
	}
	if from.Next == noTime {
		return entries[:at], entries[at:], p, nil
	}
	// The cursor's page is full, and the second in which it ends has more items
	// than were read.
	deep, err := r.fetchOlder(ctx, from.Next+1, r.limit, found)
	if err != nil {
		return nil, nil, nil, err
	}
	if at := indexOfCursor(deep.entries, from) + 1; at > 0 {
		return deep.entries[:at], deep.entries[at:], deep, nil
	}
	return entries[:at], entries[at:], p, nil
}

// guessLast returns the insertion point of a page cursor whose item is not on the
// page that starts with its second. Known is false if the item may be further down.
func (p *page[T]) guessLast(from Cursor) (at int, known bool) {
	if p.top != noTime && p.top < from.Next {
		return 0, true // no items of that second are left
	}
	if p.linkFloor() == from.Next {
		return 0, false
	}
	return insertionPoint(p.entries, 0, len(p.entries), from)
}

// seek finds the item of a page cursor, or else its insertion point, on the page
// that starts like the cursor's own page. Read fetches a page. Entries are the
// contiguous items that were read, and p is their last page.
func (r *reader[T]) seek(ctx context.Context, from Cursor, limit int, read func(until int64, limit int) (*page[T], error)) (entries []entry[T], at int, p *page[T], err error) {
	until := from.pageUntil()
	if p, err = read(until, limit); err != nil {
		return nil, 0, nil, err
	}
	entries, top := p.entries, p.top
	for further := false; ; {
		if at = indexOfCursor(entries, from); at >= 0 {
			return entries, at, p, nil
		}
		guess, sure := insertionPoint(entries, 0, len(entries), from)
		// The item may only have moved down and off the page: because of new items
		// above it in the second with which its page starts, or because its page
		// did not start with the whole second. That is impossible if the second is
		// empty now, or if its neighbor is on the page and the second ends there.
		floor := p.floor()
		emptied := top != noTime && top < from.Second
		adjacent := sure && floor != noTime && floor < from.Second
		// A page that lacks the neighbor too may be older than both.
		last := p.next == nil && (sure || from.Index == 0 || limit >= r.limit)
		if emptied || adjacent || last || further {
			return entries, guess, p, nil
		}
		if limit < r.limit {
			limit = r.limit
			if p, err = read(until, limit); err != nil {
				return nil, 0, nil, err
			}
			entries, top = p.entries, p.top
			continue
		}
		if further = true; floor == noTime || len(entries) == 0 {
			continue
		}
		below, err := read(floor+1, limit)
		if err != nil {
			return nil, 0, nil, err
		}
		if end := indexOf(below.entries, entries[len(entries)-1].cursor.itemID()); end >= 0 {
			entries, p = slices.Concat(entries, below.entries[end+1:]), below
		}
	}
}
