package cost

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"golang.org/x/text/unicode/norm"

	"mixcloud-graphql/graph/paging"
)

// argument is the value of a field's argument, nil if there is none or if it
// cannot be told.
func (w *walk) argument(f *ast.Field, def *ast.FieldDefinition, name string) any {
	if given := f.Arguments.ForName(name); given != nil && given.Value != nil {
		_, set := w.variables[given.Value.Raw]
		declared := given.Value.VariableDefinition
		if given.Value.Kind != ast.Variable || set || declared != nil && declared.DefaultValue != nil {
			value, err := valueOf(given.Value, w.variables)
			if err != nil {
				return nil
			}
			return value
		}
	}
	if a := def.Arguments.ForName(name); a != nil && a.DefaultValue != nil {
		value, err := valueOf(a.DefaultValue, nil)
		if err == nil {
			return value
		}
	}
	return nil
}

// valueOf is the value of a literal or a variable. The parser's own function
// panics on what no parser gives.
func valueOf(v *ast.Value, variables map[string]any) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cost: %v", p)
		}
	}()
	return v.Value(variables)
}

// A page is what the arguments of a connection ask for.
type page struct {
	size   int   // how many items at most
	calls  int64 // what the page itself takes
	bound  bool  // by a cursor, which one owner's list alone has
	within bool  // within bounds in time, where nobody counts
	name   string
}

// page reads the arguments of a connection. What is refused costs nothing.
func (w *walk) page(s *ast.Field, f *field) page {
	args := paging.Args{
		First: w.number(s, f, "first"), Last: w.number(s, f, "last"), Offset: w.number(s, f, "offset"),
		After: w.text(s, f, "after"), Before: w.text(s, f, "before"),
		Since: w.moment(s, f, "since", early), Until: w.moment(s, f, "until", late),
	}
	if size, ok := w.resized[s]; ok {
		if args.Last != nil {
			args.Last = &size
		} else {
			args.First = &size
		}
	}
	asked, err := paging.Check(args)
	if err != nil {
		return page{name: "refused"}
	}
	p := page{
		size: asked.Size(), bound: args.After != nil || args.Before != nil,
		within: args.Since != nil || args.Until != nil,
		name:   strconv.FormatBool(asked.Backward()) + strconv.Itoa(asked.Size()),
	}
	if p.size > 0 {
		p.calls = callsOf(f, args)
	}
	if p.calls == 0 {
		p.size = 0
	}
	return p
}

// callsOf returns how many calls a page takes at most; 0 for one by a cursor that
// is none.
func callsOf(f *field, args paging.Args) int64 {
	calls := int64(paging.MaxCalls(args, f.list.Dated))
	if f.list.Former != "" { // it is read under its former name too
		calls *= 2
	}
	return calls
}

func (w *walk) number(s *ast.Field, f *field, name string) *int {
	v := w.argument(s, f.def, name)
	if v == nil {
		return nil
	}
	n, err := graphql.UnmarshalInt32(v)
	if err != nil {
		return nil
	}
	whole := int(n)
	return &whole
}

func (w *walk) text(s *ast.Field, f *field, name string) *string {
	text, ok := w.argument(s, f.def, name).(string)
	if !ok {
		return nil
	}
	return &text
}

// list is the value of an argument that takes a list, of which one element may
// stand alone.
func (w *walk) list(s *ast.Field, f *field, name string) []any {
	switch v := w.argument(s, f.def, name).(type) {
	case nil:
		return nil
	case []any:
		return v
	case []string: // what a single value of a variable becomes
		all := make([]any, len(v))
		for i := range v {
			all[i] = v[i]
		}
		return all
	default:
		return []any{v}
	}
}

// naming are the arguments of root fields by which a resource is looked up.
var naming = []string{"key", "username", "name", "slug", "url", "tags", "city"}

// decomposed reports whether a root field names a resource in a way that may be
// tried in two forms.
func (w *walk) decomposed(s *ast.Field, f *field) bool {
	if f.owner != w.schema.Query.Name {
		return false
	}
	for _, name := range naming {
		if f.def.Arguments.ForName(name) != nil && decomposed(w.list(s, f, name)...) {
			return true
		}
	}
	return false
}

// decomposed reports whether one of some texts is not in Unicode NFC, as it is or
// escaped. An address in a parameter of another may be escaped twice.
func decomposed(texts ...any) bool {
	for _, v := range texts {
		text, _ := v.(string)
		for range 3 {
			if !norm.NFC.IsNormalString(text) {
				return true
			}
			plain, err := url.PathUnescape(text)
			if err != nil || plain == text {
				break
			}
			text = plain
		}
	}
	return false
}

// Bounds in time count by being there. These two are in order, as those must be
// that are not refused.
var early, late = time.Unix(1, 0), time.Unix(2, 0)

func (w *walk) moment(s *ast.Field, f *field, name string, some time.Time) *time.Time {
	if w.argument(s, f.def, name) == nil {
		return nil
	}
	return &some
}
