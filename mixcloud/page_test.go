package mixcloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"mixcloud-graphql/internal/show"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRangeQuery(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 4, 29, 18, 59, 19, 0, time.UTC)
	tests := []struct {
		name string
		in   Range
		want string
		arg  string // the invalid argument
	}{
		{name: "zero", in: Range{}},
		{name: "limit", in: Range{Limit: 100}, want: "limit=100"},
		{name: "offset 0 is sent", in: Range{Offset: new(0)}, want: "offset=0"},
		{name: "both", in: Range{Limit: 20, Offset: new(40)}, want: "limit=20&offset=40"},
		{name: "until", in: Range{Limit: 20, Until: at}, want: "limit=20&until=2015-04-29+18%3A59%3A19"},
		{name: "other zone", in: Range{Since: at.In(time.FixedZone("", 7200))}, want: "since=2015-04-29+18%3A59%3A19"},
		{name: "since in mid-second", in: Range{Since: at.Add(time.Nanosecond)}, want: "since=2015-04-29+18%3A59%3A19"},
		{name: "until in mid-second", in: Range{Until: at.Add(time.Nanosecond)}, want: "until=2015-04-29+18%3A59%3A20"},
		{name: "Unix zero", in: Range{Until: time.Unix(0, 0)}, want: "until=1970-01-01+00%3A00%3A00"},
		{name: "negative limit", in: Range{Limit: -1}, arg: "limit"},
		{name: "negative offset", in: Range{Offset: new(-1)}, arg: "offset"},
		{name: "far since", in: Range{Since: at.AddDate(9000, 0, 0)}, arg: "since"},
		{name: "far until", in: Range{Until: at.AddDate(-3000, 0, 0)}, arg: "until"},
	}
	for _, test := range tests {
		query := url.Values{}
		err := test.in.values(query)
		if invalid, ok := errors.AsType[*InvalidError](err); ok {
			if invalid.Arg != test.arg {
				t.Errorf("%s: error %v, want an InvalidError for the argument %q", test.name, err, test.arg)
			}
			continue
		}
		if test.arg != "" || query.Encode() != test.want {
			t.Errorf("%s: query = %q, %v; want %q, or an InvalidError for the argument %q", test.name, query.Encode(), err, test.want, test.arg)
		}
	}
}

func TestReadLink(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 4, 29, 18, 59, 19, 0, time.UTC)
	tests := map[string]*Link{
		"https://api.mixcloud.com/a/favorites/?limit=20&metadata=1&until=2015-04-29+18%3A59%3A19": {Range{Limit: 20, Until: at}},
		"http://api.mixcloud.com/a/?since=2015-04-29+18%3A59%3A19&limit=20":                       {Range{Limit: 20, Since: at}},
		"https://api.mixcloud.com/search/?limit=20&offset=20&q=a&type=user":                       {Range{Limit: 20, Offset: new(20)}},
		"https://evil.example/?offset=0":                                                          {Range{Offset: new(0)}},
		"?until=1430333959":                                                                       {Range{Until: at}},
		"/a/?until=2015-04-29T18:59:19Z#offset=1":                                                 {Range{Until: at}},
		"/a/?access_token=x&offset=3&method=delete":                                               {Range{Offset: new(3)}},
		"/a/?offset=5&limit=many&since=soon":                                                      {Range{Offset: new(5)}},
		"/a/?offset=5&limit=-2":                                                                   {Range{Offset: new(5)}},
		"/a/?offset=5&limit=0":                                                                    {Range{Offset: new(5)}},
		"/a/?offset=6&%zz=1":                                                                      {Range{Offset: new(6)}},
		"/a/?offset=-20&limit=20":                                                                 nil,
		"/a/?limit=20":                                                                            nil,
		"/a/?cursor=abc":                                                                          nil,
		"":                                                                                        nil,
		"nonsense":                                                                                nil,
	}
	for in, want := range tests {
		quoted, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, readLink(mustValue(t, string(quoted)))); diff != "" {
			t.Errorf("readLink(%s) (-want +got):\n%s", in, diff)
		}
	}
	for _, in := range []string{`null`, `{}`, `[]`, `true`, `7`} {
		if got := readLink(mustValue(t, in)); got != nil {
			t.Errorf("readLink(%s) = %v, want nil", in, show.Value(got))
		}
	}
}

