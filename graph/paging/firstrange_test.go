package paging_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

// The first call of Read has the range that FirstRange returns. If FirstRange returns false, Read
// makes no call, unless it reads backward.
func TestFirstRange(t *testing.T) {
	t.Parallel()
	found := map[bool]int{}
	rapid.Check(t, func(t *rapid.T) {
		l := paging.List[item]{Identity: "/x/|items", Key: func(i item) string { return i.key }, Unpaged: rapid.Bool().Draw(t, "unpaged")}
		if rapid.Bool().Draw(t, "dated") {
			l.Time = func(i item) time.Time { return time.Unix(i.second, 0) }
		}
		var fetched []string
		stop := errors.New("stop")
		l.Fetch = func(_ context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
			fetched = append(fetched, formatRange(r))
			return nil, stop
		}
		a := drawArgs(t, l.Identity)
		want, ok := paging.FirstRange(paging.Properties{Identity: l.Identity, Dated: l.Time != nil, Unpaged: l.Unpaged}, a)
		_, err := paging.Read(t.Context(), l, a)
		found[ok]++
		switch {
		case ok && (len(fetched) != 1 || fetched[0] != formatRange(want)):
			t.Fatalf("Read(%s) fetched %q, want %s first", formatArgs(a), fetched, formatRange(want))
		case !ok && fetched != nil && a.Before == nil:
			t.Fatalf("Read(%s) fetched %q, want no call", formatArgs(a), fetched)
		case ok != errors.Is(err, stop) && a.Before == nil:
			t.Fatalf("Read(%s) returned error %v, FirstRange %t, want the error of the fetch only with true", formatArgs(a), err, ok)
		}
	})
	if found[true] == 0 || found[false] == 0 {
		t.Errorf("FirstRange returned true and false %v times, want both", found)
	}
}

// drawArgs draws arguments. Some of them are not valid, and some cursors are of another list.
func drawArgs(t *rapid.T, identity string) (a paging.Args) {
	size := rapid.Ptr(rapid.IntRange(-1, 101), true).Draw(t, "size")
	seconds := rapid.Ptr(rapid.Int64Range(1, 2_000_000_000), true)
	since, until := seconds.Draw(t, "since"), seconds.Draw(t, "until")
	bounds := [2]int64{-1, -1}
	for i, second := range []*int64{since, until} {
		if second == nil {
			continue
		}
		at := time.Unix(*second, 0)
		bounds[i] = *second
		if i == 0 {
			a.Since = &at
		} else {
			a.Until = &at
		}
	}
	a.First = size
	switch rapid.SampledFrom([]string{"top", "after", "before", "offset"}).Draw(t, "position") {
	case "offset":
		a.Offset = new(rapid.IntRange(-1, 1000).Draw(t, "offset"))
	case "after":
		a.After = new(drawCursor(t).Encode(paging.Bind(rapid.SampledFrom([]string{identity, identity, identity, "/y/|items"}).Draw(t, "list"), bounds[0], bounds[1])))
	case "before":
		a.First, a.Last = nil, size
		a.Before = new(drawCursor(t).Encode(paging.Bind(identity, bounds[0], bounds[1])))
	}
	return a
}
