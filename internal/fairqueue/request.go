package fairqueue

import (
	"context"
	"slices"
	"time"

	"mixcloud-graphql/internal/monotime"
)

// A Request waits for a slot, has one, or has ended.
type Request struct {
	queue    *Queue
	client   any
	flow     *flow // a new flow, or the existing one of the client that it has joined
	priority Priority

	granted   chan struct{}      // closed when a waiting request has a slot, or err is set; nil if it never waits
	err       error              // the error that Acquire returns
	delays    chan monotime.Time // nil if the request never waits
	ended     bool               // the request no longer waits
	grantedAt monotime.Time
	limits    []*Limit // the limits that have granted the slot
	awaited   *Limit   // the external limit that it waits for, or nil
	released  bool     // the slot was returned
}

// NewRequest returns a request of a client. Requests of one client with the same flowKey and
// limits form a flow. A refusal adjusts the first limit.
func (q *Queue) NewRequest(client, flowKey any, limits []*Limit, p Priority) *Request {
	return &Request{
		queue: q, client: client, flow: &flow{key: flowKey, limits: limits}, priority: p, limits: limits,
	}
}

// beginWait prepares a request to wait for a slot.
func (r *Request) beginWait() {
	r.granted, r.ended = make(chan struct{}), false
	if r.delays == nil {
		r.delays = make(chan monotime.Time, 1)
	}
}

// Promote changes a background request to normal priority and to a flow of another client. It
// has no effect on other requests.
func (r *Request) Promote(client, flowKey any) {
	q := r.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	if r.priority <= Normal {
		return
	}
	waits := !r.ended && slices.Contains(r.flow.requests, r)
	if waits {
		q.remove(r)
	}
	r.client, r.flow, r.priority = client, &flow{key: flowKey, limits: r.flow.limits}, Normal
	if !waits {
		return
	}
	q.add(r)
	q.dispatch()
	if !r.ended { // its caller knows only the delay of a background request
		r.announce(q.estimate(r))
	}
}

// announce replaces the delay that the request has not received yet.
func (r *Request) announce(until monotime.Time) {
	select {
	case <-r.delays:
	default:
	}
	r.delays <- until // does not block: the queue is locked, so there is no other sender
}

// Release returns the slot before the request has ended.
func (r *Request) Release() {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.release()
	r.queue.dispatch()
}

func (r *Request) release() {
	if !r.released {
		r.released = true
		r.queue.free++
	}
}

// Done returns the slot of a request that has got a response, or whose outcome is unknown.
func (r *Request) Done() {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.end()
	r.queue.dispatch()
}

// Cancel returns the slot of a request that was not sent. The request does not count for any
// limit.
func (r *Request) Cancel() {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.release()
	r.undo()
	r.queue.dispatch()
}

// Refused returns the slot of a request that was rate limited, and adjusts its first limit.
// wait is the requested wait, or 0. cause is the error that [Limit.Blocked] will return.
// Refused returns the duration for which the limit is blocked.
func (r *Request) Refused(ctx context.Context, wait time.Duration, cause error) (pause time.Duration) {
	q, limit := r.queue, r.limits[0]
	q.mu.Lock()
	r.end()
	now, external := q.clock.Now(), limit.external
	pause = limit.refuse(wait, cause, r.grantedAt, now)
	q.announce(limit, now.Add(pause))
	q.dispatch()
	q.mu.Unlock()
	if external == nil {
		return pause
	}
	pause = external.Refused(ctx, q.clock.Now().Sub(r.grantedAt), wait)
	q.mu.Lock()
	defer q.mu.Unlock()
	limit.heldUntil = q.clock.Now().Add(pause) // may be earlier than before
	q.announce(limit, limit.heldUntil)
	q.dispatch()
	return pause
}

// end returns the slot and ends the request for its limits.
func (r *Request) end() {
	r.release()
	r.endExternalWait()
	for _, l := range r.limits {
		l.inFlight--
	}
}

// undo reverts the effect of a grant on the request's limits.
func (r *Request) undo() {
	r.endExternalWait()
	for _, l := range r.limits {
		l.inFlight--
		l.rate.Return()
	}
}

// endExternalWait records that the request no longer waits for an external limit.
func (r *Request) endExternalWait() {
	if r.awaited != nil {
		r.awaited.pending--
		r.awaited = nil
	}
}

// external returns the first limit of the request with an external limit, or nil. [Limit.Configure]
// may have changed it since the grant.
func (r *Request) external() (*Limit, External) {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	if l := externalOf(r.limits); l != nil {
		return l, l.external
	}
	return nil, nil
}
