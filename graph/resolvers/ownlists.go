package resolvers

import (
	"context"
	"slices"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// The viewer's own lists show the viewer's recent writes, although Mixcloud's reads
// lag behind its writes. For a minute after a write, or until Mixcloud shows it in
// the list, an added item is put first and a removed item is hidden. An added item
// that Mixcloud shows among the first hundred stays at its position there. If the
// opposite write came shortly before, that can be the item's old position. The item
// then stays only if all items above it were added later. An item that is put first
// has a cursor of its own (paging.ByWrite). A page after this cursor is read from
// the top of the list, so that no item is skipped or repeated if Mixcloud shows the
// new item by then. The cursor works on every replica at any time.

// An ownList is a list that the viewer's own writes change, such as the favorites.
type ownList[T, N any] struct {
	list[T, N]
	nodeKey func(N) mixcloud.CanonicalKey
	// load returns the item of a key, and whether its flag is on; nil if unknown.
	load func(ctx context.Context, key mixcloud.Key) (N, *bool, error)
}

func ownCloudcasts(l list[mixcloud.Cloudcast, *model.Cloudcast]) ownList[mixcloud.Cloudcast, *model.Cloudcast] {
	return ownList[mixcloud.Cloudcast, *model.Cloudcast]{
		l, func(c *model.Cloudcast) mixcloud.CanonicalKey { return c.Key.Canonical() },
		func(ctx context.Context, key mixcloud.Key) (*model.Cloudcast, *bool, error) {
			c, err := loaders.Cloudcasts.Load(ctx, key)
			if err != nil {
				return nil, nil, err
			}
			return model.NewFullCloudcast(c), flagOf(c, l.Writable.Flag), nil
		},
	}
}

func ownUsers(l list[mixcloud.User, *model.User]) ownList[mixcloud.User, *model.User] {
	return ownList[mixcloud.User, *model.User]{
		l, func(u *model.User) mixcloud.CanonicalKey { return u.Key.Canonical() },
		func(ctx context.Context, key mixcloud.Key) (*model.User, *bool, error) {
			u, err := loaders.Users.Load(ctx, key)
			if err != nil {
				return nil, nil, err
			}
			return model.NewFullUser(u), u.Following, nil
		},
	}
}

// connectOwn is [connect] for an own list: it shows the viewer's recent writes if u
// is the viewer.
func connectOwn[T, N any](ctx context.Context, r *Resolver, u *model.User, l ownList[T, N], args paging.Args) (*model.Connection[N], error) {
	checked, err := paging.Check(args)
	if err != nil {
		return nil, err
	}
	o := &ownRead[T, N]{r: r, l: l, args: args, size: checked.Size(), binding: checked.Bind(l.identity())}
	if err := o.parseCursor(); err != nil {
		return nil, err
	}
	if o.size == 0 {
		return o.empty(ctx)
	}
	if o.writes = writesTo(ctx, u, l.Writable.Flag); o.cursor == nil && len(o.writes) == 0 {
		page, err := connect(ctx, r, l.list, args)
		if err != nil {
			return nil, err
		}
		// The read may have loaded writes of other replicas.
		if o.writes = writesTo(ctx, u, l.Writable.Flag); len(o.writes) == 0 {
			return page, nil
		}
	}
	switch {
	case args.Last != nil && o.cursor == nil:
		return o.before(ctx)
	case args.Last != nil:
		return o.beforeWritten(ctx)
	case args.After != nil && o.cursor == nil:
		return o.after(ctx)
	default:
		return o.fromTop(ctx)
	}
}

// writesTo returns the viewer's recent writes of a flag, the latest first. It returns
// nil if u is another user, or if Mixcloud has shown all of them in the list.
func writesTo(ctx context.Context, u *model.User, flag upstream.Flag) []upstream.RecentWrite {
	writes := loaders.From(ctx).Session().Recent(flag)
	if !slices.ContainsFunc(writes, func(w upstream.RecentWrite) bool { return !w.Listed }) {
		return nil
	}
	if viewer, err := isViewer(ctx, u); err != nil || !viewer {
		return nil
	}
	return writes
}
