package lists

import (
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// The lists of a user.
var (
	UserCloudcasts = List{
		Fields: []string{"User.cloudcasts"}, Segment: "cloudcasts", Dated: true,
		Count: func(u *mixcloud.FullUser) *int { return u.CloudcastCount },
	}
	UserFavorites = List{ // the items contain no time
		Fields: []string{"User.favorites"}, Segment: "favorites",
		Count:    func(u *mixcloud.FullUser) *int { return u.FavoriteCount },
		Writable: &Writable{Flag: upstream.Favorited, CountField: "User.favoriteCount"},
	}
	UserListens   = List{Fields: []string{"User.listens"}, Segment: "listens", Dated: true, Repeats: true}
	UserFollowers = List{
		Fields: []string{"User.followers"}, Segment: "followers",
		Count: func(u *mixcloud.FullUser) *int { return u.FollowerCount },
	}
	UserFollowing = List{
		Fields: []string{"User.following"}, Segment: "following",
		Count:    func(u *mixcloud.FullUser) *int { return u.FollowingCount },
		Writable: &Writable{Flag: upstream.Following, CountField: "User.followingCount"},
	}
	UserComments    = List{Fields: []string{"User.comments"}, Segment: "comments", Dated: true}
	UserFeed        = List{Fields: []string{"User.feed"}, Segment: "feed", Dated: true}
	UserPlaylists   = List{Fields: []string{"User.playlists"}, Segment: "playlists"}
	UserListenLater = List{Fields: []string{"User.listenLater"}, Segment: "listen-later", ViewerOnly: true, Writable: &Writable{Flag: upstream.ListenLater}}
)

// The lists of a cloudcast and of a playlist.
var (
	CloudcastComments  = List{Fields: []string{"Cloudcast.comments"}, Segment: "comments", Dated: true}
	CloudcastFavorites = List{Fields: []string{"Cloudcast.favorites"}, Segment: "favorites"}
	CloudcastListeners = List{Fields: []string{"Cloudcast.listeners"}, Segment: "listeners", Dated: true, Repeats: true}
	CloudcastSimilar   = List{Fields: []string{"Cloudcast.similar"}, Segment: "similar"}
	PlaylistCloudcasts = List{Fields: []string{"Playlist.cloudcasts"}, Segment: "cloudcasts", Repeats: true}
)

// The lists of tags and of the resources with the same lists.
var (
	Popular = List{
		Fields:  []string{"Tag.popular", "City.popular", "Discovery.popular", "Artist.popular", "Track.popular"},
		Segment: "popular",
	}
	Hot = List{
		Fields:  []string{"Tag.hot", "City.hot", "Discovery.hot", "Artist.hot", "Track.hot"},
		Segment: "hot",
	}
	Latest = List{ // called "new" until about 2018
		Fields:  []string{"Tag.latest", "City.latest", "Discovery.latest"},
		Segment: "latest", FormerSegment: "new",
	}
	TrackLatest = List{Fields: []string{"Artist.latest", "Track.latest"}, Segment: "new"}
)

// The lists of a category.
var (
	CategoryCloudcasts         = List{Fields: []string{"Category.cloudcasts"}, Segment: "cloudcasts", Unpaged: true}
	CategoryUsers              = List{Fields: []string{"Category.users"}, Segment: "users", Unpaged: true}
	CategoryUserpickCloudcasts = List{Fields: []string{"Category.userpickCloudcasts"}, Segment: "userpick-cloudcasts", Unpaged: true}
	CategoryUserpickUsers      = List{Fields: []string{"Category.userpickUsers"}, Segment: "userpick-users", Unpaged: true}
)

// The lists of the whole site, and of a search.
var (
	SitePopular      = List{Fields: []string{"Query.popular"}, Segment: "popular"}
	SiteHot          = List{Fields: []string{"Query.hot"}, Segment: "popular/hot"}
	SiteNew          = List{Fields: []string{"Query.new"}, Segment: "new"}
	SearchCloudcasts = List{Fields: []string{"Search.cloudcasts"}, Segment: "cloudcasts"}
	SearchUsers      = List{Fields: []string{"Search.users"}, Segment: "users"}
	SearchTags       = List{Fields: []string{"Search.tags"}, Segment: "tags"}
)

// all contains the rows of the table.
var all = []List{
	UserCloudcasts, UserFavorites, UserListens, UserFollowers, UserFollowing, UserComments, UserFeed, UserPlaylists, UserListenLater,
	CloudcastComments, CloudcastFavorites, CloudcastListeners, CloudcastSimilar, PlaylistCloudcasts,
	Popular, Hot, Latest, TrackLatest,
	CategoryCloudcasts, CategoryUsers, CategoryUserpickCloudcasts, CategoryUserpickUsers,
	SitePopular, SiteHot, SiteNew, SearchCloudcasts, SearchUsers, SearchTags,
}

var byField = func() map[string]List {
	rows := map[string]List{}
	for _, l := range all {
		for _, field := range l.Fields {
			rows[field] = l
		}
	}
	return rows
}()
