package paging

import (
	"time"

	"mixcloud-graphql/mixcloud"
)

// An entry is an item of a page, with the cursor that leads back to it.
type entry[T any] struct {
	item T
	at   Cursor
}

// An ident tells the items of a list apart: the same cloudcast can be listened
// to at two times.
type ident struct {
	key    string
	second int64 // noTime where items carry no time
}

func (c Cursor) ident() ident {
	if c.Kind == ByTime {
		return ident{c.Key, c.Second}
	}
	return ident{c.Key, noTime}
}

// A scheme is how a list pages.
type scheme int

const (
	unknown scheme = iota
	byDate
	byOffset
)

// schemeOf reads the scheme from a link. A link that keeps a since or until
// beside an offset goes by the offset.
func schemeOf(l *mixcloud.Link) scheme {
	switch {
	case l == nil:
		return unknown
	case l.Offset != nil:
		return byOffset
	case !l.Since.IsZero() || !l.Until.IsZero():
		return byDate
	}
	return unknown
}

// A sheet is a page that was read.
type sheet[T any] struct {
	entries     []entry[T]
	asked       mixcloud.Range
	raw         int // how many items the upstream gave, those without a key included
	scheme      scheme
	next        *mixcloud.Link
	top, bottom int64 // when the first and the last item were listed; noTime where nothing says
	complete    bool  // nothing else is between the bounds that were asked for
}

// view makes a sheet of a page. Offsets count from start.
func (r *reader[T]) view(asked mixcloud.Range, page *mixcloud.Page[T], start int) *sheet[T] {
	s := &sheet[T]{asked: asked, next: page.Next, raw: len(page.Items) + page.Dropped, top: noTime, bottom: noTime}
	if s.scheme = schemeOf(page.Next); s.scheme == unknown {
		s.scheme = schemeOf(page.Previous)
	}
	limit := asked.Limit
	for _, l := range []*mixcloud.Link{page.Next, page.Previous} {
		if l != nil && l.Limit > 0 {
			limit = min(limit, l.Limit) // the upstream's own idea of a full page
		}
	}
	s.complete = s.raw == 0 || s.raw < limit && page.Next == nil

	s.entries = make([]entry[T], len(page.Items))
	for i, item := range page.Items {
		s.entries[i].item = item
		s.entries[i].at.Key = cursorKey(r.list.Key(item))
	}
	if len(s.entries) == 0 {
		return s
	}
	switch seconds, ok := r.seconds(page.Items); {
	case ok && (s.scheme != byOffset || r.prefer == ByTime):
		for i := range s.entries {
			s.entries[i].at.Kind, s.entries[i].at.Second = ByTime, seconds[i]
		}
		countTies(s.entries)
		s.top, s.bottom = seconds[0], seconds[len(seconds)-1]
	case s.scheme == byDate, s.scheme == unknown && (r.prefer == ByPage || !asked.Since.IsZero() || !asked.Until.IsZero()):
		s.numberPage(page)
	default:
		for i := range s.entries {
			s.entries[i].at.Kind, s.entries[i].at.Offset = ByOffset, min(start+i, maxCursorOffset)
		}
		// Which of the items had no key is not known: whoever goes on from the
		// last one is past all of them.
		last := &s.entries[len(s.entries)-1].at
		last.Offset = min(last.Offset+page.Dropped, maxCursorOffset)
	}
	return s
}

// seconds are the items' own times. One that does not say takes the time of its
// neighbour above, or at the top the one below; false when none says.
func (r *reader[T]) seconds(items []T) ([]int64, bool) {
	if r.list.Time == nil {
		return nil, false
	}
	seconds := make([]int64, len(items))
	first := -1
	for i, item := range items {
		second, ok := secondOf(r.list.Time(item))
		switch {
		case ok && first < 0:
			first = i
		case !ok && first >= 0:
			second = seconds[i-1]
		}
		seconds[i] = second
	}
	for i := 0; i < first; i++ {
		seconds[i] = seconds[first]
	}
	return seconds, first >= 0
}

// countTies sets the places of entries within their second.
func countTies[T any](entries []entry[T]) {
	for i := range entries {
		c := &entries[i].at
		c.Place, c.Above = 0, 0
		if i > 0 && entries[i-1].at.Second == c.Second {
			c.Place, c.Above = entries[i-1].at.Place+1, digest(entries[i-1].at.Key)
		}
	}
}

// numberPage gives the entries page cursors.
func (s *sheet[T]) numberPage(page *mixcloud.Page[T]) {
	if page.Previous != nil {
		s.top, _ = secondOf(page.Previous.Since)
	}
	if until, ok := secondOf(s.asked.Until); ok && s.top == noTime {
		s.top = until - 1
	}
	if page.Next != nil {
		s.bottom, _ = secondOf(page.Next.Until)
	}
	for i := range s.entries {
		c := &s.entries[i].at
		c.Kind, c.Second, c.Next, c.Place = ByPage, s.top, noTime, i
		if i > 0 {
			c.Above = digest(s.entries[i-1].at.Key)
		}
	}
	if s.top == noTime || s.bottom <= s.top {
		s.entries[len(s.entries)-1].at.Next = s.bottom
	}
}

// secondOf is t in Unix seconds, noTime and false for a time that no list has.
func secondOf(t time.Time) (int64, bool) {
	if second := t.Unix(); second > 0 && second < maxTime {
		return second, true
	}
	return noTime, false
}

// timeOf is the opposite of secondOf.
func timeOf(second int64) time.Time {
	if second < 0 {
		return time.Time{}
	}
	return time.Unix(second, 0).UTC()
}

// find is the index of the entry, -1 if it is not there. Without a second the
// key alone counts.
func find[T any](entries []entry[T], id ident) int {
	for i, e := range entries {
		if e.at.Key == id.key && (id.second == noTime || e.at.ident() == id) {
			return i
		}
	}
	return -1
}

// spot is where in entries, of which those from lo to hi come into question, the
// item of a cursor stood that is not there any more: after its neighbour above,
// or else after as many items as stood before it. Sure says that it was the
// neighbour that told.
func spot[T any](entries []entry[T], lo, hi int, c Cursor) (at int, sure bool) {
	if c.Place > 0 {
		for i := lo; i < hi; i++ {
			if digest(entries[i].at.Key) == c.Above {
				return i + 1, true
			}
		}
	}
	return min(lo+c.Place, hi), false
}

// run is where the entries of a second begin and end in entries that are
// ordered newest first.
func run[T any](entries []entry[T], second int64) (lo, hi int) {
	for lo < len(entries) && entries[lo].at.Second > second {
		lo++
	}
	for hi = lo; hi < len(entries) && entries[hi].at.Second == second; hi++ {
	}
	return lo, hi
}

// last is the cursor of the last entry; the zero Cursor on an empty sheet.
func (s *sheet[T]) last() Cursor {
	if len(s.entries) == 0 {
		return Cursor{}
	}
	return s.entries[len(s.entries)-1].at
}

// guessLast is the spot of a page cursor whose item is not on a sheet that begins
// with the second in which it was listed. Known is false where it may still be
// further down.
func (s *sheet[T]) guessLast(from Cursor) (at int, known bool) {
	if s.top != noTime && s.top < from.Next {
		return 0, true // nothing of that second is left
	}
	if s.bottom == from.Next {
		return 0, false
	}
	lo, sure := spot(s.entries, 0, len(s.entries), from)
	return lo, sure
}
