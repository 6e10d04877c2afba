package upstream

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// A priority is whose turn it is when not all can go. Within one priority,
// operations take turns.
type priority uint8

const (
	urgent     priority = iota // writes: somebody has pressed a button
	waited                     // reads that an operation waits for
	background                 // reads that nobody waits for

	priorities int = iota
)

// patienceOfQueue is how many calls may wait per call that can be under way, or
// as many as one operation may make if that is more. Whoever comes after that
// would wait for longer than anybody waits.
const patienceOfQueue = 64

// queueRetry is when it is worth trying again after the queue was full.
const queueRetry = time.Second

// A queue lets calls go: a number at a time, within their rate limits, urgent ones
// first. Clients take turns, and so do the operations of one client: one that needs
// a hundred calls does not delay one that needs a single call. It is safe for
// concurrent use.
type queue struct {
	clock clock
	most  int // calls that may wait

	mu      sync.Mutex
	free    int // calls that may still go
	waiting int
	rings   [priorities][]*group // the next one is first
	timer   *time.Timer          // wakes the queue when a limiter is ready
	due     tick                 // when it does
	ended   chan struct{}        // closed when no call is let go any more
}

// errOverloaded is at the bottom of errors that say that this server, not
// Mixcloud, cannot take any more.
var errOverloaded = errors.New("overloaded")

// Overloaded reports whether err refuses an operation, or a part of it, for
// there being too many: 503 in the language of HTTP, with the wait that
// [gqlerr.Error] has.
func Overloaded(err error) bool { return errors.Is(err, errOverloaded) }

func overloaded(wait time.Duration) error {
	return &gqlerr.Error{
		Code: gqlerr.CodeRateLimited, Wait: wait, Err: errOverloaded,
		Message: "This server has more to do than it can. Try again in a moment.",
	}
}

func newQueue(c clock, concurrency, budget int) *queue {
	return &queue{clock: c, free: concurrency, most: max(concurrency*patienceOfQueue, budget), due: never, ended: make(chan struct{})}
}

// enter waits until the call may go. Hear is told when that will not be at
// once, and whenever it changes; its error ends the waiting, as ctx's end does.
// A ticket that was granted must be given back by leave.
func (q *queue) enter(ctx context.Context, t *ticket, hear func(until tick) error) error {
	q.mu.Lock()
	if q.waiting >= q.most && !q.makeRoom(t) {
		q.mu.Unlock()
		return overloaded(queueRetry)
	}
	q.add(t)
	q.mu.Unlock()
	return q.wait(ctx, t, hear)
}

// again is enter for a ticket that was granted, while a shared limiter wants no call
// for a while: it gives its place back for so long, and is the next one then.
func (q *queue) again(ctx context.Context, t *ticket, l *limiter, wait time.Duration, hear func(until tick) error) error {
	q.mu.Lock()
	q.putBack(t)
	l.hold(q.clock.now() + wait)
	q.tell(l, l.held)
	t.granted, t.done = make(chan struct{}), false
	q.addFirst(t)
	q.mu.Unlock()
	return q.wait(ctx, t, hear)
}

// drawn notes that the shared limiter has let a granted ticket pass.
func (q *queue) drawn(t *ticket, l *limiter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked(t)
	if l.window > 0 {
		l.window++
		q.dispatch()
	}
}

// asked notes that a ticket no longer asks the shared limiter.
func (q *queue) asked(t *ticket) {
	if t.asks {
		t.asks = false
		t.limits.ask(-1)
	}
}

// putBack takes back that a ticket was granted.
func (q *queue) putBack(t *ticket) {
	q.free++
	q.asked(t)
	t.limits.land()
	t.limits.untake()
}

// wait waits for a ticket that is in its flow.
func (q *queue) wait(ctx context.Context, t *ticket, hear func(until tick) error) error {
	q.mu.Lock()
	q.dispatch()
	granted, until := t.granted, tick(0)
	if !t.done {
		if at := q.after(t); at > q.clock.now() {
			until = at
		}
	}
	q.mu.Unlock()
	if until > 0 {
		if err := hear(until); err != nil {
			q.giveUp(t)
			return err
		}
	}
	for {
		select {
		case <-granted:
			return t.err
		case until := <-t.news:
			if err := hear(until); err != nil {
				q.giveUp(t)
				return err
			}
		case <-q.ended:
			q.giveUp(t)
			return context.Canceled
		case <-ctx.Done():
			q.giveUp(t)
			return ctx.Err()
		}
	}
}

// giveUp ends a ticket's waiting. If it was granted in the meantime, another one
// goes.
func (q *queue) giveUp(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case t.err != nil:
	case t.done:
		q.putBack(t)
		q.dispatch()
	default:
		t.done = true
		q.remove(t)
	}
}

// promote lets a ticket wait as an operation's that was nobody's before.
func (q *queue) promote(t *ticket, group, owner any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.priority <= waited {
		return
	}
	waits := !t.done && slices.Contains(t.flow.tickets, t)
	if waits {
		q.remove(t)
	}
	t.group, t.flow, t.priority = group, &flow{owner: owner, limits: t.flow.limits}, waited
	if !waits {
		return
	}
	q.add(t)
	q.dispatch()
	if !t.done { // what it was told is how long a background read takes
		t.tell(q.after(t))
	}
}

