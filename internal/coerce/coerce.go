// Package coerce validates and converts the input of an operation before execution,
// by the rules of the GraphQL specification (section 3, "Input Coercion", and
// 6.1.2, "Coercing Variable Values").
//
// It works in two steps. [Coercer.Rule] replaces gqlparser's rule for literals and
// runs once per document, with the rest of the validation. [Coercer.Variables] runs
// once per request. It returns the values for the executor, or one error for each
// invalid value, of which the first [MaxErrors] have a message. gqlparser and
// gqlgen are more lenient ("2" is an Int for them) and validate custom scalars
// during execution, when other fields of a mutation may already have run.
//
// The package does not depend on a schema. Custom scalars are validated by the
// functions that decode them (see [Scalar]), so that every accepted value can be
// decoded later.
package coerce

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// MaxErrors is the maximum number of invalid values that are described per request.
// The other errors have no message and only count.
const MaxErrors = 20

// A Scalar validates a value of a custom scalar: a JSON value as decoded by
// encoding/json with UseNumber, the value of a literal, or a transport's
// replacement for a file. The error text continues "it", as in "must be an even
// number".
type Scalar func(value any) error

// A Coercer validates input for one schema. It is safe for concurrent use.
type Coercer struct {
	// Suggest makes errors suggest similar names of the schema. Set it before use.
	Suggest bool

	schema  *ast.Schema
	scalars map[string]Scalar
}

// New returns a Coercer. A custom scalar without an entry accepts every value.
func New(schema *ast.Schema, scalars map[string]Scalar) *Coercer {
	return &Coercer{true, schema, scalars}
}

// Variables coerces the variables of a validated operation. It ignores values that
// the operation does not declare. The values of the result are nil, bool, int64
// (Int), float64, string (String, ID and enums), []any, map[string]any, and those
// of custom scalars unchanged. It does not modify raw.
func (c *Coercer) Variables(op *ast.OperationDefinition, raw map[string]any) (map[string]any, gqlerror.List) {
	errs := errorList{suggest: c.Suggest}
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		loc := location{name: def.Variable, variable: true, position: def.Position}
		value, given := raw[def.Variable]
		switch {
		case given:
		case def.DefaultValue != nil:
			value, _ = def.DefaultValue.Value(nil) // validated by Rule
		case def.Type.NonNull:
			errs.add(loc, def.Type, "nothing", "")
			continue
		default:
			continue
		}
		values[def.Variable] = c.value(def.Type, value, loc, &errs)
	}
	if len(errs.list) > 0 {
		return nil, errs.list
	}
	c.checkNulls(op, values, &errs)
	return values, errs.list
}

// value coerces one value; after an error the result is meaningless.
func (c *Coercer) value(t *ast.Type, v any, loc location, errs *errorList) any {
	switch {
	case v == nil && t.NonNull:
		errs.add(loc, t, "null", "")
		return nil
	case v == nil:
		return nil
	case t.Elem != nil:
		return c.list(t, v, loc, errs)
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def == nil:
		return nil // unreachable for a valid document
	case def.Kind == ast.InputObject:
		return c.object(def, t, v, loc, errs)
	case def.Kind == ast.Enum:
		name, isString := v.(string)
		if !isString || def.EnumValues.ForName(name) == nil {
			errs.addEnum(loc, t, def, kindOf(v), name)
		}
		return v
	}
	result, err := c.scalar(t.NamedType, v)
	if err != nil {
		errs.add(loc, t, kindOf(v), err.Error())
	}
	return result
}

func (c *Coercer) list(t *ast.Type, v any, loc location, errs *errorList) any {
	items, isList := v.([]any)
	if !isList {
		return []any{c.value(t.Elem, v, loc, errs)}
	}
	result := make([]any, len(items))
	for i, item := range items {
		result[i] = c.value(t.Elem, item, loc.child(strconv.Itoa(i)), errs)
	}
	return result
}

func (c *Coercer) object(def *ast.Definition, t *ast.Type, v any, loc location, errs *errorList) any {
	fields, isObject := v.(map[string]any)
	if !isObject {
		errs.add(loc, t, kindOf(v), "")
		return nil
	}
	result := make(map[string]any, len(def.Fields))
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if def.Fields.ForName(name) == nil {
			errs.addUnknown(loc.child(name), def, name)
		}
	}
	for _, field := range def.Fields {
		value, given := fields[field.Name]
		switch {
		case given:
			result[field.Name] = c.value(field.Type, value, loc.child(field.Name), errs)
		case field.DefaultValue != nil:
			value, _ := field.DefaultValue.Value(nil) // valid by the schema's validation
			result[field.Name] = c.value(field.Type, value, loc.child(field.Name), errs)
		case field.Type.NonNull:
			errs.add(loc.child(field.Name), field.Type, "nothing", "")
		}
	}
	return result
}

// errWrongKind is the error for a value whose kind is wrong: no further reason is
// given.
var errWrongKind = errors.New("")

// Reasons that the kind of a value does not explain.
var (
	errInt32    = errors.New("must be a 32-bit integer")
	errNotation = errors.New("must be written without a decimal point or an exponent")
	errRange    = errors.New("must be within the range of a 64-bit integer")
	errFinite   = errors.New("must be a finite 64-bit number")
	errNotID    = errors.New("must be a string or an integer")
)

// scalar coerces a non-null value to a scalar.
func (c *Coercer) scalar(name string, v any) (any, error) {
	switch name {
	case "Int":
		return toInt(v)
	case "Float":
		f, isNumber := toFloat(v)
		switch {
		case !isNumber:
			return nil, errWrongKind
		case math.IsInf(f, 0) || math.IsNaN(f):
			return nil, errFinite
		}
		return f, nil
	case "String":
		if s, ok := v.(string); ok {
			return s, nil
		}
		return nil, errWrongKind
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, errWrongKind
	case "ID":
		return toID(v)
	}
	if check := c.scalars[name]; check != nil {
		if err := check(v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// toInt accepts every notation of a whole number: JSON has one kind of number, and
// clients in some languages write 1.0.
func toInt(v any) (any, error) {
	f, isNumber := toFloat(v)
	switch {
	case !isNumber:
		return nil, errWrongKind
	case f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32:
		return nil, errInt32
	}
	return int64(f), nil
}

// toID accepts strings and whole numbers, which become strings. A number written
// only in digits keeps all its digits.
func toID(v any) (any, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	if n, ok := v.(json.Number); ok && !strings.ContainsAny(n.String(), ".eE") {
		return n.String(), nil
	}
	f, isNumber := toFloat(v)
	switch {
	case !isNumber:
		return nil, errWrongKind
	case f != math.Trunc(f) || math.Abs(f) > 1<<53: // larger floats do not represent all digits
		return nil, errNotID
	}
	return strconv.FormatFloat(f, 'f', 0, 64), nil
}

// toFloat converts a number of any Go type that a decoder or a literal produces. A
// number outside the range of float64 is infinite.
func toFloat(v any) (f float64, isNumber bool) {
	switch v := v.(type) {
	case json.Number:
		f, err := strconv.ParseFloat(v.String(), 64)
		return f, err == nil || errors.Is(err, strconv.ErrRange)
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}
