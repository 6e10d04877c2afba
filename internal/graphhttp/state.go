package graphhttp

import (
	"context"
	"net/http"
	"time"
)

// A requestState is the state that the middleware and the endpoint share for one request. It is
// one value in the request's context, instead of one value and one copy of the request for each
// middleware.
//
// It belongs to the goroutine that serves the request, except for the stats, which have a lock,
// and the address, which does not change after [ClientAddress] has set it.
type requestState struct {
	arrived time.Time // before the request waits for a slot
	address string    // see [Address]
	log     logEntry  // for [AccessLog]
	stats   stats     // for the endpoint
}

type stateKey struct{}

// stateFrom returns the request's state, or nil.
func stateFrom(ctx context.Context) *requestState {
	s, _ := ctx.Value(stateKey{}).(*requestState)
	return s
}

// withState returns the state of a request, and the request with the state in its context. If
// it has one already it returns the same request.
func withState(r *http.Request) (*requestState, *http.Request) {
	if s := stateFrom(r.Context()); s != nil {
		return s, r
	}
	s := &requestState{arrived: time.Now()}
	return s, r.WithContext(context.WithValue(r.Context(), stateKey{}, s))
}
