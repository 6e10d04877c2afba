package paging_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/graph/paging"
)

// letters returns items a, b, c, …, listed at intervals of 10 seconds, newest
// first: a at 260, z at 10.
func letters() []item {
	var items []item
	for i := range 26 {
		items = append(items, itemAt(string(rune('a'+i)), int64(260-10*i)))
	}
	return items
}

// second returns the time n seconds after base.
func second(n int64) *time.Time { return ptr(time.Unix(base+n, 0)) }

// An outcome is the result of a Read and the calls that it made.
type outcome struct {
	Names          []string
	Next, Previous bool
	Calls          []string
}

func (u *fakeList) readWithCalls(t tester, a paging.Args) (outcome, *paging.Result[item]) {
	t.Helper()
	u.takeCalls()
	r := u.read(t, a)
	return outcome{names(r), r.HasNextPage, r.HasPreviousPage, u.takeCalls()}, r
}

// Each row reads a first page of the list, changes the list, and continues from one
// of its items. It lists every call.
func TestCalls(t *testing.T) {
	t.Parallel()
	ties := []item{itemAt("a", 30), itemAt("b", 20), itemAt("c", 20), itemAt("d", 20), itemAt("e", 10)}
	remove := func(names ...string) func([]item) []item {
		return func(items []item) (remaining []item) {
			for _, i := range items {
				if !slices.Contains(names, i.String()) {
					remaining = append(remaining, i)
				}
			}
			return remaining
		}
	}
	prepend := func(new ...item) func([]item) []item {
		return func(items []item) []item { return append(new, items...) }
	}
	for name, test := range map[string]struct {
		reason string
		u      *fakeList
		start  paging.Args
		change func([]item) []item
		from   string // the second page is after or before this item
		then   paging.Args
		first  outcome
		second *outcome
	}{
		"time/first page": {
			reason: "only the limit is sent, without an offset",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
		},
		"time/default": {
			reason: "20 items by default",
			u:      &fakeList{timed: true, items: letters()[22:]},
			first:  outcome{[]string{"w", "x", "y", "z"}, false, false, []string{"limit=20"}},
		},
		"time/after": {
			reason: "the response includes the cursor's item, which is dropped: one call",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"time/after ties": {
			reason: "the response also includes the preceding items of the second",
			u:      &fakeList{timed: true, items: ties},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=4 until=21"}},
		},
		"time/after, new in the same second": {
			reason: "the limit is too small: one more call",
			u:      &fakeList{timed: true, items: ties},
			start:  paging.Args{First: ptr(3)},
			change: func(items []item) []item {
				return append([]item{items[0], itemAt("new", 20)}, items[1:]...)
			},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=4 until=21", "limit=5 until=21"}},
		},
		"time/after, deleted": {
			reason: "the item above the deleted one shows its former position",
			u:      &fakeList{timed: true, items: ties},
			start:  paging.Args{First: ptr(3)},
			change: remove("c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, false, true, []string{"limit=4 until=21"}},
		},
		"time/after, alone in its second and deleted": {
			reason: "no items of its second are left: older ones follow",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: remove("c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"time/after, deleted with its neighbor": {
			reason: "its index in the second shows its former position",
			u:      &fakeList{timed: true, items: ties},
			start:  paging.Args{First: ptr(4)},
			change: remove("c", "d"),
			from:   "d",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c", "d"}, true, false, []string{"limit=4"}},
			second: &outcome{[]string{"e"}, false, true, []string{"limit=5 until=21"}},
		},
		"time/bounds": {
			reason: "until is sent; this package applies since, because Mixcloud may return either end of the range",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(2), Since: second(210), Until: second(251)},
			from:   "c",
			then:   paging.Args{First: ptr(9), Since: second(210), Until: second(251)},
			first:  outcome{[]string{"b", "c"}, true, false, []string{"limit=2 until=251"}},
			second: &outcome{[]string{"d", "e"}, false, true, []string{"limit=10 until=241"}},
		},
		"time/before": {
			reason: "the items nearest to since: one call",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(20)},
			from:   "k",
			then:   paging.Args{Last: ptr(3)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"}, true, false, []string{"limit=20"}},
			second: &outcome{[]string{"h", "i", "j"}, true, true, []string{"limit=5 since=159"}},
		},
		"time/before, at the top": {
			reason: "the page is not full: no other items are above",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{Last: ptr(3)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"a", "b"}, true, false, []string{"limit=5 since=239"}},
		},
		"time/before, since returns the newest": {
			reason: "Mixcloud returns the top of the list for since, so the pages down to the cursor are read with until",
			u:      &fakeList{timed: true, sinceNewest: true, items: letters()},
			start:  paging.Args{First: ptr(11)},
			from:   "k",
			then:   paging.Args{Last: ptr(3)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, true, false, []string{"limit=11"}},
			second: &outcome{[]string{"h", "i", "j"}, true, true, []string{"limit=5 since=159", "limit=100 since=159 until=221"}},
		},
		"time/before, new items at the top": {
			reason: "the items that are above the cursor now, nearest first",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: prepend(itemAt("new", 260)),
			from:   "b",
			then:   paging.Args{Last: ptr(3)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"new", "a"}, true, false, []string{"limit=5 since=249"}},
		},
		"time/before, deleted": {
			reason: "one more call proves that no other items are above since",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(9)},
			change: remove("i"),
			from:   "i",
			then:   paging.Args{Last: ptr(3)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}, true, false, []string{"limit=9"}},
			second: &outcome{[]string{"f", "g", "h"}, true, true, []string{"limit=5 since=179", "limit=100 since=179 until=191"}},
		},
		"time/before ties": {
			reason: "ties below the cursor filled the page: one more call for a full page",
			u:      &fakeList{timed: true, items: ties},
			start:  paging.Args{First: ptr(4)},
			from:   "b",
			then:   paging.Args{Last: ptr(1)},
			first:  outcome{[]string{"a", "b", "c", "d"}, true, false, []string{"limit=4"}},
			second: &outcome{[]string{"a"}, true, false, []string{"limit=3 since=19", "limit=100 since=19"}},
		},
		"time/offset": {
			reason: "after a request by offset, items with times continue by time",
			u:      &fakeList{timed: true, items: letters()},
			start:  paging.Args{First: ptr(2), Offset: ptr(10)},
			from:   "l",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"k", "l"}, true, true, []string{"limit=2 offset=10"}},
			second: &outcome{[]string{"m", "n"}, true, true, []string{"limit=3 until=151"}},
		},
		"time/smaller page cap": {
			reason: "the cap is the link's limit; the next page starts with the last item of this one",
			u:      &fakeList{timed: true, cap: 4, items: letters()},
			start:  paging.Args{First: ptr(6)},
			from:   "f",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f"}, true, false, []string{"limit=6", "limit=3 until=231"}},
			second: &outcome{[]string{"g", "h"}, true, true, []string{"limit=3 until=211"}},
		},
		"page/after the last": {
			reason: "the item is found at the time in the next link",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"page/after another": {
			reason: "the page is read again from its start, with more items",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "b",
			then:   paging.Args{First: ptr(3)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"c", "d", "e"}, true, true, []string{"limit=5 until=261"}},
		},
		"page/after another, new items at the top": {
			reason: "the page is read again from its start",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: prepend(itemAt("new", 300)),
			from:   "b",
			then:   paging.Args{First: ptr(3)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"c", "d", "e"}, true, true, []string{"limit=5 until=261"}},
		},
		"page/after another, deleted": {
			reason: "the item above the deleted one shows its former position: still one call",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: remove("b"),
			from:   "b",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"c", "d"}, true, true, []string{"limit=4 until=261"}},
		},
		"page/after another, deleted with its neighbor": {
			reason: "the top of the page is older than before, so no items moved down: the index in the page shows the former position",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(4)},
			change: remove("a", "b", "c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c", "d"}, true, false, []string{"limit=4"}},
			second: &outcome{[]string{"f", "g"}, true, true, []string{"limit=5 until=261"}},
		},
		"page/after the last, deleted": {
			reason: "no items of its second are left: older ones follow",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: remove("c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"page/after the last, deleted among ties": {
			reason: "its second has more items, so its page is read again",
			u:      &fakeList{items: append([]item{itemAt("z", 40)}, ties...)},
			start:  paging.Args{First: ptr(3)},
			change: remove("b"),
			from:   "b",
			then:   paging.Args{First: ptr(1)},
			first:  outcome{[]string{"z", "a", "b"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"c"}, true, true, []string{"limit=2 until=21", "limit=4 until=41"}},
		},
		"page/bounds": {
			reason: "since is sent, and a full page is read again without it, because Mixcloud may return either end of the range",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(2), Since: second(210), Until: second(251)},
			from:   "c",
			then:   paging.Args{First: ptr(9), Since: second(210), Until: second(251)},
			first:  outcome{[]string{"b", "c"}, true, false, []string{"limit=2 since=210 until=251", "limit=2 until=251"}},
			second: &outcome{[]string{"d", "e"}, false, true, []string{"limit=10 since=210 until=241"}},
		},
		"page/bounds, complete": {
			reason: "a page that is not full contains all items newer than since",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(9), Since: second(210), Until: second(251)},
			first:  outcome{[]string{"b", "c", "d", "e"}, false, false, []string{"limit=9 since=210 until=251"}},
		},
		"page/bounds, since returns the newest": {
			reason: "the cursor's item is on the page, so the rest of the page follows",
			u:      &fakeList{sinceNewest: true, items: letters()},
			start:  paging.Args{First: ptr(2), Since: second(100)},
			from:   "b",
			then:   paging.Args{First: ptr(2), Since: second(100)},
			first:  outcome{[]string{"a", "b"}, true, false, []string{"limit=2 since=100", "limit=2"}},
			second: &outcome{[]string{"c", "d"}, true, true, []string{"limit=3 since=100 until=251"}},
		},
		"page/before, within its page": {
			reason: "one call",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(10)},
			from:   "h",
			then:   paging.Args{Last: ptr(3)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, true, false, []string{"limit=10"}},
			second: &outcome{[]string{"e", "f", "g"}, true, true, []string{"limit=8 until=261"}},
		},
		"page/before, at the top": {
			reason: "the items above the page are read with since",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: prepend(itemAt("new", 300)),
			from:   "c",
			then:   paging.Args{Last: ptr(4)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"new", "a", "b"}, true, false, []string{"limit=3 until=261", "limit=4 since=259"}},
		},
		"offset/after": {
			reason: "a list that pages by offset",
			u:      &fakeList{pagesByOffset: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=2 offset=3"}},
		},
		"offset/before": {
			reason: "the items directly above",
			u:      &fakeList{pagesByOffset: true, items: letters()},
			start:  paging.Args{First: ptr(6)},
			from:   "f",
			then:   paging.Args{Last: ptr(2)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f"}, true, false, []string{"limit=6"}},
			second: &outcome{[]string{"d", "e"}, true, true, []string{"limit=2 offset=3"}},
		},
		"offset/before, at the top": {
			reason: "the call requests only as many items as exist above the cursor",
			u:      &fakeList{pagesByOffset: true, items: letters()},
			start:  paging.Args{First: ptr(6)},
			from:   "c",
			then:   paging.Args{Last: ptr(5)},
			first:  outcome{[]string{"a", "b", "c", "d", "e", "f"}, true, false, []string{"limit=6"}},
			second: &outcome{[]string{"a", "b"}, true, false, []string{"limit=2 offset=0"}},
		},
		"offset/before the first": {
			reason: "no call for no items",
			u:      &fakeList{pagesByOffset: true, items: letters()},
			start:  paging.Args{First: ptr(1)},
			from:   "a",
			then:   paging.Args{Last: ptr(5)},
			first:  outcome{[]string{"a"}, true, false, []string{"limit=1"}},
			second: &outcome{[]string{}, true, false, nil},
		},
		"offset/in a list that pages by date": {
			reason: "items without times continue by offset",
			u:      &fakeList{items: letters()},
			start:  paging.Args{First: ptr(2), Offset: ptr(10)},
			from:   "l",
			then:   paging.Args{First: ptr(2)},
			first:  outcome{[]string{"k", "l"}, true, true, []string{"limit=2 offset=10"}},
			second: &outcome{[]string{"m", "n"}, true, true, []string{"limit=2 offset=12"}},
		},
		"offset/past the end": {
			reason: "an empty page",
			u:      &fakeList{pagesByOffset: true, items: letters()},
			start:  paging.Args{First: ptr(2), Offset: ptr(1000)},
			first:  outcome{[]string{}, false, true, []string{"limit=2 offset=1000"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := test.u
			checkCallCount := func(got outcome, a paging.Args) {
				t.Helper()
				if maxCalls := paging.MaxCalls(a, u.timed); u.cap == 0 && len(got.Calls) > maxCalls {
					t.Errorf("got %d calls, want at most MaxCalls = %d", len(got.Calls), maxCalls)
				}
			}
			first, result := u.readWithCalls(t, test.start)
			checkCallCount(first, test.start)
			if diff := cmp.Diff(test.first, first, equateEmpty); diff != "" {
				t.Errorf("%s\nfirst page (-want +got):\n%s", test.reason, diff)
			}
			if test.second == nil {
				return
			}
			cursor := cursorOf(t, result, test.from)
			if test.change != nil {
				u.items = test.change(u.items)
			}
			if test.then.Last != nil {
				test.then.Before = cursor
			} else {
				test.then.After = cursor
			}
			second, _ := u.readWithCalls(t, test.then)
			checkCallCount(second, test.then)
			if diff := cmp.Diff(*test.second, second, equateEmpty); diff != "" {
				t.Errorf("%s\nsecond page (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

// If the upstream's maximum page size is below the requested one, the other pages of an offset list
// are fetched in parallel.
func TestLowerCapByOffset(t *testing.T) {
	t.Parallel()
	u := &fakeList{pagesByOffset: true, cap: 4}
	for i := range 40 {
		u.items = append(u.items, itemAt(fmt.Sprint(i), int64(-i)))
	}
	got, r := u.readWithCalls(t, paging.Args{First: ptr(15)})
	want := outcome{Next: true}
	for i := range 15 {
		want.Names = append(want.Names, fmt.Sprint(i))
	}
	want.Calls = []string{"limit=15", "limit=3 offset=12", "limit=4 offset=4", "limit=4 offset=8"}
	slices.Sort(got.Calls)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("first page (-want +got):\n%s", diff)
	}
	got, _ = u.readWithCalls(t, paging.Args{First: ptr(3), After: &r.Edges[9].Cursor})
	if diff := cmp.Diff(outcome{[]string{"10", "11", "12"}, true, true, []string{"limit=3 offset=10"}}, got); diff != "" {
		t.Errorf("after an item of a later page (-want +got):\n%s", diff)
	}
	got, _ = u.readWithCalls(t, paging.Args{Last: ptr(6), Before: &r.Edges[9].Cursor})
	slices.Sort(got.Calls)
	if diff := cmp.Diff(outcome{[]string{"3", "4", "5", "6", "7", "8"}, true, true, []string{"limit=2 offset=7", "limit=6 offset=3"}}, got); diff != "" {
		t.Errorf("before an item of a later page (-want +got):\n%s", diff)
	}
}
