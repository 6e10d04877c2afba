package cost

import (
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// A place is a page and where it stands in the answer.
type place struct {
	field    *ast.Field
	at       int // the same for what is one page
	path     []string
	argument string
	variable string // "" when the size is no variable's
	size     int
}

// A survey finds the pages of an operation, level by level: those of a fragment
// where it is first spread.
type survey struct {
	*walk
	queue  []level
	spread map[*ast.FragmentDefinition]bool
	below  map[string]int // numbers of what is selected, by its parent's number and its own identity
	found  []*place
}

// A level is a selection that is yet to be looked at.
type level struct {
	typ  *ast.Definition
	set  ast.SelectionSet
	path []string
	at   int // the same for selections of the same objects
}

// pages finds those pages of an operation that have more than one item.
func (w *walk) pages(op *ast.OperationDefinition) []*place {
	root := map[ast.Operation]*ast.Definition{ast.Query: w.schema.Query, ast.Mutation: w.schema.Mutation, ast.Subscription: w.schema.Subscription}
	s := survey{
		walk: w, queue: []level{{typ: root[op.Operation], set: op.SelectionSet}},
		spread: map[*ast.FragmentDefinition]bool{}, below: map[string]int{},
	}
	for len(s.queue) > 0 {
		l := s.queue[0]
		s.queue = s.queue[1:]
		for _, selection := range l.set {
			s.look(l, selection)
		}
	}
	return s.found
}

func (s *survey) look(l level, selection ast.Selection) {
	switch v := selection.(type) {
	case *ast.InlineFragment:
		if v.TypeCondition != "" {
			l.typ = s.schema.Types[v.TypeCondition]
		}
		if l.set = v.SelectionSet; s.included(v.Directives) {
			s.queue = append(s.queue, l)
		}
	case *ast.FragmentSpread:
		if d := v.Definition; d != nil && !s.spread[d] && s.included(v.Directives) {
			s.spread[d] = true
			s.queue = append(s.queue, level{s.schema.Types[d.TypeCondition], d.SelectionSet, l.path, l.at})
		}
	case *ast.Field:
		if l.typ == nil || !s.included(v.Directives) {
			return
		}
		if def := l.typ.Fields.ForName(v.Name); def != nil {
			s.field(l, v, def)
		}
	}
}

func (s *survey) field(l level, v *ast.Field, def *ast.FieldDefinition) {
	path := append(slices.Clone(l.path), v.Alias)
	f := s.fields[l.typ.Name][v.Name]
	var asked page
	if f != nil && f.paged {
		asked = s.page(v, f)
	}
	at := l.at
	if !transparent(l.typ.Name) { // nodes are those of the edges
		name := v.Alias
		if f != nil && l.typ != s.schema.Mutation { // each of those is done
			name = s.identity(v, f, asked)
			if f.sharedWith != "" { // its node is the same object
				name = f.sharedWith
			}
		}
		name = strconv.Itoa(l.at) + "\x00" + name
		if s.below[name] == 0 {
			s.below[name] = len(s.below) + 1
		}
		at = s.below[name]
	}
	s.queue = append(s.queue, level{s.schema.Types[def.Type.Name()], v.SelectionSet, path, at})
	if asked.size <= 1 {
		return
	}
	p := &place{field: v, at: at, path: path, argument: "first", size: asked.size}
	if s.number(v, f, "last") != nil {
		p.argument = "last"
	}
	if given := v.Arguments.ForName(p.argument); given != nil && given.Value != nil && given.Value.Kind == ast.Variable {
		p.variable = given.Value.Raw
	}
	s.found = append(s.found, p)
}
