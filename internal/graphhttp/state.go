package graphhttp

import (
	"context"
	"net/http"
	"time"

	"mixcloud-graphql/internal/compiled"
)

// A requestState is the state that the middleware and the endpoint share for one request.
//
// It belongs to the goroutine that serves the request, except for the stats, which have a lock,
// and the members that do not change any more when others read them: the address after
// [ClientAddress] has set it, and the compiled values after the preparation of the operation.
type requestState struct {
	arrived  time.Time          // before the request waits for a slot
	address  string             // see [Address]
	compiled *compiled.Document // of the operation; nil before its document is known
	log      logEntry           // for [AccessLog]
	stats    stats              // for the endpoint
}

type stateKey struct{}

// A requestContext is a context with a request's state: one layer instead of one for each value.
type requestContext struct {
	context.Context
	state requestState
}

// Value implements [context.Context].
func (c *requestContext) Value(key any) any {
	switch key.(type) {
	case stateKey:
		return &c.state
	case compiled.Key:
		return c.state.compiled
	}
	return c.Context.Value(key)
}

// stateFrom returns the request's state, or nil.
func stateFrom(ctx context.Context) *requestState {
	s, _ := ctx.Value(stateKey{}).(*requestState)
	return s
}

// newState returns the state of a request that arrives now, and a context with it.
func newState(ctx context.Context) (*requestState, context.Context) {
	c := &requestContext{Context: ctx, state: requestState{arrived: time.Now()}}
	return &c.state, c
}

// withState returns the state of a request, and the request with the state in its context. If
// it has one already it returns the same request.
func withState(r *http.Request) (*requestState, *http.Request) {
	if s := stateFrom(r.Context()); s != nil {
		return s, r
	}
	s, ctx := newState(r.Context())
	return s, r.WithContext(ctx)
}
