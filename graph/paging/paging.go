// Package paging answers Relay's connection arguments from the pages that
// Mixcloud's REST API gives.
//
// The API pages in two ways, and a list does not say beforehand which one is
// its own: by date (since and until, whole seconds, both exclusive) or by
// offset. The links of an answer tell, so nothing here depends on a table of
// lists. Three kinds of cursors come of it:
//
//   - a time cursor, where items carry the time by which they are listed:
//     that second, the item's key, and how many items of the second stand
//     before it;
//   - a page cursor, where the list goes by a date that items do not carry
//     (favorites, followers, following): the time in the page's link, the
//     item's key, and its place in the page;
//   - an offset cursor everywhere else.
//
// With the first two, items that arrive while a client pages cause neither a
// duplicate nor a gap, those of the very same second included. Offset lists
// shift when something is added, as they do upstream.
//
// Known gaps. More items in one second than a page can hold (100, or less if the
// upstream caps pages lower): REST offers no way to address the rest of them by
// date, so reading steps over them to the next older second and logs that. And
// when an item is gone and so is the one above it, only the count of those
// before it is left to go by.
package paging

import (
	"context"
	"log/slog"
	"time"

	"mixcloud-graphql/mixcloud"
)

const (
	// DefaultPageSize is how many items a connection gives when neither first
	// nor last is sent.
	DefaultPageSize = 20
	// MaxPageSize is the most that first or last may ask for, and the largest
	// page that Mixcloud is known to give.
	MaxPageSize = 100
)

// Args are the arguments of a connection field as the client sent them; nil is
// not sent.
type Args struct {
	First, Last   *int
	After, Before *string
	Since, Until  *time.Time
	Offset        *int
}

// A List is a list of the REST API that can be read page by page.
type List[T any] struct {
	// Identity names the list among all others, such as
	// "/spartacus/|favorites": canonical owner, connection, and whatever else
	// decides about what is listed. Cursors are bound to it and to since and
	// until, which Read adds; they do not depend on who asks. It must stay the
	// same from release to release.
	Identity string
	// Fetch gets one page, never nil without an error. It is called by several
	// goroutines at once and should remember its answers for the length of an
	// operation: now and then the same page is asked for twice.
	Fetch func(context.Context, mixcloud.Range) (*mixcloud.Page[T], error)
	// Key is the item's canonical key.
	Key func(T) string
	// Time is when the item came onto the list, as the item itself says; a
	// zero time is "unknown". Nil when the items of this list do not say, or
	// the list is not ordered by it.
	Time func(T) time.Time
	// Whole says that the upstream ignores limit and offset and gives all it
	// has: one call, cut here; last needs no before.
	Whole bool
	// Log hears of items that could not be reached; nil for silence.
	Log *slog.Logger
}

// An Edge is an item and its place in its list.
type Edge[T any] struct {
	Node   T
	Cursor string // opaque; good for after and before, for ever, on this list and with the same since and until
}

// A Result is what a connection's arguments ask for, never more.
type Result[T any] struct {
	Edges                        []Edge[T] // in the upstream's order; never nil
	HasNextPage, HasPreviousPage bool
	Total                        *int // the list's length when all of it was read, else nil
}
