package ideal

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeComments simulates Mixcloud with the user ada, who has five comments: by the users 100 to
// 500, each at the second of its name. The user eve has no comments. It supports limit and until,
// and fails for a call with since.
type fakeComments struct{}

func (fakeComments) RoundTrip(r *http.Request) (*http.Response, error) {
	users := map[string]string{"/ada/": `{"key": "/ada/"}`, "/eve/": `{"key": "/eve/"}`, "/eve/comments/": `{"data": []}`}
	var items []string
	q := r.URL.Query()
	if q.Has("since") {
		return nil, fmt.Errorf("%s has since", r.URL)
	}
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil && strings.HasSuffix(r.URL.Path, "/comments/") {
		return nil, err
	}
	until := 1000
	if q.Has("until") {
		if until, err = strconv.Atoi(q.Get("until")); err != nil {
			return nil, err
		}
	}
	for second := 500; second > 0; second -= 100 {
		key := fmt.Sprintf("/%d/", second)
		users[key] = fmt.Sprintf(`{"key": %q}`, key)
		if second < until && len(items) < limit {
			items = append(items, fmt.Sprintf(`{"key": "/ada/comments%s", "submit_date": "1970-01-01T00:%02d:%02dZ", "user": {"key": %q}}`, key, second/60, second%60, key))
		}
	}
	users["/ada/comments/"] = `{"data": [` + strings.Join(items, ",") + `]}`
	return fakeMixcloud(users).RoundTrip(r)
}

// TestPlan_Bounds compares the calls of pages with time bounds with those that were counted by hand:
// the owner, the page, and the user of each comment in the page. Items are newer than since and
// older than until, in whole seconds.
func TestPlan_Bounds(t *testing.T) {
	t.Parallel()
	const page3, page20 = "/ada/comments/?limit=3", "/ada/comments/?limit=20"
	tests := []struct {
		name, arguments string
		want            []string // without the owner
	}{
		{"no bound", "first: 3", []string{page3, "/500/?", "/400/?", "/300/?"}},
		{"since older than the oldest item, full page", "first: 3, since: 50", []string{page3, "/500/?", "/400/?", "/300/?"}},
		{"since older than the oldest item, whole list", "since: 50", []string{page20, "/500/?", "/400/?", "/300/?", "/200/?", "/100/?"}},
		{"since below a full page", "first: 3, since: 250", []string{page3, "/500/?", "/400/?", "/300/?"}},
		{"since within a full page", "first: 3, since: 350", []string{page3, "/500/?", "/400/?"}},
		{"since of the oldest item of a full page", "first: 3, since: 300", []string{page3, "/500/?", "/400/?"}},
		{"since between items", "since: 250", []string{page20, "/500/?", "/400/?", "/300/?"}},
		{"since of an item", "since: 200", []string{page20, "/500/?", "/400/?", "/300/?"}},
		{"since of the oldest item", "since: 100", []string{page20, "/500/?", "/400/?", "/300/?", "/200/?"}},
		{"since half a second before an item", `since: "1970-01-01T00:04:59.5Z"`, []string{page20, "/500/?", "/400/?", "/300/?"}},
		{"since half a second after an item", `since: "1970-01-01T00:05:00.5Z"`, []string{page20, "/500/?", "/400/?"}},
		{"since of the newest item", "since: 500", []string{page20}},
		{"since newer than the newest item", "since: 600", []string{page20}},
		{"since of second 0", "first: 3, since: 0", []string{page3, "/500/?", "/400/?", "/300/?"}},
		{"until of an item", "first: 3, until: 300", []string{page3 + "&until=300", "/200/?", "/100/?"}},
		{"until half a second before an item", `first: 3, until: "1970-01-01T00:04:59.5Z"`, []string{page3 + "&until=300", "/200/?", "/100/?"}},
		{"until half a second after an item", `first: 3, until: "1970-01-01T00:05:00.5Z"`, []string{page3 + "&until=301", "/300/?", "/200/?", "/100/?"}},
		{"until newer than the newest item", "first: 3, until: 600", []string{page3 + "&until=600", "/500/?", "/400/?", "/300/?"}},
		{"until older than the oldest item", "first: 3, until: 50", []string{page3 + "&until=50"}},
		{"until of second 0", "first: 3, until: 0", []string{page3 + "&until=0"}},
		{"since and until around items", "since: 100, until: 400", []string{page20 + "&until=400", "/300/?", "/200/?"}},
		{"since and until between two items", "since: 210, until: 290", []string{page20 + "&until=290"}},
		{"since and until within a second", `since: "1970-01-01T00:05:00.2Z", until: "1970-01-01T00:05:00.7Z"`, []string{page20 + "&until=301"}},
		{"since at until", "since: 300, until: 300", nil},
		{"since after until", "since: 400, until: 300", nil},
		{"since before 1970", "since: -1", nil},
		{"until after the year 9999", "until: 253402300799", nil},
		{"an empty page", "first: 0, since: 50, until: 600", nil},
	}
	s := schema(t)
	plan := func(t *testing.T, query string) []string {
		t.Helper()
		p, err := New(s, fakeComments{}, 0).Plan(Operation{Query: query})
		if err != nil {
			t.Fatal(err)
		}
		var calls []string
		for _, c := range slices.Concat(p.Rounds...) {
			calls = append(calls, c.Path+"?"+c.Query)
		}
		return calls
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := plan(t, fmt.Sprintf(`{ user(username: "ada") { comments(%s) { totalCount nodes { user { city } } } } }`, test.arguments))
			if diff := cmp.Diff(append([]string{"/ada/?"}, test.want...), got); diff != "" {
				t.Errorf("calls, -want +got:\n%s", diff)
			}
		})
	}
	t.Run("bounds of an empty list", func(t *testing.T) {
		t.Parallel()
		got := plan(t, `{ user(username: "eve") { a: comments(since: 50) { nodes { user { city } } } b: comments(since: 50, until: 600) { nodes { user { city } } } } }`)
		if diff := cmp.Diff([]string{"/eve/?", "/eve/comments/?limit=20", "/eve/comments/?limit=20&until=600"}, got); diff != "" {
			t.Errorf("calls, -want +got:\n%s", diff)
		}
	})
}
