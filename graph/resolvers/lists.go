package resolvers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/rawjson"
)

// A list is one connection of one object: T is the type of its items in REST, N that of its nodes
// in the graph. [lists.List] contains the properties that all connections of a field share.
type list[T, N any] struct {
	lists.List
	owner   string                               // canonical key of the owner, or the name of the root field
	name    string                               // path segment of the list, and its filter
	page    func(mixcloud.Range) loaders.PageKey // returns the key of a page
	pages   *loaders.Loader[loaders.PageKey, *loaders.Page[T]]
	time    string // member with the time when an item was added to the list; used if the list is dated
	newNode func(*T) N
	total   func(context.Context) (*int, error) // Mixcloud's counter; nil if there is none
}

// identity identifies the list in the binding of its cursors.
func (l list[T, N]) identity() string { return lists.Identity(l.owner, l.name) }

// connect reads the page of a list that the arguments select.
func connect[T, N any](ctx context.Context, r *Resolver, l list[T, N], args paging.Args) (*model.Connection[N], error) {
	var listedAt func(mixcloud.Item[T]) time.Time
	if l.Dated {
		listedAt = func(item mixcloud.Item[T]) time.Time { return item.Time(l.time) }
	}
	result, err := paging.Read(ctx, paging.List[mixcloud.Item[T]]{
		Identity: l.identity(),
		Fetch: func(ctx context.Context, part mixcloud.Range) (*loaders.Page[T], error) {
			page, err := l.pages.Load(ctx, l.page(part))
			if err == nil && page.Dropped > 0 {
				r.log.WarnContext(ctx, "items without a key were dropped", slog.String("list", l.owner+l.name), slog.Int("items", page.Dropped))
			}
			return page, err
		},
		Key:  func(item mixcloud.Item[T]) string { return item.Key.String() },
		Time: listedAt, Unpaged: l.Unpaged, Repeats: l.Repeats, LazyCursors: true, Log: r.log,
	}, args)
	if err != nil {
		return nil, err
	}
	total := l.total
	switch {
	case args.Since != nil || args.Until != nil:
		total = nil // Mixcloud counts the whole list, not the items between since and until
	case result.Total != nil:
		total = fixedTotal(result.Total)
	case total != nil:
		total = atLeast(result.MinTotal, total)
	}
	info := model.PageInfo{HasNextPage: result.HasNextPage, HasPreviousPage: result.HasPreviousPage}
	return model.NewItems(itemEdges[T, N]{result.Edges, l.newNode}, info, total), nil
}

// itemEdges are the items of a page with their cursors.
type itemEdges[T, N any] struct {
	edges   []paging.Edge[mixcloud.Item[T]]
	newNode func(*T) N
}

// Len implements [model.Items].
func (e itemEdges[T, N]) Len() int { return len(e.edges) }

// Cursor implements [model.Items].
func (e itemEdges[T, N]) Cursor(i int) string { return e.edges[i].EncodeCursor() }

// Node implements [model.Items].
func (e itemEdges[T, N]) Node(i int) N { return e.newNode(e.edges[i].Node.Value()) }

// JSON implements [model.Items].
func (e itemEdges[T, N]) JSON(i int) rawjson.Value {
	if item := e.edges[i].Node; !item.Replaced() {
		return item.JSON()
	}
	return rawjson.Value{}
}

// atLeast returns a counter that returns nil if the count is lower than the number
// of items that were seen in the list, and therefore wrong.
func atLeast(seen int, total func(context.Context) (*int, error)) func(context.Context) (*int, error) {
	return func(ctx context.Context) (*int, error) {
		count, err := total(ctx)
		if err != nil || count == nil || *count < seen {
			return nil, err
		}
		return count, nil
	}
}

// dateArgs returns the arguments of a list that Mixcloud may page by date.
func dateArgs(first *int, after *string, last *int, before *string, since, until *time.Time, offset *int) paging.Args {
	return paging.Args{First: first, After: after, Last: last, Before: before, Since: since, Until: until, Offset: offset}
}

// offsetArgs returns the arguments of a list that Mixcloud pages by offset.
func offsetArgs(first *int, after *string, last *int, before *string, offset *int) paging.Args {
	return paging.Args{First: first, After: after, Last: last, Before: before, Offset: offset}
}

