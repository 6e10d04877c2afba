package cost_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/cost"
)

// small is a schema with whatever prices a test wants.
const small = `
type Query { categories: [Category!] @cost(calls: 1) @listSize(assumedSize: 40) }
type Category { cloudcasts(first: Int): CloudcastConnection %[2]s }
type CloudcastConnection { nodes: [Cloudcast!]! }
type Cloudcast {
  tags: [Tag!] @listSize(assumedSize: 5)
  description: String %[1]s
  %[3]s
}
type Tag { raw: String @cost(load: true) }
type User { biog: String @cost(load: true) }
`

// TestNew tests that prices which contradict the schema are errors, with the file
// and the line, instead of passing for free.
func TestNew(t *testing.T) {
	t.Parallel()
	e, err := cost.New(schemaOf())
	if err != nil {
		t.Fatal(err)
	}
	// Nobody says what a key names: it is whatever is dearest.
	op, _ := operation(t, `{ resource(key: "/a/") { ... on User { biog } ... on Tag { popular(first: 9) { nodes { description } } } } }`, "")
	if got := e.Estimate(op, nil, cost.Asker{}); got != 11 {
		t.Errorf("a resource of any kind is estimated at %d", got)
	}
	const load, paged = "@cost(load: true)", "@cost(calls: 1)"
	tests := map[string]struct{ price, paged, more, want string }{
		"as it should be":         {price: load, paged: paged},
		"a free field":            {paged: paged},
		"a value of another type": {price: "@cost(calls: true)", paged: paged, want: "x.graphqls:7: Cloudcast.description: calls: true is not a value"},
		"an argument that is not": {price: `@cost(load: true, if: "full")`, paged: paged, want: "Cloudcast.description: @cost names the argument \"full\""},
		"pages that cost nothing": {price: load, want: "x.graphqls:3: Category.cloudcasts: it has pages"},
		"pages for a load":        {price: load, paged: load, want: "Category.cloudcasts: it has pages"},
		"a list that is no row":   {price: load, paged: paged, more: "others(first: Int): CloudcastConnection " + paged, want: "Cloudcast.others: it has pages and no row in the table"},
		"a list without a size":   {price: load, paged: paged, more: "others: [User!]", want: "x.graphqls:8: Cloudcast.others: a list of objects"},
		"a list of no size":       {price: load, paged: paged, more: "others: [User!] @listSize(assumedSize: 0)", want: "Cloudcast.others: @listSize(assumedSize:) is not positive"},
		"an edge elsewhere":       {price: load, paged: paged, more: `edge: CloudcastConnection @cost(sharedWith: "node")`, want: `Cloudcast.edge: @cost(sharedWith: "node") needs`},
		"a list of what is free":  {price: load, paged: paged, more: "others: [String!]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema, err := gqlparser.LoadSchema(cost.Directives(t), &ast.Source{Name: "x.graphqls", Input: fmt.Sprintf(small, tt.price, tt.paged, tt.more)})
			if err != nil {
				t.Fatal(err)
			}
			_, got := cost.New(schema)
			if tt.want == "" && got != nil || tt.want != "" && (got == nil || !strings.Contains(got.Error(), tt.want)) {
				t.Errorf("%v, want %q", got, tt.want)
			}
		})
	}
}

// TestEveryField asks for each field of each type alone, of an object that came
// along: one whose description says that it costs does, with a token at least,
// and no other one does.
func TestEveryField(t *testing.T) {
	t.Parallel()
	ways := waysTo(schemaOf())
	asked := 0
	for typ, def := range schemaOf().Types {
		way := ways[typ]
		switch {
		case strings.HasPrefix(typ, "__") || def.Kind != ast.Object:
			continue
		case way == nil && !strings.HasSuffix(typ, "Payload") && def != schemaOf().Mutation && def != schemaOf().Subscription && typ != "UserError" && typ != "UploadProgress":
			t.Errorf("no way leads to %s", typ)
		}
		if way == nil {
			continue // TestEstimate_Writes
		}
		without := estimate(t, way("__typename"), "", cost.Asker{Signed: true})
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			asked++
			says := strings.Contains(f.Description, "Cost: 1")
			switch {
			case f.Name == "totalCount":
				says = false // TestEstimate has where it costs
			case typ == "City" && f.Name == "raw":
				says = false // there is no other way to a city than a look-up
			}
			query := way(minimal(schemaOf(), typ, f))
			if with := estimate(t, query, "", cost.Asker{Signed: true}); says != (with > without) {
				t.Errorf("%s.%s: %d without it, %d with it, its description says %t\n%s", typ, f.Name, without, with, says, query)
			}
		}
	}
	if asked < 250 {
		t.Errorf("only %d fields were asked for", asked)
	}
}

