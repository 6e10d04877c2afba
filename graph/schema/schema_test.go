package schema_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/schema"
)

func loaded() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

// locations are the directive locations of the specification of October 2021, which
// graphql-js supports since version 14.
var locations = []ast.DirectiveLocation{
	"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION",
	"SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION",
}

func TestDirectives(t *testing.T) {
	t.Parallel()
	clean := schema.Clean(loaded())
	var names []string
	for name, d := range clean.Directives {
		names = append(names, name)
		for _, l := range d.Locations {
			if !slices.Contains(locations, l) {
				t.Errorf("the clean schema allows @%s on %s, which is not a location of the specification", name, l)
			}
		}
	}
	slices.Sort(names)
	if want := []string{"deprecated", "include", "skip", "specifiedBy"}; !cmp.Equal(names, want) {
		t.Errorf("directives %v, want %v", names, want)
	}
	if got := clean.Directives["deprecated"].Locations; len(got) != 4 {
		t.Errorf("@deprecated is allowed on %v, want 4 locations", got)
	}
	for _, v := range clean.Types["__DirectiveLocation"].EnumValues {
		if !slices.Contains(locations, ast.DirectiveLocation(v.Name)) {
			t.Errorf("introspection lists the location %s, which is not in the specification", v.Name)
		}
	}
}

func TestPossibleTypesAreObjects(t *testing.T) {
	t.Parallel()
	clean := schema.Clean(loaded())
	for name, types := range clean.PossibleTypes {
		if !clean.Types[name].IsAbstractType() {
			continue
		}
		if len(types) == 0 {
			t.Errorf("%s has no possible type", name)
		}
		for _, def := range types {
			if def.Kind != ast.Object {
				t.Errorf("%s is a possible type of %s, want only objects", def.Name, name)
			}
		}
	}
	if n := len(clean.GetPossibleTypes(clean.Types["Node"])); n < 10 {
		t.Errorf("Node has %d possible types, want at least 10", n)
	}
}

// TestCleanRemovesPrices tests that the clean schema neither declares nor uses
// internal directives, and that all references are to its own types.
func TestCleanRemovesPrices(t *testing.T) {
	t.Parallel()
	from, clean := loaded(), schema.Clean(loaded())
	priced := 0
	for name, def := range from.Types {
		for i, f := range def.Fields {
			if f.Directives.ForName("cost") != nil || f.Directives.ForName("listSize") != nil {
				priced++
			}
			got := clean.Types[name].Fields[i]
			if got.Name != f.Name || got.Directives.ForName("cost") != nil || got.Directives.ForName("listSize") != nil {
				t.Errorf("%s.%s has @cost or @listSize in the clean schema, want neither", name, got.Name)
			}
			if len(got.Directives) != len(f.Directives) && f.Directives.ForName("deprecated") != nil && got.Directives.ForName("deprecated") == nil {
				t.Errorf("%s.%s is not deprecated in the clean schema, want as in the loaded one", name, got.Name)
			}
		}
	}
	if priced < 100 {
		t.Errorf("%d fields have @cost, want at least 100", priced)
	}
	text := string(schema.SDL(clean))
	for _, internal := range []string{"@cost", "@listSize", "assumedSize"} {
		if strings.Contains(text, internal) {
			t.Errorf("the SDL contains %s", internal)
		}
	}
	own := func(where string, def *ast.Definition) {
		if def != clean.Types[def.Name] {
			t.Errorf("%s refers to a type %s that is not in the clean schema", where, def.Name)
		}
	}
	for _, root := range []*ast.Definition{clean.Query, clean.Mutation, clean.Subscription} {
		own("a root", root)
	}
	for _, lists := range []map[string][]*ast.Definition{clean.PossibleTypes, clean.Implements} {
		for name, all := range lists {
			for _, def := range all {
				own(name, def)
			}
		}
	}
}

// TestCleanCopies tests that Clean does not change the loaded schema, which the
// whole process shares.
func TestCleanCopies(t *testing.T) {
	t.Parallel()
	s := loaded()
	schema.Clean(s)
	if s.Directives["cost"] == nil || s.Types["User"].Fields.ForName("biog").Directives.ForName("cost") == nil {
		t.Error("Clean removed @cost from the loaded schema, want it unchanged")
	}
	if s.Directives["defer"] == nil || !slices.Contains(s.Directives["deprecated"].Locations, "DIRECTIVE_DEFINITION") {
		t.Error("Clean changed the directives of the loaded schema, want them unchanged")
	}
}

func TestScalarsHaveSpecifications(t *testing.T) {
	t.Parallel()
	for name, def := range loaded().Types {
		if def.Kind != ast.Scalar || def.BuiltIn {
			continue
		}
		d := def.Directives.ForName("specifiedBy")
		if d == nil {
			t.Errorf("%s has no @specifiedBy", name)
			continue
		}
		u, err := url.Parse(d.Arguments.ForName("url").Value.Raw)
		if err != nil || u.Scheme != "https" || u.Host == "" {
			t.Errorf("@specifiedBy of %s is %v (%v), want an https URL", name, u, err)
		}
	}
}

// TestSDL tests that the SDL of a schema loads as an equal schema.
func TestSDL(t *testing.T) {
	t.Parallel()
	clean := schema.Clean(loaded())
	text := schema.SDL(clean)
	again, err := gqlparser.LoadSchema(&ast.Source{Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(text), string(schema.SDL(schema.Clean(again)))); diff != "" {
		t.Errorf("SDL after another load (-first +second):\n%s", diff)
	}
	if clean.Description == "" || again.Description != clean.Description || again.Mutation == nil || again.Subscription == nil {
		t.Errorf("after another load: description %q, Mutation %v, Subscription %v, want %q and both types", again.Description, again.Mutation != nil, again.Subscription != nil, clean.Description)
	}
	for name, def := range clean.Types {
		if def.BuiltIn {
			continue
		}
		found := again.Types[name]
		if found == nil || len(found.Fields) != len(def.Fields) || found.Description != def.Description {
			t.Errorf("type %s is missing after another load, or its fields or description differ", name)
		}
	}
}
