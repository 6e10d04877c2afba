package paging

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"mixcloud-graphql/mixcloud"
)

// fromOffset reads n items from an offset on and reports whether the list goes
// on. Head is the digest of the first item of the page that the client comes
// from; 0 if it is not known.
func (r *reader[T]) fromOffset(ctx context.Context, start int, head uint32, n int) ([]entry[T], bool, error) {
	p, err := r.fetch(ctx, r.at(start, r.atMost(n)))
	if err != nil {
		return nil, false, err
	}
	if p.scheme == byDate && len(p.entries) > 0 {
		return r.walk(ctx, p, p.entries, nil, n)
	}
	if r.wholeFrom(p, start, head) {
		return p.entries[min(start, len(p.entries)):], false, nil
	}
	if len(p.entries) > 0 && head != 0 && start > 0 && digest(p.entries[0].at.Key) == head {
		top, err := r.topInstead(ctx, p)
		if err != nil {
			return nil, false, err
		}
		if top != nil {
			return top.entries[min(start, len(top.entries)):], false, nil
		}
	}
	return r.onward(ctx, p, p.entries, n)
}

// wholeFrom reports whether p, asked for from an offset, is the whole list. If it
// begins otherwise than the page that the client comes from it is not: the
// upstream does not keep the limit, but the offset.
func (r *reader[T]) wholeFrom(p *page[T], start int, head uint32) bool {
	if !p.whole || len(p.entries) == 0 {
		return p.whole
	}
	first := digest(p.entries[0].at.Key)
	if head == 0 || head == first || start == 0 || p.kind() != ByWindow {
		return true
	}
	p.place(start)
	r.total = nil
	return false
}

// place numbers the entries of a page that was taken for the whole list, and
// begins at an offset.
func (p *page[T]) place(start int) {
	first := digest(p.entries[0].at.Key)
	for i := range p.entries {
		p.entries[i].at = Cursor{Kind: ByWindow, Key: p.entries[i].at.Key, Offset: start + i, Head: first}
	}
	p.start, p.whole = start, false
}

// afterOffset reads on from a cursor by offset.
func (r *reader[T]) afterOffset(ctx context.Context, from Cursor) ([]entry[T], bool, error) {
	n := r.req.size
	switch {
	case from.Span == 0:
		return r.fromOffset(ctx, from.Offset+1, from.Head, n)
	case from.Next > 0:
		return r.fromOffset(ctx, int(from.Next), from.Head, n)
	}
	p, err := r.again(ctx, from, n)
	if err != nil {
		return nil, false, err
	}
	after := from.Place + 1
	if p.whole {
		after += from.Offset
	}
	return r.onward(ctx, p, p.entries[min(after, len(p.entries)):], n)
}

// again reads the page that a cursor with a Span names, with n items more than
// those up to the cursor if it can hold them.
func (r *reader[T]) again(ctx context.Context, from Cursor, n int) (*page[T], error) {
	return r.fetch(ctx, r.at(from.Offset, r.atMost(max(from.Span, min(from.Place, MaxPageSize)+1+n))))
}

// onward completes held, the useful part of p, to n entries: page after page
// down a list that goes by offset. Pages that the upstream makes smaller than
// asked are fetched side by side. No item is dropped as a duplicate: it is told
// apart by its place.
func (r *reader[T]) onward(ctx context.Context, p *page[T], held []entry[T], n int) ([]entry[T], bool, error) {
	for len(held) < n && p.next != nil {
		if r.calls > maxFurtherCalls {
			if len(held) == 0 {
				return nil, false, r.exhausted("after", Cursor{Kind: ByWindow, Offset: min(p.reached()-1, maxCursorOffset)})
			}
			break
		}
		want := n - len(held)
		if len(p.entries) == 0 {
			want = max(want, r.limit) // hidden items take places
		}
		q, entries, whole, err := r.batch(ctx, p, p.reached(), want)
		switch {
		case err != nil:
			return nil, false, err
		case whole:
			return append(held, entries...), false, nil
		case q == nil && len(held) == 0:
			return nil, false, errLink
		case q == nil:
			r.log.WarnContext(ctx, "list offers more and gives nothing new: reading stops", "list", r.list.Identity)
			return held, true, nil
		}
		held, p = append(held, entries...), q
	}
	if len(held) > 0 && held[0].at.Kind == ByTime {
		countTies(held)
	}
	return held, p.next != nil, nil
}

// batch reads the pages after p that hold want items, from start on, which is
// where p's link leads or further down, and returns the last one
// that counts with the entries of all. Whole reports that the upstream ignores
// offsets: entries are then those of the top page that come after p. A nil page
// says that p's link leads nowhere.
func (r *reader[T]) batch(ctx context.Context, p *page[T], start, want int) (last *page[T], entries []entry[T], whole bool, err error) {
	if start <= p.start {
		return nil, nil, false, nil
	}
	pages, err := r.sideBySide(ctx, start, want)
	if err != nil {
		return nil, nil, false, err
	}
	for _, q := range pages {
		if q.whole && len(p.entries) > 0 {
			r.wholeFrom(q, *q.asked.Offset, digest(p.entries[0].at.Key))
		}
		if q.start != start {
			break // the page before was shorter than asked: what is between was not read
		}
		if repeats(p, q) {
			top, err := r.topInstead(ctx, q)
			if err != nil {
				return nil, nil, false, err
			}
			if top != nil {
				return q, append(entries, top.entries[min(start, len(top.entries)):]...), true, nil
			}
		}
		entries = append(entries, q.entries...)
		last, p, start = q, q, q.reached()
		if q.next == nil {
			break
		}
	}
	return last, entries, false, nil
}

