package upstream

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"mixcloud-graphql/internal/fairqueue"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// The limit that all unverified tokens share. Anyone can invent tokens, so they get no limit of
// their own.
const (
	DefaultUnverifiedRate = 5
	unverifiedBurst       = 20
)

// unverifiedPrincipal is the principal of that limit when replicas share it. It is part of a
// Redis key.
const unverifiedPrincipal = "unverified"

// waitingPerSlot is the maximum number of waiting calls per slot; the queue holds at least the
// calls of one operation. Calls in a longer queue would exceed every client's timeout.
const waitingPerSlot = 64

// A limiter contains the rate limits and the queue of waiting calls: one limit for each principal
// and kind of call, one that all unverified tokens share, and one of the whole process.
type limiter struct {
	queue      *fairqueue.Queue
	clock      monotime.Clock
	limit      ratelimit.Limit  // for each principal and kind
	shared     SharedLimiter    // nil for none
	unverified *fairqueue.Limit // shared by all unverified tokens
	total      *fairqueue.Limit // of the process; nil for none
	log        *slog.Logger
	sampler    telemetry.Sampler

	mu sync.Mutex // guards the limits of viewers
}

// init creates the limits that belong to no viewer, with these rates per second.
func (l *limiter) init(unverifiedRate, totalRate float64) {
	unverified := ratelimit.Limit{Rate: max(unverifiedRate, 0), Burst: unverifiedBurst}
	l.unverified = l.queue.NewLimit(unverified, l.external(SharedLimit{Principal: unverifiedPrincipal, Limit: unverified}), nil)
	if rate := totalRate; rate > 0 {
		l.total = l.queue.NewLimit(ratelimit.Limit{Rate: rate, Burst: max(1, int(rate))}, nil, nil)
	}
}

// of returns the limits of a viewer's calls of a kind, its own limit first.
func (l *limiter) of(v *viewer, kind Kind) []*fairqueue.Limit {
	l.mu.Lock()
	defer l.mu.Unlock()
	own := &v.limits[kind]
	known := v.anonymous() || v.verified.Load()
	if own.Limit == nil {
		var probing func() bool
		if !v.anonymous() { // so that an invalid token costs only one call
			probing = func() bool { return !v.accepted.Load() && !v.verified.Load() }
		}
		own.Limit = l.queue.NewLimit(ratelimit.Limit{}, nil, probing)
	}
	if known && !own.configured { // the token may have been verified since
		own.configured = true
		own.Configure(l.limit, l.external(SharedLimit{Principal: v.principal.String(), Kind: kind, Limit: l.limit}))
	}
	all := []*fairqueue.Limit{own.Limit}
	if !known {
		all = append(all, l.unverified)
	}
	if l.total != nil {
		all = append(all, l.total)
	}
	return all
}

// isBlocked reports whether calls of a kind for a viewer are blocked now.
func (l *limiter) isBlocked(v *viewer, kind Kind) bool { return l.queue.Blocked(l.of(v, kind)) > 0 }

// limitVerified moves the waiting calls of a viewer to the limits of a verified token.
func (l *limiter) limitVerified(v *viewer) {
	for kind := range kinds {
		limits := l.of(v, Kind(kind)) //nolint:gosec // there are four
		limits[0].Replace(limits)
	}
}

// evict removes all calls that wait under a viewer's own limits; they fail with err.
func (l *limiter) evict(v *viewer, err error) {
	l.mu.Lock()
	limits := v.limits
	l.mu.Unlock()
	for _, own := range limits {
		if own.Limit != nil {
			own.Evict(err)
		}
	}
}

// acquire waits until a call may start. onDelay is that of [fairqueue.Queue.Acquire].
func (l *limiter) acquire(ctx context.Context, r *fairqueue.Request, onDelay func(until monotime.Time) error) error {
	err := l.queue.Acquire(ctx, r, onDelay)
	switch {
	case errors.Is(err, fairqueue.ErrFull):
		return overloaded(queueRetry)
	case errors.Is(err, fairqueue.ErrClosed):
		return context.Canceled
	}
	return err
}

