package ideal

import (
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// TestIndependence checks that the package imports no package of this module except the emulator,
// and therefore no code of the server with which it is compared.
func TestIndependence(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) < 3 {
		t.Fatalf("found the files %v, error %v, want at least 3", files, err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(path, "mixcloud-graphql/") && !strings.HasPrefix(path, "mixcloud-graphql/mixcloud/emulator") {
				t.Errorf("%s imports %s, want no code of the server", name, path)
			}
		}
	}
}

// schema returns the server's schema, read from its files.
func schema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("../../graph/schema/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, name := range append(files, "../../graph/schema.graphqls") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: name, Input: string(text)})
	}
	s, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFacts compares the tables with the schema: all names in the tables exist, and every list and
// every root field of the schema is in a table.
func TestFacts(t *testing.T) {
	t.Parallel()
	s := schema(t)
	known := map[string]bool{"User.listenLater": true}
	for _, name := range []string{"viewer", "categories", "search", "discover", "oembed", "rateLimit", "oauthAuthorizationUrl", "node", "nodes", "resources"} {
		known["Query."+name] = true
	}
	check := func(name string) {
		known[name] = true
		owner, field, _ := strings.Cut(name, ".")
		if typ := s.Types[owner]; typ == nil || typ.Fields.ForName(field) == nil {
			t.Errorf("bench/ideal/facts.go lists %s, which is not in the schema", name)
		}
	}
	for name := range fullMembers {
		check(name)
	}
	for name := range fullMembersForViewers {
		check(name)
	}
	for name := range subresources {
		check(name)
	}
	for name, l := range lists {
		check(name)
		if s.Types[l.items] == nil {
			t.Errorf("bench/ideal/facts.go: the item type %s of %s is not in the schema", l.items, name)
		}
	}
	for name := range searches {
		check(name)
	}
	for name := range lookups {
		check(name)
	}
	for _, typ := range s.Types {
		if typ.Kind != ast.Object || strings.HasPrefix(typ.Name, "__") {
			continue
		}
		for _, f := range typ.Fields {
			name := typ.Name + "." + f.Name
			needed := typ.Name == "Query" && !strings.HasPrefix(f.Name, "__") || strings.HasSuffix(f.Type.Name(), "Connection")
			if needed && !known[name] {
				t.Errorf("bench/ideal/facts.go has no %s: add it to lists, lookups or searches", name)
			}
		}
	}
}

// fakeMixcloud is a transport that simulates Mixcloud with a fixed response for each path.
type fakeMixcloud map[string]string

func (m fakeMixcloud) RoundTrip(r *http.Request) (*http.Response, error) {
	body, found := m[r.URL.EscapedPath()]
	status := http.StatusOK
	if !found {
		status, body = http.StatusNotFound, `{"error": {}}`
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// fakeUsers returns a fakeMixcloud with the user ada, who follows n users. They are named 0, 1 and
// so on, and have one cloudcast each, which ada hosts. The page of followed users has a next page.
func fakeUsers(n int) fakeMixcloud {
	m := fakeMixcloud{
		"/ada/": `{"key": "/ada/"}`, "/me/": `{"key": "/ada/", "is_current_user": true}`,
		"/genres/funk/": `{"key": "/genres/funk/"}`, "/ada/feed/": `{"data": [
			{"type": "follow", "from": {"key": "/ada/"}, "users": [{"key": "/0/"}]},
			{"type": "repost", "from": {"key": "/ada/"}, "cloudcasts": [{"key": "/0/show/", "user": {"key": "/0/"}}]}]}`,
	}
	var all []string
	for i := range n {
		key := fmt.Sprintf("/%d/", i)
		all = append(all, fmt.Sprintf("{%q: %q}", "key", key))
		m[key] = all[i]
		m[key+"cloudcasts/"] = fmt.Sprintf(`{"data": [{"key": %q, "user": {"key": %q}, "hosts": [{"key": "/ADA/"}]}]}`, key+"show/", key)
		m[key+"show/"] = fmt.Sprintf(`{"key": %q, "user": {"key": %q}}`, key+"show/", key)
	}
	m["/ada/comments/"] = `{"data": [
		{"key": "/ada/comments/2/", "submit_date": "2020-01-02T00:00:00Z", "user": {"key": "/0/"}},
		{"key": "/ada/comments/1/", "submit_date": "2020-01-01T00:00:00Z", "user": {"key": "/1/"}}]}`
	m["/ada/listens/"] = `{"data": [
		{"key": "/0/show/", "listen_time": "2020-01-02T00:00:00Z", "created_time": "2019-01-01T00:00:00Z"},
		{"key": "/1/show/", "listen_time": "2020-01-01T00:00:00Z", "created_time": "2019-02-01T00:00:00Z"}]}`
	m["/ada/following/"] = `{"data": [` + strings.Join(all, ",") + `], "paging": {"next": "more"}}`
	m["/me/following/"] = m["/ada/following/"]
	m["/ada/followers/"] = `{"data": [` + strings.Join(all, ",") + `]}`
	return m
}

// fakeKeys returns the keys of the users of fakeUsers(n).
func fakeKeys(n int) (keys []any) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("/%d/", i))
	}
	return keys
}

