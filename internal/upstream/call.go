package upstream

import (
	"context"
	"errors"

	"mixcloud-graphql/internal/inflight"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
)

// fetch calls Mixcloud for a load, with retries, and caches the response. It reports whether it
// made any call.
func (s *Store) fetch(l *load) (made bool) {
	if l.err = s.breakers.blocked(l.key); l.err != nil {
		return false
	}
	for try := 0; ; {
		value, sent, err := s.attempt(l)
		made = made || sent
		if err == nil {
			l.value = value
			s.store(l, value, nil)
			s.breakers.reads.Succeeded(l.key)
			return made
		}
		again, err := s.follow(l, err)
		if again {
			continue
		}
		if l.cached != nil && allowsStale(err) {
			startCooldown(l.cached, s.clock.Now(), err)
		}
		if !sent || !s.retry(l, try, err) {
			l.err = s.handleFailure(l, err, sent)
			return made
		}
		try++
	}
}

// retry waits until a failed call may be made again, and reports whether to make it. After a
// refusal by the rate limit the queue waits until the pause is over; sessions that cannot wait
// that long get an error.
func (s *Store) retry(l *load, try int, err error) bool {
	if try >= s.options.Retries || !l.Awaited() {
		return false
	}
	if l.Background() { // the operation that started it has a response already
		return s.shouldRetry(l, try, err)
	}
	if l.starter.spend() != nil { // each attempt counts as a call of the operation
		return false
	}
	again := s.shouldRetry(l, try, err)
	if !again {
		l.starter.refund()
	}
	return again
}

// shouldRetry implements retry if the operation has budget left.
func (s *Store) shouldRetry(l *load, try int, err error) bool {
	if _, limited := mixcloud.RetryAfter(err); limited {
		ls := s.limiter.of(l.starter.viewerOf(l.read), KindRead)
		until := s.limiter.queue.Blocked(ls)
		l.Fail(l.delayed(ls, until, err))
		return l.Context().Err() == nil
	}
	if !retryable(err) || s.breakers.ofRead(l.key, l.path).check() != nil || !s.retries.withdraw() {
		return false
	}
	l.Fail(&inflight.Delay{Err: err})
	return monotime.Sleep(l.Context(), s.options.Jitter(backoff(try)))
}

// attempt waits for a slot and makes one call.
func (s *Store) attempt(l *load) (value any, sent bool, err error) {
	target := s.breakers.ofRead(l.key, l.path)
	if err := target.check(); err != nil {
		return nil, false, err
	}
	v := l.starter.viewerOf(l.read)
	ls := s.limiter.of(v, KindRead)
	r := l.enqueue(ls)
	traced := l.startTrace()
	defer func() {
		if sent {
			traced.End(err)
		}
	}()
	err = s.limiter.acquire(l.Context(), r, func(until monotime.Time) error {
		l.SetDelay(l.delayed(ls, until, nil))
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	outcome := errNotMade
	defer func() { err = s.finish(v, KindRead, r, outcome, err) }()
	if !l.Start() {
		return nil, false, context.Canceled
	}
	if err := v.refused(s.clock.Now()); err != nil {
		return nil, false, err
	}
	allowed, err := target.allow()
	if err != nil {
		return nil, false, err
	}
	s.retries.deposit()
	s.unused.deposit()
	if !l.Background() {
		l.starter.called()
		l.starter.startAhead(l.key)
	}
	ctx, cancel := context.WithTimeout(l.located(l.Context()), s.options.Timeout)
	defer cancel()
	defer func() { s.breakers.observe(s.ctx, allowed, outcome) }()
	value, err = l.read.get(traced.Sent(ctx), l.starter.client)
	outcome = err
	if err == nil && !v.anonymous() && !v.verified.Load() && verifiesToken(l.read, value) {
		s.markVerified(v)
	}
	return value, true, err
}

// startTrace starts to record a call for the operation that started the load. A call in the background
// belongs to no operation.
func (l *load) startTrace() *trace.Started {
	if l.Background() {
		return nil
	}
	outcome := trace.Called
	if l.ahead {
		outcome = trace.LookedAhead
	}
	return l.starter.trace.Start(l.key.id, outcome)
}

// handleFailure updates the cache and the backoff of a read after a failed call, and
// returns the error to report. sent reports whether Mixcloud was called.
func (s *Store) handleFailure(l *load, err error, sent bool) error {
	switch {
	case errors.Is(err, mixcloud.ErrNotFound):
		s.store(l, nil, err)
		return err
	case errors.Is(err, mixcloud.ErrForbidden):
		s.cache.Drop(l.key)
	}
	if !sent || !isLasting(err) {
		return err
	}
	if l.cached != nil && allowsStale(err) && l.cached.Usable(s.clock.Now()) {
		return err // the stale entry has its own cooldown
	}
	failed, _ := errors.AsType[*mixcloud.Error](err)
	pause := s.breakers.reads.Failed(l.key, err, failed.RetryAfter)
	return withWait(err, max(pause, failed.RetryAfter))
}

// follow prepares a load to follow a redirect. A load follows at most one redirect, and the
// additional call counts against the operation's budget.
func (s *Store) follow(l *load, err error) (again bool, failed error) {
	moved, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || moved.Location == "" || l.path != "" {
		return false, err
	}
	if !l.Background() {
		if err := l.starter.spend(); err != nil {
			return false, err
		}
	}
	l.path = moved.Location
	return true, nil
}

// located returns a context with which the call goes to the redirect's location.
func (l *load) located(ctx context.Context) context.Context {
	if l.path == "" {
		return ctx
	}
	return mixcloud.WithLocation(ctx, l.path)
}
