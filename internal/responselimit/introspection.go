package responselimit

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/compiled"
)

type introspectsKey struct{ op *ast.OperationDefinition } // in [compiled.Document]

// introspects reports whether an operation selects __schema or __type.
func introspects(ctx context.Context, op *ast.OperationDefinition) bool {
	return compiled.From(ctx).Get(introspectsKey{op}, func() any {
		return selectsSchema(op.SelectionSet, map[string]bool{})
	}).(bool)
}

// selectsSchema reports whether a selection set selects a root field of introspection. It visits each fragment once.
func selectsSchema(set ast.SelectionSet, visited map[string]bool) bool {
	for _, selection := range set {
		found := false
		switch s := selection.(type) {
		case *ast.Field:
			found = s.Name == "__schema" || s.Name == "__type"
		case *ast.InlineFragment:
			found = selectsSchema(s.SelectionSet, visited)
		case *ast.FragmentSpread:
			if !visited[s.Name] && s.Definition != nil {
				visited[s.Name] = true
				found = selectsSchema(s.Definition.SelectionSet, visited)
			}
		}
		if found {
			return true
		}
	}
	return false
}

// countIntrospection returns the number of fields in the introspection of an operation, computed from the schema. It stops
// when the number exceeds the limit.
func (l *Limiter) countIntrospection(oc *graphql.OperationContext) int64 {
	i := introspection{oc: oc, schema: l.schema, limit: l.limits.Fields}
	var n int64
	for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, l.types[l.schema.Query.Name]) {
		switch f.Name {
		case "__schema":
			n += 1 + i.count(l.schema, f.Selections)
		case "__type":
			name, _ := f.ArgumentMap(oc.Variables)["name"].(string)
			n++
			if def := l.schema.Types[name]; def != nil {
				n += i.count(def, f.Selections)
			}
		}
	}
	return n
}

// An introspection counts the fields of schema elements. An element is a *ast.Schema, a *ast.Definition or a wrapped type
// (both are a __Type), a *ast.FieldDefinition, an inputValue, an *ast.EnumValueDefinition or a *ast.DirectiveDefinition.
// Each pair of an element and a selection set is counted once. It represents at least one field of the response, so the
// number of pairs never exceeds the limit.
type introspection struct {
	oc     *graphql.OperationContext
	schema *ast.Schema
	limit  int64
	counts map[countKey]int64
}

type countKey struct {
	element any
	set     *ast.Selection
}

// A wrapped type is a list or a non-null type. If nullable is set, it is a non-null type without its exclamation mark.
type wrapped struct {
	typ      *ast.Type
	nullable bool
}

// An inputValue is an argument or a field of an input object: an *ast.ArgumentDefinition or an *ast.FieldDefinition.
type inputValue struct{ def any }

// count returns the number of fields of an element, or any number above the limit if it exceeds the limit.
func (i *introspection) count(element any, set ast.SelectionSet) int64 {
	if len(set) == 0 {
		return 0
	}
	key := countKey{element, &set[0]}
	if n, ok := i.counts[key]; ok {
		return n
	}
	if i.counts == nil {
		i.counts = map[countKey]int64{}
	}
	i.counts[key] = 0
	if int64(len(i.counts)) > i.limit {
		return i.limit + 1
	}
	fields := graphql.CollectFields(i.oc, set, []string{typeOf(element)})
	n := int64(len(fields))
	for _, f := range fields {
		if len(f.Selections) == 0 {
			continue
		}
		for _, child := range i.children(element, f) {
			if n += i.count(child, f.Selections); n > i.limit {
				return n
			}
		}
	}
	i.counts[key] = n
	return n
}

// typeOf returns the name of the introspection type of an element.
func typeOf(element any) string {
	switch element.(type) {
	case *ast.Schema:
		return "__Schema"
	case *ast.Definition, wrapped:
		return "__Type"
	case *ast.FieldDefinition:
		return "__Field"
	case inputValue:
		return "__InputValue"
	case *ast.EnumValueDefinition:
		return "__EnumValue"
	}
	return "__Directive"
}

