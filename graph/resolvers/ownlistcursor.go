package resolvers

import (
	"context"
	"slices"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
)

// parseCursor reads a cursor of a written item.
func (o *ownRead[T, N]) parseCursor() error {
	name, text := "after", o.args.After
	if text == nil {
		name, text = "before", o.args.Before
	}
	if text == nil || paging.KindOf(*text) != paging.ByWrite {
		return nil
	}
	c, err := paging.ParseWrite(name, *text, o.bind)
	o.from = &c
	return err
}

// listed returns the cursor that the list itself has for an item further down than
// the first hundred; "" if the item is among those, or is not found where the list has
// what was added at the time of the write.
func (o *ownRead[T, N]) listed(ctx context.Context, c paging.WriteCursor) (string, error) {
	is := func(e *model.Edge[N]) bool { return c.Of(o.l.key(e.Node).String()) }
	if !o.more || slices.ContainsFunc(slices.Concat(o.first, o.rest), is) {
		return "", nil
	}
	most, nearby := paging.MaxPageSize, c.Nearby(o.bind)
	page, err := o.part(ctx, paging.Args{First: &most, After: &nearby})
	if err != nil {
		return "", err
	}
	edges := page.Edges(ctx)
	if i := slices.IndexFunc(edges, is); i >= 0 {
		return edges[i].Cursor, nil
	}
	return "", nil
}

// after is the index in the corrected list behind the item of a written cursor. If
// the item is neither put first nor among the first hundred, it is where the items
// begin that were written before it: some may be repeated, none is left out.
func (o *ownRead[T, N]) after(c paging.WriteCursor) int {
	for i, e := range slices.Concat(o.first, o.rest) {
		if c.Of(o.l.key(e.Node).String()) {
			return i + 1
		}
	}
	older := slices.IndexFunc(o.first, func(e *model.Edge[N]) bool {
		other, err := paging.ParseWrite("", e.Cursor, o.bind)
		return err == nil && other.At < c.At
	})
	if older < 0 {
		return len(o.first)
	}
	return older
}

// aboveWritten gives what comes before a written item.
func (o *ownRead[T, N]) aboveWritten(ctx context.Context) (*model.Connection[N], error) {
	if err := o.top(ctx); err != nil {
		return nil, err
	}
	if cursor, err := o.listed(ctx, *o.from); err != nil {
		return nil, err
	} else if cursor != "" {
		o.args.Before = &cursor
		return o.above(ctx)
	}
	all, end := slices.Concat(o.first, o.rest), o.after(*o.from)
	if end > 0 && o.from.Of(o.l.key(all[end-1].Node).String()) {
		end--
	}
	return o.lastOf(all[:end], model.PageInfo{HasNextPage: true}), nil
}
