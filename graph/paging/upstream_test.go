package paging_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/mixcloud"
)

// An item of the upstream's list: its key and when it was listed.
type item struct {
	key    string
	second int64
}

func (i item) String() string { return strings.Trim(i.key, "/") }

// base is the time in Unix seconds to which the times in tables are relative.
const base = 1_500_000_000

// itemAt returns an item that was listed n seconds after base.
func itemAt(name string, n int64) item { return item{"/" + name + "/", base + n} }

// When an upstream links to a next page.
const (
	nextIfFull  = iota // if the page is full (inferred for Mixcloud)
	nextIfMore         // if the bounds have more items
	nextIfOlder        // if the list has older items, regardless of the bounds
)

// A fakeList simulates one list of the REST API. It shares no code with package paging. Items are
// newest first; since and until are exclusive.
type fakeList struct {
	mu            sync.Mutex
	items         []item
	timed         bool // items have the time when they were listed
	pagesByOffset bool // pages by offset regardless of the request
	sinceNewest   bool // since returns the newest items instead of the nearest
	next          int
	cap           int // maximum page size
	noLinks       bool
	noTopLink     bool // no previous link on the page at the top
	whole         bool
	calls         []string
	// cache contains earlier responses, which are returned again; nil disables it.
	cache map[string]*mixcloud.Page[item]
	fake  func(n int, r mixcloud.Range) *mixcloud.Page[item] // returns the response instead, unless it returns nil
}

func (u *fakeList) list() paging.List[item] {
	l := paging.List[item]{
		Identity: "/test/|items",
		Fetch:    u.fetch,
		Key:      func(i item) string { return i.key },
		Unpaged:  u.whole,
	}
	if u.timed {
		l.Time = func(i item) time.Time {
			if i.second == 0 {
				return time.Time{}
			}
			return time.Unix(i.second, 0)
		}
	}
	return l
}

func (u *fakeList) fetch(_ context.Context, r mixcloud.Range) (*mixcloud.Page[item], error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.calls = append(u.calls, formatRange(r))
	if u.fake != nil {
		if p := u.fake(len(u.calls), r); p != nil {
			return p, nil
		}
	}
	if u.cache == nil {
		return u.respond(r), nil
	}
	p := u.cache[formatRange(r)]
	if p == nil {
		p = u.respond(r)
		u.cache[formatRange(r)] = p
	}
	return &mixcloud.Page[item]{Items: slices.Clone(p.Items), Next: p.Next, Previous: p.Previous}, nil
}

// respond returns a new response.
func (u *fakeList) respond(r mixcloud.Range) *mixcloud.Page[item] {
	limit := r.Limit
	if limit == 0 {
		limit = 20
	}
	maxLimit := 100
	if u.cap > 0 {
		maxLimit = u.cap
	}
	limit = min(limit, maxLimit)
	if u.whole {
		return &mixcloud.Page[item]{Items: slices.Clone(u.items)}
	}
	if u.pagesByOffset || r.Offset != nil {
		return u.byOffset(r, limit)
	}
	return u.byDate(r, limit)
}

func (u *fakeList) byOffset(r mixcloud.Range, limit int) *mixcloud.Page[item] {
	from := 0
	if r.Offset != nil {
		from = *r.Offset
	}
	items := u.items
	if !u.pagesByOffset {
		items = u.inBounds(r)
	}
	lo := min(from, len(items))
	hi := min(lo+limit, len(items))
	p := &mixcloud.Page[item]{Items: slices.Clone(items[lo:hi])}
	if u.noLinks {
		return p
	}
	if u.next == nextIfFull && hi-lo == limit || u.next != nextIfFull && hi < len(items) {
		next := from + limit
		p.Next = &mixcloud.Link{Range: mixcloud.Range{Limit: limit, Offset: &next}}
	}
	if from > 0 {
		previous := max(0, from-limit)
		p.Previous = &mixcloud.Link{Range: mixcloud.Range{Limit: limit, Offset: &previous}}
	}
	return p
}

