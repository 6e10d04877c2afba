package resolvers

import (
	"context"
	"time"

	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// uploads is the list of a user's cloudcasts.
func uploads(ctx context.Context, u *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	l := cloudcasts(ctx, mixcloud.Canonical(u.Key), u.Path(), "cloudcasts")
	l.time = func(c mixcloud.Cloudcast) time.Time { return timeOrZero(c.CreatedTime) }
	l.total = counter(u, func(u *mixcloud.FullUser) *int { return u.CloudcastCount })
	return l
}

// favorites is the list of what a user has favorited. Its items do not carry
// the time of it.
func favorites(ctx context.Context, u *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	l := cloudcasts(ctx, mixcloud.Canonical(u.Key), u.Path(), "favorites")
	l.total = func(ctx context.Context) (*int, error) { return favoriteCount(ctx, u) }
	return l
}

// listens is the list of what a user has listened to.
func listens(ctx context.Context, u *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	l := cloudcasts(ctx, mixcloud.Canonical(u.Key), u.Path(), "listens")
	l.time = func(c mixcloud.Cloudcast) time.Time { return timeOrZero(c.ListenTime) }
	l.repeats = true
	return l
}

// listeners is the list of the users who listened to a cloudcast. A user may be
// listed several times.
func listeners(ctx context.Context, c *model.Cloudcast) list[mixcloud.User, *model.User] {
	l := users(ctx, mixcloud.Canonical(c.Key), c.Key, "listeners")
	l.time = func(u mixcloud.User) time.Time { return timeOrZero(u.ListenTime) }
	l.total = fixedTotal(c.ListenerCount())
	l.repeats = true
	return l
}

// followers is the list of those who follow a user.
func followers(ctx context.Context, u *model.User) list[mixcloud.User, *model.User] {
	l := users(ctx, mixcloud.Canonical(u.Key), u.Path(), "followers")
	l.total = counter(u, func(u *mixcloud.FullUser) *int { return u.FollowerCount })
	return l
}

// following is the list of those whom a user follows.
func following(ctx context.Context, u *model.User) list[mixcloud.User, *model.User] {
	l := users(ctx, mixcloud.Canonical(u.Key), u.Path(), "following")
	l.total = func(ctx context.Context) (*int, error) { return followingCount(ctx, u) }
	return l
}

// feed is the list of what a user has done.
func feed(ctx context.Context, u *model.User) list[mixcloud.Activity, model.Activity] {
	owner := mixcloud.Canonical(u.Key)
	return list[mixcloud.Activity, model.Activity]{
		owner: owner, name: "feed", at: listBelow(u.Path(), "feed"), pages: loaders.From(ctx).ActivityPages,
		key:  func(a mixcloud.Activity) string { return a.Key },
		time: func(a mixcloud.Activity) time.Time { return timeOrZero(a.CreatedTime) },
		wrap: func(a *mixcloud.Activity) model.Activity { return model.NewActivity(a, owner) },
	}
}

// playlists is the list of a user's playlists.
func playlists(ctx context.Context, u *model.User) list[mixcloud.Playlist, *model.Playlist] {
	return list[mixcloud.Playlist, *model.Playlist]{
		owner: mixcloud.Canonical(u.Key), name: "playlists", at: listBelow(u.Path(), "playlists"),
		pages: loaders.From(ctx).PlaylistPages,
		key:   func(p mixcloud.Playlist) string { return p.Key }, wrap: model.NewPlaylist,
	}
}

// tags is the list of tags that a search gives.
func tags(ctx context.Context) list[mixcloud.Tag, *model.Tag] {
	return list[mixcloud.Tag, *model.Tag]{
		name: "tags", pages: loaders.From(ctx).TagPages,
		key: func(t mixcloud.Tag) string { return t.Key }, wrap: model.NewTag,
	}
}

// listenLater reads what the viewer has put aside; nil for everybody else.
func (r *Resolver) listenLater(ctx context.Context, u *model.User, args paging.Args) (*model.CloudcastConnection, error) {
	if _, err := paging.Check(args); err != nil {
		return nil, err
	}
	viewer, err := isViewer(ctx, u)
	if err != nil || !viewer {
		return nil, err
	}
	return connectOwn(ctx, r, u, ownCloudcasts(upstream.ListenLater, laters(ctx, u)), args)
}

// laters is the list of what the viewer has put aside.
func laters(ctx context.Context, viewer *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return cloudcasts(ctx, mixcloud.Canonical(viewer.Key), "/me/", "listen-later")
}

// counter gives Mixcloud's own count of a user's list, by the user's load if
// need be.
func counter(u *model.User, member func(*mixcloud.FullUser) *int) func(context.Context) (*int, error) {
	return func(ctx context.Context) (*int, error) { return ofUser(ctx, u, member) }
}

// fixedTotal gives a count that came along.
func fixedTotal(count *int) func(context.Context) (*int, error) {
	return func(context.Context) (*int, error) { return count, nil }
}
