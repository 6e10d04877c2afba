package loaders

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/graph-gophers/dataloader/v7"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/upstream"
)

// A Loader loads values of one type by key. An operation loads each key at most once. All
// operations share the Loader, which has no state: the values that an operation has loaded
// are in its [Loaders]. A Loader is safe for concurrent use. The values are shared with
// other operations and must not be modified.
type Loader[K comparable, V any] struct {
	// resource returns the resource to fetch for a key.
	resource func(*Loaders, K) upstream.Resource[V]
	// correct returns a copy of a value that shows the viewer's recent writes; nil
	// if no write changes the value.
	correct func(*upstream.Session, V) V
	// onFetched is called with each fetched value, unless it is nil.
	onFetched func(*Loaders, V)
	// immutable is set if no write changes the values, so that [Loaders.Forget] keeps
	// them.
	immutable bool
}

// Load returns the value of key in the operation of ctx. It starts a fetch unless the
// operation has started one for the key. If ctx ends before the fetch, Load returns the
// error of ctx. The fetch continues for other callers until the operation's context ends.
func (l *Loader[K, V]) Load(ctx context.Context, key K) (V, error) {
	return l.instanceIn(From(ctx)).load(ctx, key)
}

// instanceIn returns the loader's instance in an operation, and creates it at first use.
func (l *Loader[K, V]) instanceIn(operation *Loaders) *instance[K, V] {
	operation.mu.Lock()
	defer operation.mu.Unlock()
	if i, ok := operation.instances[l]; ok {
		return i.(*instance[K, V])
	}
	i := newInstance(l, operation)
	if operation.instances == nil {
		operation.instances = map[any]forgetter{}
	}
	operation.instances[l] = i
	return i
}

// An instance is the dataloader of a [Loader] in one operation.
type instance[K comparable, V any] struct {
	*Loader[K, V]
	operation *Loaders
	slot      *admission.Slot // of the operation, or nil
	inner     *dataloader.Loader[K, *promise[V]]
}

// A promise is the result of a fetch, which may be still running. The dataloader returns
// the promise at once, because a wait for the dataloader's own thunk cannot be canceled
// by a context and blocks other goroutines.
type promise[V any] struct {
	done  chan struct{} // closed when the fields below are set
	id    string        // the id of the resource, or "" for a primed value
	value V
	err   error
}

func newInstance[K comparable, V any](l *Loader[K, V], operation *Loaders) *instance[K, V] {
	i := &instance[K, V]{Loader: l, operation: operation, slot: admission.FromContext(operation.operation)}
	i.inner = dataloader.NewBatchedLoader(i.start,
		dataloader.WithBatchCapacity[K, *promise[V]](1),
		dataloader.WithInputCapacity[K, *promise[V]](1))
	return i
}

// start is the batch function of the dataloader. It starts the fetch of each key. The
// batch capacity is one, so that there is one key.
func (i *instance[K, V]) start(_ context.Context, keys []K) []*dataloader.Result[*promise[V]] {
	results := make([]*dataloader.Result[*promise[V]], len(keys)) // the dataloader panics if one is nil
	for n, key := range keys {
		p := &promise[V]{done: make(chan struct{})}
		go i.fetch(p, key)
		results[n] = &dataloader.Result[*promise[V]]{Data: p}
	}
	return results
}

// fetch fetches the value of a key. It uses the operation's context, not that of a field,
// because gqlgen cancels a field's context when a sibling fails.
func (i *instance[K, V]) fetch(p *promise[V], key K) {
	defer close(p.done)
	defer func() {
		if cause := recover(); cause != nil {
			p.err = upstream.NewPanicError(cause)
		}
	}()
	session := i.operation.session
	r := i.resource(i.operation, key)
	p.id = r.ID
	p.value, p.err = upstream.Fetch(i.operation.operation, session, r)
	if p.err == nil && i.correct != nil && !session.NoPendingWrites() {
		p.value = i.correct(session, p.value)
	}
	if p.err == nil && i.onFetched != nil {
		i.onFetched(i.operation, p.value)
	}
}

// load does the work of [Loader.Load], in the operation of the instance.
func (i *instance[K, V]) load(ctx context.Context, key K) (V, error) {
	var none V
	p, err := i.inner.Load(ctx, key)()
	if err != nil {
		return none, err
	}
	return i.wait(ctx, p)
}

// wait waits for a fetch that was started.
func (i *instance[K, V]) wait(ctx context.Context, p *promise[V]) (V, error) {
	var none V
	select {
	case <-p.done:
		return i.result(ctx, p)
	default:
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case <-p.done:
		i.slot.Yield() // many goroutines may have waited for the same fetch
		return i.result(ctx, p)
	case <-ctx.Done():
		if ctx.Value(speculative{}) == nil {
			i.operation.waitCanceled.Store(true)
		}
		return none, ctx.Err()
	}
}

// result returns the result of a finished fetch. If the value is stale, it reports the
// path of the field to the session.
func (i *instance[K, V]) result(ctx context.Context, p *promise[V]) (V, error) {
	if session := i.operation.session; p.err == nil && session.Stale(p.id) && ctx.Value(speculative{}) == nil {
		session.AddStalePath(p.id, responsePath(ctx))
	}
	return p.value, p.err
}

// responsePath returns the path in the response of the field that ctx belongs to.
func responsePath(ctx context.Context) []any {
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

// prime sets the value of key without a fetch, unless the key was loaded before.
func (i *instance[K, V]) prime(key K, value V) {
	p := &promise[V]{done: make(chan struct{}), value: value}
	close(p.done)
	i.inner.Prime(i.operation.operation, key, p)
}

// forget makes the next load of each key fetch again.
func (i *instance[K, V]) forget() {
	if !i.immutable {
		i.inner.ClearAll()
	}
}
