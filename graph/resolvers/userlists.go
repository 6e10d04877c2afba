package resolvers

import (
	"context"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

// userCloudcasts returns the list of the cloudcasts that a user has uploaded.
func userCloudcasts(ctx context.Context, u *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return counted(u, cloudcasts(ctx, u.Key.Canonical(), u.Path(), lists.UserCloudcasts))
}

// favorites returns the list of the cloudcasts that a user has favorited.
func favorites(ctx context.Context, u *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return counted(u, cloudcasts(ctx, u.Key.Canonical(), u.Path(), lists.UserFavorites))
}

// listens returns the list of the cloudcasts that a user has listened to.
func listens(ctx context.Context, u *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	l := cloudcasts(ctx, u.Key.Canonical(), u.Path(), lists.UserListens)
	l.time = "listen_time"
	return l
}

// listeners returns the list of the users who listened to a cloudcast. A user can be
// listed several times.
func listeners(ctx context.Context, c *model.Cloudcast) list[mixcloud.User, *model.User] {
	l := users(ctx, c.Key.Canonical(), c.Key.String(), lists.CloudcastListeners)
	l.total = fixedTotal(c.ListenerCount())
	return l
}

// followers returns the list of the users who follow a user.
func followers(ctx context.Context, u *model.User) list[mixcloud.User, *model.User] {
	return counted(u, users(ctx, u.Key.Canonical(), u.Path(), lists.UserFollowers))
}

// following returns the list of the users that a user follows.
func following(ctx context.Context, u *model.User) list[mixcloud.User, *model.User] {
	return counted(u, users(ctx, u.Key.Canonical(), u.Path(), lists.UserFollowing))
}

// feed returns the list of a user's activities.
func feed(ctx context.Context, u *model.User) list[mixcloud.Activity, model.Activity] {
	owner := u.Key.Canonical()
	return list[mixcloud.Activity, model.Activity]{
		List: lists.UserFeed, owner: owner.String(), name: lists.UserFeed.Segment,
		page: pagesBelow(u.Path(), lists.UserFeed.Segment), pages: loaders.ActivityPages,
		time:    "created_time",
		newNode: func(a *mixcloud.Activity) model.Activity { return model.NewActivity(a, owner) },
	}
}

// playlists returns the list of a user's playlists.
func playlists(ctx context.Context, u *model.User) list[mixcloud.Playlist, *model.Playlist] {
	return list[mixcloud.Playlist, *model.Playlist]{
		List: lists.UserPlaylists, owner: u.Key.Canonical().String(), name: lists.UserPlaylists.Segment,
		page: pagesBelow(u.Path(), lists.UserPlaylists.Segment), pages: loaders.PlaylistPages,
		newNode: model.NewPlaylist,
	}
}

// tags returns the list of the tags that a search finds, without the search's query.
func tags(ctx context.Context) list[mixcloud.Tag, *model.Tag] {
	return list[mixcloud.Tag, *model.Tag]{
		List: lists.SearchTags, name: lists.SearchTags.Segment, pages: loaders.TagPages,
		newNode: model.NewTag,
	}
}

// listenLater reads the viewer's listen-later list. It returns nil for other users.
func (r *Resolver) listenLater(ctx context.Context, u *model.User, args paging.Args) (*model.CloudcastConnection, error) {
	if _, err := paging.Check(args); err != nil {
		return nil, err
	}
	viewer, err := isViewer(ctx, u)
	if err != nil || !viewer {
		return nil, err
	}
	return connectOwn(ctx, r, u, ownCloudcasts(listenLaterCloudcasts(ctx, u)), args)
}

// listenLaterCloudcasts returns the viewer's listen-later list.
func listenLaterCloudcasts(ctx context.Context, viewer *model.User) list[mixcloud.Cloudcast, *model.Cloudcast] {
	return cloudcasts(ctx, viewer.Key.Canonical(), "/me/", lists.UserListenLater)
}

// counted adds Mixcloud's counter to a user's list. The counter is a member of the
// full user, which is loaded if totalCount is selected.
func counted[T, N any](u *model.User, l list[T, N]) list[T, N] {
	l.total = func(ctx context.Context) (*int, error) { return countOf(ctx, u, l.List) }
	return l
}

// countOf returns Mixcloud's count of a user's list. The count of the viewer's own
// list is corrected for the viewer's recent writes.
func countOf(ctx context.Context, u *model.User, l lists.List) (*int, error) {
	if l.Writable != nil {
		return ownCount(ctx, u, l.Writable.Flag, l.Count)
	}
	return userMember(ctx, u, l.Count)
}

// fixedTotal returns a function that returns count.
func fixedTotal(count *int) func(context.Context) (*int, error) {
	return func(context.Context) (*int, error) { return count, nil }
}
