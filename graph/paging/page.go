package paging

import (
	"slices"
	"time"

	"mixcloud-graphql/mixcloud"
)

// An entry is an item of a page, with the cursor that leads back to it.
type entry[T any] struct {
	item *T // of the answer
	at   Cursor
	// borrowed says that the item does not carry its time: the cursor has a
	// neighbour's.
	borrowed bool
}

// An ident identifies an item of a list: the same cloudcast can be listened to
// at two times.
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

// same reports whether two entries are the same item, as far as they say. A
// borrowed time does not count.
func same[T any](a, b entry[T]) bool {
	return a.at.Key == b.at.Key && (a.borrowed || b.borrowed || a.at.ident() == b.at.ident())
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

// A page is a page of the upstream. It may have fewer items than the upstream
// counted: some lists leave out hidden items after they have cut the page.
type page[T any] struct {
	entries []entry[T]
	asked   mixcloud.Range
	size    int // how many items the upstream gave
	raw     int // the same with those without a key
	scheme  scheme
	next    *mixcloud.Link
	start   int   // how many items of the list, or of its bounds, stand before the first one
	top     int64 // when the first item was listed; noTime where nothing says
	// complete says that nothing else is between the bounds that were asked for.
	complete bool
	// whole says that the answer is the whole list, whatever was asked for: it
	// has more items than were asked for, and no links.
	whole bool
	// deep says that the page was read by offset within a bound in time.
	deep bool
	// repeated says that the upstream gave items which are newer than asked for,
	// by more than the second of until.
	repeated bool
	// fault is set when the page contradicts itself, so that none of its items
	// can be placed.
	fault error
}

// newPage makes a page of an answer.
func (r *reader[T]) newPage(asked mixcloud.Range, answer *mixcloud.Page[T]) *page[T] {
	p := &page[T]{asked: asked, next: answer.Next, size: len(answer.Items), raw: len(answer.Items) + answer.Dropped, top: noTime}
	if p.scheme = schemeOf(answer.Next); p.scheme == unknown {
		p.scheme = schemeOf(answer.Previous)
	}
	doubles := p.dropDoubles(r, answer)
	if answer.Astray && p.raw > 0 {
		p.next = &mixcloud.Link{} // where it leads is not known yet
	}
	limit := asked.Limit
	for _, l := range []*mixcloud.Link{answer.Next, answer.Previous} {
		if l != nil && l.Limit > 0 {
			limit = min(limit, l.Limit) // the upstream's own idea of a full page
		}
	}
	until, bounded := secondOf(asked.Until)
	// A list that goes by date keeps its bounds: more than was asked for is then
	// the rest of a list that does not keep the limit.
	rest := p.raw > asked.Limit && p.next == nil
	p.whole = rest && answer.Previous == nil && !(r.dated && (bounded || !asked.Since.IsZero()))
	p.complete = p.next == nil && (p.raw < limit || p.whole || rest && asked.Since.IsZero())
	if asked.Offset != nil && !p.whole {
		p.start = *asked.Offset
	}
	if answer.Previous != nil {
		p.top, _ = secondOf(answer.Previous.Since)
	}
	p.repeated = bounded && p.top > until
	switch bounded = bounded || !asked.Since.IsZero(); {
	case len(p.entries) == 0:
	case (p.whole || p.scheme == byDate || p.scheme == unknown && r.prefer != ByWindow || r.prefer == ByTime) && r.readTimes(p.entries):
		p.numberTimes(r.list.Repeats)
		if answer.Astray && len(p.entries) > 0 {
			p.next = &mixcloud.Link{Range: mixcloud.Range{Until: timeOf(p.last().at.Second)}}
		}
	case !p.whole && (p.scheme == byDate || p.scheme == unknown && (r.prefer == ByPage || bounded)):
		if !r.list.Repeats { // such lists are sets: favorites, followers
			p.entries = slices.CompactFunc(p.entries, func(a, b entry[T]) bool { return a.at.Key == b.at.Key })
		}
		p.numberPage()
	default:
		p.numberOffsets(answer.Dropped)
		if p.fault = p.misplaced(); doubles && p.fault == nil {
			p.fault = errDoubles
		}
	}
	return p
}

// readTimes sets the entries' seconds to the items' own times. An item that does
// not carry one borrows that of its neighbour above, or at the top that of the
// one below. False when no item carries a time.
func (r *reader[T]) readTimes(entries []entry[T]) bool {
	if r.list.Time == nil {
		return false
	}
	seconds := make([]int64, len(entries))
	first := -1
	for i := range entries {
		second, ok := secondOf(r.list.Time(*entries[i].item))
		switch {
		case ok && first < 0:
			first = i
		case !ok && first >= 0:
			second = seconds[i-1]
		}
		seconds[i] = second
		entries[i].borrowed = !ok
	}
	if first < 0 {
		return false
	}
	for i := range entries {
		entries[i].at.Second = seconds[max(i, first)]
		entries[i].at.Kind = ByTime
	}
	return true
}

// numberTimes completes the cursors of entries that have their times, and drops
// those that are newer than asked for, or there twice.
func (p *page[T]) numberTimes(repeats bool) {
	p.top = max(p.top, p.entries[0].at.Second)
	if until, ok := secondOf(p.asked.Until); ok {
		newer := 0
		p.repeated = p.repeated || p.entries[0].at.Second > until
		for newer < len(p.entries) && p.entries[newer].at.Second >= until {
			newer++
		}
		p.entries = p.entries[newer:]
	}
	p.entries = once(p.entries, repeats)
	countTies(p.entries)
}

// once returns the entries without those that are the same item at the same
// second as one before. Of a list that may hold a key more than once, those
// whose time is not known stay.
func once[T any](entries []entry[T], repeats bool) []entry[T] {
	seen := make(map[ident]bool, len(entries))
	kept := entries[:0]
	for _, e := range entries {
		if id := e.at.ident(); !seen[id] || e.borrowed && repeats {
			seen[id] = true
			kept = append(kept, e)
		}
	}
	return kept
}

// countTies sets the places of entries within their second, from the second
// entry on; the first one's is kept.
func countTies[T any](entries []entry[T]) {
	for i := 1; i < len(entries); i++ {
		c, above := &entries[i].at, entries[i-1].at
		c.Place, c.Above = 0, 0
		if above.Second == c.Second {
			c.Place, c.Above = above.Place+1, digest(above.Key)
		}
	}
}

// numberPage gives the entries page cursors.
func (p *page[T]) numberPage() {
	if until, ok := secondOf(p.asked.Until); ok && p.top == noTime {
		p.top = until - 1
	}
	for i := range p.entries {
		c := &p.entries[i].at
		c.Kind, c.Second, c.Next, c.Place = ByPage, p.top, noTime, i
		if i > 0 {
			c.Above = digest(p.entries[i-1].at.Key)
		}
	}
	if floor := p.linkFloor(); p.top == noTime || floor <= p.top {
		p.entries[len(p.entries)-1].at.Next = floor
	}
}

// numberOffsets gives the entries cursors by offset. Where the page has fewer
// items than its size, some were left out of it and nothing says which: the
// cursors then name the page and the place in it.
func (p *page[T]) numberOffsets(dropped int) {
	size := p.asked.Limit
	if p.next != nil && p.next.Offset != nil && *p.next.Offset > p.start {
		size = *p.next.Offset - p.start
	}
	head := digest(p.entries[0].at.Key)
	exact := len(p.entries) >= size && dropped == 0 && !p.whole
	for i := range p.entries {
		c := Cursor{Kind: ByWindow, Offset: min(p.start+i, maxCursorOffset), Head: head}
		if !exact {
			c.Offset, c.Span, c.Place = min(p.start, maxCursorOffset), p.asked.Limit, i
		}
		if p.whole {
			c.Span = MaxPageSize
		}
		c.Key = p.entries[i].at.Key // not part of the cursor as clients see it
		p.entries[i].at = c
	}
	if !exact && p.next != nil && p.next.Offset != nil && p.reached() <= maxCursorOffset {
		p.entries[len(p.entries)-1].at.Next = int64(p.reached())
	}
}

// reached is the offset of the first item after the page.
func (p *page[T]) reached() int {
	end := p.start + p.raw
	if p.next != nil && p.next.Offset != nil {
		end = max(end, *p.next.Offset)
	}
	return end
}

// kind is the kind of the page's cursors; 0 if it has no items.
func (p *page[T]) kind() Kind {
	if len(p.entries) == 0 {
		return 0
	}
	return p.entries[0].at.Kind
}

// last is the last entry; the zero entry of an empty page.
func (p *page[T]) last() entry[T] {
	if len(p.entries) == 0 {
		return entry[T]{}
	}
	return p.entries[len(p.entries)-1]
}

// linkFloor is the time in the link to the next page, which is when the page's
// last item was listed, a hidden one included; noTime if there is none.
func (p *page[T]) linkFloor() int64 {
	if p.next == nil {
		return noTime
	}
	floor, _ := secondOf(p.next.Until)
	return floor
}

// floor is a second of which all newer items are known to be on the page or
// above it: that of the last item where it carries its time. noTime where
// nothing says.
func (p *page[T]) floor() int64 {
	if p.kind() == ByTime {
		return p.last().at.Second
	}
	return p.linkFloor()
}

// lowest is the older of floor and linkFloor: where hidden items end the page,
// their time is in the link alone.
func (p *page[T]) lowest() int64 {
	floor, link := p.floor(), p.linkFloor()
	if link != noTime && (floor == noTime || link < floor) {
		return link
	}
	return floor
}

// cut drops the entries that are not newer than since. Behind them is nothing.
func (p *page[T]) cut(since int64) {
	for i, e := range p.entries {
		if e.at.Second <= since {
			p.entries, p.next = p.entries[:i], nil
			return
		}
	}
	if floor := p.linkFloor(); len(p.entries) == 0 && floor != noTime && floor <= since {
		p.next = nil
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

// find is the index of an item, -1 if it is not there. Without a second the key
// alone counts.
func find[T any](entries []entry[T], id ident) int {
	for i, e := range entries {
		if e.at.Key == id.key && (id.second == noTime || e.at.ident() == id) {
			return i
		}
	}
	return -1
}

// locate is the index of a cursor's item, -1 if it is not there. Of several with
// its key it is the one below the cursor's neighbour, else the one at its place,
// else the first.
func locate[T any](entries []entry[T], c Cursor) int {
	first := find(entries, c.ident())
	if first < 0 || c.Kind == ByTime {
		return first
	}
	at := -1
	for i := first; i < len(entries); i++ {
		if entries[i].at.Key != c.Key {
			continue
		}
		beside := c.Place == 0 && i == 0 || c.Place > 0 && i > 0 && digest(entries[i-1].at.Key) == c.Above
		if beside && (at < 0 || i == c.Place) {
			at = i
		}
		if at < 0 && i == c.Place {
			first = i
		}
	}
	if at >= 0 {
		return at
	}
	return first
}

// insertionPoint is where in entries, of which those from lo to hi come into
// question, the item of a cursor stood that is not there any more: below its
// neighbour above, or else below as many items as stood above it. Sure says that
// the neighbour was found.
func insertionPoint[T any](entries []entry[T], lo, hi int, c Cursor) (at int, sure bool) {
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