// inBounds returns the items between since and until.
func (u *fakeList) inBounds(r mixcloud.Range) (items []item) {
	for _, i := range u.items {
		if (r.Since.IsZero() || i.second > r.Since.Unix()) && (r.Until.IsZero() || i.second < r.Until.Unix()) {
			items = append(items, i)
		}
	}
	return items
}

func (u *fakeList) byDate(r mixcloud.Range, limit int) *mixcloud.Page[item] {
	all := u.inBounds(r)
	items := all
	if len(items) > limit {
		if u.sinceNewest || r.Since.IsZero() {
			items = items[:limit]
		} else {
			items = items[len(items)-limit:]
		}
	}
	p := &mixcloud.Page[item]{Items: slices.Clone(items)}
	if len(items) == 0 || u.noLinks {
		return p
	}
	last := items[len(items)-1]
	more := len(items) == limit
	switch u.next {
	case nextIfMore:
		more = last != all[len(all)-1]
	case nextIfOlder:
		more = last != u.items[len(u.items)-1]
	}
	if more {
		p.Next = &mixcloud.Link{Range: mixcloud.Range{Limit: limit, Until: time.Unix(last.second, 0)}}
	}
	if !u.noTopLink || !r.Since.IsZero() || !r.Until.IsZero() {
		p.Previous = &mixcloud.Link{Range: mixcloud.Range{Limit: limit, Since: time.Unix(items[0].second, 0)}}
	}
	return p
}

// formatRange formats the range of a call: "limit=20 offset=0 since=5 until=6",
// with times relative to base.
func formatRange(r mixcloud.Range) string {
	parts := []string{fmt.Sprintf("limit=%d", r.Limit)}
	if r.Offset != nil {
		parts = append(parts, fmt.Sprintf("offset=%d", *r.Offset))
	}
	if !r.Since.IsZero() {
		parts = append(parts, fmt.Sprintf("since=%d", r.Since.Unix()-base))
	}
	if !r.Until.IsZero() {
		parts = append(parts, fmt.Sprintf("until=%d", r.Until.Unix()-base))
	}
	return strings.Join(parts, " ")
}

// A tester is a *testing.T or a *rapid.T.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Context() context.Context
}

// takeCalls returns the calls since the previous takeCalls.
func (u *fakeList) takeCalls() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	calls := u.calls
	u.calls = nil
	return calls
}

func (u *fakeList) read(t tester, a paging.Args) *paging.Result[item] {
	t.Helper()
	result, err := paging.Read(t.Context(), u.list(), a)
	if err != nil {
		t.Fatalf("Read(%s): %v", formatArgs(a), err)
	}
	return result
}

// formatArgs formats arguments for test failures.
func formatArgs(a paging.Args) string {
	var parts []string
	for _, n := range []struct {
		name  string
		value *int
	}{{"first", a.First}, {"last", a.Last}, {"offset", a.Offset}} {
		if n.value != nil {
			parts = append(parts, fmt.Sprintf("%s: %d", n.name, *n.value))
		}
	}
	for _, c := range []struct {
		name  string
		value *string
	}{{"after", a.After}, {"before", a.Before}} {
		if c.value != nil {
			parts = append(parts, fmt.Sprintf("%s: %s", c.name, *c.value))
		}
	}
	return strings.Join(parts, ", ")
}

// names returns the names of a result's items, in order.
func names(r *paging.Result[item]) []string {
	names := make([]string, len(r.Edges))
	for i, e := range r.Edges {
		names[i] = e.Node.String()
	}
	return names
}

// nodes returns the items of a result.
func nodes(r *paging.Result[item]) []item {
	nodes := make([]item, len(r.Edges))
	for i, e := range r.Edges {
		nodes[i] = *e.Node
	}
	return nodes
}

// cursorOf returns the cursor of a named item of a result.
func cursorOf(t tester, r *paging.Result[item], name string) *string {
	t.Helper()
	for _, e := range r.Edges {
		if e.Node.String() == name {
			return &e.Cursor
		}
	}
	t.Fatalf("the page does not contain %q: %v", name, names(r))
	return nil
}
