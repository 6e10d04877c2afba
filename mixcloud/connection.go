package mixcloud

import (
	"context"
	"slices"
	"strings"
)

// meKey is the key of the user who owns the token, in the paths of lists.
const meKey = "/me/"

// listEndpoints are the endpoints of the methods in this file.
var listEndpoints = slices.Concat(
	userEndpoints("/{user}/"),
	userEndpoints("/me/"),
	[]Endpoint{
		{"GET", "/me/listen-later/", "ListenLater"},
		{"GET", "/{user}/{cloudcast}/comments/", "CloudcastComments"},
		{"GET", "/{user}/{cloudcast}/favorites/", "CloudcastFavorites"},
		{"GET", "/{user}/{cloudcast}/listeners/", "CloudcastListeners"},
		{"GET", "/{user}/{cloudcast}/similar/", "CloudcastSimilar"},
		{"GET", "/{user}/playlists/{playlist}/cloudcasts/", "PlaylistCloudcasts"},
		{"GET", "/categories/{category}/cloudcasts/", "CategoryCloudcasts"},
		{"GET", "/categories/{category}/users/", "CategoryUsers"},
		{"GET", "/categories/{category}/userpick-cloudcasts/", "CategoryUserpickCloudcasts"},
		{"GET", "/categories/{category}/userpick-users/", "CategoryUserpickUsers"},
	},
	tagEndpoints("/genres/{tags}/"),
	tagEndpoints("/discover/{tags}/"),
	tagEndpoints("/tag/{tags}/"),
	[]Endpoint{
		{"GET", "/artist/{artist}/popular/", "PopularOf"},
		{"GET", "/artist/{artist}/new/", "NewestOf"},
		{"GET", "/artist/{artist}/hot/", "HotOf"},
		{"GET", "/track/{artist}/{track}/popular/", "PopularOf"},
		{"GET", "/track/{artist}/{track}/new/", "NewestOf"},
		{"GET", "/track/{artist}/{track}/hot/", "HotOf"},
	},
)

// userEndpoints returns the lists of a user. owner is the path of the user.
func userEndpoints(owner string) []Endpoint {
	return []Endpoint{
		{"GET", owner + "cloudcasts/", "UserCloudcasts"},
		{"GET", owner + "favorites/", "UserFavorites"},
		{"GET", owner + "listens/", "UserListens"},
		{"GET", owner + "followers/", "UserFollowers"},
		{"GET", owner + "following/", "UserFollowing"},
		{"GET", owner + "comments/", "UserComments"},
		{"GET", owner + "feed/", "UserFeed"},
		{"GET", owner + "playlists/", "UserPlaylists"},
	}
}

// tagEndpoints returns the lists of a tag. owner is the path of the tag.
func tagEndpoints(owner string) []Endpoint {
	return []Endpoint{
		{"GET", owner + "popular/", "PopularOf"},
		{"GET", owner + "latest/", "LatestOf"},
		{"GET", owner + "new/", "NewestOf"},
		{"GET", owner + "hot/", "HotOf"},
	}
}

// Each of the methods below returns one page of a list that belongs to a resource,
// such as the followers of a user. They accept the key or any URL of the resource
// that [Client.ParseRef] reads. The lists of a user also accept "/me/", for the
// user who owns the client's token.

// UserCloudcasts returns a page of a user's uploads, newest first. This and the
// other lists of a user accept "/me/" too, for the user who owns the token.
func (c *Client) UserCloudcasts(ctx context.Context, user string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "UserCloudcasts", user, "cloudcasts", r, KindUser)
}

// UserFavorites returns a page of a user's favorites, most recent first. The items
// do not contain the time at which the user favorited them. The range of Next
// contains this time for the last item, and that of Previous for the first item.
func (c *Client) UserFavorites(ctx context.Context, user string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "UserFavorites", user, "favorites", r, KindUser)
}

// UserListens returns a page of the cloudcasts that a user listened to, most
// recent first, with their ListenTime. Some users hide this list from others.
func (c *Client) UserListens(ctx context.Context, user string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "UserListens", user, "listens", r, KindUser)
}

// UserFollowers returns a page of a user's followers, most recent first. The
// items do not contain the time of the follow; see [Client.UserFavorites].
func (c *Client) UserFollowers(ctx context.Context, user string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "UserFollowers", user, "followers", r, KindUser)
}

// UserFollowing returns a page of the users that a user follows, most recent
// first. The items do not contain the time of the follow; see
// [Client.UserFavorites].
func (c *Client) UserFollowing(ctx context.Context, user string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "UserFollowing", user, "following", r, KindUser)
}

// UserComments returns a page of the comments on a user's profile.
func (c *Client) UserComments(ctx context.Context, user string, r Range) (*Page[Comment], error) {
	return listOf[Comment](ctx, c, "UserComments", user, "comments", r, KindUser)
}

// UserFeed returns a page of a user's activities.
func (c *Client) UserFeed(ctx context.Context, user string, r Range) (*Page[Activity], error) {
	return listOf[Activity](ctx, c, "UserFeed", user, "feed", r, KindUser)
}

