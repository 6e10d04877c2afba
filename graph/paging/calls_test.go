package paging_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/graph/paging"
)

// letters are items a, b, c, … listed 10 seconds after one another, newest
// first: a at 260, z at 10.
func letters() []item {
	var items []item
	for i := range 26 {
		items = append(items, at(string(rune('a'+i)), int64(260-10*i)))
	}
	return items
}

// second is the time n seconds after base.
func second(n int64) *time.Time { return ptr(time.Unix(base+n, 0)) }

// A seen is what a Read gave and what it cost.
type seen struct {
	Names          []string
	Next, Previous bool
	Calls          []string
}

func (u *upstream) see(t tester, a paging.Args) (seen, *paging.Result[item]) {
	t.Helper()
	u.made()
	r := u.read(t, a)
	return seen{names(r), r.HasNextPage, r.HasPreviousPage, u.made()}, r
}

// Every row reads a first page of the list, changes the list, and goes on from
// one of its items; and names each request.
func TestCalls(t *testing.T) {
	t.Parallel()
	ties := []item{at("a", 30), at("b", 20), at("c", 20), at("d", 20), at("e", 10)}
	gone := func(names ...string) func([]item) []item {
		return func(items []item) (left []item) {
			for _, i := range items {
				if !slices.Contains(names, i.String()) {
					left = append(left, i)
				}
			}
			return left
		}
	}
	onTop := func(new ...item) func([]item) []item {
		return func(items []item) []item { return append(new, items...) }
	}
	for name, test := range map[string]struct {
		reason string
		u      *upstream
		start  paging.Args
		change func([]item) []item
		from   string // goes on after or before this item
		then   paging.Args
		first  seen
		second *seen
	}{
		"time/first page": {
			reason: "only the limit is sent, without an offset",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
		},
		"time/default": {
			reason: "20 items unless the client says otherwise",
			u:      &upstream{own: true, items: letters()[22:]},
			first:  seen{[]string{"w", "x", "y", "z"}, false, false, []string{"limit=20"}},
		},
		"time/after": {
			reason: "the item itself comes along and is dropped: one call",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"time/after ties": {
			reason: "those of the second that stand before come along too",
			u:      &upstream{own: true, items: ties},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=4 until=21"}},
		},
		"time/after, new in the same second": {
			reason: "the limit does not reach as far: one more call refills",
			u:      &upstream{own: true, items: ties},
			start:  paging.Args{First: ptr(3)},
			change: func(items []item) []item {
				return append([]item{items[0], at("new", 20)}, items[1:]...)
			},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=4 until=21", "limit=5 until=21"}},
		},
		"time/after, gone": {
			reason: "its neighbour above tells where it stood",
			u:      &upstream{own: true, items: ties},
			start:  paging.Args{First: ptr(3)},
			change: gone("c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, false, true, []string{"limit=4 until=21"}},
		},
		"time/after, alone and gone": {
			reason: "nothing of its second is left: what is older comes after",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: gone("c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"time/after, gone with its neighbour": {
			reason: "the count decides",
			u:      &upstream{own: true, items: ties},
			start:  paging.Args{First: ptr(4)},
			change: gone("c", "d"),
			from:   "d",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c", "d"}, true, false, []string{"limit=4"}},
			second: &seen{[]string{"e"}, false, true, []string{"limit=5 until=21"}},
		},
		"time/bounds": {
			reason: "until is sent; since is not, as nobody knows which end it gives, and cuts here",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(2), Since: second(210), Until: second(251)},
			from:   "c",
			then:   paging.Args{First: ptr(9), Since: second(210), Until: second(251)},
			first:  seen{[]string{"b", "c"}, true, false, []string{"limit=2 until=251"}},
			second: &seen{[]string{"d", "e"}, false, true, []string{"limit=10 until=241"}},
		},
		"time/before": {
			reason: "nearest to since: one call",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(20)},
			from:   "k",
			then:   paging.Args{Last: ptr(3)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"}, true, false, []string{"limit=20"}},
			second: &seen{[]string{"h", "i", "j"}, true, true, []string{"limit=5 since=159"}},
		},
		"time/before, at the top": {
			reason: "the page is not full: nothing else is above",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{Last: ptr(3)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"a", "b"}, true, false, []string{"limit=5 since=239"}},
		},
		"time/before, the newest first": {
			reason: "since gives the top of the list: down to the cursor by until",
			u:      &upstream{own: true, newest: true, items: letters()},
			start:  paging.Args{First: ptr(11)},
			from:   "k",
			then:   paging.Args{Last: ptr(3)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}, true, false, []string{"limit=11"}},
			second: &seen{[]string{"h", "i", "j"}, true, true, []string{"limit=5 since=159", "limit=100 since=159 until=221"}},
		},
		"time/before, new ones on top": {
			reason: "what is above the cursor now, nearest first",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: onTop(at("new", 260)),
			from:   "b",
			then:   paging.Args{Last: ptr(3)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"new", "a"}, true, false, []string{"limit=5 since=249"}},
		},
		"time/before, gone": {
			reason: "one more call proves that nothing else is above since",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(9)},
			change: gone("i"),
			from:   "i",
			then:   paging.Args{Last: ptr(3)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i"}, true, false, []string{"limit=9"}},
			second: &seen{[]string{"f", "g", "h"}, true, true, []string{"limit=5 since=179", "limit=100 since=179 until=191"}},
		},
		"time/before ties": {
			reason: "ties below the cursor took the places: one full page refills",
			u:      &upstream{own: true, items: ties},
			start:  paging.Args{First: ptr(4)},
			from:   "b",
			then:   paging.Args{Last: ptr(1)},
			first:  seen{[]string{"a", "b", "c", "d"}, true, false, []string{"limit=4"}},
			second: &seen{[]string{"a"}, true, false, []string{"limit=3 since=19", "limit=100 since=19"}},
		},
		"time/offset": {
			reason: "a jump by offset; items that carry their time go on by time",
			u:      &upstream{own: true, items: letters()},
			start:  paging.Args{First: ptr(2), Offset: ptr(10)},
			from:   "l",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"k", "l"}, true, true, []string{"limit=2 offset=10"}},
			second: &seen{[]string{"m", "n"}, true, true, []string{"limit=3 until=151"}},
		},
		"time/lower cap": {
			reason: "the cap is the link's limit; the next page begins with the last item of this one",
			u:      &upstream{own: true, cap: 4, items: letters()},
			start:  paging.Args{First: ptr(6)},
			from:   "f",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f"}, true, false, []string{"limit=6", "limit=3 until=231"}},
			second: &seen{[]string{"g", "h"}, true, true, []string{"limit=3 until=211"}},
		},
		"page/after the last": {
			reason: "the time in next tells where it stands",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"page/after another": {
			reason: "the page is read again from where it began, and on",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "b",
			then:   paging.Args{First: ptr(3)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"c", "d", "e"}, true, true, []string{"limit=5 until=261"}},
		},
		"page/after another, new ones on top": {
			reason: "the page begins where it began",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: onTop(at("new", 300)),
			from:   "b",
			then:   paging.Args{First: ptr(3)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"c", "d", "e"}, true, true, []string{"limit=5 until=261"}},
		},
		"page/after another, gone": {
			reason: "its neighbour above tells where it stood: still one call",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: gone("b"),
			from:   "b",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"c", "d"}, true, true, []string{"limit=4 until=261"}},
		},
		"page/after another, gone with its neighbour": {
			reason: "the top of the page is older than it was, so nothing slid: the index decides",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(4)},
			change: gone("a", "b", "c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c", "d"}, true, false, []string{"limit=4"}},
			second: &seen{[]string{"f", "g"}, true, true, []string{"limit=5 until=261"}},
		},
		"page/after the last, gone": {
			reason: "nothing of its second is left: what is older comes after",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: gone("c"),
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=3 until=241"}},
		},
		"page/after the last, gone from among ties": {
			reason: "its second goes on, so its page is read again",
			u:      &upstream{items: append([]item{at("z", 40)}, ties...)},
			start:  paging.Args{First: ptr(3)},
			change: gone("b"),
			from:   "b",
			then:   paging.Args{First: ptr(1)},
			first:  seen{[]string{"z", "a", "b"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"c"}, true, true, []string{"limit=2 until=21", "limit=4 until=41"}},
		},
		"page/bounds": {
			reason: "since is sent, and a full page read without it, as nobody knows which end it gives",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(2), Since: second(210), Until: second(251)},
			from:   "c",
			then:   paging.Args{First: ptr(9), Since: second(210), Until: second(251)},
			first:  seen{[]string{"b", "c"}, true, false, []string{"limit=2 since=210 until=251", "limit=2 until=251"}},
			second: &seen{[]string{"d", "e"}, false, true, []string{"limit=10 since=210 until=241"}},
		},
		"page/bounds, all there is": {
			reason: "a page that is not full is all there is newer than since",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(9), Since: second(210), Until: second(251)},
			first:  seen{[]string{"b", "c", "d", "e"}, false, false, []string{"limit=9 since=210 until=251"}},
		},
		"page/bounds, the newest first": {
			reason: "the cursor's item is on the page, so the rest of it comes next",
			u:      &upstream{newest: true, items: letters()},
			start:  paging.Args{First: ptr(2), Since: second(100)},
			from:   "b",
			then:   paging.Args{First: ptr(2), Since: second(100)},
			first:  seen{[]string{"a", "b"}, true, false, []string{"limit=2 since=100", "limit=2"}},
			second: &seen{[]string{"c", "d"}, true, true, []string{"limit=3 since=100 until=251"}},
		},
		"page/before, within its page": {
			reason: "one call",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(10)},
			from:   "h",
			then:   paging.Args{Last: ptr(3)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, true, false, []string{"limit=10"}},
			second: &seen{[]string{"e", "f", "g"}, true, true, []string{"limit=8 until=261"}},
		},
		"page/before, at the top": {
			reason: "what is above the page is asked for by since",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(3)},
			change: onTop(at("new", 300)),
			from:   "c",
			then:   paging.Args{Last: ptr(4)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"new", "a", "b"}, true, false, []string{"limit=3 until=261", "limit=4 since=259"}},
		},
		"offset/after and on": {
			reason: "a list that goes by offset",
			u:      &upstream{offset: true, items: letters()},
			start:  paging.Args{First: ptr(3)},
			from:   "c",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"a", "b", "c"}, true, false, []string{"limit=3"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=2 offset=3"}},
		},
		"offset/before": {
			reason: "the items directly above",
			u:      &upstream{offset: true, items: letters()},
			start:  paging.Args{First: ptr(6)},
			from:   "f",
			then:   paging.Args{Last: ptr(2)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f"}, true, false, []string{"limit=6"}},
			second: &seen{[]string{"d", "e"}, true, true, []string{"limit=2 offset=3"}},
		},
		"offset/before, at the top": {
			reason: "no more than there are",
			u:      &upstream{offset: true, items: letters()},
			start:  paging.Args{First: ptr(6)},
			from:   "c",
			then:   paging.Args{Last: ptr(5)},
			first:  seen{[]string{"a", "b", "c", "d", "e", "f"}, true, false, []string{"limit=6"}},
			second: &seen{[]string{"a", "b"}, true, false, []string{"limit=2 offset=0"}},
		},
		"offset/before the first": {
			reason: "no call for nothing",
			u:      &upstream{offset: true, items: letters()},
			start:  paging.Args{First: ptr(1)},
			from:   "a",
			then:   paging.Args{Last: ptr(5)},
			first:  seen{[]string{"a"}, true, false, []string{"limit=1"}},
			second: &seen{[]string{}, true, false, nil},
		},
		"offset/jump in a list that goes by date": {
			reason: "items without a time of their own go on by offset",
			u:      &upstream{items: letters()},
			start:  paging.Args{First: ptr(2), Offset: ptr(10)},
			from:   "l",
			then:   paging.Args{First: ptr(2)},
			first:  seen{[]string{"k", "l"}, true, true, []string{"limit=2 offset=10"}},
			second: &seen{[]string{"m", "n"}, true, true, []string{"limit=2 offset=12"}},
		},
		"offset/past the end": {
			reason: "an empty page",
			u:      &upstream{offset: true, items: letters()},
			start:  paging.Args{First: ptr(2), Offset: ptr(1000)},
			first:  seen{[]string{}, false, true, []string{"limit=2 offset=1000"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := test.u
			first, result := u.see(t, test.start)
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
			second, _ := u.see(t, test.then)
			if diff := cmp.Diff(*test.second, second, equateEmpty); diff != "" {
				t.Errorf("%s\nsecond page (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

// An upstream with a lower cap than asked for: the other pages of a list that
// goes by offset are fetched side by side.
func TestLowerCapByOffset(t *testing.T) {
	t.Parallel()
	u := &upstream{offset: true, cap: 4}
	for i := range 40 {
		u.items = append(u.items, at(fmt.Sprint(i), int64(-i)))
	}
	got, r := u.see(t, paging.Args{First: ptr(15)})
	want := seen{Next: true}
	for i := range 15 {
		want.Names = append(want.Names, fmt.Sprint(i))
	}
	want.Calls = []string{"limit=15", "limit=3 offset=12", "limit=4 offset=4", "limit=4 offset=8"}
	slices.Sort(got.Calls)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got, _ = u.see(t, paging.Args{First: ptr(3), After: &r.Edges[9].Cursor})
	if diff := cmp.Diff(seen{[]string{"10", "11", "12"}, true, true, []string{"limit=3 offset=10"}}, got); diff != "" {
		t.Errorf("after an item of a later page (-want +got):\n%s", diff)
	}
	got, _ = u.see(t, paging.Args{Last: ptr(6), Before: &r.Edges[9].Cursor})
	slices.Sort(got.Calls)
	if diff := cmp.Diff(seen{[]string{"3", "4", "5", "6", "7", "8"}, true, true, []string{"limit=2 offset=7", "limit=6 offset=3"}}, got); diff != "" {
		t.Errorf("back (-want +got):\n%s", diff)
	}
}
