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
	"sync/atomic"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/upstream"
)

// A Loader fetches each key at most once in its life. It is safe for
// concurrent use and lives as long as one operation. What it gives is shared
// with other operations and must not be modified.
type Loader[K comparable, V any] struct {
	inner   *dataloader.Loader[K, *flight[V]]
	seen    func(V) // hears of each answer; nil for none. Set before the first Load
	session *upstream.Session
	slot    *admission.Slot // of the operation; nil for none
	cutOff  *atomic.Bool    // of the Loaders
}

// A flight is a fetch under way or done. The library hands it out at once, since
// a thunk of its own can only be waited for to the end, and only by one at a
// time.
type flight[V any] struct {
	done  chan struct{} // closed when what follows is there
	id    string        // of the resource; "" for one that was not fetched
	value V
	err   error
}

// newLoader makes a loader whose fetches run with the operation's context, not
// with that of the field that happens to ask first: gqlgen cancels those when a
// sibling fails. Resource says what a key stands for. Correct, unless it is nil,
// makes of an answer one that shows the viewer's writes, without changing it.
func newLoader[K comparable, V any](l *Loaders, resource func(K) upstream.Resource[V], correct func(*upstream.Session, V) V) *Loader[K, V] {
	session, operation := l.session, l.operation
	loader := &Loader[K, V]{session: session, slot: admission.From(operation), cutOff: &l.cutOff}
	fly := func(f *flight[V], key K) {
		defer close(f.done)
		defer func() {
			if p := recover(); p != nil {
				f.err = upstream.NewPanicError(p)
			}
		}()
		r := resource(key)
		f.id = r.ID
		f.value, f.err = upstream.Fetch(operation, session, r)
		if f.err == nil && correct != nil && !session.Settled() {
			f.value = correct(session, f.value)
		}
		if f.err == nil && loader.seen != nil {
			loader.seen(f.value)
		}
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
	loader.inner = dataloader.NewBatchedLoader(batch,
		dataloader.WithBatchCapacity[K, *flight[V]](1),
		dataloader.WithInputCapacity[K, *flight[V]](1))
	return loader
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
		return l.give(ctx, f)
	default:
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case <-f.done:
		l.slot.Yield() // many may have waited for the same
		return l.give(ctx, f)
	case <-ctx.Done():
		l.cutOff.Store(true)
		return none, ctx.Err()
	}
}

// give tells the session where an answer is used that is not fresh.
func (l *Loader[K, V]) give(ctx context.Context, f *flight[V]) (V, error) {
	if f.err == nil && l.session.Stale(f.id) {
		l.session.Place(f.id, path(ctx))
	}
	return f.value, f.err
}

// path is that of the field that asks.
func path(ctx context.Context) []any {
	elements := graphql.GetPath(ctx)
	path := make([]any, len(elements))
	for i, e := range elements {
		switch e := e.(type) {
		case ast.PathName:
			path[i] = string(e)
		case ast.PathIndex:
			path[i] = int(e)
		}
	}
	return path
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
