package cost_test

import (
	"fmt"
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
		"one list":        {query: `{ popular(first: 100) { nodes { description user { biog } } } }`, budget: 200, want: cost.Fit{Paths: []string{"popular"}, Argument: "first", Size: 99}},
		"without first":   {query: `{ user(username: "a") { followers { nodes { followers(first: 20) { nodes { biog } } } } } }`, budget: 200, want: cost.Fit{Paths: []string{"user.followers"}, Argument: "first", Size: 9}, reason: "2 + 9 × 21 = 191"},
		"the outer one":   {query: `{ popular(first: 100) { nodes { user { followers(first: 100) { nodes { biog } } } } } }`, budget: 200, want: cost.Fit{Paths: []string{"popular"}, Argument: "first", Size: 1}},
		"the inner one":   {query: `{ user(username: "a") { a: followers(first: 2) { nodes { b: followers(first: 100) { nodes { city cloudcasts(first: 1) { nodes { name } } } } } } } }`, budget: 100, want: cost.Fit{Paths: []string{"user.a.nodes.b"}, Argument: "first", Size: 24}, reason: "even one of the outer list leaves more than 100"},
		"the dearest":     {query: `{ a: popular(first: 50) { nodes { description } } b: hot(first: 90) { nodes { description user { biog } } } }`, budget: 200, want: cost.Fit{Paths: []string{"b"}, Argument: "first", Size: 74}, reason: "2 + 50 + 2 × 74 = 200"},
		"by a variable":   {query: `query ($n: Int!) { new(first: $n) { nodes { description } } }`, variables: `{"n": 100}`, budget: 50, want: cost.Fit{Paths: []string{"new"}, Argument: "first", Variable: "n", Size: 49}},
		"one variable":    {query: `query ($n: Int = 100) { new(first: $n) { nodes { description } } user(username: "a") { followers(first: $n) { nodes { name } } } hot(first: $n) { nodes { name biog: description } } }`, budget: 52, want: cost.Fit{Paths: []string{"new", "hot", "user.followers"}, Argument: "first", Variable: "n", Size: 24}, reason: "4 + 2 × 24 = 52"},
		"one and another": {query: `query ($n: Int = 100) { a: new(first: $n) { nodes { description } } b: new(first: 100) { nodes { user { biog } } } }`, budget: 52, want: cost.Fit{Paths: []string{"a", "b"}, Argument: "first", Size: 25}, reason: "one page, which the variable alone would make two"},
		"in a fragment":   {query: `{ ...f } fragment f on Query { new(first: 100) { edges { node { ... on Resource { raw(full: true) } } } } }`, budget: 50, want: cost.Fit{Paths: []string{"new"}, Argument: "first", Size: 49}},
		"two of one":      {query: `{ a: new(first: 100) { nodes { description } } b: new(first: 100) { nodes { name } } }`, budget: 50, want: cost.Fit{Paths: []string{"a", "b"}, Argument: "first", Size: 49}, reason: "one page under two aliases: were only a changed they would be two"},
		"nodes and edges": {query: `{ popular(first: 10) { edges { node { user { x: followers(first: 50) { nodes { biog } } } } } nodes { user { y: followers(first: 50) { nodes { name } } } } } }`, budget: 200, want: cost.Fit{Paths: []string{"popular.nodes.user.y", "popular.edges.node.user.x"}, Argument: "first", Size: 18}, reason: "1 + 10 × 19 = 191"},
		"from the end":    {query: `{ category(slug: "a") { users(last: 50) { nodes { biog } } } }`, budget: 20, want: cost.Fit{Paths: []string{"category.users"}, Argument: "last", Size: 18}},
		"no page to cut":  {query: `{ popular(first: 1) { nodes { tags { popular(first: 1) { nodes { name } } latest(first: 1) { nodes { name } } hot(first: 1) { nodes { name } } } } } }`, budget: 10, none: true},
		"no single page":  {query: `{ a: popular(first: 100) { nodes { description } } b: hot(first: 100) { nodes { description } } }`, budget: 50, want: cost.Fit{Paths: []string{"a", "b"}, Argument: "first", Size: 24}, reason: "2 + 2 × 24 = 50"},
		"not the small":   {query: `{ a: popular(first: 100) { nodes { description } } b: hot(first: 5) { nodes { description } } c: new(first: 100) { nodes { description } } }`, budget: 50, want: cost.Fit{Paths: []string{"a", "c"}, Argument: "first", Size: 21}, reason: "3 + 5 + 2 × 21 = 50; b has less than that"},
		"of a write":      {query: `mutation { followUser(input: {username: "a"}) { user { followers(first: 100) { nodes { biog } } } } }`, budget: 50, want: cost.Fit{Paths: []string{"followUser.user.followers"}, Argument: "first", Size: 47}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			op, variables := operation(t, tt.query, tt.variables)
			got, ok := estimator().Fit(op, variables, cost.Asker{}, tt.budget)
			if ok == tt.none || cmp.Diff(tt.want, got) != "" {
				t.Errorf("got %+v %v, want %+v: %s\n%s", got, ok, tt.want, tt.reason, tt.query)
			}
		})
	}
}

