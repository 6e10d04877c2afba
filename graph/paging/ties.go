package paging

import (
	"context"
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// errTies reports that more items share a second than the upstream returns.
var errTies = gqlerr.Limit("More items of this list share one second than Mixcloud returns in a page, and the others cannot be read. " +
	"To read older items, use until with that second, where the field has that argument.")

// Dates cannot distinguish items of one second. If they fill a page, the others are
// read by offset within the bound: until=t+1 with an offset. Whether Mixcloud
// combines the two is not known, so each such page starts with the last item of the
// one before. If it does not, the response is not the requested page and the error
// is errTies: no item is skipped silently.

// nextInSecond reads the page below p by offset. p was read with an until.
func (r *reader[T]) nextInSecond(ctx context.Context, p *page[T], need int) (*page[T], []entry[T], error) {
	if len(p.entries) == 0 || p.requested.Until.IsZero() {
		return nil, nil, errTies
	}
	last := p.start + len(p.entries) - 1 // the offset of the last item of p
	overlap := min(last, 1)
	q, err := r.fetchInSecond(ctx, p.requested, last+1-overlap, r.capLimit(max(need, 1)+overlap), p.last().cursor, overlap)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case overlap == 0 && len(q.entries) == 0 && (q.next == nil || q.rawSize == 0 && q.linkStep() == 0 && q.next.Offset != nil):
		q.next = nil // the page is empty, and no link leads further
		return q, nil, nil
	case len(q.entries) == 0:
		return nil, nil, errTies
	case overlap == 1 && sameItem(q.entries[0], p.last()):
		if len(q.entries) > 1 || q.next == nil {
			return q, q.entries[1:], nil
		}
		// The link may lead to an empty page.
		end, err := r.fetchInSecond(ctx, p.requested, last+1, r.capLimit(max(need, 1)), p.last().cursor, 0)
		if err != nil || len(end.entries) == 0 && end.next == nil {
			return end, nil, err
		}
		return nil, nil, errTies
	case overlap == 0 && r.list.Time != nil && q.kind() == ByTime && !q.tooNew && !sameItem(q.entries[0], p.last()):
		return q, q.entries, nil
	}
	return nil, nil, errTies
}

// fetchInSecond fetches a page by offset within the bounds of a range. Above is the
// cursor of the item before the page, or of its first item if overlap is 1.
func (r *reader[T]) fetchInSecond(ctx context.Context, bounds mixcloud.Range, offset, limit int, above Cursor, overlap int) (*page[T], error) {
	requested := mixcloud.Range{Limit: limit, Offset: &offset, Since: bounds.Since, Until: bounds.Until}
	r.calls++
	r.sawTies = true
	response, err := r.get(ctx, requested)
	if err != nil {
		return nil, err
	}
	prefer := r.prefer
	if r.list.Time != nil {
		r.prefer = ByTime
	}
	q := r.newPage(requested, response)
	r.prefer = prefer
	q.inSecond = true
	if q.err != nil {
		return nil, q.err
	}
	if len(q.entries) == 0 {
		return q, nil
	}
	if q.kind() == ByTime {
		switch first := &q.entries[0].cursor; {
		case first.Second != above.Second:
		case overlap == 1:
			first.Index, first.PreviousDigest = above.Index, above.PreviousDigest
		default:
			first.Index, first.PreviousDigest = above.Index+1, digest(above.Key)
		}
		setTieIndexes(q.entries)
		if since, ok := secondOf(bounds.Since); ok || r.args.since != noTime {
			q.truncate(max(since, r.args.since))
		}
		return q, nil
	}
	until, _ := secondOf(requested.Until)
	for i := range q.entries {
		c := Cursor{Kind: ByPage, Key: q.entries[i].cursor.Key, Second: until - 1, Next: noTime, Index: offset + i}
		if i > 0 {
			c.PreviousDigest = digest(q.entries[i-1].cursor.Key)
		} else if overlap == 0 {
			c.PreviousDigest = digest(above.Key)
		}
		q.entries[i].cursor = c
	}
	return q, nil
}

// resumeInSecond finds a cursor's item that is deeper in its second than fits in a
// page: at its index, or else by reading the second from its top. Its results are
// those of resumeTime.
func (r *reader[T]) resumeInSecond(ctx context.Context, from Cursor, n int) (before, rest []entry[T], q *page[T], err error) {
	bounds := mixcloud.Range{Until: timeOf(r.args.olderBound(from.Second + 1))}
	if r.list.Time == nil {
		bounds.Since = timeOf(r.args.since)
	}
	if from.Index > 0 {
		q, err = r.fetchInSecond(ctx, bounds, from.Index-1, r.capLimit(n+2), Cursor{Second: from.Second, Index: from.Index - 2}, 0)
		if err != nil {
			return nil, nil, nil, err
		}
		if at := countThrough(q, from); at > 0 {
			return q.entries[:at], q.entries[at:], q, nil
		}
	}
	p, err := r.fetchOlder(ctx, from.Second+1, r.limit, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	all, at, q, err := r.scan(ctx, p, from)
	if err != nil {
		return nil, nil, nil, err
	}
	return all[:at], all[at:], q, nil
}

// countThrough returns the number of entries up to and including the cursor's item, in a
// page that was read from one item above the cursor's index. It returns 0 if the response
// is not the requested page.
func countThrough[T any](q *page[T], from Cursor) int {
	if len(q.entries) == 0 || digest(q.entries[0].cursor.Key) != from.PreviousDigest || q.tooNew {
		return 0
	}
	if at := indexOfCursor(q.entries[1:], from); at >= 0 {
		return at + 2
	}
	return 1 // the item was deleted
}

// scan reads a second from its first page until it finds a cursor's item or has
// passed its former position. All are the entries that were read, and at is the
// number of entries up to the cursor.
func (r *reader[T]) scan(ctx context.Context, p *page[T], from Cursor) (all []entry[T], at int, last *page[T], err error) {
	all = p.entries
	for {
		if at = indexOfCursor(all, from); at >= 0 {
			return all, at + 1, p, nil
		}
		lo, hi := secondRange(all, from.Second)
		if from.Kind == ByPage {
			lo, hi = 0, len(all)
		}
		if p.next == nil || from.Kind == ByTime && hi < len(all) {
			at, _ = insertionPoint(all, lo, hi, from)
			return all, at, p, nil
		}
		if r.calls > maxFurtherCalls {
			return nil, 0, nil, errTies
		}
		q, unread, err := r.nextInSecond(ctx, p, r.limit)
		if err != nil {
			return nil, 0, nil, err
		}
		all, p = slices.Concat(all, unread), q
	}
}
