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

// The viewer's own lists show what the viewer has just written, although
// Mixcloud's reads lag behind. For a minute after a write, or until the list is
// seen to show it, an item that was added is put first and one that was removed is
// left out. The first hundred items of the list, as Mixcloud shows them, decide:
// an added item that is among them stays where it is. If the opposite was written
// shortly before, it may be at its old place there, so only items that were added
// later may stand above it. An item that was put first has a cursor of its own
// (paging.ByWrite): what comes after it is read from the top of the list again, so
// nothing is skipped or repeated when Mixcloud shows the item meanwhile, and any
// replica can go on from it at any time.

// An ownList is a list of a user that the actions of the viewer change.
type ownList[T, N any] struct {
	list[T, N]
	key func(N) mixcloud.CanonicalKey
	// load returns the item of a key, and whether the flag is on; nil if unknown.
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
			return model.NewFullCloudcast(c), flagOf(c, l.Own.Flag), nil
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

// connectOwn is connect for a list that the viewer's own writes change, if u is
// the viewer.
func connectOwn[T, N any](ctx context.Context, r *Resolver, u *model.User, l ownList[T, N], args paging.Args) (*model.Connection[N], error) {
	asked, err := paging.Check(args)
	if err != nil {
		return nil, err
	}
	o := &ownRead[T, N]{r: r, l: l, args: args, size: asked.Size(), bind: asked.Bind(l.identity())}
	if err := o.parseCursor(); err != nil {
		return nil, err
	}
	if o.size == 0 {
		return o.empty(ctx)
	}
	if o.writes = writesTo(ctx, u, l.Own.Flag); o.from == nil && len(o.writes) == 0 {
		page, err := connect(ctx, r, l.list, args)
		if err != nil {
			return nil, err
		}
		// Writes that went through another replica become known with the first read.
		if o.writes = writesTo(ctx, u, l.Own.Flag); len(o.writes) == 0 {
			return page, nil
		}
	}
	switch {
	case args.Last != nil && o.from == nil:
		return o.above(ctx)
	case args.Last != nil:
		return o.aboveWritten(ctx)
	case args.After != nil && o.from == nil:
		return o.below(ctx)
	default:
		return o.fromTop(ctx)
	}
}

// writesTo are the viewer's latest writes of a flag, the latest first; none if u
// is somebody else or the list was seen to show all of them.
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
