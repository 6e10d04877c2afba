// Package fairqueue is a fair queue of requests for a limited number of slots, with rate
// limits.
//
// A [Request] waits in [Queue.Acquire] until a slot is free and all of its rate limits
// ([Limit]) permit it, and returns the slot at its end. Requests with a higher [Priority] go
// first. Within a priority, clients take turns (round-robin), then the flows of a client. A
// flow is a FIFO queue: a flow of a hundred requests delays the single request of another
// flow by one turn.
//
// A request waits, has a slot, or has ended. A limit can be shared with other processes, see
// [External]: a request that has a slot asks for its permission last. If it must wait, it is
// requeued: it returns its slot, and is the next of its priority. The caller of a waiting request
// is informed whenever the expected delay changes, so that it can stop waiting.
package fairqueue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mixcloud-graphql/internal/monotime"
)

// A Priority determines which requests go first.
type Priority uint8

// The priorities, from the highest.
const (
	Urgent     Priority = iota
	Normal              // a caller waits for the result
	Background          // no caller waits for the result

	priorities = iota
)

// Errors of [Queue.Acquire].
var (
	// ErrFull is returned if too many requests wait.
	ErrFull = errors.New("fairqueue: too many waiting requests")
	// ErrClosed is returned by a closed queue.
	ErrClosed = errors.New("fairqueue: closed")
)

// A Queue grants slots to requests in a fair order. It is safe for concurrent use.
type Queue struct {
	clock      monotime.Clock
	maxWaiting int

	mu      sync.Mutex
	free    int                   // number of free slots
	waiting int                   // number of waiting requests
	clients [priorities][]*client // clients with waiting requests, the next one first
	timer   *time.Timer           // calls dispatch when a limit is ready
	timerAt monotime.Time
	closed  chan struct{} // closed by Close
}

// New returns a queue with a number of slots and at most maxWaiting waiting requests.
func New(clock monotime.Clock, slots, maxWaiting int) *Queue {
	return &Queue{clock: clock, maxWaiting: maxWaiting, free: slots, timerAt: monotime.Never, closed: make(chan struct{})}
}

// Close makes all waiting requests fail with ErrClosed. Requests that have a slot keep it.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isClosed() {
		close(q.closed)
	}
	if q.timer != nil {
		q.timer.Stop()
	}
}

func (q *Queue) isClosed() bool {
	select {
	case <-q.closed:
		return true
	default:
		return false
	}
}

// Load returns the number of free slots and of waiting requests.
func (q *Queue) Load() (free, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.free, q.waiting
}

// Acquire waits for a slot for a request. If the request has to wait, onDelay is called with
// the earliest time at which it can get the slot, and again whenever that time changes. If
// onDelay returns an error, Acquire returns it. Other errors are ErrFull, ErrClosed and that
// of ctx.
//
// If Acquire returns nil, the request has a slot, and the caller must call one of its methods
// Done, Refused and Cancel. A request can acquire a slot only once.
func (q *Queue) Acquire(ctx context.Context, r *Request, onDelay func(until monotime.Time) error) error {
	q.mu.Lock()
	if q.waiting >= q.maxWaiting && !q.makeRoom(r) {
		q.mu.Unlock()
		return ErrFull
	}
	waits := !q.grantNow(r)
	if waits {
		r.beginWait()
		q.add(r)
	}
	q.mu.Unlock()
	for {
		if waits {
			if err := q.wait(ctx, r, onDelay); err != nil {
				return err
			}
		}
		limit, external := r.external()
		if external == nil {
			return nil
		}
		delay := external.Take(ctx)
		if delay <= 0 {
			q.permitted(r, limit)
			return nil
		}
		q.requeue(r, limit, delay)
		waits = true
	}
}

// grantNow grants a slot to a new request if no request waits, and reports whether it did. It saves
// the costs of waiting.
func (q *Queue) grantNow(r *Request) bool {
	if q.waiting > 0 || q.free == 0 || q.isClosed() {
		return false
	}
	now := q.clock.Now()
	at, ok := ready(r.limits, now)
	if !ok || at > now {
		return false
	}
	q.waiting++ // grant ends the wait
	q.grant(r, now)
	return true
}

