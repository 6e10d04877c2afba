// Package loaders creates the dataloaders of each operation: the operation
// fetches each resource at most once, and independent resources in parallel.
//
// The loaders are package variables, such as [Users] and [CloudcastPages]. They
// are descriptions without state, made once. [Loaders] is the state of one
// operation. It holds a dataloader for each loader that the operation has used,
// made at first use, so that an operation pays only for the loaders it uses.
//
// Mixcloud returns one resource per call, so waiting for a batch to fill would
// gain nothing: each key is dispatched at once, and the store behind the loaders
// limits how many calls run in parallel.
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

	mu        sync.Mutex
	instances map[any]forgetter         // by *Loader
	spellings map[spelling]mixcloud.Key // the first one of each resource, see [ResourceLoader]
}

// forgetter is an [instance] of any type.
type forgetter interface{ forget() }

// New returns the state of an operation that ends with ctx. It creates no
// dataloader: each is created when it is first used.
func New(ctx context.Context, session *upstream.Session) *Loaders {
	return &Loaders{session: session, operation: ctx}
}

// Anonymous reports whether the operation has no token.
func (l *Loaders) Anonymous() bool { return l.session.Anonymous() }

// Store returns the store behind the loaders.
func (l *Loaders) Store() *upstream.Store { return l.session.Store() }

// WaitCanceled reports whether a load was waiting for Mixcloud when its context ended.
func (l *Loaders) WaitCanceled() bool { return l.waitCanceled.Load() }

// Session returns the operation's own access to Mixcloud, for its writes.
func (l *Loaders) Session() *upstream.Session { return l.session }

// Forget makes all later loads fetch again, because the operation has written.
// Loaders of values that no write changes keep them. A loader that was not used
// before has nothing to forget.
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
	user, err := viewer.in(l).load(ctx, struct{}{})
	if err == nil {
		Users.prime(l, user.Key, user)
	}
	return user, err
}

// AllCategories loads the list of all categories.
func (l *Loaders) AllCategories(ctx context.Context) (*mixcloud.Page[mixcloud.Category], error) {
	return categories.in(l).load(ctx, struct{}{})
}

// spelled returns the first spelling of a key that was loaded, which is key unless
// there was one before.
func (l *Loaders) spelled(s spelling, key mixcloud.Key) mixcloud.Key {
	l.mu.Lock()
	defer l.mu.Unlock()
	if first, ok := l.spellings[s]; ok {
		return first
	}
	if l.spellings == nil {
		l.spellings = map[spelling]mixcloud.Key{}
	}
	l.spellings[s] = key
	return key
}

type contextKey struct{}

// Into returns a context that carries the loaders of the operation.
func Into(ctx context.Context, l *Loaders) context.Context {
	return context.WithValue(ctx, contextKey{}, l)
}

// From returns the loaders of the operation that ctx belongs to. A context
// without them is a programming error and panics.
func From(ctx context.Context) *Loaders {
	l, ok := ctx.Value(contextKey{}).(*Loaders)
	if !ok {
		panic("loaders: the context belongs to no operation")
	}
	return l
}