// UserPlaylists returns a page of a user's playlists.
func (c *Client) UserPlaylists(ctx context.Context, user string, r Range) (*Page[Playlist], error) {
	return listOf[Playlist](ctx, c, "UserPlaylists", user, "playlists", r, KindUser)
}

// ListenLater returns a page of the listen-later list of the user who owns the
// token. The list is under "/me/" only (client code).
func (c *Client) ListenLater(ctx context.Context, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "ListenLater", meKey, "listen-later", r, KindUser)
}

// CloudcastComments returns a page of the comments on a cloudcast.
func (c *Client) CloudcastComments(ctx context.Context, cloudcast string, r Range) (*Page[Comment], error) {
	return listOf[Comment](ctx, c, "CloudcastComments", cloudcast, "comments", r, KindCloudcast)
}

// CloudcastFavorites returns a page of the users who added a cloudcast to their
// favorites.
func (c *Client) CloudcastFavorites(ctx context.Context, cloudcast string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "CloudcastFavorites", cloudcast, "favorites", r, KindCloudcast)
}

// CloudcastListeners returns a page of the users who listened to a cloudcast.
func (c *Client) CloudcastListeners(ctx context.Context, cloudcast string, r Range) (*Page[User], error) {
	return listOf[User](ctx, c, "CloudcastListeners", cloudcast, "listeners", r, KindCloudcast)
}

// CloudcastSimilar returns a page of the cloudcasts that are similar to a given
// one.
func (c *Client) CloudcastSimilar(ctx context.Context, cloudcast string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "CloudcastSimilar", cloudcast, "similar", r, KindCloudcast)
}

// PlaylistCloudcasts returns a page of the cloudcasts of a playlist.
func (c *Client) PlaylistCloudcasts(ctx context.Context, playlist string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "PlaylistCloudcasts", playlist, "cloudcasts", r, KindPlaylist)
}

// CategoryCloudcasts returns the cloudcasts of a category on one page. The lists
// of a category have no further pages: they ignore limit and offset (client code).
func (c *Client) CategoryCloudcasts(ctx context.Context, category string) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "CategoryCloudcasts", category, "cloudcasts", Range{}, KindCategory)
}

// CategoryUsers returns the users of a category; see [Client.CategoryCloudcasts].
func (c *Client) CategoryUsers(ctx context.Context, category string) (*Page[User], error) {
	return listOf[User](ctx, c, "CategoryUsers", category, "users", Range{}, KindCategory)
}

// CategoryUserpickCloudcasts returns the cloudcasts picked for a category; see
// [Client.CategoryCloudcasts].
func (c *Client) CategoryUserpickCloudcasts(ctx context.Context, category string) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "CategoryUserpickCloudcasts", category, "userpick-cloudcasts", Range{}, KindCategory)
}

// CategoryUserpickUsers returns the users picked for a category; see
// [Client.CategoryCloudcasts].
func (c *Client) CategoryUserpickUsers(ctx context.Context, category string) (*Page[User], error) {
	return listOf[User](ctx, c, "CategoryUserpickUsers", category, "userpick-users", Range{}, KindCategory)
}

// chartOwners are the kinds of resources that have the lists popular, new and hot.
var chartOwners = []Kind{KindTag, KindCity, KindArtist, KindTrack}

// PopularOf returns a page of the popular cloudcasts of a tag, a city, a
// combination of them ([DiscoverKey]), an artist or a track.
func (c *Client) PopularOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "PopularOf", owner, "popular", r, chartOwners...)
}

// LatestOf returns a page of the latest cloudcasts of a tag, a city or a
// combination of them (latest/). Clients have used it since 2023. Before that,
// this list was [Client.NewestOf].
func (c *Client) LatestOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "LatestOf", owner, "latest", r, KindTag, KindCity)
}

// NewestOf returns a page of the newest cloudcasts of a tag, a city, a
// combination of them, an artist or a track (new/). It was observed from 2012 to
// 2018. Newer clients use [Client.LatestOf] for tags and cities.
func (c *Client) NewestOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "NewestOf", owner, "new", r, chartOwners...)
}

// HotOf returns a page of the hot cloudcasts of a tag, a city, a combination of
// them, an artist or a track (observed 2012 to 2018).
func (c *Client) HotOf(ctx context.Context, owner string, r Range) (*Page[Cloudcast], error) {
	return listOf[Cloudcast](ctx, c, "HotOf", owner, "hot", r, chartOwners...)
}

// listOf fetches a page of the list called name. The kind of its owner must be one
// of kinds.
func listOf[T any, P Decodable[T]](ctx context.Context, c *Client, op, owner, name string, r Range, kinds ...Kind) (*Page[T], error) {
	key := meKey
	if kinds[0] != KindUser || strings.Trim(owner, "/") != "me" {
		var err error
		if key, err = c.keyOf(owner, kinds...); err != nil {
			return nil, err
		}
	}
	return list[T, P](ctx, c, op, key+name+"/", nil, r)
}
