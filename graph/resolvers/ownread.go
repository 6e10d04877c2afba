package resolvers

import (
	"context"
	"slices"
	"sync"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// An ownRead is one read of an own list.
type ownRead[T, N any] struct {
	r      *Resolver
	l      ownList[T, N]
	args   paging.Args
	size   int
	bind   paging.Binding
	from   *paging.WriteCursor // the cursor asked for, if it is of a written item
	writes []upstream.RecentWrite

	// Set by top.
	read  bool
	first []*model.Edge[N]               // items put first
	rest  []*model.Edge[N]               // the first hundred of the list, without what is hidden
	last  string                         // the cursor of the last of them
	more  bool                           // the list goes on
	cut   int                            // how many of the hundred are hidden
	hide  map[mixcloud.CanonicalKey]bool // keys that are shown first or not at all
}

// empty is a page of 0.
func (o *ownRead[T, N]) empty(ctx context.Context) (*model.Connection[N], error) {
	if o.from == nil {
		return connect(ctx, o.r, o.l.list, o.args)
	}
	page, err := connect(ctx, o.r, o.l.list, paging.Args{First: new(int), Since: o.args.Since, Until: o.args.Until})
	if err == nil {
		page.PageInfo.HasPreviousPage, page.PageInfo.HasNextPage = o.args.After != nil, o.args.Before != nil
	}
	return page, err
}

// part reads a part of the list within the bounds of the request.
func (o *ownRead[T, N]) part(ctx context.Context, args paging.Args) (*model.Connection[N], error) {
	args.Since, args.Until = o.args.Since, o.args.Until
	return connect(ctx, o.r, o.l.list, args)
}

// top reads the first hundred items and decides what is put first and what is
// hidden.
func (o *ownRead[T, N]) top(ctx context.Context) error {
	if o.read {
		return nil
	}
	most := paging.MaxPageSize
	page, err := o.part(ctx, paging.Args{First: &most})
	if err != nil {
		return err
	}
	o.read, o.more = true, page.PageInfo.HasNextPage
	edges := page.Edges(ctx)
	o.hide = map[mixcloud.CanonicalKey]bool{}
	var added []upstream.RecentWrite
	lags := false // a write before the one at hand is not shown
	for i, w := range slices.Backward(o.writes) {
		shown := (o.index(edges, w.Key) >= 0) == w.Want
		if w.Supersedes && w.Want {
			shown = shown && !lags && o.onTop(edges, i)
		}
		switch {
		case w.Listed || !o.within(w):
			continue
		case !w.Want:
			o.hide[w.Key] = true
		case !shown:
			added = append(added, w)
		}
		lags = lags || !shown
		// A list within bounds, or one that goes on, does not tell that an item is gone.
		if shown && (w.Want || !o.more) && o.args.Since == nil && o.args.Until == nil {
			loaders.From(ctx).Session().MarkListed(o.l.Own.Flag, w.Key)
		}
	}
	slices.Reverse(added)
	o.first = o.load(ctx, added)
	for _, e := range o.first {
		o.hide[o.l.key(e.Node)] = true
	}
	o.rest = slices.DeleteFunc(slices.Clone(edges), func(e *model.Edge[N]) bool { return o.hide[o.l.key(e.Node)] })
	if o.cut = len(edges) - len(o.rest); len(edges) > 0 {
		o.last = edges[len(edges)-1].Cursor
	}
	return nil
}

// index is where a key stands among edges; -1 if it does not.
func (o *ownRead[T, N]) index(edges []*model.Edge[N], key mixcloud.CanonicalKey) int {
	return slices.IndexFunc(edges, func(e *model.Edge[N]) bool { return o.l.key(e.Node) == key })
}

// onTop reports whether only items that were changed later stand above one that
// is listed.
func (o *ownRead[T, N]) onTop(edges []*model.Edge[N], write int) bool {
	for _, e := range edges[:o.index(edges, o.writes[write].Key)] {
		key := o.l.key(e.Node)
		if !slices.ContainsFunc(o.writes[:write], func(w upstream.RecentWrite) bool { return w.Key == key }) {
			return false
		}
	}
	return true
}

// within reports whether a write is within the bounds of the request.
func (o *ownRead[T, N]) within(w upstream.RecentWrite) bool {
	return (o.args.Since == nil || w.At.After(*o.args.Since)) && (o.args.Until == nil || w.At.Before(*o.args.Until))
}

// load makes edges of items that are put first. One that cannot be read, or that
// is known to be off the list again, is left out.
func (o *ownRead[T, N]) load(ctx context.Context, added []upstream.RecentWrite) []*model.Edge[N] {
	edges := make([]*model.Edge[N], len(added))
	var group sync.WaitGroup
	for i, w := range added {
		group.Go(func() {
			node, on, err := o.l.load(ctx, w.Key.Key())
			if err == nil && (on == nil || *on) {
				edges[i] = &model.Edge[N]{Cursor: paging.NewWriteCursor(w.Key.String(), w.At.UnixMilli()).Encode(o.bind), Node: node}
			}
		})
	}
	group.Wait()
	return slices.DeleteFunc(edges, func(e *model.Edge[N]) bool { return e == nil })
}

// fromTop gives the first items, those after a written one, or those after an
// offset.
func (o *ownRead[T, N]) fromTop(ctx context.Context) (*model.Connection[N], error) {
	if err := o.top(ctx); err != nil {
		return nil, err
	}
	all, start := slices.Concat(o.first, o.rest), 0
	switch {
	case o.from != nil:
		cursor, err := o.listed(ctx, *o.from)
		if err != nil {
			return nil, err
		}
		if cursor != "" {
			o.args.After = &cursor
			return o.below(ctx)
		}
		start = o.after(*o.from)
	case o.args.Offset != nil:
		start = *o.args.Offset
	}
	info := model.PageInfo{HasPreviousPage: o.from != nil || start > 0}
	if start > len(all) && o.more {
		offset := start - len(o.first) + o.cut
		return o.down(ctx, nil, paging.Args{First: &o.size, Offset: &offset}, info)
	}
	all = all[min(start, len(all)):]
	if len(all) >= o.size || !o.more {
		info.HasNextPage = len(all) > o.size || o.more
		return o.connection(all[:min(len(all), o.size)], info), nil
	}
	missing := o.size - len(all)
	return o.down(ctx, all, paging.Args{First: &missing, After: &o.last}, info)
}

// below gives what comes after a cursor of the list.
func (o *ownRead[T, N]) below(ctx context.Context) (*model.Connection[N], error) {
	return o.down(ctx, nil, o.args, model.PageInfo{HasPreviousPage: true})
}

// maxParts bounds the parts of a list that are read to make up for hidden items.
const maxParts = 3

// down adds a part of the list, and more where items are hidden.
func (o *ownRead[T, N]) down(ctx context.Context, edges []*model.Edge[N], args paging.Args, info model.PageInfo) (*model.Connection[N], error) {
	for range maxParts {
		page, err := o.part(ctx, args)
		if err != nil {
			return nil, err
		}
		part, err := o.visible(ctx, page.Edges(ctx))
		if err != nil {
			return nil, err
		}
		edges, info.HasNextPage = append(edges, part...), page.PageInfo.HasNextPage
		missing := o.size - len(edges)
		if missing <= 0 || !info.HasNextPage || page.PageInfo.EndCursor == nil {
			break
		}
		args = paging.Args{First: &missing, After: page.PageInfo.EndCursor}
	}
	return o.connection(edges, info), nil
}

// visible drops hidden items. Whether one that was added is put first instead is
// fixedTotal from the top of the list alone.
func (o *ownRead[T, N]) visible(ctx context.Context, edges []*model.Edge[N]) ([]*model.Edge[N], error) {
	wrote := map[mixcloud.CanonicalKey]bool{}
	for _, w := range o.writes {
		wrote[w.Key] = true
	}
	if !slices.ContainsFunc(edges, func(e *model.Edge[N]) bool { return wrote[o.l.key(e.Node)] }) {
		return edges, nil
	}
	if err := o.top(ctx); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(edges), func(e *model.Edge[N]) bool { return o.hide[o.l.key(e.Node)] }), nil
}

