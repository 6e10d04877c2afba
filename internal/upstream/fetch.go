package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
)

// A Resource describes one read: the resource, the call to Mixcloud, and how the response is cached.
type Resource[T any] struct {
	// Class determines the cache lifetime.
	Class Class
	// ID is unique within the class: the canonical path and the query with sorted names,
	// without host and token. All reads of an ID have the same T.
	ID string
	// Get makes the call. Its context ends when the call times out, not when a caller leaves.
	Get func(context.Context, *mixcloud.Client) (T, error)
	// Encode returns the original bytes of a value, and Decode restores the value. Without
	// both of them the value is not shared with other processes.
	Encode func(T) []byte
	Decode func([]byte) (T, error)
	// Size returns the approximate size of a value in bytes. It may be nil if the value
	// retains the JSON that Encode returns.
	Size func(T) int
}

// Fetch returns a resource from the cache if it is fresh, otherwise from Mixcloud. The value is
// shared with other sessions and must not be modified, nor anything that it points to.
//
// It returns when the value is available or ctx ends; the call continues for other sessions and
// for the cache. If Mixcloud is down, too slow or refuses because of its rate limit, Fetch
// returns a stale value instead of the error, and [Session.StaleReads] reports it. If the
// operation's budget is exhausted the error has code LIMIT_EXCEEDED. If ctx would end before a
// call can be made, Fetch returns at once, with a [mixcloud.ErrRateLimited] that contains the
// wait.
func Fetch[T any](ctx context.Context, s *Session, r Resource[T]) (T, error) {
	k := s.key(r.Class, r.ID)
	if l := s.takeAhead(k); l != nil {
		return typed[T](s.await(ctx, l, l.cached))
	}
	e := s.store.cache.Get(k)
	if e != nil && s.store.catchUp(ctx, s.currentViewer(), k) {
		k, e = s.key(r.Class, r.ID), nil // the entry may be from before a write
	}
	now := s.store.clock.Now()
	if e != nil && freshFor(e, now, s.revalidate) {
		s.hits.Add(1)
		s.limitFreshFor(e.Life.Fresh - e.Age(now))
		s.trace.Read(k.id, trace.Hit)
		return typed[T](e.Value, e.Err)
	}
	return typed[T](s.get(ctx, k, e, r.untyped()))
}

// key returns the cache key of a resource for the session's principal.
func (s *Session) key(c Class, id string) key {
	if c == ClassEmbed {
		return key{class: c, id: id}
	}
	v := s.currentViewer()
	return key{principal: v.principal, epoch: v.epoch.Load(), class: c, id: id}
}

// typed returns a value with its type.
func typed[T any](value any, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	typed, ok := value.(T)
	if !ok {
		return none, gqlerr.Internal(fmt.Errorf("upstream: the cache entry is a %T, want a %T", value, none))
	}
	return typed, nil
}

// A read is a *[Resource] without its type.
type read interface {
	classOf() Class
	get(context.Context, *mixcloud.Client) (any, error)
	canShare() bool // encode and decode may be called
	encode(value any) []byte
	decode(raw []byte) (any, error)
	size(value any) int
}

// viewerOf returns the viewer whose limits apply to a read.
func (s *Session) viewerOf(r read) *viewer {
	if r.classOf() == ClassEmbed {
		return s.store.anonymous
	}
	return s.currentViewer()
}

// untyped returns a copy of r without its type. Because of the copy, r does not escape to the
// heap in a hit.
func (r *Resource[T]) untyped() read {
	own := *r
	return &own
}

func (r *Resource[T]) classOf() Class { return r.Class }

func (r *Resource[T]) get(ctx context.Context, c *mixcloud.Client) (any, error) {
	value, err := r.Get(ctx, c)
	return value, err
}

func (r *Resource[T]) canShare() bool { return r.Encode != nil && r.Decode != nil }

func (r *Resource[T]) encode(value any) []byte { return r.Encode(value.(T)) }

func (r *Resource[T]) decode(raw []byte) (any, error) {
	value, err := r.Decode(raw)
	return value, err
}

func (r *Resource[T]) size(value any) int {
	switch {
	case r.Size != nil:
		return r.Size(value.(T))
	case r.Encode != nil:
		return decodedSize(len(r.Encode(value.(T))))
	}
	return unknownSize
}

// unknownSize is the assumed size of a value without a Size function.
const unknownSize = 4096

// decodedSize estimates the size of a decoded value from the size of its JSON, which it retains with
// an index (TestCache_CountedSize).
func decodedSize(bytes int) int { return bytes * 2 }

// onlyWithToken are members that Mixcloud sends only in response to a token.
var onlyWithToken = [][]byte{
	[]byte(`"favorited":`), []byte(`"reposted":`), []byte(`"is_listen_later":`), []byte(`"follower":`), []byte(`"is_current_user":`),
}

// followingFlag matches another such member. It must be a boolean, because a connection is named
// "following" too.
var followingFlag = regexp.MustCompile(`"following":\s*(?:true|false)`)

