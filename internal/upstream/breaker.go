package upstream

import (
	"errors"
	"log/slog"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud"
)

// When a breaker opens: so many failures among the latest calls, and half of
// them at least.
const (
	breakerWindow   = 20
	breakerFailures = 5
	breakerMemory   = 30 * time.Second // what is older says nothing
	breakerPause    = time.Second      // twice as long after each probe that failed
	breakerLongest  = 10 * time.Second
	breakerProbe    = 30 * time.Second // that a probe is waited for: an upload may take hours
)

// A breaker keeps calls from a part of Mixcloud that fails. When it has been
// open for a while, one call tries. The libraries' breakers reckon with the wall
// clock, which jumps. It is safe for concurrent use.
type breaker struct {
	route route

	mu     sync.Mutex
	latest [breakerWindow]struct {
		at     tick
		failed bool
	}
	next    int
	calls   int
	open    bool
	until   tick // when a probe may go
	pause   time.Duration
	probe   int             // the latest one; they are numbered from 1
	probing tick            // until when it is waited for; 0 for none
	failure *mixcloud.Error // the one that opened it
}

// A verdict is what a call says of the part of Mixcloud that it went to.
type verdict int

const (
	neutral verdict = iota // nothing
	alive
	failing
)

// judge reads a verdict from an error: a 5xx, a broken connection and a timeout
// are failures; a refusal, such as "not found", is a sign of life; the rate
// limit is the pace's business.
func judge(err error) verdict {
	switch {
	case err == nil, errors.Is(err, mixcloud.ErrNotFound), errors.Is(err, mixcloud.ErrUnauthenticated), errors.Is(err, mixcloud.ErrForbidden):
		return alive
	case errors.Is(err, mixcloud.ErrUnavailable), errors.Is(err, mixcloud.ErrTimeout):
		return failing
	default:
		return neutral
	}
}

// check tells whether a call may go, now or after it has waited its turn.
func (b *breaker) check(now tick) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut(now) {
		return b.refusal(now)
	}
	return nil
}

// shut reports whether no call goes now.
func (b *breaker) shut(now tick) bool { return b.open && (now < b.until || now < b.probing) }

// admit is check for a call that goes now, and after which done must be called
// if it is let through, with the number that it is given. An open breaker lets
// one through at a time.
func (b *breaker) admit(now tick) (probe int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !b.open:
		return 0, nil
	case b.shut(now):
		return 0, b.refusal(now)
	}
	b.probe++
	b.probing = now + breakerProbe
	return b.probe, nil
}

// refusal is the failure that opened the breaker, with the time that is left.
func (b *breaker) refusal(now tick) error {
	e := *b.failure
	e.RetryAfter = max(b.until-now, 100*time.Millisecond)
	e.NeverSent = false
	return &e
}

// done learns from a call that was admitted.
func (b *breaker) done(probe int, v verdict, err error, now tick, log *slog.Logger) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.open && v == alive:
		b.open, b.probing, b.calls = false, 0, 0
		log.Info("mixcloud answers again", "route", b.route.String())
	case b.open:
		if probe == 0 || probe != b.probe || b.probing == 0 {
			return // it was under way when the breaker opened, or for too long
		}
		b.probing = 0
		if v == failing {
			b.pause = min(2*b.pause, breakerLongest)
			b.until = now + b.pause
		}
	case v != neutral:
		b.latest[b.next].at, b.latest[b.next].failed = now, v == failing
		b.next = (b.next + 1) % breakerWindow
		b.calls = min(b.calls+1, breakerWindow)
		if v == failing && b.failsTooOften(now) {
			b.open, b.pause = true, breakerPause
			b.until = now + b.pause
			if b.failure, _ = errors.AsType[*mixcloud.Error](err); b.failure == nil {
				b.failure = &mixcloud.Error{Kind: mixcloud.ErrUnavailable, Err: err}
			}
			log.Warn("mixcloud keeps failing and is left alone", "route", b.route.String(), "err", err)
		}
	}
}

func (b *breaker) failsTooOften(now tick) bool {
	failed, calls := 0, 0
	for i := range b.calls {
		o := b.latest[(b.next-1-i+breakerWindow)%breakerWindow]
		if now-o.at > breakerMemory {
			break
		}
		calls++
		if o.failed {
			failed++
		}
	}
	return failed >= breakerFailures && 2*failed >= calls
}

func (r route) String() string {
	return [...]string{"resource", "list", "chart", "search", "embed", "viewer", "write"}[r]
}
