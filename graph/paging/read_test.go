package paging_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

func TestTotal(t *testing.T) {
	t.Parallel()
	cursor := func(u *fakeList) *string {
		return &u.read(t, paging.Args{First: ptr(1)}).Edges[0].Cursor
	}
	for name, test := range map[string]struct {
		u    *fakeList
		args func(*fakeList) paging.Args
		want *int
	}{
		"all of it":               {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(100)} }, ptr(26)},
		"nothing":                 {&fakeList{}, func(*fakeList) paging.Args { return paging.Args{} }, ptr(0)},
		"offset 0":                {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(100), Offset: ptr(0)} }, ptr(26)},
		"by offset":               {&fakeList{pagesByOffset: true, items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(27)} }, ptr(26)},
		"in two calls":            {&fakeList{timed: true, cap: 20, items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(50)} }, ptr(26)},
		"a part":                  {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(25)} }, nil},
		"offset 1":                {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(100), Offset: ptr(1)} }, nil},
		"after a cursor":          {&fakeList{items: letters()}, func(u *fakeList) paging.Args { return paging.Args{First: ptr(100), After: cursor(u)} }, nil},
		"before a cursor":         {&fakeList{items: letters()}, func(u *fakeList) paging.Args { return paging.Args{Last: ptr(100), Before: cursor(u)} }, nil},
		"since":                   {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(100), Since: second(0)} }, nil},
		"until":                   {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(100), Until: second(999)} }, nil},
		"a whole list":            {&fakeList{whole: true, items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(3)} }, ptr(26)},
		"the end of a whole list": {&fakeList{whole: true, items: letters()}, func(*fakeList) paging.Args { return paging.Args{Last: ptr(3)} }, ptr(26)},
		"a bounded whole list":    {&fakeList{whole: true, items: letters()}, func(*fakeList) paging.Args { return paging.Args{Since: second(0)} }, nil},
		"more than requested":     {&fakeList{items: letters(), fake: everything}, func(*fakeList) paging.Args { return paging.Args{First: ptr(3)} }, ptr(26)},
		"no items requested":      {&fakeList{items: letters()}, func(*fakeList) paging.Args { return paging.Args{First: ptr(0)} }, nil},
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

// everything returns a page of an upstream that ignores limits.
func everything(int, mixcloud.Range) *mixcloud.Page[item] {
	return &mixcloud.Page[item]{Items: letters()}
}

