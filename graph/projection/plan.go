package projection

import (
	"slices"
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud/rawjson"
)

// maxMembers is the maximum number of members of one object's JSON that a selection reads.
const maxMembers = 24

// A plan describes how an object of a type is written for a selection set. Only lastSize changes.
type plan struct {
	typ   string
	slots []slot
	// members are the names of the members that the slots read, and byLength their indices by the length of the name.
	members  []string
	byLength [][]int8
	loads    bool // a slot needs the full form of the resource
	dynamic  bool // the object or one below it needs a load or a connection
	tasks    int64

	lastSize atomic.Int64 // the size of the JSON that was last written with the plan
}

// maxHint is the maximum capacity of a new buffer. Without it, requests with small results would
// each take the memory of the largest result of the same selection.
const maxHint = 256 << 10

// newBuffer returns a buffer for a result of the plan, which probably has the size of the last one.
func (p *plan) newBuffer() []byte { return make([]byte, 0, min(p.lastSize.Load()*9/8+512, maxHint)) }

// A slot is one response key of an object.
type slot struct {
	field
	prefix string // the key, with the brace or the comma before it
	index  int    // of the member in plan.members; -1 for none
	hidden int    // index of the member hidden_stats, for kindVisibleInt
	child  *plan  // for objects, edges and nodes
	sizes  []int8 // for kindPicture: indices of pictureSizes, in the order of preference
	call   *connectionCall
}

// A connectionCall is a connection field that a resolver reads.
type connectionCall struct {
	field  *ast.Field
	method method
}

// A compiler compiles the selection sets of one operation.
type compiler struct {
	*Projection
	oc *graphql.OperationContext
}

// compile returns the plan of a selection set for an object type. It returns nil if the executor must write the objects.
func (c *compiler) compile(selections ast.SelectionSet, typ string) *plan {
	fields, known := objects[typ]
	if !known {
		return nil
	}
	p := &plan{typ: typ}
	for i, selected := range graphql.CollectFields(c.oc, selections, c.types[typ]) {
		if len(selected.Deferrables) > 0 {
			return nil
		}
		s := slot{index: -1, hidden: -1, prefix: `,"` + selected.Alias + `":`}
		if i == 0 {
			s.prefix = `{"` + selected.Alias + `":`
		}
		if c.concurrent(typ, selected.Name) {
			p.tasks++
		}
		f, ok := fields[selected.Name]
		switch {
		case selected.Name == "__typename":
			s.kind = kindTypename
		case ok:
			s.field = f
			if !c.compileField(p, &s, selected) {
				return nil
			}
		case !c.compileConnection(p, &s, typ, selected):
			return nil
		}
		p.slots = append(p.slots, s)
	}
	if len(p.members) > maxMembers {
		return nil
	}
	for i, name := range p.members {
		for len(p.byLength) <= len(name) {
			p.byLength = append(p.byLength, nil)
		}
		p.byLength[len(name)] = append(p.byLength[len(name)], int8(i)) //nolint:gosec // below maxMembers
	}
	return p
}

// member returns the index of a member of the object's JSON.
func (p *plan) member(name string) int {
	if name == "" {
		return -1
	}
	i := slices.Index(p.members, name)
	if i < 0 {
		i = len(p.members)
		p.members = append(p.members, name)
	}
	return i
}

// compileField completes the slot of a field of the table.
func (c *compiler) compileField(p *plan, s *slot, selected graphql.CollectedField) bool {
	s.index = p.member(s.member)
	if s.full {
		p.loads, p.dynamic = true, true
	}
	switch s.kind {
	case kindVisibleInt:
		s.hidden = p.member(hiddenStats)
	case kindRaw:
		return !c.argument(selected, "full", false)
	case kindPicture:
		s.sizes = preference(c.pictureSize(selected))
	case kindTotalCount:
		p.dynamic = true
	}
	if len(selected.Selections) == 0 {
		return true
	}
	s.child = c.compile(selected.Selections, selected.Definition.Type.Name())
	if s.child == nil {
		return false
	}
	p.dynamic = p.dynamic || s.child.dynamic
	return true
}

// compileConnection completes the slot of a connection that a resolver reads.
func (c *compiler) compileConnection(p *plan, s *slot, typ string, selected graphql.CollectedField) bool {
	m, ok := c.methods[typ+"."+selected.Name]
	if !ok {
		return false
	}
	s.kind, s.call = kindConnection, &connectionCall{selected.Field, m}
	s.child = c.compile(selected.Selections, selected.Definition.Type.Name())
	p.dynamic = true
	return s.child != nil
}

// argument returns a boolean argument of a field.
func (c *compiler) argument(f graphql.CollectedField, name string, otherwise bool) bool {
	if value, ok := f.ArgumentMap(c.oc.Variables)[name].(bool); ok {
		return value
	}
	return otherwise
}

// pictureSize returns the argument size of a field picture.
func (c *compiler) pictureSize(f graphql.CollectedField) model.PictureSize {
	if size, ok := f.ArgumentMap(c.oc.Variables)["size"].(string); ok {
		return model.PictureSize(size)
	}
	return model.PictureSizeLarge
}

// usesVariables reports whether the plan of a selection set depends on the variables of the operation. Arguments of
// connections do not count: they are read when the connection is.
func usesVariables(doc *ast.QueryDocument, selections ast.SelectionSet, seen map[string]bool) bool {
	conditional := func(directives ast.DirectiveList) bool {
		return slices.ContainsFunc(directives, func(d *ast.Directive) bool { return anyVariable(d.Arguments) })
	}
	for _, s := range selections {
		switch s := s.(type) {
		case *ast.Field:
			if conditional(s.Directives) || s.Definition != nil && s.Definition.Arguments.ForName("first") == nil && anyVariable(s.Arguments) ||
				usesVariables(doc, s.SelectionSet, seen) {
				return true
			}
		case *ast.InlineFragment:
			if conditional(s.Directives) || usesVariables(doc, s.SelectionSet, seen) {
				return true
			}
		case *ast.FragmentSpread:
			if conditional(s.Directives) {
				return true
			}
			if seen[s.Name] {
				continue
			}
			seen[s.Name] = true
			if fragment := doc.Fragments.ForName(s.Name); fragment != nil && usesVariables(doc, fragment.SelectionSet, seen) {
				return true
			}
		}
	}
	return false
}

func anyVariable(arguments ast.ArgumentList) bool {
	return slices.ContainsFunc(arguments, func(a *ast.Argument) bool { return hasVariable(a.Value) })
}

func hasVariable(v *ast.Value) bool {
	return v != nil && (v.Kind == ast.Variable || slices.ContainsFunc(v.Children, func(c *ast.ChildValue) bool { return hasVariable(c.Value) }))
}

// gather finds the members of an object that the slots read. Of duplicate members the last one counts.
func (p *plan) gather(v rawjson.Value, found *[maxMembers]rawjson.Value) {
	for m := v.Iterate(); m.Next(); {
		name := m.Name()
		if len(name) >= len(p.byLength) {
			continue
		}
		for _, i := range p.byLength[len(name)] {
			if p.members[i] == name {
				found[i] = m.Value()
				break
			}
		}
	}
}
