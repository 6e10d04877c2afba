package responselimit

import (
	"reflect"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// A plan is what one object of a type adds to a response by a selection set, without the values of its fields.
type plan struct {
	fields int64
	bytes  int64 // braces, keys, commas and the values of __typename
	tasks  int64 // fields that gqlgen resolves in goroutines of their own
	items  int64 // objects of lists, each of which gqlgen builds in a goroutine of its own
	read   int64 // items of lists that were read for it, whatever is selected of them
}

func (p plan) plus(q plan) plan {
	return plan{p.fields + q.fields, p.bytes + q.bytes, p.tasks + q.tasks, p.items + q.items, p.read + q.read}
}

func (p plan) largest(q plan) plan {
	return plan{max(p.fields, q.fields), max(p.bytes, q.bytes), max(p.tasks, q.tasks), max(p.items, q.items), max(p.read, q.read)}
}

// newPlan collects the fields of a selection set for an object type. gqlgen keeps what was collected for as long as
// the operation lasts, and uses it for each object.
func (c *counter) newPlan(set ast.SelectionSet, typ string) plan {
	fields := graphql.CollectFields(c.oc, set, c.limiter.types[typ])
	p := plan{fields: int64(len(fields)), bytes: 2}
	for i := range fields {
		p.bytes += int64(len(fields[i].Alias)) + 4 // quotes, colon and comma
		if fields[i].Name == "__typename" {
			p.bytes += int64(len(typ)) + 2
		}
		if c.limiter.limits.Concurrent(typ, fields[i].Name) {
			p.tasks++
		}
	}
	if p.fields > 0 {
		p.bytes-- // no comma after the last
	}
	return p
}

// plans are the plans of one selection set: one if its type is an object type, else one for each type that occurs.
type plans struct {
	counter *counter
	set     ast.SelectionSet
	of      *ast.Definition

	once   sync.Once
	object plan     // if of is an object type
	byType sync.Map // reflect.Type -> plan
}

// plansOf returns the plans of a field's selection set. They are made once, before gqlgen starts on the objects:
// collecting takes time in the square of the number of keys, and gqlgen would do it for many objects at once.
func (c *counter) plansOf(f graphql.CollectedField) *plans {
	key := &f.Selections[0] // gqlgen merges selection sets into a slice of its own
	if found, ok := c.plans.Load(key); ok {
		return found.(*plans).prepared()
	}
	p := &plans{counter: c, set: f.Selections, of: c.limiter.schema.Types[f.Definition.Type.Name()]}
	found, _ := c.plans.LoadOrStore(key, p)
	return found.(*plans).prepared()
}

func (p *plans) prepared() *plans {
	p.once.Do(func() {
		if p.of.Kind == ast.Object {
			p.object = p.counter.newPlan(p.set, p.of.Name)
		}
	})
	return p
}

// cost returns what a resolver's value, an object or a list of them, adds to the response.
func (p *plans) cost(value any) plan {
	if value == nil {
		return plan{bytes: sizeOfNull}
	}
	all := p.sum(reflect.ValueOf(value))
	if page, ok := value.(page); ok && all.fields > 0 {
		all.read = int64(page.Len())
	}
	return all
}

// A page is an object that holds items of a list, such as a connection.
type page interface{ Len() int }

func (p *plans) sum(v reflect.Value) plan {
	switch v.Kind() {
	case reflect.Chan: // the events of a subscription
		return plan{}
	case reflect.Slice:
		n := v.Len()
		all := plan{bytes: 2 + int64(max(n-1, 0)), items: int64(n)}
		for i := range n {
			all = all.plus(p.sum(v.Index(i)))
		}
		return all
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return plan{bytes: sizeOfNull}
		}
		if v.Kind() == reflect.Interface {
			return p.sum(v.Elem())
		}
	}
	if p.of.Kind != ast.Object {
		return p.planOf(v.Type())
	}
	return p.object
}

// planOf returns the plan of the object type that a Go type stands for: the one of the same name. For a Go type of
// another name it is the largest plan of all possible types.
func (p *plans) planOf(typ reflect.Type) plan {
	if found, ok := p.byType.Load(typ); ok {
		return found.(plan)
	}
	name := typ.Name()
	if typ.Kind() == reflect.Pointer {
		name = typ.Elem().Name()
	}
	var made plan
	for _, possible := range p.counter.limiter.schema.GetPossibleTypes(p.of) {
		if possible.Kind != ast.Object {
			continue
		}
		of := p.counter.newPlan(p.set, possible.Name)
		if possible.Name == name {
			made = of
			break
		}
		made = made.largest(of)
	}
	p.byType.Store(typ, made)
	return made
}