// dispatch grants all tickets that may go, and has itself called when the next one
// can.
func (q *queue) dispatch() {
	now := q.clock.now()
	soonest := never
	if q.isStopped() {
		return
	}
	for urgency := range q.rings {
		for i := 0; i < len(q.rings[urgency]) && q.free > 0; {
			ring := q.rings[urgency]
			g := ring[i]
			t := g.next(now, &soonest)
			if t == nil {
				i++
				continue
			}
			ring = slices.Delete(ring, i, i+1)
			if len(g.flows) > 0 {
				ring = append(ring, g)
			}
			q.rings[urgency] = ring
			q.grant(t, now)
		}
	}
	if q.free == 0 || soonest == never || q.timer != nil && q.due <= soonest && q.due > now {
		return
	}
	if q.timer != nil {
		q.timer.Stop()
	}
	q.due = soonest
	q.timer = time.AfterFunc(soonest-now, q.wake)
}

func (q *queue) grant(t *ticket, now tick) {
	q.free--
	q.waiting--
	ls := t.flow.limits
	t.limits = ls
	ls.take(now)
	if ls.shared() != nil {
		t.asks = true
		ls.ask(1)
	}
	t.done, t.sent = true, now
	close(t.granted)
}

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dispatch()
}

// stop grants no more tickets: those that wait end with context.Canceled.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isStopped() {
		close(q.ended)
	}
	if q.timer != nil {
		q.timer.Stop()
	}
}

// sharedLimit returns the limiter of a ticket that other processes share, and what
// they call it; nil if none is. A token that was just proven changes both.
func (q *queue) sharedLimit(t *ticket) (*limiter, SharedLimit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := t.limits.shared(); l != nil {
		return l, l.shared
	}
	return nil, SharedLimit{}
}

// ownLimit returns the limiter of a ticket's principal and kind of call.
func (q *queue) ownLimit(t *ticket) (own *limiter, limit SharedLimit, shared bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	own = t.limits[0]
	return own, own.shared, own.isShared
}

func (q *queue) isStopped() bool {
	select {
	case <-q.ended:
		return true
	default:
		return false
	}
}

// leave gives a place back and learns from how the call went. It returns the pause
// that a refusal has brought.
func (q *queue) leave(t *ticket, err error) (pause time.Duration) {
	q.mu.Lock()
	q.free++
	q.mu.Unlock()
	return q.learnLater(t, err)
}

// pass gives a place back at once; learnLater is told later how the call went.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	q.dispatch()
}

func (q *queue) learnLater(t *ticket, err error) (pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.asked(t)
	ls := t.limits
	ls.land()
	now, own := q.clock.now(), ls[0]
	refused, ok := errors.AsType[*mixcloud.Error](err)
	switch {
	case errors.Is(err, errNotMade):
		ls.untake()
	case ok && refused.Kind == mixcloud.ErrRateLimited:
		pause = own.refuse(refused, t.sent, now)
		q.tell(own, now+pause)
	case err == nil, ok && refused.Status > 0 && refused.Kind != mixcloud.ErrUnauthenticated:
		if own.unsure != nil {
			own.unsure.accepted.Store(true)
		}
	}
	q.dispatch()
	return pause
}

// hold blocks a limiter for as long as the one that processes share wants.
func (q *queue) hold(l *limiter, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.held = q.clock.now() + wait
	q.tell(l, l.held)
	q.dispatch()
}

// refuse ends the waiting of all calls under a viewer's own limiters.
func (q *queue) refuse(v *viewer, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, l := range v.limiters {
		if l != nil {
			q.each(l, func(t *ticket) { q.evict(t, err) })
		}
	}
}

// silence returns until when no call under some limits is made, if that is not now,
// and what Mixcloud said.
func (q *queue) silence(ls limits) (until tick, refusal *mixcloud.Error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.now()
	if until, closed := ls.closed(now); closed {
		return until, ls.tooLong(until, now)
	}
	return 0, nil
}

// tooLong is the error of a call that would go too late.
func (q *queue) tooLong(ls limits, until tick) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return ls.tooLong(until, q.clock.now())
}

func (q *queue) rateLimit(ls limits, c clock) (r RateLimit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := c.now()
	until, closed := ls.closed(now)
	if closed {
		when := c.at(until)
		r.RetryAt = &when
	}
	for _, l := range ls {
		ready := l.ready(now) // brings the tokens up to now
		if l.rate.Rate() == 0 {
			continue
		}
		budget, remaining := l.rate.Depth(), 0
		if ready == now && !closed {
			remaining = min(l.rate.Tokens(), budget)
		}
		if spent := budget - remaining; r.Remaining == nil || remaining < *r.Remaining {
			r.Budget, r.Spent, r.Remaining = &budget, &spent, &remaining
		}
	}
	if closed && r.Remaining == nil {
		r.Remaining = new(int)
	}
	return r
}
