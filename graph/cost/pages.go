package cost

import (
	"slices"
	"strconv"

	"github.com/vektah/gqlparser/v2/ast"
)

// A pageUse is a selection of a page in an operation.
type pageUse struct {
	field    *ast.Field
	id       int // equal for selections of the same page
	path     []string
	argument string
	variable string // the variable with the size, or ""
	size     int
}

// A pageFinder finds the pages of an operation, level by level. It visits a fragment
// only where it is first spread.
type pageFinder struct {
	*walk
	queue  []selections
	spread map[*ast.FragmentDefinition]bool
	ids    map[string]int // by the id of the parent and the identity of the field
	found  []*pageUse
}

// selections is a selection set that a pageFinder has not visited yet.
type selections struct {
	typ  *ast.Definition
	set  ast.SelectionSet
	path []string
	id   int // equal for selections on the same objects
}

// pages returns the pages of an operation that have more than one item.
func (w *walk) pages(op *ast.OperationDefinition) []*pageUse {
	root := map[ast.Operation]*ast.Definition{ast.Query: w.schema.Query, ast.Mutation: w.schema.Mutation, ast.Subscription: w.schema.Subscription}
	finder := pageFinder{
		walk: w, queue: []selections{{typ: root[op.Operation], set: op.SelectionSet}},
		spread: map[*ast.FragmentDefinition]bool{}, ids: map[string]int{},
	}
	for len(finder.queue) > 0 {
		next := finder.queue[0]
		finder.queue = finder.queue[1:]
		for _, selection := range next.set {
			finder.visit(next, selection)
		}
	}
	return finder.found
}

// visit adds a selection to found if it is a page, and the selections below it to the
// queue.
func (p *pageFinder) visit(in selections, selection ast.Selection) {
	switch v := selection.(type) {
	case *ast.InlineFragment:
		if v.TypeCondition != "" {
			in.typ = p.schema.Types[v.TypeCondition]
		}
		if in.set = v.SelectionSet; p.included(v.Directives) {
			p.queue = append(p.queue, in)
		}
	case *ast.FragmentSpread:
		if d := v.Definition; d != nil && !p.spread[d] && p.included(v.Directives) {
			p.spread[d] = true
			p.queue = append(p.queue, selections{p.schema.Types[d.TypeCondition], d.SelectionSet, in.path, in.id})
		}
	case *ast.Field:
		if in.typ == nil || !p.included(v.Directives) {
			return
		}
		if def := in.typ.Fields.ForName(v.Name); def != nil {
			p.visitField(in, v, def)
		}
	}
}

func (p *pageFinder) visitField(in selections, v *ast.Field, def *ast.FieldDefinition) {
	path := append(slices.Clone(in.path), v.Alias)
	f := p.fields[in.typ.Name][v.Name]
	var requested page
	if f != nil && f.connection {
		requested = p.pageOf(v, f)
	}
	id := in.id
	if !isPageType(in.typ.Name) { // nodes and edges select the same items
		name := v.Alias
		if f != nil && in.typ != p.schema.Mutation { // each mutation field runs on its own
			name = p.identity(v, f, requested)
			if f.sharedWith != "" { // the node of the edge is the object of that field
				name = f.sharedWith
			}
		}
		name = strconv.Itoa(in.id) + "\x00" + name
		if p.ids[name] == 0 {
			p.ids[name] = len(p.ids) + 1
		}
		id = p.ids[name]
	}
	p.queue = append(p.queue, selections{p.schema.Types[def.Type.Name()], v.SelectionSet, path, id})
	if requested.size <= 1 {
		return
	}
	use := &pageUse{field: v, id: id, path: path, argument: "first", size: requested.size}
	if p.intArgument(v, f, "last") != nil {
		use.argument = "last"
	}
	if arg := v.Arguments.ForName(use.argument); arg != nil && arg.Value != nil && arg.Value.Kind == ast.Variable {
		use.variable = arg.Value.Raw
	}
	p.found = append(p.found, use)
}
