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
	return e.WithNames(func(pasted string) (model.Kind, string, error) {
		in, err := mixcloud.ParseInput(pasted)
		return model.Kind(in.Kind), in.Key.Canonical().String(), err
	})
})

// schemaOf is the schema that every query here is written for.
var schemaOf = sync.OnceValue(func() *ast.Schema {
	return generated.NewExecutableSchema(generated.Config{}).Schema()
})

// parsed is a query as the estimator takes it.
func parsed(t testing.TB, q queries.Query) (*ast.OperationDefinition, map[string]any) {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), q.Text, nil)
	if errs != nil {
		t.Fatalf("%v\n%s", errs, q.Text)
	}
	variables, err := validator.VariableValues(schemaOf(), doc.Operations[0], q.Variables)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Operations[0], variables
}

// estimated is the bound that is known of a query before it is asked.
func estimated(t testing.TB, q queries.Query) int {
	t.Helper()
	op, variables := parsed(t, q)
	return estimator().Estimate(op, variables, cost.Asker{Signed: q.Token != ""})
}

// withheld is a Mixcloud that keeps back what it need not give.
var withheld = emulator.WithBroken("no-viewer-members")

// holds asks a cold server and compares what it cost with the estimate.
func holds(t *testing.T, q queries.Query, options ...emulator.Option) (estimate, calls int) {
	t.Helper()
	estimate = estimated(t, q)
	s := newStage(t, options...)
	s.ask(t, q)
	if calls = len(s.calls()); calls > estimate {
		t.Errorf("token %q: %d calls, at most %d were estimated for\n%s\n%s", q.Token, calls, estimate, q.Text, strings.Join(s.calls(), "\n"))
	}
	return estimate, calls
}

// exact are the named queries whose cost is certain before they are asked: no
// two of what they load can turn out to be the same.
var exact = []string{"user-cloudcasts", "popular-descriptions", "following-tags", "hundred-loads", "front-page"}

// TestEstimateOfNamed compares what the queries of the bench cost with what they
// are estimated at, and shows the table: go test ./bench -run OfNamed -v. A
// bound that is no use would show here.
func TestEstimateOfNamed(t *testing.T) {
	t.Parallel()
	estimates, calls := 0, 0
	for _, q := range named(t) {
		q, _ := ready(t, q)
		e, c := holds(t, q)
		t.Logf("%-22s estimate %4d, calls %4d", q.Name, e, c)
		estimates, calls = estimates+e, calls+c
		if e > 4*c || e > c && slices.Contains(exact, q.Name) {
			t.Errorf("%s: estimated at %d, it costs %d", q.Name, e, c)
		}
	}
	if estimates > 2*calls {
		t.Errorf("all together are estimated at %d and cost %d", estimates, calls)
	}
}

// TestEstimateOfGenerated holds that no generated query costs more than its
// estimate, for nobody and for somebody, and that the estimates are not far off.
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
				if estimated(t, q) > 200 {
					continue // refused
				}
				e, c := holds(t, q)
				estimates, calls = estimates+e, calls+c
				if q.Token = "demo-token"; estimated(t, q) <= 200 {
					holds(t, q)
					holds(t, q, withheld)
				}
			}
			if calls == 0 || estimates > 4*calls {
				t.Errorf("estimated at %d, the queries cost %d calls: the bound is too far to be of use", estimates, calls)
			}
		})
	}
}

// TestEstimateOfPages holds the estimate of pages after and before any place of
// any kind of list, the second page among them.
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
			answer := newStage(t).ask(t, queries.Query{Text: "{ " + fmt.Sprintf(at, "first: 60") + " }"})
			cursors := cursorsOf(answer)
			if len(cursors) < 5 {
				t.Fatalf("%d items are too few to page", len(cursors))
			}
			for _, i := range []int{0, 1, len(cursors) / 2, len(cursors) - 2, len(cursors) - 1} {
				for _, page := range []string{"first: 3, after: %q", "first: 100, after: %q", "last: 3, before: %q", "last: 100, before: %q"} {
					args := fmt.Sprintf(page, cursors[i])
					holds(t, queries.Query{Text: "{ " + fmt.Sprintf(at, args) + " }"})
				}
			}
		})
	}
}

// cursorsOf are the cursors of an answer, in their order.
func cursorsOf(answer []byte) []string {
	var cursors []string
	for _, part := range strings.Split(string(answer), `"cursor":"`)[1:] {
		cursor, _, _ := strings.Cut(part, `"`)
		cursors = append(cursors, cursor)
	}
	return cursors
}

// TestEstimateOfEveryField asks for every field of every type of which there is
// an object, for nobody and for somebody: none costs more than its estimate.
func TestEstimateOfEveryField(t *testing.T) {
	t.Parallel()
	schema := schemaOf()
	for typ, way := range map[string]string{
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
					q := queries.Query{Text: "{ " + fmt.Sprintf(way, text) + " }"}
					holds(t, q)
					q.Token = "demo-token"
					holds(t, q)
					holds(t, q, withheld)
				}
			})
		}
	}
}

// argumentsOf are some ways to ask for a field.
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
