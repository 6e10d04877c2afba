package cost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/model"
)

// An Estimator estimates the cost of operations on one schema. It is safe for
// concurrent use.
type Estimator struct {
	parseKey    func(input string) (model.Kind, string, error) // see WithKeyParser
	schema      *ast.Schema
	fields      map[string]map[string]*field // by object type and name
	objectTypes map[string][]string          // the object types of each type, sorted
	typesOf     map[string]map[string]bool   // an object type's own name, interfaces and unions
}

// New returns an estimator for a schema. It reads the prices from the directives
// @cost and @listSize, which only the schema that gqlgen embeds contains. It returns
// an error for a connection without a price, and for a list without a size whose
// items have fields that can make calls, because such a field would be estimated as
// free. The error names the file and the line.
func New(schema *ast.Schema) (*Estimator, error) {
	e := &Estimator{
		schema: schema, fields: map[string]map[string]*field{},
		objectTypes: map[string][]string{}, typesOf: map[string]map[string]bool{},
	}
	for name, def := range schema.Types {
		if strings.HasPrefix(name, "__") || !def.IsCompositeType() {
			continue
		}
		for _, possible := range schema.GetPossibleTypes(def) {
			if possible.Kind != ast.Object {
				continue // gqlparser also lists interfaces that implement an interface
			}
			e.objectTypes[name] = append(e.objectTypes[name], possible.Name)
			if e.typesOf[possible.Name] == nil {
				e.typesOf[possible.Name] = map[string]bool{possible.Name: true}
			}
			e.typesOf[possible.Name][name] = true
		}
		slices.Sort(e.objectTypes[name])
		if def.Kind != ast.Object {
			continue // the price of a field depends on the type of the object
		}
		e.fields[name] = map[string]*field{}
		for _, f := range def.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			read, err := readField(schema, def, f)
			if err != nil {
				return nil, fmt.Errorf("cost: %s: %w", location(name, f), err)
			}
			e.fields[name][f.Name] = read
		}
	}
	return e, e.checkSizes()
}

// WithKeyParser returns an estimator with the same prices that parses keys and URLs
// in arguments. The parser returns the kind and the canonical key of the resource
// that the operation will read, or an error if the operation will reject the input,
// which then costs nothing. An estimator without a parser assumes the kind that
// costs most. The parser must be safe for concurrent use.
func (e *Estimator) WithKeyParser(parse func(input string) (model.Kind, string, error)) *Estimator {
	with := *e
	with.parseKey = parse
	return &with
}

// checkSizes returns an error unless each list without pages has a size, if a field
// below it can make calls.
func (e *Estimator) checkSizes() error {
	costly := e.costlyTypes()
	for typ, fields := range e.fields {
		for _, f := range fields {
			if f.def.Type.Elem == nil || f.perElement != "" || isPageType(typ) {
				continue
			}
			if f.size == 0 && costly[f.def.Type.Name()] {
				return fmt.Errorf("cost: %s: a list of objects whose fields can cost calls needs @listSize(assumedSize:)", location(typ, f.def))
			}
		}
	}
	return nil
}

// costlyTypes returns the types whose fields, or fields below these, can make calls.
func (e *Estimator) costlyTypes() map[string]bool {
	costly := map[string]bool{}
	for changed := true; changed; {
		changed = false
		for typ, fields := range e.fields {
			for _, f := range fields {
				if f.free() && !costly[f.def.Type.Name()] || costly[typ] {
					continue
				}
				changed = true
				for name := range e.typesOf[typ] {
					costly[name] = true
				}
			}
		}
	}
	return costly
}

// isPageType reports whether a type only wraps the items of a page.
func isPageType(typ string) bool {
	return strings.HasSuffix(typ, "Connection") || strings.HasSuffix(typ, "Edge")
}

// A Caller describes the principal of an operation.
type Caller struct {
	// HasToken is false for anonymous requests.
	HasToken bool
	// PendingWrites is the number of the viewer's recent writes that responses of
	// Mixcloud may not include yet. The viewer's own counts and lists are corrected
	// for them, which takes a load of each write's target.
	PendingWrites int
}

// Estimate returns the maximum number of calls that an operation can make, 0 to
// [Unbounded]. The operation must be valid and the variables coerced; Estimate
// ignores invalid parts. Its running time depends on the length of the document, not
// on the numbers in it.
func (e *Estimator) Estimate(op *ast.OperationDefinition, variables map[string]any, caller Caller) int {
	calls, _ := e.estimate(op, variables, caller, nil)
	return calls
}

// estimate does the work of Estimate, with other sizes for some pages. It returns false if the
// document has too many selections; the estimate is then Unbounded.
func (e *Estimator) estimate(op *ast.OperationDefinition, variables map[string]any, caller Caller, sizes map[*ast.Field]int) (calls int, ok bool) {
	w := &walk{
		Estimator: e, variables: variables, hasToken: caller.HasToken,
		hasWrites: caller.PendingWrites > 0 || op.Operation == ast.Mutation, sizes: sizes,
	}
	total := int64(0)
	writes := int64(max(caller.PendingWrites, 0))
	add := func(s subtotal) {
		total = saturatingAdd(total, saturatingAdd(s.perObject, s.once))
		if s.viewer {
			total = saturatingAdd(total, 1)
		}
		if s.ownWrites {
			total = saturatingAdd(total, writes)
		}
	}
	switch op.Operation {
	case ast.Mutation:
		if e.schema.Mutation == nil {
			return 0, true
		}
		for _, s := range w.mutationFields(op.SelectionSet) {
			writes++
			add(s)
		}
	case ast.Subscription:
		if e.schema.Subscription != nil {
			add(w.object(e.schema.Subscription.Name, true, op.SelectionSet))
		}
	default:
		add(w.object(e.schema.Query.Name, true, op.SelectionSet))
	}
	if w.steps > maxSteps {
		return Unbounded, false
	}
	return int(total), true
}
