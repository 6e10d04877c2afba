package cost

import (
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// collect returns the fields that selection sets select on an object of a type. It
// merges fields of one name with equal arguments or, by alias, those of one alias.
func (w *walk) collect(typ string, sets []ast.SelectionSet, byAlias bool) []*fieldUse {
	c := collector{walk: w, typ: typ, byAlias: byAlias}
	for _, set := range sets {
		c.addSet(set)
	}
	return c.uses
}

// A collector performs one collect.
type collector struct {
	*walk
	typ     string
	byAlias bool
	uses    []*fieldUse
	index   map[string]int                   // by identity; nil before the second field
	spread  map[*ast.FragmentDefinition]bool // nil before the first fragment
}

func (c *collector) addSet(set ast.SelectionSet) {
	for _, selection := range set {
		if c.steps++; c.steps > maxSteps {
			return
		}
		switch s := selection.(type) {
		case *ast.Field:
			if !strings.HasPrefix(s.Name, "__") && c.included(s.Directives) {
				c.addField(s)
			}
		case *ast.InlineFragment:
			if c.applies(s.TypeCondition) && c.included(s.Directives) {
				c.addSet(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if d := s.Definition; d != nil && !c.spread[d] && c.applies(d.TypeCondition) && c.included(s.Directives) {
				if c.spread == nil {
					c.spread = map[*ast.FragmentDefinition]bool{}
				}
				c.spread[d] = true
				c.addSet(d.SelectionSet)
			}
		}
	}
}

// applies reports whether a fragment with a type condition applies to the object.
func (c *collector) applies(condition string) bool {
	return condition == "" || c.typesOf[c.typ][condition]
}

func (c *collector) addField(s *ast.Field) {
	f := c.fields[c.typ][s.Name]
	if f == nil {
		return // the document is not valid
	}
	var requested page
	if f.connection {
		requested = c.pageOf(s, f)
	}
	if len(c.uses) > 0 {
		if c.index == nil {
			first := c.uses[0]
			c.index = map[string]int{c.key(first.first, first.field, first.page): 0}
		}
		key := c.key(s, f, requested)
		if i, ok := c.index[key]; ok {
			c.uses[i].all = append(c.uses[i].all, s)
			return
		}
		c.index[key] = len(c.uses)
	}
	c.uses = append(c.uses, &fieldUse{field: f, first: s, all: []*ast.Field{s}, page: requested})
}

// key returns a string that is equal for the fields to merge.
func (c *collector) key(s *ast.Field, f *field, requested page) string {
	if c.byAlias {
		return s.Alias
	}
	return c.identity(s, f, requested)
}

// identity returns a string that is equal for fields of one object that certainly
// return the same value.
func (w *walk) identity(s *ast.Field, f *field, requested page) string {
	if len(s.Arguments) == 0 && !f.connection {
		return f.def.Name
	}
	var b strings.Builder
	b.WriteString(f.def.Name)
	for _, a := range f.def.Arguments {
		if f.connection && (a.Name == "first" || a.Name == "last") {
			continue // the id of the page contains the size
		}
		if arg := s.Arguments.ForName(a.Name); arg != nil && arg.Value != nil {
			b.WriteString("\x00" + a.Name + "\x00" + arg.Value.String())
		}
	}
	if f.connection {
		b.WriteByte(0)
		b.WriteString(requested.id)
	}
	return b.String()
}

// included reports whether a selection with the given directives is executed. It returns true if
// the value of @skip or @include is invalid.
func (w *walk) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		condition := d.Arguments.ForName("if")
		if condition == nil || d.Name != "skip" && d.Name != "include" {
			continue
		}
		value, err := valueOf(condition.Value, w.variables)
		if b, ok := value.(bool); err == nil && ok && b == (d.Name == "skip") {
			return false
		}
	}
	return true
}
