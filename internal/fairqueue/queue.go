// Package fairqueue decides which request may go next when not all can.
//
// A [Queue] has a number of slots. A [Request] waits in [Queue.Acquire] until a slot
// is free and all of its rate limits ([Limit]) let it go, and gives the slot back
// when it ends. Requests go by [Priority]. Within one priority clients take turns,
// then the flows of a client, and a flow is first come, first served: a flow of a
// hundred requests delays the single request of another flow by one turn.
//
// A request is in one of three states: it waits, it was granted a slot, or it has
// ended. A granted request of a limit that is shared with other processes asks that
// limit too, see [External]; told to wait it is requeued: it gives its slot back and
// is the next of its priority to go. A request that waits learns how long it will
// take, whenever that changes, so that its caller can give up at once.
package fairqueue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mixcloud-graphql/internal/monotime"
)

// A Priority says which requests go first.
type Priority uint8

// The priorities, the most urgent one first.
const (
	Urgent     Priority = iota
	Normal              // a caller waits for the result
	Background          // no caller waits for the result

	priorities = iota
)

// Errors of requests that are not let go.
var (
	// ErrFull is returned if too many requests wait.
	ErrFull = errors.New("fairqueue: too many requests wait")
	// ErrClosed is returned by a closed queue.
	ErrClosed = errors.New("fairqueue: closed")
)

// A Queue lets requests go in a fair order. It is safe for concurrent use.
type Queue struct {
	clock      monotime.Clock
	maxWaiting int

	mu      sync.Mutex
	free    int                   // slots
	waiting int                   // requests
	clients [priorities][]*client // the next one is first
	timer   *time.Timer           // dispatches when a limit is ready
	timerAt monotime.Time
	closed  chan struct{} // closed by Close
}

// New returns a queue with a number of slots, in which at most maxWaiting requests
// wait.
func New(clock monotime.Clock, slots, maxWaiting int) *Queue {
	return &Queue{clock: clock, maxWaiting: maxWaiting, free: slots, timerAt: monotime.Never, closed: make(chan struct{})}
}

// Close ends all waiting with ErrClosed. Requests that have a slot keep it.
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

// Load returns how many slots are free and how many requests wait.
func (q *Queue) Load() (free, waiting int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.free, q.waiting
}

// Acquire waits until a request may go. onDelay is called with the time before which
// it cannot go if that is not now, and again when that changes; its error ends the
// waiting and is returned. Other errors are ErrFull, ErrClosed and that of ctx.
//
// If Acquire returns nil the request has a slot: then one of its methods Done, Refused
// and Cancel must be called. A request acquires a slot once.
func (q *Queue) Acquire(ctx context.Context, r *Request, onDelay func(until monotime.Time) error) error {
	q.mu.Lock()
	if q.waiting >= q.maxWaiting && !q.makeRoom(r) {
		q.mu.Unlock()
		return ErrFull
	}
	q.add(r)
	q.mu.Unlock()
	for {
		if err := q.wait(ctx, r, onDelay); err != nil {
			return err
		}
		limit, external := r.external()
		if external == nil {
			return nil
		}
		delay := external.Take(ctx)
		if delay <= 0 {
			q.passed(r, limit)
			return nil
		}
		q.requeue(r, limit, delay)
	}
}

// requeue makes a granted request wait again, because an external limit wants no
// request for a while. It is the first to go after that.
func (q *Queue) requeue(r *Request, l *Limit, delay time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	r.undo()
	l.hold(q.clock.Now().Add(delay))
	q.announce(l, l.heldUntil)
	r.granted, r.ended = make(chan struct{}), false
	q.addFirst(r)
}

// passed records that an external limit has let a request pass.
func (q *Queue) passed(r *Request, l *Limit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.asked()
	if l.window > 0 {
		l.window++
		q.dispatch()
	}
}

// wait waits for the slot of a request that is in its flow.
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
			q.giveUp(r)
			return err
		}
	}
	for {
		select {
		case <-granted:
			return r.err
		case until := <-r.delays:
			if err := onDelay(until); err != nil {
				q.giveUp(r)
				return err
			}
		case <-q.closed:
			q.giveUp(r)
			return ErrClosed
		case <-ctx.Done():
			q.giveUp(r)
			return ctx.Err()
		}
	}
}

// giveUp ends the waiting of a request. If it was granted a slot meanwhile, the next
// one gets it.
func (q *Queue) giveUp(r *Request) {
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

// dispatch grants slots to all requests that may go, and sets the timer for the next
// one.
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
		r.asking = l
		l.asking++
	}
	r.ended, r.grantedAt = true, now
	close(r.granted)
}

// announce reports to all requests that wait for a limit how long they wait at least.
func (q *Queue) announce(l *Limit, until monotime.Time) {
	q.each(l, func(r *Request) { r.announce(until) })
}

// evict ends the waiting of a request with an error.
func (q *Queue) evict(r *Request, err error) {
	q.remove(r)
	r.ended, r.err = true, err
	close(r.granted)
}

// makeRoom lets a request in to a full queue, in place of the last one of the client
// that has the most, unless that is its own client. So a crowd of one client's
// requests does not keep other clients out. Urgent requests keep their place.
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
