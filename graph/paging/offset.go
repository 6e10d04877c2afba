package paging

import (
	"context"

	"golang.org/x/sync/errgroup"

	"mixcloud-graphql/mixcloud"
)

// offsets reads n items from an offset on, more where the upstream gives more,
// and says whether the list goes on. Head is the first page if that was read
// already. Where the upstream gives smaller pages than it was asked for, the
// others are fetched side by side.
func (r *reader[T]) offsets(ctx context.Context, head *sheet[T], start, n int) ([]entry[T], bool, error) {
	if head == nil {
		var err error
		if head, err = r.fetch(ctx, r.at(start, r.atMost(n)), start); err != nil {
			return nil, false, err
		}
		if head.scheme == byDate && len(head.entries) > 0 {
			return r.walk(ctx, head, head.entries, nil, n)
		}
	}
	held, next := head.entries, head.next
	reached := start + head.raw
	for len(held) < n && next != nil && r.calls < maxForwardCalls {
		if next.Offset != nil && *next.Offset > reached {
			reached = *next.Offset
		}
		pages, err := r.sideBySide(ctx, reached, n-len(held))
		if err != nil {
			return nil, false, err
		}
		before := len(held)
		for _, s := range pages {
			// A list that shifted in between gives an item twice.
			held = append(held, unseen(held, s.entries)...)
			reached += s.raw
			if next = s.next; next == nil {
				break
			}
		}
		if next != nil && len(held) == before {
			r.log.WarnContext(ctx, "list offers more and gives nothing new: reading stops", "list", r.list.Identity)
			break
		}
	}
	if len(held) > 0 && held[0].at.Kind == ByTime {
		countTies(held)
	}
	return held, next != nil, nil
}

// sideBySide reads the pages that hold n items from an offset on.
func (r *reader[T]) sideBySide(ctx context.Context, start, n int) ([]*sheet[T], error) {
	size := r.atMost(n)
	pages := min((n+size-1)/size, maxForwardCalls-r.calls)
	r.calls += pages
	sheets := make([]*sheet[T], pages)
	g, ctx := errgroup.WithContext(ctx)
	for i := range sheets {
		from := start + i*size
		g.Go(func() error {
			asked := r.at(from, min(size, n-i*size))
			page, err := r.get(ctx, asked)
			if err == nil {
				sheets[i] = r.view(asked, page, from)
			}
			return err
		})
	}
	return sheets, g.Wait()
}

// at asks for a page by offset, with the client's bounds: lists that go by
// offset may still take them.
func (r *reader[T]) at(offset, limit int) mixcloud.Range {
	return mixcloud.Range{Limit: limit, Offset: &offset, Since: timeOf(r.req.since), Until: timeOf(r.req.until)}
}

// unseen are the entries that are not in held.
func unseen[T any](held, entries []entry[T]) []entry[T] {
	seen := make(map[ident]bool, len(held))
	for _, e := range held {
		seen[e.at.ident()] = true
	}
	var fresh []entry[T]
	for _, e := range entries {
		if !seen[e.at.ident()] {
			fresh = append(fresh, e)
		}
	}
	return fresh
}
