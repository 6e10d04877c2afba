// Package emulator emulates Mixcloud in memory: an [http.Handler] that serves the REST
// API and the pages of the site that the API refers to.
//
//	e, err := emulator.New(emulator.WithSeed(1))
//	srv := httptest.NewServer(e)                      // or mount it under a prefix with http.StripPrefix
//	res, err := srv.Client().Get(srv.URL + "/demo/cloudcasts/?limit=2")
//
// [Emulator.Transport] serves it without a socket, also inside a testing/synctest
// bubble.
//
// # Paths
//
// The API is at /, the site under /www/ (OAuth, oEmbed, the player widget, pictures,
// a page for every user and show), and the control API under /__emulator/. Members
// named url contain URLs of https://www.mixcloud.com; pictures, players, paging links
// and the URLs of connections contain URLs of the emulator.
//
// [Routes] lists the routes of the API and of OAuth. The control API uses JSON, and
// accepts only requests from programs on the same machine:
//
//	GET, DELETE /__emulator/requests     the journal: [{method, path, query, status}]; [Emulator.Requests]
//	GET, POST, DELETE …/faults           {match, times, fault, retryAfter, delay, after}; [Fault]
//	GET, POST …/settings                 {latency, lag, limit, pageCap, sinceOrder, readRate, marks}; [Settings]
//	GET …/uploads                        [{key, bytes, sha256, filename, contentType, picture, fields}]; [Emulator.Uploads]
//	GET …/uploads?active=1               those in progress: [{path, received}]; [Emulator.ActiveUploads]
//	GET …/edits                          as uploads; [Emulator.Edits]
//	POST …/revoke                        {token}; [Emulator.Revoke]
//	POST …/reset                         [Emulator.Reset]
//
// # Fidelity
//
// Responses have the form of recordings of the live service: members, their order
// and absence, paging links, headers, errors. Behavior without a recording is marked
// "inferred" in the code. The following behavior is inferred:
//
//   - A limit of 0 or less, or one that is not a number, is 20; a limit above 100
//     is 100. A negative or invalid offset is 0; an invalid since or until is
//     ignored.
//   - The bounds since and until are exclusive. With since alone a page has the
//     items nearest to it, newest first; [Settings].SinceOrder changes this.
//   - A full page has a next link even if it is the last one.
//   - A paging link by date has one bound: next without since, previous without
//     until. No link contains access_token or callback.
//   - The comments and favorites of a cloudcast and a user's listen-later list
//     are paged by date; listeners, similar and playlists by offset.
//   - Lists without a recording have no name.
//   - A user's hidden listens are an empty list for other viewers.
//   - The listen-later list is under /me/, or under its owner's name with the
//     owner's token; for other viewers it does not exist.
//   - Search without q, or with an unknown type, has no results; without type it
//     searches cloudcasts.
//   - The response to a missing or invalid access token has status 400.
//   - A repeated action is a success. If a user follows themselves, the response has
//     status 200 and success false. Reposts are in no feed.
//   - Uploads: an empty first element clears tags and sections as it does hosts;
//     other elements without text are skipped. A publication date in the past
//     publishes immediately. unlisted, publish and unpublish have no effect if they
//     are 0. Fields for Pro users are rejected for others, regardless of the value.
//     All users have accepted every invitation to host. Any audio is accepted, and
//     its length is not returned; pictures are JPEG, PNG, GIF and WebP. Unknown
//     fields are ignored. Edits of another user's upload are rejected with status
//     403.
//   - The texts of errors, and the size that the proxy rejects: 100 MiB more than
//     the largest file.
//   - A code expires after ten minutes, works once and remains valid after a failed
//     exchange.
//
// # Broken rules
//
// With [WithBroken] the emulator deviates from the API in one point, which the probes
// of the conformance command must detect. The table in broken_rules.go contains all
// rules; [BrokenRules] returns their names, and [BrokenRuleDoc] their descriptions. A
// broken rule is implemented by functions that change the request or the response. The
// code that handles requests does not depend on them.
//
// # Tokens
//
// Every user U whose name is ASCII has the access token "U-token"; "demo-token" is
// the user demo's. [Emulator.Users] and GET __emulator/users list the tokens of all
// users. A token must be in the query, in the API's access_token parameter; an
// Authorization header is ignored.
//
// OAuth issues other tokens: the page /www/oauth/authorize asks for the user of the
// token, and /www/oauth/access_token exchanges the code. The application
// [DemoClientID] with [DemoClientSecret] is registered by default, others by
// [WithOAuthClient]; any http or https redirect_uri is accepted.
//
// # Writes
//
// Actions, uploads and edits change the data until [Emulator.Reset]. Reads show them
// immediately, or after [Settings].Lag; writes always see earlier writes. Files of any
// size are counted and hashed while they are read, and are not stored; the picture of
// an upload is drawn from its hash. Except for the size limit of the proxy, an upload
// is validated after its whole body was read, so that an interrupted upload has no
// effect.
package emulator
