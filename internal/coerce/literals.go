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

// Rule is a validation rule: every literal of the document must match the type at
// its location. The notation of number literals matters, as the specification
// requires: 1.0 is not an Int.
func (c *Coercer) Rule(observers *core.Events, addError core.AddErrFunc) {
	errs := errorList{suggest: c.Suggest}
	seen := map[*ast.Value]bool{} // a fragment is visited once for each operation, and once by itself
	check := func(t *ast.Type, v *ast.Value, loc location) {
		if seen[v] {
			return
		}
		seen[v] = true
		before := len(errs.list)
		c.checkLiteral(t, v, loc, &errs)
		for _, err := range errs.list[before:] {
			addError(func(e *gqlerror.Error) { *e = *err })
		}
	}
	arguments := func(owner string, defs ast.ArgumentDefinitionList, args ast.ArgumentList) {
		for _, arg := range args {
			if def := defs.ForName(arg.Name); def != nil && arg.Value != nil {
				check(def.Type, arg.Value, location{name: arg.Name, owner: owner})
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
			check(v.Type, v.DefaultValue, location{name: v.Variable, variable: true, isDefault: true})
		}
	})
}

// checkLiteral validates a literal. A variable inside it is validated through its
// declaration and, for each request, through its value.
func (c *Coercer) checkLiteral(t *ast.Type, v *ast.Value, loc location, errs *errorList) {
	loc.position = v.Position
	switch {
	case v.Kind == ast.Variable:
		return
	case v.Kind == ast.NullValue:
		if t.NonNull {
			errs.add(loc, t, "null", "")
		}
		return
	case t.Elem != nil && v.Kind == ast.ListValue:
		for i, item := range v.Children {
			c.checkLiteral(t.Elem, item.Value, loc.child(strconv.Itoa(i)), errs)
		}
		return
	case t.Elem != nil: // a single value is coerced to a list
		c.checkLiteral(t.Elem, v, loc, errs)
		return
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def == nil || !def.IsInputType(): // reported by other rules
		return
	case def.Kind == ast.InputObject:
		c.checkObject(def, t, v, loc, errs)
		return
	case def.Kind == ast.Enum:
		if v.Kind != ast.EnumValue || def.EnumValues.ForName(v.Raw) == nil {
			errs.addEnum(loc, t, def, literalKind(v), v.Raw)
		}
		return
	}
	if err := c.checkScalar(t.NamedType, v); err != nil {
		errs.add(loc, t, literalKind(v), err.Error())
	}
}

func (c *Coercer) checkObject(def *ast.Definition, t *ast.Type, v *ast.Value, loc location, errs *errorList) {
	if v.Kind != ast.ObjectValue {
		errs.add(loc, t, literalKind(v), "")
		return
	}
	for _, child := range v.Children {
		childLoc := loc.child(child.Name)
		if field := def.Fields.ForName(child.Name); field != nil {
			c.checkLiteral(field.Type, child.Value, childLoc, errs)
			continue
		}
		childLoc.position = child.Position
		errs.addUnknown(childLoc, def, child.Name)
	}
	for _, field := range def.Fields {
		if field.Type.NonNull && field.DefaultValue == nil && v.Children.ForName(field.Name) == nil {
			errs.add(loc.child(field.Name), field.Type, "nothing", "")
		}
	}
}

func (c *Coercer) checkScalar(name string, v *ast.Value) error {
	var fits bool
	switch name {
	case "Int":
		if v.Kind == ast.FloatValue {
			return errNotation
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
			_, err := literalValue(v)
			return err
		}
	default:
		return c.checkCustom(name, v)
	}
	if !fits {
		return errWrongKind
	}
	return nil
}

func (c *Coercer) checkCustom(name string, v *ast.Value) error {
	value, err := literalValue(v)
	check := c.scalars[name]
	switch {
	case err != nil:
		return err
	case check == nil:
		return nil
	case v.Kind == ast.EnumValue:
		return errWrongKind // it would be decoded as a string
	}
	return check(value)
}

// literalValue rejects numbers that gqlparser cannot decode: it would panic on them
// during execution.
func literalValue(v *ast.Value) (any, error) {
	value, err := v.Value(nil)
	if err != nil {
		return nil, errRange
	}
	return value, nil
}

// literalKind returns the kind of a literal.
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
