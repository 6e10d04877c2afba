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
	"mixcloud-graphql/mixcloud"
)

// An odd upstream serves a list and breaks rules in ways that can be combined.
type odd struct {
	items  []item
	hidden map[int]bool // left out of pages after these were cut
	own    bool         // the items say when they were listed
	offset bool         // pages by offset whatever is asked
	newest bool         // since gives the newest items, not the nearest
	next   int          // when a page has a next link, see nextIfFull

	topless      bool // no previous link on the page from the top
	cap          int  // largest page
	bare         bool // links do not name the limit
	short        int  // a page has at most this share of what was asked, in percent; 0 for all
	ignoreLimit  bool
	fixed        int  // every page has so many items, whatever the limit
	lastBare     bool // no links on the last page
	astray       bool // the link to the next page repeats the request
	doubled      int  // of so many items, one comes twice in its page; 0 for none
	overlap      bool // a page by offset begins with the last item of the page before
	ignoreOffset bool
	ignoreUntil  bool
	linkless     bool
	offsetLinks  bool         // links go by offset, whatever was asked
	inclusive    bool         // until includes its second
	loose        bool         // an offset makes until and since count for nothing
	calls        atomic.Int64 // pages can be fetched side by side
}

func (o *odd) list() paging.List[item] {
	l := paging.List[item]{Identity: "/odd/|items", Fetch: o.fetch, Key: func(i item) string { return i.key }}
	if o.own {
		l.Time = func(i item) time.Time { return time.Unix(i.second, 0) }
	}
	return l
}

func (o *odd) fetch(_ context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
	o.calls.Add(1)
	limit := min(r.Limit, 100)
	if o.cap > 0 {
		limit = min(limit, o.cap)
	}
	if o.short > 0 {
		limit = max(1, limit*o.short/100)
	}
	byDate := !o.offset && r.Offset == nil
	if o.fixed > 0 {
		limit = o.fixed
	}
	var window []int
	for i, it := range o.items {
		until := r.Until.Unix()
		if o.inclusive {
			until++
		}
		bounded := byDate || !o.loose && !o.offset
		if bounded && (!r.Since.IsZero() && it.second <= r.Since.Unix() || !o.ignoreUntil && !r.Until.IsZero() && it.second >= until) {
			continue
		}
		window = append(window, i)
	}
	from := 0
	if r.Offset != nil && !o.ignoreOffset {
		from = min(*r.Offset, len(window))
	}
	if o.ignoreLimit {
		limit = len(window)
	}
	page := window[from:min(from+limit, len(window))]
	if byDate && !o.newest && !r.Since.IsZero() && r.Until.IsZero() {
		page = window[max(0, len(window)-limit):]
	}
	p := &mixcloud.Page[item]{}
	for _, i := range page {
		if !o.hidden[i] {
			p.Items = append(p.Items, o.items[i])
		}
		if o.doubled > 0 && i%o.doubled == 0 {
			p.Items = append(p.Items, o.items[i])
		}
	}
	if o.overlap && !byDate && from > 0 && from < len(window) {
		p.Items = append([]item{o.items[window[from-1]]}, p.Items...)
	}
	if o.astray && len(page) == 0 {
		p.Next = &mixcloud.Link{Range: r}
	}
	if o.linkless || len(page) == 0 {
		return p, nil
	}
	last := page[len(page)-1]
	more := len(page) == limit
	switch o.next {
	case nextIfMore:
		more = last != window[len(window)-1]
	case nextIfOlder:
		more = last != len(o.items)-1
	}
	link := mixcloud.Range{Limit: limit}
	if o.bare || o.short > 0 {
		link.Limit = 0
	}
	previous := link
	if byDate && !o.offsetLinks {
		link.Until, previous.Since = time.Unix(o.items[last].second, 0), time.Unix(o.items[page[0]].second, 0)
	} else {
		link.Offset, previous.Offset = ptr(from+len(page)), ptr(max(0, from-limit))
	}
	switch {
	case !more && o.lastBare && r.Since.IsZero(): // upwards, nothing tells such a page from the top
		return p, nil
	case o.astray && (r.Offset != nil || !r.Until.IsZero()): // the link repeats the request, also after the last page
		p.Next = &mixcloud.Link{Range: r}
	case o.astray:
		p.Astray = true
	case more:
		p.Next = &mixcloud.Link{Range: link}
	}
	if byDate && !(o.topless && r.Since.IsZero() && r.Until.IsZero()) || !byDate && from > 0 {
		p.Previous = &mixcloud.Link{Range: previous}
	}
	return p, nil
}