// requeue makes a request with a slot wait again, because an external limit has delayed it. It
// is the next request after the delay.
func (q *Queue) requeue(r *Request, l *Limit, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	r.undo()
	l.hold(q.clock.Now().Add(delay))
	q.announce(l, l.heldUntil)
	r.beginWait()
	q.addFirst(r)
}

// permitted records that an external limit has permitted a request.
func (q *Queue) permitted(r *Request, l *Limit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.endExternalWait()
	if l.window > 0 {
		l.window++
		q.dispatch()
	}
}

// wait waits for the slot of a queued request.
func (q *Queue) wait(ctx context.Context, r *Request, onDelay func(until monotime.Time) error) error {
	q.mu.Lock()
	q.dispatch()
	granted, until := r.granted, monotime.Time(0)
	if !r.ended {
		if at := q.estimate(r); at > q.clock.Now() {
			until = at
		}
	}
	q.mu.Unlock()
	if until > 0 {
		if err := onDelay(until); err != nil {
			q.abandon(r)
			return err
		}
	}
	for {
		select {
		case <-granted:
			return r.err
		case until := <-r.delays:
			if err := onDelay(until); err != nil {
				q.abandon(r)
				return err
			}
		case <-q.closed:
			q.abandon(r)
			return ErrClosed
		case <-ctx.Done():
			q.abandon(r)
			return ctx.Err()
		}
	}
}

// abandon removes a waiting request. If it has got a slot in the meantime, the next request
// gets the slot.
func (q *Queue) abandon(r *Request) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case r.err != nil:
	case r.ended:
		q.free++
		r.undo()
		q.dispatch()
	default:
		r.ended = true
		q.remove(r)
	}
}

// dispatch grants slots to all requests that are ready, and sets the timer for the next one.
func (q *Queue) dispatch() {
	if q.isClosed() {
		return
	}
	now, soonest := q.clock.Now(), monotime.Never
	for priority := range q.clients {
		for i := 0; i < len(q.clients[priority]) && q.free > 0; {
			clients := q.clients[priority]
			c := clients[i]
			r := c.next(now, &soonest)
			if r == nil {
				i++
				continue
			}
			clients = slices.Delete(clients, i, i+1)
			if len(c.flows) > 0 {
				clients = append(clients, c)
			}
			q.clients[priority] = clients
			q.grant(r, now)
		}
	}
	if q.free == 0 || soonest == monotime.Never || q.timer != nil && q.timerAt <= soonest && q.timerAt > now {
		return
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	q.timerAt = soonest
	q.timer = time.AfterFunc(soonest.Sub(now), func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.dispatch()
	})
}

func (q *Queue) grant(r *Request, now monotime.Time) {
	q.free--
	q.waiting--
	r.limits = r.flow.limits
	for _, l := range r.limits {
		l.take(now)
	}
	if l := externalOf(r.limits); l != nil {
		r.awaited = l
		l.pending++
	}
	r.ended, r.grantedAt = true, now
	if r.granted != nil {
		close(r.granted)
	}
}

// announce informs all requests that wait for a limit about the earliest time at which it
// permits one.
func (q *Queue) announce(l *Limit, until monotime.Time) {
	q.each(l, func(r *Request) { r.announce(until) })
}

// evict removes a waiting request, whose Acquire returns err.
func (q *Queue) evict(r *Request, err error) {
	q.remove(r)
	r.ended, r.err = true, err
	close(r.granted)
}

// makeRoom makes room for a request in a full queue: it evicts the last request of the client
// with the most requests, unless that is the request's own client. So one client cannot block
// the others. Urgent requests are not evicted.
func (q *Queue) makeRoom(r *Request) bool {
	own, most, largest := 0, 0, (*client)(nil)
	for _, clients := range q.clients[Normal:] {
		for _, c := range clients {
			n := c.size()
			if c.key == r.client {
				own += n
			}
			if n > most {
				most, largest = n, c
			}
		}
	}
	if largest == nil || largest.key == r.client || own+1 >= most {
		return false
	}
	longest := slices.MaxFunc(largest.flows, func(a, b *flow) int { return len(a.requests) - len(b.requests) })
	q.evict(longest.requests[len(longest.requests)-1], ErrFull)
	return true
}
