package paging

import (
	"context"
	"errors"
	"slices"

	"mixcloud-graphql/mixcloud"
)

// forward returns the first items, or those after a cursor.
func (r *reader[T]) forward(ctx context.Context, from *Cursor) (*Result[T], error) {
	var entries []entry[T]
	var more bool
	var err error
	switch {
	case from == nil:
		entries, more, err = r.first(ctx)
	case from.Kind == ByOffset || from.Kind == ByWindow:
		entries, more, err = r.afterOffset(ctx, *from)
	default:
		entries, more, err = r.after(ctx, *from)
	}
	if err != nil {
		return nil, err
	}
	result := &Result[T]{HasPreviousPage: r.startsLater(), Seen: len(entries)}
	switch {
	case !r.unfiltered():
	case r.total != nil:
		result.Total = r.total
	case !more && !r.startsLater():
		result.Total = &result.Seen
	}
	if len(entries) > r.req.size {
		entries, more = entries[:r.req.size], true
	}
	if n := len(entries); n > 0 {
		result.Seen = max(result.Seen, entries[n-1].at.Offset+entries[n-1].at.Place+1)
	}
	result.Edges, result.HasNextPage = r.edges(entries), more && len(entries) > 0
	return result, nil
}

// first reads from the top of the list, or from the offset that the client
// asked for, and learns from the answer how the list pages.
func (r *reader[T]) first(ctx context.Context) ([]entry[T], bool, error) {
	n := r.req.size
	if r.req.offset != nil {
		return r.fromOffset(ctx, *r.req.offset, 0, n)
	}
	p, err := r.down(ctx, noTime, n, nil)
	if err != nil {
		return nil, false, err
	}
	if p.scheme == byOffset || p.kind() == ByWindow {
		return r.onward(ctx, p, p.entries, n)
	}
	return r.walk(ctx, p, p.entries, nil, n)
}

// after reads on from a cursor with a time.
func (r *reader[T]) after(ctx context.Context, from Cursor) ([]entry[T], bool, error) {
	resume := r.resumePage
	if from.Kind == ByTime {
		resume = r.resumeTime
	}
	before, rest, p, err := resume(ctx, from, r.req.size)
	if err != nil {
		return nil, false, err
	}
	seen := map[ident]bool{from.ident(): true}
	for _, e := range before {
		seen[e.at.ident()] = true
	}
	if n := len(before); len(rest) == 0 && p.next != nil && from.Key != noItem && (n == 0 || before[n-1].at.Key != from.Key) {
		// The item was not found where it stood. It may have moved down.
		q, fresh, err := r.below(ctx, p, r.req.size+1)
		if err != nil {
			return nil, false, err
		}
		if at := locate(fresh, from); at >= 0 {
			fresh = fresh[at+1:]
		}
		p, rest = q, fresh
	}
	return r.walk(ctx, p, rest, seen, r.req.size)
}

// walk completes rest, the useful part of p, to n entries: page after page down
// a list that goes by date. If maxFurtherCalls do not suffice the page is
// shorter, or if it is empty, an error.
func (r *reader[T]) walk(ctx context.Context, p *page[T], rest []entry[T], seen map[ident]bool, n int) ([]entry[T], bool, error) {
	if seen == nil {
		seen = make(map[ident]bool)
	}
	held := r.unseen(seen, rest)
	for len(held) < n && p.next != nil {
		if r.calls > maxFurtherCalls {
			if len(held) == 0 {
				return nil, false, r.exhausted("after", r.secondCursor(p.lowest()))
			}
			break
		}
		q, fresh, err := r.below(ctx, p, n-len(held))
		if (errors.Is(err, errTies) || errors.Is(err, errLink)) && len(held) > 0 {
			break // the next page has the error
		}
		if err != nil {
			return nil, false, err
		}
		held = append(held, r.unseen(seen, fresh)...)
		p = q
	}
	return held, p.next != nil, nil
}

// secondCursor is the cursor above all items of a second.
func (r *reader[T]) secondCursor(second int64) Cursor {
	c := Cursor{Kind: ByPage, Key: noItem, Second: second, Next: noTime}
	if r.list.Time != nil {
		c.Kind, c.Next = ByTime, 0
	}
	return c
}

// unseen returns the entries that were not seen, and notes them. Items without
// a time of their own are told apart by where they stand (see stitch), not here,
// if the list may hold one key more than once.
func (r *reader[T]) unseen(seen map[ident]bool, entries []entry[T]) []entry[T] {
	var fresh []entry[T]
	for _, e := range entries {
		id := e.at.ident()
		if e.at.Kind == ByTime && !(e.borrowed && r.list.Repeats) && seen[id] {
			continue
		}
		seen[id] = true
		fresh = append(fresh, e)
	}
	return fresh
}