// errNotMade is the outcome of a call that was not made, or panicked.
var errNotMade = errors.New("not made")

// finish ends the queue's request of a call. The outcome is errNotMade, or the error of the call.
// It returns the pause after a refusal by the rate limit, else 0.
func (l *limiter) finish(ctx context.Context, v *viewer, kind Kind, r *fairqueue.Request, outcome error) (pause time.Duration) {
	failed, ok := errors.AsType[*mixcloud.Error](outcome)
	switch {
	case errors.Is(outcome, errNotMade):
		r.Cancel()
	case ok && failed.Kind == mixcloud.ErrRateLimited:
		pause = r.Refused(ctx, min(failed.RetryAfter, maxPause), failed)
		if pause > 0 {
			l.logRefusal(ctx, v, kind, pause)
		}
	case outcome == nil, ok && failed.Status > 0 && failed.Kind != mixcloud.ErrUnauthenticated:
		v.accepted.Store(true)
		r.Done()
	default:
		r.Done()
	}
	return pause
}

// tooLong returns the error of a call whose wait exceeds its deadline: Mixcloud's refusal if
// there is one, with the remaining wait.
func (l *limiter) tooLong(limits []*fairqueue.Limit, until monotime.Time) *mixcloud.Error {
	e := &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Op: "rate limiter"}
	_, cause := limits[0].Blocked()
	if refusal, ok := errors.AsType[*mixcloud.Error](cause); ok {
		*e = *refusal
	}
	e.RetryAfter = max(until.Sub(l.clock.Now()), time.Millisecond)
	return e
}

// logRefusal logs that calls of a kind are blocked for a viewer. Refusals of concurrent calls
// are logged once.
func (l *limiter) logRefusal(ctx context.Context, v *viewer, kind Kind, pause time.Duration) {
	until := l.clock.Now().Add(pause)
	l.mu.Lock()
	own := &v.limits[kind]
	known := own.logged > until.Add(-time.Second/2)
	own.logged = max(own.logged, until)
	l.mu.Unlock()
	if known {
		return
	}
	v.blocked.Store(max(v.blocked.Load(), int64(until)))
	principal := "token"
	if v.anonymous() {
		principal = "anonymous"
	}
	l.sampler.Log(ctx, l.log, slog.LevelWarn, principal+kind.String(),
		"rate limited by Mixcloud", "kind", kind.String(), "principal", principal, "wait", pause)
}

// external returns the limit that processes share, or nil.
func (l *limiter) external(limit SharedLimit) fairqueue.External {
	if l.shared == nil {
		return nil
	}
	return externalLimit{l.shared, limit}
}

// An externalLimit is a limit of a SharedLimiter.
type externalLimit struct {
	limiter SharedLimiter
	limit   SharedLimit
}

// Take implements [fairqueue.External].
func (e externalLimit) Take(ctx context.Context) time.Duration {
	return min(e.limiter.Take(ctx, e.limit), maxPause)
}

// Refused implements [fairqueue.External].
func (e externalLimit) Refused(ctx context.Context, ago, wait time.Duration) time.Duration {
	return e.limiter.Refused(ctx, e.limit, ago, wait)
}

// rateLimit returns the state of limits.
func (l *limiter) rateLimit(limits []*fairqueue.Limit) (r opstats.RateLimit) {
	a := l.queue.Allowance(limits)
	if a.Blocked > 0 {
		at := l.clock.Wall(a.Blocked)
		r.RetryAt = &at
	}
	if a.Limited {
		spent := a.Burst - a.Remaining
		r.Budget, r.Spent, r.Remaining = &a.Burst, &spent, &a.Remaining
	} else if a.Blocked > 0 {
		r.Remaining = new(int)
	}
	return r
}
