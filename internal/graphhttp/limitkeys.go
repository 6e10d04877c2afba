package graphhttp

import (
	"math"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
)

// maxVisits is the maximum number of selections of a document after each spread is replaced by
// its fragment. The time of validation and of [checkSelections] is proportional to this number.
// Without repeated fragments it is at most the number of tokens.
const maxVisits = 100_000

// checkSelections refuses a document with a selection set of more than maxKeys response keys,
// after fragments are spread and the selection sets of equal keys are merged, as in execution.
// gqlgen compares each key of a selection set with all others. It ignores types: all fragments
// of a selection set count.
func checkSelections(doc *ast.QueryDocument, maxKeys int) *gqlerror.Error {
	c := newKeyCheck(doc, maxKeys)
	for _, op := range doc.Operations {
		c.reach(op.SelectionSet, map[string]bool{})
	}
	for _, f := range doc.Fragments {
		c.reach(f.SelectionSet, map[string]bool{f.Name: true})
	}
	if !cyclic(c.fragments) { // validation refuses cycles
		for _, op := range doc.Operations {
			c.check([]ast.SelectionSet{op.SelectionSet})
		}
		for _, f := range doc.Fragments {
			c.check([]ast.SelectionSet{f.SelectionSet})
		}
	}
	switch {
	case c.tooWide != nil:
		return exceeded("max-aliases", maxKeys+1, maxKeys, c.tooWide,
			"A selection set has more than %d response keys, including those of its fragments. Split the operation into several requests.", maxKeys)
	case c.visits > maxVisits:
		return limit("The operation spreads the same fragments too often. Split it into several requests.")
	}
	return nil
}

type keyCheck struct {
	fragments map[string]*ast.FragmentDefinition
	maxKeys   int
	visits    int
	alone     map[*ast.Selection]bool // sets that were checked without merging, by their first selection
	tooWide   *ast.Position
}

func newKeyCheck(doc *ast.QueryDocument, maxKeys int) *keyCheck {
	c := &keyCheck{fragments: map[string]*ast.FragmentDefinition{}, maxKeys: maxKeys, alone: map[*ast.Selection]bool{}}
	for _, f := range doc.Fragments {
		c.fragments[f.Name] = f
	}
	return c
}

// checkRoots refuses a document with an operation of more than maxRoots root fields: the
// response keys of its outermost selection set, including its fragments.
func checkRoots(doc *ast.QueryDocument, maxRoots int) *gqlerror.Error {
	c := newKeyCheck(doc, math.MaxInt)
	for _, op := range doc.Operations {
		roots := map[string][]ast.SelectionSet{}
		c.collect(op.SelectionSet, roots, map[string]bool{})
		if len(roots) > maxRoots {
			return exceeded("max-root-fields", len(roots), maxRoots, op.Position,
				"The operation has %d root fields; at most %d are allowed. Split it into several requests.", len(roots), maxRoots)
		}
	}
	return nil
}

func (c *keyCheck) done() bool { return c.tooWide != nil || c.visits > maxVisits }

// reach counts the selections that validation visits: those of an operation or a fragment, and
// those of all fragments reachable from there, each once.
func (c *keyCheck) reach(set ast.SelectionSet, seen map[string]bool) {
	for _, sel := range set {
		if c.visits++; c.done() {
			return
		}
		switch sel := sel.(type) {
		case *ast.Field:
			c.reach(sel.SelectionSet, seen)
		case *ast.InlineFragment:
			c.reach(sel.SelectionSet, seen)
		case *ast.FragmentSpread:
			if f := c.fragments[sel.Name]; f != nil && !seen[sel.Name] {
				seen[sel.Name] = true
				c.reach(f.SelectionSet, seen)
			}
		}
	}
}

// check counts the response keys of merged selection sets, and those of nested sets.
func (c *keyCheck) check(sets []ast.SelectionSet) {
	if len(sets) == 1 {
		if len(sets[0]) == 0 || c.alone[&sets[0][0]] {
			return
		}
		c.alone[&sets[0][0]] = true
	}
	below := map[string][]ast.SelectionSet{}
	spread := map[string]bool{}
	for _, set := range sets {
		c.collect(set, below, spread)
	}
	for _, sets := range below {
		if c.done() {
			return
		}
		if len(sets) > 0 {
			c.check(sets)
		}
	}
}

