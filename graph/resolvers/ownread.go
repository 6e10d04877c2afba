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

// An ownRead reads one page of an own list.
type ownRead[T, N any] struct {
	r       *Resolver
	l       ownList[T, N]
	args    paging.Args
	size    int // the requested number of items
	binding paging.Binding
	cursor  *paging.WriteCursor // the cursor in the arguments, if it is that of a written item
	writes  []upstream.RecentWrite

	// Set by readTop.
	topRead     bool
	added       []*model.Edge[N]               // the items that are put first
	listed      []*model.Edge[N]               // the first hundred items of the list, without the hidden ones
	listedEnd   string                         // the cursor of the last of the hundred
	hasMore     bool                           // the list has more than a hundred items
	hiddenCount int                            // how many of the hundred are hidden
	hidden      map[mixcloud.CanonicalKey]bool // keys that are put first or have been removed
}

// empty returns a page for a size of 0.
func (o *ownRead[T, N]) empty(ctx context.Context) (*model.Connection[N], error) {
	if o.cursor == nil {
		return connect(ctx, o.r, o.l.list, o.args)
	}
	page, err := connect(ctx, o.r, o.l.list, paging.Args{First: new(int), Since: o.args.Since, Until: o.args.Until})
	if err == nil {
		page.PageInfo.HasPreviousPage, page.PageInfo.HasNextPage = o.args.After != nil, o.args.Before != nil
	}
	return page, err
}

// readPage reads a page of the list from Mixcloud, between since and until.
func (o *ownRead[T, N]) readPage(ctx context.Context, args paging.Args) (*model.Connection[N], error) {
	args.Since, args.Until = o.args.Since, o.args.Until
	return connect(ctx, o.r, o.l.list, args)
}

// readTop reads the first hundred items and determines which items are put first
// and which are hidden.
func (o *ownRead[T, N]) readTop(ctx context.Context) error {
	if o.topRead {
		return nil
	}
	hundred := paging.MaxPageSize
	page, err := o.readPage(ctx, paging.Args{First: &hundred})
	if err != nil {
		return err
	}
	o.topRead, o.hasMore = true, page.PageInfo.HasNextPage
	edges := page.Edges(ctx)
	o.hidden = map[mixcloud.CanonicalKey]bool{}
	var added []upstream.RecentWrite
	lags := false // an earlier write is not shown
	for i, w := range slices.Backward(o.writes) {
		shown := (o.index(edges, w.Key) >= 0) == w.Want
		if w.Supersedes && w.Want {
			shown = shown && !lags && o.onTop(edges, i)
		}
		switch {
		case w.Listed || !o.inBounds(w):
			continue
		case !w.Want:
			o.hidden[w.Key] = true
		case !shown:
			added = append(added, w)
		}
		lags = lags || !shown
		// An item is known to be removed only if the whole list was read.
		if shown && (w.Want || !o.hasMore) && o.args.Since == nil && o.args.Until == nil {
			loaders.From(ctx).Session().MarkListed(o.l.Writable.Flag, w.Key)
		}
	}
	slices.Reverse(added)
	o.added = o.loadAdded(ctx, added)
	for _, e := range o.added {
		o.hidden[o.l.nodeKey(e.Node)] = true
	}
	o.listed = o.deleteHidden(edges)
	if o.hiddenCount = len(edges) - len(o.listed); len(edges) > 0 {
		o.listedEnd = edges[len(edges)-1].Cursor
	}
	return nil
}

// index returns the index of a key in edges, or -1.
func (o *ownRead[T, N]) index(edges []*model.Edge[N], key mixcloud.CanonicalKey) int {
	return slices.IndexFunc(edges, func(e *model.Edge[N]) bool { return o.l.nodeKey(e.Node) == key })
}

// onTop reports whether all items above a written item were written later.
func (o *ownRead[T, N]) onTop(edges []*model.Edge[N], write int) bool {
	for _, e := range edges[:o.index(edges, o.writes[write].Key)] {
		key := o.l.nodeKey(e.Node)
		if !slices.ContainsFunc(o.writes[:write], func(w upstream.RecentWrite) bool { return w.Key == key }) {
			return false
		}
	}
	return true
}

// inBounds reports whether a write lies between since and until.
func (o *ownRead[T, N]) inBounds(w upstream.RecentWrite) bool {
	return (o.args.Since == nil || w.At.After(*o.args.Since)) && (o.args.Until == nil || w.At.Before(*o.args.Until))
}

// loadAdded returns the edges of the items that are put first. It omits items that
// cannot be loaded, and items whose flag is off by now.
func (o *ownRead[T, N]) loadAdded(ctx context.Context, added []upstream.RecentWrite) []*model.Edge[N] {
	edges := make([]*model.Edge[N], len(added))
	var group sync.WaitGroup
	for i, w := range added {
		group.Go(func() {
			node, on, err := o.l.load(ctx, w.Key.Key())
			if err == nil && (on == nil || *on) {
				edges[i] = &model.Edge[N]{Cursor: paging.NewWriteCursor(w.Key.String(), w.At.UnixMilli()).Encode(o.binding), Node: node}
			}
		})
	}
	group.Wait()
	return slices.DeleteFunc(edges, func(e *model.Edge[N]) bool { return e == nil })
}