// verifiesToken reports whether a value shows that Mixcloud has accepted the token: it has
// members that Mixcloud sends only in response to a token.
func verifiesToken(r read, value any) bool {
	if r.classOf() == ClassViewer {
		return true
	}
	if r.classOf() == ClassEmbed || !r.canShare() {
		return false
	}
	// Quotes within strings are escaped, so the patterns match only names of members.
	raw := r.encode(value)
	if followingFlag.Match(raw) {
		return true
	}
	for _, member := range onlyWithToken {
		if bytes.Contains(raw, member) {
			return true
		}
	}
	return false
}

// get reads a resource that has no fresh entry. e is the stale entry or nil.
func (s *Session) get(ctx context.Context, k key, e *cache.Entry, r read) (any, error) {
	now := s.store.clock.Now()
	if e != nil && s.servesImmediately(e, now) {
		return s.serveStale(k, e, s.store.refresh(ctx, s, k, e, r))
	}
	if e != nil && !e.Usable(now) {
		e = nil
	}
	for {
		l, err := s.join(ctx, k, e, r)
		if err != nil {
			return nil, err
		}
		began := s.trace.Now()
		value, err := s.await(ctx, l, e)
		if l.starter != s {
			s.trace.ReadSince(k.id, trace.Coalesced, began)
		}
		if !errors.Is(err, errTooOld) {
			return value, err
		}
	}
}

// servesImmediately reports whether the session serves an entry without waiting for Mixcloud,
// even if it is stale.
func (s *Session) servesImmediately(e *cache.Entry, now monotime.Time) bool {
	return e.Immediate(now) && (!s.revalidate || e.Cooldown(now) != nil)
}

// errTooOld is the result for a session that requested revalidation and joined another session's
// load, if the response is too old, for example from Redis. The session loads again.
var errTooOld = errors.New("too old")

// await waits for a load. If there is a stale entry, e or one of the shared cache, it is served
// as soon as an attempt has failed or the wait exceeds [Options.SoftTimeout].
func (s *Session) await(ctx context.Context, l *load, e *cache.Entry) (any, error) {
	defer admission.Wait(ctx)()
	softTimeout := s.store.options.SoftTimeout
	slow := lazyTimer{at: time.Now().Add(softTimeout)}
	defer slow.stop()
	for {
		delay, changed := l.Delay()
		old := e
		if old == nil {
			old = l.staleEntry()
		}
		if delay != nil && !l.Finished() {
			wait := delay.Until.Sub(s.store.clock.Now())
			if old != nil && (delay.Err != nil || wait > softTimeout) {
				l.CancelWait()
				return s.serveStale(l.key, old, reasonOf(delay.Cause()))
			}
			if exceedsDeadline(ctx, wait) {
				l.CancelWait()
				return nil, delay.Cause()
			}
		}
		select {
		case <-l.Done():
			return s.result(ctx, l, old)
		case <-changed:
		case <-slow.after(old != nil):
			l.CancelWait()
			startCooldown(old, s.store.clock.Now(), mixcloud.ErrTimeout) // so the next session does not wait as long
			return s.serveStale(l.key, old, opstats.Unavailable)
		case <-ctx.Done():
			l.CancelWait()
			switch {
			case errors.Is(ctx.Err(), context.DeadlineExceeded) && old != nil:
				return s.serveStale(l.key, old, opstats.Unavailable)
			case errors.Is(ctx.Err(), context.DeadlineExceeded) && delay != nil:
				return nil, delay.Cause()
			}
			return nil, ctx.Err()
		}
	}
}

// result returns the result of a finished load.
func (s *Session) result(ctx context.Context, l *load, old *cache.Entry) (any, error) {
	switch {
	case s.revalidate && !l.revalidate && l.exceedsAge(RevalidateAge):
		return nil, errTooOld
	case l.stale != nil:
		return s.serveStale(l.key, l.stale, s.store.refresh(ctx, s, l.key, l.stale, l.read))
	case l.err != nil && old != nil && allowsStale(l.err):
		return s.serveStale(l.key, old, reasonOf(l.err))
	case l.local && l.starter == s:
		s.hits.Add(1)
		s.trace.Read(l.key.id, trace.Hit)
	}
	s.limitFreshFor(l.fresh)
	return l.value, l.err
}

// serveStale returns a stale entry and records why it is not fresh.
func (s *Session) serveStale(k key, e *cache.Entry, why opstats.Reason) (any, error) {
	s.addStaleRead(k.id, e.Age(s.store.clock.Now()), why)
	s.limitFreshFor(0)
	s.trace.Read(k.id, trace.Stale)
	return e.Value, nil
}

// A lazyTimer is a timeout that ends at a time. It creates its timer only if a caller waits for it.
type lazyTimer struct {
	at    time.Time
	timer *time.Timer
}

// after returns the timer's channel, or nil if needed is false.
func (t *lazyTimer) after(needed bool) <-chan time.Time {
	if !needed {
		return nil
	}
	if t.timer == nil {
		t.timer = time.NewTimer(time.Until(t.at))
	}
	return t.timer.C
}

func (t *lazyTimer) stop() {
	if t.timer != nil {
		t.timer.Stop()
	}
}