// TestPlan_Unneeded checks that the plan does not count the calls for lists of a resource that does
// not exist.
func TestPlan_Unneeded(t *testing.T) {
	t.Parallel()
	plan, err := New(schema(t), fakeUsers(0), 0).Plan(Operation{Query: `{
		user(username: "eve") { following(first: 2) { nodes { biog } } name @skip(if: true) }
		tag(name: "x y") { latest { nodes { name } } }
	}`})
	if err != nil {
		t.Fatal(err)
	}
	want := []Call{{Path: "/eve/following/", Query: "limit=2"}, {Path: "/genres/x-y/latest/", Query: "limit=20"}}
	if diff := cmp.Diff(want, plan.Unneeded, cmp.AllowUnexported(Call{})); diff != "" || plan.Calls() != 2 || len(plan.Rounds) != 1 {
		t.Errorf("Rounds = %v, want the user and the tag; Unneeded, -want +got:\n%s", plan.Rounds, diff)
	}
}

// TestPlan compares the rounds of plans with those that were counted by hand.
func TestPlan(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		users     int
		token     string
		query     string
		variables map[string]any
		cursors   map[string]int
		want      []int // calls in each round
	}{
		"no calls":                        {0, "", `{ __typename rateLimit { spent } viewer { name } }`, nil, nil, nil},
		"nested members":                  {3, "", `{ user(username: "ada") { following { nodes { name } } } }`, nil, nil, []int{2}},
		"unknown user":                    {0, "", `{ user(username: "eve") { following { nodes { name } } } }`, nil, nil, []int{1}},
		"one load for all members":        {3, "", `{ user(username: "ada") { following { nodes { biog city } edges { node { isPro } } } } }`, nil, nil, []int{2, 3}},
		"a full round":                    {32, "", `{ user(username: "ada") { following { nodes { biog } } } }`, nil, nil, []int{2, 32}},
		"more than a round":               {33, "", `{ user(username: "ada") { following { nodes { biog } } } }`, nil, nil, []int{2, 32, 1}},
		"a hundred":                       {100, "", `{ user(username: "ada") { following { nodes { biog } } } }`, nil, nil, []int{2, 32, 32, 32, 4}},
		"calls that wait for a slot":      {33, "", `{ user(username: "ada") { following { nodes { cloudcasts { nodes { description } } } } } }`, nil, nil, []int{2, 32, 32, 2}},
		"spellings of one user":           {0, "", `{ a: user(username: "ada") { biog } b: user(username: "ADA") { city } c: resource(key: "https://www.mixcloud.com/Ada/?x") { name } }`, nil, nil, []int{1}},
		"three paths of a tag":            {0, "", `{ tag(name: "Funk") { name } b: resource(key: "/discover/funk/") { name } c: resource(key: "/tag/funk") { raw(full: true) } }`, nil, nil, []int{1}},
		"already loaded":                  {2, "", `{ user(username: "ada") { biog following { nodes { cloudcasts { nodes { hosts { city } user { name } } } } } } }`, nil, nil, []int{2, 2}},
		"parallel branches":               {2, "", `{ user(username: "ada") { following { nodes { biog } } followers { nodes { city cloudcasts { nodes { name } } } } } }`, nil, nil, []int{3, 4}},
		"pages of two sizes":              {2, "", `{ user(username: "ada") { a: following(first: 5) { nodes { name } } b: following(first: 6) { nodes { name } } c: following(first: 5) { edges { cursor } } } }`, nil, nil, []int{3}},
		"invalid arguments":               {2, "", `{ user(username: "ada") { a: following(first: -1) { nodes { name } } b: following(first: 101) { nodes { name } } c: following(last: 3) { nodes { name } } d: following(first: 1, last: 1) { nodes { name } } } }`, nil, nil, []int{1}},
		"an empty page":                   {2, "", `{ user(username: "ada") { following(first: 0) { totalCount nodes { biog } } } }`, nil, nil, []int{1}},
		"total of a page without next":    {2, "", `{ user(username: "ada") { followers { totalCount } } }`, nil, nil, []int{2}},
		"total of an empty page":          {1, "", `{ user(username: "ada") { following { nodes { cloudcasts(first: 0) { totalCount } } } } }`, nil, nil, []int{2, 1}},
		"total of a whole list":           {1, "", `{ user(username: "ada") { following { nodes { cloudcasts { totalCount } } } } }`, nil, nil, []int{2, 1}},
		"total of a later page":           {1, "", `{ user(username: "ada") { following { nodes { cloudcasts(offset: 1) { totalCount } } } } }`, nil, nil, []int{2, 1, 1}},
		"total with time bounds":          {1, "", `{ user(username: "ada") { following { nodes { a: cloudcasts(since: 1) { totalCount } b: cloudcasts(until: 1) { totalCount } } } } }`, nil, nil, []int{2, 2}},
		"total of an empty bounded page":  {1, "", `{ user(username: "ada") { following { nodes { cloudcasts(first: 0, since: 1) { totalCount } } } } }`, nil, nil, []int{2}},
		"types of a feed":                 {1, "", `{ user(username: "ada") { feed { nodes { from { city } ... on FollowActivity { users { biog } } ... on OtherActivity { cloudcasts { description } } ... on UploadActivity { cloudcasts { user { city } } } } } } }`, nil, nil, []int{2, 2}},
		"fragments, skipped and included": {1, "", `query ($no: Boolean!) { user(username: "ada") { ...f ... on User @include(if: $no) { followers { nodes { name } } } } } fragment f on User { following @skip(if: $no) { nodes { name biog @include(if: $no) ... on Resource { raw(full: true) @skip(if: true) } } } }`, map[string]any{"no": false}, nil, []int{2}},
		"a page after a cursor":           {2, "", `query ($c: String) { user(username: "ada") { following(after: $c) { nodes { name } } } }`, map[string]any{"c": "x"}, map[string]int{"x": 19}, []int{2}},
		"the viewer under two names":      {1, "ada-token", `{ viewer { following { nodes { cloudcasts { nodes { hosts { biog followsViewer isViewer } } } } } } }`, nil, nil, []int{1, 1, 1}},
		"anonymous relations":             {1, "", `{ user(username: "ada") { following { nodes { followsViewer viewerIsFollowing isViewer listenLater { nodes { name } } } } } }`, nil, nil, []int{2}},
		"relations with a token":          {1, "ada-token", `{ user(username: "ada") { following { nodes { viewerIsFollowing followsViewer isViewer listenLater { nodes { name } } } } } }`, nil, nil, []int{1, 1, 2}},
		"ids, twice and forged":           {1, "", `{ node(id: "id of ada") { ... on User { biog following { nodes { city } } } } nodes(ids: ["id of 0", "forged", "id of 0"]) { ... on User { city } } }`, nil, nil, []int{3}},
		"a bound in a page with times":    {2, "", `{ user(username: "ada") { comments(since: "2020-01-01T00:00:00Z") { nodes { user { city } } } } }`, nil, nil, []int{2, 1}},
		"a page with times, twice":        {2, "", `{ user(username: "ada") { a: comments(since: 1) { nodes { user { city } } } b: comments { nodes { text } } } }`, nil, nil, []int{2, 2}},
		"a bound in a page of listens":    {2, "", `{ user(username: "ada") { listens(since: "2020-01-01T00:00:00Z", until: "2021-01-01T00:00:00Z") { nodes { description } } } }`, nil, nil, []int{2, 1}},
		"pages of two upper bounds":       {2, "", `{ user(username: "ada") { a: comments(since: 1) { nodes { text } } b: comments(since: 1, until: "2021-01-01T00:00:00Z") { nodes { text } } } }`, nil, nil, []int{3}},
		"keys, repeated and invalid":      {2, "", `{ resources(keys: ["/0/", "https://www.mixcloud.com/ada/", "/ADA/", "", "/eve/"]) { name ... on User { following { nodes { city } } } } }`, nil, nil, []int{5, 1}},
		"too many keys":                   {0, "", `query ($keys: [String!]!) { resources(keys: $keys) { name } }`, map[string]any{"keys": slices.Repeat([]any{"/ada/"}, 101)}, nil, nil},
		"a list with a token":             {2, "ada-token", `{ user(username: "0") { cloudcasts { nodes { name } } } }`, nil, nil, []int{1, 1}},
		"a slot for one list":             {31, "", `query ($keys: [String!]!) { resources(keys: $keys) { ... on User { cloudcasts { nodes { name } } } } }`, map[string]any{"keys": fakeKeys(31)}, nil, []int{32, 30}},
		"no slot for a list":              {32, "", `query ($keys: [String!]!) { resources(keys: $keys) { ... on User { cloudcasts { nodes { name } } } } }`, map[string]any{"keys": fakeKeys(32)}, nil, []int{32, 32}},
		"the old name of latest":          {0, "", `{ tag(name: "funk") { latest { nodes { name } } } }`, nil, nil, []int{2, 1}},
		"keys of another type":            {0, "", `{ cloudcast(key: "/ada/") { name } resource(key: "/") { name } search(query: " ") { users { nodes { name } } } }`, nil, nil, nil},
		"players by key and width":        {1, "", `{ user(username: "0") { cloudcasts { nodes { embedHtml a: embedHtml(width: "100%") b: embedHtml(width: "100%") embedJson } } } }`, nil, nil, []int{2, 3}},
	}
	s := schema(t)
	keys := map[string]string{"id of ada": "/ada/", "id of 0": "/0/"}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := New(s, fakeUsers(test.users), 0).Plan(Operation{Query: test.query, Variables: test.variables, Token: test.token, Cursors: test.cursors, Keys: keys})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			sum := 0
			for _, round := range plan.Rounds {
				got = append(got, len(round))
				sum += len(round)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rounds, -want +got:\n%s\n%v", diff, plan.Rounds)
			}
			if plan.Calls() != sum {
				t.Errorf("Calls() = %d, want the sum of all rounds, %d", plan.Calls(), sum)
			}
		})
	}
}

// TestPlan_Errors checks queries for which there is no plan.
func TestPlan_Errors(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, query := range []string{
		`{ nothing }`,
		`{ __typename } query b { __typename }`,
		`query ($x: Int!) { popular(first: $x) { nodes { name } } }`,
		`{ user(username: "ada") { following(after: "unknown") { nodes { name } } } }`,
		`{ user(username: "ada") { following(last: 1, before: "unknown") { nodes { name } } } }`,
		`{ user(username: "ada") { following(since: 1) { nodes { name } } } }`,
	} {
		if plan, err := New(s, fakeUsers(1), 0).Plan(Operation{Query: query}); err == nil {
			t.Errorf("%s has a plan of %d calls, want an error", query, plan.Calls())
		}
	}
}
