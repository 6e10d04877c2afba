// Package mixcloud is a client of the Mixcloud REST API: every documented read,
// action and upload, with typed results.
//
// [New] returns an anonymous client. [Client.As] returns one that acts for the user
// who owns a token. Methods accept the key of a resource, which is the path of its
// page, the URL of that page, or, for a user, the username:
//
//	client, err := mixcloud.New()
//	show, err := client.Cloudcast(ctx, "https://www.mixcloud.com/spartacus/party-time/")
//	page, err := client.UserFollowers(ctx, "spartacus", mixcloud.Range{Limit: 100})
//	page, err = client.UserFollowers(ctx, show.User.Key.String(), mixcloud.Range{})
//
// Arguments are strings, so that text that a person typed can be passed. Keys in
// results have the type [Key], which can also be compared.
//
// Package emulator, in a subdirectory of this one, emulates Mixcloud in memory for
// tests.
//
// # Partial and full resources
//
// In lists and inside other resources Mixcloud sends only some members of a
// resource. Users and cloudcasts therefore have two types: [User] and [Cloudcast]
// for these partial resources, and [FullUser] and [FullCloudcast] for the results of
// [Client.User] and [Client.Cloudcast]. All other resources have one type.
//
// A nil pointer or slice means that Mixcloud did not send the member, as opposed to
// zero, false or empty. Key, URL and Name are always set: the last two are derived
// from the key if Mixcloud did not send them. Raw returns the JSON, with the members
// that have no field here. Do not change a value that a method returned: it may
// share memory with others.
//
// # Optional values
//
// Optional fields of arguments are pointers, and nil means not set. The module
// requires Go 1.26, whose built-in function new makes a pointer to a value:
//
//	mixcloud.UploadFields{Name: new("Night Bus"), Unlisted: new(true)}
//
// # Lists
//
// The methods for lists return one [Page]. Its size and start are set by a [Range].
// [All] iterates over the items of all pages.
//
// # Errors
//
// The errors of a client's methods match one of the Err values with errors.Is, or
// context.Canceled. They are an [*Error], which describes a failed call, or an
// [*InvalidError], which names a bad argument. There are two exceptions: an
// [*OAuthError], and the errors that the files of an upload return. No call is
// retried; [RetryAfter] returns how long to wait before the next one.
//
// # Tokens
//
// A token is sent only to the base URL of the API, and only over https or to this
// machine; see [WithInsecureToken]. Redirects are not followed. Middleware and
// observers never receive a token, and errors and formatted values never contain
// one.
//
// # Endpoints
//
// Every endpoint and its method, as [Endpoints] returns them. {tags} is a tag, a
// city ("city:athens"), or several of them joined by "+".
//
//	GET /{user}/                                          User
//	GET /me/                                              Me
//	GET /{user}/{cloudcast}/                              Cloudcast
//	GET /{user}/playlists/{playlist}/                     Playlist
//	GET /categories/                                      Categories
//	GET /categories/{category}/                           Category
//	GET /artist/{artist}/                                 Artist
//	GET /track/{artist}/{track}/                          Track
//	GET /genres/{tags}/, /discover/…, /tag/…              Tag
//	GET /{user}/cloudcasts/, /me/…                        UserCloudcasts
//	GET /{user}/favorites/, /me/…                         UserFavorites
//	GET /{user}/listens/, /me/…                           UserListens
//	GET /{user}/followers/, /me/…                         UserFollowers
//	GET /{user}/following/, /me/…                         UserFollowing
//	GET /{user}/comments/, /me/…                          UserComments
//	GET /{user}/feed/, /me/…                              UserFeed
//	GET /{user}/playlists/, /me/…                         UserPlaylists
//	GET /me/listen-later/                                 ListenLater
//	GET /{user}/{cloudcast}/comments/                     CloudcastComments
//	GET /{user}/{cloudcast}/favorites/                    CloudcastFavorites
//	GET /{user}/{cloudcast}/listeners/                    CloudcastListeners
//	GET /{user}/{cloudcast}/similar/                      CloudcastSimilar
//	GET /{user}/playlists/{playlist}/cloudcasts/          PlaylistCloudcasts
//	GET /categories/{category}/cloudcasts/                CategoryCloudcasts
//	GET /categories/{category}/users/                     CategoryUsers
//	GET /categories/{category}/userpick-cloudcasts/       CategoryUserpickCloudcasts
//	GET /categories/{category}/userpick-users/            CategoryUserpickUsers
//	GET /genres/{tags}/popular/, /discover/…, /tag/…      PopularOf
//	GET /genres/{tags}/latest/, /discover/…, /tag/…       LatestOf
//	GET /genres/{tags}/new/, /discover/…, /tag/…          NewestOf
//	GET /genres/{tags}/hot/, /discover/…, /tag/…          HotOf
//	GET /artist/{artist}/popular/                         PopularOf
//	GET /artist/{artist}/new/                             NewestOf
//	GET /artist/{artist}/hot/                             HotOf
//	GET /track/{artist}/{track}/popular/                  PopularOf
//	GET /track/{artist}/{track}/new/                      NewestOf
//	GET /track/{artist}/{track}/hot/                      HotOf
//	GET /popular/                                         Popular
//	GET /popular/hot/                                     Hot
//	GET /new/                                             Newest
//	GET /search/                                          SearchCloudcasts, SearchUsers, SearchTags
//	GET /{user}/{cloudcast}/embed-html/                   EmbedHTML
//	GET /{user}/{cloudcast}/embed-json/                   EmbedJSON
//	GET /oembed/                                          OEmbed, OEmbedXML
//	POST /{user}/follow/                                  Follow
//	DELETE /{user}/follow/                                Unfollow
//	POST /{user}/{cloudcast}/favorite/                    Favorite
//	DELETE /{user}/{cloudcast}/favorite/                  Unfavorite
//	POST /{user}/{cloudcast}/repost/                      Repost
//	DELETE /{user}/{cloudcast}/repost/                    Unrepost
//	POST /{user}/{cloudcast}/listen-later/                AddToListenLater
//	DELETE /{user}/{cloudcast}/listen-later/              RemoveFromListenLater
//	POST /upload/                                         Upload
//	POST /upload/{user}/{cloudcast}/edit/                 Edit
//
// Comments name the source of each fact about the API. Documented: Mixcloud's
// documentation. Observed, with the year: a recorded response. Client code: other
// programs that rely on the fact. Inferred: a conclusion from these sources.
// docs/mixcloud-api.md lists all facts.
package mixcloud
