package lookahead

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/internal/upstream"
)

// A plan contains the root fields of an operation that have lists below them.
type plan []rootUse

// A rootUse is the selection of a root field that returns resources.
type rootUse struct {
	field      *ast.Field
	conditions ast.DirectiveList // @skip and @include of the field and its fragments
	find       finder
	lists      map[string][]listUse // by the type of the resource
}

// A listUse is the selection of a list.
type listUse struct {
	lists.List
	field      *ast.Field
	conditions ast.DirectiveList // from the root field on
	prefetch   func(*loaders.Loaders, upstream.ResourceID, loaders.PageKey) upstream.Prefetch
}

// prefetches contains the functions that read a page of a list, by the type of its items.
var prefetches = map[string]func(*loaders.Loaders, upstream.ResourceID, loaders.PageKey) upstream.Prefetch{
	"User":      loaders.UserPages.Prefetch,
	"Cloudcast": loaders.CloudcastPages.Prefetch,
	"Comment":   loaders.CommentPages.Prefetch,
	"Activity":  loaders.ActivityPages.Prefetch,
	"Playlist":  loaders.PlaylistPages.Prefetch,
}

// maxSelections bounds the selections that compile visits, since fragments can be spread many
// times. A plan that exceeds it lacks the lists at the end of the document.
const maxSelections = 10_000

// compile returns the plan of an operation. It does not depend on variables.
func (a *Ahead) compile(op *ast.OperationDefinition) plan {
	var p plan
	left := maxSelections
	a.walk(&left, "Query", op.SelectionSet, func(f *ast.Field, conditions ast.DirectiveList) {
		root, ok := roots[f.Name]
		if !ok {
			return
		}
		use := rootUse{f, conditions, root, map[string][]listUse{}}
		for _, typ := range a.schema.GetPossibleTypes(a.schema.Types[f.Definition.Type.Name()]) {
			a.walk(&left, typ.Name, f.SelectionSet, func(f *ast.Field, conditions ast.DirectiveList) {
				if l, ok := lists.ByField(typ.Name + "." + f.Name); ok {
					items := a.schema.Types[f.Definition.Type.Name()].Fields.ForName("nodes").Type.Name()
					use.lists[typ.Name] = append(use.lists[typ.Name], listUse{l, f, conditions, prefetches[items]})
				}
			})
		}
		if len(use.lists) > 0 {
			p = append(p, use)
		}
	})
	return p
}

// walk visits the fields that a selection set selects on an object of a type. It visits each
// fragment once.
func (a *Ahead) walk(left *int, typ string, set ast.SelectionSet, visit func(*ast.Field, ast.DirectiveList)) {
	var spread []*ast.FragmentDefinition
	var walk func(ast.SelectionSet, ast.DirectiveList)
	walk = func(set ast.SelectionSet, above ast.DirectiveList) {
		for _, selection := range set {
			if *left--; *left < 0 {
				return
			}
			switch s := selection.(type) {
			case *ast.Field:
				if s.Definition != nil && !strings.HasPrefix(s.Name, "__") {
					visit(s, join(above, s.Directives))
				}
			case *ast.InlineFragment:
				if a.applies(s.TypeCondition, typ) {
					walk(s.SelectionSet, join(above, s.Directives))
				}
			case *ast.FragmentSpread:
				if d := s.Definition; d != nil && !slices.Contains(spread, d) && a.applies(d.TypeCondition, typ) {
					spread = append(spread, d)
					walk(d.SelectionSet, join(above, s.Directives))
				}
			}
		}
	}
	walk(set, nil)
}

// applies reports whether a fragment with a type condition applies to objects of a type.
func (a *Ahead) applies(condition, typ string) bool {
	if condition == "" || condition == typ {
		return true
	}
	return slices.ContainsFunc(a.schema.GetPossibleTypes(a.schema.Types[condition]), func(d *ast.Definition) bool { return d.Name == typ })
}

// join returns the conditions above a selection, followed by its own.
func join(above, own ast.DirectiveList) ast.DirectiveList {
	var conditions ast.DirectiveList
	for _, d := range own {
		if d.Name == "skip" || d.Name == "include" {
			conditions = append(conditions, d)
		}
	}
	if len(conditions) == 0 {
		return above
	}
	return slices.Concat(above, conditions)
}
