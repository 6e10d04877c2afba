package fairqueue

import (
	"context"
	"time"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
)

// longHold is the delay above which an external limit blocks requests, rather than
// spaces them.
const longHold = time.Second

// An External limit is shared with other processes. It is asked last, by a request
// that has a slot.
type External interface {
	// Take takes one request from the limit: 0 grants it. Otherwise no request goes
	// for that long, and then the limit is asked again.
	Take(ctx context.Context) (wait time.Duration)
	// Refused learns that a request was refused that went some time ago, and that the
	// refusal named a wait, or 0. It returns for how long no request goes.
	Refused(ctx context.Context, ago, wait time.Duration) (pause time.Duration)
}

// A Limit is a rate limit that requests wait for: an adaptive limiter of this process
// ([ratelimit.Limiter]) and, if there is one, an external limit. It is safe for
// concurrent use: its queue's lock guards it.
type Limit struct {
	queue    *Queue
	rate     *ratelimit.Limiter
	probing  func() bool
	inFlight int
	cause    error // of the refusal that blocks for the longest

	// While the external limit delays requests, only as many ask it at the same time
	// as it has let through in a row: more would ask in vain.
	external       External
	heldUntil      monotime.Time
	asking, window int // a window of 0 is no bound
}

// NewLimit returns a limit of this queue. While probing reports true its requests go
// one at a time; nil is never. probing is called with the queue locked.
func (q *Queue) NewLimit(limit ratelimit.Limit, external External, probing func() bool) *Limit {
	return &Limit{queue: q, rate: ratelimit.New(limit, time.Duration(q.clock.Now())), external: external, probing: probing}
}

// Configure replaces what bounds the limit and its external limit. What it has
// learned stays.
func (l *Limit) Configure(limit ratelimit.Limit, external External) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	l.rate.Configure(limit)
	l.external = external
}

// Blocked returns until when the limit lets no request go, because of a refusal or of
// its external limit, and what caused the refusal. It returns 0 if requests may go,
// now or in their turn.
func (l *Limit) Blocked() (until monotime.Time, cause error) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	until, blocked := l.blocked(l.queue.clock.Now())
	if !blocked {
		return 0, nil
	}
	return until, l.cause
}

// Evict ends the waiting of all requests under the limit with an error.
func (l *Limit) Evict(err error) {
	l.queue.mu.Lock()
	defer l.queue.mu.Unlock()
	l.queue.each(l, func(r *Request) { l.queue.evict(r, err) })
}

// Replace lets all requests that wait for this limit first wait for other limits
// instead.
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

// Blocked is [Limit.Blocked] of several limits: it returns the latest time, or 0.
func (q *Queue) Blocked(limits []*Limit) (until monotime.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	until, _ = blocked(limits, q.clock.Now())
	return until
}

// An Allowance is what some limits let go at this moment.
type Allowance struct {
	Limited   bool          // false if no limit has a rate
	Burst     int           // of the limit that has the least left
	Remaining int           // requests that may go at once
	Blocked   monotime.Time // as [Queue.Blocked]
}

// Allowance returns what the limits let go at this moment.
func (q *Queue) Allowance(limits []*Limit) (a Allowance) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.Now()
	a.Blocked, _ = blocked(limits, now)
	for _, l := range limits {
		ready := l.ready(now) // brings the tokens up to now
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

// ready returns when the limit lets the next request go: now, or later.
func (l *Limit) ready(now monotime.Time) monotime.Time {
	return max(now.Add(l.rate.Ready(time.Duration(now))), l.heldUntil)
}

// busy reports whether a request must wait for the end of another one.
func (l *Limit) busy() bool {
	return l.window > 0 && l.asking >= l.window || l.inFlight > 0 && l.probing != nil && l.probing()
}

func (l *Limit) take(now monotime.Time) {
	l.rate.Take(time.Duration(now))
	l.inFlight++
}

// hold delays requests that the external limit does not want yet.
func (l *Limit) hold(until monotime.Time) { l.heldUntil, l.window = max(l.heldUntil, until), 1 }

func (l *Limit) blocked(now monotime.Time) (until monotime.Time, yes bool) {
	until = now.Add(l.rate.Blocked(time.Duration(now)))
	if l.heldUntil > now.Add(longHold) {
		until = max(until, l.heldUntil)
	}
	return until, now < until
}

// after returns when one more request may go than n that wait already.
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

// refuse learns from a refusal and returns the pause.
func (l *Limit) refuse(wait time.Duration, cause error, sent, now monotime.Time) (pause time.Duration) {
	if l.cause == nil || wait >= l.rate.Blocked(time.Duration(now)) {
		l.cause = cause
	}
	if l.external != nil { // it learns; until it has answered nothing is sent
		l.hold(now.Add(max(wait, time.Millisecond)))
		return l.heldUntil.Sub(now)
	}
	return l.rate.Refuse(time.Duration(now), time.Duration(sent), wait)
}

// ready returns when all limits let the next request go; false if another request
// must end before.
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

// externalOf returns the first limit that is external, or nil.
func externalOf(limits []*Limit) *Limit {
	for _, l := range limits {
		if l.external != nil {
			return l
		}
	}
	return nil
}