// children returns the elements of a field of an element, in the same way as gqlgen's package introspection.
func (i *introspection) children(element any, f graphql.CollectedField) []any {
	deprecated, _ := f.ArgumentMap(i.oc.Variables)["includeDeprecated"].(bool)
	included := func(directives ast.DirectiveList) bool {
		return deprecated || directives.ForName("deprecated") == nil
	}
	switch e := element.(type) {
	case *ast.Schema:
		return i.schemaElements(f.Name)
	case *ast.Definition:
		return i.definitionElements(e, f.Name, included)
	case wrapped:
		if f.Name == "ofType" {
			return i.ofType(e)
		}
	case *ast.FieldDefinition:
		if f.Name == "args" {
			return argumentElements(e.Arguments, included)
		}
		return i.typeElement(e.Type)
	case *ast.DirectiveDefinition:
		return argumentElements(e.Arguments, included)
	case inputValue:
		switch def := e.def.(type) {
		case *ast.ArgumentDefinition:
			return i.typeElement(def.Type)
		case *ast.FieldDefinition:
			return i.typeElement(def.Type)
		}
	}
	return nil
}

func (i *introspection) schemaElements(field string) []any {
	var all []any
	switch field {
	case "types":
		for _, def := range i.schema.Types {
			all = append(all, def)
		}
	case "directives":
		for _, def := range i.schema.Directives {
			all = append(all, def)
		}
	case "queryType":
		return elementOf(i.schema.Query)
	case "mutationType":
		return elementOf(i.schema.Mutation)
	case "subscriptionType":
		return elementOf(i.schema.Subscription)
	}
	return all
}

func (i *introspection) definitionElements(def *ast.Definition, field string, included func(ast.DirectiveList) bool) []any {
	var all []any
	switch {
	case field == "fields" && (def.Kind == ast.Object || def.Kind == ast.Interface):
		for _, f := range def.Fields {
			if !strings.HasPrefix(f.Name, "__") && included(f.Directives) {
				all = append(all, f)
			}
		}
	case field == "inputFields" && def.Kind == ast.InputObject:
		for _, f := range def.Fields {
			if included(f.Directives) {
				all = append(all, inputValue{f})
			}
		}
	case field == "enumValues" && def.Kind == ast.Enum:
		for _, v := range def.EnumValues {
			if included(v.Directives) {
				all = append(all, v)
			}
		}
	case field == "interfaces" && (def.Kind == ast.Object || def.Kind == ast.Interface):
		for _, name := range def.Interfaces {
			all = append(all, i.schema.Types[name])
		}
	case field == "possibleTypes" && (def.Kind == ast.Interface || def.Kind == ast.Union):
		for _, possible := range i.schema.GetPossibleTypes(def) {
			all = append(all, possible)
		}
	}
	return all
}

// typeElement returns the __Type of a type.
func (i *introspection) typeElement(typ *ast.Type) []any {
	if typ == nil {
		return nil
	}
	if !typ.NonNull && typ.NamedType != "" {
		return elementOf(i.schema.Types[typ.NamedType])
	}
	return []any{wrapped{typ: typ}}
}

// ofType returns the __Type inside a wrapped type.
func (i *introspection) ofType(w wrapped) []any {
	if !w.typ.NonNull || w.nullable {
		return i.typeElement(w.typ.Elem)
	}
	if w.typ.NamedType != "" {
		return elementOf(i.schema.Types[w.typ.NamedType])
	}
	return []any{wrapped{w.typ, true}}
}

func argumentElements(list ast.ArgumentDefinitionList, included func(ast.DirectiveList) bool) []any {
	var all []any
	for _, arg := range list {
		if included(arg.Directives) {
			all = append(all, inputValue{arg})
		}
	}
	return all
}

func elementOf(def *ast.Definition) []any {
	if def == nil {
		return nil
	}
	return []any{def}
}
