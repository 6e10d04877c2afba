package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"mixcloud-graphql/bench/queries"
	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

var estimator = sync.OnceValue(func() *cost.Estimator {
	e, err := cost.New(schemaOf())
	if err != nil {
		panic(err)
	}
	return e.WithKeyParser(func(input string) (model.Kind, string, error) {
		in, err := mixcloud.ParseInput(input)
		return model.Kind(in.Kind), in.Key.Canonical().String(), err
	})
})

// schemaOf returns the server's schema.
var schemaOf = sync.OnceValue(func() *ast.Schema {
	return generated.NewExecutableSchema(generated.Config{}).Schema()
})

// parseQuery returns the operation and the variables of a query.
func parseQuery(t testing.TB, q queries.Query) (*ast.OperationDefinition, map[string]any) {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), q.Text, nil)
	if errs != nil {
		t.Fatalf("the query is not valid: %v\n%s", errs, q.Text)
	}
	variables, err := validator.VariableValues(schemaOf(), doc.Operations[0], q.Variables)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Operations[0], variables
}

// estimateOf returns the estimate of a query: an upper bound of its calls.
func estimateOf(t testing.TB, q queries.Query) int {
	t.Helper()
	op, variables := parseQuery(t, q)
	return estimator().Estimate(op, variables, cost.Caller{HasToken: q.Token != ""})
}

// withoutViewerMembers is the option of an emulator that omits the optional members about the viewer.
var withoutViewerMembers = emulator.WithBroken("no-viewer-members")

// checkEstimate executes a query on a server with an empty cache, and checks that the calls do not
// exceed the estimate.
func checkEstimate(t *testing.T, q queries.Query, options ...emulator.Option) (estimate, calls int) {
	t.Helper()
	estimate = estimateOf(t, q)
	s := newTestServer(t, options...)
	s.execute(t, q)
	if calls = len(s.calls()); calls > estimate {
		t.Errorf("token %q: %d calls, want at most the estimate of %d\n%s\n%s", q.Token, calls, estimate, q.Text, strings.Join(s.calls(), "\n"))
	}
	return estimate, calls
}

// exactQueries are the named queries whose estimate is exact, because all resources that they load
// are different.
var exactQueries = []string{"user-cloudcasts", "popular-descriptions", "following-tags", "hundred-loads", "front-page"}

// TestEstimateOfNamed compares the calls of the named queries with their estimates, and checks that
// the estimates are not too high. It logs a table: go test ./bench -run OfNamed -v.
func TestEstimateOfNamed(t *testing.T) {
	t.Parallel()
	estimates, calls := 0, 0
	for _, q := range namedQueries(t) {
		q, _ := prepareTest(t, q)
		e, c := checkEstimate(t, q)
		t.Logf("%-22s estimate %4d, calls %4d", q.Name, e, c)
		estimates, calls = estimates+e, calls+c
		if e > 4*c || e > c && slices.Contains(exactQueries, q.Name) {
			t.Errorf("%s: %d calls, estimate %d, want up to four times the calls, or exactly the calls if in exactQueries", q.Name, c, e)
		}
	}
	if estimates > 2*calls {
		t.Errorf("all queries: %d calls, estimates %d, want at most twice the calls", calls, estimates)
	}
}

// TestEstimateOfGenerated checks that no generated query costs more than its estimate, anonymous and
// with a token, and that the estimates are not too high.
func TestEstimateOfGenerated(t *testing.T) {
	t.Parallel()
	files, err := queries.Generated(schemaOf())
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			estimates, calls := 0, 0
			for _, q := range of[:min(6, len(of))] {
				if estimateOf(t, q) > 200 {
					continue // refused
				}
				e, c := checkEstimate(t, q)
				estimates, calls = estimates+e, calls+c
				if q.Token = "demo-token"; estimateOf(t, q) <= 200 {
					checkEstimate(t, q)
					checkEstimate(t, q, withoutViewerMembers)
				}
			}
			if calls == 0 || estimates > 4*calls {
				t.Errorf("%d calls, estimates %d, want some calls, and at most four times as many", calls, estimates)
			}
		})
	}
}

