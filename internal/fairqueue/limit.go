package fairqueue

import (
	"context"
	"time"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
)

// longHold is the minimum delay by an external limit that counts as blocked. Shorter delays
// only space the requests.
const longHold = time.Second

// An External limit is shared with other processes. A request asks for its permission last, when it
// has a slot.
type External interface {
	// Take takes a token for one request. It returns 0 if the request is permitted.
	// Otherwise it returns the time to wait before the next Take.
	Take(ctx context.Context) (wait time.Duration)
	// Refused records that a request that was sent some time ago was rate limited. wait is
	// the requested wait, or 0. It returns the duration for which requests are blocked.
	Refused(ctx context.Context, ago, wait time.Duration) (pause time.Duration)
}

// A Limit is a rate limit for requests: an adaptive limiter of this process
// ([ratelimit.Limiter]), and optionally an external limit. It is safe for concurrent use: the
// lock of its queue guards it.
type Limit struct {
	queue    *Queue
	rate     *ratelimit.Limiter
	probing  func() bool
	inFlight int
	cause    error // the refusal that blocks for the longest time

	// While the external limit delays requests, the number of requests that wait for it
	// concurrently is limited to window: the number that it has permitted since.
	external        External
	heldUntil       monotime.Time
	pending, window int // a window of 0 means no limit
}

// NewLimit returns a limit of this queue. While probing returns true, only one request under
// the limit is sent at a time. probing may be nil; it is called with the queue locked.
func (q *Queue) NewLimit(limit ratelimit.Limit, external External, probing func() bool) *Limit {
	return &Limit{queue: q, rate: ratelimit.New(limit, time.Duration(q.clock.Now())), external: external, probing: probing}
}

// Configure replaces the configured rate and the external limit. The adaptive state stays.
func (l *Limit) Configure(limit ratelimit.Limit, external External) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	l.rate.Configure(limit)
	l.external = external
}

// Blocked returns the time until which the limit blocks all requests, because of a refusal or
// of its external limit, and the error of the refusal. It returns 0 if the limit does not block
// them.
func (l *Limit) Blocked() (until monotime.Time, cause error) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	until, blocked := l.blocked(l.queue.clock.Now())
	if !blocked {
		return 0, nil
	}
	return until, l.cause
}

// Evict makes all waiting requests under the limit fail with err.
func (l *Limit) Evict(err error) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	l.queue.each(l, func(r *Request) { l.queue.evict(r, err) })
}

// Replace changes the limits of all waiting requests whose first limit is l.
func (l *Limit) Replace(limits []*Limit) {
	q := l.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, clients := range q.clients {
		for _, c := range clients {
			for _, f := range c.flows {
				if f.limits[0] == l {
					f.limits = limits
				}
			}
		}
	}
	q.dispatch()
}

// Blocked is like [Limit.Blocked] for several limits. It returns the latest time, or 0.
func (q *Queue) Blocked(limits []*Limit) (until monotime.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	until, _ = blocked(limits, q.clock.Now())
	return until
}

// An Allowance is the number of requests that some limits permit now.
type Allowance struct {
	Limited   bool          // false if no limit has a rate
	Burst     int           // burst of the limit with the fewest remaining requests
	Remaining int           // number of requests that are permitted now
	Blocked   monotime.Time // result of [Queue.Blocked]
}

// Allowance returns the number of requests that the limits permit now.
func (q *Queue) Allowance(limits []*Limit) (a Allowance) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	a.Blocked, _ = blocked(limits, now)
	for _, l := range limits {
		ready := l.ready(now) // updates the tokens
		if l.rate.Rate() == 0 {
			continue
		}
		burst, remaining := l.rate.Depth(), 0
		if ready == now && a.Blocked == 0 {
			remaining = min(l.rate.Tokens(), burst)
		}
		if !a.Limited || remaining < a.Remaining {
			a.Limited, a.Burst, a.Remaining = true, burst, remaining
		}
	}
	return a
}

// Spare returns the number of requests under some limits that would not have to wait now.
func (q *Queue) Spare(limits []*Limit) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	now, spare := q.clock.Now(), q.free
	for _, l := range limits {
		ready := l.ready(now) // updates the tokens
		switch {
		case l.busy(), l.window > 0, ready > now:
			return 0
		case l.rate.Rate() > 0:
			spare = min(spare, l.rate.Tokens())
		}
	}
	return spare
}

// ready returns the time, now or later, at which the limit permits the next request.
func (l *Limit) ready(now monotime.Time) monotime.Time {
	return max(now.Add(l.rate.Ready(time.Duration(now))), l.heldUntil)
}

// busy reports whether a request has to wait until another one has ended.
func (l *Limit) busy() bool {
	return l.window > 0 && l.pending >= l.window || l.inFlight > 0 && l.probing != nil && l.probing()
}

func (l *Limit) take(now monotime.Time) {
	l.rate.Take(time.Duration(now))
	l.inFlight++
}

// hold delays requests, because of the external limit.
func (l *Limit) hold(until monotime.Time) { l.heldUntil, l.window = max(l.heldUntil, until), 1 }

func (l *Limit) blocked(now monotime.Time) (until monotime.Time, yes bool) {
	until = now.Add(l.rate.Blocked(time.Duration(now)))
	if l.heldUntil > now.Add(longHold) {
		until = max(until, l.heldUntil)
	}
	return until, now < until
}

// after returns the time at which the limit permits a request, after n others.
func (l *Limit) after(n int, now monotime.Time) monotime.Time {
	at := l.ready(now)
	if l.rate.Rate() == 0 {
		return at
	}
	spare := 0
	if at == now {
		spare = l.rate.Tokens() - 1
	}
	if lack := n - spare; lack > 0 {
		at = at.Add(time.Duration(float64(lack) / l.rate.Rate() * float64(time.Second)))
	}
	return at
}

// refuse adjusts the limit after a refusal, and returns the duration for which it is blocked.
func (l *Limit) refuse(wait time.Duration, cause error, sent, now monotime.Time) (pause time.Duration) {
	if l.cause == nil || wait >= l.rate.Blocked(time.Duration(now)) {
		l.cause = cause
	}
	if l.external != nil { // it decides; until it has responded no request is sent
		l.hold(now.Add(max(wait, time.Millisecond)))
		return l.heldUntil.Sub(now)
	}
	return l.rate.Refuse(time.Duration(now), time.Duration(sent), wait)
}

// ready returns the time at which all limits permit the next request, or false if another
// request has to end first.
func ready(limits []*Limit, now monotime.Time) (at monotime.Time, ok bool) {
	at = now
	for _, l := range limits {
		if l.busy() {
			return 0, false
		}
		at = max(at, l.ready(now))
	}
	return at, true
}

func blocked(limits []*Limit, now monotime.Time) (until monotime.Time, yes bool) {
	for _, l := range limits {
		if at, blocked := l.blocked(now); blocked {
			until, yes = max(until, at), true
		}
	}
	return until, yes
}

// externalOf returns the first limit with an external limit, or nil.
func externalOf(limits []*Limit) *Limit {
	for _, l := range limits {
		if l.external != nil {
			return l
		}
	}
	return nil
}
