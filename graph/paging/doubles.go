package paging

import (
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// Some pages have more items than were cut for them: an item comes twice, or the
// last one of the page before is repeated. By offset, an item's place is then not
// what its index says, and going on from there would lose items or give them
// twice. What the page itself proves is set right; anything else is an error.
var (
	errMisplaced = &gqlerr.Error{
		Code:    gqlerr.CodeUpstreamBadResponse,
		Message: "Mixcloud returns more items in a page of this list than its link to the next page counts.",
	}
	errDoubles = &gqlerr.Error{
		Code:    gqlerr.CodeUpstreamBadResponse,
		Message: "Mixcloud returns an item of this list twice in a row, so the places of the items are not known.",
	}
)

// dropDoubles sets the entries of a page. Of a set whose page has too many items
// it leaves out those that come twice in a row, and counts the page without them.
// Doubles says that there are such items, and that nothing shows why.
func (p *page[T]) dropDoubles(r *reader[T], answer *mixcloud.Page[T]) (doubles bool) {
	p.entries = make([]entry[T], len(answer.Items))
	for i := range answer.Items {
		p.entries[i].item = &answer.Items[i]
		p.entries[i].at.Key = cursorKey(r.list.Key(answer.Items[i]))
	}
	if r.list.Repeats {
		return false
	}
	once := slices.CompactFunc(slices.Clone(p.entries), func(a, b entry[T]) bool { return a.at.Key == b.at.Key })
	gone := len(p.entries) - len(once)
	if most := p.most(); gone == 0 || p.raw <= most || p.raw-gone > most {
		return gone > 0
	}
	if r.list.Time != nil && p.scheme != byOffset {
		return false // the time tells items apart
	}
	p.entries = once
	p.size, p.raw = p.size-gone, p.raw-gone
	return false
}

// most is how many items the page can have: what was asked for, or up to where
// its link leads.
func (p *page[T]) most() int {
	if step := p.step(); step > 0 {
		return step
	}
	return p.asked.Limit
}

// step is how far the link to the next page leads by offset; 0 if it does not.
func (p *page[T]) step() int {
	start := 0
	if p.asked.Offset != nil {
		start = *p.asked.Offset
	}
	if p.next == nil || p.next.Offset == nil {
		return 0
	}
	return max(0, *p.next.Offset-start)
}

// misplaced is the error for a page with more items than its link counts.
func (p *page[T]) misplaced() error {
	if step := p.step(); step > 0 && p.raw > step {
		return errMisplaced
	}
	return nil
}
