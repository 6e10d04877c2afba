package paging_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/mixcloud"
)

// itemsInOneSecond returns a list with n items in one second, one above and one
// below.
func itemsInOneSecond(n int) []item {
	items := []item{itemAt("top", 2)}
	for i := range n {
		items = append(items, itemAt(fmt.Sprint(i), 1))
	}
	return append(items, itemAt("under", 0))
}

// A second that does not fit in a page is read completely in both directions if
// Mixcloud combines an offset with until; otherwise the field has an error.
func TestSecondWithMoreItemsThanAPage(t *testing.T) {
	t.Parallel()
	sizes := []int{100, 150}
	if race.Enabled {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		for _, timed := range []bool{true, false} {
			for _, newest := range []bool{true, false} {
				o := &faultyList{timed: timed, sinceNewest: newest, items: itemsInOneSecond(n)}
				if _, stopped := o.checkWalks(t, o.items); stopped > 0 {
					t.Errorf("%d ties, timed %v, newest %v: %d walks were stopped by an error, want none", n, timed, newest, stopped)
				}
			}
			o := &faultyList{timed: timed, offsetIgnoresBounds: true, items: itemsInOneSecond(n)}
			edges, ended := o.forwardWalk(t, 60)
			if got := itemsOf(edges); ended || !slices.Equal(o.items[:len(got)], got) {
				t.Errorf("%d ties, timed %v: ended %v with %v, want the first items and an error", n, timed, ended, got)
			}
			_, err := paging.Read(t.Context(), o.list(), paging.Args{First: ptr(60), After: &edges[len(edges)-1].Cursor})
			if e, ok := permitted(err); !ok || e.Code != gqlerr.CodeLimitExceeded || !strings.Contains(e.Message, "share one second") {
				t.Errorf("%d ties, timed %v: got error %v, want LIMIT_EXCEEDED", n, timed, err)
			}
		}
	}
}

// A second that just fits in a page is read in both directions.
func TestSecondThatFillsAPage(t *testing.T) {
	t.Parallel()
	for _, newest := range []bool{false, true} {
		u := &fakeList{timed: true, sinceNewest: newest, items: []item{itemAt("top", 2)}}
		want := []string{"top"}
		for i := range 98 {
			u.items = append(u.items, itemAt(fmt.Sprint(i), 1))
			want = append(want, fmt.Sprint(i))
		}
		u.items = append(u.items, itemAt("under", 0))
		first := u.read(t, paging.Args{First: ptr(100)})
		for _, from := range []int{99, 98, 60, 30, 2, 1} {
			r := u.read(t, paging.Args{Last: ptr(50), Before: &first.Edges[from].Cursor})
			if diff := cmp.Diff(want[max(0, from-50):from], names(r)); diff != "" {
				t.Errorf("newest %v, before %d (-want +got):\n%s", newest, from, diff)
			}
			if previous := from > 50; r.HasPreviousPage != previous {
				t.Errorf("newest %v, before %d: got hasPreviousPage %v, want %v", newest, from, r.HasPreviousPage, previous)
			}
			if calls := u.takeCalls(); len(calls) > 5 {
				t.Errorf("newest %v, before %d: got %d calls, want at most 5: %q", newest, from, len(calls), calls)
			}
		}
	}
}

// A second that fills several pages is read in both directions.
func TestSecondThatFillsSeveralPages(t *testing.T) {
	t.Parallel()
	for _, timed := range []bool{true, false} {
		for _, newest := range []bool{true, false} {
			o := &faultyList{timed: timed, sinceNewest: newest, items: itemsInOneSecond(350)}
			edges, ended := o.forwardWalk(t, 60)
			if !ended || !slices.Equal(o.items, itemsOf(edges)) {
				t.Errorf("timed %v, newest %v: walk ended %v, want true with all items:\n%s", timed, newest, ended, diff(o.items, itemsOf(edges)))
			}
			for _, from := range []int{351, 300, 120, 60} {
				back, ended := o.backwardWalk(t, edges[from].Cursor, 60)
				if !ended || !slices.Equal(o.items[:from], back) {
					t.Errorf("timed %v, newest %v, before %d: walk ended %v, want true with all items above:\n%s", timed, newest, from, ended, diff(o.items[:from], back))
				}
			}
		}
	}
}

