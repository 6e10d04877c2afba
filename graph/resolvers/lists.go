package resolvers

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

// A list is one connection of one object: T are its items in REST, N its nodes in
// the graph. What holds for all connections of a field is in [lists.List].
type list[T, N any] struct {
	lists.List
	owner string // canonical key of the owner, or the root field's name
	name  string // the segment of its address, and what filters it
	at    func(mixcloud.Range) loaders.List
	pages *loaders.Loader[loaders.List, *mixcloud.Page[T]]
	key   func(T) string
	time  func(T) time.Time // when an item came onto the list; used if the list is dated
	wrap  func(*T) N
	total func(context.Context) (*int, error) // Mixcloud's own counter; nil when there is none
}

// identity names the list in the binding of its cursors.
func (l list[T, N]) identity() string { return listIdentity(l.owner, l.name) }

// listIdentity is the identity of a list of an owner.
func listIdentity(owner, name string) string { return owner + "|" + name }

// connect reads the part of a list that the arguments ask for.
func connect[T, N any](ctx context.Context, r *Resolver, l list[T, N], args paging.Args) (*model.Connection[N], error) {
	listedAt := l.time
	if !l.Dated {
		listedAt = nil
	}
	result, err := paging.Read(ctx, paging.List[T]{
		Identity: l.identity(),
		Fetch: func(ctx context.Context, part mixcloud.Range) (*mixcloud.Page[T], error) {
			page, err := l.pages.Load(ctx, l.at(part))
			if err == nil && page.Dropped > 0 {
				r.log.WarnContext(ctx, "items without a key were dropped", slog.String("list", l.owner+l.name), slog.Int("items", page.Dropped))
			}
			return page, err
		},
		Key: l.key, Time: listedAt, Whole: l.Whole, Repeats: l.Repeats, Log: r.log,
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

func cloudcasts(ctx context.Context, owner mixcloud.CanonicalKey, path string, l lists.List) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return list[mixcloud.Cloudcast, *model.Cloudcast]{
		List: l, owner: owner.String(), name: l.Segment, at: listBelow(path, l.Segment), pages: loaders.CloudcastPages,
		key:  func(c mixcloud.Cloudcast) string { return c.Key.String() },
		time: func(c mixcloud.Cloudcast) time.Time { return timeOrZero(c.CreatedTime) },
		wrap: model.NewCloudcast,
	}
}

func users(ctx context.Context, owner mixcloud.CanonicalKey, path string, l lists.List) list[mixcloud.User, *model.User] {
	return list[mixcloud.User, *model.User]{
		List: l, owner: owner.String(), name: l.Segment, at: listBelow(path, l.Segment), pages: loaders.UserPages,
		key:  func(u mixcloud.User) string { return u.Key.String() },
		time: func(u mixcloud.User) time.Time { return timeOrZero(u.ListenTime) },
		wrap: model.NewUser,
	}
}

func comments(ctx context.Context, owner mixcloud.CanonicalKey, path string, l lists.List) list[mixcloud.Comment, *model.Comment] {
	return list[mixcloud.Comment, *model.Comment]{
		List: l, owner: owner.String(), name: l.Segment, at: listBelow(path, l.Segment), pages: loaders.CommentPages,
		key:  func(c mixcloud.Comment) string { return c.Key.String() },
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

// site returns a list of the whole site's cloudcasts.
func site(ctx context.Context, l lists.List) list[mixcloud.Cloudcast, *model.Cloudcast] {
	all := cloudcasts(ctx, mixcloud.CanonicalKey{}, "/", l)
	all.owner = "site"
	return all
}

// searched turns a list of an owner into one that a search gives.
func searched[T, N any](l list[T, N], query string) list[T, N] {
	l.owner, l.name = "search", l.name+"|"+query
	l.at = func(r mixcloud.Range) loaders.List { return loaders.Search(query, r) }
	return l
}

// A latestName remembers, for the whole process, whether Mixcloud has the newest
// cloudcasts of a tag under the former name of that list.
type latestName struct{ old atomic.Bool }

// latest reads the newest cloudcasts of a tag, a city or a discovery. If that
// list is not found under today's name, the old one is tried once.
func (r *Resolver) latest(ctx context.Context, key mixcloud.Key, args paging.Args) (*model.CloudcastConnection, error) {
	owner := key.Canonical()
	return r.latestAt(ctx, owner, owner.String(), args)
}

// latestAt is latest for an owner whose lists are at a path.
func (r *Resolver) latestAt(ctx context.Context, owner mixcloud.CanonicalKey, path string, args paging.Args) (*model.CloudcastConnection, error) {
	read := func(segment string) (*model.CloudcastConnection, error) {
		l := cloudcasts(ctx, owner, path, lists.Latest) // the same cursors under either name
		l.at = listBelow(path, segment)
		return connect(ctx, r, l, args)
	}
	if r.tags.old.Load() {
		return read(lists.Latest.Former)
	}
	connection, err := read(lists.Latest.Segment)
	if !errors.Is(err, mixcloud.ErrNotFound) {
		return connection, err
	}
	old, oldErr := read(lists.Latest.Former)
	if oldErr != nil {
		return nil, err
	}
	r.tags.old.Store(true)
	return old, nil
}

// chart reads the popular or hot cloudcasts of a tag-like resource.
func (r *Resolver) chart(ctx context.Context, key mixcloud.Key, l lists.List, args paging.Args) (*model.CloudcastConnection, error) {
	owner := key.Canonical()
	return connect(ctx, r, cloudcasts(ctx, owner, owner.String(), l), args)
}
