package paging

import (
	"slices"
	"time"

	"mixcloud-graphql/mixcloud"
)

// An entry is an item of a page and the cursor that identifies its position.
type entry[T any] struct {
	item   *T // points into the response
	cursor Cursor
	// inferred means that the item has no time of its own: the cursor contains its neighbor's time.
	inferred bool
}

// An itemID identifies an item of a list. It includes the time, because the same
// cloudcast can be listened to twice.
type itemID struct {
	key    string
	second int64 // noTime if items have no time
}

func (c Cursor) itemID() itemID {
	if c.Kind == ByTime {
		return itemID{c.Key, c.Second}
	}
	return itemID{c.Key, noTime}
}

// sameItem reports whether two entries are the same item, as far as their data
// shows. Inferred times are not compared.
func sameItem[T any](a, b entry[T]) bool {
	return a.cursor.Key == b.cursor.Key && (a.inferred || b.inferred || a.cursor.itemID() == b.cursor.itemID())
}

// A scheme is the way in which a list pages.
type scheme int

const (
	unknown scheme = iota
	byDate
	byOffset
)

// schemeOf determines the scheme from a link. A link with an offset pages by
// offset, even if it also has since or until.
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

// A page is a page of an upstream list. It may have fewer items than the upstream
// counted: in some lists, hidden items are removed after the page was cut.
type page[T any] struct {
	entries   []entry[T]
	requested mixcloud.Range
	size      int // the number of items in the response
	rawSize   int // the same, including items without a key
	scheme    scheme
	next      *mixcloud.Link
	start     int   // how many items of the list, or between its bounds, precede the first one
	top       int64 // when the first item was listed; noTime if unknown
	// complete means that there are no other items between the requested bounds.
	complete bool
	// whole means that the response is the whole list, regardless of the request:
	// it has more items than requested, and no links.
	whole bool
	// inSecond means that the page was read by offset within a time bound.
	inSecond bool
	// tooNew means that the upstream returned items newer than requested, by more
	// than the second of until.
	tooNew bool
	// err is set if the page contradicts itself, so that the positions of its items
	// are unknown.
	err error
}

// newPage converts a response to a page.
func (r *reader[T]) newPage(requested mixcloud.Range, response *mixcloud.Page[T]) *page[T] {
	p := &page[T]{requested: requested, next: response.Next, size: len(response.Items), rawSize: len(response.Items) + response.Dropped, top: noTime}
	if p.scheme = schemeOf(response.Next); p.scheme == unknown {
		p.scheme = schemeOf(response.Previous)
	}
	duplicates := p.dropDuplicates(r, response)
	if response.InvalidNext && p.rawSize > 0 {
		p.next = &mixcloud.Link{} // its target is not known yet
	}
	limit := requested.Limit
	for _, l := range []*mixcloud.Link{response.Next, response.Previous} {
		if l != nil && l.Limit > 0 {
			limit = min(limit, l.Limit) // the size of a full page according to the upstream
		}
	}
	until, bounded := secondOf(requested.Until)
	// A list that pages by date applies its bounds. If it returns more items than
	// requested, it ignores the limit, and these are all the remaining items.
	remainder := p.rawSize > requested.Limit && p.next == nil
	p.whole = remainder && response.Previous == nil && !(r.dated && (bounded || !requested.Since.IsZero()))
	p.complete = p.next == nil && (p.rawSize < limit || p.whole || remainder && requested.Since.IsZero())
	if requested.Offset != nil && !p.whole {
		p.start = *requested.Offset
	}
	if response.Previous != nil {
		p.top, _ = secondOf(response.Previous.Since)
	}
	p.tooNew = bounded && p.top > until
	switch bounded = bounded || !requested.Since.IsZero(); {
	case len(p.entries) == 0:
	case (p.whole || p.scheme == byDate || p.scheme == unknown && r.prefer != ByOffsetPage || r.prefer == ByTime) && r.readTimes(p.entries):
		p.setTimeCursors(r.list.Repeats)
		if response.InvalidNext && len(p.entries) > 0 {
			p.next = &mixcloud.Link{Range: mixcloud.Range{Until: timeOf(p.last().cursor.Second)}}
		}
	case !p.whole && (p.scheme == byDate || p.scheme == unknown && (r.prefer == ByPage || bounded)):
		if !r.list.Repeats { // these lists are sets: favorites, followers
			p.entries = slices.CompactFunc(p.entries, func(a, b entry[T]) bool { return a.cursor.Key == b.cursor.Key })
		}
		p.setPageCursors()
	default:
		p.setOffsetCursors(response.Dropped)
		if p.err = p.checkCount(); duplicates && p.err == nil {
			p.err = errDuplicates
		}
	}
	return p
}