// TestProperties holds what must be so of any page sizes.
func TestProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, 100)
		n, m := size.Draw(t, "n"), size.Draw(t, "m")
		more := rapid.IntRange(n, 100).Draw(t, "more")
		part := rapid.SampledFrom([]string{
			"description", "user { biog }", "user { isViewer followers(first: 3) { nodes { city } totalCount } }",
			"tags { popular(first: 2) { nodes { name } } }", "viewerHasFavorited", "comments(first: 7) { nodes { user { biog } } }", "embedHtml",
		})
		a, b := part.Draw(t, "a"), part.Draw(t, "b")
		of := func(query string) int {
			doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), query, nil)
			if errs != nil {
				t.Fatalf("%v\n%s", errs, query)
			}
			return estimator().Estimate(doc.Operations[0], nil, cost.Asker{Signed: true})
		}
		list := func(n int, of string) string { return fmt.Sprintf("popular(first: %d) { nodes { name %s } }", n, of) }
		one := of("{" + list(n, a) + "}")
		if got := of("{" + list(more, a) + "}"); got < one {
			t.Errorf("%d for %d of %s, %d for %d", got, more, a, one, n)
		}
		if got := of("{ x: " + list(n, a) + " y: " + list(n, a) + "}"); got != one {
			t.Errorf("%d for the same twice, %d for it once", got, one)
		}
		if got := of("{ ... { ...f } ...f } fragment f on Query { " + list(n, a) + "}"); got != one {
			t.Errorf("%d in fragments, %d without", got, one)
		}
		both := of("{" + list(n, a+" "+b) + "}")
		other := of("{" + list(n, b) + "}")
		if both < max(one, other) || both > one+other {
			t.Errorf("%d for both, %d and %d for each", both, one, other)
		}
		if aliased := of("{ x: " + list(n, a) + " y: " + list(m, b) + "}"); n != m && aliased > one+of("{"+list(m, b)+"}") {
			t.Errorf("%d for two lists, more than for each alone", aliased)
		}
		budget := rapid.IntRange(1, 300).Draw(t, "budget")
		doc, _ := gqlparser.LoadQueryWithRules(schemaOf(), "{"+list(n, a)+"}", nil)
		if fit, ok := estimator().Fit(doc.Operations[0], nil, cost.Asker{Signed: true}, budget); ok && one > budget && slices.Equal(fit.Paths, []string{"popular"}) {
			if got := of("{" + list(fit.Size, a) + "}"); got > budget || fit.Size >= n {
				t.Errorf("a fit of %d costs %d, the budget is %d", fit.Size, got, budget)
			}
			if got := of("{" + list(fit.Size+1, a) + "}"); got <= budget {
				t.Errorf("%d would fit too", fit.Size+1)
			}
		}
	})
}

// alone are the root fields that do not give what was looked up itself, or the
// only ones to give it.
var alone = []string{"popular", "search", "discover", "categories", "oembed", "city", "rateLimit"}

// waysTo gives for each object type a short way to an object of it that came
// along, as a function from a selection to a query.
func waysTo(schema *ast.Schema) map[string]func(string) string {
	ways := map[string]func(string) string{"Query": func(s string) string { return "{ " + s + " }" }}
	queue := []string{"Query"}
	for len(queue) > 0 {
		typ := queue[0]
		queue = queue[1:]
		fields := slices.Clone(schema.Types[typ].Fields)
		slices.SortStableFunc(fields, func(a, b *ast.FieldDefinition) int {
			return slices.Index(alone, a.Name) - slices.Index(alone, b.Name)
		})
		for _, f := range fields {
			result := schema.Types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "__") || !result.IsCompositeType() || typ == "Query" && !slices.Contains(alone, f.Name) {
				continue
			}
			for _, kind := range schema.GetPossibleTypes(result) {
				if _, known := ways[kind.Name]; known {
					continue
				}
				way, head, within := ways[typ], f.Name+needs(typ, f), kind.Name
				ways[kind.Name] = func(s string) string {
					return way(head + " { ... on " + within + " { " + s + " } }")
				}
				queue = append(queue, kind.Name)
			}
		}
	}
	return ways
}

// needs are the arguments without which a field is no field.
func needs(typ string, f *ast.FieldDefinition) string {
	if f.Arguments.ForName("first") != nil {
		return "(first: 2)"
	}
	if f.Name == "raw" && len(f.Arguments) > 0 {
		return "(full: true)"
	}
	var args []string
	for _, a := range f.Arguments {
		switch {
		case !a.Type.NonNull || a.DefaultValue != nil:
		case a.Type.Elem != nil:
			args = append(args, a.Name+`: ["MXUKL3NwYXJ0YWN1cy8"]`)
		case a.Type.Name() == "ID":
			args = append(args, a.Name+`: "MXUKL3NwYXJ0YWN1cy8"`)
		default:
			args = append(args, a.Name+`: "/a/b/"`)
		}
	}
	if args == nil {
		return ""
	}
	return "(" + strings.Join(args, ", ") + ")"
}

// minimal selects as little of a field as there can be.
func minimal(schema *ast.Schema, typ string, f *ast.FieldDefinition) string {
	text := "probe: " + f.Name + needs(typ, f)
	if schema.Types[f.Type.Name()].IsCompositeType() {
		text += " { __typename }"
	}
	return text
}
