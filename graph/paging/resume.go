package paging

import (
	"context"
	"slices"
)

// resumeTime reads a page of at least n items after a time cursor, if the list
// has them and the page can hold them. It begins with the whole of the cursor's
// second, so that those of it that come after the cursor are not lost. Before
// and rest are what stands before and after the cursor; p is the last page read.
func (r *reader[T]) resumeTime(ctx context.Context, from Cursor, n int) (before, rest []entry[T], p *page[T], err error) {
	for limit := r.atMost(n + from.Place + 1); ; limit = r.limit {
		p, err = r.down(ctx, from.Second+1, limit, nil)
		if err != nil {
			return nil, nil, nil, err
		}
		lo, hi := run(p.entries, from.Second)
		known := hi < len(p.entries) || p.next == nil || p.lowest() < from.Second // the whole second is in view
		at := find(p.entries, from.ident()) + 1
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
			continue // the second holds more than the cursor knew of: look deeper
		case known || found:
			return before, rest, p, nil
		}
		return r.resumeDeep(ctx, from, n)
	}
}

// resumePage looks for the item of a page cursor, and reads at least n items
// after it.
func (r *reader[T]) resumePage(ctx context.Context, from Cursor, n int) (before, rest []entry[T], p *page[T], err error) {
	if from.Key == noItem {
		p, err = r.down(ctx, from.Second+1, r.atMost(n), nil)
		if err != nil {
			return nil, nil, nil, err
		}
		return nil, p.entries, p, nil
	}
	found := func(p *page[T]) bool { return locate(p.entries, from) >= 0 }
	// The last item of a page can be looked for where it stands...
	if from.Next != noTime {
		p, err = r.down(ctx, from.Next+1, r.atMost(n+1), found)
		if err != nil {
			return nil, nil, nil, err
		}
		at, known := locate(p.entries, from)+1, true
		if at == 0 {
			at, known = p.guessLast(from)
		}
		if known && (at < len(p.entries) || p.next == nil) {
			return p.entries[:at], p.entries[at:], p, nil
		}
	}
	// ...any other one where its page begins.
	entries, at, p, err := r.seek(ctx, from, r.atMost(n+from.Place+1), func(until int64, limit int) (*page[T], error) {
		return r.down(ctx, until, limit, found)
	})
	if err != nil {
		return nil, nil, nil, err
	}
	switch here := at < len(entries) && entries[at].at.Key == from.Key; {
	case here:
		at++
		if at < len(entries) || p.next == nil || from.Next == noTime {
			return entries[:at], entries[at:], p, nil
		}
	case at < len(entries) || p.next == nil:
		return entries[:at], entries[at:], p, nil
	case from.Place >= len(entries) && from.Second != noTime && p.lowest() >= from.Second:
		return r.resumeDeep(ctx, from, n)
	}
	if from.Next == noTime {
		return entries[:at], entries[at:], p, nil
	}
	// The cursor's page is full to its end, and the second in which it ends goes
	// on for longer than was looked.
	deep, err := r.down(ctx, from.Next+1, r.limit, found)
	if err != nil {
		return nil, nil, nil, err
	}
	if at := locate(deep.entries, from) + 1; at > 0 {
		return deep.entries[:at], deep.entries[at:], deep, nil
	}
	return entries[:at], entries[at:], p, nil
}

// guessLast is the insertion point of a page cursor whose item is not on a page
// that begins with the second in which it was listed. Known is false where it
// may still be further down.
func (p *page[T]) guessLast(from Cursor) (at int, known bool) {
	if p.top != noTime && p.top < from.Next {
		return 0, true // nothing of that second is left
	}
	if p.linkFloor() == from.Next {
		return 0, false
	}
	return insertionPoint(p.entries, 0, len(p.entries), from)
}

// seek finds the item of a page cursor, or else its insertion point, on the page
// that begins as the cursor's own did. Read gets a page. Entries are what was
// read, without a hole, and p its last page.
func (r *reader[T]) seek(ctx context.Context, from Cursor, limit int, read func(until int64, limit int) (*page[T], error)) (entries []entry[T], at int, p *page[T], err error) {
	until := int64(noTime)
	if from.Second != noTime {
		until = from.Second + 1
	}
	if p, err = read(until, limit); err != nil {
		return nil, 0, nil, err
	}
	entries, top := p.entries, p.top
	for further := false; ; {
		if at = locate(entries, from); at >= 0 {
			return entries, at, p, nil
		}
		guess, sure := insertionPoint(entries, 0, len(entries), from)
		// It may only have moved down and out of view: by items that came in
		// above it, in the second with which its page begins, or because its page
		// did not begin with the whole of that second. Not if that second is
		// empty now, nor if its neighbour is in view and the second is at an end.
		floor := p.floor()
		emptied := top != noTime && top < from.Second
		beside := sure && floor != noTime && floor < from.Second
		// A page without its neighbour too may be older than both.
		last := p.next == nil && (sure || from.Place == 0 || limit >= r.limit)
		if emptied || beside || last || further {
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
		if end := find(below.entries, entries[len(entries)-1].at.ident()); end >= 0 {
			entries, p = slices.Concat(entries, below.entries[end+1:]), below
		}
	}
}
