package upstream

import (
	"context"
	"errors"
	"fmt"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// A Resource is one read: what it is, how to make it, and how to keep it.
type Resource[T any] struct {
	// Class says for how long the answer is good.
	Class Class
	// ID names the answer among all of its class: the path, canonical, and the
	// query with its names sorted, without host and token. One ID has one T.
	ID string
	// Get makes the call. Its context ends when the call has taken too long,
	// not when a caller leaves.
	Get func(context.Context, *mixcloud.Client) (T, error)
	// Encode gives the untouched bytes of a value, and Decode the value back.
	// Without both of them other processes cannot share it.
	Encode func(T) []byte
	Decode func([]byte) (T, error)
	// Size is about how many bytes a value holds; nil for one that keeps the JSON
	// that Encode gives beside what was read from it.
	Size func(T) int
}

// Fetch gives the value of a resource: what is kept of it if that is good
// enough, else what Mixcloud says. Whatever it returns is shared with others and
// must not be modified, nor anything that it points to.
//
// It returns when the value is there, or when ctx ends; the call goes on for
// others and for the cache. When Mixcloud is down, refuses for the rate limit or
// is too slow, a value that was seen before is returned instead of the error,
// and [Session.Freshness] tells of it. Over the operation's budget the error has
// code LIMIT_EXCEEDED. A wait that would go beyond ctx's deadline is not waited
// for: the error is a [mixcloud.ErrRateLimited] with the wait in it.
func Fetch[T any](ctx context.Context, s *Session, r Resource[T]) (T, error) {
	k := s.key(r.Class, r.ID)
	e := s.store.cache.get(k)
	now := s.store.clock.now()
	if e != nil && e.freshFor(now, s.newer) {
		s.hits.Add(1)
		s.goodFor(e.life.Fresh - e.age(now))
		return give[T](e.value, e.missing)
	}
	return give[T](s.get(ctx, k, e, r.erase()))
}

// key names a resource for the session's audience.
func (s *Session) key(c Class, id string) key {
	if c == ClassEmbed {
		return key{class: c, id: id}
	}
	v := s.as()
	return key{who: v.who, generation: v.generation.Load(), class: c, id: id}
}

func give[T any](value any, err error) (T, error) {
	var none T
	if err != nil {
		return none, err
	}
	typed, ok := value.(T)
	if !ok {
		return none, gqlerr.Internal(fmt.Errorf("upstream: a %T is kept under an id of a %T", value, none))
	}
	return typed, nil
}

// A read is a Resource without its type.
type read struct {
	class  Class
	get    func(context.Context, *mixcloud.Client) (any, error)
	encode func(any) []byte // nil if there is no decode
	decode func([]byte) (any, error)
	size   func(any) int
}

func (r *Resource[T]) erase() *read {
	own := *r
	e := &read{class: r.Class, get: func(ctx context.Context, c *mixcloud.Client) (any, error) {
		value, err := own.Get(ctx, c)
		return value, err
	}}
	if own.Encode != nil && own.Decode != nil {
		e.encode = func(v any) []byte { return own.Encode(v.(T)) }
		e.decode = func(raw []byte) (any, error) {
			value, err := own.Decode(raw)
			return value, err
		}
	}
	switch {
	case own.Size != nil:
		e.size = func(v any) int { return own.Size(v.(T)) }
	case own.Encode != nil:
		e.size = func(v any) int { return decodedSize(len(own.Encode(v.(T)))) }
	default:
		e.size = func(any) int { return unknownSize }
	}
	return e
}

// get answers a read for which there is nothing fresh; e is what is kept, or
// nil.
func (s *Session) get(ctx context.Context, k key, e *entry, r *read) (any, error) {
	now := s.store.clock.now()
	if e != nil && e.immediate(now) && (!s.newer || e.waits(now) != nil) {
		s.store.refresh(ctx, s, k, e, r)
		return s.stand(k, e, nil)
	}
	if e != nil && !e.usable(now) {
		e = nil
	}
	for {
		f, err := s.join(ctx, k, e, r)
		if err != nil {
			return nil, err
		}
		value, err := s.await(ctx, f, e)
		if !errors.Is(err, errTooOld) {
			return value, err
		}
	}
}

// errTooOld is what a session that asks for new answers gets from a read that was under way for another caller and ended with
// something old, such as from Redis. The next read is its own, or that of a caller who wants the same.
var errTooOld = errors.New("too old")

// await waits for a flight. Whoever can have a stale answer, e or one of the
// second level, waits for no longer than there is hope and patience.
func (s *Session) await(ctx context.Context, f *flight, e *entry) (any, error) {
	defer admission.Wait(ctx)()
	patience := s.store.options.Patience
	lost := expiry(patience)
	defer lost.stop()
	for {
		trouble, changed := f.watch()
		old := e
		if old == nil {
			old = f.old()
		}
		if trouble != nil && !f.landed() {
			delay := trouble.until - s.store.clock.now()
			if old != nil && (trouble.err != nil || delay > patience) {
				f.leave()
				return s.stand(f.key, old, trouble.cause(s.store))
			}
			if beyond(ctx, delay) {
				f.leave()
				return nil, trouble.cause(s.store)
			}
		}
		select {
		case <-f.done:
			return s.arrive(f, old)
		case <-changed:
		case <-lost.after(old != nil):
			f.leave()
			old.postpone(s.store.clock.now(), mixcloud.ErrTimeout) // nor need the next one wait for as long
			return s.stand(f.key, old, mixcloud.ErrTimeout)
		case <-ctx.Done():
			f.leave()
			switch {
			case errors.Is(ctx.Err(), context.DeadlineExceeded) && old != nil:
				return s.stand(f.key, old, mixcloud.ErrTimeout)
			case errors.Is(ctx.Err(), context.DeadlineExceeded) && trouble != nil:
				return nil, trouble.cause(s.store)
			}
			return nil, ctx.Err()
		}
	}
}

// arrive takes what a flight has brought.
func (s *Session) arrive(f *flight, old *entry) (any, error) {
	switch {
	case s.newer && !f.newer && f.tooOld(RevalidateAge):
		return nil, errTooOld
	case f.stale != nil:
		return s.stand(f.key, f.stale, nil)
	case f.err != nil && old != nil && allowsStale(f.err):
		return s.stand(f.key, old, f.err)
	case f.local && f.starter == s:
		s.hits.Add(1)
	}
	s.goodFor(f.fresh)
	return f.value, f.err
}