// A knob is a page of a generated document: its size is a literal, or that of a
// variable.
type knob struct {
	path     string
	size     int
	variable string
}

// A script is a document whose sizes can be turned.
type script struct {
	knobs []*knob
	parts []string // with %s for the sizes of the knobs, in their order
	sizes map[string]int
}

func (s *script) knob(t *rapid.T, path string) string {
	k := &knob{path: path, size: rapid.SampledFrom([]int{1, 2, 3, 5, 8, 20, 33, 50, 100}).Draw(t, "size")}
	if rapid.IntRange(0, 2).Draw(t, "by a variable") == 0 {
		k.variable = rapid.SampledFrom([]string{"m", "n"}).Draw(t, "variable")
		k.size = s.sizes[k.variable]
	}
	s.knobs = append(s.knobs, k)
	return "first: %s"
}

// page adds a page to the script, with others below it as often as not.
func (s *script) page(t *rapid.T, path, name string, depth int) string {
	alias := fmt.Sprintf("p%d", len(s.knobs))
	path = strings.TrimPrefix(path+"."+alias, ".")
	text := alias + ": " + name + "(" + s.knob(t, path) + ") "
	form, below := "nodes { %s }", path+".nodes"
	if rapid.Bool().Draw(t, "edges") {
		form, below = "edges { node { %s } }", path+".edges.node"
	}
	part := rapid.SampledFrom([]string{"name", "description", "user { biog }", "tags { raw(full: true) }"}).Draw(t, "part")
	if depth < 2 && rapid.IntRange(0, 2).Draw(t, "deeper") > 0 {
		part += " user { " + s.owned(t, below+".user", depth+1) + " }"
	}
	return text + "{ " + fmt.Sprintf(form, part) + " }"
}

func (s *script) owned(t *rapid.T, path string, depth int) string {
	return s.page(t, path, rapid.SampledFrom([]string{"cloudcasts", "favorites"}).Draw(t, "list"), depth)
}

func (s *script) String() string {
	sizes := make([]any, len(s.knobs))
	for i, k := range s.knobs {
		if sizes[i] = fmt.Sprint(k.size); k.variable != "" {
			sizes[i] = "$" + k.variable
		}
	}
	return fmt.Sprintf("query ($m: Int = %d, $n: Int = %d) { "+strings.Join(s.parts, " ")+" uses: hot(first: $m, offset: $n) @skip(if: true) { nodes { key } } }",
		append([]any{s.sizes["m"], s.sizes["n"]}, sizes...)...)
}

// turn does what a client does who follows a hint, or goes beyond it.
func (s *script) turn(fit cost.Fit, size int) *script {
	turned := &script{parts: s.parts, sizes: map[string]int{"m": s.sizes["m"], "n": s.sizes["n"]}}
	if fit.Variable != "" {
		turned.sizes[fit.Variable] = size
	}
	for _, k := range s.knobs {
		changed := *k
		if fit.Variable == "" && slices.Contains(fit.Paths, k.path) {
			changed.size, changed.variable = size, ""
		}
		turned.knobs = append(turned.knobs, &changed)
	}
	return turned
}

// TestFit_Followed follows the hints for generated documents, in their text: each
// brings the document within the budget, the next larger size does not, and
// where there is no hint pages of one item are still too much.
func TestFit_Followed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &script{sizes: map[string]int{"m": rapid.SampledFrom([]int{4, 20, 60, 100}).Draw(t, "m"), "n": rapid.SampledFrom([]int{7, 30, 90}).Draw(t, "n")}}
		for range rapid.IntRange(1, 4).Draw(t, "pages") {
			if rapid.Bool().Draw(t, "of a user") {
				s.parts = append(s.parts, `user(username: "a") { `+s.owned(t, "user", 0)+" }")
			} else {
				s.parts = append(s.parts, s.page(t, "", rapid.SampledFrom([]string{"popular", "new"}).Draw(t, "list"), 0))
			}
		}
		of := func(s *script) int {
			op, variables := operation(t, s.String(), "")
			return estimator().Estimate(op, variables, cost.Asker{})
		}
		budget := rapid.IntRange(5, 300).Draw(t, "budget")
		if of(s) <= budget {
			return
		}
		op, variables := operation(t, s.String(), "")
		fit, ok := estimator().Fit(op, variables, cost.Asker{}, budget)
		if !ok {
			smallest := &script{parts: s.parts, sizes: map[string]int{"m": 1, "n": 1}}
			for _, k := range s.knobs {
				smallest.knobs = append(smallest.knobs, &knob{k.path, 1, ""})
			}
			if got := of(smallest); got <= budget {
				t.Errorf("no fit within %d, with pages of one item it is %d\n%s", budget, got, s)
			}
			return
		}
		if got := of(s.turn(fit, fit.Size)); got > budget {
			t.Errorf("%+v for %d leads to %d\n%s\n%s", fit, budget, got, s, s.turn(fit, fit.Size))
		}
		if got := of(s.turn(fit, fit.Size+1)); got <= budget {
			t.Errorf("%+v for %d: one more is %d\n%s", fit, budget, got, s)
		}
	})
}
