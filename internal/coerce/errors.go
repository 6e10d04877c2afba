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

// maxNameLength is the maximum length, in bytes, of an unknown name that is quoted
// and compared with others: a comparison takes time proportional to the product of
// both lengths.
const maxNameLength = 64

// A location identifies a value in the input.
type location struct {
	name      string   // of the variable or the argument
	variable  bool     // the value of a variable
	isDefault bool     // the default value in the variable's declaration
	owner     string   // the argument's field or directive, such as "Query.popular"
	path      []string // inside the value
	position  *ast.Position
}

// child returns the location of a field or a list item.
func (l location) child(name string) location {
	if len(name) > maxNameLength {
		name = strings.ToValidUTF8(name[:maxNameLength], "") + "…"
	}
	l.path = append(slices.Clip(l.path), name)
	return l
}

func (l location) String() string {
	name := strings.Join(append([]string{l.name}, l.path...), ".")
	switch {
	case l.isDefault:
		return `The default of the variable "$` + name + `"`
	case l.variable:
		return `Variable "$` + name + `"`
	}
	return `Argument "` + name + `" of ` + l.owner
}

// An errorList collects the errors of the input. After [MaxErrors] errors it only
// counts them: each further entry of the list is the same error without a message.
type errorList struct {
	list    gqlerror.List
	suggest bool // suggest similar names of the schema
	counter *gqlerror.Error
}

// countOnly reports whether the list is full, and if so, counts an error.
func (l *errorList) countOnly() bool {
	if len(l.list) < MaxErrors {
		return false
	}
	if l.counter == nil {
		l.counter = &gqlerror.Error{Err: &gqlerr.Error{Code: gqlerr.CodeValidationFailed}}
	}
	l.list = append(l.list, l.counter)
	return true
}

// add reports a value of the wrong kind. The value itself is not quoted, because it
// may be a secret. Reason continues "it"; it is empty if the kind is a sufficient
// explanation.
func (l *errorList) add(loc location, want *ast.Type, kind, reason string) {
	if l.countOnly() {
		return
	}
	message := loc.String() + " must be " + article(want.String())
	switch {
	case kind == "nothing":
		message = loc.String() + " is missing: it must be " + article(want.String()) + "."
	case reason != "":
		message += ", but this " + kind + " is not valid: it " + reason + "."
	default:
		message += ", not " + article(kind) + "."
	}
	l.append(loc, message, map[string]any{"expected": want.String(), "received": kind})
}

// addEnum reports a value that is not one of an enum's values.
func (l *errorList) addEnum(loc location, want *ast.Type, def *ast.Definition, kind, name string) {
	if l.countOnly() {
		return
	}
	names := make([]string, len(def.EnumValues))
	for i, v := range def.EnumValues {
		names[i] = v.Name
	}
	message := loc.String() + " must be " + article(want.String())
	switch suggestion := l.similar(name, names); {
	case kind != "string" && kind != "enum value", kind == "string" && !l.suggest:
		message += ", not " + article(kind) + "."
	case slices.Contains(names, name): // a literal in quotes
		message += ", not " + article(kind) + ". Did you mean " + name + ", without quotes?"
	case suggestion != "":
		message += ", but this " + kind + " is not one of its values. Did you mean " + suggestion + "?"
	default:
		message += ", but this " + kind + " is not one of its values."
	}
	l.append(loc, message, map[string]any{"expected": want.String(), "received": kind})
}

// addUnknown reports a field that an input object does not have.
func (l *errorList) addUnknown(loc location, def *ast.Definition, name string) {
	if l.countOnly() {
		return
	}
	names := make([]string, len(def.Fields))
	for i, field := range def.Fields {
		names[i] = field.Name
	}
	message := loc.String() + " is unknown: " + def.Name + " has no such field."
	if suggestion := l.similar(name, names); suggestion != "" {
		message += " Did you mean " + suggestion + "?"
	}
	l.append(loc, message, map[string]any{"expected": def.Name})
}

func (l *errorList) append(loc location, message string, details map[string]any) {
	kind := "argument"
	if loc.variable {
		kind = "variable"
	}
	details[kind] = loc.name
	if len(loc.path) > 0 {
		details["path"] = loc.path
	}
	err := gqlerror.Wrap(&gqlerr.Error{Code: gqlerr.CodeValidationFailed, Message: message, Details: details})
	err.Message = message
	if loc.position != nil {
		err.Locations = []gqlerror.Location{{Line: loc.position.Line, Column: loc.position.Column}}
	}
	l.list = append(l.list, err)
}

// similar returns a suggestion for an unknown name, or "".
func (l *errorList) similar(name string, names []string) string {
	if !l.suggest || len(name) > maxNameLength {
		return ""
	}
	suggestions := core.SuggestionList(name, names)
	if len(suggestions) == 0 {
		return ""
	}
	return core.QuotedOrList(suggestions...)
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

// kindOf returns the kind of a variable's value.
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
	return "file" // the only other value in variables
}