// After an offset request into a second that does not fit in a page, reading
// continues from there in both directions.
func TestOffsetInsideALargeSecond(t *testing.T) {
	t.Parallel()
	for _, newest := range []bool{false, true} {
		o := &faultyList{timed: true, sinceNewest: newest, items: itemsInOneSecond(250)}
		page, err := paging.Read(t.Context(), o.list(), paging.Args{First: ptr(10), Offset: ptr(121)})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []paging.Args{{First: ptr(10), After: &page.Edges[9].Cursor}, {Last: ptr(10), Before: &page.Edges[9].Cursor}} {
			r, err := paging.Read(t.Context(), o.list(), a)
			if err != nil {
				t.Fatal(err)
			}
			want := o.items[131:141]
			if a.Last != nil {
				want = o.items[120:130]
			}
			if !slices.Equal(want, nodes(r)) {
				t.Errorf("newest %v, %s (-want +got):\n%s", newest, formatArgs(a), diff(want, nodes(r)))
			}
		}
	}
}

// If since returns the newest items of the list, five calls reach about 400 items
// down; there is no sixth call.
func TestBackwardOutOfReach(t *testing.T) {
	t.Parallel()
	for _, timed := range []bool{true, false} {
		u := &fakeList{timed: timed, sinceNewest: true}
		for i := range 1000 {
			u.items = append(u.items, itemAt(fmt.Sprint(i), int64(5000-i)))
		}
		r := u.read(t, paging.Args{First: ptr(1), Until: second(4200)})
		u.takeCalls()
		_, err := paging.Read(t.Context(), u.list(), paging.Args{Last: ptr(10), Before: &r.Edges[0].Cursor, Until: second(4200)})
		if err != nil && invalidArgument(err) != "" {
			t.Fatal(err)
		}
		// Without the bound, the cursor is too far down.
		r = u.read(t, paging.Args{First: ptr(100)})
		for range 7 {
			r = u.read(t, paging.Args{First: ptr(100), After: &r.Edges[99].Cursor})
		}
		u.takeCalls()
		// The page's own items are within reach; those above its first item are
		// not.
		_, err = paging.Read(t.Context(), u.list(), paging.Args{Last: ptr(10), Before: &r.Edges[0].Cursor})
		var e *gqlerr.Error
		if timed && (!errors.As(err, &e) || e.Code != gqlerr.CodeLimitExceeded) {
			t.Errorf("error %v, want LIMIT_EXCEEDED", err)
		}
		if !timed && err != nil {
			t.Errorf("got error %v, want none: the cursor's index reaches into the previous page", err)
		}
		if calls := u.takeCalls(); len(calls) > 5 {
			t.Errorf("got %d calls, want at most 5: %q", len(calls), calls)
		}
	}
}

// Reading stops soon if an upstream repeats itself, or offers more pages and
// returns nothing.
func TestEndlessUpstream(t *testing.T) {
	t.Parallel()
	link := func(r mixcloud.Range) *mixcloud.Link { return &mixcloud.Link{Range: r} }
	for name, test := range map[string]struct {
		fake  func(n int, r mixcloud.Range) *mixcloud.Page[item]
		want  []string
		calls int
		next  bool        // hasNextPage
		code  gqlerr.Code // of the expected error; "" for none
	}{
		"repeats the page by date": {
			func(int, mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Items: letters()[:3], Next: link(mixcloud.Range{Limit: 10, Until: *second(240)})}
			},
			[]string{"a", "b", "c"},
			5, false, "",
		},
		"links to itself": {
			func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Items: letters()[:3], Next: link(r)}
			},
			[]string{"a", "b", "c"},
			4, false, "",
		},
		"repeats the page by offset": {
			func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Items: letters()[:3], Next: link(mixcloud.Range{Limit: 3, Offset: ptr(3)})}
			},
			[]string{"a", "b", "c"},
			5, false, "",
		},
		"empty page with a useless link": {
			func(int, mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Next: link(mixcloud.Range{Limit: 10})}
			},
			nil, 1, false, gqlerr.CodeUpstreamBadResponse,
		},
		"empty pages, always older": {
			func(n int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Next: link(mixcloud.Range{Limit: 10, Until: *second(int64(-n))})}
			},
			nil, 21, false, gqlerr.CodeLimitExceeded,
		},
		"empty pages by offset": {
			func(n int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Next: link(mixcloud.Range{Limit: 10, Offset: ptr(10 * n)})}
			},
			nil, 21, false, gqlerr.CodeLimitExceeded,
		},
		"one item per page": {
			func(n int, r mixcloud.Range) *mixcloud.Page[item] {
				from := 0
				if r.Offset != nil {
					from = *r.Offset
				}
				return &mixcloud.Page[item]{Items: letters()[from : from+1], Next: link(mixcloud.Range{Limit: 1, Offset: ptr(from + 1)})}
			},
			[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"},
			10, true, "",
		},
	} {
		for _, timed := range []bool{true, false} {
			t.Run(fmt.Sprint(name, timed), func(t *testing.T) {
				t.Parallel()
				u := &fakeList{timed: timed, fake: test.fake}
				if test.code != "" {
					_, err := paging.Read(t.Context(), u.list(), paging.Args{First: ptr(10)})
					if e, ok := permitted(err); !ok || e.Code != test.code || (e.Details["after"] != nil) != (test.calls > 1) {
						t.Errorf("error = %v, want %s, with a cursor to continue from: %t", err, test.code, test.calls > 1)
					}
					if calls := u.takeCalls(); len(calls) > test.calls {
						t.Errorf("got %d calls, want at most %d: %q", len(calls), test.calls, calls)
					}
					return
				}
				got, _ := u.readWithCalls(t, paging.Args{First: ptr(10)})
				if diff := cmp.Diff(test.want, got.Names, equateEmpty); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if len(got.Calls) > test.calls {
					t.Errorf("got %d calls, want at most %d: %q", len(got.Calls), test.calls, got.Calls)
				}
				// Without times such a page looks like items of one second: the
				// next page is an error.
				if got.Next != (test.next || !timed && name == "repeats the page by date") {
					t.Errorf("got hasNextPage %v, want %v", got.Next, !got.Next)
				}
			})
		}
	}
}