// readTimes sets the entries' seconds to the items' own times. An item without a
// time gets that of its neighbor above, or at the top that of the one below. It
// returns false if no item has a time.
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
		entries[i].inferred = !ok
	}
	if first < 0 {
		return false
	}
	for i := range entries {
		entries[i].cursor.Second = seconds[max(i, first)]
		entries[i].cursor.Kind = ByTime
	}
	return true
}

// setTimeCursors completes the cursors of entries that have their times. It drops
// duplicates and entries that are newer than requested.
func (p *page[T]) setTimeCursors(repeats bool) {
	p.top = max(p.top, p.entries[0].cursor.Second)
	if until, ok := secondOf(p.requested.Until); ok {
		newer := 0
		p.tooNew = p.tooNew || p.entries[0].cursor.Second > until
		for newer < len(p.entries) && p.entries[newer].cursor.Second >= until {
			newer++
		}
		p.entries = p.entries[newer:]
	}
	p.entries = dedupe(p.entries, repeats)
	setTieIndexes(p.entries)
}

// dedupe removes entries that repeat an earlier item at the same second. If the
// list may contain a key more than once, entries with an inferred time are not
// removed.
func dedupe[T any](entries []entry[T], repeats bool) []entry[T] {
	seen := make(map[itemID]bool, len(entries))
	unique := entries[:0]
	for _, e := range entries {
		if id := e.cursor.itemID(); !seen[id] || e.inferred && repeats {
			seen[id] = true
			unique = append(unique, e)
		}
	}
	return unique
}

// setTieIndexes sets the indexes of entries within their second, starting with the
// second entry. The index of the first entry is not changed.
func setTieIndexes[T any](entries []entry[T]) {
	for i := 1; i < len(entries); i++ {
		c, above := &entries[i].cursor, entries[i-1].cursor
		c.Index, c.PreviousDigest = 0, 0
		if above.Second == c.Second {
			c.Index, c.PreviousDigest = above.Index+1, digest(above.Key)
		}
	}
}

// setPageCursors sets page cursors on the entries.
func (p *page[T]) setPageCursors() {
	if until, ok := secondOf(p.requested.Until); ok && p.top == noTime {
		p.top = until - 1
	}
	for i := range p.entries {
		c := &p.entries[i].cursor
		c.Kind, c.Second, c.Next, c.Index = ByPage, p.top, noTime, i
		if i > 0 {
			c.PreviousDigest = digest(p.entries[i-1].cursor.Key)
		}
	}
	if floor := p.linkFloor(); p.top == noTime || floor <= p.top {
		p.entries[len(p.entries)-1].cursor.Next = floor
	}
}

// setOffsetCursors sets offset cursors on the entries. If the page has fewer items
// than its size, some were left out and their positions are unknown: the cursors
// then identify the page and the index in it.
func (p *page[T]) setOffsetCursors(dropped int) {
	size := p.requested.Limit
	if p.next != nil && p.next.Offset != nil && *p.next.Offset > p.start {
		size = *p.next.Offset - p.start
	}
	head := digest(p.entries[0].cursor.Key)
	exact := len(p.entries) >= size && dropped == 0 && !p.whole
	for i := range p.entries {
		c := Cursor{Kind: ByOffsetPage, Offset: min(p.start+i, maxCursorOffset), FirstDigest: head}
		if !exact {
			c.Offset, c.PageLimit, c.Index = min(p.start, maxCursorOffset), p.requested.Limit, i
		}
		if p.whole {
			c.PageLimit = MaxPageSize
		}
		c.Key = p.entries[i].cursor.Key // not encoded in the cursor that clients see
		p.entries[i].cursor = c
	}
	if !exact && p.next != nil && p.next.Offset != nil && p.endOffset() <= maxCursorOffset {
		p.entries[len(p.entries)-1].cursor.Next = int64(p.endOffset())
	}
}

