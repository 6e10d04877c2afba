package upstream

import (
	"context"
	"time"

	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/mixcloud"
)

// RevalidateAge is the maximum age of a cached response for a caller that requests revalidation.
// It is not zero, so that such callers cause at most one call per resource in this time.
const RevalidateAge = 10 * time.Second

// freshFor reports whether an entry is fresh for a caller, which may have requested
// revalidation.
func freshFor(e *cache.Entry, now monotime.Time, revalidate bool) bool {
	return e.Fresh(now) && (!revalidate || e.Age(now) < RevalidateAge)
}

// address returns the address of a response in the shared cache.
func (k key) address() Address { return Address{Principal: k.principal.String(), ID: k.id} }

// store caches a value, or an error that says that the resource does not exist.
func (s *Store) store(l *load, value any, notFound error) {
	<-l.sharedWritesRead
	now := s.clock.Now()
	life := s.options.lifetime(l.key.class)
	if notFound != nil {
		life = life.Negative()
	}
	lag := time.Duration(0)
	if l.key.principal != (principal{}) {
		lag = l.viewer().lag(now)
	}
	if lag > 0 { // the response may be older than the viewer's write
		life.Fresh, life.Revalidate = min(life.Fresh, lag), 0
		// The flag and the count of a correction must come from the same response.
		if notFound != nil || !s.writes.idle(l.key.principal.String(), time.Now()) {
			life.Fresh = 0
		}
	}
	l.fresh = life.Fresh
	if life.Fresh <= 0 {
		s.cache.Drop(l.key)
		return
	}
	e := &cache.Entry{Value: value, Err: notFound, Size: cache.NegativeSize, Stored: now, Life: life}
	if s.cache != nil && notFound == nil {
		e.Size = l.read.size(value)
	}
	s.cache.Put(l.key, e)
	if shared := s.options.SharedCache; shared != nil && l.read.canShare() && lag == 0 && (l.key.principal == (principal{}) || l.viewer().isShared()) {
		var r Record
		if value != nil {
			r.Body = l.read.encode(value)
		}
		shared.Put(context.WithoutCancel(l.Context()), l.key.address(), r, life)
	}
}

// lookup reads from the caches, without a call: the cache, which another load may have filled
// since the session read it, and the shared cache.
func (s *Store) lookup(l *load) bool {
	now := s.clock.Now()
	if e := s.cache.Get(l.key); e != nil && freshFor(e, now, l.revalidate) {
		l.value, l.err, l.fresh, l.age = e.Value, e.Err, e.Life.Fresh-e.Age(now), e.Age(now)
		return true
	}
	shared := s.options.SharedCache
	if shared == nil || !l.read.canShare() {
		return false
	}
	if v := l.viewer(); l.key.principal != (principal{}) && (v.lag(now) > 0 || !v.isShared()) {
		return false
	}
	r, ok := shared.Get(l.Context(), l.key.address())
	if !ok || l.cached != nil && r.Age >= l.cached.Age(now) {
		return false
	}
	e := &cache.Entry{Stored: now.Add(-max(r.Age, 0)), Life: s.options.lifetime(l.key.class)}
	if r.Body == nil {
		e.Err = &mixcloud.Error{Op: "Fetch", Kind: mixcloud.ErrNotFound, Status: 404}
		e.Life, e.Size = e.Life.Negative(), cache.NegativeSize
	} else {
		value, err := l.read.decode(r.Body)
		if err != nil {
			return false // another release may have stored the record
		}
		e.Value, e.Size = value, l.read.size(value)
	}
	switch {
	case freshFor(e, now, l.revalidate):
		s.cache.Put(l.key, e)
		l.value, l.err, l.fresh, l.age = e.Value, e.Err, e.Life.Fresh-e.Age(now), e.Age(now)
		return true
	case e.Immediate(now) && l.cached == nil && !l.revalidate:
		s.cache.Put(l.key, e)
		l.stale, l.age = e, e.Age(now)
		return true
	case e.Usable(now):
		l.sharedEntry.Store(e)
	}
	return false
}

// exceedsAge reports whether the response comes from a cache and has at least the given age.
func (l *load) exceedsAge(limit time.Duration) bool {
	return (l.local || l.stale != nil) && l.age >= limit
}

// staleEntry returns the stale entry that may be served instead of a response, or nil.
func (l *load) staleEntry() *cache.Entry {
	if l.cached != nil && l.cached.Usable(l.store.clock.Now()) {
		return l.cached
	}
	return l.sharedEntry.Load()
}
