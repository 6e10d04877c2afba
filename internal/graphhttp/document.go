package graphhttp

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// singleRootField is the specification's rule for subscriptions: exactly one root field, which
// is unconditional and not introspection. gqlparser's own rule compares names, so that two
// aliases of one field pass, and ignores @skip and @include.
func singleRootField(observers *core.Events, addError core.AddErrFunc) {
	observers.OnOperation(func(w *core.Walker, op *ast.OperationDefinition) {
		if w.Schema.Subscription == nil || op.Operation != ast.Subscription {
			return
		}
		name := "The subscription"
		if op.Name != "" {
			name += " " + strconv.Quote(op.Name)
		}
		root := subscriptionRoot{visited: map[string]bool{}}
		root.read(op.SelectionSet)
		if root.second != nil {
			addError(core.Message("%s must select exactly one root field. Send each subscription in a separate request.", name), core.At(root.second.Position))
		}
		if d := root.conditional; d != nil {
			addError(core.Message("%s must not use @%s at its root.", name, d.Name), core.At(d.Position))
		}
		if f := root.introspection; f != nil {
			addError(core.Message("%s must not select %s at its root.", name, f.Name), core.At(f.Position))
		}
	})
}

// A subscriptionRoot collects the root selections of a subscription.
type subscriptionRoot struct {
	first, second *ast.Field // with different response keys
	introspection *ast.Field
	conditional   *ast.Directive
	visited       map[string]bool // fragments already visited
}

func (r *subscriptionRoot) read(set ast.SelectionSet) {
	for _, sel := range set {
		switch sel := sel.(type) {
		case *ast.Field:
			r.directives(sel.Directives)
			if strings.HasPrefix(sel.Name, "__") && r.introspection == nil {
				r.introspection = sel
			}
			switch {
			case r.first == nil:
				r.first = sel
			case r.second == nil && r.first.Alias != sel.Alias:
				r.second = sel
			}
		case *ast.InlineFragment:
			r.directives(sel.Directives)
			r.read(sel.SelectionSet)
		case *ast.FragmentSpread:
			r.directives(sel.Directives)
			if sel.Definition != nil && !r.visited[sel.Name] {
				r.visited[sel.Name] = true
				r.read(sel.Definition.SelectionSet)
			}
		}
	}
}

func (r *subscriptionRoot) directives(list ast.DirectiveList) {
	for _, d := range list {
		if r.conditional == nil && (d.Name == "skip" || d.Name == "include") {
			r.conditional = d
		}
	}
}

// emptyPair begins the parser's message for {} and () that must not be empty.
const emptyPair = "expected at least one definition, found "

// explainEmpty rewords the parser's error for empty braces or parentheses, which mentions
// definitions instead of fields or arguments.
func explainEmpty(err *gqlerror.Error, query string) {
	closer, ok := strings.CutPrefix(err.Message, emptyPair)
	switch {
	case !ok:
	case closer == ")":
		err.Message = "The parentheses are empty: add an argument or a variable, or remove them."
	case strings.TrimSpace(query) == "{}":
		err.Message = "The query is empty: select at least one field between { and }."
	default:
		err.Message = "The selection is empty: select at least one field between { and }."
	}
}

// checkSurrogates refuses a document with an unpaired surrogate escape (\uD800 to \uDFFF). Such
// an escape does not encode a character, and the parser would replace it.
func checkSurrogates(query string) *gqlerror.Error {
	if !strings.Contains(query, `\u`) {
		return nil
	}
	for i := 0; i < len(query); {
		switch {
		case query[i] == '#':
			i += lineLength(query[i:])
		case strings.HasPrefix(query[i:], `"""`):
			i += blockLength(query[i:])
		case query[i] == '"':
			length, lone := stringLength(query[i:])
			if lone >= 0 {
				return surrogateError(query, i+lone)
			}
			i += length
		default:
			i++
		}
	}
	return nil
}

func lineLength(s string) int {
	if end := strings.IndexAny(s, "\n\r"); end >= 0 {
		return end
	}
	return len(s)
}

// blockLength returns the length of a block string, in which only \""" is an escape.
func blockLength(s string) int {
	for i := 3; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], `\"""`):
			i += 3
		case strings.HasPrefix(s[i:], `"""`):
			return i + 3
		}
	}
	return len(s)
}

// stringLength returns the length of a string, and the offset of the first lone surrogate in it,
// or -1.
func stringLength(s string) (length, lone int) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return i + 1, -1
		case '\n', '\r': // unterminated, which the parser reports
			return i, -1
		case '\\':
			switch surrogateOf(s[i:]) {
			case high:
				if surrogateOf(s[min(i+6, len(s)):]) != low {
					return 0, i
				}
				i += 11
			case low:
				return 0, i
			default:
				i++
			}
		}
	}
	return len(s), -1
}

// A surrogate is a half of a surrogate pair.
type surrogate int

const (
	none surrogate = iota
	high
	low
)

// surrogateOf returns which half of a surrogate pair the escape at the beginning of s is.
func surrogateOf(s string) surrogate {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return none
	}
	unit, err := strconv.ParseUint(s[2:6], 16, 16)
	switch {
	case err != nil, unit < 0xD800, unit > 0xDFFF:
		return none
	case unit < 0xDC00:
		return high
	}
	return low
}

func surrogateError(query string, at int) *gqlerror.Error {
	before := query[:at]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1
	return &gqlerror.Error{
		Message:   "The string contains a lone surrogate, " + query[at:at+6] + ", which is not a valid character.",
		Locations: []gqlerror.Location{{Line: line, Column: column}},
	}
}
