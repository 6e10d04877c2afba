package paging

import (
	"context"
	"errors"
	"log/slog"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

const (
	// maxFurtherCalls is the maximum number of calls after the first one, for an
	// upstream with tiny or empty pages.
	maxFurtherCalls = 20
	// maxBackwardCalls is the maximum number of calls to find the items before a
	// cursor, unless pages turn out to be empty.
	maxBackwardCalls = 5
)

// errNoNextLink reports that the upstream indicates a next page without a usable
// link.
var errNoNextLink = &gqlerr.Error{
	Code:    gqlerr.CodeUpstreamBadResponse,
	Message: "Mixcloud indicates a next page of this list but returned no usable link to it.",
}

// Read returns the items that a requests: usually with one call, and with none if a requests no
// items or is invalid. Errors are:
//
//   - BAD_USER_INPUT, which names the invalid argument
//   - LIMIT_EXCEEDED if the requested items are out of reach (with a cursor to
//     continue from if there is one, see exhaustedError)
//   - UPSTREAM_BAD_RESPONSE if the upstream's links are unusable
//   - errors of Fetch, unchanged
//
// HasNextPage can be true although the next page will be empty, because it only means that the
// upstream offers more. It is never true for a page without items, and false only if nothing
// follows.
func Read[T any](ctx context.Context, l List[T], a Args) (*Result[T], error) {
	args, err := Check(a)
	if err != nil {
		return nil, err
	}
	from, err := l.properties().cursor(args)
	if err != nil {
		return nil, err
	}
	r := &reader[T]{
		list: l, args: args, binding: Bind(l.Identity, args.since, args.until), log: l.Log, limit: MaxPageSize,
	}
	if args.offset != nil {
		r.prefer = ByTime
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if from != nil {
		r.dated = from.Kind == ByPage
		if r.prefer = from.Kind; from.Kind == ByOffset {
			r.prefer = ByOffsetPage
		}
	}
	switch {
	case args.size == 0:
		return r.empty(), nil
	case l.Unpaged:
		return r.whole(ctx, from)
	case args.backward:
		return r.backward(ctx, *from)
	default:
		return r.forward(ctx, from)
	}
}

// A reader performs one Read.
type reader[T any] struct {
	list    List[T]
	args    CheckedArgs
	binding Binding
	log     *slog.Logger
	// prefer is the kind of the client's cursor, and the kind to issue if the links
	// do not contradict it. ByTime takes precedence over the links: a client that
	// started with an offset continues by time if the items have one.
	prefer       Kind
	limit        int // the largest page that the upstream is known to return
	calls        int
	sawEmptyPage bool            // a page had no items and was not the last: more calls are allowed
	sawTies      bool            // a second does not fit in a page: more calls are allowed
	dated        bool            // the list pages by date
	passed       map[itemID]bool // when reading backward: items that were read and are not above the last page
	total        *int            // the length of a list that was returned whole
}

// fetch fetches one page.
func (r *reader[T]) fetch(ctx context.Context, requested mixcloud.Range) (*page[T], error) {
	r.calls++
	response, err := r.get(ctx, requested)
	if err != nil {
		return nil, err
	}
	p := r.newPage(requested, response)
	if p.err != nil {
		return nil, p.err
	}
	r.observe(p)
	return p, nil
}

// observe records what a page shows about the list.
func (r *reader[T]) observe(p *page[T]) {
	r.dated = r.dated || p.scheme == byDate
	r.sawEmptyPage = r.sawEmptyPage || len(p.entries) == 0 && p.next != nil
	if p.whole {
		r.total = &p.size
	}
	if p.next == nil || p.rawSize >= p.requested.Limit {
		return
	}
	// A short page has two possible causes: Mixcloud's maximum page size is below the requested
	// one, or Mixcloud left out hidden items. The limit of the next link shows which.
	size := p.next.Limit
	if size == 0 && p.next.Offset != nil {
		size = *p.next.Offset - p.start
	}
	if size > 0 && size < p.requested.Limit {
		r.limit = min(r.limit, size)
	}
}

// exhaustedError returns the error for a page for which all allowed calls found no
// item, because Mixcloud hides the items there. Its extensions contain a cursor to
// continue from, under the name of the argument that accepts it.
func (r *reader[T]) exhaustedError(arg string, c Cursor) error {
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: "Mixcloud returned no items for this part of the list within the maximum number of calls per page. " +
			"To continue, send extensions." + arg + " as " + arg + ".",
		Details: map[string]any{arg: c.Encode(r.binding)},
	}
}

func (r *reader[T]) get(ctx context.Context, requested mixcloud.Range) (*mixcloud.Page[T], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	response, err := r.list.Fetch(ctx, requested)
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) { // the result is no longer needed
		return nil, cause
	}
	return response, err
}

// capLimit returns n, but at most the largest page size.
func (r *reader[T]) capLimit(n int) int { return min(n, r.limit) }

// empty returns a result that needs no call.
func (r *reader[T]) empty() *Result[T] {
	return &Result[T]{
		Edges:           []Edge[T]{},
		HasNextPage:     r.args.before != nil,
		HasPreviousPage: r.startsBelowTop(),
	}
}

// startsBelowTop reports whether the page starts below the top of the list.
func (r *reader[T]) startsBelowTop() bool {
	return r.args.after != nil || r.args.offset != nil && *r.args.offset > 0
}

// edges returns the edges of entries.
func (r *reader[T]) edges(entries []entry[T]) []Edge[T] {
	edges := make([]Edge[T], len(entries))
	for i, e := range entries {
		edges[i] = r.edge(e.item, e.cursor)
	}
	return edges
}

func (r *reader[T]) edge(item *T, position Cursor) Edge[T] {
	e := Edge[T]{Node: item, position: position, binding: r.binding}
	if !r.list.LazyCursors {
		e.Cursor = e.EncodeCursor()
	}
	return e
}

// whole slices a list that the upstream returns as a whole.
func (r *reader[T]) whole(ctx context.Context, from *Cursor) (*Result[T], error) {
	response, err := r.get(ctx, r.args.wholeRange())
	if err != nil {
		return nil, err
	}
	n := len(response.Items)
	lo, hi := 0, n
	switch {
	case r.args.backward:
		if from != nil {
			hi = min(from.Offset+from.Index, n)
		}
		lo = max(0, hi-r.args.size)
	default:
		if from != nil {
			lo = min(from.Offset+from.Index+1, n)
		} else if r.args.offset != nil {
			lo = min(*r.args.offset, n)
		}
		hi = min(lo+r.args.size, n)
	}
	edges := make([]Edge[T], 0, hi-lo)
	for i := lo; i < hi; i++ {
		edges = append(edges, r.edge(&response.Items[i], Cursor{Kind: ByOffset, Offset: i}))
	}
	result := &Result[T]{Edges: edges, HasNextPage: hi < n, HasPreviousPage: lo > 0, MinTotal: n}
	if response.Next == nil && r.unfiltered() {
		result.Total = &n
	}
	return result, nil
}

// unfiltered reports whether the client set no time bounds that exclude a part of
// the list.
func (r *reader[T]) unfiltered() bool { return r.args.since == noTime && r.args.until == noTime }
