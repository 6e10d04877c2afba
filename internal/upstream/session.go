package upstream

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
)

// A Caller is the client of an operation.
type Caller struct {
	// Token is a Mixcloud access token; "" for an anonymous operation.
	Token string
	// Exchanged reports that this server obtained the token in its own OAuth exchange.
	Exchanged bool
	// OnCall, if not nil, is called for each call to Mixcloud that the operation makes.
	OnCall func()
	// Address is the client's network address. Operations under a common limit take turns by
	// address; "" counts as one address.
	Address string
	// Revalidate requires responses that are newer than [RevalidateAge], like the header
	// Cache-Control: no-cache.
	Revalidate bool
	// Trace records the operation; nil for none.
	Trace *trace.Recorder
}

// A Session is one operation's access to Mixcloud, with one principal and one budget. It is
// safe for concurrent use.
type Session struct {
	store  *Store
	client *mixcloud.Client
	viewer atomic.Pointer[viewer]

	spent      atomic.Int64 // of the budget
	calls      atomic.Int64
	hits       atomic.Int64
	coalesced  atomic.Int64
	stale      atomic.Int64
	freshFor   atomic.Int64
	group      any             // client of the fair queue; clients take turns
	revalidate bool            // Caller.Revalidate
	onCall     func()          // nil for none
	trace      *trace.Recorder // nil for none

	mu         sync.Mutex
	deltas     map[flagKey]int
	staleReads []opstats.StaleRead
	ahead      lookahead
}

// An addressGroup is the group of all sessions of a network address.
type addressGroup string

// Session returns a session for one operation with a token; "" means anonymous.
func (s *Store) Session(token string) *Session { return s.SessionOf(Caller{Token: token}) }

// SessionOf returns a session for one operation of a caller.
func (s *Store) SessionOf(c Caller) *Session {
	session := &Session{store: s, client: s.client.As(c.Token), group: addressGroup(c.Address), revalidate: c.Revalidate, onCall: c.OnCall, trace: c.Trace}
	known := s.anonymous
	if c.Token != "" {
		known = s.viewer(principalOf(s.options.PrincipalOf(c.Token)))
		if c.Exchanged {
			s.markVerified(known)
		}
		if known.verified.Load() {
			session.group = known.principal
		}
	}
	session.viewer.Store(known)
	session.freshFor.Store(math.MaxInt64)
	return session
}

// Anonymous reports whether the operation has no token.
func (s *Session) Anonymous() bool { return s.viewer.Load().anonymous() }

// currentViewer returns the viewer that all sessions of the principal share.
func (s *Session) currentViewer() *viewer {
	v := s.viewer.Load()
	if v.pruned.Load() {
		v = s.store.viewer(v.principal)
		s.viewer.Store(v)
	}
	return v
}

// Store returns the store that the session belongs to.
func (s *Session) Store() *Store { return s.store }

// Principal returns an opaque id of the caller, the same for each operation with the same
// token; "" for an anonymous one.
func (s *Session) Principal() string { return s.viewer.Load().principal.String() }

// spend takes one call from the operation's budget. Admission bounds the planned calls, so this
// limits unplanned ones.
func (s *Session) spend() error {
	limit := s.store.options.Budget
	if s.spent.Add(1) <= int64(limit) {
		return nil
	}
	s.refund()
	return &gqlerr.Error{
		Code: gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf("The operation exceeded its budget of %d calls to Mixcloud, because Mixcloud returned fewer items per page than requested, "+
			"or because calls were retried or redirected. Request fewer items, or repeat the operation: the responses that it received are cached for a while.", limit),
		Details: map[string]any{"budget": limit},
	}
}

// called counts a call.
func (s *Session) called() {
	s.calls.Add(1)
	if s.onCall != nil {
		s.onCall()
	}
}

// refund returns a call to the budget that was not made.
func (s *Session) refund() { s.spent.Add(-1) }

// Cost returns the cost of the operation so far.
func (s *Session) Cost() opstats.Cost {
	return opstats.Cost{Calls: int(s.calls.Load()), Hits: int(s.hits.Load()), Coalesced: int(s.coalesced.Load()), Stale: int(s.stale.Load())}
}

// FreshFor returns the remaining freshness of everything that the operation has read, measured
// when it was read: that of the shortest-lived response, and 0 if any was stale. It returns
// false if the operation has read nothing.
func (s *Session) FreshFor() (time.Duration, bool) {
	left := s.freshFor.Load()
	return time.Duration(left), left != math.MaxInt64
}

func (s *Session) limitFreshFor(left time.Duration) {
	for {
		now := s.freshFor.Load()
		if int64(left) >= now || s.freshFor.CompareAndSwap(now, int64(left)) {
			return
		}
	}
}

// StaleReads returns the resources for which the operation received a stale response, in the
// order of the reads.
func (s *Session) StaleReads() []opstats.StaleRead {
	s.mu.Lock()
	defer s.mu.Unlock()
	reads := slices.Clone(s.staleReads)
	for i := range reads {
		reads[i].Paths = slices.Clone(reads[i].Paths)
	}
	return reads
}

// Stale reports whether the last response for a resource was stale.
func (s *Session) Stale(id string) bool {
	if s.stale.Load() == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.staleReadOf(id) != nil
}

// HasStale reports whether the operation has received a stale response.
func (s *Session) HasStale() bool { return s.stale.Load() > 0 }

// Traced reports whether the operation is recorded.
func (s *Session) Traced() bool { return s.trace != nil }

// AddStalePath adds a path of the GraphQL response at which a stale resource was used. It ignores
// resources that are not stale, and paths that were already added.
func (s *Session) AddStalePath(id string, path []any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := s.staleReadOf(id)
	if read == nil || slices.ContainsFunc(read.Paths, func(p []any) bool { return slices.Equal(p, path) }) {
		return
	}
	read.Paths = append(read.Paths, path)
}

func (s *Session) staleReadOf(id string) *opstats.StaleRead {
	for i := range s.staleReads {
		if s.staleReads[i].ID == id {
			return &s.staleReads[i]
		}
	}
	return nil
}

// addStaleRead records a stale response.
func (s *Session) addStaleRead(id string, age time.Duration, why opstats.Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.staleReadOf(id); known != nil {
		known.Age, known.Reason = age, why
	} else {
		s.staleReads = append(s.staleReads, opstats.StaleRead{ID: id, Age: age, Reason: why})
	}
	s.stale.Add(1) // last, because Stale checks it first
}

// RateLimit returns the state of the operation's rate limit.
func (s *Session) RateLimit() opstats.RateLimit {
	return s.store.limiter.rateLimit(s.store.limiter.of(s.currentViewer(), KindRead))
}

// exceedsDeadline reports whether a wait ends after the deadline of ctx.
func exceedsDeadline(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && wait > 0 && time.Until(deadline) < wait
}
