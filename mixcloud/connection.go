package mixcloud

import (
	"context"
	"strings"
)

// meKey stands for the holder of the token as the owner of a list.
const meKey = "/me/"

// The methods below fetch a part of a list that hangs on a resource. They take
// the owner's key as received, or any address that [Client.ParseRef] reads; the
// lists of a user take "/me/" too, for the holder of the client's token.

// UserCloudcasts fetches a part of a user's uploads, the newest first.
func (c *Client) UserCloudcasts(ctx context.Context, user string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "UserCloudcasts", user, "cloudcasts", r, KindUser)
}

// UserFavorites fetches a part of a user's favorites, the latest first. The
// time of favoriting is in no item, only in the page's links.
func (c *Client) UserFavorites(ctx context.Context, user string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "UserFavorites", user, "favorites", r, KindUser)
}

// UserListens fetches a part of what a user listened to, the latest first; its
// items have a ListenTime. Some users hide it from others.
func (c *Client) UserListens(ctx context.Context, user string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "UserListens", user, "listens", r, KindUser)
}

// UserFollowers fetches a part of a user's followers, the latest first. The
// time of following is in no item, only in the page's links.
func (c *Client) UserFollowers(ctx context.Context, user string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "UserFollowers", user, "followers", r, KindUser)
}

// UserFollowing fetches a part of whom a user follows, the latest first. The
// time of following is in no item, only in the page's links.
func (c *Client) UserFollowing(ctx context.Context, user string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "UserFollowing", user, "following", r, KindUser)
}

// UserComments fetches a part of the comments on a user's profile.
func (c *Client) UserComments(ctx context.Context, user string, r Range) (*Page[Comment], error) {
	return listOf[Comment](ctx, c, "UserComments", user, "comments", r, KindUser)
}

// UserFeed fetches a part of what a user did.
func (c *Client) UserFeed(ctx context.Context, user string, r Range) (*Page[Activity], error) {
	return listOf[Activity](ctx, c, "UserFeed", user, "feed", r, KindUser)
}

// UserPlaylists fetches a part of a user's playlists.
func (c *Client) UserPlaylists(ctx context.Context, user string, r Range) (*Page[Playlist], error) {
	return listOf[Playlist](ctx, c, "UserPlaylists", user, "playlists", r, KindUser)
}

// ListenLater fetches a part of what the holder of the token put aside. The
// list exists under "/me/" only (said by a client).
func (c *Client) ListenLater(ctx context.Context, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "ListenLater", meKey, "listen-later", r, KindUser)
}

// CloudcastComments fetches a part of the comments on a cloudcast.
func (c *Client) CloudcastComments(ctx context.Context, cloudcast string, r Range) (*Page[Comment], error) {
	return listOf[Comment](ctx, c, "CloudcastComments", cloudcast, "comments", r, KindCloudcast)
}

// CloudcastFavorites fetches a part of the users who favorited a cloudcast.
func (c *Client) CloudcastFavorites(ctx context.Context, cloudcast string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "CloudcastFavorites", cloudcast, "favorites", r, KindCloudcast)
}

// CloudcastListeners fetches a part of the users who listened to a cloudcast.
func (c *Client) CloudcastListeners(ctx context.Context, cloudcast string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "CloudcastListeners", cloudcast, "listeners", r, KindCloudcast)
}

// CloudcastSimilar fetches a part of the cloudcasts similar to one.
func (c *Client) CloudcastSimilar(ctx context.Context, cloudcast string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "CloudcastSimilar", cloudcast, "similar", r, KindCloudcast)
}

// PlaylistCloudcasts fetches a part of a playlist's contents.
func (c *Client) PlaylistCloudcasts(ctx context.Context, playlist string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "PlaylistCloudcasts", playlist, "cloudcasts", r, KindPlaylist)
}

// CategoryCloudcasts fetches a category's cloudcasts. A category's lists
// cannot be paged: they ignore limit and offset (said by a client).
func (c *Client) CategoryCloudcasts(ctx context.Context, category string) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "CategoryCloudcasts", category, "cloudcasts", Range{}, KindCategory)
}

// CategoryUsers fetches a category's users; see [Client.CategoryCloudcasts].
func (c *Client) CategoryUsers(ctx context.Context, category string) (*Page[User], error) {
	return listOf[User](ctx, c, "CategoryUsers", category, "users", Range{}, KindCategory)
}

// CategoryUserpickCloudcasts fetches the cloudcasts picked for a category; see
// [Client.CategoryCloudcasts].
func (c *Client) CategoryUserpickCloudcasts(ctx context.Context, category string) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "CategoryUserpickCloudcasts", category, "userpick-cloudcasts", Range{}, KindCategory)
}

// CategoryUserpickUsers fetches the users picked for a category; see
// [Client.CategoryCloudcasts].
func (c *Client) CategoryUserpickUsers(ctx context.Context, category string) (*Page[User], error) {
	return listOf[User](ctx, c, "CategoryUserpickUsers", category, "userpick-users", Range{}, KindCategory)
}

// shelves own the lists popular, latest, new and hot.
var shelves = []Kind{KindTag, KindCity, KindArtist, KindTrack}

// PopularOf fetches a part of the popular cloudcasts of a tag, a city, a
// combination of them ([DiscoverKey]), an artist or a track.
func (c *Client) PopularOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "PopularOf", owner, "popular", r, shelves...)
}

// LatestOf fetches a part of the latest cloudcasts of a tag, a city or a
// combination of them. Clients of 2023 to 2026 ask for it; before, the list
// was that of [Client.NewOf].
func (c *Client) LatestOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "LatestOf", owner, "latest", r, KindTag, KindCity)
}

// NewOf fetches a part of the newest cloudcasts of the same owners as
// [Client.PopularOf]; observed 2012 to 2018.
func (c *Client) NewOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "NewOf", owner, "new", r, shelves...)
}

// HotOf fetches a part of the hot cloudcasts of the same owners as
// [Client.PopularOf]; observed 2012 to 2018.
func (c *Client) HotOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "HotOf", owner, "hot", r, shelves...)
}

// listOf fetches a part of the list called name of an owner of one of kinds.
func listOf[T any, P decodable[T]](ctx context.Context, c *Client, op, owner, name string, r Range, kinds ...Kind) (*Page[T], error) {
	key := meKey
	if kinds[0] != KindUser || strings.Trim(owner, "/") != "me" {
		var err error
		if key, err = c.keyOf(owner, kinds...); err != nil {
			return nil, err
		}
	}
	return list[T, P](ctx, c, op, key+name+"/", nil, r)
}
