package paging

import (
	"context"
	"errors"
	"log/slog"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

const (
	// maxFurtherCalls bounds what an upstream with tiny or empty pages can cost,
	// beside the first call of a page.
	maxFurtherCalls = 20
	// maxBackwardCalls bounds the search for the items next to a cursor, unless
	// pages turn out empty.
	maxBackwardCalls = 5
)

// errLink says that the upstream offers a next page, and no way to it.
var errLink = &gqlerr.Error{
	Code:    gqlerr.CodeUpstreamBadResponse,
	Message: "Mixcloud says that this list goes on, and not where.",
}

// Read gives the items that a asks for: usually with one call, and with none
// when a asks for no items or breaks a rule. Errors are BAD_USER_INPUT and name
// the argument at fault, LIMIT_EXCEEDED when the items that were asked for are
// out of reach (with a cursor to go on from if there is one, see exhausted),
// UPSTREAM_BAD_RESPONSE when the upstream's links lead nowhere, or Fetch's own,
// untouched.
//
// HasNextPage can be true before an empty page: that the upstream offers more
// is all that is known. With an empty page it is false, and true only if
// nothing follows.
func Read[T any](ctx context.Context, l List[T], a Args) (*Result[T], error) {
	req, err := Check(a)
	if err != nil {
		return nil, err
	}
	if req.backward && req.before == nil && !l.Whole {
		return nil, gqlerr.Invalid("last", "goes with before: where this list ends is not known")
	}
	r := &reader[T]{
		list: l, req: req, bind: Bind(l.Identity, req.since, req.until), log: l.Log, limit: MaxPageSize,
	}
	if req.offset != nil {
		r.prefer = ByTime
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	var from *Cursor
	for _, arg := range []struct {
		name  string
		value *string
	}{{"after", req.after}, {"before", req.before}} {
		if arg.value == nil {
			continue
		}
		c, err := Parse(arg.name, *arg.value, r.bind)
		if err != nil {
			return nil, err
		}
		if c.Kind == ByTime && l.Time == nil || c.Kind != ByOffset && c.Kind != ByWindow && l.Whole {
			return nil, gqlerr.Invalid(arg.name, "is a cursor of another list")
		}
		from = &c
		r.dated = c.Kind == ByPage
		if r.prefer = c.Kind; c.Kind == ByOffset {
			r.prefer = ByWindow
		}
	}
	switch {
	case req.size == 0:
		return r.empty(), nil
	case l.Whole:
		return r.whole(ctx, from)
	case req.backward:
		return r.backward(ctx, *from)
	default:
		return r.forward(ctx, from)
	}
}

// A reader answers one Read.
type reader[T any] struct {
	list List[T]
	req  Request
	bind Binding
	log  *slog.Logger
	// prefer is the kind of cursors to give where the links do not speak
	// against it, and ByTime even where they do: what the client came by. One
	// who jumped by offset goes on by time if the items carry it.
	prefer Kind
	limit  int // the largest page that the upstream gives, as far as is known
	calls  int
	hidden bool           // a page had no items and was not the last: more calls are allowed
	tied   bool           // a second does not fit a page: the same
	dated  bool           // the list goes by date
	passed map[ident]bool // on the way back: what was read and is not above what was read last
	total  *int           // the length of a list that came whole
}

// fetch gets one page.
func (r *reader[T]) fetch(ctx context.Context, asked mixcloud.Range) (*page[T], error) {
	r.calls++
	answer, err := r.get(ctx, asked)
	if err != nil {
		return nil, err
	}
	p := r.newPage(asked, answer)
	if p.fault != nil {
		return nil, p.fault
	}
	r.learn(p)
	return p, nil
}

// learn notes what a page says about the list.
func (r *reader[T]) learn(p *page[T]) {
	r.dated = r.dated || p.scheme == byDate
	r.hidden = r.hidden || len(p.entries) == 0 && p.next != nil
	if p.whole {
		r.total = &p.size
	}
	if p.next == nil || p.raw >= p.asked.Limit {
		return
	}
	// A short page is one of an upstream with a lower cap only if the link says
	// so: others have left out hidden items.
	size := p.next.Limit
	if size == 0 && p.next.Offset != nil {
		size = *p.next.Offset - p.start
	}
	if size > 0 && size < p.asked.Limit {
		r.limit = min(r.limit, size)
	}
}

// exhausted is the error for a page of which all the calls that are allowed
// found no item: Mixcloud hides what it has there. Its extensions hold a cursor
// to go on from, under the name of the argument that takes it.
func (r *reader[T]) exhausted(arg string, c Cursor) error {
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: "Mixcloud returns no item for this part of the list, which goes on for more calls than one page may cost. " +
			"To go on, use extensions." + arg + " as " + arg + ".",
		Details: map[string]any{arg: c.Encode(r.bind)},
	}
}

func (r *reader[T]) get(ctx context.Context, asked mixcloud.Range) (*mixcloud.Page[T], error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	answer, err := r.list.Fetch(ctx, asked)
	if cause := ctx.Err(); errors.Is(cause, context.Canceled) { // nobody waits for what would be made of it
		return nil, cause
	}
	return answer, err
}

// atMost is n, or the largest page.
func (r *reader[T]) atMost(n int) int { return min(n, r.limit) }

// before is the older of a bound and the client's own until.
func (r *reader[T]) before(until int64) int64 {
	if until == noTime || r.req.until != noTime && r.req.until < until {
		return r.req.until
	}
	return until
}

// empty is the result that needs no call.
func (r *reader[T]) empty() *Result[T] {
	return &Result[T]{
		Edges:           []Edge[T]{},
		HasNextPage:     r.req.before != nil,
		HasPreviousPage: r.startsLater(),
	}
}

// startsLater reports whether the page does not begin at the top of the list.
func (r *reader[T]) startsLater() bool {
	return r.req.after != nil || r.req.offset != nil && *r.req.offset > 0
}

// edges encodes the cursors of what is given out.
func (r *reader[T]) edges(entries []entry[T]) []Edge[T] {
	edges := make([]Edge[T], len(entries))
	for i, e := range entries {
		edges[i] = Edge[T]{Node: e.item, Cursor: e.at.Encode(r.bind)}
	}
	return edges
}

// whole cuts a list that comes in one piece.
func (r *reader[T]) whole(ctx context.Context, from *Cursor) (*Result[T], error) {
	asked := mixcloud.Range{Limit: MaxPageSize, Since: timeOf(r.req.since), Until: timeOf(r.req.until)}
	answer, err := r.get(ctx, asked)
	if err != nil {
		return nil, err
	}
	n := len(answer.Items)
	lo, hi := 0, n
	switch {
	case r.req.backward:
		if from != nil {
			hi = min(from.Offset+from.Place, n)
		}
		lo = max(0, hi-r.req.size)
	default:
		if from != nil {
			lo = min(from.Offset+from.Place+1, n)
		} else if r.req.offset != nil {
			lo = min(*r.req.offset, n)
		}
		hi = min(lo+r.req.size, n)
	}
	edges := make([]Edge[T], 0, hi-lo)
	for i := lo; i < hi; i++ {
		edges = append(edges, Edge[T]{Node: &answer.Items[i], Cursor: Cursor{Kind: ByOffset, Offset: i}.Encode(r.bind)})
	}
	result := &Result[T]{Edges: edges, HasNextPage: hi < n, HasPreviousPage: lo > 0, Seen: n}
	if answer.Next == nil && r.unfiltered() {
		result.Total = &n
	}
	return result, nil
}

// unfiltered reports whether no bound of the client hides a part of the list.
func (r *reader[T]) unfiltered() bool { return r.req.since == noTime && r.req.until == noTime }
