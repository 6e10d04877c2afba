package upstream

import (
	"context"
	"sync/atomic"

	"mixcloud-graphql/mixcloud"
)

// A ResourceID identifies a resource of any type.
type ResourceID struct {
	Class Class
	ID    string
}

// A Prefetch is a read that an operation will make if another resource, its parent, exists. The
// operation also reads the parent.
type Prefetch struct {
	parent, id ResourceID
	read       read
}

// NewPrefetch returns the prefetch of a resource.
func NewPrefetch[T any](parent ResourceID, r Resource[T]) Prefetch {
	return Prefetch{parent, ResourceID{r.Class, r.ID}, r.untyped()}
}

const (
	unusedShare = 50 // one call in 50 may be unused: no Fetch has taken it over
	unusedBurst = 50 // maximum number of unused calls at once
)

// An unusedBudget stops operations for resources that do not exist from multiplying the calls. It
// is safe for concurrent use; the zero value is full.
type unusedBudget struct {
	spent atomic.Int64 // in calls: each unused read costs unusedShare, each call regains 1
}

// deposit counts a call.
func (b *unusedBudget) deposit() {
	if spent := b.spent.Load(); spent > 0 {
		b.spent.CompareAndSwap(spent, spent-1) // a deposit may be lost
	}
}

// withdraw counts a read that was not used.
func (b *unusedBudget) withdraw() { b.spent.Add(unusedShare) }

// isSpent reports whether too many reads were not used.
func (b *unusedBudget) isSpent() bool { return b.spent.Load() >= unusedBurst*unusedShare }

// lookahead contains the reads that a session has started, or will start, ahead. The session's
// mutex guards the maps.
type lookahead struct {
	ctx     context.Context    //nolint:containedctx // of the operation, see LookAhead
	waiting map[key][]Prefetch // by their parents, whose calls were not made yet
	started map[key]*load      // not taken over yet
	pending atomic.Int32       // number of entries in both maps
}

// LookAhead registers reads to start before the responses for their parents arrive. A read starts
// when its parent's call is made, so that it cannot delay that call. The [Fetch] of the same
// resource takes the read over, with its result, its error and its effects on the session. If no
// Fetch takes over a read, its calls count against the budget and the cost of the operation,
// without any other effect on the operation. When ctx ends, such a read is canceled unless its
// call was made.
//
// A read is not started if that saves no time or its call is probably useless: the token was not
// accepted before; the read or its parent is cached, also as not found; a circuit breaker is
// not closed; the read has failed recently; it would have to wait, or delay another parent; or too
// many reads were not used.
func (s *Session) LookAhead(ctx context.Context, reads []Prefetch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range reads {
		if !s.LooksAhead(p.parent) {
			continue
		}
		parent := s.key(p.parent.Class, p.parent.ID)
		if s.ahead.waiting == nil {
			s.ahead.ctx, s.ahead.waiting = ctx, map[key][]Prefetch{}
			context.AfterFunc(ctx, s.endAhead)
		}
		if len(s.ahead.waiting[parent]) == 0 {
			s.ahead.pending.Add(1)
		}
		s.ahead.waiting[parent] = append(s.ahead.waiting[parent], p)
	}
}

// LooksAhead reports whether [Session.LookAhead] may start reads below a parent.
func (s *Session) LooksAhead(parent ResourceID) bool {
	v := s.currentViewer()
	trusted := v.anonymous() || v.verified.Load() && v.refused(s.store.clock.Now()) == nil
	return trusted && s.probablyExists(s.key(parent.Class, parent.ID))
}

// probablyExists reports whether a read needs a call now, and the call will probably succeed.
func (s *Session) probablyExists(k key) bool {
	now := s.store.clock.Now()
	if e := s.store.cache.Get(k); e != nil && (e.Err != nil || freshFor(e, now, s.revalidate) || s.servesImmediately(e, now)) {
		return false
	}
	return s.store.breakers.closed(k)
}

// startAhead starts the reads below a parent, whose call is made now.
func (s *Session) startAhead(parent key) {
	if s.ahead.pending.Load() == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reads, ok := s.ahead.waiting[parent]
	if !ok {
		return
	}
	delete(s.ahead.waiting, parent)
	s.ahead.pending.Add(-1)
	limits := s.store.limiter.of(s.currentViewer(), KindRead)
	spare := s.store.limiter.queue.Spare(limits) - len(s.ahead.waiting)
	if s.store.unused.isSpent() {
		spare = 0
	}
	for _, p := range reads {
		if k := s.key(p.id.Class, p.id.ID); spare > 0 && s.probablyExists(k) && s.startPrefetch(k, p.read) {
			spare--
		}
	}
}

// startPrefetch starts one read, unless it is in flight or the operation has no budget for it.
func (s *Session) startPrefetch(k key, r read) bool {
	if s.store.inFlight(k) || s.spend() != nil {
		return false
	}
	cached := s.store.cache.Get(k)
	if cached != nil && !cached.Usable(s.store.clock.Now()) {
		cached = nil
	}
	l, began, _ := s.store.loads.Start(k, func() *load {
		l := s.store.newLoad(s.ahead.ctx, s, k, cached, r, false)
		l.ahead = true
		return l
	})
	if !began {
		s.refund()
		return false
	}
	if s.ahead.started == nil {
		s.ahead.started = map[key]*load{}
	}
	s.ahead.started[k] = l
	s.ahead.pending.Add(1)
	go s.store.run(l)
	return true
}

// takeAhead returns the read of a key that was started ahead, once, or nil.
func (s *Session) takeAhead(k key) *load {
	if s.ahead.pending.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ahead.started[k]
	if l != nil {
		delete(s.ahead.started, k)
		s.ahead.pending.Add(-1)
	}
	return l
}

// endAhead stops waiting for the reads that no Fetch has taken over.
func (s *Session) endAhead() {
	s.mu.Lock()
	left := s.ahead.started
	s.ahead.started, s.ahead.waiting = nil, nil
	s.ahead.pending.Store(0)
	s.mu.Unlock()
	for _, l := range left {
		s.store.unused.withdraw()
		l.CancelWait()
	}
}

// ViewerKey returns the key of the user whose token the session has. It returns false if this
// process has not learned it from a response of Mixcloud.
func (s *Session) ViewerKey() (mixcloud.CanonicalKey, bool) {
	if known := s.currentViewer().self.Load(); known != nil {
		return *known, true
	}
	return mixcloud.CanonicalKey{}, false
}

// learnSelf records the key of the viewer if a load shows it.
func (l *load) learnSelf() {
	user, ok := l.value.(*mixcloud.FullUser)
	if !ok || user == nil || l.key.principal == (principal{}) {
		return
	}
	if l.key.class != ClassViewer && (user.IsCurrentUser == nil || !*user.IsCurrentUser) {
		return
	}
	self := user.Key.Canonical()
	l.viewer().self.Store(&self)
}
