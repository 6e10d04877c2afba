package upstream

import (
	"context"

	"mixcloud-graphql/mixcloud"
)

// A ResourceID identifies a resource of any type.
type ResourceID struct {
	Class Class
	ID    string
}

// A Prefetch is a read that an operation makes if a resource exists, its parent. The parent
// has to be read too.
type Prefetch struct {
	parent, id ResourceID
	read       *read
}

// NewPrefetch returns the prefetch of a resource.
func NewPrefetch[T any](parent ResourceID, r Resource[T]) Prefetch {
	return Prefetch{parent, ResourceID{r.Class, r.ID}, r.untyped()}
}

// LookAhead starts reads before their parents have arrived, and does not wait for them. The
// [Fetch] of the same resource takes the read over, with its result, its error and its effects
// on the session. The calls of a read that no Fetch takes over count for the budget and the
// cost of the operation; they have no other effect on it. When ctx ends, such a read is
// canceled unless its call was made.
//
// A read is not started if that saves no time or its call is probably useless: the token was not
// accepted before; the read or its parent is cached, also as not found; a circuit breaker is
// not closed; the read has failed recently; or there is no slot and no rate left for
// it and all parents.
func (s *Session) LookAhead(ctx context.Context, reads []Prefetch) {
	v := s.currentViewer()
	if !v.anonymous() && (!v.verified.Load() || v.refused(s.store.clock.Now()) != nil) {
		return
	}
	parents := make([]key, 0, len(reads))
	wanted := make([]Prefetch, 0, len(reads))
	for _, p := range reads {
		parent, own := s.key(p.parent.Class, p.parent.ID), s.key(p.id.Class, p.id.ID)
		if !s.probablyExists(parent) || !s.probablyExists(own) || s.store.inFlight(own) {
			continue
		}
		if !contains(parents, parent) {
			parents = append(parents, parent)
		}
		wanted = append(wanted, p)
	}
	if len(wanted) == 0 {
		return
	}
	spare := s.store.limiter.queue.Spare(s.store.limiter.of(v, KindRead)) - len(parents)
	for _, p := range wanted[:max(0, min(spare, len(wanted)))] {
		s.startAhead(ctx, p)
	}
	context.AfterFunc(ctx, s.endAhead)
}

func contains(keys []key, k key) bool {
	for _, known := range keys {
		if known == k {
			return true
		}
	}
	return false
}

// probablyExists reports whether a read needs a call now, and the call will probably succeed.
func (s *Session) probablyExists(k key) bool {
	now := s.store.clock.Now()
	if e := s.store.cache.Get(k); e != nil && (e.Err != nil || freshFor(e, now, s.revalidate) || s.servesImmediately(e, now)) {
		return false
	}
	return s.store.breakers.closed(k)
}

// startAhead starts one read, unless the operation has no budget for it.
func (s *Session) startAhead(ctx context.Context, p Prefetch) {
	k := s.key(p.id.Class, p.id.ID)
	cached := s.store.cache.Get(k)
	if cached != nil && !cached.Usable(s.store.clock.Now()) {
		cached = nil
	}
	if s.spend() != nil {
		return
	}
	l, began, _ := s.store.loads.Start(k, func() *load {
		l := s.store.newLoad(ctx, s, k, cached, p.read, false)
		l.ahead = true
		return l
	})
	if !began {
		s.refund()
		return
	}
	s.mu.Lock()
	if s.ahead == nil {
		s.ahead = map[key]*load{}
	}
	s.ahead[k] = l
	s.aheadLeft.Add(1)
	s.mu.Unlock()
	go s.store.run(l)
}

// takeAhead returns the read of a key that LookAhead has started, once, or nil.
func (s *Session) takeAhead(k key) *load {
	if s.aheadLeft.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.ahead[k]
	if l != nil {
		delete(s.ahead, k)
		s.aheadLeft.Add(-1)
	}
	return l
}

// endAhead stops waiting for the reads that no Fetch has taken over.
func (s *Session) endAhead() {
	s.mu.Lock()
	left := s.ahead
	s.ahead = nil
	s.aheadLeft.Store(0)
	s.mu.Unlock()
	for _, l := range left {
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
