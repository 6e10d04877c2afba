package upstream

import (
	"context"
	"errors"
	"time"

	"mixcloud-graphql/mixcloud"
)

// allowsStale reports whether an error says something of Mixcloud's state, not of
// the resource: then a stale entry is still the best answer (RFC 5861).
func allowsStale(err error) bool {
	for _, kind := range []error{mixcloud.ErrUnavailable, mixcloud.ErrTimeout, mixcloud.ErrRateLimited, mixcloud.ErrBadResponse, mixcloud.ErrRefused, mixcloud.ErrMoved} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return Overloaded(err)
}

// stand lets a stale entry stand in for an answer that there is not, because of
// err; nil for one that is on its way.
func (s *Session) stand(k key, e *entry, err error) (any, error) {
	now := s.store.clock.now()
	why := Unavailable
	if errors.Is(err, mixcloud.ErrRateLimited) {
		why = RateLimited
	}
	if err == nil {
		why = Revalidating
		if d := e.waits(now); d != nil {
			why = d.why
		}
	}
	s.note(k.id, e.age(now), why)
	s.goodFor(0)
	return e.value, nil
}

// refresh fetches a stale entry anew for whoever asks next, unless that is
// under way, has just failed, or would have to wait: nobody waits for it, so it
// never goes before anything else, and never against a wait or a breaker.
func (s *Store) refresh(ctx context.Context, session *Session, k key, e *entry, r *read) {
	now := s.clock.now()
	if e.waits(now) != nil || s.flights.known(k) != nil {
		return
	}
	payer := session.as()
	if k.class == ClassEmbed {
		payer = s.everybody
	}
	if payer.refused(now) != nil {
		return
	}
	if until, _ := s.queue.silence(s.limitsOf(payer, KindRead)); until > 0 || s.watched(k, "").check() != nil {
		return
	}
	select {
	case s.refreshes <- struct{}{}:
	default:
		return
	}
	f, fresh := s.flights.start(k, func() *flight { return s.newFlight(ctx, session, k, e, r, true) })
	if !fresh {
		<-s.refreshes
		return
	}
	go func() {
		defer func() { <-s.refreshes }()
		// Whatever has to wait for so long keeps others from being refreshed.
		defer time.AfterFunc(s.options.Timeout, f.abandon).Stop()
		s.fly(f)
	}()
}
