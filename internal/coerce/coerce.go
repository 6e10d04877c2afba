// Package coerce judges and converts the input of an operation before anything
// runs, by the rules of the GraphQL specification (section 3, "Input Coercion",
// and 6.1.2, "Coercing Variable Values").
//
// It works in two steps. [Coercer.Rule] replaces gqlparser's rule for literals
// and runs once for a document, with the rest of the validation. [Coercer.Variables]
// runs once for a request: it returns the values that the executor uses, or one
// error for each bad value, of which the first [MaxErrors] are described. gqlparser and gqlgen are more lenient ("2" is an Int
// for them) and judge custom scalars while fields run, when other fields of a
// mutation have been executed already.
//
// The package knows no schema. Custom scalars are judged by the functions that
// read them (see [Scalar]), so that what is accepted here can be read later.
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

// MaxErrors is the number of bad values that are described for one request. The
// errors beyond are there to be counted and have no message.
const MaxErrors = 20

// A Scalar judges a value of a custom scalar: a JSON value as encoding/json
// decodes it with UseNumber, the value of a literal, or what a transport puts in
// place of a file. Its error continues "it", as in "must be an even number".
type Scalar func(value any) error

// A Coercer judges input for one schema. It is safe for concurrent use.
type Coercer struct {
	// Suggest makes errors name similar names of the schema. It is set before use.
	Suggest bool

	schema  *ast.Schema
	scalars map[string]Scalar
}

// New returns a Coercer. A custom scalar without an entry accepts every value.
func New(schema *ast.Schema, scalars map[string]Scalar) *Coercer {
	return &Coercer{true, schema, scalars}
}

// Variables coerces the variables of a validated operation. Values that the
// operation does not declare are left out. The values of the result are nil,
// bool, int64 (Int), float64, string (String, ID and enums), []any,
// map[string]any, and those of custom scalars unchanged. It does not change raw.
func (c *Coercer) Variables(op *ast.OperationDefinition, raw map[string]any) (map[string]any, gqlerror.List) {
	faults := faults{suggest: c.Suggest}
	values := make(map[string]any, len(op.VariableDefinitions))
	for _, def := range op.VariableDefinitions {
		at := place{name: def.Variable, variable: true, position: def.Position}
		value, given := raw[def.Variable]
		switch {
		case given:
		case def.DefaultValue != nil:
			value, _ = def.DefaultValue.Value(nil) // the rule has judged it
		case def.Type.NonNull:
			faults.add(at, def.Type, "nothing", "")
			continue
		default:
			continue
		}
		values[def.Variable] = c.value(def.Type, value, at, &faults)
	}
	if len(faults.list) > 0 {
		return nil, faults.list
	}
	c.nulls(op, values, &faults)
	return values, faults.list
}

// value coerces one value; after a fault the result is meaningless.
func (c *Coercer) value(t *ast.Type, v any, at place, faults *faults) any {
	switch {
	case v == nil && t.NonNull:
		faults.add(at, t, "null", "")
		return nil
	case v == nil:
		return nil
	case t.Elem != nil:
		return c.list(t, v, at, faults)
	}
	def := c.schema.Types[t.NamedType]
	switch {
	case def == nil:
		return nil // not valid, so this is never reached
	case def.Kind == ast.InputObject:
		return c.object(def, t, v, at, faults)
	case def.Kind == ast.Enum:
		name, isString := v.(string)
		if !isString || def.EnumValues.ForName(name) == nil {
			faults.addEnum(at, t, def, kindOf(v), name)
		}
		return v
	}
	result, err := c.scalar(t.NamedType, v)
	if err != nil {
		faults.add(at, t, kindOf(v), err.Error())
	}
	return result
}

func (c *Coercer) list(t *ast.Type, v any, at place, faults *faults) any {
	items, isList := v.([]any)
	if !isList {
		return []any{c.value(t.Elem, v, at, faults)}
	}
	result := make([]any, len(items))
	for i, item := range items {
		result[i] = c.value(t.Elem, item, at.in(strconv.Itoa(i)), faults)
	}
	return result
}

func (c *Coercer) object(def *ast.Definition, t *ast.Type, v any, at place, faults *faults) any {
	members, isObject := v.(map[string]any)
	if !isObject {
		faults.add(at, t, kindOf(v), "")
		return nil
	}
	result := make(map[string]any, len(def.Fields))
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if def.Fields.ForName(name) == nil {
			faults.addUnknown(at.in(name), def, name)
		}
	}
	for _, field := range def.Fields {
		member, given := members[field.Name]
		switch {
		case given:
			result[field.Name] = c.value(field.Type, member, at.in(field.Name), faults)
		case field.DefaultValue != nil:
			value, _ := field.DefaultValue.Value(nil) // the schema's own
			result[field.Name] = c.value(field.Type, value, at.in(field.Name), faults)
		case field.Type.NonNull:
			faults.add(at.in(field.Name), field.Type, "nothing", "")
		}
	}
	return result
}

// errType is a value whose kind alone is wrong: there is nothing to explain.
var errType = errors.New("")

// Reasons that the kind of a value does not show.
var (
	errInt32  = errors.New("must be a whole number of at most 32 bits")
	errPoint  = errors.New("must be written without a point or an exponent")
	errRange  = errors.New("must be within the range of 64 bits")
	errFinite = errors.New("must be a finite number of 64 bits")
	errWhole  = errors.New("must be a text or a whole number")
)

// scalar coerces a value that is not null to a scalar.
func (c *Coercer) scalar(name string, v any) (any, error) {
	switch name {
	case "Int":
		return toInt(v)
	case "Float":
		f, isNumber := toFloat(v)
		switch {
		case !isNumber:
			return nil, errType
		case math.IsInf(f, 0) || math.IsNaN(f):
			return nil, errFinite
		}
		return f, nil
	case "String":
		if s, ok := v.(string); ok {
			return s, nil
		}
		return nil, errType
	case "Boolean":
		if b, ok := v.(bool); ok {
			return b, nil
		}
		return nil, errType
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

// toInt accepts every notation of a whole number: JSON has one kind of number,
// and clients of some languages write 1.0.
func toInt(v any) (any, error) {
	f, isNumber := toFloat(v)
	switch {
	case !isNumber:
		return nil, errType
	case f != math.Trunc(f) || f < math.MinInt32 || f > math.MaxInt32:
		return nil, errInt32
	}
	return int64(f), nil
}

// toID accepts texts and whole numbers, which become texts. A number that is
// written in digits alone keeps them all, however many.
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
		return nil, errType
	case f != math.Trunc(f) || math.Abs(f) > 1<<53: // beyond, digits would be invented
		return nil, errWhole
	}
	return strconv.FormatFloat(f, 'f', 0, 64), nil
}

// toFloat reads a number of any Go type that a decoder or a literal gives. A
// number beyond the range of float64 is infinite.
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
