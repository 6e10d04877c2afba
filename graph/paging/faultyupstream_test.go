package paging_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
)

// A faultyList simulates a list of the REST API with faults that can be combined.
type faultyList struct {
	items       []item
	hidden      map[int]bool // left out of pages, but counted in their limit
	timed       bool         // items have the time when they were listed
	byOffset    bool         // pages by offset regardless of the request
	sinceNewest bool         // since returns the newest items instead of the nearest
	next        int          // when a page has a next link, see nextIfFull

	noTopLink           bool // no previous link on the page at the top
	cap                 int  // maximum page size
	noLimitInLinks      bool // links do not contain the limit
	shortPercent        int  // maximum size of a page in percent of the requested limit; 0 for 100
	ignoreLimit         bool
	fixedSize           int  // size of every page, regardless of the limit
	noLinksOnLast       bool // no links on the last page
	selfLink            bool // the link to the next page repeats the request
	duplicateEvery      int  // every n-th item is duplicated in its page; 0 for none
	overlap             bool // a page by offset starts with the last item of the previous page
	ignoreOffset        bool
	ignoreUntil         bool
	noLinks             bool
	offsetLinks         bool         // links page by offset, regardless of the request
	untilInclusive      bool         // until includes its second
	offsetIgnoresBounds bool         // a request with an offset ignores until and since
	calls               atomic.Int64 // atomic: pages can be fetched in parallel
}

func (u *faultyList) list() paging.List[item] {
	l := paging.List[item]{Identity: "/faulty/|items", Fetch: u.fetch, Key: func(i item) string { return i.key }}
	if u.timed {
		l.Time = func(i item) time.Time { return time.Unix(i.second, 0) }
	}
	return l
}

func (u *faultyList) fetch(_ context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
	u.calls.Add(1)
	limit := min(r.Limit, 100)
	if u.cap > 0 {
		limit = min(limit, u.cap)
	}
	if u.shortPercent > 0 {
		limit = max(1, limit*u.shortPercent/100)
	}
	byDate := !u.byOffset && r.Offset == nil
	if u.fixedSize > 0 {
		limit = u.fixedSize
	}
	var window []int
	for i, it := range u.items {
		until := r.Until.Unix()
		if u.untilInclusive {
			until++
		}
		bounded := byDate || !u.offsetIgnoresBounds && !u.byOffset
		if bounded && (!r.Since.IsZero() && it.second <= r.Since.Unix() || !u.ignoreUntil && !r.Until.IsZero() && it.second >= until) {
			continue
		}
		window = append(window, i)
	}
	from := 0
	if r.Offset != nil && !u.ignoreOffset {
		from = min(*r.Offset, len(window))
	}
	if u.ignoreLimit {
		limit = len(window)
	}
	page := window[from:min(from+limit, len(window))]
	if byDate && !u.sinceNewest && !r.Since.IsZero() && r.Until.IsZero() {
		page = window[max(0, len(window)-limit):]
	}
	p := &mixcloud.Page[item]{}
	for _, i := range page {
		if !u.hidden[i] {
			p.Items = append(p.Items, u.items[i])
		}
		if u.duplicateEvery > 0 && i%u.duplicateEvery == 0 {
			p.Items = append(p.Items, u.items[i])
		}
	}
	if u.overlap && !byDate && from > 0 && from < len(window) {
		p.Items = append([]item{u.items[window[from-1]]}, p.Items...)
	}
	if u.selfLink && len(page) == 0 {
		p.Next = &mixcloud.Link{Range: r}
	}
	if u.noLinks || len(page) == 0 {
		return p, nil
	}
	last := page[len(page)-1]
	more := len(page) == limit
	switch u.next {
	case nextIfMore:
		more = last != window[len(window)-1]
	case nextIfOlder:
		more = last != len(u.items)-1
	}
	link := mixcloud.Range{Limit: limit}
	if u.noLimitInLinks || u.shortPercent > 0 {
		link.Limit = 0
	}
	previous := link
	if byDate && !u.offsetLinks {
		link.Until, previous.Since = time.Unix(u.items[last].second, 0), time.Unix(u.items[page[0]].second, 0)
	} else {
		link.Offset, previous.Offset = ptr(from+len(page)), ptr(max(0, from-limit))
	}
	switch {
	case !more && u.noLinksOnLast && r.Since.IsZero(): // when reading backward, such a page looks like the top
		return p, nil
	case u.selfLink && (r.Offset != nil || !r.Until.IsZero()): // the link repeats the request, even after the last page
		p.Next = &mixcloud.Link{Range: r}
	case u.selfLink:
		p.InvalidNext = true
	case more:
		p.Next = &mixcloud.Link{Range: link}
	}
	if byDate && !(u.noTopLink && r.Since.IsZero() && r.Until.IsZero()) || !byDate && from > 0 {
		p.Previous = &mixcloud.Link{Range: previous}
	}
	return p, nil
}

