package paging

import (
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// Properties are the properties of a list that determine how its arguments are interpreted.
type Properties struct {
	Identity string // see [List]
	Dated    bool   // items have the time at which they were added to the list
	Unpaged  bool   // see [List]
}

func (l *List[T]) properties() Properties {
	return Properties{Identity: l.Identity, Dated: l.Time != nil, Unpaged: l.Unpaged}
}

// FirstRange returns the range of the first page that [Read] fetches for some arguments. It returns
// false for backward reads, and if Read makes no call because of an invalid argument or a size of
// 0.
func FirstRange(p Properties, a Args) (mixcloud.Range, bool) {
	args, err := Check(a)
	if err != nil {
		return mixcloud.Range{}, false
	}
	from, err := p.cursor(args)
	switch {
	case err != nil, args.size == 0:
		return mixcloud.Range{}, false
	case p.Unpaged:
		return args.wholeRange(), true
	case args.backward:
		return mixcloud.Range{}, false
	}
	s := args.startAfter(from)
	if s.byOffset {
		return args.offsetRange(s.offset, min(s.limit, MaxPageSize)), true
	}
	return args.olderRange(s.until, min(s.limit, MaxPageSize), p.Dated), true
}

// maxPosition is an offset and an index that no item has. The sum of both and the size of a page
// must fit in the 32 bits that an int has on some processors; cursors can contain larger numbers.
const maxPosition = 1<<30 - MaxPageSize

// cursor parses the cursor in some arguments. It returns nil if there is none.
func (p Properties) cursor(args CheckedArgs) (*Cursor, error) {
	if args.backward && args.before == nil && !p.Unpaged {
		return nil, gqlerr.Invalid("last", "requires before, because the end of this list is unknown")
	}
	name, text := "after", args.after
	if text == nil {
		name, text = "before", args.before
	}
	if text == nil {
		return nil, nil
	}
	c, err := Parse(name, *text, Bind(p.Identity, args.since, args.until))
	if err != nil {
		return nil, err
	}
	if c.Kind == ByTime && !p.Dated || c.Kind != ByOffset && c.Kind != ByOffsetPage && p.Unpaged {
		return nil, gqlerr.Invalid(name, "is a cursor of another list")
	}
	c.Offset, c.Index = min(c.Offset, maxPosition), min(c.Index, maxPosition)
	return &c, nil
}

// A start is the position and the size of the first page of a read.
type start struct {
	byOffset bool
	offset   int
	until    int64 // if not by offset; noTime for the top of the list
	limit    int   // can be above MaxPageSize
}

// startAfter returns the start of a forward read, from the top of the list or after a cursor.
func (r CheckedArgs) startAfter(from *Cursor) start {
	n := r.size
	switch {
	case from == nil && r.offset != nil:
		return start{byOffset: true, offset: *r.offset, limit: n}
	case from == nil:
		return start{until: noTime, limit: n}
	case from.Kind == ByTime:
		return start{until: from.Second + 1, limit: n + from.Index + 1}
	case from.Kind == ByPage && from.Key == noItem:
		return start{until: from.Second + 1, limit: n}
	case from.Kind == ByPage && from.Next != noTime: // the last item of its page
		return start{until: from.Next + 1, limit: n + 1}
	case from.Kind == ByPage:
		return start{until: from.pageUntil(), limit: n + from.Index + 1}
	case from.PageLimit == 0:
		return start{byOffset: true, offset: from.Offset + 1, limit: n}
	case from.Next > 0:
		return start{byOffset: true, offset: int(from.Next), limit: n}
	default:
		return from.ownPage(n)
	}
}

// ownPage returns the start of the page from which an offset cursor with a PageLimit came, extended
// to n items after the cursor if they fit in a page.
func (c Cursor) ownPage(n int) start {
	return start{byOffset: true, offset: c.Offset, limit: max(c.PageLimit, min(c.Index, MaxPageSize)+1+n)}
}

// pageUntil returns the until parameter of the page of a page cursor, or noTime for the top of the
// list.
func (c Cursor) pageUntil() int64 {
	if c.Second == noTime {
		return noTime
	}
	return c.Second + 1
}

// olderRange returns the range of the newest items older than until. If items have their own time,
// the range has no since, see [reader.fetchOlder].
func (r CheckedArgs) olderRange(until int64, limit int, dated bool) mixcloud.Range {
	part := mixcloud.Range{Limit: limit, Until: timeOf(r.olderBound(until))}
	if !dated {
		part.Since = timeOf(r.since)
	}
	return part
}

// olderBound returns the older of a bound and the client's own until.
func (r CheckedArgs) olderBound(until int64) int64 {
	if until == noTime || r.until != noTime && r.until < until {
		return r.until
	}
	return until
}

// offsetRange returns the range of a page at an offset, between the client's bounds.
func (r CheckedArgs) offsetRange(offset, limit int) mixcloud.Range {
	return mixcloud.Range{Limit: limit, Offset: &offset, Since: timeOf(r.since), Until: timeOf(r.until)}
}

// wholeRange returns the range of an unpaged list.
func (r CheckedArgs) wholeRange() mixcloud.Range {
	return mixcloud.Range{Limit: MaxPageSize, Since: timeOf(r.since), Until: timeOf(r.until)}
}
