package resolvers

import (
	"context"
	"slices"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
)

// parseCursor parses the cursor in the arguments if it is that of a written item.
func (o *ownRead[T, N]) parseCursor() error {
	name, text := "after", o.args.After
	if text == nil {
		name, text = "before", o.args.Before
	}
	if text == nil || paging.KindOf(*text) != paging.ByWrite {
		return nil
	}
	c, err := paging.ParseWrite(name, *text, o.binding)
	o.cursor = &c
	return err
}

// isItem returns a function that reports whether an edge is that of the written item.
func (o *ownRead[T, N]) isItem(c paging.WriteCursor) func(*model.Edge[N]) bool {
	return func(e *model.Edge[N]) bool { return c.Matches(o.l.nodeKey(e.Node).String()) }
}

// listCursor returns the item's cursor in the list, as Mixcloud shows it, if the item
// is below the first hundred. It returns "" if the item is among the first hundred,
// or is not found among the items that were added at the time of the write.
func (o *ownRead[T, N]) listCursor(ctx context.Context, c paging.WriteCursor) (string, error) {
	if !o.hasMore || slices.ContainsFunc(slices.Concat(o.added, o.listed), o.isItem(c)) {
		return "", nil
	}
	hundred, start := paging.MaxPageSize, c.SearchStart(o.binding)
	page, err := o.readPage(ctx, paging.Args{First: &hundred, After: &start})
	if err != nil {
		return "", err
	}
	edges := page.Edges(ctx)
	if i := slices.IndexFunc(edges, o.isItem(c)); i >= 0 {
		return edges[i].Cursor, nil
	}
	return "", nil
}

// indexAfter returns the index after the written item, in the added and the listed
// items. If the item is not among them, it returns the index of the first item that
// was written before it; then items can be repeated but not skipped.
func (o *ownRead[T, N]) indexAfter(c paging.WriteCursor) int {
	if i := slices.IndexFunc(slices.Concat(o.added, o.listed), o.isItem(c)); i >= 0 {
		return i + 1
	}
	older := slices.IndexFunc(o.added, func(e *model.Edge[N]) bool {
		other, err := paging.ParseWrite("", e.Cursor, o.binding)
		return err == nil && other.At < c.At
	})
	if older < 0 {
		return len(o.added)
	}
	return older
}

// beforeWritten returns the page before a written item.
func (o *ownRead[T, N]) beforeWritten(ctx context.Context) (*model.Connection[N], error) {
	if err := o.readTop(ctx); err != nil {
		return nil, err
	}
	if cursor, err := o.listCursor(ctx, *o.cursor); err != nil {
		return nil, err
	} else if cursor != "" {
		o.args.Before = &cursor
		return o.before(ctx)
	}
	all, end := slices.Concat(o.added, o.listed), o.indexAfter(*o.cursor)
	if end > 0 && o.isItem(*o.cursor)(all[end-1]) {
		end--
	}
	return o.lastPage(all[:end], model.PageInfo{HasNextPage: true}), nil
}
