package loaders

import (
	"context"
	"encoding/json"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// The loaders of resources, by key.
var (
	Users      = users()
	Cloudcasts = resources(upstream.ClassCloudcast, (*mixcloud.Client).Cloudcast, mixcloud.Decode[mixcloud.FullCloudcast], (*upstream.Session).CorrectFullCloudcast)
	// Tags loads cities too. It uses canonical keys: the path of a tag has one of three prefixes, and clients send all of them.
	Tags       = resources(upstream.ClassTag, (*mixcloud.Client).Tag, mixcloud.Decode[mixcloud.Tag], nil).withCanonicalKeys()
	Categories = resources(upstream.ClassCategory, (*mixcloud.Client).Category, mixcloud.Decode[mixcloud.Category], nil)
	Playlists  = resources(upstream.ClassPlaylist, (*mixcloud.Client).Playlist, mixcloud.Decode[mixcloud.Playlist], (*upstream.Session).CorrectPlaylist)
	Artists    = resources(upstream.ClassArtist, (*mixcloud.Client).Artist, mixcloud.Decode[mixcloud.Artist], nil)
	Tracks     = resources(upstream.ClassTrack, (*mixcloud.Client).Track, mixcloud.Decode[mixcloud.Track], nil)
)

// users returns the loader of users. If a loaded user is the viewer, it primes the viewer,
// because /me/ would return the same user.
func users() *ResourceLoader[mixcloud.FullUser] {
	l := resources(upstream.ClassUser, (*mixcloud.Client).User, mixcloud.Decode[mixcloud.FullUser], (*upstream.Session).CorrectFullUser)
	l.loader.onFetched = func(operation *Loaders, user *mixcloud.FullUser) {
		if user.IsCurrentUser != nil && *user.IsCurrentUser {
			viewer.instanceIn(operation).prime(struct{}{}, user)
		}
	}
	return l
}

// viewerPath is the path of the viewer.
const viewerPath = "/me/"

// The loaders of resources without a key, see [Loaders.Viewer] and [Loaders.AllCategories].
var (
	viewer     = singleton(upstream.ClassViewer, viewerPath, (*mixcloud.Client).Me, mixcloud.Decode[mixcloud.FullUser])
	categories = singleton(upstream.ClassCategoryList, "/categories/", (*mixcloud.Client).Categories, mixcloud.DecodePage[mixcloud.Category])
)

// The loaders of the pages of all lists and searches, by the type of their items.
var (
	UserPages      = pages[mixcloud.User]("user", (*upstream.Session).CorrectUser)
	CloudcastPages = pages[mixcloud.Cloudcast]("cloudcast", (*upstream.Session).CorrectCloudcast)
	TagPages       = pages[mixcloud.Tag]("tag", nil)
	CommentPages   = pages[mixcloud.Comment]("", (*upstream.Session).CorrectComment)
	ActivityPages  = pages[mixcloud.Activity]("", (*upstream.Session).CorrectActivity)
	PlaylistPages  = pages[mixcloud.Playlist]("", (*upstream.Session).CorrectPlaylist)
)

// The loaders of embeds, by format.
var (
	EmbedHTML = embeds(rawFormat[string]("embed-html/"), func(ctx context.Context, c *mixcloud.Client, e Embed) (string, error) {
		return c.EmbedHTML(ctx, e.path, e.options())
	})
	EmbedJSON = embeds(rawFormat[json.RawMessage]("embed-json/"), func(ctx context.Context, c *mixcloud.Client, e Embed) (json.RawMessage, error) {
		return c.EmbedJSON(ctx, e.path, e.options())
	})
	OEmbedJSON = embeds(format[*mixcloud.OEmbed]{
		"json", func(o *mixcloud.OEmbed) int { return 2 * len(o.Raw()) },
		func(o *mixcloud.OEmbed) []byte { return o.Raw() },
		func(raw []byte) (*mixcloud.OEmbed, error) { return mixcloud.DecodeOEmbed(raw) },
	}, func(ctx context.Context, c *mixcloud.Client, o OEmbed) (*mixcloud.OEmbed, error) {
		return c.OEmbed(ctx, o.URL, o.options())
	})
	OEmbedXML = embeds(rawFormat[string]("xml"), func(ctx context.Context, c *mixcloud.Client, o OEmbed) (string, error) {
		return c.OEmbedXML(ctx, o.URL, o.options())
	})
)