// A page by offset that begins with the last item of the one before has more
// items than its link counts: nothing says which places they have.
func TestPagesThatOverlapAreAnError(t *testing.T) {
	t.Parallel()
	o := &odd{offset: true, overlap: true}
	for i := range 60 {
		o.items = append(o.items, item{key: fmt.Sprintf("/i%d/", i), second: int64(1_500_000_000 - i)})
	}
	for _, size := range []int{1, 3, 7, 20} {
		edges, ended := o.forwardWalk(t, size)
		if ended || !slices.Equal(itemsOf(edges), o.items[:size]) {
			t.Errorf("first: %d: %d items, ended %t, want the first page and an error", size, len(edges), ended)
		}
	}
}

// visible are the items that a client can see.
func (o *odd) visible() []item {
	var items []item
	for i, it := range o.items {
		if !o.hidden[i] {
			items = append(items, it)
		}
	}
	return items
}

// permitted reports whether an error may stand for a page that cannot be read.
func permitted(err error) (*gqlerr.Error, bool) {
	var e *gqlerr.Error
	ok := errors.As(err, &e) && (e.Code == gqlerr.CodeLimitExceeded || e.Code == gqlerr.CodeUpstreamBadResponse)
	return e, ok
}

// forwardWalk reads a list to its end in pages of one size. Ended is false if an
// error that leads nowhere stopped it.
func (o *odd) forwardWalk(t tester, size int) (edges []paging.Edge[item], ended bool) {
	t.Helper()
	a := paging.Args{First: &size}
	for range 3*len(o.items) + 50 {
		o.calls.Store(0)
		r, err := paging.Read(t.Context(), o.list(), a)
		if o.calls.Load() > 21+3 { // looks for the whole list and at its place in a second come on top
			t.Fatalf("%d calls for one page", o.calls.Load())
		}
		if e, ok := permitted(err); ok {
			after, leads := e.Details["after"].(string)
			if !leads {
				return edges, false
			}
			a.After = &after
			continue
		}
		if err != nil {
			t.Fatalf("Read(%s): %v", show(a), err)
		}
		if len(r.Edges) > size {
			t.Fatalf("%d items for first: %d", len(r.Edges), size)
		}
		edges = append(edges, r.Edges...)
		if r.Seen < len(r.Edges) || r.Total != nil && *r.Total < r.Seen {
			t.Fatalf("%d items, seen %d, total %v", len(r.Edges), r.Seen, r.Total)
		}
		if !r.HasNextPage {
			return edges, true
		}
		if len(r.Edges) == 0 {
			t.Fatalf("hasNextPage on an empty page")
		}
		a.After = &r.Edges[len(r.Edges)-1].Cursor
	}
	t.Fatalf("the walk does not end: %v", itemsOf(edges))
	return nil, false
}

// backwardWalk reads from a cursor to the top.
func (o *odd) backwardWalk(t tester, from string, size int) (items []item, ended bool) {
	t.Helper()
	a := paging.Args{Last: &size, Before: &from}
	for range 3*len(o.items) + 50 {
		o.calls.Store(0)
		r, err := paging.Read(t.Context(), o.list(), a)
		if o.calls.Load() > 21+3 {
			t.Fatalf("%d calls for one page", o.calls.Load())
		}
		if e, ok := permitted(err); ok {
			before, leads := e.Details["before"].(string)
			if !leads {
				return items, false
			}
			a.Before = &before
			continue
		}
		if err != nil {
			t.Fatalf("Read(%s): %v", show(a), err)
		}
		items = append(nodes(r), items...)
		if !r.HasPreviousPage {
			return items, true
		}
		if len(r.Edges) == 0 {
			t.Fatalf("hasPreviousPage on an empty page")
		}
		a.Before = &r.Edges[0].Cursor
	}
	t.Fatalf("the walk does not end: %v", items)
	return nil, false
}

