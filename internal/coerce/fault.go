package coerce

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"

	"mixcloud-graphql/internal/gqlerr"
)

// longestName is the longest name, in bytes, of an unknown member that is quoted,
// and compared with others: the comparison takes the product of both lengths.
const longestName = 64

// A place is where a value stands in the input.
type place struct {
	name      string   // of the variable or the argument
	variable  bool     // it is a variable's
	isDefault bool     // it is the default in the variable's declaration
	of        string   // the argument's field or directive, such as "Query.popular"
	path      []string // within the value
	position  *ast.Position
}

// in returns the place of a member or an item.
func (p place) in(step string) place {
	if len(step) > longestName {
		step = strings.ToValidUTF8(step[:longestName], "") + "…"
	}
	p.path = append(slices.Clip(p.path), step)
	return p
}

func (p place) String() string {
	name := strings.Join(append([]string{p.name}, p.path...), ".")
	switch {
	case p.isDefault:
		return `The default of the variable "$` + name + `"`
	case p.variable:
		return `Variable "$` + name + `"`
	}
	return `Argument "` + name + `" of ` + p.of
}

// faults collects what is wrong with the input. Beyond [MaxErrors] it counts: the
// list has the same error without a message for each fault.
type faults struct {
	list    gqlerror.List
	suggest bool // similar names of the schema
	rest    *gqlerror.Error
}

// counted adds a fault that is only counted, and reports whether it did.
func (f *faults) counted() bool {
	if len(f.list) < MaxErrors {
		return false
	}
	if f.rest == nil {
		f.rest = &gqlerror.Error{Err: &gqlerr.Error{Code: gqlerr.CodeValidationFailed}}
	}
	f.list = append(f.list, f.rest)
	return true
}

// add reports a value of the wrong kind. No value is quoted: it may be a secret.
// Reason continues "it"; it is empty when the kind says everything.
func (f *faults) add(at place, want *ast.Type, kind, reason string) {
	if f.counted() {
		return
	}
	message := at.String() + " must be " + article(want.String())
	switch {
	case kind == "nothing":
		message = at.String() + " is missing: it must be " + article(want.String()) + "."
	case reason != "":
		message += ", and this " + kind + " is none: it " + reason + "."
	default:
		message += ", not " + article(kind) + "."
	}
	f.put(at, message, map[string]any{"expected": want.String(), "received": kind})
}

// addEnum reports a value that is none of an enum's.
func (f *faults) addEnum(at place, want *ast.Type, def *ast.Definition, kind, name string) {
	if f.counted() {
		return
	}
	names := make([]string, len(def.EnumValues))
	for i, v := range def.EnumValues {
		names[i] = v.Name
	}
	message := at.String() + " must be " + article(want.String()) + ", not " + article(kind)
	switch suggested := f.similar(name, names); {
	case kind != "string" && kind != "enum value", kind == "string" && !f.suggest:
		message += "."
	case slices.Contains(names, name): // a literal in quotes
		message += ". Did you mean " + name + ", without quotes?"
	case suggested != "":
		message += " that is none of its values. Did you mean " + suggested + "?"
	default:
		message += " that is none of its values."
	}
	f.put(at, message, map[string]any{"expected": want.String(), "received": kind})
}

// addUnknown reports a member that an input object does not have.
func (f *faults) addUnknown(at place, def *ast.Definition, name string) {
	if f.counted() {
		return
	}
	names := make([]string, len(def.Fields))
	for i, field := range def.Fields {
		names[i] = field.Name
	}
	message := at.String() + " is unknown: " + def.Name + " has no such field."
	if suggested := f.similar(name, names); suggested != "" {
		message += " Did you mean " + suggested + "?"
	}
	f.put(at, message, map[string]any{"expected": def.Name})
}

func (f *faults) put(at place, message string, details map[string]any) {
	member := "argument"
	if at.variable {
		member = "variable"
	}
	details[member] = at.name
	if len(at.path) > 0 {
		details["path"] = at.path
	}
	err := gqlerror.Wrap(&gqlerr.Error{Code: gqlerr.CodeValidationFailed, Message: message, Details: details})
	err.Message = message
	if at.position != nil {
		err.Locations = []gqlerror.Location{{Line: at.position.Line, Column: at.position.Column}}
	}
	f.list = append(f.list, err)
}

// suggest names what may be meant; "" for nothing near.
func (f *faults) similar(name string, names []string) string {
	if !f.suggest || len(name) > longestName {
		return ""
	}
	near := core.SuggestionList(name, names)
	if len(near) == 0 {
		return ""
	}
	return core.QuotedOrList(near...)
}

func article(noun string) string {
	switch {
	case noun == "null" || noun == "nothing":
		return noun
	case strings.ContainsRune("AEIOUaeio", rune(noun[0])): // a User, a unit
		return "an " + noun
	}
	return "a " + noun
}

// kindOf names the kind of a variable's value.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number, float64, int64, int:
		return "number"
	case []any:
		return "list"
	case map[string]any:
		return "object"
	}
	return "file" // nothing else is put into variables
}
