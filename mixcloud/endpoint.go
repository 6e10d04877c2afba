package mixcloud

import "slices"

// An Endpoint is a part of the API that this package has a method for.
type Endpoint struct {
	Method string // GET, POST or DELETE
	// Path is below the API's root; braces hold what varies, one element each.
	// The one of oEmbed is below the host of its own root.
	Path string
	// Op is the client's method, as it is named in errors and observed calls.
	Op string
}

// Endpoints lists every endpoint that this package has a method for; the slice
// is the caller's. [Client.Get] reaches whatever else can be read. The two of
// OAuth stand below the site's root, see [OAuth].
func Endpoints() []Endpoint { return slices.Clone(endpoints) }

var endpoints = slices.Concat(
	[]Endpoint{
		{"GET", "/{user}/", "User"},
		{"GET", "/me/", "Me"},
		{"GET", "/{user}/{cloudcast}/", "Cloudcast"},
		{"GET", "/{user}/playlists/{playlist}/", "Playlist"},
		{"GET", "/categories/", "Categories"},
		{"GET", "/categories/{category}/", "Category"},
		{"GET", "/artist/{artist}/", "Artist"},
		{"GET", "/track/{artist}/{track}/", "Track"},
		{"GET", "/genres/{tags}/", "Tag"},
		{"GET", "/discover/{tags}/", "Tag"},
		{"GET", "/tag/{tags}/", "Tag"},
	},
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
		{"GET", "/artist/{artist}/new/", "NewOf"},
		{"GET", "/artist/{artist}/hot/", "HotOf"},
		{"GET", "/track/{artist}/{track}/popular/", "PopularOf"},
		{"GET", "/track/{artist}/{track}/new/", "NewOf"},
		{"GET", "/track/{artist}/{track}/hot/", "HotOf"},
		{"GET", "/popular/", "Popular"},
		{"GET", "/popular/hot/", "Hot"},
		{"GET", "/new/", "New"},
		{"GET", "/search/", "SearchCloudcasts"},
		{"GET", "/search/", "SearchUsers"},
		{"GET", "/search/", "SearchTags"},
		{"GET", "/{user}/{cloudcast}/embed-html/", "EmbedHTML"},
		{"GET", "/{user}/{cloudcast}/embed-json/", "EmbedJSON"},
		{"GET", "/oembed/", "OEmbed"},
		{"GET", "/oembed/", "OEmbedXML"},
		{"POST", "/{user}/follow/", "Follow"},
		{"DELETE", "/{user}/follow/", "Unfollow"},
		{"POST", "/{user}/{cloudcast}/favorite/", "Favorite"},
		{"DELETE", "/{user}/{cloudcast}/favorite/", "Unfavorite"},
		{"POST", "/{user}/{cloudcast}/repost/", "Repost"},
		{"DELETE", "/{user}/{cloudcast}/repost/", "Unrepost"},
		{"POST", "/{user}/{cloudcast}/listen-later/", "AddToListenLater"},
		{"DELETE", "/{user}/{cloudcast}/listen-later/", "RemoveFromListenLater"},
		{"POST", "/upload/", "Upload"},
		{"POST", "/upload/{user}/{cloudcast}/edit/", "Edit"},
	},
)

// userEndpoints are the lists that every user has, below owner.
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

// tagEndpoints are the lists of a tag, below its key.
func tagEndpoints(owner string) []Endpoint {
	return []Endpoint{
		{"GET", owner + "popular/", "PopularOf"},
		{"GET", owner + "latest/", "LatestOf"},
		{"GET", owner + "new/", "NewOf"},
		{"GET", owner + "hot/", "HotOf"},
	}
}
