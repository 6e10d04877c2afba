package cost

import (
	"encoding/binary"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/lists"
	"mixcloud-graphql/graph/model"
)

// maxSteps is the maximum number of selections that an estimate visits. Without it,
// fragments that combine in many ways could take exponential time. Realistic
// operations stay far below.
const maxSteps = 200_000

// maxDepth is the maximum nesting depth of objects. The estimate of a deeper operation
// is Unbounded. The default of --max-depth is far lower.
const maxDepth = 100

// A walk is one traversal of an operation. Most methods return a subtotal, which is
// the maximum number of calls for a part of the operation.
type walk struct {
	*Estimator
	variables map[string]any
	hasToken  bool
	hasWrites bool               // responses of Mixcloud may lack writes of the viewer
	sizes     map[*ast.Field]int // sizes of pages, in place of those in the operation

	steps        int // above maxSteps after the walk was aborted
	depth        int
	memo         map[string]subtotal // the results of children; nil if there are none yet
	fieldNumbers map[*ast.Field]int  // for the keys of memo; nil if there are none yet
}

// A fieldUse is a field that is selected on an object, under any number of aliases
// with equal arguments.
type fieldUse struct {
	field *field
	first *ast.Field
	all   []*ast.Field
	page  page
}

// object returns the subtotal of selections on objects of one type. Full objects
// need no load.
func (w *walk) object(typ string, full bool, sets ...ast.SelectionSet) subtotal {
	if w.depth++; w.depth > maxDepth {
		w.steps = maxSteps + 1
	}
	defer func() { w.depth-- }()
	var total subtotal
	load := false
	for _, u := range w.replaceEdge(typ, w.collect(typ, sets, false)) {
		s, needsLoad := w.fieldCost(u, full)
		total.add(s)
		load = load || needsLoad
	}
	if load && !full {
		total.add(subtotal{perObject: 1})
	}
	return total
}

// mutationFields returns the subtotals of the fields of a mutation. Equal fields are
// not shared, because each of them runs.
func (w *walk) mutationFields(set ast.SelectionSet) []subtotal {
	var all []subtotal
	for _, u := range w.collect(w.schema.Mutation.Name, []ast.SelectionSet{set}, true) {
		s, _ := w.fieldCost(u, true)
		if u.field.undo {
			s.add(subtotal{perObject: 1})
		}
		if input, ok := w.argument(u.first, u.field.def, "input").(map[string]any); ok && anyDecomposed(input["key"], input["username"]) {
			s.add(subtotal{perObject: 2}) // both forms are looked up before the write
		}
		all = append(all, s)
	}
	return all
}

// fieldCost returns the subtotal of a field and the selections below it, and whether
// the field needs the load of its object.
func (w *walk) fieldCost(u *fieldUse, full bool) (s subtotal, needsLoad bool) {
	f := u.field
	if f.token && !w.hasToken {
		return subtotal{}, false // null without a call
	}
	if f.condition != "" && w.argument(u.first, f.def, f.condition) != true {
		return subtotal{}, false
	}
	s.ownWrites = f.ownCount && w.hasToken
	if f.connection {
		pageCost, needsLoad := w.connection(u)
		s.add(pageCost)
		if f.list.Writable != nil && w.hasToken && w.hasWrites && u.page.size > 0 {
			s.add(subtotal{once: int64(lists.MaxOwnCalls), viewer: !full, ownWrites: true})
		}
		return s, needsLoad
	}
	children := func(typ string) subtotal { return w.children(typ, f.full, u.all) }
	if f.perElement != "" {
		s.add(w.elements(u.first, f, children))
		return s, false
	}
	s.perObject, needsLoad = f.calls, f.load
	s.viewer = f.viewer && !(f.unlessComplete && full)
	typ := f.def.Type.Name()
	if w.looksUpDecomposed(u.first, f) {
		if s.perObject > 0 {
			s.perObject++ // the lookup of the received form
		} else {
			s.add(children(typ)) // the lists of a discovery, under both forms
		}
	}
	s.add(children(typ).multiply(f.size))
	return s, needsLoad
}

// elements returns the subtotal of a field that makes its calls for each distinct
// element of an argument.
func (w *walk) elements(s *ast.Field, f *field, children func(typ string) subtotal) subtotal {
	elements := w.listArgument(s, f, f.perElement)
	if f.def.Arguments.ForName(f.perElement).Type.Name() == "ID" {
		return w.ids(elements, f.calls, children)
	}
	return w.keys(elements, f.calls, f.def.Type.Name(), children)
}

