package paging_test

import (
	"fmt"
	"math"
	"testing"

	"mixcloud-graphql/graph/paging"
)

// Cursors with the largest numbers lead to valid calls, also on processors whose int has 32 bits:
// run this test with GOARCH=386 too.
func TestRead_HugeCursors(t *testing.T) {
	t.Parallel()
	binding := paging.Bind("/test/|items", -1, -1)
	timed, byOffset, whole := fakeList{timed: true}, fakeList{pagesByOffset: true}, fakeList{whole: true}
	for name, tc := range map[string]struct {
		cursor paging.Cursor
		list   *fakeList
	}{
		"time":                  {paging.Cursor{Kind: paging.ByTime, Key: "/a/", Second: 1_400_000_000, Index: math.MaxInt32, PreviousDigest: 1}, &timed},
		"offset":                {paging.Cursor{Kind: paging.ByOffset, Offset: math.MaxInt32 - 1}, &byOffset},
		"offset of a whole":     {paging.Cursor{Kind: paging.ByOffset, Offset: math.MaxInt32 - 1}, &whole},
		"page and index":        {paging.Cursor{Kind: paging.ByOffsetPage, Offset: math.MaxInt32 - 1, PageLimit: 1, Index: math.MaxInt32 - 1}, &byOffset},
		"page and index, whole": {paging.Cursor{Kind: paging.ByOffsetPage, Offset: math.MaxInt32 - 1, PageLimit: 1, Index: math.MaxInt32 - 1}, &whole},
	} {
		u := tc.list
		u.items = letters()
		cursor, n := tc.cursor.Encode(binding), 5
		for _, args := range []paging.Args{{First: &n, After: &cursor}, {Last: &n, Before: &cursor}} {
			r, err := paging.Read(t.Context(), u.list(), args)
			if _, ok := permitted(err); err != nil && !ok {
				t.Errorf("%s, backward %t: got error %v, want none or a permitted error", name, args.Last != nil, err)
			} else if err == nil && args.First != nil && len(r.Edges) > 0 {
				t.Errorf("%s: got %d items after the end of the list, want none", name, len(r.Edges))
			} else if err == nil && args.Last != nil && len(r.Edges) > n {
				t.Errorf("%s: got %d items before the cursor, want at most %d", name, len(r.Edges), n)
			}
			for _, call := range u.takeCalls() {
				var limit int
				if _, err := fmt.Sscanf(call, "limit=%d", &limit); err == nil && (limit < 1 || limit > 100) {
					t.Errorf("%s: the call %q has the limit %d, want 1 to 100", name, call, limit)
				}
			}
		}
	}
}
