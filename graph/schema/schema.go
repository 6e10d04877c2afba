// Package schema makes the schema that clients see out of the one that gqlgen
// generates.
//
// gqlparser's prelude and its loader add to a schema what this server does not
// support, and what graphql-js does not know; docs/adr/0018-what-the-framework-adds.md
// lists it. The sources of the schema hold prices for the cost estimator
// (cost.graphqls), which are no promise to clients. [Clean] takes both out, so that
// validation refuses them, and neither introspection nor [SDL] lists them.
package schema

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
)

// unsupported are the directives of the prelude that are taken out: @defer is
// answered with null for the deferred fields unless a transport sends them
// later, which none does; no input object of the schema is @oneOf.
var unsupported = []string{"defer", "oneOf"}

// internal are the directives that only this server reads: the prices of fields.
var internal = []string{"cost", "listSize"}

// onDirectives is a place of directives that is in no released specification:
// graphql-js refuses a schema that has it.
const onDirectives = ast.DirectiveLocation("DIRECTIVE_DEFINITION")

// Clean returns a copy of a loaded schema without what the framework adds and
// without prices. The schema itself is not changed; the copy shares what is equal.
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

// cleanType returns a type without internal directives on its fields, and without
// onDirectives; the type itself if it has neither.
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

// link makes everything in a schema that refers to a type refer to that of s.Types.
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
	// An interface that implements another is listed among its possible types;
	// only objects are possible.
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
