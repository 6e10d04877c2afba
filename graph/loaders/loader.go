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
	"runtime/debug"

	"github.com/graph-gophers/dataloader/v7"

	"mixcloud-graphql/internal/telemetry"
)

// A Loader fetches each key at most once in its life. It is safe for
// concurrent use and lives as long as one operation.
type Loader[K comparable, V any] struct {
	inner *dataloader.Loader[K, *flight[V]]
}

// A flight is a fetch under way or done. The library hands it out at once, since
// a thunk of its own can only be waited for to the end, and only by one at a
// time.
type flight[V any] struct {
	done  chan struct{} // closed when what follows is there
	value V
	err   error
}

// A PanicError is a panic in a fetch, which runs outside of the executor's own
// recovery: it becomes an error of the fields that asked.
type PanicError struct {
	value string
	stack []byte
}

// newPanicError takes what was recovered.
func newPanicError(p any) *PanicError { return &PanicError{telemetry.Panicked(p), debug.Stack()} }

// Error tells the panic and where it was, for the log; clients get an internal
// error.
func (e *PanicError) Error() string { return "loader: panic: " + e.value + "\n" + string(e.stack) }

// newLoader makes a loader whose fetches run with the operation's context, not
// with that of the field that happens to ask first: gqlgen cancels those when a
// sibling fails.
func newLoader[K comparable, V any](operation context.Context, fetch func(context.Context, K) (V, error)) *Loader[K, V] {
	fly := func(f *flight[V], key K) {
		defer close(f.done)
		defer func() {
			if p := recover(); p != nil {
				f.err = newPanicError(p)
			}
		}()
		f.value, f.err = fetch(operation, key)
	}
	batch := func(_ context.Context, keys []K) []*dataloader.Result[*flight[V]] {
		results := make([]*dataloader.Result[*flight[V]], len(keys)) // never with a nil in it: the library would panic
		for i, key := range keys {                                   // a capacity of one: there is exactly one
			f := &flight[V]{done: make(chan struct{})}
			go fly(f, key)
			results[i] = &dataloader.Result[*flight[V]]{Data: f}
		}
		return results
	}
	return &Loader[K, V]{dataloader.NewBatchedLoader(batch,
		dataloader.WithBatchCapacity[K, *flight[V]](1),
		dataloader.WithInputCapacity[K, *flight[V]](1))}
}

// Load gives the value of key, fetching it unless that has begun already. It
// returns when the value is there, or with ctx's error when ctx ends before; the
// fetch goes on for others until the operation's own context ends.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	var none V
	f, err := l.inner.Load(ctx, key)()
	if err != nil {
		return none, err
	}
	select {
	case <-f.done:
		return f.value, f.err
	default:
	}
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Prime makes value known under key without a fetch, unless key was asked for
// already.
func (l *Loader[K, V]) Prime(ctx context.Context, key K, value V) {
	f := &flight[V]{done: make(chan struct{}), value: value}
	close(f.done)
	l.inner.Prime(ctx, key, f)
}

// forget makes the next Load of any key fetch again.
func (l *Loader[K, V]) forget() { l.inner.ClearAll() }