// below reads the page under p, with fresh the entries that are not on p. It
// begins with the second in which p ends, as that may go on. A page that brings
// nothing new is read again as large as can be, then from where p's link leads:
// hidden items may end p.
func (r *reader[T]) below(ctx context.Context, p *page[T], need int) (q *page[T], fresh []entry[T], err error) {
	if p.deep {
		return r.deeper(ctx, p, need)
	}
	floor, link := p.floor(), p.linkFloor()
	limit := r.atMost(need + p.last().at.Place + 1)
	if p.kind() == ByPage {
		limit = r.atMost(need + 1)
	}
	if len(p.entries) == 0 || link != noTime && link < floor {
		limit = r.limit // hidden items take places
	}
	if floor == noTime {
		return nil, nil, errLink
	}
	full := p // the largest page of floor's second
	if !p.asks(floor+1, r.limit) {
		for ; ; limit = r.limit {
			if q, err = r.down(ctx, floor+1, limit, nil); err != nil {
				return nil, nil, err
			}
			fresh, full = stitch(p, q), q
			if limit < r.limit && q.next != nil && !p.asked.Since.IsZero() && !slices.ContainsFunc(q.entries, func(e entry[T]) bool { return same(e, p.last()) }) {
				continue // p may be the end of a list, and q the beginning of the second with which p begins
			}
			if len(fresh) > 0 || q.next == nil {
				return q, fresh, nil
			}
			if limit >= r.limit {
				break
			}
		}
	}
	if lowest := full.lowest(); lowest != noTime && lowest < floor {
		q, err = r.down(ctx, lowest+1, r.limit, nil)
		if err != nil {
			return nil, nil, err
		}
		if fresh = stitch(p, q); len(fresh) > 0 || q.next == nil || q.lowest() < lowest {
			return q, fresh, nil
		}
		full = q
	}
	return r.stuck(ctx, full, need)
}

// asks reports whether the page was read from until on, with that limit.
func (p *page[T]) asks(until int64, limit int) bool {
	return p.asked.Offset == nil && p.asked.Until.Equal(timeOf(until)) && p.asked.Limit >= limit
}

// stuck goes on below a page that is as large as can be and has nothing new,
// and yet is not the last: its items fill one second, or the upstream gives the
// same page whatever is asked.
func (r *reader[T]) stuck(ctx context.Context, p *page[T], need int) (*page[T], []entry[T], error) {
	if p.repeated {
		r.log.WarnContext(ctx, "upstream ignores until: the page is the whole list", "list", r.list.Identity)
		end := *p
		end.next = nil
		return &end, nil, nil
	}
	if r.list.Time == nil && r.req.since != noTime {
		// Nothing in deeper pages would show that since is kept. But p may just
		// be the last page, whose link leads below since.
		q, err := r.down(ctx, p.lowest(), r.limit, nil)
		if err == nil && (len(q.entries) > 0 || q.next != nil || p.raw >= p.asked.Limit) {
			err = errTies
		}
		return q, nil, err
	}
	return r.deeper(ctx, p, need)
}

// stitch returns the entries of q that are not on p, the page above it: those
// below p's last item, which q has as well unless it has gone.
func stitch[T any](p, q *page[T]) []entry[T] {
	if len(p.entries) == 0 {
		return q.entries
	}
	// As much of p's end as is the beginning of q.
	for n := min(len(p.entries), len(q.entries)); n > 0; n-- {
		if slices.EqualFunc(p.entries[len(p.entries)-n:], q.entries[:n], same) {
			return q.entries[n:]
		}
	}
	last := p.last()
	if at := slices.IndexFunc(q.entries, func(e entry[T]) bool { return same(e, last) }); at >= 0 {
		return q.entries[at+1:]
	}
	var fresh []entry[T]
	for _, e := range q.entries {
		if !slices.ContainsFunc(p.entries, func(on entry[T]) bool { return same(on, e) }) {
			fresh = append(fresh, e)
		}
	}
	return fresh
}

// down reads a page from the newest item older than until, noTime for the top.
//
// It is not known which end of the list since gives when more items are newer
// than a page can hold. Where items carry their time, since is therefore not
// sent; what is too old is cut off here. Elsewhere since is sent, and if the
// page is neither all there is nor next to the cursor (which beside tells; nil
// for no cursor), the same page is read without. If the two differ, the first
// was full, so the second has only items that are newer than since.
func (r *reader[T]) down(ctx context.Context, until int64, limit int, beside func(*page[T]) bool) (*page[T], error) {
	asked := mixcloud.Range{Limit: limit, Until: timeOf(r.before(until))}
	if r.list.Time != nil {
		p, err := r.fetch(ctx, asked)
		if err != nil || r.req.since == noTime {
			return p, err
		}
		if len(p.entries) == 0 || p.kind() == ByTime {
			p.cut(r.req.since)
			return p, nil
		}
	}
	asked.Since = timeOf(r.req.since)
	p, err := r.fetch(ctx, asked)
	if err != nil || r.req.since == noTime || p.complete || p.kind() == ByWindow || beside != nil && beside(p) {
		return p, err
	}
	asked.Since = timeOf(noTime)
	all, err := r.fetch(ctx, asked)
	if err != nil {
		return nil, err
	}
	n := len(p.entries)
	if len(all.entries) >= n && slices.EqualFunc(all.entries[:n], p.entries, same) {
		all.entries = all.entries[:n]
	}
	return all, nil
}
