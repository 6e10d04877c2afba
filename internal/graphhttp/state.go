package graphhttp

import (
	"context"
	"net/http"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/compiled"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/internal/telemetry"
)

// A requestState is the state that the middleware and the endpoint share for one request.
//
// It belongs to the goroutine that serves the request, except for the stats, which have a lock,
// and the members that are set before other goroutines read them.
type requestState struct {
	arrived     time.Time                  // before the request waits for a slot
	id          string                     // see [RequestID]
	address     string                     // see [Address]
	slot        *admission.Slot            // nil before the operation is admitted
	reservation *responselimit.Reservation // for the unsent response; nil before the operation is read
	compiled    *compiled.Document         // of the operation; nil before its document is known
	log         logEntry                   // for [AccessLog]
	stats       stats                      // for the endpoint

	body     bodyReservation // of a request that [Admission] reads
	buffered bufferedBody
	// The writers that the middleware wraps around the connection's.
	releasing releasingWriter
	recording recorder
	counting  statsWriter
}

type stateKey struct{}

// A requestContext is a context with a request's state: one layer instead of one for each value.
type requestContext struct {
	context.Context
	state requestState
}

// Value implements [context.Context]. For a value that is not set it asks the outer context.
func (c *requestContext) Value(key any) any {
	switch s := &c.state; key.(type) {
	case stateKey:
		return s
	case compiled.Key:
		if s.compiled != nil {
			return s.compiled
		}
	case admission.SlotKey:
		if s.slot != nil {
			return s.slot
		}
	case responselimit.ReservationKey:
		if s.reservation != nil {
			return s.reservation
		}
	case telemetry.RequestIDKey:
		if s.id != "" {
			return s.id
		}
	}
	return c.Context.Value(key)
}

// stateFrom returns the request's state, or nil.
func stateFrom(ctx context.Context) *requestState {
	s, _ := ctx.Value(stateKey{}).(*requestState)
	return s
}

// newState returns the state of a request that arrives now, and the request with the state in
// its context.
func newState(r *http.Request) (*requestState, *http.Request) {
	c := &requestContext{Context: r.Context(), state: requestState{arrived: time.Now()}}
	return &c.state, r.WithContext(c)
}

// withState is newState for a request that may have a state already.
func withState(r *http.Request) (*requestState, *http.Request) {
	if s := stateFrom(r.Context()); s != nil {
		return s, r
	}
	return newState(r)
}
