package paging_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/show"
)

// invalidArgument returns the argument that a BAD_USER_INPUT error names; "" for
// other errors.
func invalidArgument(err error) string {
	var e *gqlerr.Error
	if !errors.As(err, &e) || e.Code != gqlerr.CodeBadUserInput {
		return ""
	}
	return e.Argument
}

func TestInvalidArguments(t *testing.T) {
	t.Parallel()
	cursor := ptr(paging.Cursor{Kind: paging.ByOffset, Offset: 3}.Encode(paging.Bind("/test/|items", -1, -1)))
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		args paging.Args
		want string
	}{
		"negative first":            {paging.Args{First: ptr(-1)}, "first"},
		"first above 100":           {paging.Args{First: ptr(101)}, "first"},
		"huge first":                {paging.Args{First: ptr(math.MaxInt32)}, "first"},
		"negative last":             {paging.Args{Last: ptr(-1), Before: cursor}, "last"},
		"last above 100":            {paging.Args{Last: ptr(101), Before: cursor}, "last"},
		"empty after":               {paging.Args{After: ptr("")}, "after"},
		"empty before":              {paging.Args{Last: ptr(1), Before: ptr("")}, "before"},
		"unknown after":             {paging.Args{After: ptr("YXJyYXljb25uZWN0aW9uOjE")}, "after"},
		"unknown before":            {paging.Args{Last: ptr(1), Before: ptr("no cursor")}, "before"},
		"unknown after, no items":   {paging.Args{First: ptr(0), After: ptr("x")}, "after"},
		"first and last":            {paging.Args{First: ptr(1), Last: ptr(1), Before: cursor}, "last"},
		"after and before":          {paging.Args{First: ptr(1), After: cursor, Before: cursor}, "before"},
		"last with after":           {paging.Args{Last: ptr(1), After: cursor}, "after"},
		"first with before":         {paging.Args{First: ptr(1), Before: cursor}, "before"},
		"before alone":              {paging.Args{Before: cursor}, "before"},
		"last alone":                {paging.Args{Last: ptr(1)}, "last"},
		"last alone, no items":      {paging.Args{Last: ptr(0)}, "last"},
		"negative offset":           {paging.Args{Offset: ptr(-1)}, "offset"},
		"huge offset":               {paging.Args{Offset: ptr(math.MaxInt32 - 99)}, "offset"},
		"offset with after":         {paging.Args{Offset: ptr(1), After: cursor}, "offset"},
		"offset with before":        {paging.Args{Offset: ptr(1), Last: ptr(1), Before: cursor}, "offset"},
		"offset with last":          {paging.Args{Offset: ptr(1), Last: ptr(1)}, "offset"},
		"offset with since":         {paging.Args{Offset: ptr(0), Since: &day}, "offset"},
		"offset with until":         {paging.Args{Offset: ptr(0), Until: &day}, "offset"},
		"since before 1970":         {paging.Args{Since: ptr(time.Unix(-1, 0))}, "since"},
		"until before 1970":         {paging.Args{Until: ptr(time.Unix(-1, 0))}, "until"},
		"zero time":                 {paging.Args{Until: ptr(time.Time{})}, "until"},
		"since after the year 9999": {paging.Args{Since: ptr(time.Unix(253402300799, 0))}, "since"},
		"until after the year 9999": {paging.Args{Until: ptr(time.Unix(1<<40, 0))}, "until"},
		"since equals until":        {paging.Args{Since: &day, Until: &day}, "since"},
		"since after until":         {paging.Args{Since: ptr(day.Add(time.Second)), Until: &day}, "since"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, timed := range []bool{true, false} {
				u := &fakeList{timed: timed, items: []item{itemAt("a", 1)}}
				_, err := paging.Read(t.Context(), u.list(), test.args)
				if got := invalidArgument(err); got != test.want {
					t.Errorf("error = %v, which names the argument %q, want %q", err, got, test.want)
				}
				if calls := u.takeCalls(); len(calls) > 0 {
					t.Errorf("calls are %q, want none for an invalid argument", calls)
				}
			}
		})
	}
}

func TestValidArguments(t *testing.T) {
	t.Parallel()
	day := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		args     paging.Args
		size     int
		backward bool
	}{
		"no arguments":        {paging.Args{}, 20, false},
		"no items":            {paging.Args{First: ptr(0)}, 0, false},
		"maximum":             {paging.Args{First: ptr(100)}, 100, false},
		"after alone":         {paging.Args{After: ptr("x")}, 20, false},
		"backward":            {paging.Args{Last: ptr(7), Before: ptr("x")}, 7, true},
		"last without before": {paging.Args{Last: ptr(7)}, 7, true}, // Read decides, depending on the list
		"offset":              {paging.Args{Offset: ptr(0)}, 20, false},
		"maximum offset":      {paging.Args{Offset: ptr(math.MaxInt32 - 100)}, 20, false},
		"less than a second":  {paging.Args{Since: &day, Until: ptr(day.Add(time.Millisecond))}, 20, false},
		"the epoch":           {paging.Args{Since: ptr(time.Unix(0, 0))}, 20, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := paging.Check(test.args)
			if err != nil || r.Size() != test.size || r.Backward() != test.backward {
				t.Errorf("Check returned size %d, backward %v, error %v; want %d, %v and no error", r.Size(), r.Backward(), err, test.size, test.backward)
			}
		})
	}
}

// Reading no items makes no call.
func TestNoCallForNoItems(t *testing.T) {
	t.Parallel()
	cursor := ptr(paging.Cursor{Kind: paging.ByOffset, Offset: 3}.Encode(paging.Bind("/test/|items", -1, -1)))
	for name, test := range map[string]struct {
		args           paging.Args
		next, previous bool
	}{
		"first":             {paging.Args{First: ptr(0)}, false, false},
		"first after":       {paging.Args{First: ptr(0), After: cursor}, false, true},
		"first with offset": {paging.Args{First: ptr(0), Offset: ptr(5)}, false, true},
		"last before":       {paging.Args{Last: ptr(0), Before: cursor}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := &fakeList{items: []item{itemAt("a", 1)}}
			r := u.read(t, test.args)
			if r.Edges == nil || len(r.Edges) > 0 || r.HasNextPage != test.next || r.HasPreviousPage != test.previous || r.Total != nil {
				t.Errorf("result is %+v, want no items, hasNextPage %v, hasPreviousPage %v and no total", show.Value(r), test.next, test.previous)
			}
			if calls := u.takeCalls(); len(calls) > 0 {
				t.Errorf("calls are %q, want none for an empty page", calls)
			}
		})
	}
}

// Bounds with fractions of a second select the same items as the whole seconds
// around them, so the cursors are the same too.
func TestBoundsRoundToWholeSeconds(t *testing.T) {
	t.Parallel()
	u := &fakeList{items: []item{itemAt("d", 13), itemAt("c", 12), itemAt("b", 11), itemAt("a", 10)}}
	whole := u.read(t, paging.Args{Since: ptr(time.Unix(base+10, 0)), Until: ptr(time.Unix(base+13, 0))})
	part := u.read(t, paging.Args{Since: ptr(time.Unix(base+10, 1)), Until: ptr(time.Unix(base+12, 1))})
	if len(whole.Edges) != 2 || len(part.Edges) != 2 || whole.Edges[0].Cursor != part.Edges[0].Cursor {
		t.Errorf("got %v for whole seconds and %v for fractions, want two items with the same cursors", show.Value(whole), show.Value(part))
	}
}
