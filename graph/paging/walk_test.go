package paging_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

// drawList draws a list of groups of items that share a second.
func drawList(t *rapid.T, groups, ties int) []item {
	var items []item
	second := int64(base + 1_000_000)
	for _, n := range rapid.SliceOfN(rapid.IntRange(1, ties), 0, groups).Draw(t, "ties") {
		second -= rapid.Int64Range(1, 3).Draw(t, "gap")
		for range n {
			items = append(items, item{fmt.Sprintf("/i%d/", len(items)), second})
		}
	}
	return items
}

func drawFakeList(t *rapid.T) *fakeList {
	u := &fakeList{
		timed:       rapid.Bool().Draw(t, "timed"),
		sinceNewest: rapid.Bool().Draw(t, "newest"),
		next:        rapid.IntRange(nextIfFull, nextIfOlder).Draw(t, "next"),

		noTopLink: rapid.Bool().Draw(t, "no top link"),
	}
	ties := rapid.SampledFrom([]int{1, 3, 12}).Draw(t, "maximum ties")
	u.items = drawList(t, 40, ties)
	if ties < 12 {
		u.cap = rapid.SampledFrom([]int{0, 7, 20}).Draw(t, "cap")
	}
	return u
}

// forward walks to the end of the list; between is called between pages.
func forward(t *rapid.T, u *fakeList, a paging.Args, between func(*paging.Result[item])) (edges []paging.Edge[item]) {
	for page := 0; ; page++ {
		size := rapid.IntRange(1, 30).Draw(t, "first")
		a.First = &size
		result := u.read(t, a)
		if len(result.Edges) > size {
			t.Fatalf("got %d items for first: %d, want at most as many", len(result.Edges), size)
		}
		if result.HasPreviousPage != (a.After != nil) {
			t.Fatalf("hasPreviousPage is %v for %s, want %v", result.HasPreviousPage, formatArgs(a), a.After != nil)
		}
		edges = append(edges, result.Edges...)
		if !result.HasNextPage {
			return edges
		}
		if page > 1000 {
			t.Fatal("hasNextPage is still true after 1000 pages")
		}
		a.After = &result.Edges[len(result.Edges)-1].Cursor
		if between != nil {
			between(result)
		}
	}
}

func itemsOf(edges []paging.Edge[item]) []item {
	items := make([]item, len(edges))
	for i, e := range edges {
		items[i] = *e.Node
	}
	return items
}

func TestForwardWalkReturnsTheList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := drawFakeList(t)
		u.pagesByOffset = rapid.Bool().Draw(t, "offset")
		got := itemsOf(forward(t, u, paging.Args{}, nil))
		if diff := cmp.Diff(u.items, got, cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("items of the walk (-list +walk):\n%s", diff)
		}
	})
}

func TestBackwardWalkReturnsTheListReversed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := drawFakeList(t)
		u.pagesByOffset = rapid.Bool().Draw(t, "offset")
		if u.sinceNewest {
			u.cap = 0 // all items must be within reach of five calls
		}
		edges := forward(t, u, paging.Args{}, nil)
		if len(edges) == 0 {
			return
		}
		before := edges[len(edges)-1].Cursor
		got := []item{*edges[len(edges)-1].Node}
		for {
			size := rapid.IntRange(1, 30).Draw(t, "last")
			u.takeCalls()
			result := u.read(t, paging.Args{Last: &size, Before: &before})
			calls := u.takeCalls()
			// A link that always leads to older items takes two more calls, to
			// detect that it leads out of the bounds.
			if len(calls) > 5 && !u.pagesByOffset && u.next != nextIfOlder {
				t.Fatalf("got %d calls, want at most 5: %q", len(calls), calls)
			}
			if len(result.Edges) > size || !result.HasNextPage {
				t.Fatalf("got %d items for last: %d, hasNextPage %v, want at most as many, true", len(result.Edges), size, result.HasNextPage)
			}
			if len(result.Edges) == 0 {
				if result.HasPreviousPage {
					t.Fatalf("hasPreviousPage is true on an empty page, want false; calls: %q", calls)
				}
				break
			}
			if u.cap == 0 && len(calls) < 5 && result.HasPreviousPage != (len(got)+len(result.Edges) < len(edges)) {
				t.Fatalf("hasPreviousPage is %v, but %d of %d items are above %v; calls: %q",
					result.HasPreviousPage, len(edges)-len(got)-len(result.Edges), len(edges), names(result), calls)
			}
			got = append(nodes(result), got...)
			before = result.Edges[0].Cursor
		}
		if diff := cmp.Diff(u.items, got, cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("items of the walk (-list +walk):\n%s", diff)
		}
	})
}

// Reading backward from any edge of a walk returns the items before it, and reading
// forward from there returns the same items again.
func TestForwardAndBackwardAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := drawFakeList(t)
		if u.sinceNewest {
			u.cap = 0
		}
		edges := forward(t, u, paging.Args{}, nil)
		if len(edges) == 0 {
			return
		}
		turn := rapid.IntRange(0, len(edges)-1).Draw(t, "turn")
		size := rapid.IntRange(1, 30).Draw(t, "last")
		back := u.read(t, paging.Args{Last: &size, Before: &edges[turn].Cursor})
		if len(back.Edges) < min(size, turn) && u.cap == 0 {
			t.Fatalf("got %d items before item %d, want %d; calls: %q", len(back.Edges), turn, min(size, turn), u.takeCalls())
		}
		want := itemsOf(edges[turn-len(back.Edges) : turn])
		if diff := cmp.Diff(want, nodes(back), cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("items before item %d (-forward +backward):\n%s", turn, diff)
		}
		if len(back.Edges) == 0 {
			return
		}
		forwardAgain := u.read(t, paging.Args{First: &size, After: &back.Edges[0].Cursor})
		from := turn - len(back.Edges) + 1
		want = itemsOf(edges[from:min(from+size, len(edges))])
		if diff := cmp.Diff(want, nodes(forwardAgain), cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("items of the second forward read from item %d (-first walk +second read):\n%s", from, diff)
		}
	})
}