// fromTop returns the page at the top of the list, after an offset, or after the
// cursor of a written item.
func (o *ownRead[T, N]) fromTop(ctx context.Context) (*model.Connection[N], error) {
	if err := o.readTop(ctx); err != nil {
		return nil, err
	}
	all, start := slices.Concat(o.added, o.listed), 0
	switch {
	case o.cursor != nil:
		cursor, err := o.listCursor(ctx, *o.cursor)
		if err != nil {
			return nil, err
		}
		if cursor != "" {
			o.args.After = &cursor
			return o.after(ctx)
		}
		start = o.indexAfter(*o.cursor)
	case o.args.Offset != nil:
		start = *o.args.Offset
	}
	info := model.PageInfo{HasPreviousPage: o.cursor != nil || start > 0}
	if start > len(all) && o.hasMore {
		offset := start - len(o.added) + o.hiddenCount
		return o.fill(ctx, nil, paging.Args{First: &o.size, Offset: &offset}, info)
	}
	all = all[min(start, len(all)):]
	if len(all) >= o.size || !o.hasMore {
		info.HasNextPage = len(all) > o.size || o.hasMore
		return o.connection(all[:min(len(all), o.size)], info), nil
	}
	missing := o.size - len(all)
	return o.fill(ctx, all, paging.Args{First: &missing, After: &o.listedEnd}, info)
}

// after returns the page after a cursor of the list.
func (o *ownRead[T, N]) after(ctx context.Context) (*model.Connection[N], error) {
	return o.fill(ctx, nil, o.args, model.PageInfo{HasPreviousPage: true})
}

// maxReads is the maximum number of reads to fill one page from which hidden items
// were removed.
const maxReads = 3

// fill appends items of the list to edges, from args on, until the page is full.
func (o *ownRead[T, N]) fill(ctx context.Context, edges []*model.Edge[N], args paging.Args, info model.PageInfo) (*model.Connection[N], error) {
	for range maxReads {
		page, err := o.readPage(ctx, args)
		if err != nil {
			return nil, err
		}
		visible, err := o.visible(ctx, page.Edges(ctx))
		if err != nil {
			return nil, err
		}
		edges, info.HasNextPage = append(edges, visible...), page.PageInfo.HasNextPage
		missing := o.size - len(edges)
		if missing <= 0 || !info.HasNextPage || page.PageInfo.EndCursor == nil {
			break
		}
		args = paging.Args{First: &missing, After: page.PageInfo.EndCursor}
	}
	return o.connection(edges, info), nil
}

// visible returns edges without the hidden items. It reads the top of the list first
// if edges contain written items, because that determines which of them are hidden.
func (o *ownRead[T, N]) visible(ctx context.Context, edges []*model.Edge[N]) ([]*model.Edge[N], error) {
	written := map[mixcloud.CanonicalKey]bool{}
	for _, w := range o.writes {
		written[w.Key] = true
	}
	if !slices.ContainsFunc(edges, func(e *model.Edge[N]) bool { return written[o.l.nodeKey(e.Node)] }) {
		return edges, nil
	}
	if err := o.readTop(ctx); err != nil {
		return nil, err
	}
	return o.deleteHidden(edges), nil
}

// deleteHidden returns a copy of edges without the hidden items.
func (o *ownRead[T, N]) deleteHidden(edges []*model.Edge[N]) []*model.Edge[N] {
	return slices.DeleteFunc(slices.Clone(edges), func(e *model.Edge[N]) bool { return o.hidden[o.l.nodeKey(e.Node)] })
}

// before returns the page before a cursor of the list.
func (o *ownRead[T, N]) before(ctx context.Context) (*model.Connection[N], error) {
	var edges []*model.Edge[N]
	args, info := o.args, model.PageInfo{}
	for i := range maxReads {
		page, err := o.readPage(ctx, args)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			info.HasNextPage = page.PageInfo.HasNextPage
		}
		visible, err := o.visible(ctx, page.Edges(ctx))
		if err != nil {
			return nil, err
		}
		edges, info.HasPreviousPage = slices.Concat(visible, edges), page.PageInfo.HasPreviousPage
		missing := o.size - len(edges)
		if missing <= 0 || !info.HasPreviousPage || page.PageInfo.StartCursor == nil {
			break
		}
		args = paging.Args{Last: &missing, Before: page.PageInfo.StartCursor}
	}
	if !info.HasPreviousPage {
		if err := o.readTop(ctx); err != nil {
			return nil, err
		}
		edges = slices.Concat(o.added, edges)
	}
	return o.lastPage(edges, info), nil
}

// lastPage returns a connection of the last items of edges, at most a page.
func (o *ownRead[T, N]) lastPage(edges []*model.Edge[N], info model.PageInfo) *model.Connection[N] {
	if excess := len(edges) - o.size; excess > 0 {
		edges, info.HasPreviousPage = edges[excess:], true
	}
	return o.connection(edges, info)
}

// connection returns a connection of edges. Its total is the number of items if the
// whole list was read.
func (o *ownRead[T, N]) connection(edges []*model.Edge[N], info model.PageInfo) *model.Connection[N] {
	if len(edges) == 0 {
		edges = []*model.Edge[N]{}
		info.HasNextPage = info.HasNextPage && o.args.Last != nil
	}
	total, seen := o.l.total, max(len(edges), len(o.added)+len(o.listed))
	switch {
	case o.args.Since != nil || o.args.Until != nil:
		total = nil
	case o.topRead && !o.hasMore:
		total = fixedTotal(&seen)
	case total != nil:
		total = atLeast(seen, total)
	}
	return model.NewConnection(edges, info, total)
}