// TestEstimateOfPages checks the estimates of pages after and before several positions of each kind
// of list.
func TestEstimateOfPages(t *testing.T) {
	t.Parallel()
	for _, at := range []string{
		`user(username: "demo") { list: cloudcasts(%s) { edges { cursor } } }`,
		`user(username: "demo") { list: listens(%s) { edges { cursor } } }`,
		`user(username: "demo") { list: followers(%s) { edges { cursor } totalCount } }`,
		`user(username: "demo") { list: favorites(%s) { edges { cursor } } }`,
		`user(username: "HarbourFM") { list: following(%s) { edges { cursor } } }`,
		`tag(name: "Ambient") { list: latest(%s) { edges { cursor } } }`,
		`cloudcast(key: "/HarbourFM/low-tide-live-from-the-last-ferry/") { list: comments(%s) { edges { cursor } } }`,
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			body := newTestServer(t).execute(t, queries.Query{Text: "{ " + fmt.Sprintf(at, "first: 60") + " }"})
			cursors := cursorsOf(body)
			if len(cursors) < 5 {
				t.Fatalf("the list has %d items, want at least 5", len(cursors))
			}
			for _, i := range []int{0, 1, len(cursors) / 2, len(cursors) - 2, len(cursors) - 1} {
				for _, page := range []string{"first: 3, after: %q", "first: 100, after: %q", "last: 3, before: %q", "last: 100, before: %q"} {
					args := fmt.Sprintf(page, cursors[i])
					checkEstimate(t, queries.Query{Text: "{ " + fmt.Sprintf(at, args) + " }"})
				}
			}
		})
	}
}

// cursorsOf returns the cursors in a response body, in order.
func cursorsOf(body []byte) []string {
	var cursors []string
	for _, part := range strings.Split(string(body), `"cursor":"`)[1:] {
		cursor, _, _ := strings.Cut(part, `"`)
		cursors = append(cursors, cursor)
	}
	return cursors
}

// TestEstimateOfEveryField checks that no field of any object type costs more than its estimate,
// anonymous and with a token.
func TestEstimateOfEveryField(t *testing.T) {
	t.Parallel()
	schema := schemaOf()
	for typ, query := range map[string]string{
		"User":      `user(username: "HarbourFM") { followers(first: 3) { nodes { %s } } }`,
		"Cloudcast": `popular(first: 3) { nodes { %s } }`,
		"Tag":       `search(query: "funk") { tags(first: 3) { nodes { %s } } }`,
		"City":      `city(name: "athens") { %s }`,
		"Category":  `categories { %s }`,
		"Playlist":  `user(username: "demo") { playlists(first: 3) { nodes { %s } } }`,
		"Track":     `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on TrackSection { track { %s } } } }`,
		"Artist":    `cloudcast(key: "/demo/lunch-break-a-tracklist-with-holes/") { sections { ... on TrackSection { track { artist { %s } } } } }`,
		"Search":    `search(query: "night") { %s }`,
		"Discovery": `discover(tags: ["funk"]) { %s }`,
		"OEmbed":    `oembed(url: "/spartacus/party-time/") { %s }`,
	} {
		for _, f := range schema.Types[typ].Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			t.Run(typ+"."+f.Name, func(t *testing.T) {
				t.Parallel()
				for _, args := range argumentsOf(f) {
					text := f.Name + args
					if result := schema.Types[f.Type.Name()]; result.IsCompositeType() {
						text += " { __typename "
						if slices.ContainsFunc(result.Fields, func(f *ast.FieldDefinition) bool { return f.Name == "totalCount" }) {
							text += "totalCount "
						}
						text += "}"
					}
					q := queries.Query{Text: "{ " + fmt.Sprintf(query, text) + " }"}
					checkEstimate(t, q)
					q.Token = "demo-token"
					checkEstimate(t, q)
					checkEstimate(t, q, withoutViewerMembers)
				}
			})
		}
	}
}

// argumentsOf returns some arguments for a field.
func argumentsOf(f *ast.FieldDefinition) []string {
	switch {
	case f.Name == "raw" && len(f.Arguments) > 0:
		return []string{"(full: true)"}
	case f.Arguments.ForName("since") != nil:
		return []string{"(first: 2)", `(first: 100, since: "2024-01-01T00:00:00Z")`}
	case f.Arguments.ForName("first") != nil:
		return []string{"(first: 2)"}
	}
	return []string{""}
}
