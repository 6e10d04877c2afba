// Package compiled stores values that are compiled from one GraphQL document, such as the plan
// of an estimate. They live exactly as long as the parsed document in the query cache.
package compiled

import (
	"context"
	"sync"
)

// maxValues is the maximum number of stored values of a document.
const maxValues = 256

// A Document stores the values that are compiled from one parsed document. It is safe for
// concurrent use; the zero Document is ready. A nil *Document stores nothing.
type Document struct {
	mu     sync.Mutex // held while a value is stored
	stored int
	values sync.Map
}

// Get returns the value with a key. If there is none yet it calls compile and stores the result,
// as long as the document has fewer than [maxValues] values. Concurrent callers may compile a
// value more than once; all get the one that was stored first, so it must not be modified.
// Compile may call Get with other keys. The type of a key should be private to its package, as
// with [context.WithValue].
func (d *Document) Get(key any, compile func() any) any {
	if d == nil {
		return compile()
	}
	if value, ok := d.values.Load(key); ok {
		return value
	}
	value := compile()
	d.mu.Lock()
	defer d.mu.Unlock()
	if first, ok := d.values.Load(key); ok {
		return first
	}
	if d.stored < maxValues {
		d.stored++
		d.values.Store(key, value)
	}
	return value
}

// Key is the key of the [Document] in a context, for contexts that store it without [Into].
type Key struct{}

// Into returns a context with the document of its operation.
func Into(ctx context.Context, d *Document) context.Context {
	return context.WithValue(ctx, Key{}, d)
}

// From returns the document of the operation of ctx, or nil.
func From(ctx context.Context) *Document {
	d, _ := ctx.Value(Key{}).(*Document)
	return d
}
