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
	names  func(pasted string) (model.Kind, string, error) // see WithNames
	schema *ast.Schema
	fields map[string]map[string]*field // by type and name
	kinds  map[string][]string          // the object types that a type can be
	is     map[string]map[string]bool   // object type to whatever it is: itself, interfaces, unions
}

// New reads the prices of a schema from its directives @cost and @listSize, which
// only the schema that gqlgen embeds has. A connection without a price and a list
// without a size, below which something costs a call, are errors: what has no
// price must not pass for free. An error names the file and the line.
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
			if possible.Kind != ast.Object {
				continue // gqlparser lists interfaces that implement an interface too
			}
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
				return nil, fmt.Errorf("cost: %s: %w", at(name, f), err)
			}
			e.fields[name][f.Name] = read
		}
	}
	return e, e.checkSizes()
}

// WithNames returns an estimator with the same prices that knows what a key or a
// pasted address names: names returns the kind and the canonical key of the
// resource, as it will be read when the operation is executed, or an error if the
// operation will refuse it, which then costs nothing. An estimator without names
// assumes the kind that costs most. Several goroutines call names at once.
func (e *Estimator) WithNames(names func(pasted string) (model.Kind, string, error)) *Estimator {
	with := *e
	with.names = names
	return &with
}

// checkSizes returns an error unless each list without pages has a size, if
// something below it can cost a call.
func (e *Estimator) checkSizes() error {
	costly := e.costly()
	for typ, fields := range e.fields {
		for _, f := range fields {
			if f.def.Type.Elem == nil || f.perElement != "" || transparent(typ) {
				continue
			}
			if f.size == 0 && costly[f.def.Type.Name()] {
				return fmt.Errorf("cost: %s: a list of objects whose fields can cost calls needs @listSize(assumedSize:)", at(typ, f.def))
			}
		}
	}
	return nil
}

// costly returns the types below which something can cost a call.
func (e *Estimator) costly() map[string]bool {
	costly := map[string]bool{}
	for grown := true; grown; {
		grown = false
		for typ, fields := range e.fields {
			for _, f := range fields {
				if f.free() && !costly[f.def.Type.Name()] || costly[typ] {
					continue
				}
				grown = true
				for name := range e.is[typ] {
					costly[name] = true
				}
			}
		}
	}
	return costly
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
	w := &walk{Estimator: e, variables: variables, signed: who.Signed, wrote: who.Pending > 0 || op.Operation == ast.Mutation, resized: resized}
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
