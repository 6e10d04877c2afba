package cost

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
)

// A price is what the directive @cost says of a field. Its members are the
// arguments of the directive, which graph/schema/cost.graphqls explains.
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

// free reports whether the field itself costs nothing, whatever is selected.
func (p price) free() bool {
	return p.calls == 0 && !p.load && !p.ownerLoad && !p.viewer && p.sharedWith == ""
}

// priceOf reads the directive @cost of a field. Without one the field is free.
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
		if err := read(a, members[a.Name]); err != nil {
			return price{}, err
		}
	}
	if p.calls < 0 {
		return price{}, errors.New("@cost(calls:) is negative")
	}
	for _, argument := range []string{p.perElement, p.condition} {
		if argument != "" && def.Arguments.ForName(argument) == nil {
			return price{}, fmt.Errorf("@cost names the argument %q, which the field does not have", argument)
		}
	}
	return p, nil
}

// sizeOf reads the directive @listSize of a field; 0 without one.
func sizeOf(def *ast.FieldDefinition) (size int64, err error) {
	d := def.Directives.ForName("listSize")
	if d == nil {
		return 0, nil
	}
	for _, a := range d.Arguments {
		if err := read(a, &size); err != nil {
			return 0, err
		}
	}
	if size < 1 {
		return 0, errors.New("@listSize(assumedSize:) is not positive")
	}
	return size, nil
}

// read puts the value of an argument of a directive into a member of its type.
func read(a *ast.Argument, into any) error {
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
		return fmt.Errorf("%s: %s is not a value of that argument", a.Name, a.Value)
	}
	return nil
}

// A field is what the estimate has to know of a field of an object type.
type field struct {
	def   *ast.FieldDefinition
	owner string
	price
	paged bool       // a connection: its arguments say how many items there are
	list  lists.List // of a connection
	size  int64      // how many objects it returns at most; of a connection unused
	full  bool       // its objects are looked up themselves
	own   bool       // of a count: the viewer's is corrected for the viewer's latest writes
}

// ownCounts are the counts of the viewer that are corrected for the viewer's
// latest writes, by a load of each target.
var ownCounts = lists.OwnCounts()

// readField gathers what is known of a field.
func readField(schema *ast.Schema, owner *ast.Definition, def *ast.FieldDefinition) (*field, error) {
	name := owner.Name + "." + def.Name
	p, err := priceOf(def)
	if err != nil {
		return nil, err
	}
	result := schema.Types[def.Type.Name()]
	isList := def.Type.Elem != nil
	f := &field{
		def: def, owner: owner.Name, price: p, size: 1, own: ownCounts[name],
		paged: def.Arguments.ForName("first") != nil,
	}
	f.full = !f.paged && result.IsCompositeType() && (p.viewer || p.calls > 0 && (!isList || p.perElement != ""))
	if f.paged {
		known := false
		if f.list, known = lists.OfField(name); !known {
			return nil, errors.New("it has pages and no row in the table of lists, graph/lists/table.go")
		}
		if p.calls != 1 {
			return nil, errors.New("it has pages and not the price @cost(calls: 1)")
		}
	}
	if isList {
		if f.size, err = sizeOf(def); err != nil {
			return nil, err
		}
	}
	if p.sharedWith != "" && (owner.Fields.ForName(p.sharedWith) == nil || owner.Fields.ForName(viewerField) == nil) {
		return nil, fmt.Errorf("@cost(sharedWith: %q) needs that field and %q beside it", p.sharedWith, viewerField)
	}
	return f, nil
}

// at returns the file and the line of a field of a schema that gqlgen embeds, and
// its name.
func at(owner string, def *ast.FieldDefinition) string {
	name := owner + "." + def.Name
	if def.Position == nil || def.Position.Src == nil {
		return name
	}
	file := def.Position.Src.Name
	if strings.HasPrefix(file, "../") { // from the folder of the generated code
		file = path.Join("graph/generated", file)
	}
	return fmt.Sprintf("%s:%d: %s", file, def.Position.Line, name)
}