// check walks a list in all sizes and both directions, and compares. It returns
// how many walks ended and how many an error stopped.
func (o *odd) check(t tester, want []item) (ended, stopped int) {
	t.Helper()
	note := func(ok bool) {
		if ok {
			ended++
		} else {
			stopped++
		}
	}
	for _, size := range []int{1, 3, 7, 20, 100} {
		edges, ok := o.forwardWalk(t, size)
		note(ok)
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
			back, ok := o.backwardWalk(t, edges[len(edges)-1].Cursor, size)
			note(ok)
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

// Whatever an upstream does, walks in any size and direction give the same
// items, or an error.
func TestWalksOfAnyUpstream(t *testing.T) {
	t.Parallel()
	ended, stopped := map[string]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		o := &odd{
			own:     rapid.Bool().Draw(t, "own"),
			offset:  rapid.Bool().Draw(t, "offset"),
			newest:  rapid.Bool().Draw(t, "newest"),
			topless: rapid.Bool().Draw(t, "topless"),
			bare:    rapid.Bool().Draw(t, "bare"),
			loose:   rapid.Bool().Draw(t, "loose"),
			next:    rapid.SampledFrom([]int{nextIfFull, nextIfOlder}).Draw(t, "next"),
		}
		o.own = o.own && !o.offset // by offset although the items say when they were listed: no such list is known
		ties := rapid.SampledFrom([]int{1, 3, 12, 130}).Draw(t, "most ties")
		o.items = drawList(t, 40*12/(11+ties), ties)
		var want []item
		oddity := rapid.SampledFrom([]string{"none", "cap", "hidden", "hidden and cap", "short", "doubles", "inclusive", "no limit", "no offset", "no until", "fixed", "doubled pages", "astray"}).Draw(t, "oddity")
		switch oddity {
		case "cap":
			o.cap = rapid.SampledFrom([]int{1, 2, 7, 20, 50}).Draw(t, "cap")
		case "hidden":
			o.hidden = drawHidden(t, len(o.items))
		case "hidden and cap":
			o.hidden = drawHidden(t, len(o.items))
			o.cap = rapid.SampledFrom([]int{7, 20, 50}).Draw(t, "cap")
		case "short":
			o.short = rapid.IntRange(10, 90).Draw(t, "share")
		case "doubles":
			o.topless = false // without a link nothing says that a list is not one by offset
			for range rapid.IntRange(0, min(4, len(o.items))).Draw(t, "doubles") {
				i := rapid.IntRange(0, len(o.items)-1).Draw(t, "of")
				at := i + 1
				for o.offset && at < len(o.items) && o.items[at].second == o.items[i].second && rapid.Bool().Draw(t, "further down") {
					at++
				}
				o.items = slices.Insert(o.items, at, o.items[i])
			}
			if !o.offset { // the same item of the same second is one
				for _, i := range o.items {
					if !slices.Contains(want, i) {
						want = append(want, i)
					}
				}
			}
		case "fixed":
			o.fixed = rapid.SampledFrom([]int{5, 20, 50}).Draw(t, "page")
			o.lastBare = rapid.Bool().Draw(t, "last page has no links")
		case "doubled pages":
			o.doubled = rapid.IntRange(1, 5).Draw(t, "one in")
			o.lastBare = rapid.Bool().Draw(t, "last page has no links")
		case "astray":
			o.astray = true
			o.lastBare = rapid.Bool().Draw(t, "last page has no links")
		case "inclusive":
			o.inclusive = true
		case "no limit":
			o.ignoreLimit, o.linkless = true, true
			o.ignoreOffset = rapid.Bool().Draw(t, "ignores the offset")
			o.ignoreUntil = rapid.Bool().Draw(t, "ignores until")
		case "no offset":
			o.ignoreOffset, o.offset, o.own = true, true, false
			want = o.items[:min(100, len(o.items))]
		case "no until":
			o.ignoreUntil, o.loose, o.offset = true, true, false
			o.ignoreOffset = true
			if len(o.items) > 100 {
				o.items = o.items[:100]
			}
		}
		if (o.bare && o.cap+o.fixed > 0) || o.short > 0 || len(o.hidden) > 0 {
			// A short page without any link, read upwards, cannot be told from
			// the top of the list.
			o.next = nextIfFull
		}
		if want == nil {
			want = o.visible()
		}
		e, s := o.check(t, want)
		// A link that always leads to older items cannot be checked without
		// offsets within bounds.
		if s > 0 && oddity == "none" && ties < 100 && !(o.loose && o.next == nextIfOlder) {
			t.Fatalf("%d walks of an upstream that keeps the rules ended in an error", s)
		}
		ended[oddity], stopped[oddity] = ended[oddity]+e, stopped[oddity]+s
	})
	t.Logf("walks that ended: %v; that an error stopped: %v", ended, stopped)
	var all, errors int
	for oddity := range ended {
		if oddity != "astray" { // without times such a link leads nowhere
			all, errors = all+ended[oddity], errors+stopped[oddity]
		}
	}
	if all < errors {
		t.Errorf("%d walks ended, an error stopped %d", all, errors)
	}
}
