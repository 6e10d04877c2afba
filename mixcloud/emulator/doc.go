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
// The API is at /, the site's part under /www/ (oEmbed, the player widget,
// pictures, a page for every user and show), and the control API under
// /__emulator/. Members called url keep pointing at https://www.mixcloud.com;
// pictures, players, paging links and the URLs of connections point at the
// emulator itself, so that a browser reaches them.
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
//
// # Tokens
//
// Every user U has the access token "U-token"; "demo-token" is the user demo's.
// A token counts in the query only, as the API's access_token parameter; an
// Authorization header is not looked at.
package emulator
