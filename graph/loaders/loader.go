package loaders

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/upstream"
)

// A Loader loads one type of value by key: each key at most once in an
// operation. It is a description that all operations share; what an operation
// has loaded is in its [Loaders]. It is safe for concurrent use. The values are
// shared with other operations and must not be modified.
type Loader[K comparable, V any] struct {
	// resource returns the resource that a key names.
	resource func(*Loaders, K) upstream.Resource[V]
	// correct returns a copy of a value that shows the viewer's recent writes; nil
	// if no write changes the value.
	correct func(*upstream.Session, V) V
	// seen is called with each value that was fetched; nil for no call.
	seen func(*Loaders, V)
	// keeps says that [Loaders.Forget] does not apply: no write changes the values.
	keeps bool
}

// Load returns the value of key in the operation of ctx, and fetches it unless
// that has begun already. It returns when the value is there, or with ctx's error
// when ctx ends before; the fetch continues for others until the operation's own
// context ends.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	return l.in(From(ctx)).load(ctx, key)
}

// in returns the loader's instance in an operation, and makes it at first use.
func (l *Loader[K, V]) in(operation *Loaders) *instance[K, V] {
	operation.mu.Lock()
	defer operation.mu.Unlock()
	if made, ok := operation.instances[l]; ok {
		return made.(*instance[K, V])
	}
	made := newInstance(l, operation)
	if operation.instances == nil {
		operation.instances = map[any]forgetter{}
	}
	operation.instances[l] = made
	return made
}

// An instance is the dataloader of a [Loader] in one operation.
type instance[K comparable, V any] struct {
	*Loader[K, V]
	operation *Loaders
	slot      *admission.Slot // of the operation; nil for none
	inner     *dataloader.Loader[K, *call[V]]
}

// A call is a fetch in flight or done. The dataloader returns it at once, because
// its own thunks cannot be waited for with a context, and only by one goroutine at
// a time.
type call[V any] struct {
	done  chan struct{} // closed when the fields below are set
	id    string        // of the resource; "" for one that was not fetched
	value V
	err   error
}

func newInstance[K comparable, V any](l *Loader[K, V], operation *Loaders) *instance[K, V] {
	i := &instance[K, V]{Loader: l, operation: operation, slot: admission.FromContext(operation.operation)}
	i.inner = dataloader.NewBatchedLoader(i.start,
		dataloader.WithBatchCapacity[K, *call[V]](1),
		dataloader.WithInputCapacity[K, *call[V]](1))
	return i
}

// start is the batch function. The batch capacity is one, so there is one key.
func (i *instance[K, V]) start(_ context.Context, keys []K) []*dataloader.Result[*call[V]] {
	results := make([]*dataloader.Result[*call[V]], len(keys)) // the dataloader panics if one is nil
	for n, key := range keys {
		c := &call[V]{done: make(chan struct{})}
		go i.fetch(c, key)
		results[n] = &dataloader.Result[*call[V]]{Data: c}
	}
	return results
}

// fetch runs with the operation's context, not with that of the field that asked
// first: gqlgen cancels those when a sibling fails.
func (i *instance[K, V]) fetch(c *call[V], key K) {
	defer close(c.done)
	defer func() {
		if p := recover(); p != nil {
			c.err = upstream.NewPanicError(p)
		}
	}()
	session := i.operation.session
	r := i.resource(i.operation, key)
	c.id = r.ID
	c.value, c.err = upstream.Fetch(i.operation.operation, session, r)
	if c.err == nil && i.correct != nil && !session.NoPendingWrites() {
		c.value = i.correct(session, c.value)
	}
	if c.err == nil && i.seen != nil {
		i.seen(i.operation, c.value)
	}
}

// load is [Loader.Load] within the operation of the instance.
func (i *instance[K, V]) load(ctx context.Context, key K) (V, error) {
	var none V
	c, err := i.inner.Load(ctx, key)()
	if err != nil {
		return none, err
	}
	select {
	case <-c.done:
		return i.result(ctx, c)
	default:
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case <-c.done:
		i.slot.Yield() // many goroutines may have waited for the same call
		return i.result(ctx, c)
	case <-ctx.Done():
		i.operation.waitCanceled.Store(true)
		return none, ctx.Err()
	}
}

// result returns the outcome of a finished call, and reports to the session where in
// the response a stale value is used.
func (i *instance[K, V]) result(ctx context.Context, c *call[V]) (V, error) {
	if session := i.operation.session; c.err == nil && session.Stale(c.id) {
		session.AddStalePath(c.id, path(ctx))
	}
	return c.value, c.err
}

// path returns the response path of the field that ctx belongs to.
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

// prime sets the value of key without a fetch, unless key was loaded before.
func (i *instance[K, V]) prime(key K, value V) {
	c := &call[V]{done: make(chan struct{}), value: value}
	close(c.done)
	i.inner.Prime(i.operation.operation, key, c)
}

// forget makes the next load of each key fetch again.
func (i *instance[K, V]) forget() {
	if !i.keeps {
		i.inner.ClearAll()
	}
}
