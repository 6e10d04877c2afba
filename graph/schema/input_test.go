package schema_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/schema"
	"mixcloud-graphql/internal/coerce"
	"mixcloud-graphql/internal/upload"
)

// newExecutable returns the generated schema with a complexity function for each
// field. The generated code unmarshals the arguments of a field before it calls
// that function, so a test can unmarshal them without executing the field.
func newExecutable() graphql.ExecutableSchema {
	cfg := generated.Config{Schema: schema.Clean(loaded())}
	types := reflect.ValueOf(&cfg.Complexity).Elem()
	for _, typ := range types.Fields() {
		for _, complexity := range typ.Fields() {
			complexity.Set(reflect.MakeFunc(complexity.Type(), func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(1)} }))
		}
	}
	return generated.NewExecutableSchema(cfg)
}

// withArguments returns the fields of object types that have arguments, sorted.
func withArguments(s *ast.Schema) (all []*ast.Field) {
	for _, name := range slices.Sorted(maps.Keys(s.Types)) {
		def := s.Types[name]
		if def.Kind != ast.Object || def.BuiltIn {
			continue
		}
		for _, f := range def.Fields {
			if len(f.Arguments) > 0 && !strings.HasPrefix(f.Name, "__") {
				all = append(all, &ast.Field{Name: f.Name, Definition: f, ObjectDefinition: def})
			}
		}
	}
	return all
}

// A coverage counts the fields for which both valid and invalid input was generated.
// Input is random, so check does not require both for every field.
type coverage struct{ fields, covered int }

func (c *coverage) add(accepted, rejected int) {
	c.fields++
	if accepted > 0 && rejected > 0 {
		c.covered++
	}
}

func (c *coverage) check(t *testing.T) {
	t.Helper()
	if c.covered < c.fields*3/4 {
		t.Errorf("%d of %d fields had both valid and invalid input, want at least three quarters", c.covered, c.fields)
	}
}

// TestCoercedVariables tests that the generated code can unmarshal all variables
// that coercion accepts, so that no argument fails after its operation has started.
func TestCoercedVariables(t *testing.T) {
	t.Parallel()
	es := newExecutable()
	c := coerce.New(es.Schema(), model.Scalars())
	var cover coverage
	for _, f := range withArguments(es.Schema()) {
		accepted, rejected := 0, 0
		rapid.Check(t, func(t *rapid.T) {
			op, raw := &ast.OperationDefinition{}, map[string]any{}
			for _, arg := range f.Definition.Arguments {
				op.VariableDefinitions = append(op.VariableDefinitions, &ast.VariableDefinition{Variable: arg.Name, Type: arg.Type, DefaultValue: arg.DefaultValue, Definition: es.Schema().Types[arg.Type.Name()]})
				if arg.Type.NonNull || rapid.Bool().Draw(t, "present") {
					raw[arg.Name] = jsonOf(t, es.Schema(), arg.Type)
				}
			}
			values, errs := c.Variables(op, raw)
			if len(errs) > 0 {
				rejected++
				return
			}
			if _, ok := es.Complexity(t.Context(), f.ObjectDefinition.Name, f.Name, 0, values); !ok {
				t.Fatalf("%s.%s: the generated code cannot unmarshal the valid arguments %#v", f.ObjectDefinition.Name, f.Name, values)
			}
			accepted++
		})
		cover.add(accepted, rejected)
	}
	cover.check(t)
}

// TestCoercedLiterals tests that the generated code can unmarshal all literals that
// validation accepts, and that validation errors have locations.
func TestCoercedLiterals(t *testing.T) {
	t.Parallel()
	es := newExecutable()
	c := coerce.New(es.Schema(), model.Scalars())
	var cover coverage
	for _, f := range withArguments(es.Schema()) {
		accepted, rejected := 0, 0
		rapid.Check(t, func(t *rapid.T) {
			var args []string
			for _, arg := range f.Definition.Arguments {
				if arg.Type.NonNull || rapid.Bool().Draw(t, "present") {
					args = append(args, arg.Name+": "+literalOf(t, es.Schema(), arg.Type))
				}
			}
			list := ""
			if len(args) > 0 {
				list = "(" + strings.Join(args, ", ") + ")"
			}
			text := fmt.Sprintf("fragment F on %s { %s%s }", f.ObjectDefinition.Name, f.Name, list)
			doc, err := parser.ParseQuery(&ast.Source{Input: text})
			if err != nil {
				t.Fatalf("the fragment %s cannot be parsed: %v", text, err)
			}
			ruleSet := rules.NewRules()
			ruleSet.AddRule(coerce.RuleName, c.Rule)
			ruleSet.AddRule("Required", rules.ProvidedRequiredArgumentsRule.RuleFunc)
			if errs := validator.ValidateWithRules(es.Schema(), doc, ruleSet); len(errs) > 0 {
				rejected++
				requireLocations(t, errs)
				return
			}
			field := doc.Fragments[0].SelectionSet[0].(*ast.Field)
			if _, ok := es.Complexity(t.Context(), f.ObjectDefinition.Name, f.Name, 0, field.ArgumentMap(nil)); !ok {
				t.Fatalf("%s: the generated code cannot unmarshal the valid arguments", text)
			}
			accepted++
		})
		cover.add(accepted, rejected)
	}
	cover.check(t)
}