// keys returns the subtotal of the objects with the given keys. The lookup of each key takes the
// given number of calls.
func (w *walk) keys(keys []any, calls int64, typ string, children func(typ string) subtotal) (total subtotal) {
	if len(keys) > model.MaxElements {
		return subtotal{}
	}
	type resource struct {
		kind model.Kind
		key  string
	}
	counted := map[resource]bool{}
	for _, v := range keys {
		text, _ := v.(string)
		r := resource{model.Kind(typ), text}
		if w.parseKey != nil {
			kind, key, err := w.parseKey(text)
			if err != nil {
				continue // the operation rejects it
			}
			r = resource{kind, key}
		}
		forms := int64(1)
		if anyDecomposed(text) {
			// The received form is looked up too. Other elements with the same key do
			// not share that call.
			forms, r.key = 2, text
		}
		if counted[r] {
			continue
		}
		counted[r] = true
		s := children(string(r.kind))
		s.add(subtotal{perObject: saturatingMul(calls, forms)})
		total.add(s)
	}
	return total
}

// ids returns the subtotal of the objects with the given ids. The lookup of each id takes the given
// number of calls. An id contains the type of its object.
func (w *walk) ids(ids []any, calls int64, children func(typ string) subtotal) (total subtotal) {
	if len(ids) > model.MaxElements {
		return subtotal{}
	}
	counted := map[string]bool{} // each id has only one text
	perType := map[string]int64{}
	for _, v := range ids {
		text, _ := v.(string)
		id, err := model.ParseID(text)
		if err == nil && !counted[text] {
			counted[text] = true
			perType[string(id.Kind)]++
		}
	}
	for typ, n := range perType {
		s := children(typ)
		s.add(subtotal{perObject: calls})
		total.add(s.multiply(n))
	}
	return total
}

// children returns the subtotal of the selections of some fields on their objects. If
// the objects can be of several types, it is that of the most expensive one.
func (w *walk) children(typ string, full bool, fields []*ast.Field) subtotal {
	objectTypes := w.objectTypes[typ]
	if len(objectTypes) == 0 { // a scalar or an enum
		return subtotal{}
	}
	sets := make([]ast.SelectionSet, 0, len(fields))
	key := make([]byte, 0, len(typ)+2+2*len(fields))
	key = append(append(key, typ...), 0)
	if full {
		key[len(key)-1] = 1
	}
	for _, f := range fields {
		if len(f.SelectionSet) == 0 {
			continue
		}
		n, ok := w.fieldNumbers[f]
		if !ok {
			if n = len(w.fieldNumbers); n == 0 {
				w.fieldNumbers = map[*ast.Field]int{}
			}
			w.fieldNumbers[f] = n
		}
		key = binary.AppendUvarint(key, uint64(n))
		sets = append(sets, f.SelectionSet)
	}
	if len(sets) == 0 {
		return subtotal{}
	}
	if s, ok := w.memo[string(key)]; ok {
		return s
	}
	var s subtotal
	for i, objectType := range objectTypes {
		if o := w.object(objectType, full, sets...); i == 0 {
			s = o
		} else {
			s = s.maximum(o)
		}
	}
	if w.memo == nil {
		w.memo = map[string]subtotal{}
	}
	w.memo[string(key)] = s
	return s
}

// connection returns the subtotal of a page and the selections on its items, and
// whether its totalCount needs the load of the owner.
func (w *walk) connection(u *fieldUse) (s subtotal, needsLoad bool) {
	items, total := w.items(u)
	needsLoad = total && u.field.list.Count != nil && !u.page.timeBounds
	n := int64(u.page.size)
	if items != nil && n > 0 {
		def := w.schema.Types[u.field.def.Type.Name()].Fields.ForName("nodes")
		s = w.children(def.Type.Name(), false, items).multiply(n)
	}
	s.add(subtotal{perObject: u.page.calls})
	if u.field.viewer {
		s.viewer = true
	}
	if u.page.fromCursor || u.field.viewer {
		s = s.onlyOnce() // the cursor belongs to one owner's list; the field is null on other users
	}
	return s, needsLoad
}

// items returns the selections on the items of a page, under nodes and under edges,
// and whether totalCount is selected.
func (w *walk) items(u *fieldUse) (nodes []*ast.Field, total bool) {
	typ := u.field.def.Type.Name()
	for _, in := range w.collect(typ, selectionSets(u.all), false) {
		switch in.field.def.Name {
		case "nodes":
			nodes = append(nodes, in.all...)
		case "edges":
			for _, of := range w.collect(in.field.def.Type.Name(), selectionSets(in.all), false) {
				if of.field.def.Name == "node" {
					nodes = append(nodes, of.all...)
				}
			}
		default:
			total = total || in.field.ownerLoad
		}
	}
	return nodes, total
}

func selectionSets(fields []*ast.Field) []ast.SelectionSet {
	sets := make([]ast.SelectionSet, len(fields))
	for i, f := range fields {
		sets[i] = f.SelectionSet
	}
	return sets
}
