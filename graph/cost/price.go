package cost

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
)

// A price is the directive @cost of a field. Its members are the arguments of the
// directive, which graph/schema/cost.graphqls documents.
type price struct {
	calls          int64
	perElement     string
	load           bool
	ownerLoad      bool
	viewer         bool
	unlessComplete bool
	sharedWith     string
	undo           bool
	token          bool
	condition      string // the argument "if"
}

// free reports whether the field itself makes no calls.
func (p price) free() bool {
	return p.calls == 0 && !p.load && !p.ownerLoad && !p.viewer && p.sharedWith == ""
}

// priceOf returns the price of a field. A field without @cost is free.
func priceOf(def *ast.FieldDefinition) (p price, err error) {
	d := def.Directives.ForName("cost")
	if d == nil {
		return price{}, nil
	}
	members := map[string]any{
		"calls": &p.calls, "perElement": &p.perElement, "load": &p.load, "ownerLoad": &p.ownerLoad, "viewer": &p.viewer,
		"unlessComplete": &p.unlessComplete, "sharedWith": &p.sharedWith, "undo": &p.undo, "token": &p.token, "if": &p.condition,
	}
	for _, a := range d.Arguments {
		if err := readArgument(a, members[a.Name]); err != nil {
			return price{}, err
		}
	}
	if p.calls < 0 {
		return price{}, errors.New("@cost(calls:) must not be negative")
	}
	for _, argument := range []string{p.perElement, p.condition} {
		if argument != "" && def.Arguments.ForName(argument) == nil {
			return price{}, fmt.Errorf("@cost names the argument %q, which the field does not have", argument)
		}
	}
	return p, nil
}

// sizeOf returns the size in the directive @listSize of a field, or 0.
func sizeOf(def *ast.FieldDefinition) (size int64, err error) {
	d := def.Directives.ForName("listSize")
	if d == nil {
		return 0, nil
	}
	for _, a := range d.Arguments {
		if err := readArgument(a, &size); err != nil {
			return 0, err
		}
	}
	if size < 1 {
		return 0, errors.New("@listSize(assumedSize:) must be positive")
	}
	return size, nil
}

// readArgument stores the value of an argument of a directive in a variable of its
// type.
func readArgument(a *ast.Argument, into any) error {
	value, err := valueOf(a.Value, nil)
	if err != nil {
		return err
	}
	ok := false
	switch into := into.(type) {
	case *int64:
		*into, ok = value.(int64)
	case *bool:
		*into, ok = value.(bool)
	case *string:
		*into, ok = value.(string)
	}
	if !ok {
		return fmt.Errorf("%s: %s has the wrong type", a.Name, a.Value)
	}
	return nil
}

// A field describes a field of an object type to the estimator.
type field struct {
	def   *ast.FieldDefinition
	owner string
	price
	connection bool       // the arguments determine the number of items
	list       lists.List // of a connection
	size       int64      // the maximum number of objects; unused for a connection
	full       bool       // the field returns full objects
	ownCount   bool       // the viewer's count is corrected for the viewer's recent writes
}

// ownCounts are the fields with a count of the viewer that is corrected for the
// viewer's recent writes, by a load of each write's target.
var ownCounts = lists.OwnCounts()

// readField returns the description of a field.
func readField(schema *ast.Schema, owner *ast.Definition, def *ast.FieldDefinition) (*field, error) {
	name := owner.Name + "." + def.Name
	p, err := priceOf(def)
	if err != nil {
		return nil, err
	}
	result := schema.Types[def.Type.Name()]
	isList := def.Type.Elem != nil
	f := &field{
		def: def, owner: owner.Name, price: p, size: 1, ownCount: ownCounts[name],
		connection: def.Arguments.ForName("first") != nil,
	}
	f.full = !f.connection && result.IsCompositeType() && (p.viewer || p.calls > 0 && (!isList || p.perElement != ""))
	if f.connection {
		known := false
		if f.list, known = lists.ByField(name); !known {
			return nil, errors.New("a connection needs a row in the table graph/lists/table.go")
		}
		if p.calls != 1 {
			return nil, errors.New("a connection needs the price @cost(calls: 1)")
		}
	}
	if isList {
		if f.size, err = sizeOf(def); err != nil {
			return nil, err
		}
	}
	if p.sharedWith != "" && (owner.Fields.ForName(p.sharedWith) == nil || owner.Fields.ForName(viewerField) == nil) {
		return nil, fmt.Errorf("@cost(sharedWith: %q) needs the fields %q and %q in the same type", p.sharedWith, p.sharedWith, viewerField)
	}
	return f, nil
}

// location returns the file, the line and the name of a field of a schema that
// gqlgen embeds.
func location(owner string, def *ast.FieldDefinition) string {
	name := owner + "." + def.Name
	if def.Position == nil || def.Position.Src == nil {
		return name
	}
	file := def.Position.Src.Name
	if strings.HasPrefix(file, "../") { // relative to the directory of the generated code
		file = path.Join("graph/generated", file)
	}
	return fmt.Sprintf("%s:%d: %s", file, def.Position.Line, name)
}
