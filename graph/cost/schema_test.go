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

// smallSchema is a schema with placeholders for two prices and another field.
const smallSchema = `
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

// TestNew tests that a missing or wrong price is an error that names the file and the
// line.
func TestNew(t *testing.T) {
	t.Parallel()
	e, err := cost.New(schemaOf())
	if err != nil {
		t.Fatal(err)
	}
	// Without a key parser, a key can be of any type: the most expensive one counts.
	op, _ := operation(t, `{ resource(key: "/a/") { ... on User { biog } ... on Tag { popular(first: 9) { nodes { description } } } } }`, "")
	if got := e.Estimate(op, nil, cost.Caller{}); got != 11 {
		t.Errorf("the estimate of a resource of any type is %d, want 11", got)
	}
	const load, page = "@cost(load: true)", "@cost(calls: 1)"
	tests := map[string]struct{ price, page, more, want string }{
		"valid":                    {price: load, page: page},
		"free field":               {page: page},
		"wrong type":               {price: "@cost(calls: true)", page: page, want: "x.graphqls:7: Cloudcast.description: calls: true has the wrong type"},
		"unknown argument":         {price: `@cost(load: true, if: "full")`, page: page, want: "Cloudcast.description: @cost names the argument \"full\""},
		"free connection":          {price: load, want: "x.graphqls:3: Category.cloudcasts: a connection needs the price"},
		"connection for a load":    {price: load, page: load, want: "Category.cloudcasts: a connection needs the price"},
		"connection without a row": {price: load, page: page, more: "others(first: Int): CloudcastConnection " + page, want: "Cloudcast.others: a connection needs a row in the table"},
		"list without a size":      {price: load, page: page, more: "others: [User!]", want: "x.graphqls:8: Cloudcast.others: a list of objects"},
		"list of size 0":           {price: load, page: page, more: "others: [User!] @listSize(assumedSize: 0)", want: "Cloudcast.others: @listSize(assumedSize:) must be positive"},
		"edge outside a payload":   {price: load, page: page, more: `edge: CloudcastConnection @cost(sharedWith: "node")`, want: `Cloudcast.edge: @cost(sharedWith: "node") needs`},
		"list of free objects":     {price: load, page: page, more: "others: [String!]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			schema, err := gqlparser.LoadSchema(cost.Directives(t), &ast.Source{Name: "x.graphqls", Input: fmt.Sprintf(smallSchema, tt.price, tt.page, tt.more)})
			if err != nil {
				t.Fatal(err)
			}
			_, got := cost.New(schema)
			if tt.want == "" && got != nil || tt.want != "" && (got == nil || !strings.Contains(got.Error(), tt.want)) {
				t.Errorf("New returned the error %v, want one with %q, or nil if that is empty", got, tt.want)
			}
		})
	}
}

// TestEveryField estimates each field of each type alone, on a partial object: the
// estimate is higher with the field, for a caller with a token, if and only if its
// description states a cost.
func TestEveryField(t *testing.T) {
	t.Parallel()
	queries := queriesByType(schemaOf())
	estimated := 0
	for typ, def := range schemaOf().Types {
		query := queries[typ]
		switch {
		case strings.HasPrefix(typ, "__") || def.Kind != ast.Object:
			continue
		case query == nil && !strings.HasSuffix(typ, "Payload") && def != schemaOf().Mutation && def != schemaOf().Subscription && typ != "UserError" && typ != "UploadProgress":
			t.Errorf("no query returns %s", typ)
		}
		if query == nil {
			continue // see TestEstimate_Writes
		}
		without := estimate(t, query("__typename"), "", cost.Caller{HasToken: true})
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			estimated++
			costs := strings.Contains(f.Description, "Cost: 1")
			switch {
			case f.Name == "totalCount":
				costs = false // see TestEstimate
			case typ == "City" && f.Name == "raw":
				costs = false // cities are only returned by lookups, which return full objects
			}
			text := query(minimal(schemaOf(), f))
			if with := estimate(t, text, "", cost.Caller{HasToken: true}); costs != (with > without) {
				t.Errorf("%s.%s: the estimate is %d without the field and %d with it, but its description states a cost: %t\n%s", typ, f.Name, without, with, costs, text)
			}
		}
	}
	if estimated < 250 {
		t.Errorf("%d fields were estimated, want at least 250", estimated)
	}
}

// TestProperties tests relations between estimates that hold for all page sizes.
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
		estimateOf := func(query string) int {
			doc, errs := gqlparser.LoadQueryWithRules(schemaOf(), query, nil)
			if errs != nil {
				t.Fatalf("the query is not valid: %v\n%s", errs, query)
			}
			return estimator().Estimate(doc.Operations[0], nil, cost.Caller{HasToken: true})
		}
		list := func(n int, selection string) string {
			return fmt.Sprintf("popular(first: %d) { nodes { name %s } }", n, selection)
		}
		one := estimateOf("{" + list(n, a) + "}")
		if got := estimateOf("{" + list(more, a) + "}"); got < one {
			t.Errorf("the estimate for %d items with %s is %d, want at least the %d for %d items", more, a, got, one, n)
		}
		if got := estimateOf("{ x: " + list(n, a) + " y: " + list(n, a) + "}"); got != one {
			t.Errorf("the estimate for the same list twice is %d, want %d as for once", got, one)
		}
		if got := estimateOf("{ ... { ...f } ...f } fragment f on Query { " + list(n, a) + "}"); got != one {
			t.Errorf("the estimate for the list in fragments is %d, want %d as without", got, one)
		}
		both := estimateOf("{" + list(n, a+" "+b) + "}")
		other := estimateOf("{" + list(n, b) + "}")
		if both < max(one, other) || both > one+other {
			t.Errorf("the estimate for both selections is %d, want between the larger and the sum of %d and %d", both, one, other)
		}
		if aliased := estimateOf("{ x: " + list(n, a) + " y: " + list(m, b) + "}"); n != m && aliased > one+estimateOf("{"+list(m, b)+"}") {
			t.Errorf("the estimate for two lists is %d, want at most the sum of both", aliased)
		}
		budget := rapid.IntRange(1, 300).Draw(t, "budget")
		doc, _ := gqlparser.LoadQueryWithRules(schemaOf(), "{"+list(n, a)+"}", nil)
		if fit, ok := estimator().Fit(doc.Operations[0], nil, cost.Caller{HasToken: true}, budget); ok && one > budget && slices.Equal(fit.Paths, []string{"popular"}) {
			if got := estimateOf("{" + list(fit.Size, a) + "}"); got > budget || fit.Size >= n {
				t.Errorf("the estimate with the fitting size %d is %d, want at most the budget %d, and a size below %d", fit.Size, got, budget, n)
			}
			if got := estimateOf("{" + list(fit.Size+1, a) + "}"); got <= budget {
				t.Errorf("Fit returned the size %d, but %d is within the budget too", fit.Size, fit.Size+1)
			}
		}
	})
}

// partialRoots are the root fields that return partial objects, or the only ones that
// return their type.
var partialRoots = []string{"popular", "search", "discover", "categories", "oembed", "city", "rateLimit"}

// queriesByType returns, for each object type, a function that returns a short query
// for a partial object of that type with a selection.
func queriesByType(schema *ast.Schema) map[string]func(string) string {
	queries := map[string]func(string) string{"Query": func(s string) string { return "{ " + s + " }" }}
	queue := []string{"Query"}
	for len(queue) > 0 {
		typ := queue[0]
		queue = queue[1:]
		fields := slices.Clone(schema.Types[typ].Fields)
		slices.SortStableFunc(fields, func(a, b *ast.FieldDefinition) int {
			return slices.Index(partialRoots, a.Name) - slices.Index(partialRoots, b.Name)
		})
		for _, f := range fields {
			result := schema.Types[f.Type.Name()]
			if strings.HasPrefix(f.Name, "__") || !result.IsCompositeType() || typ == "Query" && !slices.Contains(partialRoots, f.Name) {
				continue
			}
			for _, objectType := range schema.GetPossibleTypes(result) {
				if _, known := queries[objectType.Name]; known {
					continue
				}
				parent, field, name := queries[typ], f.Name+requiredArguments(f), objectType.Name
				queries[objectType.Name] = func(s string) string {
					return parent(field + " { ... on " + name + " { " + s + " } }")
				}
				queue = append(queue, objectType.Name)
			}
		}
	}
	return queries
}

// requiredArguments returns an argument list with the arguments that a field needs to
// make its calls.
func requiredArguments(f *ast.FieldDefinition) string {
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

// minimal returns the smallest selection of a field.
func minimal(schema *ast.Schema, f *ast.FieldDefinition) string {
	text := "probe: " + f.Name + requiredArguments(f)
	if schema.Types[f.Type.Name()].IsCompositeType() {
		text += " { __typename }"
	}
	return text
}