// pagesBelow returns a function that returns the keys of the pages of a list below an
// owner's path.
func pagesBelow(path, segment string) func(mixcloud.Range) loaders.PageKey {
	return func(r mixcloud.Range) loaders.PageKey { return loaders.ListPage(path+segment+"/", r) }
}

// cloudcasts returns a list of cloudcasts whose owner is at a path.
func cloudcasts(ctx context.Context, owner mixcloud.CanonicalKey, path string, l lists.List) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return list[mixcloud.Cloudcast, *model.Cloudcast]{
		List: l, owner: owner.String(), name: l.Segment, page: pagesBelow(path, l.Segment), pages: loaders.CloudcastPages,
		time:    "created_time",
		newNode: model.NewCloudcast,
	}
}

// users returns a list of users whose owner is at a path.
func users(ctx context.Context, owner mixcloud.CanonicalKey, path string, l lists.List) list[mixcloud.User, *model.User] {
	return list[mixcloud.User, *model.User]{
		List: l, owner: owner.String(), name: l.Segment, page: pagesBelow(path, l.Segment), pages: loaders.UserPages,
		time:    "listen_time",
		newNode: model.NewUser,
	}
}

// comments returns a list of comments whose owner is at a path.
func comments(ctx context.Context, owner mixcloud.CanonicalKey, path string, l lists.List) list[mixcloud.Comment, *model.Comment] {
	return list[mixcloud.Comment, *model.Comment]{
		List: l, owner: owner.String(), name: l.Segment, page: pagesBelow(path, l.Segment), pages: loaders.CommentPages,
		time:    "submit_date",
		newNode: func(c *mixcloud.Comment) *model.Comment { return model.NewComment(c, owner) },
	}
}

// siteCloudcasts returns a list of the whole site's cloudcasts.
func siteCloudcasts(ctx context.Context, l lists.List) list[mixcloud.Cloudcast, *model.Cloudcast] {
	all := cloudcasts(ctx, mixcloud.CanonicalKey{}, "/", l)
	all.owner = "site"
	return all
}

// searchResults makes l the list of a search's results.
func searchResults[T, N any](l list[T, N], query string) list[T, N] {
	l.owner, l.name = "search", l.name+"|"+query
	l.page = func(r mixcloud.Range) loaders.PageKey { return loaders.SearchPage(query, r) }
	return l
}

// latest reads the newest cloudcasts of a tag, a city or a discovery. If Mixcloud returns 404 for
// the name of the list, latest tries the former name. If that succeeds, the process uses the former
// name from then on.
func (r *Resolver) latest(ctx context.Context, key mixcloud.Key, args paging.Args) (*model.CloudcastConnection, error) {
	owner := key.Canonical()
	return r.latestAt(ctx, owner, owner.String(), args)
}

// Segment returns the last segment of the path at which the resolvers read a list.
func (r *Resolver) Segment(l lists.List) string {
	if l.FormerSegment != "" && r.latestFormer.Load() {
		return l.FormerSegment
	}
	return l.Segment
}

// latestAt does the work of latest, for an owner whose lists are at a path.
func (r *Resolver) latestAt(ctx context.Context, owner mixcloud.CanonicalKey, path string, args paging.Args) (*model.CloudcastConnection, error) {
	read := func(segment string) (*model.CloudcastConnection, error) {
		l := cloudcasts(ctx, owner, path, lists.Latest) // cursors are the same under both names
		l.page = pagesBelow(path, segment)
		return connect(ctx, r, l, args)
	}
	if r.latestFormer.Load() {
		return read(r.Segment(lists.Latest))
	}
	connection, err := read(lists.Latest.Segment)
	if !errors.Is(err, mixcloud.ErrNotFound) {
		return connection, err
	}
	former, formerErr := read(lists.Latest.FormerSegment)
	if formerErr != nil {
		return nil, err
	}
	r.latestFormer.Store(true)
	return former, nil
}

// chart reads a list of cloudcasts of a tag, city, artist or track.
func (r *Resolver) chart(ctx context.Context, key mixcloud.Key, l lists.List, args paging.Args) (*model.CloudcastConnection, error) {
	owner := key.Canonical()
	return connect(ctx, r, cloudcasts(ctx, owner, owner.String(), l), args)
}
