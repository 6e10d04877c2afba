package cost

import (
	"encoding/binary"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/model"
)

// maxSteps is how many selections an estimate looks at. Fragments that are
// merged in every possible way could take for ever; no query that anybody means
// comes near.
const maxSteps = 200_000

// maxDepth is how many objects may nest in each other. Those of an operation
// that is answered are fewer.
const maxDepth = 100

// A walk goes through one operation.
type walk struct {
	*Estimator
	variables map[string]any
	signed    bool
	wrote     bool // the asker has writes that reads may not show yet
	resized   map[*ast.Field]int

	steps   int // beyond maxSteps once the walk was given up
	depth   int
	known   map[string]sum     // of what was walked already; nil until something was
	numbers map[*ast.Field]int // nil likewise
}

// A pick is a field as it is selected of an object, with everything that is
// selected below it under any alias.
type pick struct {
	field *field
	first *ast.Field // all others have equal arguments
	all   []*ast.Field
	page  page
}

// object is the sum of what is selected of objects of one type. Full says that
// they were looked up themselves, so that nothing takes a load.
func (w *walk) object(typ string, full bool, sets ...ast.SelectionSet) sum {
	if w.depth++; w.depth > maxDepth {
		w.steps = maxSteps + 1
	}
	defer func() { w.depth-- }()
	var total sum
	load := false
	for _, p := range w.withoutEdge(typ, w.collect(typ, sets, false)) {
		s, loads := w.pick(p, full)
		total.add(s)
		load = load || loads
	}
	if load && !full {
		total.add(sum{each: 1})
	}
	return total
}

// writes are the sums of the fields of a mutation, each of which is done even if
// it is the same as another.
func (w *walk) writes(set ast.SelectionSet) []sum {
	var all []sum
	for _, p := range w.collect(w.schema.Mutation.Name, []ast.SelectionSet{set}, true) {
		s, _ := w.pick(p, true)
		if p.field.undo {
			s.add(sum{each: 1})
		}
		if input, ok := w.argument(p.first, p.field.def, "input").(map[string]any); ok && decomposed(input["key"], input["username"]) {
			s.add(sum{each: 2}) // which form exists is looked up before the write
		}
		all = append(all, s)
	}
	return all
}

// pick is the sum of one field and what is selected below it, and says whether
// it takes the load of its object.
func (w *walk) pick(p *pick, full bool) (s sum, loads bool) {
	f := p.field
	if f.token && !w.signed {
		return sum{}, false // null at once
	}
	if f.condition != "" && w.argument(p.first, f.def, f.condition) != true {
		return sum{}, false
	}
	s.own = f.own && w.signed
	if f.paged {
		below, loads := w.paged(p)
		s.add(below)
		if f.list.Own != nil && w.signed && w.wrote && p.page.size > 0 {
			s.add(sum{once: int64(lists.OwnCalls), viewer: !full, own: true})
		}
		return s, loads
	}
	below := func(typ string) sum { return w.below(typ, f.full, p.all) }
	if f.perElement != "" {
		s.add(w.elements(p.first, f, below))
		return s, false
	}
	s.each, loads = f.calls, f.load
	s.viewer = f.viewer && !(f.unlessComplete && full)
	typ := f.def.Type.Name()
	if w.decomposed(p.first, f) {
		if s.each > 0 {
			s.each++ // the look-up under the form that was received
		} else {
			s.add(below(typ)) // the lists of a discovery, under both
		}
	}
	s.add(below(typ).of(f.size))
	return s, loads
}

// elements is the sum of a field that makes its calls for each different element
// of an argument.
func (w *walk) elements(s *ast.Field, f *field, below func(typ string) sum) sum {
	elements := w.list(s, f, f.perElement)
	if f.def.Arguments.ForName(f.perElement).Type.Name() == "ID" {
		return w.nodes(elements, f.calls, below)
	}
	return w.resources(elements, f.calls, f.def.Type.Name(), below)
}