// above gives what comes before a cursor of the list.
func (o *ownRead[T, N]) above(ctx context.Context) (*model.Connection[N], error) {
	var edges []*model.Edge[N]
	args, info := o.args, model.PageInfo{}
	for i := range maxParts {
		page, err := o.part(ctx, args)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			info.HasNextPage = page.PageInfo.HasNextPage
		}
		part, err := o.visible(ctx, page.Edges(ctx))
		if err != nil {
			return nil, err
		}
		edges, info.HasPreviousPage = slices.Concat(part, edges), page.PageInfo.HasPreviousPage
		missing := o.size - len(edges)
		if missing <= 0 || !info.HasPreviousPage || page.PageInfo.StartCursor == nil {
			break
		}
		args = paging.Args{Last: &missing, Before: page.PageInfo.StartCursor}
	}
	if !info.HasPreviousPage {
		if err := o.top(ctx); err != nil {
			return nil, err
		}
		edges = slices.Concat(o.first, edges)
	}
	return o.lastOf(edges, info), nil
}

// lastOf cuts a page that was read backward.
func (o *ownRead[T, N]) lastOf(edges []*model.Edge[N], info model.PageInfo) *model.Connection[N] {
	if cut := len(edges) - o.size; cut > 0 {
		edges, info.HasPreviousPage = edges[cut:], true
	}
	return o.connection(edges, info)
}

// connection wraps a page. Of a list that was read as a whole it counts the items.
func (o *ownRead[T, N]) connection(edges []*model.Edge[N], info model.PageInfo) *model.Connection[N] {
	if len(edges) == 0 {
		edges = []*model.Edge[N]{}
		info.HasNextPage = info.HasNextPage && o.args.Last != nil
	}
	total, seen := o.l.total, max(len(edges), len(o.first)+len(o.rest))
	switch {
	case o.args.Since != nil || o.args.Until != nil:
		total = nil
	case o.read && !o.more:
		total = fixedTotal(&seen)
	case total != nil:
		total = atLeast(seen, total)
	}
	return model.NewConnection(edges, info, total)
}
