package cost_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/cost"
)

func TestFit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query, variables string
		budget           int
		want             cost.Fit
		none             bool
		reason           string
	}{
		"one list":                   {query: `{ popular(first: 100) { nodes { description user { biog } } } }`, budget: 200, want: cost.Fit{Paths: []string{"popular"}, Argument: "first", Size: 99}},
		"default size":               {query: `{ user(username: "a") { followers { nodes { followers(first: 20) { nodes { biog } } } } } }`, budget: 200, want: cost.Fit{Paths: []string{"user.followers"}, Argument: "first", Size: 9}, reason: "2 + 9 × 21 = 191"},
		"outer list":                 {query: `{ popular(first: 100) { nodes { user { followers(first: 100) { nodes { biog } } } } } }`, budget: 200, want: cost.Fit{Paths: []string{"popular"}, Argument: "first", Size: 1}},
		"inner list":                 {query: `{ user(username: "a") { a: followers(first: 2) { nodes { b: followers(first: 100) { nodes { city cloudcasts(first: 1) { nodes { name } } } } } } } }`, budget: 100, want: cost.Fit{Paths: []string{"user.a.nodes.b"}, Argument: "first", Size: 24}, reason: "one item of the outer list still needs more than 100 calls"},
		"most expensive list":        {query: `{ a: popular(first: 50) { nodes { description } } b: hot(first: 90) { nodes { description user { biog } } } }`, budget: 200, want: cost.Fit{Paths: []string{"b"}, Argument: "first", Size: 74}, reason: "2 + 50 + 2 × 74 = 200"},
		"size in a variable":         {query: `query ($n: Int!) { new(first: $n) { nodes { description } } }`, variables: `{"n": 100}`, budget: 50, want: cost.Fit{Paths: []string{"new"}, Argument: "first", Variable: "n", Size: 49}},
		"variable of several lists":  {query: `query ($n: Int = 100) { new(first: $n) { nodes { description } } user(username: "a") { followers(first: $n) { nodes { name } } } hot(first: $n) { nodes { name biog: description } } }`, budget: 52, want: cost.Fit{Paths: []string{"new", "hot", "user.followers"}, Argument: "first", Variable: "n", Size: 24}, reason: "4 + 2 × 24 = 52"},
		"variable and literal":       {query: `query ($n: Int = 100) { a: new(first: $n) { nodes { description } } b: new(first: 100) { nodes { user { biog } } } }`, budget: 52, want: cost.Fit{Paths: []string{"a", "b"}, Argument: "first", Size: 25}, reason: "one page, which would become two if only the variable changed"},
		"fragment":                   {query: `{ ...f } fragment f on Query { new(first: 100) { edges { node { ... on Resource { raw(full: true) } } } } }`, budget: 50, want: cost.Fit{Paths: []string{"new"}, Argument: "first", Size: 49}},
		"one page under two aliases": {query: `{ a: new(first: 100) { nodes { description } } b: new(first: 100) { nodes { name } } }`, budget: 50, want: cost.Fit{Paths: []string{"a", "b"}, Argument: "first", Size: 49}, reason: "one page, which would become two if only a changed"},
		"nodes and edges":            {query: `{ popular(first: 10) { edges { node { user { x: followers(first: 50) { nodes { biog } } } } } nodes { user { y: followers(first: 50) { nodes { name } } } } } }`, budget: 200, want: cost.Fit{Paths: []string{"popular.nodes.user.y", "popular.edges.node.user.x"}, Argument: "first", Size: 18}, reason: "1 + 10 × 19 = 191"},
		"last":                       {query: `{ category(slug: "a") { users(last: 50) { nodes { biog } } } }`, budget: 20, want: cost.Fit{Paths: []string{"category.users"}, Argument: "last", Size: 18}},
		"no fit":                     {query: `{ popular(first: 1) { nodes { tags { popular(first: 1) { nodes { name } } latest(first: 1) { nodes { name } } hot(first: 1) { nodes { name } } } } } }`, budget: 10, none: true},
		"no single page suffices":    {query: `{ a: popular(first: 100) { nodes { description } } b: hot(first: 100) { nodes { description } } }`, budget: 50, want: cost.Fit{Paths: []string{"a", "b"}, Argument: "first", Size: 24}, reason: "2 + 2 × 24 = 50"},
		"small page unchanged":       {query: `{ a: popular(first: 100) { nodes { description } } b: hot(first: 5) { nodes { description } } c: new(first: 100) { nodes { description } } }`, budget: 50, want: cost.Fit{Paths: []string{"a", "c"}, Argument: "first", Size: 21}, reason: "3 + 5 + 2 × 21 = 50; the size of b is smaller"},
		"mutation":                   {query: `mutation { followUser(input: {username: "a"}) { user { followers(first: 100) { nodes { biog } } } } }`, budget: 50, want: cost.Fit{Paths: []string{"followUser.user.followers"}, Argument: "first", Size: 47}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, variables := operation(t, tt.query, tt.variables)
			got, ok := estimator().Fit(op, variables, cost.Caller{}, tt.budget)
			if ok == tt.none || cmp.Diff(tt.want, got) != "" {
				t.Errorf("Fit returned %+v, %t, want %+v, %t: %s\n%s", got, ok, tt.want, !tt.none, tt.reason, tt.query)
			}
		})
	}
}