func requireLocations(t *rapid.T, errs gqlerror.List) {
	for _, err := range errs {
		if len(err.Locations) == 0 {
			t.Fatalf("the error has no location: %v", err)
		}
	}
}

var (
	texts   = rapid.SampledFrom([]string{"", "x", "2", "1.5", "true", "null", "LARGE", "large", "2015-04-29T18:59:19Z", "2015-04-29", "tomorrow", "/a/b/", "é\x00"})
	numbers = rapid.SampledFrom([]string{"0", "1", "-1", "20", "1.0", "1.5", "1e3", "-0", "2147483647", "2147483648", "1430333959", "9223372036854775807", "9223372036854775808", "1e400", "123456789012345678901234567890", "253402300800"})
)

// wellTyped reports whether to generate a value of the right type: in nine of ten
// cases, so that some whole inputs are valid.
func wellTyped(t *rapid.T) bool { return rapid.IntRange(0, 9).Draw(t, "well typed") > 0 }

// jsonOf generates a value as transports decode it, usually of the given type.
func jsonOf(t *rapid.T, s *ast.Schema, typ *ast.Type) any {
	if !wellTyped(t) || !typ.NonNull && rapid.IntRange(0, 5).Draw(t, "null") == 0 {
		return rapid.OneOf(rapid.Just[any](nil), rapid.Just[any](true), rapid.Map(texts, func(v string) any { return v }), rapid.Map(numbers, func(v string) any { return json.Number(v) }),
			rapid.Just[any]([]any{}), rapid.Just[any]([]any{nil}), rapid.Just[any](map[string]any{}), rapid.Just[any](upload.File{Part: "0"})).Draw(t, "any")
	}
	if typ.Elem != nil {
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			list = append(list, jsonOf(t, s, typ.Elem))
		}
		return list
	}
	def := s.Types[typ.NamedType]
	switch {
	case def.Kind == ast.Enum:
		return rapid.SampledFrom(def.EnumValues).Draw(t, "enum").Name
	case def.Kind == ast.InputObject:
		object := map[string]any{}
		for _, f := range def.Fields {
			if f.Type.NonNull || rapid.Bool().Draw(t, "present") {
				object[f.Name] = jsonOf(t, s, f.Type)
			}
		}
		return object
	}
	switch typ.NamedType {
	case "Int", "Float", "Int64":
		return json.Number(numbers.Draw(t, "number"))
	case "Boolean":
		return rapid.Bool().Draw(t, "boolean")
	case "Upload":
		return upload.File{Part: "0", Path: "variables.x"}
	case "DateTime":
		return rapid.OneOf(rapid.Map(numbers, func(v string) any { return json.Number(v) }), rapid.Just[any]("2015-04-29T18:59:19Z")).Draw(t, "time")
	}
	return texts.Draw(t, "text")
}

// literalOf generates a literal, usually of the given type.
func literalOf(t *rapid.T, s *ast.Schema, typ *ast.Type) string {
	if !wellTyped(t) || !typ.NonNull && rapid.IntRange(0, 5).Draw(t, "null") == 0 {
		return rapid.OneOf(rapid.SampledFrom([]string{"null", "true", "LARGE", "now", "[]", "[null]", "{}", `"x"`, `"""x"""`, "{a: 1}"}), numbers).Draw(t, "any")
	}
	if typ.Elem != nil {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string { return literalOf(t, s, typ.Elem) }), 0, 3).Draw(t, "items")
		return "[" + strings.Join(items, ", ") + "]"
	}
	def := s.Types[typ.NamedType]
	switch {
	case def.Kind == ast.Enum:
		return rapid.SampledFrom(def.EnumValues).Draw(t, "enum").Name
	case def.Kind == ast.InputObject:
		var members []string
		for _, f := range def.Fields {
			if f.Type.NonNull || rapid.Bool().Draw(t, "present") {
				members = append(members, f.Name+": "+literalOf(t, s, f.Type))
			}
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	switch typ.NamedType {
	case "Int", "Float", "Int64":
		return numbers.Draw(t, "number")
	case "Boolean":
		return strconv.FormatBool(rapid.Bool().Draw(t, "boolean"))
	case "DateTime":
		return rapid.OneOf(numbers, rapid.Just(`"2015-04-29T18:59:19Z"`)).Draw(t, "time")
	}
	return (&ast.Value{Kind: ast.StringValue, Raw: texts.Draw(t, "text")}).String()
}
