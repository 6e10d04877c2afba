package upstream

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/fairqueue"
	"mixcloud-graphql/internal/inflight"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/opstats"
)

// A load is a read in flight, shared by all sessions that wait for it; see [inflight.Call]. It
// makes no call if a cache has the response, otherwise one call, and more after a failure or a
// redirect.
type load struct {
	inflight.Call
	store      *Store
	key        key
	read       read
	starter    *Session     // the session whose client and budget the load uses
	revalidate bool         // the starter requested revalidation
	ahead      bool         // started before it was known to be needed
	cached     *cache.Entry // stale entry of the cache
	path       string       // location of a redirect; "" for none

	// The result, available when the call has finished. stale, if set, replaces value and err.
	// local reports whether the result comes from a cache, without a call. fresh is the remaining
	// freshness.
	value any
	err   error
	stale *cache.Entry
	local bool
	fresh time.Duration
	age   time.Duration // of a local or stale response

	sharedEntry      atomic.Pointer[cache.Entry] // stale entry of the shared cache
	sharedWritesRead <-chan struct{}             // closed when the writes of other processes have been read

	mu      sync.Mutex
	request *fairqueue.Request // nil until the call is in the queue
}

// newLoad returns a load, which the caller must run.
func (s *Store) newLoad(ctx context.Context, starter *Session, k key, cached *cache.Entry, r read, background bool) *load {
	// The cache stores the key. An id is often part of another response, such as that of a list with
	// the resource, which it must not keep in memory.
	k.id = strings.Clone(k.id)
	l := &load{store: s, key: k, read: r, starter: starter, revalidate: starter.revalidate, cached: cached}
	l.Init(context.WithoutCancel(ctx), background)
	s.wg.Add(1)
	return l
}

// join joins the load of a key in flight, or starts a new one.
func (s *Session) join(ctx context.Context, k key, cached *cache.Entry, r read) (*load, error) {
	for {
		if l, ok := s.store.loads.Find(k); ok && l.Join() {
			l.promote(s)
			s.coalesced.Add(1) // costs no call
			s.startAhead(k)
			return l, nil
		}
		if err := s.viewer.Load().refused(s.store.clock.Now()); err != nil && k.principal != (principal{}) {
			return nil, err
		}
		if err := s.spend(); err != nil {
			return nil, err
		}
		l, began, ok := s.store.loads.Start(k, func() *load { return s.store.newLoad(ctx, s, k, cached, r, false) })
		if began {
			go s.store.run(l)
			return l, nil
		}
		s.refund()
		if !ok {
			return nil, context.Canceled
		}
	}
}

// promote raises the priority of a background load that a session waits for.
func (l *load) promote(s *Session) {
	if !l.Background() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.request != nil {
		l.request.Promote(s.group, s)
	}
}

// enqueue creates the queue's request of a load, with background priority if no session waits
// for it.
func (l *load) enqueue(limits []*fairqueue.Limit) *fairqueue.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	priority := fairqueue.Normal
	if !l.Awaited() {
		priority = fairqueue.Background
	}
	l.request = l.store.limiter.queue.NewRequest(l.starter.group, l.starter, limits, priority)
	return l.request
}

// delayed returns the delay of a call that waits for its limits. err is the error of the last
// attempt or nil.
func (l *load) delayed(limits []*fairqueue.Limit, until monotime.Time, err error) *inflight.Delay {
	return &inflight.Delay{Until: until, Err: err, TooLong: func() error { return l.store.limiter.tooLong(limits, until) }}
}

// run runs a load until it finishes.
func (s *Store) run(l *load) {
	defer s.wg.Done()
	defer l.Finish()
	defer s.loads.End(l.key, l) // before Finish, so that later sessions find the cache filled
	defer func() {
		if p := recover(); p != nil {
			l.value, l.err = nil, NewPanicError(p)
			if !l.Awaited() { // no session receives the error
				s.log.Error("panic in a background read", "err", l.err)
			}
			if l.cached != nil {
				startCooldown(l.cached, s.clock.Now(), l.err)
			}
		}
	}()
	if l.key.principal != (principal{}) {
		s.checkShared(l.Context(), l.viewer())
	}
	l.sharedWritesRead = s.readSharedWrites(l)
	defer func() { <-l.sharedWritesRead }() // sessions need the writes to correct the response
	l.local = s.lookup(l)
	called := !l.local && s.fetch(l)
	l.learnSelf()
	if !called && !l.Background() {
		l.starter.refund()
	}
}

// viewer returns the viewer of the load's principal.
func (l *load) viewer() *viewer { return l.starter.currentViewer() }

func (s *Store) inFlight(k key) bool {
	_, ok := s.loads.Find(k)
	return ok
}

// refresh revalidates a stale entry in the background, unless its load is in flight or has just
// failed, or a rate limit or a circuit breaker blocks it. It returns the reason why the entry is
// not fresh: Revalidating, or why it cannot be revalidated now. The reason is determined before
// the refresh starts, so it does not depend on how soon the refresh fails.
func (s *Store) refresh(ctx context.Context, session *Session, k key, e *cache.Entry, r read) opstats.Reason {
	now := s.clock.Now()
	if c := e.Cooldown(now); c != nil {
		return reasonOf(c.Cause)
	}
	if s.inFlight(k) {
		return opstats.Revalidating
	}
	v := session.viewerOf(r)
	if s.limiter.isBlocked(v, KindRead) {
		return opstats.RateLimited
	}
	if v.refused(now) != nil || s.breakers.ofRead(k, "").check() != nil {
		return opstats.Unavailable
	}
	select {
	case s.refreshes <- struct{}{}:
	default:
		return opstats.Revalidating // one of the next reads starts the refresh
	}
	l, began, _ := s.loads.Start(k, func() *load { return s.newLoad(ctx, session, k, e, r, true) })
	if !began {
		<-s.refreshes
		return opstats.Revalidating
	}
	go func() {
		defer func() { <-s.refreshes }()
		// A refresh that waits longer would block other refreshes.
		defer time.AfterFunc(s.options.Timeout, l.Drop).Stop()
		s.run(l)
	}()
	return opstats.Revalidating
}
