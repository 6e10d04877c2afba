package upstream

import (
	"context"
	"errors"
	"time"

	"mixcloud-graphql/internal/fairqueue"
	"mixcloud-graphql/mixcloud"
)

// refusedFor is how long calls with a refused token are blocked.
const refusedFor = time.Minute

// recheckEvery is the minimum time between two checks of an unverified token with other
// processes.
const recheckEvery = 10 * time.Second

// MarkVerified records that this server obtained a token in its own OAuth exchange.
func (s *Store) MarkVerified(token string) {
	if token != "" {
		s.markVerified(s.viewer(principalOf(s.options.PrincipalOf(token))))
	}
}

// Verified reports whether this process has verified a token. It stores nothing about unknown
// tokens.
func (s *Store) Verified(token string) bool {
	if token == "" {
		return false
	}
	known := s.viewers.known(principalOf(s.options.PrincipalOf(token)))
	return known != nil && known.verified.Load()
}

// markVerified records that Mixcloud accepts a viewer's token, in this process and in the
// others.
func (s *Store) markVerified(v *viewer) {
	if v.anonymous() || v.verified.Swap(true) {
		return
	}
	v.denial.Store(nil)
	s.limiter.limitVerified(v)
	if s.options.VerifiedTokens != nil {
		s.options.VerifiedTokens.SetVerified(context.WithoutCancel(s.ctx), v.principal.String(), true)
	}
}

// checkShared checks with other processes whether an unverified token is verified.
func (s *Store) checkShared(ctx context.Context, v *viewer) {
	if s.options.VerifiedTokens == nil || v.anonymous() || v.verified.Load() {
		return
	}
	v.checkMu.Lock() // concurrent calls wait for one result
	defer v.checkMu.Unlock()
	now := s.clock.Now()
	if v.verified.Load() || v.checkedAt != 0 && now < v.checkedAt.Add(recheckEvery) {
		return
	}
	v.checkedAt = max(now, 1)
	if s.options.VerifiedTokens.Verified(ctx, v.principal.String()) {
		v.verified.Store(true)
	}
}

// refuseToken records that Mixcloud has refused a viewer's token: its waiting calls fail, its
// calls are blocked for a while, and its cached responses are dropped.
func (s *Store) refuseToken(v *viewer, err error) {
	now := s.clock.Now()
	if v.refused(now) != nil {
		return // a concurrent call was refused first
	}
	v.denial.Store(&denial{now.Add(refusedFor), err})
	v.accepted.Store(false)
	s.limiter.evict(v, err)
	s.viewers.startEpoch(v)
	if v.verified.Load() {
		s.drop(v)
		v.verified.Store(false)
		if s.options.VerifiedTokens != nil {
			s.options.VerifiedTokens.SetVerified(context.WithoutCancel(s.ctx), v.principal.String(), false)
		}
	}
}

// drop drops a viewer's responses from the shared cache.
func (s *Store) drop(v *viewer) {
	if s.options.SharedCache != nil && v.isShared() {
		s.options.SharedCache.Drop(context.WithoutCancel(s.ctx), v.principal.String())
	}
}

// finish ends the queue's request of a call, and returns err. If Mixcloud refused the call, the
// returned error contains the wait before the next call.
func (s *Store) finish(v *viewer, kind Kind, r *fairqueue.Request, outcome, err error) error {
	pause := s.limiter.finish(context.WithoutCancel(s.ctx), v, kind, r, outcome)
	if !v.anonymous() && errors.Is(err, mixcloud.ErrUnauthenticated) {
		s.refuseToken(v, err)
	}
	refused, ok := errors.AsType[*mixcloud.Error](err)
	if pause <= 0 || !ok {
		return err
	}
	waiting := *refused
	waiting.RetryAfter = pause
	return &waiting
}
