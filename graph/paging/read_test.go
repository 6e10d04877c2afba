package paging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

func TestTotal(t *testing.T) {
	t.Parallel()
	cursor := func(u *upstream) *string {
		return &u.read(t, paging.Args{First: ptr(1)}).Edges[0].Cursor
	}
	for name, test := range map[string]struct {
		u    *upstream
		args func(*upstream) paging.Args
		want *int
	}{
		"all of it":         {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(100)} }, ptr(26)},
		"nothing":           {&upstream{}, func(*upstream) paging.Args { return paging.Args{} }, ptr(0)},
		"offset 0":          {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(100), Offset: ptr(0)} }, ptr(26)},
		"by offset":         {&upstream{offset: true, items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(27)} }, ptr(26)},
		"in two calls":      {&upstream{own: true, cap: 20, items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(50)} }, ptr(26)},
		"a part":            {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(25)} }, nil},
		"offset 1":          {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(100), Offset: ptr(1)} }, nil},
		"after a cursor":    {&upstream{items: letters()}, func(u *upstream) paging.Args { return paging.Args{First: ptr(100), After: cursor(u)} }, nil},
		"before a cursor":   {&upstream{items: letters()}, func(u *upstream) paging.Args { return paging.Args{Last: ptr(100), Before: cursor(u)} }, nil},
		"since":             {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(100), Since: second(0)} }, nil},
		"until":             {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(100), Until: second(999)} }, nil},
		"of a whole list":   {&upstream{whole: true, items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(3)} }, ptr(26)},
		"of a whole's end":  {&upstream{whole: true, items: letters()}, func(*upstream) paging.Args { return paging.Args{Last: ptr(3)} }, ptr(26)},
		"a bounded whole":   {&upstream{whole: true, items: letters()}, func(*upstream) paging.Args { return paging.Args{Since: second(0)} }, nil},
		"more than asked":   {&upstream{items: letters(), fake: everything}, func(*upstream) paging.Args { return paging.Args{First: ptr(3)} }, ptr(26)},
		"no items asked of": {&upstream{items: letters()}, func(*upstream) paging.Args { return paging.Args{First: ptr(0)} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.u.read(t, test.args(test.u)).Total
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// everything is a page of an upstream that takes no notice of limits.
func everything(int, mixcloud.Range) *mixcloud.Page[item] {
	return &mixcloud.Page[item]{Items: letters()}
}

// Never more than asked for, whatever comes.
func TestMoreThanAsked(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		u := &upstream{own: own, fake: everything}
		got, _ := u.see(t, paging.Args{First: ptr(2)})
		if diff := cmp.Diff(seen{[]string{"a", "b"}, true, false, []string{"limit=2"}}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestWholeList(t *testing.T) {
	t.Parallel()
	u := &upstream{whole: true, items: letters()[:6]}
	all := u.read(t, paging.Args{First: ptr(100)})
	c := func(name string) *string { return cursorOf(t, all, name) }
	for name, test := range map[string]struct {
		args paging.Args
		want seen
	}{
		"first":             {paging.Args{First: ptr(2)}, seen{Names: []string{"a", "b"}, Next: true}},
		"all":               {paging.Args{}, seen{Names: []string{"a", "b", "c", "d", "e", "f"}}},
		"after":             {paging.Args{First: ptr(2), After: c("b")}, seen{Names: []string{"c", "d"}, Next: true, Previous: true}},
		"after the last":    {paging.Args{After: c("f")}, seen{Previous: true}},
		"offset":            {paging.Args{First: ptr(2), Offset: ptr(4)}, seen{Names: []string{"e", "f"}, Previous: true}},
		"offset beyond":     {paging.Args{Offset: ptr(9)}, seen{Previous: true}},
		"last":              {paging.Args{Last: ptr(2)}, seen{Names: []string{"e", "f"}, Previous: true}},
		"last of few":       {paging.Args{Last: ptr(50)}, seen{Names: []string{"a", "b", "c", "d", "e", "f"}}},
		"before":            {paging.Args{Last: ptr(2), Before: c("d")}, seen{Names: []string{"b", "c"}, Next: true, Previous: true}},
		"before the second": {paging.Args{Last: ptr(2), Before: c("b")}, seen{Names: []string{"a"}, Next: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := u.see(t, test.args)
			test.want.Calls = []string{"limit=100"}
			if diff := cmp.Diff(test.want, got, equateEmpty); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A second that does not fit a page is stepped over, and the log says so.
func TestMoreTiesThanAPage(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		var log bytes.Buffer
		u := &upstream{own: own, items: []item{at("top", 2)}}
		for i := range 150 {
			u.items = append(u.items, at(fmt.Sprint(i), 1))
		}
		u.items = append(u.items, at("under", 0))
		l := u.list()
		l.Log = slog.New(slog.NewTextHandler(&log, nil))

		var got []string
		a := paging.Args{First: ptr(60)}
		for range 10 {
			r, err := paging.Read(t.Context(), l, a)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, names(r)...)
			if !r.HasNextPage {
				break
			}
			a.After = &r.Edges[len(r.Edges)-1].Cursor
		}
		want := []string{"top"}
		for i := range 100 {
			want = append(want, fmt.Sprint(i))
		}
		if want = append(want, "under"); !slices.Equal(want, got) {
			t.Errorf("own %v: %s", own, cmp.Diff(want, got))
		}
		if !strings.Contains(log.String(), "more items in one second") || strings.Contains(log.String(), "list=/test/\"|") {
			t.Errorf("own %v: log %q", own, &log)
		}
	}
}

// Both ways through a second that just fits a page.
func TestAsManyTiesAsAPage(t *testing.T) {
	t.Parallel()
	for _, newest := range []bool{false, true} {
		u := &upstream{own: true, newest: newest, items: []item{at("top", 2)}}
		want := []string{"top"}
		for i := range 98 {
			u.items = append(u.items, at(fmt.Sprint(i), 1))
			want = append(want, fmt.Sprint(i))
		}
		u.items = append(u.items, at("under", 0))
		first := u.read(t, paging.Args{First: ptr(100)})
		for _, from := range []int{99, 98, 60, 30, 2, 1} {
			r := u.read(t, paging.Args{Last: ptr(50), Before: &first.Edges[from].Cursor})
			if diff := cmp.Diff(want[max(0, from-50):from], names(r)); diff != "" {
				t.Errorf("newest %v, before %d (-want +got):\n%s", newest, from, diff)
			}
			if previous := from > 50; r.HasPreviousPage != previous {
				t.Errorf("newest %v, before %d: hasPreviousPage = %v", newest, from, r.HasPreviousPage)
			}
			if calls := u.made(); len(calls) > 5 {
				t.Errorf("newest %v, before %d: %q", newest, from, calls)
			}
		}
	}
}

// Upwards through 150 items of one second, what does not fit a page is missing
// and the rest is there.
func TestBackwardThroughMoreTiesThanAPage(t *testing.T) {
	t.Parallel()
	for _, newest := range []bool{false, true} {
		u := &upstream{own: true, newest: newest, items: []item{at("top", 2)}}
		for i := range 150 {
			u.items = append(u.items, at(fmt.Sprint(i), 1))
		}
		u.items = append(u.items, at("under", 0))
		first := u.read(t, paging.Args{First: ptr(41)})
		r := u.read(t, paging.Args{Last: ptr(100), Before: &first.Edges[40].Cursor})
		want := []string{"top"}
		for i := range 39 {
			want = append(want, fmt.Sprint(i))
		}
		if diff := cmp.Diff(want, names(r)); diff != "" {
			t.Errorf("newest %v: (-want +got):\n%s", newest, diff)
		}
		if calls := u.made(); len(calls) > 1+5 {
			t.Errorf("newest %v: %q", newest, calls)
		}
	}
}

// With since giving the newest of the list, five calls reach some 400 items
// down; the sixth is not made.
func TestBackwardOutOfReach(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		u := &upstream{own: own, newest: true}
		for i := range 1000 {
			u.items = append(u.items, at(fmt.Sprint(i), int64(5000-i)))
		}
		r := u.read(t, paging.Args{First: ptr(1), Until: second(4200)})
		u.made()
		_, err := paging.Read(t.Context(), u.list(), paging.Args{Last: ptr(10), Before: &r.Edges[0].Cursor, Until: second(4200)})
		if err != nil && fault(err) != "" {
			t.Fatal(err)
		}
		// Without the bound the way is too long.
		r = u.read(t, paging.Args{First: ptr(100)})
		for range 7 {
			r = u.read(t, paging.Args{First: ptr(100), After: &r.Edges[99].Cursor})
		}
		u.made()
		// The page's own items are near; those above its first are not.
		_, err = paging.Read(t.Context(), u.list(), paging.Args{Last: ptr(10), Before: &r.Edges[0].Cursor})
		var e *gqlerr.Error
		if own && (!errors.As(err, &e) || e.Code != gqlerr.CodeLimitExceeded) {
			t.Errorf("error %v, want LIMIT_EXCEEDED", err)
		}
		if !own && err != nil {
			t.Errorf("error %v: the index reaches into the page before", err)
		}
		if calls := u.made(); len(calls) > 5 {
			t.Errorf("%d calls: %q", len(calls), calls)
		}
	}
}

// An upstream that repeats itself, or offers more and gives nothing, ends the
// reading soon.
func TestUpstreamWithoutEnd(t *testing.T) {
	t.Parallel()
	link := func(r mixcloud.Range) *mixcloud.Link { return &mixcloud.Link{Range: r} }
	for name, test := range map[string]struct {
		fake  func(n int, r mixcloud.Range) *mixcloud.Page[item]
		want  []string
		calls int
	}{
		"repeats the page by date": {
			func(int, mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Items: letters()[:3], Next: link(mixcloud.Range{Limit: 10, Until: *second(240)})}
			},
			[]string{"a", "b", "c"}, 5,
		},
		"links to itself": {
			func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Items: letters()[:3], Next: link(r)}
			},
			[]string{"a", "b", "c"}, 4,
		},
		"repeats the page by offset": {
			func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Items: letters()[:3], Next: link(mixcloud.Range{Limit: 3, Offset: ptr(3)})}
			},
			[]string{"a", "b", "c"}, 4,
		},
		"nothing, and a link that leads nowhere": {
			func(int, mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Next: link(mixcloud.Range{Limit: 10})}
			},
			nil, 1,
		},
		"nothing, for ever older": {
			func(n int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Next: link(mixcloud.Range{Limit: 10, Until: *second(int64(-n))})}
			},
			nil, 20,
		},
		"nothing, for ever on": {
			func(n int, r mixcloud.Range) *mixcloud.Page[item] {
				return &mixcloud.Page[item]{Next: link(mixcloud.Range{Limit: 10, Offset: ptr(10 * n)})}
			},
			nil, 2,
		},
		"one by one": {
			func(n int, r mixcloud.Range) *mixcloud.Page[item] {
				from := 0
				if r.Offset != nil {
					from = *r.Offset
				}
				return &mixcloud.Page[item]{Items: letters()[from : from+1], Next: link(mixcloud.Range{Limit: 1, Offset: ptr(from + 1)})}
			},
			[]string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, 10,
		},
	} {
		for _, own := range []bool{true, false} {
			t.Run(fmt.Sprint(name, own), func(t *testing.T) {
				t.Parallel()
				u := &upstream{own: own, fake: test.fake}
				got, _ := u.see(t, paging.Args{First: ptr(10)})
				if diff := cmp.Diff(test.want, got.Names, equateEmpty); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if len(got.Calls) > test.calls {
					t.Errorf("%d calls: %q", len(got.Calls), got.Calls)
				}
				if got.Next != (len(test.want) > 0) {
					t.Errorf("hasNextPage = %v", got.Next)
				}
			})
		}
	}
}

