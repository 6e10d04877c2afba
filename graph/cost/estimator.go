package cost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/model"
)

// An Estimator knows what every field of a schema costs. It is safe for
// concurrent use.
type Estimator struct {
	// Names returns the kind and the canonical key of the resource that a key or
	// a pasted address names, as it will be read when the operation is executed.
	// What it refuses costs nothing. If Names is nil, as New leaves it, the kind
	// that costs most is assumed. It may be set before the first use, and is called by
	// several goroutines at once.
	Names func(pasted string) (model.Kind, string, error)

	schema *ast.Schema
	fields map[string]map[string]*field // by type and name
	kinds  map[string][]string          // the object types that a type can be
	is     map[string]map[string]bool   // object type to whatever it is: itself, interfaces, unions
}

// New reads the prices from the descriptions of a schema. A description that it
// cannot read, a field with pages and no price, and a list without a bound are
// errors: a field that nobody has priced must not pass for free.
func New(schema *ast.Schema) (*Estimator, error) {
	e := &Estimator{
		schema: schema, fields: map[string]map[string]*field{},
		kinds: map[string][]string{}, is: map[string]map[string]bool{},
	}
	for name, def := range schema.Types {
		if strings.HasPrefix(name, "__") || !def.IsCompositeType() {
			continue
		}
		for _, possible := range schema.GetPossibleTypes(def) {
			e.kinds[name] = append(e.kinds[name], possible.Name)
			if e.is[possible.Name] == nil {
				e.is[possible.Name] = map[string]bool{possible.Name: true}
			}
			e.is[possible.Name][name] = true
		}
		slices.Sort(e.kinds[name])
		if def.Kind != ast.Object {
			continue // fields are priced by what an object really is
		}
		e.fields[name] = map[string]*field{}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			read, err := readField(schema, def, f)
			if err != nil {
				return nil, err
			}
			e.fields[name][f.Name] = read
		}
	}
	return e, e.checkBounds()
}

// checkBounds holds that each list without pages has a bound if something
// below it can cost a call, and that no bound is for nothing.
func (e *Estimator) checkBounds() error {
	dear := e.dear()
	used := map[string]bool{}
	for typ, fields := range e.fields {
		for name, f := range fields {
			if f.def.Type.Elem == nil || f.fee == eachID || f.fee == eachKey || transparent(typ) {
				continue
			}
			path := typ + "." + name
			switch {
			case bounds[path] > 0 && dear[f.def.Type.Name()]:
				used[path] = true
			case dear[f.def.Type.Name()]:
				return fmt.Errorf("cost: how many objects %s gives at most is not known", path)
			}
		}
	}
	for path := range bounds {
		if !used[path] {
			return fmt.Errorf("cost: there is a bound for %s, which needs none", path)
		}
	}
	return nil
}

// dear are the types below which something costs a call.
func (e *Estimator) dear() map[string]bool {
	dear := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for typ, fields := range e.fields {
			for _, f := range fields {
				if f.fee == free && !dear[f.def.Type.Name()] || dear[typ] {
					continue
				}
				grown = true
				for name := range e.is[typ] {
					dear[name] = true
				}
			}
		}
	}
	return dear
}

// transparent reports a type that only holds the items of a page.
func transparent(typ string) bool {
	return strings.HasSuffix(typ, "Connection") || strings.HasSuffix(typ, "Edge")
}

// An Asker is on whose behalf an operation is made.
type Asker struct {
	// Signed says that a token comes along.
	Signed bool
	// Pending is how many of the asker's latest writes reads may not show yet.
	// Each takes a load of its target, for the viewer's own counts and lists.
	Pending int
}

// Estimate is the most calls that an operation can take, 0 to [Unbounded]. The
// operation must be valid and the variables coerced; what is not counts as if it
// were left out. It takes a time that grows with the document, never with its
// numbers.
func (e *Estimator) Estimate(op *ast.OperationDefinition, variables map[string]any, who Asker) int {
	calls, _ := e.estimate(op, variables, who, nil)
	return calls
}

// estimate is Estimate with other sizes for some pages. Done is false when it
// was given up.
func (e *Estimator) estimate(op *ast.OperationDefinition, variables map[string]any, who Asker, resized map[*ast.Field]int) (calls int, done bool) {
	w := &walk{Estimator: e, variables: variables, signed: who.Signed, wrote: who.Pending > 0 || op.Operation == ast.Mutation, resized: resized, known: map[string]sum{}, numbers: map[*ast.Field]int{}}
	total := int64(0)
	pending := int64(max(who.Pending, 0))
	pay := func(s sum) {
		total = plus(total, plus(s.each, s.once))
		if s.viewer {
			total = plus(total, 1)
		}
		if s.own {
			total = plus(total, pending)
		}
	}
	switch op.Operation {
	case ast.Mutation:
		if e.schema.Mutation == nil {
			return 0, true
		}
		for _, s := range w.writes(op.SelectionSet) {
			pending++
			pay(s)
		}
	case ast.Subscription:
		if e.schema.Subscription != nil {
			pay(w.object(e.schema.Subscription.Name, true, op.SelectionSet))
		}
	default:
		pay(w.object(e.schema.Query.Name, true, op.SelectionSet))
	}
	if w.steps > maxSteps {
		return Unbounded, false
	}
	return int(total), true
}
