// Package loaders gives each operation its own dataloaders: whatever is asked
// for twice within the operation is fetched once, and what is independent is
// fetched side by side.
//
// Mixcloud can give only one resource per call, so there is nothing to gain by
// waiting for a batch to fill: each key is dispatched at once, and the store
// behind the loaders bounds how many calls are under way.
package loaders

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/graph-gophers/dataloader/v7"
)

// A Loader fetches each key at most once in its life. It is safe for
// concurrent use and lives as long as one operation.
type Loader[K comparable, V any] struct {
	inner *dataloader.Loader[K, V]
}

// A PanicError is a panic in a fetch, which runs outside of the executor's own
// recovery: it becomes an error of the fields that asked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error names the panic, for the log; clients get an internal error.
func (e *PanicError) Error() string { return fmt.Sprintf("loader: panic: %v", e.Value) }

// newLoader makes a loader whose fetches run with the operation's context, not
// with that of the field that happens to ask first: gqlgen cancels those when a
// sibling fails.
func newLoader[K comparable, V any](operation context.Context, fetch func(context.Context, K) (V, error)) *Loader[K, V] {
	one := func(key K) (result *dataloader.Result[V]) {
		result = new(dataloader.Result[V]) // never nil: the library would panic
		defer func() {
			if p := recover(); p != nil {
				result.Error = &PanicError{Value: p, Stack: debug.Stack()}
			}
		}()
		result.Data, result.Error = fetch(operation, key)
		return result
	}
	batch := func(_ context.Context, keys []K) []*dataloader.Result[V] {
		results := make([]*dataloader.Result[V], len(keys))
		for i, key := range keys { // a capacity of one: there is exactly one
			results[i] = one(key)
		}
		return results
	}
	return &Loader[K, V]{dataloader.NewBatchedLoader(batch,
		dataloader.WithBatchCapacity[K, V](1),
		dataloader.WithInputCapacity[K, V](1))}
}

// Load gives the value of key, fetching it unless that has begun already. It
// returns when the value is there or when the operation's context ends, which
// ends the fetch.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	return l.inner.Load(ctx, key)()
}

// Prime makes value known under key without a fetch, unless key was asked for
// already.
func (l *Loader[K, V]) Prime(ctx context.Context, key K, value V) {
	l.inner.Prime(ctx, key, value)
}

// forget makes the next Load of any key fetch again.
func (l *Loader[K, V]) forget() { l.inner.ClearAll() }
