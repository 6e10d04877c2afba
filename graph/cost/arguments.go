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

// argument returns the value of an argument of a field, or nil if it has none or
// an invalid one.
func (w *walk) argument(f *ast.Field, def *ast.FieldDefinition, name string) any {
	if arg := f.Arguments.ForName(name); arg != nil && arg.Value != nil {
		_, set := w.variables[arg.Value.Raw]
		declared := arg.Value.VariableDefinition
		if arg.Value.Kind != ast.Variable || set || declared != nil && declared.DefaultValue != nil {
			value, err := valueOf(arg.Value, w.variables)
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

// valueOf returns the value of a literal or a variable. gqlparser's own function
// panics on values that its parser does not produce; valueOf returns an error.
func valueOf(v *ast.Value, variables map[string]any) (value any, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("cost: %v", p)
		}
	}()
	return v.Value(variables)
}

// A page describes the page that the arguments of a connection request.
type page struct {
	size       int    // the maximum number of items
	calls      int64  // the maximum number of calls for the page itself
	fromCursor bool   // it starts at a cursor, which only one owner's list has
	timeBounds bool   // it has since or until, so totalCount needs no load
	id         string // equal for pages of one list with the same size and direction
}

// pageOf returns the page that a connection requests. Invalid arguments cost
// nothing, because the operation rejects them before a call.
func (w *walk) pageOf(s *ast.Field, f *field) page {
	args := paging.Args{
		First: w.intArgument(s, f, "first"), Last: w.intArgument(s, f, "last"), Offset: w.intArgument(s, f, "offset"),
		After: w.stringArgument(s, f, "after"), Before: w.stringArgument(s, f, "before"),
		Since: w.timeArgument(s, f, "since", anySince), Until: w.timeArgument(s, f, "until", anyUntil),
	}
	if size, ok := w.sizes[s]; ok {
		if args.Last != nil {
			args.Last = &size
		} else {
			args.First = &size
		}
	}
	requested, err := paging.Check(args)
	if err != nil {
		return page{id: "invalid"}
	}
	p := page{
		size: requested.Size(), fromCursor: args.After != nil || args.Before != nil,
		timeBounds: args.Since != nil || args.Until != nil,
		id:         strconv.FormatBool(requested.Backward()) + strconv.Itoa(requested.Size()),
	}
	if p.size > 0 {
		p.calls = callsOf(f, args)
	}
	if p.calls == 0 {
		p.size = 0
	}
	return p
}

// callsOf returns the maximum number of calls for a page, or 0 for an invalid
// cursor.
func callsOf(f *field, args paging.Args) int64 {
	calls := int64(paging.MaxCalls(args, f.list.Dated))
	if f.list.FormerSegment != "" { // the page may be read under the former path too
		calls *= 2
	}
	return calls
}

// intArgument returns the value of an Int argument, or nil.
func (w *walk) intArgument(s *ast.Field, f *field, name string) *int {
	v := w.argument(s, f.def, name)
	if v == nil {
		return nil
	}
	n, err := graphql.UnmarshalInt32(v)
	if err != nil {
		return nil
	}
	value := int(n)
	return &value
}

// stringArgument returns the value of a String argument, or nil.
func (w *walk) stringArgument(s *ast.Field, f *field, name string) *string {
	text, ok := w.argument(s, f.def, name).(string)
	if !ok {
		return nil
	}
	return &text
}

// listArgument returns the elements of a list argument. A single value is a list
// of one element, as in GraphQL's input coercion.
func (w *walk) listArgument(s *ast.Field, f *field, name string) []any {
	switch v := w.argument(s, f.def, name).(type) {
	case nil:
		return nil
	case []any:
		return v
	case []string: // gqlparser coerces a single value of a variable to this type
		all := make([]any, len(v))
		for i := range v {
			all[i] = v[i]
		}
		return all
	default:
		return []any{v}
	}
}

// lookupArguments are the arguments of root fields that identify a resource.
var lookupArguments = []string{"key", "username", "name", "slug", "url", "tags", "city"}

// looksUpDecomposed reports whether a root field identifies a resource by text that
// is not in Unicode NFC. Such a resource may be looked up under two forms.
func (w *walk) looksUpDecomposed(s *ast.Field, f *field) bool {
	if f.owner != w.schema.Query.Name {
		return false
	}
	for _, name := range lookupArguments {
		if f.def.Arguments.ForName(name) != nil && anyDecomposed(w.listArgument(s, f, name)...) {
			return true
		}
	}
	return false
}

// anyDecomposed reports whether any of the texts is not in Unicode NFC, before or after
// percent-decoding. A URL in a parameter of another URL may be encoded twice.
func anyDecomposed(texts ...any) bool {
	for _, v := range texts {
		text, _ := v.(string)
		for range 3 {
			if !norm.NFC.IsNormalString(text) {
				return true
			}
			decoded, err := url.PathUnescape(text)
			if err != nil || decoded == text {
				break
			}
			text = decoded
		}
	}
	return false
}

// Only the presence of since and until changes the estimate, so it uses these times
// for them. They are in order, so that paging.Check accepts them.
var anySince, anyUntil = time.Unix(1, 0), time.Unix(2, 0)

// timeArgument returns a fixed time if a DateTime argument has a value, else nil.
func (w *walk) timeArgument(s *ast.Field, f *field, name string, fixed time.Time) *time.Time {
	if w.argument(s, f.def, name) == nil {
		return nil
	}
	return &fixed
}
