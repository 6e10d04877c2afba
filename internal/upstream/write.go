package upstream

import (
	"context"
	"errors"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/mixcloud"
)

// Write makes one call that changes something, exactly once: it is never tried
// again, unless the request provably never left this machine. It goes before
// all reads, and counts as any other call of the operation. Afterwards nothing
// is good any more that was kept for the token. Address is the path that is
// called, for the circuit breaker.
func Write[T any](ctx context.Context, s *Session, address string, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	call = reporting(call)
	value, err := send(ctx, s, KindAction, address, call, false)
	var failed *mixcloud.Error
	if errors.As(err, &failed) && failed.NeverSent {
		return send(ctx, s, KindAction, address, call, false)
	}
	return value, err
}

// Once is Write for a call whose answer nobody may be given again, such as one
// that gives a token: a client that repeats its request makes it anew.
func Once[T any](ctx context.Context, s *Session, address string, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	return send(ctx, s, KindAction, address, call, false)
}

// Stream is Write for a request whose body flows while it is sent: it holds no
// slot, for it may take hours, and ends with ctx alone. It is never tried again.
func Stream[T any](ctx context.Context, s *Session, kind Kind, address string, call func(context.Context, *mixcloud.Client) (T, error)) (T, error) {
	return send(ctx, s, kind, address, reporting(call), true)
}

// send makes a write's call when it is its turn, right away if Mixcloud takes
// any. A stream gives its place back as soon as it has it.
func send[T any](ctx context.Context, s *Session, kind Kind, address string, call func(context.Context, *mixcloud.Client) (T, error), stream bool) (value T, err error) {
	defer admission.Wait(ctx)()
	st, v := s.store, s.as()
	st.inquire(ctx, v)
	if err := v.refused(st.clock.now()); err != nil {
		return value, err
	}
	if err := s.spend(); err != nil {
		return value, err
	}
	watched := watched{st.breakers[routeWrite], address}
	if err := watched.check(); err != nil {
		s.refund()
		return value, err
	}
	ls := st.limitsOf(v, kind)
	t := st.queue.newTicket(s.group, s, ls, urgent)
	err = st.line(ctx, t, func(until tick) error {
		if beyond(ctx, until-st.clock.now()) {
			return st.queue.tooLong(ls, until)
		}
		return nil
	})
	if err != nil {
		s.refund()
		return value, err
	}
	outcome, began := errNotMade, st.clock.now()
	if stream {
		st.queue.pass()
		defer func() { err = st.learn(v, t, st.queue.learnLater(t, outcome), err) }()
	} else {
		defer func() { err = st.learn(v, t, st.queue.leave(t, outcome), err) }()
	}
	allowed, err := watched.allow()
	if err != nil {
		s.refund()
		return value, err
	}
	s.called()
	defer s.changed() // even if it failed: nobody knows what became of it
	judged := outcome
	defer func() { st.observe(allowed, judged) }()
	value, err = call(ctx, s.client)
	outcome = err
	if err == nil && did(value) {
		st.prove(v)
	}
	// The caller's own end says nothing of Mixcloud, unless it has kept the caller
	// waiting.
	hung := !stream && errors.Is(ctx.Err(), context.DeadlineExceeded) && st.clock.now()-began >= st.options.Patience
	if ctx.Err() == nil && !errors.Is(err, context.Canceled) || hung {
		judged = err
	}
	return value, err
}

// reporting tells the operation when a call may have reached Mixcloud, whatever
// came of it: then it must not be made again unasked.
func reporting[T any](call func(context.Context, *mixcloud.Client) (T, error)) func(context.Context, *mixcloud.Client) (T, error) {
	return func(ctx context.Context, c *mixcloud.Client) (T, error) {
		reached := true // should it panic
		defer func() {
			if reached {
				idempotency.Sent(ctx)
			}
		}()
		value, err := call(ctx, c)
		var failed *mixcloud.Error
		// A call whose token is refused does nothing, and is nothing to remember: else
		// invented tokens would displace what others have done.
		reached = !errors.Is(err, mixcloud.ErrInvalid) && !errors.Is(err, mixcloud.ErrUnauthenticated) && !(errors.As(err, &failed) && failed.NeverSent)
		return value, err
	}
}

// changed makes all that was kept for the viewer unreachable, here and
// elsewhere.
func (s *Session) changed() {
	if s.Anonymous() {
		return
	}
	st := s.store
	current := st.viewer(s.viewer.Load().who) // the one that others have, should ours be forgotten
	st.viewers.write(current, st.clock.now())
	s.viewer.Store(current)
	st.drop(current)
}

// drop makes other processes forget what was kept for a viewer.
func (s *Store) drop(v *viewer) {
	if s.options.Second != nil && s.sharing(v) {
		s.options.Second.Drop(context.WithoutCancel(s.ctx), v.who.String())
	}
}

// uploadLife is for how long a new upload may not be found yet.
const uploadLife = 10 * time.Minute

// Uploaded tells that a cloudcast was just made: Mixcloud may take minutes
// until it can be read.
func (s *Session) Uploaded(key string) {
	s.tell(&s.store.uploads, mark{uploaded, mixcloud.Canonical(key)}, true)
}

// JustUploaded reports whether the viewer has made the cloudcast of this key
// so recently that "not found" means "not yet".
func (s *Session) JustUploaded(key string) bool {
	return !s.Anonymous() && s.store.uploads.has(s.Audience(), mark{uploaded, mixcloud.Canonical(key)}, time.Now())
}
