// Package emulator is a small Mixcloud in memory: an [http.Handler] that
// answers as the REST API and the part of the site that belongs to it do.
//
//	e, err := emulator.New(emulator.WithSeed(1))
//	srv := httptest.NewServer(e)                      // or mount it under a prefix with http.StripPrefix
//	res, err := srv.Client().Get(srv.URL + "/demo/cloudcasts/?limit=2")
//
// [Emulator.Transport] serves the same without a socket, also inside a
// testing/synctest bubble.
//
// # What is where
//
// The API is at /, the site's part under /www/ (OAuth, oEmbed, the player widget,
// pictures, a page for every user and show), and the control API under
// /__emulator/. Members called url keep pointing at https://www.mixcloud.com;
// pictures, players, paging links and the URLs of connections point at the
// emulator itself, so that a browser reaches them.
//
// [Routes] lists the API and OAuth. Control takes and gives JSON, and answers
// programs on the same machine only:
//
//	GET, DELETE /__emulator/requests     the journal: [{method, path, query, status}]; [Emulator.Requests]
//	GET, POST, DELETE …/faults           {match, times, fault, retryAfter, delay, after}; [Fault]
//	GET, POST …/settings                 {latency, lag, limit, pageCap, sinceOrder, readRate, marks}; [Settings]
//	GET …/uploads                        [{key, bytes, sha256, filename, contentType, picture, fields}]; [Emulator.Uploads]
//	GET …/uploads?active=1               those under way: [{path, received}]; [Emulator.ActiveUploads]
//	GET …/edits                          as uploads; [Emulator.Edits]
//	POST …/revoke                        {token}; [Emulator.Revoke]
//	POST …/reset                         [Emulator.Reset]
//
// # What it promises
//
// Everything that recordings of the live service show is answered in that
// form: members, their order and absence, paging links, headers, errors. Where
// nothing was ever recorded a choice had to be made, and the place that makes
// it says so with the word "inferred". The choices are:
//
//   - A limit of 0 or less, or one that is no number, counts as 20; a limit
//     above 100 as 100. A negative or unreadable offset counts as 0; an
//     unreadable since or until is ignored.
//   - The bounds since and until are exclusive. With since alone a page holds
//     the items nearest to it, newest first, unless [Settings].SinceOrder says
//     otherwise.
//   - A full page has a next link even if nothing follows.
//   - A paging link by date names one bound only: next drops since, previous
//     drops until. No link repeats access_token or callback.
//   - The comments and favorites of a cloudcast and a user's listen-later list
//     are paged by date; listeners, similar and playlists by offset.
//   - The lists that were never recorded have no name.
//   - A user's hidden listens are an empty list for everybody else.
//   - The listen-later list is found under /me/, or under its owner's name
//     with the owner's token; for everybody else it does not exist.
//   - Search without q, or for an unknown type, finds nothing; without type it
//     finds cloudcasts.
//   - A missing or refused access token is answered with status 400.
//   - Doing an action a second time is a success; following oneself is refused
//     with status 200. Reposts are in no feed.
//   - Uploads: an empty first element clears tags and sections as it does hosts;
//     elements without text are skipped. A date of publication that has passed
//     publishes at once. unlisted, publish and unpublish say nothing when they are
//     0. Fields for Pro users are refused for others whatever their value.
//     Everybody has accepted every invitation to host. Any audio is taken, and
//     its length is not told; pictures are JPEG, PNG, GIF and WebP. Fields that
//     nobody knows are ignored. Somebody else's upload is refused with status 403.
//   - The texts of refusals, and what the proxy takes for too large: 100 MiB more
//     than the largest file.
//   - A code lives for ten minutes, works once and is not used up by a failure.
//
// # Tokens
//
// Every user U whose name is ASCII has the access token "U-token"; "demo-token" is
// the user demo's. The tokens of the others are listed by [Emulator.Users], and by
// GET __emulator/users.
// A token counts in the query only, as the API's access_token parameter; an
// Authorization header is not looked at.
//
// Others are issued by OAuth: /www/oauth/authorize asks which user to be, and
// /www/oauth/access_token exchanges the code. The application [DemoClientID] with
// [DemoClientSecret] is known from the start, others by [WithOAuthClient]; any
// http or https redirect_uri is taken.
//
// # Writes
//
// Actions, uploads and edits change the world until [Emulator.Reset]. Everybody
// sees them at once, or after [Settings].Lag; writes judge by what was written,
// whatever can be read. Files are counted and hashed while they arrive, at any
// size, and not kept; what an upload's own picture shows is drawn from its hash.
// Everything but the size that the proxy refuses is judged when the whole body is
// there, so that a body that breaks off leaves nothing.
package emulator
