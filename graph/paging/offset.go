package paging

import (
	"context"
	"errors"
	"slices"

	"golang.org/x/sync/errgroup"

	"mixcloud-graphql/mixcloud"
)

// fromOffset reads n items, starting at an offset, and reports whether the list
// continues. FirstDigest is the digest of the first item of the page that the client's
// cursor came from; 0 if unknown.
func (r *reader[T]) fromOffset(ctx context.Context, start int, firstDigest uint32, n int) ([]entry[T], bool, error) {
	p, err := r.fetch(ctx, r.offsetRange(start, r.capLimit(n)))
	if err != nil {
		return nil, false, err
	}
	if p.scheme == byDate && len(p.entries) > 0 {
		return r.continueByDate(ctx, p, p.entries, nil, n)
	}
	if r.isWholeList(p, start, firstDigest) {
		return p.entries[min(start, len(p.entries)):], false, nil
	}
	if len(p.entries) > 0 && firstDigest != 0 && start > 0 && digest(p.entries[0].cursor.Key) == firstDigest {
		top, err := r.ignoredOffset(ctx, p)
		if err != nil {
			return nil, false, err
		}
		if top != nil {
			return top.entries[min(start, len(top.entries)):], false, nil
		}
	}
	return r.continueByOffset(ctx, p, p.entries, n)
}

// isWholeList reports whether p, requested with an offset, is the whole list. A page that starts
// with another item than the page of the client's cursor is not: there, the upstream applied the
// offset and ignored the limit.
func (r *reader[T]) isWholeList(p *page[T], start int, firstDigest uint32) bool {
	if !p.whole || len(p.entries) == 0 {
		return p.whole
	}
	first := digest(p.entries[0].cursor.Key)
	if firstDigest == 0 || firstDigest == first || start == 0 || p.kind() != ByOffsetPage {
		return true
	}
	p.renumber(start)
	r.total = nil
	return false
}

// renumber sets the cursors of a page that was taken for the whole list but starts
// at an offset.
func (p *page[T]) renumber(start int) {
	first := digest(p.entries[0].cursor.Key)
	for i := range p.entries {
		p.entries[i].cursor = Cursor{Kind: ByOffsetPage, Key: p.entries[i].cursor.Key, Offset: start + i, FirstDigest: first}
	}
	p.start, p.whole = start, false
}

// afterOffset returns the items after an offset cursor.
func (r *reader[T]) afterOffset(ctx context.Context, from Cursor) ([]entry[T], bool, error) {
	n, begin := r.args.size, r.args.startAfter(&from)
	if from.PageLimit == 0 || from.Next > 0 {
		return r.fromOffset(ctx, begin.offset, from.FirstDigest, n)
	}
	p, err := r.refetch(ctx, begin)
	if err != nil {
		return nil, false, err
	}
	after := from.Index + 1
	if p.whole {
		after += from.Offset
	}
	return r.continueByOffset(ctx, p, p.entries[min(after, len(p.entries)):], n)
}

// refetch fetches the page of a cursor again.
func (r *reader[T]) refetch(ctx context.Context, begin start) (*page[T], error) {
	return r.fetch(ctx, r.offsetRange(begin.offset, r.capLimit(begin.limit)))
}

// continueByOffset extends collected, the usable part of p, to n entries. It reads
// the following pages of a list that pages by offset. If the upstream's pages are
// smaller than requested, several are fetched in parallel. No item is dropped as a
// duplicate, because its position identifies it.
func (r *reader[T]) continueByOffset(ctx context.Context, p *page[T], collected []entry[T], n int) ([]entry[T], bool, error) {
	for len(collected) < n && p.next != nil {
		if r.calls > maxFurtherCalls {
			if len(collected) == 0 {
				return nil, false, r.exhaustedError("after", Cursor{Kind: ByOffsetPage, Offset: min(p.endOffset()-1, maxCursorOffset)})
			}
			break
		}
		want := n - len(collected)
		if len(p.entries) == 0 {
			want = max(want, r.limit) // hidden items count toward the limit
		}
		q, entries, whole, err := r.fetchBatch(ctx, p, p.endOffset(), want)
		switch {
		case err != nil:
			return nil, false, err
		case whole:
			return append(collected, entries...), false, nil
		case q == nil && len(collected) == 0:
			return nil, false, errNoNextLink
		case q == nil:
			r.log.WarnContext(ctx, "Mixcloud returned no new items: reading stopped", "list", r.list.Identity)
			return collected, true, nil
		}
		collected, p = append(collected, entries...), q
	}
	if len(collected) > 0 && collected[0].cursor.Kind == ByTime {
		setTieIndexes(collected)
	}
	return collected, p.next != nil, nil
}

