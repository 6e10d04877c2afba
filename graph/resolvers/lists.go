package resolvers

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

// A list is everything that is particular to one connection: T are its items
// in REST, N its nodes in the graph.
type list[T, N any] struct {
	owner string // canonical key of the owner, or the root field's name
	name  string // the connection, and what filters it
	at    func(mixcloud.Range) loaders.List
	pages *loaders.Loader[loaders.List, *mixcloud.Page[T]]
	key   func(T) string
	time  func(T) time.Time // nil when items carry no time of the listing
	wrap  func(*T) N
	total func(context.Context) (*int, error) // Mixcloud's own counter; nil when there is none
	whole bool                                // Mixcloud ignores limit and offset
	// repeats says that one key may be listed more than once.
	repeats bool
}

// identity names the list in the binding of its cursors.
func (l list[T, N]) identity() string { return l.owner + "|" + l.name }

// connect reads the part of a list that the arguments ask for.
func connect[T, N any](ctx context.Context, r *Resolver, l list[T, N], args paging.Args) (*model.Connection[N], error) {
	result, err := paging.Read(ctx, paging.List[T]{
		Identity: l.identity(),
		Fetch: func(ctx context.Context, part mixcloud.Range) (*mixcloud.Page[T], error) {
			page, err := l.pages.Load(ctx, l.at(part))
			if err == nil && page.Dropped > 0 {
				r.log.WarnContext(ctx, "items without a key were dropped", slog.String("list", l.owner+l.name), slog.Int("items", page.Dropped))
			}
			return page, err
		},
		Key: l.key, Time: l.time, Whole: l.whole, Repeats: l.repeats, Log: r.log,
	}, args)
	if err != nil {
		return nil, err
	}
	edges := make([]*model.Edge[N], len(result.Edges))
	for i := range result.Edges {
		edges[i] = &model.Edge[N]{Cursor: result.Edges[i].Cursor, Node: l.wrap(result.Edges[i].Node)}
	}
	total := l.total
	switch {
	case args.Since != nil || args.Until != nil:
		total = nil // Mixcloud counts the whole list, not what lies within bounds
	case result.Total != nil:
		total = fixedTotal(result.Total)
	case total != nil:
		total = atLeast(result.Seen, total)
	}
	info := model.PageInfo{HasNextPage: result.HasNextPage, HasPreviousPage: result.HasPreviousPage}
	return model.NewConnection(edges, info, total), nil
}

// atLeast returns a counter that is null where the list itself disproves it: a
// count below the number of items that were seen.
func atLeast(seen int, total func(context.Context) (*int, error)) func(context.Context) (*int, error) {
	return func(ctx context.Context) (*int, error) {
		count, err := total(ctx)
		if err != nil || count == nil || *count < seen {
			return nil, err
		}
		return count, nil
	}
}

// dateArgs gathers the arguments of a list that Mixcloud may page by date.
func dateArgs(first *int, after *string, last *int, before *string, since, until *time.Time, offset *int) paging.Args {
	return paging.Args{First: first, After: after, Last: last, Before: before, Since: since, Until: until, Offset: offset}
}

// offsetArgs gathers the arguments of a list that Mixcloud pages by offset.
func offsetArgs(first *int, after *string, last *int, before *string, offset *int) paging.Args {
	return paging.Args{First: first, After: after, Last: last, Before: before, Offset: offset}
}

// listBelow gives the place of a list below an owner's path.
func listBelow(path, name string) func(mixcloud.Range) loaders.List {
	return func(r mixcloud.Range) loaders.List { return loaders.Path(path+name+"/", r) }
}

func cloudcasts(ctx context.Context, owner, path, name string) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return list[mixcloud.Cloudcast, *model.Cloudcast]{
		owner: owner, name: name, at: listBelow(path, name), pages: loaders.From(ctx).CloudcastPages,
		key: func(c mixcloud.Cloudcast) string { return c.Key }, wrap: model.NewCloudcast,
	}
}

func users(ctx context.Context, owner, path, name string) list[mixcloud.User, *model.User] {
	return list[mixcloud.User, *model.User]{
		owner: owner, name: name, at: listBelow(path, name), pages: loaders.From(ctx).UserPages,
		key: func(u mixcloud.User) string { return u.Key }, wrap: model.NewUser,
	}
}

func comments(ctx context.Context, owner, path string) list[mixcloud.Comment, *model.Comment] {
	return list[mixcloud.Comment, *model.Comment]{
		owner: owner, name: "comments", at: listBelow(path, "comments"), pages: loaders.From(ctx).CommentPages,
		key:  func(c mixcloud.Comment) string { return c.Key },
		time: func(c mixcloud.Comment) time.Time { return timeOrZero(c.SubmitDate) },
		wrap: func(c *mixcloud.Comment) *model.Comment { return model.NewComment(c, owner) },
	}
}

// timeOrZero is the zero time for a time that is absent.
func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// searched turns a list of an owner into one that a search gives.
func searched[T, N any](l list[T, N], query string) list[T, N] {
	l.owner, l.name = "search", l.name+"|"+query
	l.at = func(r mixcloud.Range) loaders.List { return loaders.Search(query, r) }
	return l
}

// wholeList marks a list that Mixcloud gives at once, whatever is asked for.
func wholeList[T, N any](l list[T, N]) list[T, N] {
	l.whole = true
	return l
}

// A latestName remembers, for the whole process, which word Mixcloud has for
// the newest cloudcasts of a tag: it was "new" until about 2018 and is "latest"
// since.
type latestName struct{ old atomic.Bool }

// latest reads the newest cloudcasts of a tag, a city or a discovery. If that
// list is not found under today's name, the old one is tried once.
func (r *Resolver) latest(ctx context.Context, key string, args paging.Args) (*model.CloudcastConnection, error) {
	owner := mixcloud.Canonical(key)
	return r.latestAt(ctx, owner, owner, args)
}

// latestAt is latest for an owner whose lists are at a path.
func (r *Resolver) latestAt(ctx context.Context, owner, path string, args paging.Args) (*model.CloudcastConnection, error) {
	read := func(name string) (*model.CloudcastConnection, error) {
		l := cloudcasts(ctx, owner, path, name)
		l.name = "latest" // one list under either name: cursors stay good
		return connect(ctx, r, l, args)
	}
	if r.tags.old.Load() {
		return read("new")
	}
	connection, err := read("latest")
	if !errors.Is(err, mixcloud.ErrNotFound) {
		return connection, err
	}
	old, oldErr := read("new")
	if oldErr != nil {
		return nil, err
	}
	r.tags.old.Store(true)
	return old, nil
}

// chart reads the popular or hot cloudcasts of a tag-like resource.
func (r *Resolver) chart(ctx context.Context, key, name string, args paging.Args) (*model.CloudcastConnection, error) {
	owner := mixcloud.Canonical(key)
	return connect(ctx, r, cloudcasts(ctx, owner, owner, name), args)
}
