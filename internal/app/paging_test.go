package app

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A pagingClient pages through a fakeList.
type pagingClient struct {
	server *testServer
	list   *fakeList
	t      testing.TB
}

func newPagingClient(t testing.TB, r *fakeList) *pagingClient {
	t.Helper()
	return &pagingClient{newTestServer(t, serverOptions{mixcloud: r}), r, t}
}

type listEdge struct {
	Cursor     string
	ListenedAt *time.Time
	Node       struct{ Key string }
}

type listConnection struct {
	Edges    []listEdge
	PageInfo struct {
		HasNextPage, HasPreviousPage bool
		StartCursor, EndCursor       *string
	}
}

// page reads a page of the list with the given GraphQL arguments.
func (w *pagingClient) page(t failer, arguments string) listConnection {
	listenedAt := ""
	if w.list.connection == "listens" {
		listenedAt = "listenedAt"
	}
	field := fmt.Sprintf(`list: %s(%s) { edges { cursor %s node { key } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`,
		w.list.connection, arguments, listenedAt)
	var data struct {
		List *listConnection
		User struct{ List *listConnection }
	}
	query := "{ " + field + " }"
	if !w.list.byOffset {
		query = `{ user(username: "owner") { ` + field + ` } }`
	}
	if errs := w.server.execute(w.t, "", query, nil).decode(w.t, &data); len(errs) > 0 {
		t.Fatalf("%s: error = %s %s, want none", arguments, errs[0].code(), errs[0].Message)
	}
	page := data.List
	if page == nil {
		page = data.User.List
	}
	if page == nil {
		t.Fatalf("%s: list = null, want a page", arguments)
	}
	if n := len(page.Edges); n > 0 {
		if *page.PageInfo.StartCursor != page.Edges[0].Cursor || *page.PageInfo.EndCursor != page.Edges[n-1].Cursor {
			t.Fatalf("%s: startCursor and endCursor are %s and %s, want the cursors of the first and the last edge, %s and %s", arguments, *page.PageInfo.StartCursor, *page.PageInfo.EndCursor, page.Edges[0].Cursor, page.Edges[n-1].Cursor)
		}
	}
	return *page
}

// A failer is a [testing.T] or a [rapid.T].
type failer interface{ Fatalf(string, ...any) }

func (w *pagingClient) ids(page listConnection) []string {
	ids := make([]string, len(page.Edges))
	for i, e := range page.Edges {
		ids[i] = e.Node.Key
		if e.ListenedAt != nil {
			ids[i] += "@" + e.ListenedAt.Format(time.RFC3339)
		}
	}
	return ids
}

// drawList returns a random list of up to n items, several of which may have the same second.
func drawList(t *rapid.T, connection string, n int) *fakeList {
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

// insertItems adds up to 3 random items. They are not older than the newest item, but may share its
// second, at any position.
func insertItems(t *rapid.T, r *fakeList) {
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

// datePaged are the connections that Mixcloud pages by date.
var datePaged = []string{"cloudcasts", "favorites", "listens", "followers", "following", "comments", "feed"}

// TestPaging_WhileItemsAreAdded pages through lists to their end while items are added. The pages must contain all items of the list at
// the start, in order, and no item twice.
func TestPaging_WhileItemsAreAdded(t *testing.T) {
	t.Parallel()
	for _, connection := range datePaged {
		t.Run(connection, func(t *testing.T) {
			t.Parallel()
			t.Run("forward", rapid.MakeCheck(func(rt *rapid.T) {
				r := drawList(rt, connection, 60)
				w := newPagingClient(t, r)
				before := r.snapshot()
				var read []string
				arguments := ""
				for range 200 {
					first := rapid.IntRange(1, 30).Draw(rt, "first")
					page := w.page(rt, fmt.Sprintf("first: %d%s", first, arguments))
					if len(page.Edges) > first {
						rt.Fatalf("page has %d items, want at most %d", len(page.Edges), first)
					}
					read = append(read, w.ids(page)...)
					if !page.PageInfo.HasNextPage {
						break
					}
					arguments = fmt.Sprintf(", after: %q", *page.PageInfo.EndCursor)
					insertItems(rt, r)
				}
				checkItems(rt, r, before, read)
			}))
			t.Run("backward", rapid.MakeCheck(func(rt *rapid.T) {
				r := drawList(rt, connection, 60)
				w := newPagingClient(t, r)
				// The client first pages forward to the end.
				cursor, below := w.readToEnd(rt)
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
						rt.Fatalf("page has %d items, want at most %d", len(page.Edges), last)
					}
					if !page.PageInfo.HasNextPage {
						rt.Fatalf("hasNextPage = false for a page before a cursor, want true")
					}
					read = append(w.ids(page), read...)
					if !page.PageInfo.HasPreviousPage {
						break
					}
					cursor = *page.PageInfo.StartCursor
					insertItems(rt, r)
				}
				checkItems(rt, r, before, read)
			}))
		})
	}
}

// readToEnd pages to the end of the list. It returns the cursor of one of the last items, and the number of items from there on.
func (w *pagingClient) readToEnd(t *rapid.T) (cursor string, below int) {
	arguments := ""
	var edges []listEdge
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

// checkItems checks that read contains all items of before, in order, and no item twice.
func checkItems(t *rapid.T, r *fakeList, before []listItem, read []string) {
	known := map[string]bool{}
	var want []string
	for _, f := range before {
		known[r.id(f)] = true
		want = append(want, r.id(f))
	}
	seen := map[string]bool{}
	var got []string
	for _, id := range read {
		if seen[id] {
			t.Fatalf("the pages contain the item %s twice: %q", id, read)
		}
		seen[id] = true
		if known[id] {
			got = append(got, id)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("items differ (- list, + pages):\n%s", diff)
	}
}

// Lists that are paged by offset, without changes: forward to the end, and backward from there.
func TestPaging_ByOffset(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		r := drawList(rt, "popular", 150)
		r.byOffset = true
		w := newPagingClient(t, r)
		var read []string
		var cursors []string
		arguments := ""
		for range 200 {
			page := w.page(rt, fmt.Sprintf("first: %d%s", rapid.IntRange(1, 100).Draw(rt, "first"), arguments))
			read = append(read, w.ids(page)...)
			for _, e := range page.Edges {
				cursors = append(cursors, e.Cursor)
			}
			if !page.PageInfo.HasNextPage {
				break
			}
			arguments = fmt.Sprintf(", after: %q", *page.PageInfo.EndCursor)
		}
		checkItems(rt, r, r.snapshot(), read)
		if len(cursors) == 0 {
			return
		}
		from := rapid.IntRange(0, len(cursors)-1).Draw(rt, "from")
		cursor := cursors[from]
		read = nil
		for range 200 {
			page := w.page(rt, fmt.Sprintf("last: %d, before: %q", rapid.IntRange(1, 100).Draw(rt, "last"), cursor))
			read = append(w.ids(page), read...)
			if !page.PageInfo.HasPreviousPage {
				break
			}
			cursor = *page.PageInfo.StartCursor
		}
		checkItems(rt, r, r.snapshot()[:from], read)
	})
}