// During a walk, items arrive, some in the second of others, and the item of a
// cursor is deleted. Items that were in the list during the whole walk are returned
// once, in order.
func TestForwardWalkOfAChangingList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := drawFakeList(t)
		want := slices.Clone(u.items)
		inserted := 0
		got := itemsOf(forward(t, u, paging.Args{}, func(r *paging.Result[item]) {
			last := r.Edges[len(r.Edges)-1].Node
			if (u.timed || u.cap == 0) && rapid.Bool().Draw(t, "delete") {
				u.items = slices.DeleteFunc(u.items, func(i item) bool { return i == *last })
			}
			for range rapid.IntRange(0, 4).Draw(t, "insert") {
				inserted++
				u.insert(t, fmt.Sprintf("/new%d/", inserted))
			}
		}))
		seen := make(map[item]bool)
		for _, i := range got {
			if seen[i] {
				t.Fatalf("the walk returned the item %v twice: %v", i, got)
			}
			seen[i] = true
		}
		got = slices.DeleteFunc(got, func(i item) bool { return i.key[1] == 'n' })
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("unchanged items of the walk (-list +walk):\n%s", diff)
		}
	})
}

// insert adds an item at the top, or among those of an existing second. If items
// have no times, that is the newest second, because a show cannot be favorited in
// the past.
func (u *fakeList) insert(t *rapid.T, key string) {
	// With small pages, the items of a second must fit in a page.
	if len(u.items) == 0 || u.cap > 0 || rapid.Bool().Draw(t, "on top") {
		second := int64(base + 2_000_000)
		if len(u.items) > 0 {
			second = u.items[0].second + 1
		}
		u.items = slices.Insert(u.items, 0, item{key, second})
		return
	}
	second := u.items[0].second
	if u.timed {
		second = rapid.SampledFrom(u.items).Draw(t, "neighbor").second
	}
	lo := slices.IndexFunc(u.items, func(i item) bool { return i.second == second })
	hi := lo
	for hi < len(u.items) && u.items[hi].second == second {
		hi++
	}
	u.items = slices.Insert(u.items, rapid.IntRange(lo, hi).Draw(t, "index"), item{key, second})
}

// Walks of a changing list while a cache returns earlier responses: the pages that a read combines
// have different ages. Items arrive in the newest second or later.
func TestWalksOfAChangingListThroughACache(t *testing.T) {
	t.Parallel()
	for _, direction := range []string{"forward", "backward"} {
		t.Run(direction, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				u := drawFakeList(t)
				if u.sinceNewest && u.cap > 0 {
					u.cap = 25 // all items must be within reach of five calls
				}
				u.noTopLink = false              // the list must show that it pages by date
				u.next = min(u.next, nextIfMore) // a link that always leads to older items takes more calls than allowed
				edges := forward(t, u, paging.Args{}, nil)
				if len(edges) == 0 {
					return
				}
				u.cache = map[string]*mixcloud.Page[item]{}
				turn := rapid.IntRange(0, len(edges)-1).Draw(t, "turn")
				want, inserted := itemsOf(edges[:turn]), 0
				insertNew := func() {
					if rapid.IntRange(0, 3).Draw(t, "expire") == 0 {
						clear(u.cache)
					}
					for range rapid.IntRange(0, 3).Draw(t, "insert") {
						inserted++
						u.insertNew(t, fmt.Sprintf("/new%d/", inserted))
					}
				}
				var got []item
				if direction == "forward" {
					want = slices.Clone(u.items)
					got = itemsOf(forward(t, u, paging.Args{}, func(*paging.Result[item]) { insertNew() }))
				} else {
					got = backward(t, u, edges[turn].Cursor, insertNew)
				}
				seen := make(map[item]bool)
				for _, i := range got {
					if seen[i] {
						t.Fatalf("the walk returned the item %v twice: %v", i, got)
					}
					seen[i] = true
				}
				got = slices.DeleteFunc(got, func(i item) bool { return i.key[1] == 'n' })
				if diff := cmp.Diff(want, got, cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
					t.Fatalf("unchanged items of the walk (-list +walk):\n%s", diff)
				}
			})
		})
	}
}

// backward walks from a cursor to the top; between is called between pages.
func backward(t *rapid.T, u *fakeList, before string, between func()) (items []item) {
	for range 1000 {
		size := rapid.IntRange(1, 30).Draw(t, "last")
		result := u.read(t, paging.Args{Last: &size, Before: &before})
		if len(result.Edges) > size {
			t.Fatalf("got %d items for last: %d, want at most as many", len(result.Edges), size)
		}
		items = append(nodes(result), items...)
		if !result.HasPreviousPage {
			return items
		}
		before = result.Edges[0].Cursor
		between()
	}
	t.Fatal("hasPreviousPage is still true after 1000 pages")
	return nil
}

// insertNew adds an item at the top, or among those of the newest second.
func (u *fakeList) insertNew(t *rapid.T, key string) {
	second, ties := u.items[0].second, 0
	for ties < len(u.items) && u.items[ties].second == second {
		ties++
	}
	if ties >= 15 || u.cap > 0 && ties >= 5 || rapid.Bool().Draw(t, "on top") {
		second, ties = second+rapid.Int64Range(1, 3).Draw(t, "later"), 0
	}
	u.items = slices.Insert(u.items, rapid.IntRange(0, ties).Draw(t, "index"), item{key, second})
}
