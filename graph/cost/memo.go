package cost

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/opstats"
)

// maxResults is the maximum number of results that a memo stores. Clients use few
// page sizes.
const maxResults = 16

// A memo stores the estimates of one document's operation. It lives as long as the
// parsed document.
type memo struct {
	inputs []memoInput

	mu      sync.RWMutex
	results map[memoKey]opstats.Estimate
}

type memoKeyOf struct{ op *ast.OperationDefinition } // in [compiled.Document]

// A memoKey contains everything that determines an estimate, other than the document.
type memoKey struct {
	caller    Caller
	variables string
}

// A memoInput is a variable that the estimate depends on.
type memoInput struct {
	variable string
	use      variableUse
}

// A variableUse is how an estimate depends on a variable.
type variableUse byte

const (
	ignored    variableUse = iota
	exact                  // its value: the size of a page or a condition
	presence               // whether it is null
	spelling               // whether its text is in Unicode NFC
	unforeseen             // its value, which the memo does not distinguish: keys or a cursor
)

// memoOf returns the memo of an operation, or nil if estimates of it are not stored.
func (e *Estimator) memoOf(ctx context.Context, op *ast.OperationDefinition) *memo {
	document := compiled.From(ctx)
	if document == nil || op.Operation == ast.Mutation { // the input of a mutation determines its calls
		return nil
	}
	return document.Get(memoKeyOf{op}, func() any {
		finder := inputFinder{Estimator: e, fragments: map[*ast.FragmentDefinition]bool{}}
		finder.visitDirectives(op.Directives)
		finder.visit(op.SelectionSet)
		return &memo{inputs: finder.inputs, results: map[memoKey]opstats.Estimate{}}
	}).(*memo)
}

// estimate returns a stored estimate, or stores the one that compute returns. Compute
// reports whether it may be stored.
func (m *memo) estimate(oc *graphql.OperationContext, caller Caller, compute func() (opstats.Estimate, bool)) opstats.Estimate {
	var buffer [64]byte
	values, ok := m.appendValues(buffer[:0], oc.Variables)
	if !ok {
		result, _ := compute()
		return result
	}
	m.mu.RLock()
	result, ok := m.results[memoKey{caller, string(values)}]
	m.mu.RUnlock()
	if ok {
		return result
	}
	if result, ok = compute(); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		if len(m.results) >= maxResults {
			clear(m.results)
		}
		m.results[memoKey{caller, string(values)}] = result
	}
	return result
}

// appendValues appends the part of the variables that the estimate depends on. It returns false if
// that part contains keys, cursors or invalid values: such an estimate is not stored.
func (m *memo) appendValues(b []byte, variables map[string]any) (_ []byte, ok bool) {
	for _, in := range m.inputs {
		value, set := variables[in.variable]
		b = append(strconv.AppendBool(b, set), 0)
		if value == nil {
			continue
		}
		switch in.use {
		case exact:
			if b, ok = appendScalar(b, value); !ok {
				return b, false
			}
		case presence:
			b = append(b, 1)
		case spelling:
			texts, ok := textsOf(value)
			if !ok {
				return b, false
			}
			b = strconv.AppendBool(b, anyDecomposed(texts...))
		default:
			return b, false
		}
		b = append(b, 0)
	}
	return b, true
}

// appendScalar appends an Int or a Boolean.
func appendScalar(b []byte, value any) (_ []byte, ok bool) {
	if condition, isBool := value.(bool); isBool {
		return strconv.AppendBool(b, condition), true
	}
	n, err := graphql.UnmarshalInt64(value)
	return strconv.AppendInt(b, n, 10), err == nil
}

// textsOf returns the elements of a text or a list of texts.
func textsOf(value any) (texts []any, ok bool) {
	switch v := value.(type) {
	case string:
		return []any{v}, true
	case []any:
		return v, !slices.ContainsFunc(v, func(element any) bool { _, isText := element.(string); return !isText })
	default:
		return nil, false
	}
}

// An inputFinder finds the variables that an estimate depends on. It visits each
// fragment once.
type inputFinder struct {
	*Estimator
	fragments map[*ast.FragmentDefinition]bool
	inputs    []memoInput
}

func (f *inputFinder) visit(set ast.SelectionSet) {
	for _, selection := range set {
		switch s := selection.(type) {
		case *ast.Field:
			f.visitDirectives(s.Directives)
			for _, a := range s.Arguments {
				f.add(a.Value, f.useOf(s, a.Name))
			}
			f.visit(s.SelectionSet)
		case *ast.InlineFragment:
			f.visitDirectives(s.Directives)
			f.visit(s.SelectionSet)
		case *ast.FragmentSpread:
			f.visitDirectives(s.Directives)
			if d := s.Definition; d != nil && !f.fragments[d] {
				f.fragments[d] = true
				f.visit(d.SelectionSet)
			}
		}
	}
}

// visitDirectives adds the conditions of @skip and @include.
func (f *inputFinder) visitDirectives(directives ast.DirectiveList) {
	for _, d := range directives {
		for _, a := range d.Arguments {
			f.add(a.Value, exact)
		}
	}
}

// useOf returns how estimates depend on an argument of a field: what the methods of
// walk read.
func (f *inputFinder) useOf(s *ast.Field, argument string) variableUse {
	for _, fields := range f.fields { // of every type, since a field may be selected on an interface
		if priced := fields[s.Name]; priced != nil {
			switch argument {
			case priced.perElement:
				return unforeseen
			case priced.condition:
				return exact
			}
		}
	}
	switch argument {
	case "first", "last", "offset":
		return exact
	case "since", "until":
		return presence
	case "after", "before":
		return unforeseen
	}
	if slices.Contains(lookupArguments, argument) {
		return spelling
	}
	return ignored
}

// add adds the variables in a value.
func (f *inputFinder) add(v *ast.Value, use variableUse) {
	if v == nil || use == ignored {
		return
	}
	if in := (memoInput{v.Raw, use}); v.Kind == ast.Variable && !slices.Contains(f.inputs, in) {
		f.inputs = append(f.inputs, in)
	}
	for _, child := range v.Children {
		f.add(child.Value, use)
	}
}