// An empty page with a next link is skipped.
func TestSkipEmptyPage(t *testing.T) {
	t.Parallel()
	for _, offset := range []bool{true, false} {
		u := &fakeList{pagesByOffset: offset, timed: !offset, items: letters()}
		u.fake = func(n int, r mixcloud.Range) *mixcloud.Page[item] {
			if n > 1 {
				return nil
			}
			next := mixcloud.Range{Limit: 5, Until: *second(241)}
			if offset {
				next = mixcloud.Range{Limit: 5, Offset: ptr(2)}
			}
			return &mixcloud.Page[item]{Next: &mixcloud.Link{Range: next}}
		}
		got, _ := u.readWithCalls(t, paging.Args{First: ptr(3)})
		if diff := cmp.Diff([]string{"c", "d", "e"}, got.Names); diff != "" {
			t.Errorf("offset %v (-want +got):\n%s", offset, diff)
		}
	}
}

// Items without a key are dropped. A read after the last item of their page skips them too.
func TestItemsWithoutAKey(t *testing.T) {
	t.Parallel()
	u := &fakeList{pagesByOffset: true, items: letters()}
	u.fake = func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
		if r.Offset != nil {
			return nil
		}
		next := 4
		return &mixcloud.Page[item]{Items: []item{itemAt("a", 0), itemAt("c", 0), itemAt("d", 0)}, Dropped: 1, Next: &mixcloud.Link{Range: mixcloud.Range{Limit: 4, Offset: &next}}}
	}
	_, r := u.readWithCalls(t, paging.Args{First: ptr(3)})
	got, _ := u.readWithCalls(t, paging.Args{First: ptr(1), After: &r.Edges[2].Cursor})
	if diff := cmp.Diff(outcome{[]string{"e"}, true, true, []string{"limit=1 offset=4"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An item without a time gets its neighbor's.
func TestItemsWithoutATime(t *testing.T) {
	t.Parallel()
	for _, untimed := range [][]int{{0}, {1}, {2}, {0, 1}, {1, 2, 3}, {0, 1, 2, 3}} {
		page := letters()[:4]
		for _, i := range untimed {
			page[i].second = 0
		}
		u := &fakeList{timed: true}
		u.fake = func(n int, r mixcloud.Range) *mixcloud.Page[item] {
			// The upstream pages by the times of letters.
			real := &fakeList{items: letters()[:4]}
			p, err := real.fetch(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			for i := range p.Items {
				p.Items[i] = page[p.Items[i].key[1]-'a']
			}
			return p
		}
		var got []string
		a := paging.Args{First: ptr(1)}
		for range 9 {
			r := u.read(t, a)
			got = append(got, names(r)...)
			if !r.HasNextPage {
				break
			}
			a.After = &r.Edges[0].Cursor
		}
		if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
			t.Errorf("without times at %v (-want +got):\n%s", untimed, diff)
		}
	}
}

// If a list may contain a key more than once, items without a time are distinct
// even if they have the same key; in other lists they are duplicates.
func TestRepeatedItemsWithoutATime(t *testing.T) {
	t.Parallel()
	for _, repeats := range []bool{true, false} {
		for _, first := range []int{1, 2, 10} {
			items := []item{itemAt("a", 3), {"/b/", 0}, {"/c/", 0}, {"/b/", 0}, itemAt("a", 2), itemAt("a", 2), itemAt("d", 1)}
			l := paging.List[item]{
				Identity: "/test/|listeners", Key: func(i item) string { return i.key }, Repeats: repeats,
				Time: func(i item) time.Time {
					if i.second == 0 {
						return time.Time{}
					}
					return time.Unix(i.second, 0)
				},
				Fetch: func(context.Context, mixcloud.Range) (*mixcloud.Page[item], error) {
					return &mixcloud.Page[item]{Items: slices.Clone(items)}, nil
				},
			}
			r, err := paging.Read(t.Context(), l, paging.Args{First: &first})
			if err != nil {
				t.Fatal(err)
			}
			want := []string{"a", "b", "c", "b", "a", "d"}
			if !repeats {
				want = []string{"a", "b", "c", "a", "d"}
			}
			if diff := cmp.Diff(want[:min(first, len(want))], names(r)); diff != "" {
				t.Errorf("repeats %v, first: %d (-want +got):\n%s", repeats, first, diff)
			}
		}
	}
}

// A list whose newest items are hidden starts with the first visible one. If more
// items are hidden than one page may read, the error has a cursor past them.
func TestNewestItemsHidden(t *testing.T) {
	t.Parallel()
	for _, offset := range []bool{true, false} {
		for _, timed := range []bool{true, false} {
			for _, hidden := range []int{25, 150, 2500} {
				o := &faultyList{timed: timed && !offset, byOffset: offset, hidden: map[int]bool{}}
				for i := range hidden + 40 {
					o.hidden[i] = i < hidden
					o.items = append(o.items, itemAt(fmt.Sprint(i), int64(10_000-i)))
				}
				edges, ended := o.forwardWalk(t, 1) // continues from extensions.after
				if want := o.visible(); !ended || !slices.Equal(want, itemsOf(edges)) {
					t.Fatalf("offset %v, timed %v, %d hidden: walk ended %v, want true with all visible items (-want +got):\n%s", offset, timed, hidden, ended, diff(want, itemsOf(edges)))
				}
				_, err := paging.Read(t.Context(), o.list(), paging.Args{First: ptr(1)})
				if e, ok := permitted(err); (err != nil) != (hidden == 2500) || err != nil && (!ok || e.Details["after"] == nil) {
					t.Errorf("offset %v, timed %v, %d hidden: got error %v, want one with a cursor only for 2500 hidden items", offset, timed, hidden, err)
				}
				back, ended := o.backwardWalk(t, edges[20].Cursor, 7)
				if want := itemsOf(edges[:20]); !ended || !slices.Equal(want, back) {
					t.Errorf("offset %v, timed %v, %d hidden, backward walk ended %v, want true (-want +got):\n%s", offset, timed, hidden, ended, diff(want, back))
				}
			}
		}
	}
}

// The same with hidden items in the middle of a list, read backward.
func TestHiddenItemsInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, offset := range []bool{true, false} {
		for _, timed := range []bool{true, false} {
			for _, hidden := range []int{25, 150, 2500} {
				o := &faultyList{timed: timed && !offset, byOffset: offset, hidden: map[int]bool{}}
				for i := range hidden + 60 {
					o.hidden[i] = i >= 20 && i < 20+hidden
					o.items = append(o.items, itemAt(fmt.Sprint(i), int64(10_000-i)))
				}
				edges, ended := o.forwardWalk(t, 20)
				if want := o.visible(); !ended || !slices.Equal(want, itemsOf(edges)) {
					t.Fatalf("offset %v, timed %v, %d hidden: walk ended %v, want true with all visible items (-want +got):\n%s", offset, timed, hidden, ended, diff(want, itemsOf(edges)))
				}
				for _, from := range []int{20, 30} {
					back, ended := o.backwardWalk(t, edges[from].Cursor, 7)
					if want := itemsOf(edges[:from]); !ended || !slices.Equal(want, back) {
						t.Errorf("offset %v, timed %v, %d hidden, before %d: walk ended %v, want true with all visible items above (-want +got):\n%s", offset, timed, hidden, from, ended, diff(want, back))
					}
				}
			}
		}
	}
}

// A page that was read backward may start inside a second. Its items are then
// deeper in the page when it is read again, possibly beyond the page size.
func TestItemMovedOffItsPage(t *testing.T) {
	t.Parallel()
	u := &fakeList{}
	for i := range 140 {
		u.items = append(u.items, itemAt(fmt.Sprint(i), int64(500-i/10))) // ten per second
	}
	first := u.read(t, paging.Args{First: ptr(70)})
	rest := u.read(t, paging.Args{First: ptr(70), After: &first.Edges[69].Cursor})
	back := u.read(t, paging.Args{Last: ptr(100), Before: &rest.Edges[65].Cursor})
	got := names(back)
	for range 9 {
		if !back.HasPreviousPage {
			break
		}
		// Use the second item, because the cursor of the first one is easier to
		// resume.
		back = u.read(t, paging.Args{Last: ptr(7), Before: &back.Edges[1].Cursor})
		got = append(names(back), got[1:]...)
	}
	var want []string
	for i := range 135 {
		want = append(want, fmt.Sprint(i))
	}
	if diff := cmp.Diff(want[len(want)-len(got):], got); diff != "" {
		t.Errorf("items (-list +walk):\n%s", diff)
	}
	if len(got) < 120 {
		t.Errorf("got %d items, want at least 120", len(got))
	}
}

// More new items arrive in the second with which a page starts than fit in a page:
// the old items are found on the next page.
func TestManyNewItemsInOneSecond(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"c", "d"} {
		u := &fakeList{items: letters()}
		first := u.read(t, paging.Args{First: ptr(6)})
		var added []item
		for i := range 98 {
			added = append(added, itemAt(fmt.Sprint("new", i), 260))
		}
		u.items = append(added, u.items...)
		got, _ := u.readWithCalls(t, paging.Args{First: ptr(2), After: cursorOf(t, first, from)})
		next := slices.Index([]string{"a", "b", "c", "d"}, from) + 1
		want := []string{"a", "b", "c", "d", "e", "f"}[next : next+2]
		if diff := cmp.Diff(want, got.Names); diff != "" || len(got.Calls) > 4 {
			t.Errorf("after %s (-want +got):\n%s; calls: %q, want at most 4", from, diff, got.Calls)
		}
	}
}

// All items at and below a cursor were deleted: those above it are returned.
func TestBackwardFromADeletedEnd(t *testing.T) {
	t.Parallel()
	for _, timed := range []bool{true, false} {
		for _, left := range []int{0, 1, 3} {
			u := &fakeList{timed: timed, items: letters()}
			first := u.read(t, paging.Args{First: ptr(3)})
			next := u.read(t, paging.Args{First: ptr(5), After: &first.Edges[2].Cursor})
			u.items = u.items[:left]
			got, _ := u.readWithCalls(t, paging.Args{Last: ptr(2), Before: &next.Edges[1].Cursor})
			want := []string{"a", "b", "c"}[max(0, left-2):left]
			if diff := cmp.Diff(want, got.Names, equateEmpty); diff != "" {
				t.Errorf("timed %v, %d left (-want +got):\n%s; calls: %q", timed, left, diff, got.Calls)
			}
			if got.Previous != (left > 2) {
				t.Errorf("timed %v, %d left: got hasPreviousPage %v, want %v; calls: %q", timed, left, got.Previous, !got.Previous, got.Calls)
			}
		}
	}
}

// A list may start to report its items' times: older cursors remain valid.
func TestListStartsToReportTimes(t *testing.T) {
	t.Parallel()
	u := &fakeList{items: letters()}
	first := u.read(t, paging.Args{First: ptr(5)})
	u.timed = true
	for from, want := range map[string][]string{"c": {"d", "e"}, "e": {"f", "g"}} {
		got, r := u.readWithCalls(t, paging.Args{First: ptr(2), After: cursorOf(t, first, from)})
		if diff := cmp.Diff(want, got.Names); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", from, diff)
		}
		got, _ = u.readWithCalls(t, paging.Args{Last: ptr(2), Before: &r.Edges[1].Cursor})
		if diff := cmp.Diff([]string{from, want[0]}, got.Names); diff != "" {
			t.Errorf("before %s (-want +got):\n%s", want[1], diff)
		}
	}
	got, _ := u.readWithCalls(t, paging.Args{Last: ptr(2), Before: cursorOf(t, first, "d")})
	if diff := cmp.Diff([]string{"b", "c"}, got.Names); diff != "" {
		t.Errorf("before d (-want +got):\n%s", diff)
	}
	// The reverse is an error, because nothing locates the item.
	r := u.read(t, paging.Args{First: ptr(1)})
	u.timed = false
	u.takeCalls()
	if _, err := paging.Read(t.Context(), u.list(), paging.Args{After: &r.Edges[0].Cursor}); invalidArgument(err) != "after" || u.takeCalls() != nil {
		t.Errorf("time cursor on a list without times: got error %v, want BAD_USER_INPUT for after, and no call", err)
	}
}

