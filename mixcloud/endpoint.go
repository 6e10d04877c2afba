package mixcloud

import "slices"

// An Endpoint is an endpoint of the API that this package has a method for.
type Endpoint struct {
	Method string // GET, POST or DELETE
	// Path is relative to the base URL of the API, with variable elements in
	// braces. The path of oEmbed is relative to the host of the oEmbed endpoint.
	Path string
	// Op is the name of the client's method, as in [Error.Op] and [Call.Op].
	Op string
}

// Endpoints returns every endpoint that this package has a method for, in a new
// slice. [Client.Get] reads any other. The endpoints of [OAuth] are not included,
// because they belong to the website.
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
	listEndpoints,
	[]Endpoint{
		{"GET", "/popular/", "Popular"},
		{"GET", "/popular/hot/", "Hot"},
		{"GET", "/new/", "Newest"},
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
