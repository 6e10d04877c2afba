package cost

import (
	"cmp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// A Fit is a change to an operation that brings it within a budget.
type Fit struct {
	Path     string // of the page in the answer, such as "user.cloudcasts"
	Argument string // "first", or "last" where that is what the page has
	Size     int    // the largest that fits, at least 1
}

// maxCandidates is how many pages of an operation are looked at for a fit, the
// outer ones first.
const maxCandidates = 16

// Fit looks for the page that costs most and for the largest size of it that
// brings the estimate down to the budget. False says that no single page does.
func (e *Estimator) Fit(op *ast.OperationDefinition, variables map[string]any, who Asker, budget int) (Fit, bool) {
	if _, done := e.estimate(op, variables, who, nil); !done {
		return Fit{}, false
	}
	w := &walk{Estimator: e, variables: variables, signed: who.Signed}
	type candidate struct {
		*place
		without int // the estimate without its items
	}
	with := func(f *ast.Field, size int) int {
		calls, _ := e.estimate(op, variables, who, map[*ast.Field]int{f: size})
		return calls
	}
	var all []candidate
	for _, p := range w.pages(op) {
		all = append(all, candidate{p, with(p.field, 1)})
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(a.without, b.without) })
	if len(all) == 0 || all[0].without > budget { // the others leave more
		return Fit{}, false
	}
	c := all[0]
	fits, over := 1, c.size // over is what it has, and that is too much
	for over-fits > 1 {
		if n := (fits + over) / 2; with(c.field, n) <= budget {
			fits = n
		} else {
			over = n
		}
	}
	return Fit{Path: strings.Join(c.path, "."), Argument: c.argument, Size: fits}, true
}

// A place is a page and where it stands in the answer.
type place struct {
	field    *ast.Field
	path     []string
	argument string
	size     int
}

// pages finds the pages of an operation that have items, level by level: those
// of a fragment where it is first spread.
func (w *walk) pages(op *ast.OperationDefinition) []*place {
	type level struct {
		typ  *ast.Definition
		set  ast.SelectionSet
		path []string
	}
	root := map[ast.Operation]*ast.Definition{ast.Query: w.schema.Query, ast.Mutation: w.schema.Mutation, ast.Subscription: w.schema.Subscription}
	queue := []level{{root[op.Operation], op.SelectionSet, nil}}
	spread := map[*ast.FragmentDefinition]bool{}
	var found []*place
	for len(queue) > 0 && len(found) < maxCandidates {
		l := queue[0]
		queue = queue[1:]
		for _, selection := range l.set {
			switch s := selection.(type) {
			case *ast.InlineFragment:
				typ := l.typ
				if s.TypeCondition != "" {
					typ = w.schema.Types[s.TypeCondition]
				}
				if w.included(s.Directives) {
					queue = append(queue, level{typ, s.SelectionSet, l.path})
				}
			case *ast.FragmentSpread:
				if d := s.Definition; d != nil && !spread[d] && w.included(s.Directives) {
					spread[d] = true
					queue = append(queue, level{w.schema.Types[d.TypeCondition], d.SelectionSet, l.path})
				}
			case *ast.Field:
				if l.typ == nil || !w.included(s.Directives) {
					continue
				}
				def := l.typ.Fields.ForName(s.Name)
				if def == nil {
					continue
				}
				path := append(slices.Clone(l.path), s.Alias)
				queue = append(queue, level{w.schema.Types[def.Type.Name()], s.SelectionSet, path})
				if f := w.fields[l.typ.Name][s.Name]; f != nil && f.paged && len(found) < maxCandidates {
					if p := w.page(s, f); p.size > 1 {
						argument := "first"
						if w.number(s, f, "last") != nil {
							argument = "last"
						}
						found = append(found, &place{s, path, argument, p.size})
					}
				}
			}
		}
	}
	return found
}
