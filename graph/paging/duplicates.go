package paging

import (
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// Some pages contain more items than the offset of their next link allows: an item is duplicated,
// or the last item of the previous page is repeated. In a list that pages by offset, the offset of
// an item then cannot be computed from its index in the page, and reading on from there would lose
// or repeat items. If the page itself proves which items are extra, they are removed; otherwise
// Read returns an error.
var (
	errTooManyItems = &gqlerr.Error{
		Code:    gqlerr.CodeUpstreamBadResponse,
		Message: "Mixcloud returned a page of this list with more items than its link to the next page indicates.",
	}
	errDuplicates = &gqlerr.Error{
		Code:    gqlerr.CodeUpstreamBadResponse,
		Message: "Mixcloud returned an item of this list twice in a row, so the positions of the items are unknown.",
	}
)

// dropDuplicates sets the entries of a page. If the list is a set and the page has
// too many items, it removes consecutive duplicates and counts the page without
// them. Duplicates reports that duplicates remain, because the
// number of items does not prove which of them are extra.
func (p *page[T]) dropDuplicates(r *reader[T], response *mixcloud.Page[T]) (duplicates bool) {
	p.entries = make([]entry[T], len(response.Items))
	for i := range response.Items {
		p.entries[i].item = &response.Items[i]
		p.entries[i].cursor.Key = cursorKey(r.list.Key(response.Items[i]))
	}
	if r.list.Repeats {
		return false
	}
	unique := slices.CompactFunc(slices.Clone(p.entries), func(a, b entry[T]) bool { return a.cursor.Key == b.cursor.Key })
	removed := len(p.entries) - len(unique)
	if maxItems := p.maxItems(); removed == 0 || p.rawSize <= maxItems || p.rawSize-removed > maxItems {
		return removed > 0
	}
	if r.list.Time != nil && p.scheme != byOffset {
		return false // the time identifies the items
	}
	p.entries = unique
	p.size, p.rawSize = p.size-removed, p.rawSize-removed
	return false
}

// maxItems returns the maximum number of items on the page: the limit of the
// request, or the distance to the page that its link leads to.
func (p *page[T]) maxItems() int {
	if step := p.linkStep(); step > 0 {
		return step
	}
	return p.requested.Limit
}

// linkStep returns the distance by offset to the page that the next link leads to;
// 0 if the link has no offset.
func (p *page[T]) linkStep() int {
	start := 0
	if p.requested.Offset != nil {
		start = *p.requested.Offset
	}
	if p.next == nil || p.next.Offset == nil {
		return 0
	}
	return max(0, *p.next.Offset-start)
}

// checkCount returns an error if the page has more items than the offset of its next link allows.
func (p *page[T]) checkCount() error {
	if step := p.linkStep(); step > 0 && p.rawSize > step {
		return errTooManyItems
	}
	return nil
}
