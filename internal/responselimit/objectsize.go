package responselimit

import (
	"reflect"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// An objectSize is the size that an object of a type adds to a response through a selection set, without the values of its
// fields.
type objectSize struct {
	fields int64
	bytes  int64 // braces, keys, commas and the values of __typename
	tasks  int64 // fields that gqlgen resolves in their own goroutines
	items  int64 // objects in lists, each of which gqlgen builds in its own goroutine
	read   int64 // items read for lists, regardless of the selection
}

func (p objectSize) add(q objectSize) objectSize {
	return objectSize{p.fields + q.fields, p.bytes + q.bytes, p.tasks + q.tasks, p.items + q.items, p.read + q.read}
}

func (p objectSize) max(q objectSize) objectSize {
	return objectSize{max(p.fields, q.fields), max(p.bytes, q.bytes), max(p.tasks, q.tasks), max(p.items, q.items), max(p.read, q.read)}
}

// newObjectSize collects the fields of a selection set for an object type. gqlgen caches the collected fields for the
// duration of the operation and uses them for each object.
func (c *counter) newObjectSize(set ast.SelectionSet, typ string) objectSize {
	fields := graphql.CollectFields(c.oc, set, c.limiter.types[typ])
	size := objectSize{fields: int64(len(fields)), bytes: 2}
	for i := range fields {
		size.bytes += int64(len(fields[i].Alias)) + 4 // quotes, colon and comma
		if fields[i].Name == "__typename" {
			size.bytes += int64(len(typ)) + 2
		}
		if c.limiter.limits.Concurrent(typ, fields[i].Name) {
			size.tasks++
		}
	}
	if size.fields > 0 {
		size.bytes-- // no comma after the last field
	}
	return size
}

// selectionSizes are the object sizes of a selection set: one if its type is an object type, else one for each type that
// occurs.
type selectionSizes struct {
	counter *counter
	set     ast.SelectionSet
	typ     *ast.Definition

	once   sync.Once
	object objectSize // if typ is an object type
	byType sync.Map   // reflect.Type -> plan
}

// sizesOf returns the sizes of a field's selection set. sizesOf computes them once, before gqlgen builds the objects:
// collecting fields takes quadratic time in the number of keys, and gqlgen would do it for many objects concurrently.
func (c *counter) sizesOf(f graphql.CollectedField) *selectionSizes {
	key := &f.Selections[0] // gqlgen merges selection sets into a new slice
	if found, ok := c.sizes.Load(key); ok {
		return found.(*selectionSizes).ready()
	}
	sizes := &selectionSizes{counter: c, set: f.Selections, typ: c.limiter.schema.Types[f.Definition.Type.Name()]}
	found, _ := c.sizes.LoadOrStore(key, sizes)
	return found.(*selectionSizes).ready()
}

func (p *selectionSizes) ready() *selectionSizes {
	p.once.Do(func() {
		if p.typ.Kind == ast.Object {
			p.object = p.counter.newObjectSize(p.set, p.typ.Name)
		}
	})
	return p
}

// sizeOfResult returns the size that a resolver's result, an object or a list of objects, adds to the response.
func (p *selectionSizes) sizeOfResult(value any) objectSize {
	if value == nil {
		return objectSize{bytes: sizeOfNull}
	}
	size := p.sizeOfGoValue(reflect.ValueOf(value))
	if holder, ok := value.(itemHolder); ok && size.fields > 0 {
		size.read = int64(holder.Len())
	}
	return size
}

// An itemHolder is an object that holds items of a list, such as a connection.
type itemHolder interface{ Len() int }

func (p *selectionSizes) sizeOfGoValue(v reflect.Value) objectSize {
	switch v.Kind() {
	case reflect.Chan: // the events of a subscription
		return objectSize{}
	case reflect.Slice:
		n := v.Len()
		size := objectSize{bytes: 2 + int64(max(n-1, 0)), items: int64(n)}
		for i := range n {
			size = size.add(p.sizeOfGoValue(v.Index(i)))
		}
		return size
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return objectSize{bytes: sizeOfNull}
		}
		if v.Kind() == reflect.Interface {
			return p.sizeOfGoValue(v.Elem())
		}
	}
	if p.typ.Kind != ast.Object {
		return p.sizeOfGoType(v.Type())
	}
	return p.object
}

// sizeOfGoType returns the size of the object type with the same name as a Go type. If there is none, it returns the
// maximum over all possible types.
func (p *selectionSizes) sizeOfGoType(typ reflect.Type) objectSize {
	if found, ok := p.byType.Load(typ); ok {
		return found.(objectSize)
	}
	name := typ.Name()
	if typ.Kind() == reflect.Pointer {
		name = typ.Elem().Name()
	}
	var result objectSize
	for _, possible := range p.counter.limiter.schema.GetPossibleTypes(p.typ) {
		if possible.Kind != ast.Object {
			continue
		}
		size := p.counter.newObjectSize(p.set, possible.Name)
		if possible.Name == name {
			result = size
			break
		}
		result = result.max(size)
	}
	p.byType.Store(typ, result)
	return result
}