// FuzzReadLink checks that the range of a link is valid, or refused without a call,
// and that a link made from it has the same range.
func FuzzReadLink(f *testing.F) {
	for _, s := range []string{"https://api.mixcloud.com/a/?limit=20&until=2015-04-29+18%3A59%3A19", "?offset=1&limit=2", "?since=1&until=2.5", "?access_token=t&offset=0", "?until=9999-12-31T23:59:59.5Z", "?offset=99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		quoted, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		link := readLink(mustValue(t, string(quoted)))
		if link == nil {
			return
		}
		query := url.Values{}
		if err := link.values(query); err != nil {
			return // following the link fails without a call
		}
		quoted, err = json.Marshal("?" + query.Encode())
		if err != nil {
			t.Fatal(err)
		}
		again := readLink(mustValue(t, string(quoted)))
		if again == nil || again.fingerprint() != link.fingerprint() {
			t.Errorf("readLink(%q) = %v; after a round trip it is %v, want the same", s, show.Value(link), show.Value(again))
		}
	})
}

func TestDecodePage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		keys     []string
		dropped  int
		bad      bool
	}{
		{name: "empty", in: `{"data": []}`, keys: []string{}},
		{name: "empty paging", in: `{"paging": {}, "data": [{"key": "/a/"}]}`, keys: []string{"/a/"}},
		{name: "null paging", in: `{"paging": null, "data": [{"key": "/a/"}]}`, keys: []string{"/a/"}},
		{name: "invalid items", in: `{"data": [null, {"key": "/a/"}, {}, 3, "x", [], {"key": ""}, {"key": null}, {"key": "/b/"}]}`, keys: []string{"/a/", "/b/"}, dropped: 7},
		{name: "the last data counts", in: `{"data": [{"key": "/a/"}], "data": [{"key": "/b/"}]}`, keys: []string{"/b/"}},
		{name: "no data", in: `{"paging": {}}`, bad: true},
		{name: "null data", in: `{"data": null}`, bad: true},
		{name: "an object", in: `{"data": {}}`, bad: true},
		{name: "a list", in: `[]`, bad: true},
		{name: "null", in: `null`, bad: true},
		{name: "truncated", in: `{"data": [{"key": "/a/"}`, bad: true},
		{name: "garbage at the end", in: `{"data": []} x`, bad: true},
		{name: "nothing", in: ``, bad: true},
	}
	for _, test := range tests {
		page, err := DecodePage[User](json.RawMessage(test.in))
		if test.bad {
			if !errors.Is(err, ErrBadResponse) || page != nil {
				t.Errorf("%s: DecodePage = %v, %v; want nil, ErrBadResponse", test.name, show.Value(page), err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: DecodePage: %v", test.name, err)
			continue
		}
		keys := []string{}
		for _, u := range page.Items {
			keys = append(keys, u.Key.String())
		}
		if diff := cmp.Diff(test.keys, keys); diff != "" || page.Dropped != test.dropped {
			t.Errorf("%s: %d items dropped, want %d; keys (-want +got):\n%s", test.name, page.Dropped, test.dropped, diff)
		}
	}
}

// A fakeList is a paged list of numbers.
type fakeList struct {
	items, size int
	pages       []int // the requested offsets
	fail        int   // the number of the page that fails, from 1
	next        func(offset int) *Link
}

var errNoPage = errors.New("no such page")

func (l *fakeList) list(_ context.Context, r Range) (*Page[int], error) {
	offset := 0
	if r.Offset != nil {
		offset = *r.Offset
	}
	l.pages = append(l.pages, offset)
	if len(l.pages) == l.fail {
		return nil, errNoPage
	}
	page := &Page[int]{Items: []int{}}
	for i := offset; i < min(offset+l.size, l.items); i++ {
		page.Items = append(page.Items, i)
	}
	page.rawItems = fmt.Sprint(page.Items)
	switch {
	case l.next != nil:
		page.Next = l.next(offset)
	case offset+l.size < l.items:
		page.Next = &Link{Range{Offset: new(offset + l.size)}}
	}
	return page, nil
}

func collect(t *testing.T, l *fakeList, start Range, most int) (items []int, err error) {
	t.Helper()
	items = []int{}
	for n, e := range All(t.Context(), start, most, l.list) {
		if err != nil {
			t.Error("All continued after an error, want the error last")
		}
		if err = e; err == nil {
			items = append(items, n)
		}
	}
	return items, err
}

func TestAll(t *testing.T) {
	t.Parallel()
	forward := func(step int) func(int) *Link {
		return func(offset int) *Link { return &Link{Range{Offset: new(offset + step)}} }
	}
	tests := []struct {
		name  string
		list  fakeList
		start Range
		max   int
		want  []int
		pages []int
		err   error
	}{
		{name: "all", list: fakeList{items: 5, size: 2}, want: []int{0, 1, 2, 3, 4}, pages: []int{0, 2, 4}},
		{name: "an empty list", list: fakeList{size: 2}, want: []int{}, pages: []int{0}},
		{name: "from the middle", list: fakeList{items: 5, size: 2}, start: Range{Offset: new(3)}, want: []int{3, 4}, pages: []int{3}},
		{name: "a limit within a page", list: fakeList{items: 5, size: 2}, max: 3, want: []int{0, 1, 2}, pages: []int{0, 2}},
		{name: "a limit at the end of a page", list: fakeList{items: 5, size: 2}, max: 2, want: []int{0, 1}, pages: []int{0}},
		{name: "a negative limit means no limit", list: fakeList{items: 3, size: 2}, max: -1, want: []int{0, 1, 2}, pages: []int{0, 2}},
		{name: "error last", list: fakeList{items: 5, size: 2, fail: 2}, want: []int{0, 1}, pages: []int{0, 2}, err: errNoPage},
		{name: "error at once", list: fakeList{items: 5, size: 2, fail: 1}, want: []int{}, pages: []int{0}, err: errNoPage},
		{name: "a page that leads to itself", list: fakeList{items: 2, size: 2, next: forward(0)}, start: Range{Offset: new(0)}, want: []int{0, 1}, pages: []int{0}},
		{name: "a cycle of pages", list: fakeList{items: 9, size: 2, next: func(o int) *Link { return &Link{Range{Offset: new((o + 2) % 6)}} }}, start: Range{Offset: new(0)}, want: []int{0, 1, 2, 3, 4, 5}, pages: []int{0, 2, 4}},
		{name: "empty pages with a next", list: fakeList{items: 2, size: 2, next: forward(2)}, want: []int{0, 1}, pages: []int{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20}},
	}
	for _, test := range tests {
		got, err := collect(t, &test.list, test.start, test.max)
		if diff := cmp.Diff(test.want, got); diff != "" || !errors.Is(err, test.err) || (err != nil) != (test.err != nil) {
			t.Errorf("%s: error %v, want %v; items (-want +got):\n%s", test.name, err, test.err, diff)
		}
		if diff := cmp.Diff(test.pages, test.list.pages); diff != "" {
			t.Errorf("%s: offsets of the pages (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestAll_RepeatedPage(t *testing.T) {
	t.Parallel()
	calls := 0
	list := func(_ context.Context, r Range) (*Page[int], error) {
		calls++
		return &Page[int]{Items: []int{1}, rawItems: "[1]", Next: &Link{Range{Offset: new(calls)}}}, nil
	}
	n := 0
	for range All(t.Context(), Range{}, 0, list) {
		n++
	}
	if n != 1 || calls != 2 {
		t.Errorf("%d items in %d calls, want 1 in 2: the second page repeats the first", n, calls)
	}
}

func TestAll_Restarts(t *testing.T) {
	t.Parallel()
	l := &fakeList{items: 5, size: 2}
	all := All(t.Context(), Range{}, 4, l.list)
	for range 2 {
		var got []int
		for n := range all {
			got = append(got, n)
		}
		if diff := cmp.Diff([]int{0, 1, 2, 3}, got); diff != "" {
			t.Errorf("items (-want +got):\n%s", diff)
		}
	}
	for n := range all {
		if n == 1 {
			break // the caller may stop anywhere
		}
	}
	if diff := cmp.Diff([]int{0, 2, 0, 2, 0}, l.pages); diff != "" {
		t.Errorf("offsets of the pages (-want +got):\n%s", diff)
	}
}

func TestAll_CompleteList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		l := &fakeList{items: rapid.IntRange(0, 60).Draw(r, "items"), size: rapid.IntRange(1, 20).Draw(r, "size")}
		most := rapid.IntRange(-1, 70).Draw(r, "max")
		got, err := collect(t, l, Range{}, most)
		want := l.items
		if most > 0 {
			want = min(want, most)
		}
		if err != nil || len(got) != want {
			r.Fatalf("All returned %d items, %v; want %d, nil", len(got), err, want)
		}
		for i, n := range got {
			if i != n {
				r.Fatalf("item %d = %d, want %[1]d", i, n)
			}
		}
	})
}
