// Package schema derives the schema that clients see from the one that gqlgen
// generates.
//
// gqlparser adds directives that this server does not support, and directive
// locations that graphql-js does not know; docs/adr/0018-additions-of-gqlgen-and-gqlparser.md
// lists them. The sources of the schema contain prices for the cost estimator
// (cost.graphqls), which are not part of the public API. [Clean] removes all of
// these, so that validation rejects them and neither introspection nor [SDL] lists
// them.
package schema

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// unsupported are gqlparser's directives that Clean removes. With @defer, gqlgen
// returns null for the deferred fields and leaves it to the transport to send them
// later, which no transport of this server does. No input object is @oneOf.
var unsupported = []string{"defer", "oneOf"}

// internal are the directives that only the cost estimator reads.
var internal = []string{"cost", "listSize"}

// onDirectives is a directive location that no released specification contains.
// graphql-js rejects a schema with it.
const onDirectives = ast.DirectiveLocation("DIRECTIVE_DEFINITION")

// Clean returns a copy of a loaded schema without unsupported and internal
// directives. It does not change the schema; the copy shares unchanged parts.
func Clean(loaded *ast.Schema) *ast.Schema {
	clean := *loaded
	clean.Directives = make(map[string]*ast.DirectiveDefinition, len(loaded.Directives))
	for name, d := range loaded.Directives {
		if slices.Contains(unsupported, name) || slices.Contains(internal, name) {
			continue
		}
		directive := *d
		directive.Locations = without(d.Locations, func(l ast.DirectiveLocation) bool { return l == onDirectives })
		clean.Directives[name] = &directive
	}
	clean.Types = make(map[string]*ast.Definition, len(loaded.Types))
	for name, def := range loaded.Types {
		clean.Types[name] = cleanType(def)
	}
	link(&clean)
	return &clean
}

// cleanType returns a copy of a type without internal directives on its fields and
// without onDirectives, or the type itself if it has neither.
func cleanType(def *ast.Definition) *ast.Definition {
	isInternal := func(d *ast.Directive) bool { return slices.Contains(internal, d.Name) }
	copied := *def
	switch {
	case def.Name == "__DirectiveLocation":
		copied.EnumValues = without(def.EnumValues, func(v *ast.EnumValueDefinition) bool { return v.Name == string(onDirectives) })
	case slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool { return slices.ContainsFunc(f.Directives, isInternal) }):
		copied.Fields = slices.Clone(def.Fields)
		for i, f := range def.Fields {
			if slices.ContainsFunc(f.Directives, isInternal) {
				field := *f
				field.Directives = without(f.Directives, isInternal)
				copied.Fields[i] = &field
			}
		}
	default:
		return def
	}
	return &copied
}

// link replaces every reference to a type in a schema by the type of that name in
// s.Types.
func link(s *ast.Schema) {
	types := func(all []*ast.Definition) []*ast.Definition {
		linked := make([]*ast.Definition, len(all))
		for i, def := range all {
			linked[i] = s.Types[def.Name]
		}
		return linked
	}
	for _, root := range []**ast.Definition{&s.Query, &s.Mutation, &s.Subscription} {
		if *root != nil {
			*root = s.Types[(*root).Name]
		}
	}
	// gqlparser lists interfaces that implement an interface among its possible
	// types, but only objects are possible.
	possible, implements := s.PossibleTypes, s.Implements
	s.PossibleTypes = make(map[string][]*ast.Definition, len(possible))
	for name, all := range possible {
		s.PossibleTypes[name] = types(without(all, func(d *ast.Definition) bool { return d.Kind == ast.Interface }))
	}
	s.Implements = make(map[string][]*ast.Definition, len(implements))
	for name, all := range implements {
		s.Implements[name] = types(all)
	}
}

// without returns a copy of list without the elements that drop reports.
func without[S ~[]E, E any](list S, drop func(E) bool) S {
	return slices.DeleteFunc(slices.Clone(list), drop)
}

// SDL returns a schema as text, in the schema definition language.
func SDL(s *ast.Schema) []byte {
	var text bytes.Buffer
	if s.Description != "" { // the formatter omits the description and the schema definition
		fmt.Fprintf(&text, "\"\"\"\n%s\n\"\"\"\nschema {\n", s.Description)
		for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
			if root != nil { // root types have the default names
				fmt.Fprintf(&text, "  %s: %s\n", strings.ToLower(root.Name), root.Name)
			}
		}
		text.WriteString("}\n")
	}
	formatter.NewFormatter(&text, formatter.WithIndent("  ")).FormatSchema(s)
	return text.Bytes()
}
