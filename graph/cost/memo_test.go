package cost_test

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator"

	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/paging"
	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/opstats"
)

// memoQueries use variables in every kind of argument and directive that an estimate depends on.
var memoQueries = []string{
	`query ($u: String!, $n: Int, $after: String, $since: DateTime) { user(username: $u) { biog cloudcasts(first: $n, after: $after, since: $since) { nodes { description } } } }`,
	`query ($n: Int = 3, $l: Int, $before: String, $until: DateTime) { user(username: "a") { followers(last: $l, before: $before) { nodes { cloudcasts(first: $n, until: $until) { totalCount nodes { description } } } } } }`,
	`query ($o: Int) { search(query: "a") { users(first: 2, offset: $o) { nodes { city } } } }`,
	`query ($yes: Boolean!, $no: Boolean = false) { rateLimit @include(if: $no) { budget } user(username: "a") @skip(if: $yes) { ...f @include(if: $no) } } fragment f on User { biog cloudcasts(first: 5) { nodes { description } } }`,
	`query ($keys: [String!]!) { resources(keys: $keys) { ... on User { biog } ... on Cloudcast { description comments(first: 2) { nodes { user { biog } } } } } }`,
	`query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User { biog } ... on Cloudcast { description } } }`,
	`query ($id: ID!) { node(id: $id) { ... on User { biog } ... on Cloudcast { description } } }`,
	`query ($full: Boolean!, $n: Int) { popular(first: $n) { nodes { raw(full: $full) user { raw(full: $full) } } } }`,
	`query ($size: PictureSize!, $n: Int) { popular(first: $n) { nodes { picture(size: $size) { url } ... on Cloudcast { user { city } } } } }`,
	`query { __typename viewer { username favorites(first: 3) { nodes { description } } } }`,
	`query { __schema { types { name } } }`,
	`mutation ($key: String!) { favoriteCloudcast(input: {key: $key}) { cloudcast { description } } }`,
}

// memoValues are values for the variables of these queries.
var memoValues = map[string][]any{
	"u": {"demo", "other", "e\u0301", "e%CC%81"}, "n": {absent{}, nil, int64(0), int64(7), int64(30)}, "l": {absent{}, int64(4), int64(9)},
	"after": {absent{}, nil, cursor(paging.ByTime), "not a cursor"}, "before": {nil, cursor(paging.ByPage)},
	"since": {absent{}, nil, "2026-01-01T00:00:00Z"}, "until": {nil, "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"},
	"o": {nil, int64(0), int64(300)}, "yes": {true, false}, "no": {absent{}, true, false}, "full": {true, false},
	"keys": {[]any{}, []any{"/a/"}, []any{"/a/", "/a/b/"}, []any{"/a/b/", "/c/d/", "/a/"}},
	"key":  {"/a/b/", "/a/e\u0301/"},
	"ids":  {[]any{id(model.KindUser, "/a/")}, []any{id(model.KindUser, "/a/"), id(model.KindCloudcast, "/a/b/")}},
	"id":   {id(model.KindUser, "/a/"), id(model.KindCloudcast, "/a/b/"), "nonsense"}, "size": {"LARGE", "SMALL"},
}

// An absent value marks a variable that is not set.
type absent struct{}

// assignments returns all combinations of the values of an operation's variables. The
// last variable changes fastest, so that a memo still has the estimates of its other
// values.
func assignments(variables ast.VariableDefinitionList) []map[string]any {
	all := []map[string]any{{}}
	for _, v := range variables {
		var more []map[string]any
		for _, before := range all {
			for _, value := range memoValues[v.Variable] {
				next := maps.Clone(before)
				if value != any(absent{}) {
					next[v.Variable] = value
				}
				more = append(more, next)
			}
		}
		all = more
	}
	return all
}

// A stored estimate equals one that was not stored, with all values of the variables.
func TestMeter_StoresEstimates(t *testing.T) {
	t.Parallel()
	callers := []cost.Caller{{}, {HasToken: true}, {HasToken: true, PendingWrites: 2}}
	for _, query := range memoQueries {
		op := parsed(t, query)
		document := new(compiled.Document)
		ctx := compiled.Into(t.Context(), document)
		different := map[string]bool{}
		for _, caller := range callers {
			meter := cost.NewMeter(estimator(), 100, func(context.Context) cost.Caller { return caller })
			var all []map[string]any
			order := slices.Clone(op.VariableDefinitions)
			for range max(len(order), 1) {
				all = append(all, assignments(order)...)
				if len(order) > 1 {
					order = append(order[1:], order[0])
				}
			}
			for _, raw := range all {
				variables, err := validator.VariableValues(schemaOf(), op, raw)
				if err != nil {
					continue // refused before it is estimated
				}
				estimate := func(ctx context.Context) opstats.Estimate {
					return meter.Estimate(ctx, &graphql.OperationContext{Operation: op, Variables: variables})
				}
				want := estimate(t.Context())
				different[fmt.Sprint(want.Calls)] = true
				for round := range 2 {
					if got := estimate(ctx); !reflect.DeepEqual(got, want) {
						t.Errorf("%s\nround %d with %v for %+v: estimate = %+v, want %+v, the estimate that is not stored", query, round, variables, caller, got, want)
					}
				}
			}
		}
		if !strings.Contains(query, "$") || strings.Contains(query, "$size") || strings.Contains(query, "$o:") {
			continue // no variable changes the estimate
		}
		if len(different) < 2 {
			t.Errorf("%s\nall estimates are equal, want values that change it", query)
		}
	}
}

// parsed parses a valid document.
func parsed(t fataler, query string) *ast.OperationDefinition {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), query, nil)
	if errs != nil {
		t.Fatalf("the query is not valid: %v\n%s", errs, query)
	}
	return doc.Operations[0]
}

// BenchmarkMeter compares an estimate that is stored with one that is computed.
func BenchmarkMeter(b *testing.B) {
	op := parsed(b, memoQueries[0])
	oc := &graphql.OperationContext{Operation: op, Variables: map[string]any{"u": "demo", "n": int64(20)}}
	meter := cost.NewMeter(estimator(), 100, func(context.Context) cost.Caller { return cost.Caller{} })
	for name, ctx := range map[string]context.Context{"stored": compiled.Into(b.Context(), new(compiled.Document)), "computed": b.Context()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				meter.Estimate(ctx, oc)
			}
		})
	}
}
