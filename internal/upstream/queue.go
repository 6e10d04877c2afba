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

// A queue lets calls go: so many at a time, as fast as their pace, the urgent
// ones first, and one from each operation in turn, so that an operation that
// needs a hundred calls does not hold up one that needs a single one. It is safe
// for concurrent use.
type queue struct {
	clock  clock
	most   int  // calls that may wait
	shared bool // whoever is let go asks a pace that processes share, see drawn

	mu      sync.Mutex
	free    int // calls that may still go
	waiting int
	rings   [priorities][]*lane // those whose turn is next are first
	timer   *time.Timer         // wakes the queue when a pace is ready
	due     tick                // when it does
	ended   chan struct{}       // closed when nobody is let go any more
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
	if q.waiting >= q.most {
		q.mu.Unlock()
		return overloaded(time.Second)
	}
	q.add(t)
	q.mu.Unlock()
	return q.wait(ctx, t, hear)
}

// again is enter for a ticket that was granted, while the shared pace wants none
// for a while: it gives its place back for so long, and is the next one then.
func (q *queue) again(ctx context.Context, t *ticket, wait time.Duration, hear func(until tick) error) error {
	q.mu.Lock()
	p := t.lane.pace
	q.putBack(p)
	p.hold(q.clock.now() + wait)
	q.tell(p, p.held)
	t.granted, t.done = make(chan struct{}), false
	q.addFirst(t)
	q.mu.Unlock()
	return q.wait(ctx, t, hear)
}

// drawn tells that the shared pace has let a granted ticket pass.
func (q *queue) drawn(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	p := t.lane.pace
	p.asking--
	if p.window > 0 {
		p.window++
		q.dispatch()
	}
}

// putBack takes back that a call of a pace was let go.
func (q *queue) putBack(p *pace) {
	q.free++
	p.untake()
	if q.shared {
		p.asking--
	}
}

// wait waits for a ticket that is in its lane.
func (q *queue) wait(ctx context.Context, t *ticket, hear func(until tick) error) error {
	q.mu.Lock()
	q.dispatch()
	granted, until := t.granted, tick(0)
	if !t.done {
		now := q.clock.now()
		if at := t.lane.pace.after(q.ahead(t), now); at > now {
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
			return nil
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

// giveUp ends a ticket's waiting. If it was granted in the meantime, somebody
// else goes.
func (q *queue) giveUp(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.done {
		q.putBack(t.lane.pace)
		q.dispatch()
		return
	}
	t.done = true
	q.remove(t)
}

// promote lets a ticket wait as an operation's that was nobody's before.
func (q *queue) promote(t *ticket, owner any) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.priority <= waited {
		return
	}
	waits := !t.done && slices.Contains(t.lane.tickets, t)
	if waits {
		q.remove(t)
	}
	t.lane, t.priority = &lane{owner: owner, pace: t.lane.pace}, waited
	if !waits {
		return
	}
	q.add(t)
	q.dispatch()
	if !t.done { // what it was told is how long it takes for what nobody waits for
		t.tell(t.lane.pace.after(q.ahead(t), q.clock.now()))
	}
}

// dispatch lets go whoever may, and sees to it that it is called again when the
// next one can.
func (q *queue) dispatch() {
	now := q.clock.now()
	soonest := tick(never)
	if q.isStopped() {
		return
	}
	for urgency := range q.rings {
		for i := 0; i < len(q.rings[urgency]) && q.free > 0; {
			ring := q.rings[urgency]
			l := ring[i]
			if q.shared && l.pace.window > 0 && l.pace.asking >= l.pace.window {
				i++ // drawn or again goes on
				continue
			}
			if at := l.pace.ready(now); at > now {
				soonest = min(soonest, at)
				i++
				continue
			}
			l.pace.take()
			if q.shared {
				l.pace.asking++
			}
			t := l.tickets[0]
			l.tickets = l.tickets[1:]
			q.free--
			q.waiting--
			t.done, t.sent = true, now
			close(t.granted)
			ring = slices.Delete(ring, i, i+1)
			if len(l.tickets) > 0 {
				ring = append(ring, l)
			}
			q.rings[urgency] = ring
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

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dispatch()
}

// stop lets nobody go any more: who waits is told that the store is closed.
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

func (q *queue) isStopped() bool {
	select {
	case <-q.ended:
		return true
	default:
		return false
	}
}

// leave gives back a place and learns from how the call went. It tells how long
// the pause is that it brought, if it did.
func (q *queue) leave(t *ticket, err error) (pause time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	pause = q.learn(t.lane.pace, t.sent, err)
	q.dispatch()
	return pause
}

// pass gives back a place at once; learn is told later.
func (q *queue) pass() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free++
	q.dispatch()
}

func (q *queue) learnLater(p *pace, sent tick, err error) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	pause := q.learn(p, sent, err)
	q.dispatch()
	return pause
}

func (q *queue) learn(p *pace, sent tick, err error) (pause time.Duration) {
	now := q.clock.now()
	refused, ok := errors.AsType[*mixcloud.Error](err)
	switch {
	case err == nil, ok && refused.Kind != mixcloud.ErrRateLimited && refused.Status > 0:
		p.answer(sent, now)
	case ok && refused.Kind == mixcloud.ErrRateLimited:
		pause = p.refuse(refused, sent, now)
		q.tell(p, p.silent)
	}
	return pause
}

// silence tells until when no call of a pace is made, if that is not now, and
// what Mixcloud said.
func (q *queue) silence(p *pace) (until tick, refusal *mixcloud.Error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.clock.now()
	if until, closed := p.closed(now); closed {
		return until, p.limitedError(until, now)
	}
	return 0, nil
}

// tooLong is the error of a call of a pace that would go too late.
func (q *queue) tooLong(p *pace, until tick) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return p.limitedError(until, q.clock.now())
}

func (q *queue) rateLimit(p *pace, c clock) (r RateLimit) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := c.now()
	at := p.ready(now)
	if until, closed := p.closed(now); closed {
		when := c.at(until)
		r.RetryAt, at = &when, until
	}
	remaining := 0
	if p.rate == 0 {
		if r.RetryAt != nil {
			r.Remaining = &remaining
		}
		return r
	}
	budget := int(p.depth())
	if at == now {
		remaining = min(max(int(p.tokens+1e-9), 0), budget)
	}
	spent := budget - remaining
	r.Budget, r.Spent, r.Remaining = &budget, &spent, &remaining
	return r
}