// collect adds the response keys of a selection set to below, each with the selection sets of
// its fields. spread are the fragments already collected.
func (c *keyCheck) collect(set ast.SelectionSet, below map[string][]ast.SelectionSet, spread map[string]bool) {
	for _, sel := range set {
		if c.visits++; c.done() {
			return
		}
		switch sel := sel.(type) {
		case *ast.Field:
			sets := below[sel.Alias]
			if len(sel.SelectionSet) > 0 {
				sets = append(sets, sel.SelectionSet)
			}
			if below[sel.Alias] = sets; len(below) > c.maxKeys {
				c.tooWide = sel.Position
			}
		case *ast.InlineFragment:
			c.collect(sel.SelectionSet, below, spread)
		case *ast.FragmentSpread:
			if f := c.fragments[sel.Name]; f != nil && !spread[sel.Name] {
				spread[sel.Name] = true
				c.collect(f.SelectionSet, below, spread)
			}
		}
	}
}

// cyclic reports whether a fragment spreads itself, directly or indirectly.
func cyclic(fragments map[string]*ast.FragmentDefinition) bool {
	const entered, left = 1, 2
	state := map[string]int{}
	var walk func(set ast.SelectionSet) bool
	walk = func(set ast.SelectionSet) bool {
		for _, sel := range set {
			var inner ast.SelectionSet
			switch sel := sel.(type) {
			case *ast.Field:
				inner = sel.SelectionSet
			case *ast.InlineFragment:
				inner = sel.SelectionSet
			case *ast.FragmentSpread:
				f := fragments[sel.Name]
				if f == nil || state[sel.Name] == left {
					continue
				}
				if state[sel.Name] == entered {
					return true
				}
				state[sel.Name] = entered
				if walk(f.SelectionSet) {
					return true
				}
				state[sel.Name] = left
				continue
			}
			if walk(inner) {
				return true
			}
		}
		return false
	}
	for name, f := range fragments {
		if state[name] != 0 {
			continue
		}
		state[name] = entered
		if walk(f.SelectionSet) {
			return true
		}
		state[name] = left
	}
	return false
}

// checkDirectives refuses a document that uses more than maxUses directives.
func checkDirectives(doc *ast.QueryDocument, maxUses int) *gqlerror.Error {
	uses := 0
	var first *ast.Position // the first use over the limit
	count := func(list ast.DirectiveList) {
		if uses += len(list); uses > maxUses && first == nil {
			first = list[len(list)-(uses-maxUses)].Position
		}
	}
	for _, op := range doc.Operations {
		count(op.Directives)
		for _, v := range op.VariableDefinitions {
			count(v.Directives)
		}
	}
	for _, f := range doc.Fragments {
		count(f.Directives)
	}
	eachSelection(doc, func(sel ast.Selection) {
		switch sel := sel.(type) {
		case *ast.Field:
			count(sel.Directives)
		case *ast.InlineFragment:
			count(sel.Directives)
		case *ast.FragmentSpread:
			count(sel.Directives)
		}
	})
	if first == nil {
		return nil
	}
	return exceeded("max-directives", uses, maxUses, first, "The document uses %d directives; at most %d are allowed.", uses, maxUses)
}

// eachSelection visits every selection of a document, without spreading fragments.
func eachSelection(doc *ast.QueryDocument, visit func(ast.Selection)) {
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, sel := range set {
			visit(sel)
			switch sel := sel.(type) {
			case *ast.Field:
				walk(sel.SelectionSet)
			case *ast.InlineFragment:
				walk(sel.SelectionSet)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, f := range doc.Fragments {
		walk(f.SelectionSet)
	}
}

// exceeded returns the error of a configurable limit. The value is that of the document, or the
// maximum plus one if counting stopped there.
func exceeded(name string, value, maximum int, at *ast.Position, format string, args ...any) *gqlerror.Error {
	err := limit(format, args...)
	err.Err.(*gqlerr.Error).Details = map[string]any{"limit": name, "value": value, "maximum": maximum}
	if at != nil {
		err.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return err
}
