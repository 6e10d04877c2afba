package paging_test

import (
	"testing"
	"time"

	"mixcloud-graphql/graph/paging"
)

// This test checks the numbers. TestCalls checks that no page takes more calls.
func TestMaxCalls(t *testing.T) {
	t.Parallel()
	cursor := func(kind paging.Kind) *string {
		text := paging.Cursor{Kind: kind, Key: "/a/b/", Second: 5, Next: 5}.Encode(paging.Binding{})
		return &text
	}
	written := paging.NewWriteCursor("/a/b/", 1).Encode(paging.Binding{})
	since, none := time.Unix(1, 0), "nonsense"
	for name, test := range map[string]struct {
		args           paging.Args
		dated, undated int
	}{
		"a first page":             {paging.Args{}, 1, 1},
		"an offset":                {paging.Args{Offset: ptr(5)}, 1, 1},
		"since":                    {paging.Args{Since: &since}, 1, 2},
		"until":                    {paging.Args{Until: &since}, 1, 1},
		"after a time":             {paging.Args{After: cursor(paging.ByTime)}, 3, 3},
		"after a page":             {paging.Args{After: cursor(paging.ByPage)}, 6, 6},
		"after an offset":          {paging.Args{After: cursor(paging.ByOffset)}, 1, 1},
		"after an offset page":     {paging.Args{After: cursor(paging.ByOffsetPage)}, 2, 2},
		"after a write":            {paging.Args{After: &written}, 8, 8},
		"after an invalid cursor":  {paging.Args{After: &none}, 0, 0},
		"before a page":            {paging.Args{Before: cursor(paging.ByPage)}, 5, 5},
		"before a write":           {paging.Args{Before: &written}, 7, 7},
		"before an invalid cursor": {paging.Args{Before: &none}, 0, 0},
		"since, after a page":      {paging.Args{Since: &since, After: cursor(paging.ByPage)}, 6, 12},
		"since, before a write":    {paging.Args{Since: &since, Before: &written}, 7, 14},
	} {
		for dated, want := range map[bool]int{true: test.dated, false: test.undated} {
			if got := paging.MaxCalls(test.args, dated); got != want {
				t.Errorf("%s, dated %t: got %d, want %d", name, dated, got, want)
			}
		}
	}
}
