// Package schema makes the schema that clients see out of the one that gqlgen
// generates.
//
// gqlparser's prelude and its loader add to a schema what this server does not
// support, and what graphql-js does not know. [Clean] takes it out, so that
// validation refuses it and introspection does not list it. All that is added
// and what was decided about it is in docs/adr/0018-what-the-framework-adds.md.
package schema

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// unsupported are the directives of the prelude that are taken out: @defer is
// answered with null for the deferred fields unless a transport sends them
// later, which none does; no input object of the schema is @oneOf.
var unsupported = []string{"defer", "oneOf"}

// onDirectives is a place of directives that is in no released specification:
// graphql-js refuses a schema that has it.
const onDirectives = ast.DirectiveLocation("DIRECTIVE_DEFINITION")

// Clean returns a copy of a loaded schema without what the framework adds. The
// schema itself is not changed; the copy shares what is equal.
func Clean(loaded *ast.Schema) *ast.Schema {
	clean := *loaded
	clean.Directives = make(map[string]*ast.DirectiveDefinition, len(loaded.Directives))
	for name, d := range loaded.Directives {
		if slices.Contains(unsupported, name) {
			continue
		}
		directive := *d
		directive.Locations = without(d.Locations, func(l ast.DirectiveLocation) bool { return l == onDirectives })
		clean.Directives[name] = &directive
	}
	// An interface that implements another is listed among its possible types;
	// only objects are possible.
	clean.PossibleTypes = make(map[string][]*ast.Definition, len(loaded.PossibleTypes))
	for name, types := range loaded.PossibleTypes {
		clean.PossibleTypes[name] = without(types, func(d *ast.Definition) bool { return d.Kind == ast.Interface })
	}
	clean.Types = maps.Clone(loaded.Types)
	if locations := loaded.Types["__DirectiveLocation"]; locations != nil {
		enum := *locations
		enum.EnumValues = without(locations.EnumValues, func(v *ast.EnumValueDefinition) bool { return v.Name == string(onDirectives) })
		clean.Types[enum.Name] = &enum
	}
	return &clean
}

// without returns a copy of list without the elements that drop reports.
func without[S ~[]E, E any](list S, drop func(E) bool) S {
	return slices.DeleteFunc(slices.Clone(list), drop)
}

// SDL returns a schema as text, in the schema definition language.
func SDL(s *ast.Schema) []byte {
	var text bytes.Buffer
	if s.Description != "" { // which the formatter leaves out, as it does the definition
		fmt.Fprintf(&text, "\"\"\"\n%s\n\"\"\"\nschema {\n", s.Description)
		for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
			if root != nil { // each has its usual name
				fmt.Fprintf(&text, "  %s: %s\n", strings.ToLower(root.Name), root.Name)
			}
		}
		text.WriteString("}\n")
	}
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatSchema(s)
	return text.Bytes()
}