// An empty page that offers more is passed over.
func TestEmptyPageInBetween(t *testing.T) {
	t.Parallel()
	for _, offset := range []bool{true, false} {
		u := &upstream{offset: offset, own: !offset, items: letters()}
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
		got, _ := u.see(t, paging.Args{First: ptr(3)})
		if diff := cmp.Diff([]string{"c", "d", "e"}, got.Names); diff != "" {
			t.Errorf("offset %v (-want +got):\n%s", offset, diff)
		}
	}
}

// Items without a key were dropped from a page: whoever goes on from its last
// item is past them too.
func TestDroppedItems(t *testing.T) {
	t.Parallel()
	u := &upstream{offset: true, items: letters()}
	u.fake = func(_ int, r mixcloud.Range) *mixcloud.Page[item] {
		if r.Offset != nil {
			return nil
		}
		next := 4
		return &mixcloud.Page[item]{Items: []item{at("a", 0), at("c", 0), at("d", 0)}, Dropped: 1, Next: &mixcloud.Link{Range: mixcloud.Range{Limit: 4, Offset: &next}}}
	}
	_, r := u.see(t, paging.Args{First: ptr(3)})
	got, _ := u.see(t, paging.Args{First: ptr(1), After: &r.Edges[2].Cursor})
	if diff := cmp.Diff(seen{[]string{"e"}, true, true, []string{"limit=1 offset=4"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// An item that does not say when it was listed stands where its neighbour does.
func TestItemsWithoutATime(t *testing.T) {
	t.Parallel()
	for _, blank := range [][]int{{0}, {1}, {2}, {0, 1}, {1, 2, 3}, {0, 1, 2, 3}} {
		page := letters()[:4]
		for _, i := range blank {
			page[i].second = 0
		}
		u := &upstream{own: true}
		u.fake = func(n int, r mixcloud.Range) *mixcloud.Page[item] {
			// By the upstream's own books the times are those of letters.
			real := &upstream{items: letters()[:4]}
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
			t.Errorf("without times of %v (-want +got):\n%s", blank, diff)
		}
	}
}

func TestErrorsPassThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, failing := range []int{1, 2, 3, 4} {
		u := &upstream{offset: true, cap: 5, items: letters()}
		l := u.list()
		var mu sync.Mutex
		n := 0
		l.Fetch = func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
			mu.Lock()
			defer mu.Unlock()
			if n++; n == failing {
				return nil, broken
			}
			return u.fetch(ctx, r)
		}
		if _, err := paging.Read(t.Context(), l, paging.Args{First: ptr(20)}); err != broken {
			t.Errorf("call %d fails: %v", failing, err)
		}
	}
	u := &upstream{own: true, items: letters()}
	r := u.read(t, paging.Args{})
	l := u.list()
	l.Fetch = func(context.Context, mixcloud.Range) (*mixcloud.Page[item], error) { return nil, broken }
	for _, a := range []paging.Args{{}, {Offset: ptr(1)}, {After: &r.Edges[3].Cursor}, {Last: ptr(1), Before: &r.Edges[3].Cursor}} {
		if _, err := paging.Read(t.Context(), l, a); err != broken {
			t.Errorf("%s: %v", show(a), err)
		}
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	u := &upstream{own: true, cap: 5, items: letters()}
	l := u.list()
	l.Fetch = func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
		cancel()
		return u.fetch(ctx, r)
	}
	if _, err := paging.Read(ctx, l, paging.Args{}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if calls := u.made(); len(calls) != 1 {
		t.Errorf("calls after the end: %q", calls)
	}
}

// The pages of a list that goes by offset are under way at the same time.
func TestSideBySide(t *testing.T) {
	t.Parallel()
	u := &upstream{offset: true, cap: 5, items: letters()}
	l := u.list()
	var all sync.WaitGroup
	all.Add(3)
	l.Fetch = func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
		if r.Offset != nil {
			all.Done()
			met := make(chan struct{})
			go func() { all.Wait(); close(met) }()
			select {
			case <-met:
			case <-time.After(10 * time.Second):
				t.Error("a page waits for another")
			}
		}
		return u.fetch(ctx, r)
	}
	r, err := paging.Read(t.Context(), l, paging.Args{})
	if err != nil || len(r.Edges) != 20 {
		t.Errorf("%d items, error %v", len(r.Edges), err)
	}
}

// Bounds of the client cut the same items out of a list in both directions,
// whichever end of it since gives.
func TestWalkWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := drawUpstream(t)
		if u.newest {
			u.cap = 0 // all has to be in reach of five calls
		}
		var a paging.Args
		lo, hi := int64(0), int64(1<<40)
		top := int64(base + 1_000_000)
		if rapid.Bool().Draw(t, "bounded below") {
			lo = top - rapid.Int64Range(1, 90).Draw(t, "since")
			a.Since = ptr(time.Unix(lo, 0))
		}
		if rapid.Bool().Draw(t, "bounded above") {
			hi = max(lo+1, top-rapid.Int64Range(0, 60).Draw(t, "until"))
			a.Until = ptr(time.Unix(hi, 0))
		}
		var want []item
		for _, i := range u.items {
			if i.second > lo && i.second < hi {
				want = append(want, i)
			}
		}
		edges := forward(t, u, a, nil)
		if diff := cmp.Diff(want, itemsOf(edges), cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("forward (-list +walk):\n%s", diff)
		}
		if len(edges) == 0 {
			return
		}
		turn := rapid.IntRange(0, len(edges)-1).Draw(t, "turn")
		a.First, a.Last, a.Before = nil, ptr(rapid.IntRange(1, 30).Draw(t, "last")), &edges[turn].Cursor
		u.made()
		got := nodes(u.read(t, a))
		if u.cap == 0 && len(got) < min(*a.Last, turn) {
			t.Fatalf("%d of %d items above; calls %q", len(got), turn, u.made())
		}
		if diff := cmp.Diff(want[turn-len(got):turn], got, cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("backward (-list +page):\n%s", diff)
		}
	})
}