// The result never has more items than requested, for any response.
func TestMoreItemsThanRequested(t *testing.T) {
	t.Parallel()
	for _, timed := range []bool{true, false} {
		u := &fakeList{timed: timed, fake: everything}
		got, _ := u.readWithCalls(t, paging.Args{First: ptr(2)})
		if diff := cmp.Diff(outcome{[]string{"a", "b"}, true, false, []string{"limit=2"}}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestWholeList(t *testing.T) {
	t.Parallel()
	u := &fakeList{whole: true, items: letters()[:6]}
	all := u.read(t, paging.Args{First: ptr(100)})
	c := func(name string) *string { return cursorOf(t, all, name) }
	for name, test := range map[string]struct {
		args paging.Args
		want outcome
	}{
		"first":             {paging.Args{First: ptr(2)}, outcome{Names: []string{"a", "b"}, Next: true}},
		"all":               {paging.Args{}, outcome{Names: []string{"a", "b", "c", "d", "e", "f"}}},
		"after":             {paging.Args{First: ptr(2), After: c("b")}, outcome{Names: []string{"c", "d"}, Next: true, Previous: true}},
		"after the last":    {paging.Args{After: c("f")}, outcome{Previous: true}},
		"offset":            {paging.Args{First: ptr(2), Offset: ptr(4)}, outcome{Names: []string{"e", "f"}, Previous: true}},
		"offset beyond":     {paging.Args{Offset: ptr(9)}, outcome{Previous: true}},
		"last":              {paging.Args{Last: ptr(2)}, outcome{Names: []string{"e", "f"}, Previous: true}},
		"last of few":       {paging.Args{Last: ptr(50)}, outcome{Names: []string{"a", "b", "c", "d", "e", "f"}}},
		"before":            {paging.Args{Last: ptr(2), Before: c("d")}, outcome{Names: []string{"b", "c"}, Next: true, Previous: true}},
		"before the second": {paging.Args{Last: ptr(2), Before: c("b")}, outcome{Names: []string{"a"}, Next: true}},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := u.readWithCalls(t, test.args)
			test.want.Calls = []string{"limit=100"}
			if diff := cmp.Diff(test.want, got, equateEmpty); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestErrorsPassThrough(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for _, failing := range []int{1, 2, 3, 4} {
		u := &fakeList{pagesByOffset: true, cap: 5, items: letters()}
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
			t.Errorf("call %d fails: got error %v, want that of the call", failing, err)
		}
	}
	u := &fakeList{timed: true, items: letters()}
	r := u.read(t, paging.Args{})
	l := u.list()
	l.Fetch = func(context.Context, mixcloud.Range) (*mixcloud.Page[item], error) { return nil, broken }
	for _, a := range []paging.Args{{}, {Offset: ptr(1)}, {After: &r.Edges[3].Cursor}, {Last: ptr(1), Before: &r.Edges[3].Cursor}} {
		if _, err := paging.Read(t.Context(), l, a); err != broken {
			t.Errorf("%s: got error %v, want that of the call", formatArgs(a), err)
		}
	}
}

// If any call fails, in any direction, Read returns its error.
func TestErrorOfAnyCall(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	rapid.Check(t, func(t *rapid.T) {
		u := drawFakeList(t)
		var a paging.Args
		if rapid.Bool().Draw(t, "bounded") {
			a.Since = ptr(time.Unix(base+1_000_000-rapid.Int64Range(1, 90).Draw(t, "since"), 0))
		}
		edges := forward(t, u, a, nil)
		if len(edges) == 0 {
			return
		}
		from := &edges[rapid.IntRange(0, len(edges)-1).Draw(t, "from")].Cursor
		size := rapid.IntRange(1, 60).Draw(t, "size")
		if a.Last, a.Before = &size, from; rapid.Bool().Draw(t, "forward") {
			a.First, a.After, a.Last, a.Before = &size, from, nil, nil
		}
		if deleted := rapid.IntRange(0, len(u.items)).Draw(t, "deleted"); deleted > 0 {
			u.items = slices.Delete(u.items, deleted-1, deleted)
		}
		u.takeCalls()
		_, want := paging.Read(t.Context(), u.list(), a)
		calls := u.takeCalls()
		for failedCall := range calls {
			l, n := u.list(), 0
			l.Fetch = func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
				if n++; n > failedCall {
					return nil, broken
				}
				return u.fetch(ctx, r)
			}
			if _, err := paging.Read(t.Context(), l, a); err != broken {
				t.Fatalf("call %d of %q fails: got error %v, want that of the call (without it: %v)", failedCall, calls, err, want)
			}
		}
	})
}

func TestCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	u := &fakeList{timed: true, cap: 5, items: letters()}
	l := u.list()
	l.Fetch = func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
		cancel()
		return u.fetch(ctx, r)
	}
	if _, err := paging.Read(ctx, l, paging.Args{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got error %v, want context.Canceled", err)
	}
	if calls := u.takeCalls(); len(calls) != 1 {
		t.Errorf("got calls %q, want only the one before the cancellation", calls)
	}
}

// The pages of an offset list are fetched concurrently.
func TestPagesFetchedInParallel(t *testing.T) {
	t.Parallel()
	u := &fakeList{pagesByOffset: true, cap: 5, items: letters()}
	l := u.list()
	var all sync.WaitGroup
	all.Add(3)
	l.Fetch = func(ctx context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
		if r.Offset != nil {
			all.Done()
			allStarted := make(chan struct{})
			go func() { all.Wait(); close(allStarted) }()
			select {
			case <-allStarted:
			case <-time.After(10 * time.Second):
				t.Error("the fetches did not run concurrently")
			}
		}
		return u.fetch(ctx, r)
	}
	r, err := paging.Read(t.Context(), l, paging.Args{})
	if err != nil || len(r.Edges) != 20 {
		t.Errorf("got %d items and error %v, want 20", len(r.Edges), err)
	}
}

// The client's bounds select the same items in both directions, whichever end of
// the range since returns.
func TestWalkWithinBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		u := drawFakeList(t)
		if u.sinceNewest {
			u.cap = 0 // all items must be within reach of five calls
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
			t.Fatalf("items of the forward walk (-list +walk):\n%s", diff)
		}
		if len(edges) == 0 {
			return
		}
		turn := rapid.IntRange(0, len(edges)-1).Draw(t, "turn")
		a.First, a.Last, a.Before = nil, ptr(rapid.IntRange(1, 30).Draw(t, "last")), &edges[turn].Cursor
		u.takeCalls()
		got := nodes(u.read(t, a))
		if u.cap == 0 && len(got) < min(*a.Last, turn) {
			t.Fatalf("got %d items before item %d, want %d; calls %q", len(got), turn, min(*a.Last, turn), u.takeCalls())
		}
		if diff := cmp.Diff(want[turn-len(got):turn], got, cmp.AllowUnexported(item{}), equateEmpty); diff != "" {
			t.Fatalf("items of the backward read (-list +page):\n%s", diff)
		}
	})
}
