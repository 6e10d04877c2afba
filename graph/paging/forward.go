package paging

import (
	"context"
	"errors"
	"slices"
)

// forward returns the first items of the list, or those after a cursor.
func (r *reader[T]) forward(ctx context.Context, from *Cursor) (*Result[T], error) {
	var entries []entry[T]
	var more bool
	var err error
	switch {
	case from == nil:
		entries, more, err = r.first(ctx)
	case from.Kind == ByOffset || from.Kind == ByOffsetPage:
		entries, more, err = r.afterOffset(ctx, *from)
	default:
		entries, more, err = r.after(ctx, *from)
	}
	if err != nil {
		return nil, err
	}
	result := &Result[T]{HasPreviousPage: r.startsBelowTop(), MinTotal: len(entries)}
	switch {
	case !r.unfiltered():
	case r.total != nil:
		result.Total = r.total
	case !more && !r.startsBelowTop():
		result.Total = &result.MinTotal
	}
	if len(entries) > r.args.size {
		entries, more = entries[:r.args.size], true
	}
	if n := len(entries); n > 0 {
		result.MinTotal = max(result.MinTotal, entries[n-1].cursor.Offset+entries[n-1].cursor.Index+1)
	}
	result.Edges, result.HasNextPage = r.edges(entries), more && len(entries) > 0
	return result, nil
}

// first reads from the top of the list, or from the requested offset. The response
// shows how the list pages.
func (r *reader[T]) first(ctx context.Context) ([]entry[T], bool, error) {
	n, begin := r.args.size, r.args.startAfter(nil)
	if begin.byOffset {
		return r.fromOffset(ctx, begin.offset, 0, n)
	}
	p, err := r.fetchOlder(ctx, begin.until, begin.limit, nil)
	if err != nil {
		return nil, false, err
	}
	if p.scheme == byOffset || p.kind() == ByOffsetPage {
		return r.continueByOffset(ctx, p, p.entries, n)
	}
	return r.continueByDate(ctx, p, p.entries, nil, n)
}

// after returns the items after a cursor with a time.
func (r *reader[T]) after(ctx context.Context, from Cursor) ([]entry[T], bool, error) {
	resume := r.resumePage
	if from.Kind == ByTime {
		resume = r.resumeTime
	}
	before, rest, p, err := resume(ctx, from, r.args.size)
	if err != nil {
		return nil, false, err
	}
	seen := map[itemID]bool{from.itemID(): true}
	for _, e := range before {
		seen[e.cursor.itemID()] = true
	}
	if n := len(before); len(rest) == 0 && p.next != nil && from.Key != noItem && (n == 0 || before[n-1].cursor.Key != from.Key) {
		// The item is not where it was. It may have moved down.
		q, unread, err := r.nextPage(ctx, p, r.args.size+1)
		if err != nil {
			return nil, false, err
		}
		if at := indexOfCursor(unread, from); at >= 0 {
			unread = unread[at+1:]
		}
		p, rest = q, unread
	}
	return r.continueByDate(ctx, p, rest, seen, r.args.size)
}

// continueByDate extends rest, the usable part of p, to n entries. It reads the following pages of
// a list that pages by date. After maxFurtherCalls further calls it returns the entries found so
// far, or an error if there are none.
func (r *reader[T]) continueByDate(ctx context.Context, p *page[T], rest []entry[T], seen map[itemID]bool, n int) ([]entry[T], bool, error) {
	if seen == nil {
		seen = make(map[itemID]bool)
	}
	collected := r.unseen(seen, rest)
	for len(collected) < n && p.next != nil {
		if r.calls > maxFurtherCalls {
			if len(collected) == 0 {
				return nil, false, r.exhaustedError("after", r.secondCursor(p.lowest()))
			}
			break
		}
		q, unread, err := r.nextPage(ctx, p, n-len(collected))
		if (errors.Is(err, errTies) || errors.Is(err, errNoNextLink)) && len(collected) > 0 {
			break // the client's next page returns the error
		}
		if err != nil {
			return nil, false, err
		}
		collected = append(collected, r.unseen(seen, unread)...)
		p = q
	}
	return collected, p.next != nil, nil
}

// secondCursor returns the cursor above all items of a second.
func (r *reader[T]) secondCursor(second int64) Cursor {
	c := Cursor{Kind: ByPage, Key: noItem, Second: second, Next: noTime}
	if r.list.Time != nil {
		c.Kind, c.Next = ByTime, 0
	}
	return c
}

// unseen returns the entries that are not in seen, and adds them to it. If the list
// may contain a key more than once, items without their own time are distinguished
// by position (see unreadEntries), not here.
func (r *reader[T]) unseen(seen map[itemID]bool, entries []entry[T]) []entry[T] {
	var unread []entry[T]
	for _, e := range entries {
		id := e.cursor.itemID()
		if e.cursor.Kind == ByTime && !(e.inferred && r.list.Repeats) && seen[id] {
			continue
		}
		seen[id] = true
		unread = append(unread, e)
	}
	return unread
}

