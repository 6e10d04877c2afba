// Package paging answers Relay's connection arguments from the pages of
// Mixcloud's REST API.
//
// The API pages in two ways, by date (since and until, whole seconds, both
// exclusive) or by offset. The links of an answer say which; there is no table
// of lists. Cursors follow from it: by the item's own time; by the time in its
// page's link, where items carry none (favorites, followers, following); or by
// offset. With the first two, items that arrive while a client pages cause
// neither a duplicate nor a gap. Offset lists shift, as they do upstream.
//
// Nothing that an upstream may do makes a walk lose items without an error:
//
//   - It leaves hidden items out of pages, up to empty ones: reading goes on
//     with larger pages, at most maxFurtherCalls. If that finds nothing the
//     error has a cursor to go on from (see reader.exhausted).
//   - It ignores limit and offset: an answer with more items than asked for and
//     no links, or the same page again, is the whole list and is cut here.
//   - More items of one second than a page holds: the rest is read by offset
//     within that second, and checked for a gap; else errTies (see ties.go).
//   - Pages smaller than asked for, or with items twice: see below and stitch.
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
	// Repeats says that the list may hold one key more than once. Of items that
	// do not carry a time, none is then dropped as a duplicate.
	Repeats bool
	// Log receives warnings about an upstream that breaks the rules; nil for none.
	Log *slog.Logger
}

// An Edge is an item and its place in its list.
type Edge[T any] struct {
	Node   *T     // an item of a page that Fetch returned
	Cursor string // opaque; good for after and before, for ever, on this list and with the same since and until
}

// A Result is what a connection's arguments ask for, never more.
type Result[T any] struct {
	Edges                        []Edge[T] // in the upstream's order; never nil
	HasNextPage, HasPreviousPage bool
	Total                        *int // the list's length when all of it was read, else nil
	// Seen is how many items the list has at least: those of this page, those
	// before it as far as they are known, and one more if the page was cut.
	Seen int
}