// Links may lack the limit.
func TestLowerCapWithoutLimitInLinks(t *testing.T) {
	t.Parallel()
	for _, offset := range []bool{true, false} {
		real := &fakeList{pagesByOffset: offset, cap: 4, items: letters()}
		u := &fakeList{fake: func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
			p, err := real.fetch(t.Context(), r)
			if err != nil {
				t.Error(err)
			}
			if p.Next != nil {
				p.Next.Limit = 0
			}
			if p.Previous != nil {
				p.Previous.Limit = 0
			}
			return p
		}}
		got, _ := u.readWithCalls(t, paging.Args{First: ptr(10)})
		if diff := cmp.Diff([]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, got.Names); diff != "" {
			t.Errorf("offset %v (-want +got):\n%s", offset, diff)
		}
	}
}

// A forged cursor outside the bounds does not lead out of them.
func TestForgedCursorOutsideTheBounds(t *testing.T) {
	t.Parallel()
	bound := paging.Bind("/test/|items", base+200, base+240)
	want := []string{"d", "e", "f"}
	for _, n := range []int64{-1000, 10, 200, 240, 260, 1 << 33} {
		u := &fakeList{timed: true, items: letters()}
		forged := paging.Cursor{Kind: paging.ByTime, Key: "/z/", Second: base + n}.Encode(bound)
		for _, a := range []paging.Args{{First: ptr(50), After: &forged}, {Last: ptr(50), Before: &forged}} {
			a.Since, a.Until = second(200), second(240)
			for _, name := range names(u.read(t, a)) {
				if !slices.Contains(want, name) {
					t.Errorf("%s with a cursor at %d returned %s, which is outside the bounds", formatArgs(a), n, name)
				}
			}
		}
	}
}

