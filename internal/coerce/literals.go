package coerce

import (
	"math"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// RuleName is the name of gqlparser's rule that [Coercer.Rule] replaces.
const RuleName = "ValuesOfCorrectType"

// Rule is a validation rule: every literal of the document fits the type that
// its place wants. Numbers of literals are judged by how they are written, as
// the specification wants it: 1.0 is no Int.
func (c *Coercer) Rule(observers *core.Events, addError core.AddErrFunc) {
	faults := faults{suggest: c.Suggest}
	seen := map[*ast.Value]bool{} // a fragment is visited once for each operation, and once by itself
	judge := func(t *ast.Type, v *ast.Value, at place) {
		if seen[v] {
			return
		}
		seen[v] = true
		before := len(faults.list)
		c.literal(t, v, at, &faults)
		for _, err := range faults.list[before:] {
			addError(func(e *gqlerror.Error) { *e = *err })
		}
	}
	arguments := func(of string, defs ast.ArgumentDefinitionList, args ast.ArgumentList) {
		for _, arg := range args {
			if def := defs.ForName(arg.Name); def != nil && arg.Value != nil {
				judge(def.Type, arg.Value, place{name: arg.Name, of: of})
			}
		}
	}
	observers.OnField(func(_ *core.Walker, f *ast.Field) {
		if f.Definition != nil && f.ObjectDefinition != nil {
			arguments(f.ObjectDefinition.Name+"."+f.Name, f.Definition.Arguments, f.Arguments)
		}
	})
	observers.OnDirective(func(_ *core.Walker, d *ast.Directive) {
		if d.Definition != nil {
			arguments("@"+d.Name, d.Definition.Arguments, d.Arguments)
		}
	})
	observers.OnVariable(func(_ *core.Walker, v *ast.VariableDefinition) {
		if v.DefaultValue != nil {
			judge(v.Type, v.DefaultValue, place{name: v.Variable, variable: true, isDefault: true})
		}
	})
}

// literal judges a literal. A variable within it is judged by its declaration
// and, for each request, by its value.
func (c *Coercer) literal(t *ast.Type, v *ast.Value, at place, faults *faults) {
	at.position = v.Position
	switch {
	case v.Kind == ast.Variable:
		return
	case v.Kind == ast.NullValue:
		if t.NonNull {
			faults.add(at, t, "null", "")
		}
		return
	case t.Elem != nil && v.Kind == ast.ListValue:
		for i, item := range v.Children {
			c.literal(t.Elem, item.Value, at.in(strconv.Itoa(i)), faults)
		}
		return
	case t.Elem != nil: // one value stands for a list of it
		c.literal(t.Elem, v, at, faults)
		return
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def == nil || !def.IsInputType(): // other rules say so
		return
	case def.Kind == ast.InputObject:
		c.literalObject(def, t, v, at, faults)
		return
	case def.Kind == ast.Enum:
		if v.Kind != ast.EnumValue || def.EnumValues.ForName(v.Raw) == nil {
			faults.addEnum(at, t, def, literalKind(v), v.Raw)
		}
		return
	}
	if err := c.literalScalar(t.NamedType, v); err != nil {
		faults.add(at, t, literalKind(v), err.Error())
	}
}

func (c *Coercer) literalObject(def *ast.Definition, t *ast.Type, v *ast.Value, at place, faults *faults) {
	if v.Kind != ast.ObjectValue {
		faults.add(at, t, literalKind(v), "")
		return
	}
	for _, child := range v.Children {
		inside := at.in(child.Name)
		if field := def.Fields.ForName(child.Name); field != nil {
			c.literal(field.Type, child.Value, inside, faults)
			continue
		}
		inside.position = child.Position
		faults.addUnknown(inside, def, child.Name)
	}
	for _, field := range def.Fields {
		if field.Type.NonNull && field.DefaultValue == nil && v.Children.ForName(field.Name) == nil {
			faults.add(at.in(field.Name), field.Type, "nothing", "")
		}
	}
}

func (c *Coercer) literalScalar(name string, v *ast.Value) error {
	var fits bool
	switch name {
	case "Int":
		if v.Kind == ast.FloatValue {
			return errPoint
		}
		if fits = v.Kind == ast.IntValue; fits {
			n, err := strconv.ParseInt(v.Raw, 10, 64)
			if err != nil || n < math.MinInt32 || n > math.MaxInt32 {
				return errInt32
			}
		}
	case "Float":
		if fits = v.Kind == ast.IntValue || v.Kind == ast.FloatValue; fits {
			if _, err := strconv.ParseFloat(v.Raw, 64); err != nil {
				return errFinite
			}
		}
	case "String":
		fits = v.Kind == ast.StringValue || v.Kind == ast.BlockValue
	case "Boolean":
		fits = v.Kind == ast.BooleanValue
	case "ID":
		fits = v.Kind == ast.StringValue || v.Kind == ast.BlockValue
		if v.Kind == ast.IntValue {
			_, err := readable(v)
			return err
		}
	default:
		return c.literalCustom(name, v)
	}
	if !fits {
		return errType
	}
	return nil
}

func (c *Coercer) literalCustom(name string, v *ast.Value) error {
	value, err := readable(v)
	check := c.scalars[name]
	switch {
	case err != nil:
		return err
	case check == nil:
		return nil
	case v.Kind == ast.EnumValue:
		return errType // it would be read as a text
	}
	return check(value)
}

// readable refuses numbers that gqlparser cannot read: it would panic over them
// while the operation is executed.
func readable(v *ast.Value) (any, error) {
	value, err := v.Value(nil)
	if err != nil {
		return nil, errRange
	}
	return value, nil
}

// literalKind names the kind of a literal.
func literalKind(v *ast.Value) string {
	switch v.Kind {
	case ast.IntValue, ast.FloatValue:
		return "number"
	case ast.StringValue, ast.BlockValue:
		return "string"
	case ast.BooleanValue:
		return "boolean"
	case ast.EnumValue:
		return "enum value"
	case ast.ListValue:
		return "list"
	case ast.ObjectValue:
		return "object"
	}
	return "null"
}
