package upstream

import (
	"context"
	"errors"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/fairqueue"
	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
)

// Write makes one call that changes data at Mixcloud. The call is never retried, unless the
// request provably was not sent. It has priority over reads, and counts against the operation's
// budget. Afterwards Write drops all cached responses of the token. address is the path of the
// call, for the circuit breaker.
func Write[T any](ctx context.Context, s *Session, address string, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	call = recordingSent(call)
	value, err := send(ctx, s, KindAction, address, call, false)
	var failed *mixcloud.Error
	if errors.As(err, &failed) && failed.NeverSent {
		return send(ctx, s, KindAction, address, call, false)
	}
	return value, err
}

// WriteNoReplay is Write for a call whose response must not be replayed, such as one that returns a
// token: if the client repeats its request, the call is made again.
func WriteNoReplay[T any](ctx context.Context, s *Session, address string, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	return send(ctx, s, KindAction, address, call, false)
}

// Stream is Write for a request whose body is streamed. It holds no slot, because it may take
// hours, and only ctx ends it. It is never retried.
func Stream[T any](ctx context.Context, s *Session, kind Kind, address string, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	return send(ctx, s, kind, address, recordingSent(call), true)
}

// send waits for a slot and makes the call of a write. A stream releases its slot at once.
func send[T any](ctx context.Context, s *Session, kind Kind, address string, call func(context.Context, *mixcloud.Client) (T, error), stream bool) (value T, err error) {
	defer admission.Wait(ctx)()
	st, v := s.store, s.currentViewer()
	st.checkShared(ctx, v)
	if err := v.refused(st.clock.Now()); err != nil {
		return value, err
	}
	if err := s.spend(); err != nil {
		return value, err
	}
	target := st.breakers.ofWrite(address)
	if err := target.check(); err != nil {
		s.refund()
		return value, err
	}
	ls := st.limiter.of(v, kind)
	r := st.limiter.queue.NewRequest(s.group, s, ls, fairqueue.Urgent)
	traced := s.trace.Start(address, trace.Called)
	err = st.limiter.acquire(ctx, r, func(until monotime.Time) error {
		if exceedsDeadline(ctx, until.Sub(st.clock.Now())) {
			return st.limiter.tooLong(ls, until)
		}
		return nil
	})
	if err != nil {
		s.refund()
		return value, err
	}
	outcome, began := errNotMade, st.clock.Now()
	if stream {
		r.Release()
	}
	defer func() { err = st.finish(v, kind, r, outcome, err) }()
	allowed, err := target.allow()
	if err != nil {
		s.refund()
		return value, err
	}
	s.called()
	defer s.invalidate() // even after an error, because Mixcloud may have applied the write
	reported := outcome
	defer func() { st.breakers.observe(st.ctx, allowed, reported) }()
	value, err = call(traced.Sent(ctx), s.client)
	traced.End(err)
	outcome = err
	if err == nil && succeeded(value) {
		st.markVerified(v)
	}
	// A canceled call does not count as a failure of Mixcloud, unless Mixcloud was slow.
	hung := !stream && errors.Is(ctx.Err(), context.DeadlineExceeded) && st.clock.Now().Sub(began) >= st.options.SoftTimeout
	if ctx.Err() == nil && !errors.Is(err, context.Canceled) || hung {
		reported = err
	}
	return value, err
}

// recordingSent wraps a call so that the idempotency key is marked as sent if the call may have
// reached Mixcloud: then it must not be repeated automatically.
func recordingSent[T any](call func(context.Context, *mixcloud.Client) (T, error)) func(context.Context, *mixcloud.Client) (T, error) {
	return func(ctx context.Context, c *mixcloud.Client) (T, error) {
		reached := true // in case of a panic
		defer func() {
			if reached {
				idempotency.MarkSent(ctx)
			}
		}()
		value, err := call(ctx, c)
		var failed *mixcloud.Error
		// A call whose token is refused has no effect and needs no record: otherwise invented
		// tokens would displace the records of others.
		reached = !errors.Is(err, mixcloud.ErrInvalid) && !errors.Is(err, mixcloud.ErrUnauthenticated) && !(errors.As(err, &failed) && failed.NeverSent)
		return value, err
	}
}

// invalidate drops all cached responses of the viewer, in this process and in the others.
func (s *Session) invalidate() {
	if s.Anonymous() {
		return
	}
	st := s.store
	current := st.viewer(s.viewer.Load().principal) // shared with other sessions, in case the session's own was pruned
	st.viewers.write(current, st.clock.Now())
	s.viewer.Store(current)
	st.drop(current)
}

// succeeded reports whether the response to a write reports success.
func succeeded(value any) bool {
	result, ok := value.(*mixcloud.Result)
	return ok && result != nil && result.Success
}