// A list applies time bounds and its links page by offset. The items between its
// newest page and a time cannot be read, which is an error and not a gap.
func TestBackwardWithOffsetLinks(t *testing.T) {
	t.Parallel()
	for _, newest := range []bool{true, false} {
		o := &faultyList{sinceNewest: newest, offsetLinks: true}
		for i := range 250 {
			o.items = append(o.items, itemAt(fmt.Sprint(i), int64(1000-i)))
		}
		for _, above := range []int{30, 99, 140, 249} { // number of items that are newer than the cursor
			const skew = 60 // seconds of clock skew, see SearchStart
			second := o.items[above].second - skew
			cursor := paging.NewWriteCursor("/x/", second*1000).SearchStart(paging.BindUnbounded("/faulty/|items"))
			r, err := paging.Read(t.Context(), o.list(), paging.Args{Last: ptr(20), Before: &cursor})
			if e, ok := permitted(err); err != nil && (!ok || e.Code != gqlerr.CodeUpstreamBadResponse || above < 100) {
				t.Errorf("newest %v, before %d: got error %v, want none, or UPSTREAM_BAD_RESPONSE from item 100 on", newest, above, err)
			}
			if err == nil && !slices.Equal(o.items[above-20:above], nodes(r)) {
				t.Errorf("newest %v, before %d (-want +got):\n%s", newest, above, diff(o.items[above-20:above], nodes(r)))
			}
		}
	}
}

// The newest page ends with a hidden item, so the items between it and the page
// below are unknown: the page below is not the top of the list.
func TestBackwardBelowAHiddenItem(t *testing.T) {
	t.Parallel()
	o := &faultyList{sinceNewest: true, cap: 7, hidden: map[int]bool{6: true}}
	for second, ties := range []int{1, 2, 3, 1, 3, 3, 2} {
		for range ties {
			o.items = append(o.items, itemAt(fmt.Sprint(len(o.items)), int64(100-second)))
		}
	}
	o.checkWalks(t, o.visible())
}