// fetchBatch fetches the pages after p that contain want items. Start is the offset
// where p's link leads, or a larger one. It returns the last usable page and the
// entries of all pages. Whole reports that the upstream ignores offsets: entries
// are then those of the top page that follow p. The page is nil if p's link leads
// nowhere.
func (r *reader[T]) fetchBatch(ctx context.Context, p *page[T], start, want int) (last *page[T], entries []entry[T], whole bool, err error) {
	if start <= p.start {
		return nil, nil, false, nil
	}
	pages, err := r.fetchParallel(ctx, start, want)
	if err != nil {
		return nil, nil, false, err
	}
	for _, q := range pages {
		if q.whole && len(p.entries) > 0 {
			r.isWholeList(q, *q.requested.Offset, digest(p.entries[0].cursor.Key))
		}
		if q.start != start {
			break // the page before was shorter than requested, so the items in between are missing
		}
		if sameStart(p, q) {
			top, err := r.ignoredOffset(ctx, q)
			if err != nil {
				return nil, nil, false, err
			}
			if top != nil {
				return q, append(entries, top.entries[min(start, len(top.entries)):]...), true, nil
			}
		}
		entries = append(entries, q.entries...)
		last, p, start = q, q, q.endOffset()
		if q.next == nil {
			break
		}
	}
	return last, entries, false, nil
}

// sameStart reports whether q starts with the same items as p, although it was
// requested with another offset.
func sameStart[T any](p, q *page[T]) bool {
	n := min(len(p.entries), len(q.entries))
	return n > 0 && q.start > 0 && hasPrefix(p.entries[:n], q.entries[:n])
}

// hasPrefix reports whether entries start with those of head.
func hasPrefix[T any](entries, head []entry[T]) bool {
	if len(entries) < len(head) {
		return false
	}
	for i := range head {
		if entries[i].cursor.Key != head[i].cursor.Key {
			return false
		}
	}
	return true
}

// ignoredOffset detects that the upstream ignored the offset of p and returned the
// top of the list. The top page is then the whole list; it is returned as large as
// the upstream provides it. The result is nil if the upstream applied the offset.
func (r *reader[T]) ignoredOffset(ctx context.Context, p *page[T]) (*page[T], error) {
	top, err := r.fetch(ctx, r.offsetRange(0, r.limit))
	if err != nil {
		return nil, err
	}
	if !hasPrefix(top.entries, p.entries) {
		return nil, nil
	}
	if p.start < len(top.entries) { // the items at that offset may have the same keys
		n := min(len(p.entries), len(top.entries)-p.start)
		if hasPrefix(top.entries[p.start:], p.entries[:n]) {
			return nil, nil
		}
	}
	r.log.WarnContext(ctx, "Mixcloud ignored offset: page is the whole list", "list", r.list.Identity)
	for i := range top.entries {
		top.entries[i].cursor.Offset, top.entries[i].cursor.PageLimit, top.entries[i].cursor.Index = 0, MaxPageSize, i
	}
	return top, nil
}