// endOffset returns the offset of the first item after the page.
func (p *page[T]) endOffset() int {
	end := p.start + p.rawSize
	if p.next != nil && p.next.Offset != nil {
		end = max(end, *p.next.Offset)
	}
	return end
}

// kind returns the kind of the page's cursors; 0 if it has no items.
func (p *page[T]) kind() Kind {
	if len(p.entries) == 0 {
		return 0
	}
	return p.entries[0].cursor.Kind
}

// last returns the last entry, or the zero entry if the page is empty.
func (p *page[T]) last() entry[T] {
	if len(p.entries) == 0 {
		return entry[T]{}
	}
	return p.entries[len(p.entries)-1]
}

// linkFloor returns the time in the link to the next page, or noTime if there is
// none. It is the time when the page's last item was listed, including hidden
// items.
func (p *page[T]) linkFloor() int64 {
	if p.next == nil {
		return noTime
	}
	floor, _ := secondOf(p.next.Until)
	return floor
}

// floor returns a second for which all newer items are known to be on the page or
// above it, or noTime if there is none. It is the last item's own time if it has
// one.
func (p *page[T]) floor() int64 {
	if p.kind() == ByTime {
		return p.last().cursor.Second
	}
	return p.linkFloor()
}

// lowest returns the older of floor and linkFloor: if hidden items end the page,
// only the link has their time.
func (p *page[T]) lowest() int64 {
	floor, link := p.floor(), p.linkFloor()
	if link != noTime && (floor == noTime || link < floor) {
		return link
	}
	return floor
}

// truncate drops the entries that are not newer than since, and the link to the
// next page.
func (p *page[T]) truncate(since int64) {
	for i, e := range p.entries {
		if e.cursor.Second <= since {
			p.entries, p.next = p.entries[:i], nil
			return
		}
	}
	if floor := p.linkFloor(); len(p.entries) == 0 && floor != noTime && floor <= since {
		p.next = nil
	}
}

// secondOf returns t in Unix seconds, or noTime and false if t is outside the range
// of list times.
func secondOf(t time.Time) (int64, bool) {
	if second := t.Unix(); second > 0 && second < maxTime {
		return second, true
	}
	return noTime, false
}

// timeOf is the inverse of secondOf.
func timeOf(second int64) time.Time {
	if second < 0 {
		return time.Time{}
	}
	return time.Unix(second, 0).UTC()
}

// indexOf returns the index of an item, or -1. Without a second, only the keys are
// compared.
func indexOf[T any](entries []entry[T], id itemID) int {
	for i, e := range entries {
		if e.cursor.Key == id.key && (id.second == noTime || e.cursor.itemID() == id) {
			return i
		}
	}
	return -1
}

// indexOfCursor returns the index of a cursor's item, or -1. Of several items with
// its key, it selects the one below the cursor's neighbor, else the one at its
// index, else the first.
func indexOfCursor[T any](entries []entry[T], c Cursor) int {
	first := indexOf(entries, c.itemID())
	if first < 0 || c.Kind == ByTime {
		return first
	}
	at := -1
	for i := first; i < len(entries); i++ {
		if entries[i].cursor.Key != c.Key {
			continue
		}
		adjacent := c.Index == 0 && i == 0 || c.Index > 0 && i > 0 && digest(entries[i-1].cursor.Key) == c.PreviousDigest
		if adjacent && (at < 0 || i == c.Index) {
			at = i
		}
		if at < 0 && i == c.Index {
			first = i
		}
	}
	if at >= 0 {
		return at
	}
	return first
}

// insertionPoint returns the index in entries[lo:hi] where the item of a cursor was
// before it was deleted: below its neighbor above, or else after as many items as
// preceded it. Sure reports whether the neighbor was found.
func insertionPoint[T any](entries []entry[T], lo, hi int, c Cursor) (at int, sure bool) {
	if c.Index > 0 {
		for i := lo; i < hi; i++ {
			if digest(entries[i].cursor.Key) == c.PreviousDigest {
				return i + 1, true
			}
		}
	}
	return min(lo+c.Index, hi), false
}

// secondRange returns the start and end of a second's entries, in entries that are
// ordered newest first.
func secondRange[T any](entries []entry[T], second int64) (lo, hi int) {
	for lo < len(entries) && entries[lo].cursor.Second > second {
		lo++
	}
	for hi = lo; hi < len(entries) && entries[hi].cursor.Second == second; hi++ {
	}
	return lo, hi
}