// resources is the sum of the objects of some keys, each of which takes some
// calls.
func (w *walk) resources(keys []any, calls int64, typ string, below func(typ string) sum) (total sum) {
	if len(keys) > model.MaxElements {
		return sum{}
	}
	type name struct {
		kind model.Kind
		key  string
	}
	different := map[name]bool{}
	for _, v := range keys {
		text, _ := v.(string)
		this := name{model.Kind(typ), text}
		if w.names != nil {
			kind, key, err := w.names(text)
			if err != nil {
				continue // refused
			}
			this = name{kind, key}
		}
		forms := int64(1)
		if decomposed(text) {
			// It is looked up under the form that was received too, which other
			// elements with the same key do not share.
			forms, this.key = 2, text
		}
		if different[this] {
			continue
		}
		different[this] = true
		s := below(string(this.kind))
		s.add(sum{each: times(calls, forms)})
		total.add(s)
	}
	return total
}

// nodes is the sum of the objects of some ids, each of which takes some calls. An
// id says of which type its object is.
func (w *walk) nodes(ids []any, calls int64, below func(typ string) sum) (total sum) {
	if len(ids) > model.MaxElements {
		return sum{}
	}
	different := map[string]bool{} // an id has one text alone
	count := map[string]int64{}
	for _, v := range ids {
		text, _ := v.(string)
		id, err := model.ParseID(text)
		if err == nil && !different[text] {
			different[text] = true
			count[string(id.Kind)]++
		}
	}
	for typ, n := range count {
		s := below(typ)
		s.add(sum{each: calls})
		total.add(s.of(n))
	}
	return total
}

// below is the sum of what some fields select of their objects, for the type of
// which that is the most.
func (w *walk) below(typ string, full bool, fields []*ast.Field) sum {
	kinds := w.kinds[typ]
	if len(kinds) == 0 { // a scalar
		return sum{}
	}
	sets := make([]ast.SelectionSet, 0, len(fields))
	name := make([]byte, 0, len(typ)+2+2*len(fields))
	name = append(append(name, typ...), 0)
	if full {
		name[len(name)-1] = 1
	}
	for _, f := range fields {
		if len(f.SelectionSet) == 0 {
			continue
		}
		n, ok := w.numbers[f]
		if !ok {
			if n = len(w.numbers); n == 0 {
				w.numbers = map[*ast.Field]int{}
			}
			w.numbers[f] = n
		}
		name = binary.AppendUvarint(name, uint64(n))
		sets = append(sets, f.SelectionSet)
	}
	if len(sets) == 0 {
		return sum{}
	}
	if s, ok := w.known[string(name)]; ok {
		return s
	}
	var s sum
	for i, kind := range kinds {
		if k := w.object(kind, full, sets...); i == 0 {
			s = k
		} else {
			s = s.either(k)
		}
	}
	if w.known == nil {
		w.known = map[string]sum{}
	}
	w.known[string(name)] = s
	return s
}

// paged is the sum of a page and what is selected of its items.
func (w *walk) paged(p *pick) (s sum, loads bool) {
	items, total := w.items(p)
	loads = total && p.field.list.Count != nil && !p.page.within
	n := int64(p.page.size)
	if items != nil && n > 0 {
		def := w.schema.Types[p.field.def.Type.Name()].Fields.ForName("nodes")
		s = w.below(def.Type.Name(), false, items).of(n)
	}
	s.add(sum{each: p.page.calls})
	if p.field.viewer {
		s.viewer = true
	}
	if p.page.bound || p.field.viewer {
		s = s.shared() // on whomever else it is asked for, there is no such page
	}
	return s, loads
}

// items are the selections of the items of a page, those of its edges with them,
// and whether its total is asked for.
func (w *walk) items(p *pick) (nodes []*ast.Field, total bool) {
	typ := p.field.def.Type.Name()
	for _, in := range w.collect(typ, setsOf(p.all), false) {
		switch in.field.def.Name {
		case "nodes":
			nodes = append(nodes, in.all...)
		case "edges":
			for _, at := range w.collect(in.field.def.Type.Name(), setsOf(in.all), false) {
				if at.field.def.Name == "node" {
					nodes = append(nodes, at.all...)
				}
			}
		default:
			total = total || in.field.ownerLoad
		}
	}
	return nodes, total
}