// fetchParallel fetches the pages that contain n items, starting at an offset, in
// parallel.
func (r *reader[T]) fetchParallel(ctx context.Context, start, n int) ([]*page[T], error) {
	size := r.capLimit(n)
	count := max(1, min((n+size-1)/size, maxFurtherCalls+1-r.calls))
	r.calls += count
	pages := make([]*page[T], count)
	g, ctx := errgroup.WithContext(ctx)
	for i := range pages {
		from := start + i*size
		g.Go(func() error {
			requested := r.offsetRange(from, min(size, n-i*size))
			response, err := r.get(ctx, requested)
			if err == nil {
				pages[i] = r.newPage(requested, response)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, p := range pages {
		if p.err != nil {
			return nil, p.err
		}
		r.observe(p)
	}
	return pages, nil
}

// offsetRange returns the range of a page by offset, with the client's bounds:
// lists that page by offset may still apply them.
func (r *reader[T]) offsetRange(offset, limit int) mixcloud.Range {
	return r.args.offsetRange(offset, limit)
}

// aboveOffset reads the items above an offset cursor, at least one if there is one.
// Top reports that there are no others.
func (r *reader[T]) aboveOffset(ctx context.Context, from Cursor) (above []entry[T], top bool, err error) {
	n := r.args.size
	end := from.Offset
	if from.PageLimit > 0 {
		p, err := r.refetch(ctx, from.ownPage(0))
		if err != nil {
			return nil, false, err
		}
		if p.whole {
			return p.entries[:min(from.Offset+from.Index, len(p.entries))], true, nil
		}
		above = p.entries[:min(from.Index, len(p.entries))]
	}
	for size := n - len(above); len(above) < n && end > 0; size = r.limit {
		if r.calls >= maxBackwardCalls && !r.sawEmptyPage || r.calls > maxFurtherCalls {
			if len(above) == 0 {
				return nil, false, r.exhaustedError("before", Cursor{Kind: ByOffsetPage, Offset: end})
			}
			break
		}
		start := end - min(max(size, n-len(above)), r.limit, end)
		entries, start, whole, err := r.readBetween(ctx, start, end, from.FirstDigest)
		if errors.Is(err, errTooFar) && len(above) > 0 {
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

// readBetween reads the items from offset start to offset end, or from a larger
// start if the calls do not suffice. Whole reports that the upstream ignores
// offsets: entries are then all items above end.
func (r *reader[T]) readBetween(ctx context.Context, start, end int, firstDigest uint32) (entries []entry[T], from int, whole bool, err error) {
	p, err := r.fetch(ctx, r.offsetRange(start, r.capLimit(end-start)))
	if err != nil {
		return nil, start, false, err
	}
	// When reading backward, the first item of a page can correctly be the first item of the
	// cursor's page: compare the page with the top page.
	if p.whole && start > 0 && len(p.entries) > 0 && digest(p.entries[0].cursor.Key) == firstDigest && p.kind() == ByOffsetPage {
		p.renumber(start)
		r.total = nil
	}
	if r.isWholeList(p, start, firstDigest) {
		return p.entries[:min(end, len(p.entries))], 0, true, nil
	}
	if start > 0 && len(p.entries) > 0 && digest(p.entries[0].cursor.Key) == firstDigest {
		top, err := r.ignoredOffset(ctx, p)
		if err != nil {
			return nil, start, false, err
		}
		if top != nil {
			return top.entries[:min(end, len(top.entries))], 0, true, nil
		}
	}
	entries = p.entries
	for p.next != nil && p.endOffset() < end {
		left := maxFurtherCalls + 1 - r.calls
		if left <= 0 {
			return nil, start, false, errTooFar
		}
		at := p.endOffset()
		if nearer := end - left*r.limit; nearer > at { // use the remaining calls for the items closest to end
			entries, start, at = nil, nearer, nearer
		}
		q, more, _, err := r.fetchBatch(ctx, p, at, end-at)
		if err != nil {
			return nil, start, false, err
		}
		if q == nil {
			return nil, start, false, errNoNextLink
		}
		entries, p = slices.Concat(entries, more), q
	}
	return entries[:min(end-start, len(entries))], start, false, nil
}
