package projection

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/model"
)

// A method is the resolver of a connection field: a method of the generated interface, whose arguments are a context, the
// parent, and the arguments of the field in the order of the schema.
type method struct {
	call      reflect.Value
	arguments []string
}

// methods returns the resolvers of all connections below the root types, by the name of the field: "User.cloudcasts".
func methods(root any, schema *ast.Schema) map[string]method {
	found := map[string]method{}
	for _, name := range lists.Fields() {
		typ, field, _ := strings.Cut(name, ".")
		definition := schema.Types[typ].Fields.ForName(field)
		of := reflect.ValueOf(root).MethodByName(typ)
		if typ == schema.Query.Name || definition == nil || !of.IsValid() {
			continue
		}
		m := method{call: of.Call(nil)[0].MethodByName(strings.ToUpper(field[:1]) + field[1:])}
		for _, argument := range definition.Arguments {
			m.arguments = append(m.arguments, argument.Name)
		}
		if m.call.IsValid() {
			found[name] = m
		}
	}
	return found
}

// read calls the resolver of a connection.
func (c *connectionCall) read(ctx context.Context, parent any, variables map[string]any) (any, error) {
	given := c.field.ArgumentMap(variables)
	in := make([]reflect.Value, 0, 2+len(c.method.arguments))
	in = append(in, reflect.ValueOf(ctx), reflect.ValueOf(parent))
	for i, name := range c.method.arguments {
		value, err := argument(c.method.call.Type().In(i+2), given[name])
		if err != nil {
			return nil, err
		}
		in = append(in, value)
	}
	out := c.method.call.Call(in)
	err, _ := reflect.TypeAssert[error](out[1])
	return out[0].Interface(), err
}

var errArgument = errors.New("no connection has an argument of this type")

// argument converts the value of an argument to the type that the resolver takes.
func argument(typ reflect.Type, value any) (reflect.Value, error) {
	if value == nil {
		return reflect.Zero(typ), nil
	}
	switch typ {
	case reflect.TypeFor[*int]():
		n, err := model.UnmarshalInt(value)
		return reflect.ValueOf(&n), err
	case reflect.TypeFor[*string]():
		text, ok := value.(string)
		if !ok {
			return reflect.Value{}, errArgument
		}
		return reflect.ValueOf(&text), nil
	case reflect.TypeFor[*time.Time]():
		t, err := model.UnmarshalDateTime(value)
		return reflect.ValueOf(&t), err
	}
	return reflect.Value{}, errArgument
}
