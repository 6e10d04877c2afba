// Package mixcloud is a client of the Mixcloud REST API: everything that the
// API lets one read, typed, with nothing of it lost.
//
// [New] gives a client that acts for nobody; [Client.As] derives one for the
// holder of a token. Resources are fetched by their key, the path of their page
// ("/spartacus/party-time/"), or by an address that somebody pasted:
//
//	client, err := mixcloud.New()
//	show, err := client.Cloudcast(ctx, "https://www.mixcloud.com/spartacus/party-time/")
//	page, err := client.UserFollowers(ctx, "/spartacus/", mixcloud.Range{Limit: 100})
//
// # Partial and full
//
// Lists and other resources carry a resource partially. The types say so: a
// [User] is what a list has, a [FullUser] what its key gives. A member that the
// API left out is nil, which is neither empty nor false; what always comes is a
// plain value, and url and name are derived from the key should they be
// missing. Whatever this package does not model is in Raw, the object as it
// was received. Values are never changed after they are returned, by anybody:
// they share the text of the answer they came in, and keep it alive.
//
// Answers of every age are read, from 2011 on: numbers as strings, times in
// three forms, members that came and went. Only the key is indispensable.
//
// # Lists
//
// A [Page] has the links to its neighbours as a [Range] each, taken from the
// query of the API's links; their host and path are not trusted. [All] ranges
// over a whole list.
//
// # Errors
//
// Each error is one of the Err values, by errors.Is, and an [*Error] or an
// [*InvalidError], by errors.As. An answer that is no JSON, a page of HTML from
// a proxy for one, is an error with its status. Nothing is retried.
//
// # Tokens
//
// A token is added to a request below everything that sees its address
// ([WithMiddleware], [WithObserver]). It is sent to the API's root alone, over
// https unless that is this machine ([WithInsecureToken]), and no redirect is
// followed. No error, log line or printed value has it.
//
// # Endpoints
//
// Every endpoint and its method, as [Endpoints] lists them; {tags} is a tag, a
// city ("city:athens") or several of them joined by "+".
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
//	GET /genres/{tags}/new/, /discover/…, /tag/…          NewOf
//	GET /genres/{tags}/hot/, /discover/…, /tag/…          HotOf
//	GET /artist/{artist}/popular/                         PopularOf
//	GET /artist/{artist}/new/                             NewOf
//	GET /artist/{artist}/hot/                             HotOf
//	GET /track/{artist}/{track}/popular/                  PopularOf
//	GET /track/{artist}/{track}/new/                      NewOf
//	GET /track/{artist}/{track}/hot/                      HotOf
//	GET /popular/                                         Popular
//	GET /popular/hot/                                     Hot
//	GET /new/                                             New
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
// What is known of the API, and from where, is in docs/mixcloud-api.md.
package mixcloud