// A sizedPage is a page in a generated query. Its size is a literal or a variable.
type sizedPage struct {
	path     string
	size     int
	variable string
}

// A query is a generated query with page sizes that can change.
type query struct {
	pages     []*sizedPage
	fields    []string // with %s for the sizes of the pages, in order
	variables map[string]int
}

// addSize adds a page and returns its argument.
func (q *query) addSize(t *rapid.T, path string) string {
	p := &sizedPage{path: path, size: rapid.SampledFrom([]int{1, 2, 3, 5, 8, 20, 33, 50, 100}).Draw(t, "size")}
	if rapid.IntRange(0, 2).Draw(t, "by a variable") == 0 {
		p.variable = rapid.SampledFrom([]string{"m", "n"}).Draw(t, "variable")
		p.size = q.variables[p.variable]
	}
	q.pages = append(q.pages, p)
	return "first: %s"
}

// connection adds a page, often with others below it, and returns its field.
func (q *query) connection(t *rapid.T, path, name string, depth int) string {
	alias := fmt.Sprintf("p%d", len(q.pages))
	path = strings.TrimPrefix(path+"."+alias, ".")
	text := alias + ": " + name + "(" + q.addSize(t, path) + ") "
	form, itemPath := "nodes { %s }", path+".nodes"
	if rapid.Bool().Draw(t, "edges") {
		form, itemPath = "edges { node { %s } }", path+".edges.node"
	}
	selection := rapid.SampledFrom([]string{"name", "description", "user { biog }", "tags { raw(full: true) }"}).Draw(t, "selection")
	if depth < 2 && rapid.IntRange(0, 2).Draw(t, "nested") > 0 {
		selection += " user { " + q.userConnection(t, itemPath+".user", depth+1) + " }"
	}
	return text + "{ " + fmt.Sprintf(form, selection) + " }"
}

func (q *query) userConnection(t *rapid.T, path string, depth int) string {
	return q.connection(t, path, rapid.SampledFrom([]string{"cloudcasts", "favorites"}).Draw(t, "list"), depth)
}

func (q *query) String() string {
	sizes := make([]any, len(q.pages))
	for i, p := range q.pages {
		if sizes[i] = fmt.Sprint(p.size); p.variable != "" {
			sizes[i] = "$" + p.variable
		}
	}
	return fmt.Sprintf("query ($m: Int = %d, $n: Int = %d) { "+strings.Join(q.fields, " ")+" uses: hot(first: $m, offset: $n) @skip(if: true) { nodes { key } } }",
		append([]any{q.variables["m"], q.variables["n"]}, sizes...)...)
}

// apply returns the query with the change of a fit, but with another size.
func (q *query) apply(fit cost.Fit, size int) *query {
	applied := &query{fields: q.fields, variables: maps.Clone(q.variables)}
	if fit.Variable != "" {
		applied.variables[fit.Variable] = size
	}
	for _, p := range q.pages {
		changed := *p
		if fit.Variable == "" && slices.Contains(fit.Paths, p.path) {
			changed.size, changed.variable = size, ""
		}
		applied.pages = append(applied.pages, &changed)
	}
	return applied
}

// TestFit_Applied applies the fits of generated queries to their text. The result is
// within the budget, and exceeds it with the next larger size. A query without a fit
// exceeds the budget even if all pages have one item.
func TestFit_Applied(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		q := &query{variables: map[string]int{"m": rapid.SampledFrom([]int{4, 20, 60, 100}).Draw(t, "m"), "n": rapid.SampledFrom([]int{7, 30, 90}).Draw(t, "n")}}
		for range rapid.IntRange(1, 4).Draw(t, "fields") {
			if rapid.Bool().Draw(t, "below a user") {
				q.fields = append(q.fields, `user(username: "a") { `+q.userConnection(t, "user", 0)+" }")
			} else {
				q.fields = append(q.fields, q.connection(t, "", rapid.SampledFrom([]string{"popular", "new"}).Draw(t, "list"), 0))
			}
		}
		estimateOf := func(q *query) int {
			op, variables := operation(t, q.String(), "")
			return estimator().Estimate(op, variables, cost.Caller{})
		}
		budget := rapid.IntRange(5, 300).Draw(t, "budget")
		if estimateOf(q) <= budget {
			return
		}
		op, variables := operation(t, q.String(), "")
		fit, ok := estimator().Fit(op, variables, cost.Caller{}, budget)
		if !ok {
			smallest := &query{fields: q.fields, variables: map[string]int{"m": 1, "n": 1}}
			for _, p := range q.pages {
				smallest.pages = append(smallest.pages, &sizedPage{p.path, 1, ""})
			}
			if got := estimateOf(smallest); got <= budget {
				t.Errorf("Fit found no size for the budget %d, but the estimate with pages of one item is %d\n%s", budget, got, q)
			}
			return
		}
		if got := estimateOf(q.apply(fit, fit.Size)); got > budget {
			t.Errorf("the estimate with the fit %+v is %d, want at most the budget %d\n%s\n%s", fit, got, budget, q, q.apply(fit, fit.Size))
		}
		if got := estimateOf(q.apply(fit, fit.Size+1)); got <= budget {
			t.Errorf("the estimate with one item more than the fit %+v is %d, want above the budget %d\n%s", fit, got, budget, q)
		}
	})
}