// A page by offset that starts with the last item of the previous page contains more items than the
// offset of its next link allows, so the positions of its items are unknown.
func TestOverlappingPagesAreAnError(t *testing.T) {
	t.Parallel()
	u := &faultyList{byOffset: true, overlap: true}
	for i := range 60 {
		u.items = append(u.items, item{key: fmt.Sprintf("/i%d/", i), second: int64(1_500_000_000 - i)})
	}
	for _, size := range []int{1, 3, 7, 20} {
		edges, ended := u.forwardWalk(t, size)
		if ended || !slices.Equal(itemsOf(edges), u.items[:size]) {
			t.Errorf("first: %d: got %d items, ended %t, want the first page and an error", size, len(edges), ended)
		}
	}
}

// visible returns the items that a client can see.
func (u *faultyList) visible() []item {
	var items []item
	for i, it := range u.items {
		if !u.hidden[i] {
			items = append(items, it)
		}
	}
	return items
}

// permitted reports whether an error is allowed for a page that cannot be read.
func permitted(err error) (*gqlerr.Error, bool) {
	var e *gqlerr.Error
	ok := errors.As(err, &e) && (e.Code == gqlerr.CodeLimitExceeded || e.Code == gqlerr.CodeUpstreamBadResponse)
	return e, ok
}

// forwardWalk reads a list to its end in pages of one size. Ended is false if an error without a
// cursor to continue from stopped the walk.
func (u *faultyList) forwardWalk(t tester, size int) (edges []paging.Edge[item], ended bool) {
	t.Helper()
	a := paging.Args{First: &size}
	for range 3*len(u.items) + 50 {
		u.calls.Store(0)
		r, err := paging.Read(t.Context(), u.list(), a)
		if u.calls.Load() > 21+3 { // up to three more calls, to detect an unpaged list and to read within a second
			t.Fatalf("got %d calls for one page, want at most 24", u.calls.Load())
		}
		if e, ok := permitted(err); ok {
			after, hasCursor := e.Details["after"].(string)
			if !hasCursor {
				return edges, false
			}
			a.After = &after
			continue
		}
		if err != nil {
			t.Fatalf("Read(%s): %v", formatArgs(a), err)
		}
		if len(r.Edges) > size {
			t.Fatalf("got %d items for first: %d, want at most as many", len(r.Edges), size)
		}
		edges = append(edges, r.Edges...)
		if r.MinTotal < len(r.Edges) || r.Total != nil && *r.Total < r.MinTotal {
			t.Fatalf("got %d items, MinTotal %d and total %v, want items <= MinTotal <= total", len(r.Edges), r.MinTotal, show.Value(r.Total))
		}
		if !r.HasNextPage {
			return edges, true
		}
		if len(r.Edges) == 0 {
			t.Fatalf("hasNextPage is true on an empty page, want false")
		}
		a.After = &r.Edges[len(r.Edges)-1].Cursor
	}
	t.Fatalf("hasNextPage is still true after the items %v", itemsOf(edges))
	return nil, false
}

