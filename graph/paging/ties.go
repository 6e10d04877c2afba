package paging

import (
	"context"
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// errTies says that more items share a second than the upstream gives.
var errTies = gqlerr.Limit("More items of this list share one second than Mixcloud returns in a page, and the others cannot be read. " +
	"To read older items, use until with that second, where the field has that argument.")

// Items of one second cannot be told apart by date. Where they fill a page, the
// others are read by offset within the bound: until=t+1 with an offset. Whether
// Mixcloud combines the two is not known, so each such page begins with the last
// item of the one before. If it does not, the answer is not what was asked for,
// and the error is errTies: nothing is skipped in silence.

// deeper reads the page under p, which was read with an until, by offset.
func (r *reader[T]) deeper(ctx context.Context, p *page[T], need int) (*page[T], []entry[T], error) {
	if len(p.entries) == 0 || p.asked.Until.IsZero() {
		return nil, nil, errTies
	}
	place := p.start + len(p.entries) - 1
	overlap := min(place, 1)
	q, err := r.within(ctx, p.asked, place+1-overlap, r.atMost(max(need, 1)+overlap), p.last().at, overlap)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case overlap == 0 && len(q.entries) == 0 && (q.next == nil || q.raw == 0 && q.step() == 0 && q.next.Offset != nil):
		q.next = nil // nothing is there, and no link leads further
		return q, nil, nil
	case len(q.entries) == 0:
		return nil, nil, errTies
	case overlap == 1 && same(q.entries[0], p.last()):
		if len(q.entries) > 1 || q.next == nil {
			return q, q.entries[1:], nil
		}
		// The link may lead to nothing.
		end, err := r.within(ctx, p.asked, place+1, r.atMost(max(need, 1)), p.last().at, 0)
		if err != nil || len(end.entries) == 0 && end.next == nil {
			return end, nil, err
		}
		return nil, nil, errTies
	case overlap == 0 && r.list.Time != nil && q.kind() == ByTime && !q.repeated && !same(q.entries[0], p.last()):
		return q, q.entries, nil
	}
	return nil, nil, errTies
}

// within reads by offset within the bounds of a range. Above is the cursor of
// the item before the page, or of its first one if overlap is 1.
func (r *reader[T]) within(ctx context.Context, bounds mixcloud.Range, offset, limit int, above Cursor, overlap int) (*page[T], error) {
	asked := mixcloud.Range{Limit: limit, Offset: &offset, Since: bounds.Since, Until: bounds.Until}
	r.calls++
	r.tied = true
	answer, err := r.get(ctx, asked)
	if err != nil {
		return nil, err
	}
	prefer := r.prefer
	if r.list.Time != nil {
		r.prefer = ByTime
	}
	q := r.newPage(asked, answer)
	r.prefer = prefer
	q.deep = true
	if q.fault != nil {
		return nil, q.fault
	}
	if len(q.entries) == 0 {
		return q, nil
	}
	if q.kind() == ByTime {
		switch first := &q.entries[0].at; {
		case first.Second != above.Second:
		case overlap == 1:
			first.Place, first.Above = above.Place, above.Above
		default:
			first.Place, first.Above = above.Place+1, digest(above.Key)
		}
		countTies(q.entries)
		if since, ok := secondOf(bounds.Since); ok || r.req.since != noTime {
			q.cut(max(since, r.req.since))
		}
		return q, nil
	}
	until, _ := secondOf(asked.Until)
	for i := range q.entries {
		c := Cursor{Kind: ByPage, Key: q.entries[i].at.Key, Second: until - 1, Next: noTime, Place: offset + i}
		if i > 0 {
			c.Above = digest(q.entries[i-1].at.Key)
		} else if overlap == 0 {
			c.Above = digest(above.Key)
		}
		q.entries[i].at = c
	}
	return q, nil
}

// resumeDeep finds a cursor's item that stands deeper in its second than a page
// can hold: at its place, or else by reading the second from its top. The
// results are those of resumeTime.
func (r *reader[T]) resumeDeep(ctx context.Context, from Cursor, n int) (before, rest []entry[T], q *page[T], err error) {
	bounds := mixcloud.Range{Until: timeOf(r.before(from.Second + 1))}
	if r.list.Time == nil {
		bounds.Since = timeOf(r.req.since)
	}
	if from.Place > 0 {
		q, err = r.within(ctx, bounds, from.Place-1, r.atMost(n+2), Cursor{Second: from.Second, Place: from.Place - 2}, 0)
		if err != nil {
			return nil, nil, nil, err
		}
		if at := atPlace(q, from); at > 0 {
			return q.entries[:at], q.entries[at:], q, nil
		}
	}
	p, err := r.down(ctx, from.Second+1, r.limit, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	all, at, q, err := r.scan(ctx, p, from)
	if err != nil {
		return nil, nil, nil, err
	}
	return all[:at], all[at:], q, nil
}

// atPlace returns how many entries of a page that was read from one item above a
// cursor's place stand up to the cursor; 0 if the page is not the one asked for.
func atPlace[T any](q *page[T], from Cursor) int {
	if len(q.entries) == 0 || digest(q.entries[0].at.Key) != from.Above || q.repeated {
		return 0
	}
	if at := locate(q.entries[1:], from); at >= 0 {
		return at + 2
	}
	return 1 // the item is gone
}

// scan reads a second from its first page on until it finds a cursor's item or
// has passed where it was. All is what was read, at the number of entries up to
// the cursor.
func (r *reader[T]) scan(ctx context.Context, p *page[T], from Cursor) (all []entry[T], at int, last *page[T], err error) {
	all = p.entries
	for {
		if at = locate(all, from); at >= 0 {
			return all, at + 1, p, nil
		}
		lo, hi := run(all, from.Second)
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
		q, fresh, err := r.deeper(ctx, p, r.limit)
		if err != nil {
			return nil, 0, nil, err
		}
		all, p = slices.Concat(all, fresh), q
	}
}
