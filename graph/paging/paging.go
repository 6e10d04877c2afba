// Package paging implements Relay's connection arguments on top of the pages of
// Mixcloud's REST API.
//
// The API pages in two ways: by date (since and until, whole seconds, both
// exclusive) or by offset. The links of a response show which; there is no table of
// lists. The kind of cursor follows from it: by the item's own time; by the time in
// its page's link if items have none (favorites, followers, following); or by
// offset. With the first two, items that arrive while a client pages cause neither
// duplicates nor gaps. Offset lists shift, as they do upstream.
//
// A client that pages through a list never misses items without an error, even if
// the upstream misbehaves:
//
//   - The upstream leaves hidden items out of pages, which can even be empty: reading continues
//     with larger pages, for at most maxFurtherCalls. If no item is found, the error has a cursor
//     to continue from (see reader.exhaustedError).
//   - The upstream ignores limit and offset: a response with more items than requested and no
//     links, or the same page again, is the whole list and is sliced here.
//   - More items share a second than fit in a page: the others are read by offset
//     within that second and checked for gaps, else errTies (see ties.go).
//   - Pages are smaller than requested, or contain duplicates: see nextPage,
//     unreadEntries and duplicates.go.
package paging

import (
	"context"
	"log/slog"
	"time"

	"mixcloud-graphql/mixcloud"
)

const (
	// DefaultPageSize is the number of items that a connection returns if the
	// client sends neither first nor last.
	DefaultPageSize = 20
	// MaxPageSize is the maximum of first and last, and the largest page that
	// Mixcloud is known to return.
	MaxPageSize = 100
)

// Args are the arguments of a connection field as the client sent them; nil means
// not sent.
type Args struct {
	First, Last   *int
	After, Before *string
	Since, Until  *time.Time
	Offset        *int
}

// A List is a list of the REST API that can be read page by page.
type List[T any] struct {
	// Identity identifies the list, such as "/spartacus/|favorites": canonical
	// owner, connection, and everything else that determines its items. Cursors are
	// bound to it and to since and until, which Read adds; they do not depend on
	// the viewer. It must not change between releases.
	Identity string
	// Fetch returns one page, never nil without an error. It is called concurrently
	// and should cache its responses for the duration of an operation: sometimes
	// the same page is requested twice.
	Fetch func(context.Context, mixcloud.Range) (*mixcloud.Page[T], error)
	// Key returns the item's canonical key.
	Key func(T) string
	// Time returns when the item was added to the list, according to the item; the
	// zero time means unknown. Nil if items of this list have no such time, or the
	// list is not ordered by it.
	Time func(T) time.Time
	// Unpaged means that the upstream ignores limit and offset and returns the whole
	// list: Read makes one call and slices the result, and last does not need
	// before.
	Unpaged bool
	// Repeats means that the list may contain a key more than once. Items without a
	// time are then never dropped as duplicates.
	Repeats bool
	// LazyCursors leaves the Cursor of the edges empty: [Edge.EncodeCursor] returns it.
	LazyCursors bool
	// Log receives warnings about an upstream that breaks the rules; nil disables
	// them.
	Log *slog.Logger
}

// An Edge is an item and its position in its list.
type Edge[T any] struct {
	Node   *T     // an item of a page that Fetch returned
	Cursor string // opaque; valid forever for after and before, on this list with the same since and until

	position Cursor
	binding  Binding
}

// EncodeCursor returns the cursor, also of a list with LazyCursors.
func (e *Edge[T]) EncodeCursor() string {
	if e.Cursor != "" {
		return e.Cursor
	}
	return e.position.Encode(e.binding)
}

// A Result contains what a connection's arguments request, never more.
type Result[T any] struct {
	Edges                        []Edge[T] // in the upstream's order; never nil
	HasNextPage, HasPreviousPage bool
	Total                        *int // the list's length if all of it was read, else nil
	// MinTotal is a lower bound of the list's length: the items of this page, those known to
	// precede it, and one more if the page was cut.
	MinTotal int
}
