// Package loaders creates the dataloaders of each operation: an operation
// fetches each resource at most once, and independent resources in parallel.
//
// The loaders are package variables without state, such as [Users] and
// [CloudcastPages]. [Loaders] is the state of one operation. It has a dataloader for
// each loader that the operation has used, which is created at the first use.
//
// Mixcloud returns one resource per call, so there is nothing to batch: each key is
// dispatched at once, and package upstream limits how many calls run in parallel.
package loaders

import (
	"context"
	"sync"
	"sync/atomic"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// Loaders is the state of the loaders within one operation. It is safe for
// concurrent use.
type Loaders struct {
	session      *upstream.Session
	operation    context.Context //nolint:containedctx // the loaders live exactly as long as the operation
	waitCanceled atomic.Bool
	projected    atomic.Int64 // see MayProject

	mu        sync.Mutex
	instances map[any]forgetter            // by *Loader
	spellings map[resourceKey]mixcloud.Key // the first spelling of each key, see [ResourceLoader]
}

// A forgetter is an [instance] of any type.
type forgetter interface{ forget() }

// New returns the state of an operation, without dataloaders. The operation ends when
// ctx ends.
func New(ctx context.Context, session *upstream.Session) *Loaders {
	return &Loaders{session: session, operation: ctx}
}

// Anonymous reports whether the operation has no token.
func (l *Loaders) Anonymous() bool { return l.session.Anonymous() }

// Store returns the store behind the loaders.
func (l *Loaders) Store() *upstream.Store { return l.session.Store() }

// maxProjected is the maximum number of connections that projections read in an operation.
const maxProjected = 1000

// MayProject counts a connection that a projection is about to read. It returns false if the
// operation has read too many. A projection reads all of its connections at the same time
// and counts their items at the end, while the executor stops at the limits of the response.
func (l *Loaders) MayProject() bool { return l.projected.Add(1) <= maxProjected }

// WaitCanceled reports whether a load was waiting for Mixcloud when its context ended.
func (l *Loaders) WaitCanceled() bool { return l.waitCanceled.Load() }

// Session returns the session of the operation, for its writes.
func (l *Loaders) Session() *upstream.Session { return l.session }

// Forget makes all later loads fetch again, because the operation has made a write.
// Loaders of values that no write changes keep their values.
func (l *Loaders) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, i := range l.instances {
		i.forget()
	}
}

// Viewer loads the user whose token the operation has, and primes [Users] with
// them. Anonymous operations must not call it.
func (l *Loaders) Viewer(ctx context.Context) (*mixcloud.FullUser, error) {
	user, err := viewer.instanceIn(l).load(ctx, struct{}{})
	if err == nil {
		Users.prime(l, user.Key, user)
	}
	return user, err
}

// AllCategories loads the list of all categories.
func (l *Loaders) AllCategories(ctx context.Context) (*mixcloud.Page[mixcloud.Category], error) {
	return categories.instanceIn(l).load(ctx, struct{}{})
}

// firstSpelling returns the spelling of a key with which the operation loaded a resource
// first. If the resource was not loaded before, it is key.
func (l *Loaders) firstSpelling(r resourceKey, key mixcloud.Key) mixcloud.Key {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, ok := l.spellings[r]; ok {
		return first
	}
	if l.spellings == nil {
		l.spellings = map[resourceKey]mixcloud.Key{}
	}
	l.spellings[r] = key
	return key
}

// speculative is the context key of [Speculative].
type speculative struct{}

// Speculative returns a context for loads that a resolver will repeat if their result is
// not used. They report neither the path of a stale value nor that a wait was canceled.
// The caller must check [upstream.Session.HasStale].
func Speculative(ctx context.Context) context.Context {
	return context.WithValue(ctx, speculative{}, true)
}

type contextKey struct{}

// Into returns a context that carries the loaders of the operation.
func Into(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// From returns the loaders of the operation that ctx belongs to. It panics if ctx has no
// loaders, which is a programming error.
func From(ctx context.Context) *Loaders {
	l, ok := ctx.Value(contextKey{}).(*Loaders)
	if !ok {
		panic("loaders: the context has no loaders")
	}
	return l
}