// nextPage reads the page below p. Unread are its entries that are not on p. The
// page starts with the second in which p ends, because that second may continue. If
// the page has nothing new, nextPage reads it again with the maximum size, then
// from where p's link leads, because p may end with hidden items.
func (r *reader[T]) nextPage(ctx context.Context, p *page[T], need int) (q *page[T], unread []entry[T], err error) {
	if p.inSecond {
		return r.nextInSecond(ctx, p, need)
	}
	floor, link := p.floor(), p.linkFloor()
	limit := r.capLimit(need + p.last().cursor.Index + 1)
	if p.kind() == ByPage {
		limit = r.capLimit(need + 1)
	}
	if len(p.entries) == 0 || link != noTime && link < floor {
		limit = r.limit // hidden items count toward the limit
	}
	if floor == noTime {
		return nil, nil, errNoNextLink
	}
	largest := p // the largest page of floor's second
	if !p.coversRequest(floor+1, r.limit) {
		for ; ; limit = r.limit {
			if q, err = r.fetchOlder(ctx, floor+1, limit, nil); err != nil {
				return nil, nil, err
			}
			unread, largest = unreadEntries(p, q), q
			if limit < r.limit && q.next != nil && !p.requested.Since.IsZero() && !slices.ContainsFunc(q.entries, func(e entry[T]) bool { return sameItem(e, p.last()) }) {
				continue // p may be the end of a list, and q the start of the second with which p starts
			}
			if len(unread) > 0 || q.next == nil {
				return q, unread, nil
			}
			if limit >= r.limit {
				break
			}
		}
	}
	if lowest := largest.lowest(); lowest != noTime && lowest < floor {
		q, err = r.fetchOlder(ctx, lowest+1, r.limit, nil)
		if err != nil {
			return nil, nil, err
		}
		if unread = unreadEntries(p, q); len(unread) > 0 || q.next == nil || q.lowest() < lowest {
			return q, unread, nil
		}
		largest = q
	}
	return r.continueInSecond(ctx, largest, need)
}

// coversRequest reports whether the page was requested with the bound until and at
// least that limit.
func (p *page[T]) coversRequest(until int64, limit int) bool {
	return p.requested.Offset == nil && p.requested.Until.Equal(timeOf(until)) && p.requested.Limit >= limit
}

// continueInSecond continues below a page that has the maximum size and no new
// items, but is not the last. Either its items fill one second, or the upstream
// ignores until and returns the same page.
func (r *reader[T]) continueInSecond(ctx context.Context, p *page[T], need int) (*page[T], []entry[T], error) {
	if p.tooNew {
		r.log.WarnContext(ctx, "Mixcloud ignored until: page is the whole list", "list", r.list.Identity)
		end := *p
		end.next = nil
		return &end, nil, nil
	}
	if r.list.Time == nil && r.args.since != noTime {
		// Deeper pages would not show that Mixcloud applies since. But p may be the
		// last page, with a link that leads below since.
		q, err := r.fetchOlder(ctx, p.lowest(), r.limit, nil)
		if err == nil && (len(q.entries) > 0 || q.next != nil || p.rawSize >= p.requested.Limit) {
			err = errTies
		}
		return q, nil, err
	}
	return r.nextInSecond(ctx, p, need)
}

// unreadEntries returns the entries of q that are not on p, the page above it: those
// below p's last item. q contains that item too unless it was deleted.
func unreadEntries[T any](p, q *page[T]) []entry[T] {
	if len(p.entries) == 0 {
		return q.entries
	}
	// The longest end of p that is the start of q.
	for n := min(len(p.entries), len(q.entries)); n > 0; n-- {
		if slices.EqualFunc(p.entries[len(p.entries)-n:], q.entries[:n], sameItem) {
			return q.entries[n:]
		}
	}
	last := p.last()
	if at := slices.IndexFunc(q.entries, func(e entry[T]) bool { return sameItem(e, last) }); at >= 0 {
		return q.entries[at+1:]
	}
	var unread []entry[T]
	for _, e := range q.entries {
		if !slices.ContainsFunc(p.entries, func(on entry[T]) bool { return sameItem(on, e) }) {
			unread = append(unread, e)
		}
	}
	return unread
}

// fetchOlder fetches a page that starts with the newest item older than until;
// noTime for the top of the list.
//
// If more items are newer than since than fit in a page, it is not documented which
// ones Mixcloud returns. If items have their own time, since is therefore not sent,
// and older items are dropped here. Otherwise since is sent. If the page is then
// neither complete nor adjacent to the cursor (adjacent reports that; nil without a
// cursor), the same page is fetched without since. If the two differ, the first was
// full, so the second has only items that are newer than since.
func (r *reader[T]) fetchOlder(ctx context.Context, until int64, limit int, adjacent func(*page[T]) bool) (*page[T], error) {
	requested := r.args.olderRange(until, limit, r.list.Time != nil)
	if r.list.Time != nil {
		p, err := r.fetch(ctx, requested)
		if err != nil || r.args.since == noTime {
			return p, err
		}
		if len(p.entries) == 0 || p.kind() == ByTime {
			p.truncate(r.args.since)
			return p, nil
		}
	}
	requested.Since = timeOf(r.args.since)
	p, err := r.fetch(ctx, requested)
	if err != nil || r.args.since == noTime || p.complete || p.kind() == ByOffsetPage || adjacent != nil && adjacent(p) {
		return p, err
	}
	requested.Since = timeOf(noTime)
	all, err := r.fetch(ctx, requested)
	if err != nil {
		return nil, err
	}
	n := len(p.entries)
	if len(all.entries) >= n && slices.EqualFunc(all.entries[:n], p.entries, sameItem) {
		all.entries = all.entries[:n]
	}
	return all, nil
}
