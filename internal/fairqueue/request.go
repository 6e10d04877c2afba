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
	flow     *flow // its own, or that of its client that it has joined
	priority Priority

	granted   chan struct{} // closed when it has a slot, or err is set
	err       error         // why it gets none
	delays    chan monotime.Time
	ended     bool // its waiting
	grantedAt monotime.Time
	limits    []*Limit // under which it was granted
	asking    *Limit   // the external limit that it asks; nil for none
	released  bool     // its slot
}

// NewRequest returns a request of a client. Requests of a client with equal keys of
// their flow and the same limits are one flow. The first limit is the request's own:
// the one that learns from a refusal.
func (q *Queue) NewRequest(client, flowKey any, limits []*Limit, p Priority) *Request {
	return &Request{
		queue: q, client: client, flow: &flow{key: flowKey, limits: limits}, priority: p,
		granted: make(chan struct{}), delays: make(chan monotime.Time, 1), limits: limits,
	}
}

// Promote gives a background request normal priority, as one of a client's flow. It
// does nothing to other requests.
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
	if !r.ended { // it was told the delay of a background request
		r.announce(q.estimate(r))
	}
}

// announce replaces the delay that the request has not heard yet.
func (r *Request) announce(until monotime.Time) {
	select {
	case <-r.delays:
	default:
	}
	r.delays <- until // there is no other sender: the queue is locked
}

// Release gives the slot back before the request has ended.
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

// Done gives the slot back of a request that was answered, or of which it is not
// known.
func (r *Request) Done() {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.end()
	r.queue.dispatch()
}

// Cancel gives the slot back of a request that was not sent: it counts for no limit.
func (r *Request) Cancel() {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	r.release()
	r.undo()
	r.queue.dispatch()
}

// Refused gives the slot back of a request that was refused for being one too many,
// and lets its own limit learn from that. wait is the wait that the refusal names, or
// 0, and cause is what [Limit.Blocked] returns. Refused returns the pause that
// follows.
func (r *Request) Refused(ctx context.Context, wait time.Duration, cause error) (pause time.Duration) {
	q, own := r.queue, r.limits[0]
	q.mu.Lock()
	r.end()
	now, external := q.clock.Now(), own.external
	pause = own.refuse(wait, cause, r.grantedAt, now)
	q.announce(own, now.Add(pause))
	q.dispatch()
	q.mu.Unlock()
	if external == nil {
		return pause
	}
	pause = external.Refused(ctx, q.clock.Now().Sub(r.grantedAt), wait)
	q.mu.Lock()
	defer q.mu.Unlock()
	own.heldUntil = q.clock.Now().Add(pause) // which may be earlier
	q.announce(own, own.heldUntil)
	q.dispatch()
	return pause
}

// end gives the slot back and ends the request for its limits.
func (r *Request) end() {
	r.release()
	r.asked()
	for _, l := range r.limits {
		l.inFlight--
	}
}

// undo makes a grant undone for the request's limits.
func (r *Request) undo() {
	r.asked()
	for _, l := range r.limits {
		l.inFlight--
		l.rate.Return()
	}
}

// asked records that the request no longer asks an external limit.
func (r *Request) asked() {
	if r.asking != nil {
		r.asking.asking--
		r.asking = nil
	}
}

// external returns the first limit of a granted request that is external. It may
// have become so since.
func (r *Request) external() (*Limit, External) {
	r.queue.mu.Lock()
	defer r.queue.mu.Unlock()
	if l := externalOf(r.limits); l != nil {
		return l, l.external
	}
	return nil, nil
}