// backwardWalk reads from a cursor to the top.
func (u *faultyList) backwardWalk(t tester, from string, size int) (items []item, ended bool) {
	t.Helper()
	a := paging.Args{Last: &size, Before: &from}
	for range 3*len(u.items) + 50 {
		u.calls.Store(0)
		r, err := paging.Read(t.Context(), u.list(), a)
		if u.calls.Load() > 21+3 {
			t.Fatalf("got %d calls for one page, want at most 24", u.calls.Load())
		}
		if e, ok := permitted(err); ok {
			before, hasCursor := e.Details["before"].(string)
			if !hasCursor {
				return items, false
			}
			a.Before = &before
			continue
		}
		if err != nil {
			t.Fatalf("Read(%s): %v", formatArgs(a), err)
		}
		items = append(nodes(r), items...)
		if !r.HasPreviousPage {
			return items, true
		}
		if len(r.Edges) == 0 {
			t.Fatalf("hasPreviousPage is true on an empty page, want false")
		}
		a.Before = &r.Edges[0].Cursor
	}
	t.Fatalf("hasPreviousPage is still true after the items %v", items)
	return nil, false
}

// checkWalks reads a list in pages of all sizes and in both directions, and
// compares the results with want. It returns how many walks reached the end and how
// many were stopped by an error.
func (u *faultyList) checkWalks(t tester, want []item) (ended, stopped int) {
	t.Helper()
	count := func(ok bool) {
		if ok {
			ended++
		} else {
			stopped++
		}
	}
	for _, size := range []int{1, 3, 7, 20, 100} {
		edges, ok := u.forwardWalk(t, size)
		count(ok)
		got := itemsOf(edges)
		if !ok && len(got) <= len(want) {
			if !slices.Equal(want[:len(got)], got) {
				t.Fatalf("first: %d, before the error (-want +got):\n%s", size, diff(want[:len(got)], got))
			}
		} else if !slices.Equal(want, got) {
			t.Fatalf("first: %d (-want +got):\n%s", size, diff(want, got))
		}
		if len(edges) == 0 {
			continue
		}
		for _, size := range []int{1, 3, 7, 20, 100} {
			back, ok := u.backwardWalk(t, edges[len(edges)-1].Cursor, size)
			count(ok)
			want := got[:len(got)-1]
			if !ok {
				want = want[max(0, len(want)-len(back)):]
			}
			if !slices.Equal(want, back) {
				t.Fatalf("last: %d (-want +got):\n%s", size, diff(want, back))
			}
		}
	}
	return ended, stopped
}

func diff(want, got []item) string {
	return cmp.Diff(want, got, cmp.AllowUnexported(item{}), equateEmpty)
}

func drawHidden(t *rapid.T, n int) map[int]bool {
	hidden := map[int]bool{}
	for range rapid.IntRange(0, 4).Draw(t, "hidden runs") {
		from := rapid.IntRange(0, max(0, n-1)).Draw(t, "from")
		for i := from; i < min(n, from+rapid.SampledFrom([]int{1, 2, 5, 25, 130}).Draw(t, "run")); i++ {
			hidden[i] = true
		}
	}
	return hidden
}