func setsOf(fields []*ast.Field) []ast.SelectionSet {
	sets := make([]ast.SelectionSet, len(fields))
	for i, f := range fields {
		sets[i] = f.SelectionSet
	}
	return sets
}

// collect gathers the fields that selections have of an object of a type. Those
// of one name and equal arguments are one, or those of one alias.
func (w *walk) collect(typ string, sets []ast.SelectionSet, byAlias bool) []*pick {
	c := collection{walk: w, typ: typ, byAlias: byAlias}
	for _, set := range sets {
		c.take(set)
	}
	return c.picks
}

// A collection is a collect under way.
type collection struct {
	*walk
	typ     string
	byAlias bool
	picks   []*pick
	at      map[string]int // by identity; nil until there is a second field, as is spread until there is a fragment
	spread  map[*ast.FragmentDefinition]bool
}

func (c *collection) take(set ast.SelectionSet) {
	for _, selection := range set {
		if c.steps++; c.steps > maxSteps {
			return
		}
		switch s := selection.(type) {
		case *ast.Field:
			if !strings.HasPrefix(s.Name, "__") && c.included(s.Directives) {
				c.field(s)
			}
		case *ast.InlineFragment:
			if c.applies(s.TypeCondition) && c.included(s.Directives) {
				c.take(s.SelectionSet)
			}
		case *ast.FragmentSpread:
			if d := s.Definition; d != nil && !c.spread[d] && c.applies(d.TypeCondition) && c.included(s.Directives) {
				if c.spread == nil {
					c.spread = map[*ast.FragmentDefinition]bool{}
				}
				c.spread[d] = true
				c.take(d.SelectionSet)
			}
		}
	}
}

func (c *collection) applies(condition string) bool {
	return condition == "" || c.is[c.typ][condition]
}

func (c *collection) field(s *ast.Field) {
	f := c.fields[c.typ][s.Name]
	if f == nil {
		return // no field of this type: the document is not valid
	}
	var at page
	if f.paged {
		at = c.page(s, f)
	}
	if len(c.picks) > 0 {
		if c.at == nil {
			first := c.picks[0]
			c.at = map[string]int{c.key(first.first, first.field, first.page): 0}
		}
		key := c.key(s, f, at)
		if i, ok := c.at[key]; ok {
			c.picks[i].all = append(c.picks[i].all, s)
			return
		}
		c.at[key] = len(c.picks)
	}
	c.picks = append(c.picks, &pick{field: f, first: s, all: []*ast.Field{s}, page: at})
}

// key is equal for the fields that are one pick.
func (c *collection) key(s *ast.Field, f *field, at page) string {
	if c.byAlias {
		return s.Alias
	}
	return c.identity(s, f, at)
}

// identity is the same for fields that give the same for certain.
func (w *walk) identity(s *ast.Field, f *field, at page) string {
	if len(s.Arguments) == 0 && !f.paged {
		return f.def.Name
	}
	var b strings.Builder
	b.WriteString(f.def.Name)
	for _, a := range f.def.Arguments {
		if f.paged && (a.Name == "first" || a.Name == "last") {
			continue // in the page
		}
		if given := s.Arguments.ForName(a.Name); given != nil && given.Value != nil {
			b.WriteString("\x00" + a.Name + "\x00" + given.Value.String())
		}
	}
	if f.paged {
		b.WriteByte(0)
		b.WriteString(at.name)
	}
	return b.String()
}

// included says whether directives let a selection stand. One that cannot be
// told stands.
func (w *walk) included(directives ast.DirectiveList) bool {
	for _, d := range directives {
		when := d.Arguments.ForName("if")
		if when == nil || d.Name != "skip" && d.Name != "include" {
			continue
		}
		value, err := valueOf(when.Value, w.variables)
		if b, ok := value.(bool); err == nil && ok && b == (d.Name == "skip") {
			return false
		}
	}
	return true
}
