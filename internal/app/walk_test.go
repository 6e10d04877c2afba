package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A walk pages through a reel's list as a client does.
type walk struct {
	server *testServer
	reel   *fakeList
	t      testing.TB
}

func newWalk(t testing.TB, r *fakeList) *walk {
	t.Helper()
	return &walk{newTestServer(t, serverOptions{mixcloud: r}), r, t}
}

type edgeOf struct {
	Cursor     string
	ListenedAt *time.Time
	Node       struct{ Key string }
}

type pageOf struct {
	Edges    []edgeOf
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

// page asks for a page of the list, with arguments as a document has them.
func (w *walk) page(t require, arguments string) pageOf {
	listenedAt := ""
	if w.reel.connection == "listens" {
		listenedAt = "listenedAt"
	}
	field := fmt.Sprintf(`list: %s(%s) { edges { cursor %s node { key } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`,
		w.reel.connection, arguments, listenedAt)
	var data struct {
		List *pageOf
		User struct{ List *pageOf }
	}
	query := "{ " + field + " }"
	if !w.reel.byOffset {
		query = `{ user(username: "owner") { ` + field + ` } }`
	}
	if errs := w.server.execute(w.t, "", query, nil).decode(w.t, &data); len(errs) > 0 {
		t.Fatalf("%s: %s %s", arguments, errs[0].code(), errs[0].Message)
	}
	page := data.List
	if page == nil {
		page = data.User.List
	}
	if page == nil {
		t.Fatalf("%s: there is no list", arguments)
	}
	if n := len(page.Edges); n > 0 {
		if *page.PageInfo.StartCursor != page.Edges[0].Cursor || *page.PageInfo.EndCursor != page.Edges[n-1].Cursor {
			t.Fatalf("%s: the page's cursors are not those of its edges", arguments)
		}
	}
	return *page
}

// require is what both kinds of tests fail by.
type require interface{ Fatalf(string, ...any) }

func (w *walk) names(page pageOf) []string {
	names := make([]string, len(page.Edges))
	for i, e := range page.Edges {
		names[i] = e.Node.Key
		if e.ListenedAt != nil {
			names[i] += "@" + e.ListenedAt.Format(time.RFC3339)
		}
	}
	return names
}

// drawn is a list of up to n items with several in one second, and what may
// happen to it while it is read.
func drawn(t *rapid.T, connection string, n int) *fakeList {
	r := &fakeList{connection: connection, maxPage: rapid.SampledFrom([]int{20, 25, 100}).Draw(t, "cap"), newest: rapid.Bool().Draw(t, "newest")}
	at, run := int64(1_500_000_000), 0
	for i := range rapid.IntRange(0, n).Draw(t, "items") {
		if run < 7 && rapid.IntRange(0, 2).Draw(t, "tie") == 0 {
			run++
		} else {
			at, run = at+rapid.Int64Range(1, 90000).Draw(t, "gap"), 0
		}
		r.items = slices.Insert(r.items, 0, listItem{i, at})
	}
	return r
}

// arrive lets some items come, never older than what is on the list: in the very
// second of its newest item too, wherever among those of that second.
func arrive(t *rapid.T, r *fakeList) {
	for range rapid.IntRange(0, 3).Draw(t, "arrivals") {
		items := r.snapshot()
		at, ties := int64(1_500_000_000), 0
		if len(items) > 0 {
			at = items[0].at
			for ties < len(items) && items[ties].at == at {
				ties++
			}
		}
		if ties >= 10 || !rapid.Bool().Draw(t, "in the same second") {
			at, ties = at+rapid.Int64Range(1, 90000).Draw(t, "later"), 0
		}
		r.insert(listItem{len(items), at}, rapid.IntRange(0, ties).Draw(t, "place"))
	}
}

// dated are the connections that Mixcloud pages by date.
var dated = []string{"cloudcasts", "favorites", "listens", "followers", "following", "comments", "feed"}

// TestWalks reads lists to their end while items arrive, and compares what was
// read with the whole list as it was at the start: nothing of that is missing,
// nothing comes twice, and all of it is in order.
func TestWalks(t *testing.T) {
	t.Parallel()
	for _, connection := range dated {
		t.Run(connection, func(t *testing.T) {
			t.Parallel()
			t.Run("forward", rapid.MakeCheck(func(rt *rapid.T) {
				r := drawn(rt, connection, 60)
				w := newWalk(t, r)
				before := r.snapshot()
				var read []string
				arguments := ""
				for range 200 {
					first := rapid.IntRange(1, 30).Draw(rt, "first")
					page := w.page(rt, fmt.Sprintf("first: %d%s", first, arguments))
					if len(page.Edges) > first {
						rt.Fatalf("%d items are more than %d", len(page.Edges), first)
					}
					read = append(read, w.names(page)...)
					if !page.PageInfo.HasNextPage {
						break
					}
					arguments = fmt.Sprintf(", after: %q", *page.PageInfo.EndCursor)
					arrive(rt, r)
				}
				compareWalk(rt, r, before, read)
			}))
			t.Run("backward", rapid.MakeCheck(func(rt *rapid.T) {
				r := drawn(rt, connection, 60)
				w := newWalk(t, r)
				// A client comes to the end first, by pages of any size.
				cursor, below := w.bottom(rt)
				if cursor == "" {
					return
				}
				before := r.snapshot()
				before = before[:len(before)-below]
				var read []string
				for range 200 {
					last := rapid.IntRange(1, 30).Draw(rt, "last")
					page := w.page(rt, fmt.Sprintf("last: %d, before: %q", last, cursor))
					if len(page.Edges) > last {
						rt.Fatalf("%d items are more than %d", len(page.Edges), last)
					}
					if !page.PageInfo.HasNextPage {
						rt.Fatalf("there is something after a page before a cursor")
					}
					read = append(w.names(page), read...)
					if !page.PageInfo.HasPreviousPage {
						break
					}
					cursor = *page.PageInfo.StartCursor
					arrive(rt, r)
				}
				compareWalk(rt, r, before, read)
			}))
		})
	}
}

// bottom is a cursor near the end of the list, and how many items stand from
// there on.
func (w *walk) bottom(t *rapid.T) (cursor string, below int) {
	arguments := ""
	var edges []edgeOf
	for {
		page := w.page(t, fmt.Sprintf("first: %d%s", rapid.IntRange(1, 100).Draw(t, "first"), arguments))
		edges = append(edges, page.Edges...)
		if !page.PageInfo.HasNextPage {
			break
		}
		arguments = fmt.Sprintf(", after: %q", *page.PageInfo.EndCursor)
	}
	if len(edges) == 0 {
		return "", 0
	}
	below = rapid.IntRange(1, min(3, len(edges))).Draw(t, "below")
	return edges[len(edges)-below].Cursor, below
}

// compareWalk compares what was read with what had to be.
func compareWalk(t *rapid.T, r *fakeList, before []listItem, read []string) {
	known := map[string]bool{}
	var want []string
	for _, f := range before {
		known[r.id(f)] = true
		want = append(want, r.id(f))
	}
	seen := map[string]bool{}
	var got []string
	for _, name := range read {
		if seen[name] {
			t.Fatalf("%s comes twice in %q", name, read)
		}
		seen[name] = true
		if known[name] {
			got = append(got, name)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("the whole list (-) and the walk (+):\n%s", diff)
	}
}

// TestWalksByOffset reads lists that page by offset and do not change: forward
// to the end, and back from there.
func TestWalksByOffset(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawn(rt, "popular", 150)
		r.byOffset = true
		w := newWalk(t, r)
		var read []string
		var cursors []string
		arguments := ""
		for range 200 {
			page := w.page(rt, fmt.Sprintf("first: %d%s", rapid.IntRange(1, 100).Draw(rt, "first"), arguments))
			read = append(read, w.names(page)...)
			for _, e := range page.Edges {
				cursors = append(cursors, e.Cursor)
			}
			if !page.PageInfo.HasNextPage {
				break
			}
			arguments = fmt.Sprintf(", after: %q", *page.PageInfo.EndCursor)
		}
		compareWalk(rt, r, r.snapshot(), read)
		if len(cursors) == 0 {
			return
		}
		from := rapid.IntRange(0, len(cursors)-1).Draw(rt, "from")
		cursor := cursors[from]
		read = nil
		for range 200 {
			page := w.page(rt, fmt.Sprintf("last: %d, before: %q", rapid.IntRange(1, 100).Draw(rt, "last"), cursor))
			read = append(w.names(page), read...)
			if !page.PageInfo.HasPreviousPage {
				break
			}
			cursor = *page.PageInfo.StartCursor
		}
		compareWalk(rt, r, r.snapshot()[:from], read)
	})
}