// For every upstream, walks with any page size and direction return the same items,
// or an error.
func TestWalksOfFaultyLists(t *testing.T) {
	t.Parallel()
	ended, stopped := map[string]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		u := &faultyList{
			timed:               rapid.Bool().Draw(t, "timed"),
			byOffset:            rapid.Bool().Draw(t, "offset"),
			sinceNewest:         rapid.Bool().Draw(t, "newest"),
			noTopLink:           rapid.Bool().Draw(t, "no top link"),
			noLimitInLinks:      rapid.Bool().Draw(t, "no limit in links"),
			offsetIgnoresBounds: rapid.Bool().Draw(t, "offset ignores bounds"),
			next:                rapid.SampledFrom([]int{nextIfFull, nextIfOlder}).Draw(t, "next"),
		}
		u.timed = u.timed && !u.byOffset // no list is known that pages by offset although its items have times
		ties := rapid.SampledFrom([]int{1, 3, 12, 130}).Draw(t, "maximum ties")
		u.items = drawList(t, 40*12/(11+ties), ties)
		var want []item
		fault := rapid.SampledFrom([]string{"none", "cap", "hidden", "hidden and cap", "short", "duplicates", "inclusive", "no limit", "no offset", "no until", "fixed", "duplicates in pages", "self link"}).Draw(t, "fault")
		switch fault {
		case "cap":
			u.cap = rapid.SampledFrom([]int{1, 2, 7, 20, 50}).Draw(t, "cap")
		case "hidden":
			u.hidden = drawHidden(t, len(u.items))
		case "hidden and cap":
			u.hidden = drawHidden(t, len(u.items))
			u.cap = rapid.SampledFrom([]int{7, 20, 50}).Draw(t, "cap")
		case "short":
			u.shortPercent = rapid.IntRange(10, 90).Draw(t, "percent")
		case "duplicates":
			u.noTopLink = false // without a link nothing shows that the list pages by date
			for range rapid.IntRange(0, min(4, len(u.items))).Draw(t, "duplicates") {
				i := rapid.IntRange(0, len(u.items)-1).Draw(t, "duplicated index")
				at := i + 1
				for u.byOffset && at < len(u.items) && u.items[at].second == u.items[i].second && rapid.Bool().Draw(t, "further down") {
					at++
				}
				u.items = slices.Insert(u.items, at, u.items[i])
			}
			if !u.byOffset { // duplicates in the same second are returned once
				for _, i := range u.items {
					if !slices.Contains(want, i) {
						want = append(want, i)
					}
				}
			}
		case "fixed":
			u.fixedSize = rapid.SampledFrom([]int{5, 20, 50}).Draw(t, "page")
			u.noLinksOnLast = rapid.Bool().Draw(t, "last page has no links")
		case "duplicates in pages":
			u.duplicateEvery = rapid.IntRange(1, 5).Draw(t, "one duplicate in")
			u.noLinksOnLast = rapid.Bool().Draw(t, "last page has no links")
		case "self link":
			u.selfLink = true
			u.noLinksOnLast = rapid.Bool().Draw(t, "last page has no links")
		case "inclusive":
			u.untilInclusive = true
		case "no limit":
			u.ignoreLimit, u.noLinks = true, true
			u.ignoreOffset = rapid.Bool().Draw(t, "ignores the offset")
			u.ignoreUntil = rapid.Bool().Draw(t, "ignores until")
		case "no offset":
			u.ignoreOffset, u.byOffset, u.timed = true, true, false
			want = u.items[:min(100, len(u.items))]
		case "no until":
			u.ignoreUntil, u.offsetIgnoresBounds, u.byOffset = true, true, false
			u.ignoreOffset = true
			if len(u.items) > 100 {
				u.items = u.items[:100]
			}
		}
		if (u.noLimitInLinks && u.cap+u.fixedSize > 0) || u.shortPercent > 0 || len(u.hidden) > 0 {
			// When reading backward, a short page without links looks like the top
			// of the list.
			u.next = nextIfFull
		}
		if want == nil {
			want = u.visible()
		}
		e, s := u.checkWalks(t, want)
		// A link that always leads to older items cannot be checked without offsets
		// within bounds.
		if s > 0 && fault == "none" && ties < 100 && !(u.offsetIgnoresBounds && u.next == nextIfOlder) {
			t.Fatalf("without a fault, %d walks were stopped by an error, want none", s)
		}
		ended[fault], stopped[fault] = ended[fault]+e, stopped[fault]+s
	})
	t.Logf("walks that reached the end: %v; walks that an error stopped: %v", ended, stopped)
	var all, errors int
	for fault := range ended {
		if fault != "self link" { // without times such a link leads nowhere
			all, errors = all+ended[fault], errors+stopped[fault]
		}
	}
	if all < errors {
		t.Errorf("%d walks reached the end and %d were stopped by an error, want fewer errors", all, errors)
	}
}