// repeats reports whether q begins as p does, though it was asked for from
// another offset.
func repeats[T any](p, q *page[T]) bool {
	n := min(len(p.entries), len(q.entries))
	return n > 0 && q.start > 0 && startsWith(p.entries[:n], q.entries[:n])
}

// startsWith reports whether entries begin with those of head.
func startsWith[T any](entries, head []entry[T]) bool {
	if len(entries) < len(head) {
		return false
	}
	for i := range head {
		if entries[i].at.Key != head[i].at.Key {
			return false
		}
	}
	return true
}

// topInstead decides whether p, asked for from an offset above 0, is the top of
// the list instead: that page is then the whole list, and is returned, as large
// as the upstream gives it. Nil if the offset was kept.
func (r *reader[T]) topInstead(ctx context.Context, p *page[T]) (*page[T], error) {
	top, err := r.fetch(ctx, r.at(0, r.limit))
	if err != nil {
		return nil, err
	}
	if !startsWith(top.entries, p.entries) {
		return nil, nil
	}
	if p.start < len(top.entries) { // what should be there may look the same
		n := min(len(p.entries), len(top.entries)-p.start)
		if startsWith(top.entries[p.start:], p.entries[:n]) {
			return nil, nil
		}
	}
	r.log.WarnContext(ctx, "upstream ignores the offset: the page is the whole list", "list", r.list.Identity)
	for i := range top.entries {
		top.entries[i].at.Offset, top.entries[i].at.Span, top.entries[i].at.Place = 0, MaxPageSize, i
	}
	return top, nil
}

// sideBySide reads the pages that hold n items from an offset on.
func (r *reader[T]) sideBySide(ctx context.Context, start, n int) ([]*page[T], error) {
	size := r.atMost(n)
	count := max(1, min((n+size-1)/size, maxFurtherCalls+1-r.calls))
	r.calls += count
	pages := make([]*page[T], count)
	g, ctx := errgroup.WithContext(ctx)
	for i := range pages {
		from := start + i*size
		g.Go(func() error {
			asked := r.at(from, min(size, n-i*size))
			answer, err := r.get(ctx, asked)
			if err == nil {
				pages[i] = r.newPage(asked, answer)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, p := range pages {
		if p.fault != nil {
			return nil, p.fault
		}
		r.learn(p)
	}
	return pages, nil
}

// at asks for a page by offset, with the client's bounds: lists that go by
// offset may still take them.
func (r *reader[T]) at(offset, limit int) mixcloud.Range {
	return mixcloud.Range{Limit: limit, Offset: &offset, Since: timeOf(r.req.since), Until: timeOf(r.req.until)}
}

// aboveOffset reads the items above a cursor by offset, at least one if there is
// any. Top says that there are no others.
func (r *reader[T]) aboveOffset(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	n := r.req.size
	end := from.Offset
	if from.Span > 0 {
		p, err := r.again(ctx, from, 0)
		if err != nil {
			return nil, false, err
		}
		if p.whole {
			return p.entries[:min(from.Offset+from.Place, len(p.entries))], true, nil
		}
		above = p.entries[:min(from.Place, len(p.entries))]
	}
	for size := n - len(above); len(above) < n && end > 0; size = r.limit {
		if r.calls >= maxBackwardCalls && !r.hidden || r.calls > maxFurtherCalls {
			if len(above) == 0 {
				return nil, false, r.exhausted("before", Cursor{Kind: ByWindow, Offset: end})
			}
			break
		}
		start := end - min(max(size, n-len(above)), r.limit, end)
		entries, start, whole, err := r.between(ctx, start, end, from.Head)
		if errors.Is(err, errFar) && len(above) > 0 {
			break
		}
		if err != nil {
			return nil, false, err
		}
		if whole {
			return slices.Concat(entries, above), true, nil
		}
		above, end = slices.Concat(entries, above), start
	}
	return above, end == 0, nil
}

// between reads the items from one offset up to another, or from a greater one
// if the calls do not suffice. Whole reports that the upstream ignores offsets:
// entries are then all above end.
func (r *reader[T]) between(ctx context.Context, start, end int, head uint32) (entries []entry[T], from int, whole bool, err error) {
	p, err := r.fetch(ctx, r.at(start, r.atMost(end-start)))
	if err != nil {
		return nil, start, false, err
	}
	// Read upwards, a page may rightly begin with the cursor's own: see the top.
	if p.whole && start > 0 && len(p.entries) > 0 && digest(p.entries[0].at.Key) == head && p.kind() == ByWindow {
		p.place(start)
		r.total = nil
	}
	if r.wholeFrom(p, start, head) {
		return p.entries[:min(end, len(p.entries))], 0, true, nil
	}
	if start > 0 && len(p.entries) > 0 && digest(p.entries[0].at.Key) == head {
		top, err := r.topInstead(ctx, p)
		if err != nil {
			return nil, start, false, err
		}
		if top != nil {
			return top.entries[:min(end, len(top.entries))], 0, true, nil
		}
	}
	entries = p.entries
	for p.next != nil && p.reached() < end {
		left := maxFurtherCalls + 1 - r.calls
		if left <= 0 {
			return nil, start, false, errFar
		}
		at := p.reached()
		if nearer := end - left*r.limit; nearer > at { // with what is left, read what is next to end
			entries, start, at = nil, nearer, nearer
		}
		q, more, _, err := r.batch(ctx, p, at, end-at)
		if err != nil {
			return nil, start, false, err
		}
		if q == nil {
			return nil, start, false, errLink
		}
		entries, p = slices.Concat(entries, more), q
	}
	return entries[:min(end-start, len(entries))], start, false, nil
}
