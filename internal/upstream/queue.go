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
	clock clock
	most  int // calls that may wait

	mu      sync.Mutex
	free    int // calls that may still go
	waiting int
	rings   [priorities][]*lane // those whose turn is next are first
	timer   *time.Timer         // wakes the queue when a pace is ready
	due     tick                // when it does
	stopped bool
}

// A lane holds the calls of one operation that wait, first come, first served.
// They all have one pace: an operation acts for one audience.
type lane struct {
	owner   any
	pace    *pace
	tickets []*ticket
}

// A ticket is one call's place.
type ticket struct {
	queue    *queue
	lane     *lane
	priority priority
	granted  chan struct{} // closed when the call may go
	news     chan tick     // how the time changed at which it may
	sent     tick
	done     bool // it was granted, or given up
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
	return &queue{clock: c, free: concurrency, most: max(concurrency*patienceOfQueue, budget), due: never}
}

// enter waits until the call may go. Hear is told when that will not be at
// once, and whenever it changes; its error ends the waiting, as ctx's end does.
// A ticket that was granted must be given back by leave.
func (q *queue) enter(ctx context.Context, t *ticket, hear func(until tick) error) error {
	q.mu.Lock()
	if q.stopped {
		q.mu.Unlock()
		return context.Canceled
	}
	if q.waiting >= q.most {
		q.mu.Unlock()
		return overloaded(time.Second)
	}
	q.add(t)
	q.dispatch()
	var until tick
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
		case <-t.granted:
			return nil
		case until := <-t.news:
			if err := hear(until); err != nil {
				q.giveUp(t)
				return err
			}
		case <-ctx.Done():
			q.giveUp(t)
			return ctx.Err()
		}
	}
}

func (q *queue) newTicket(owner any, p *pace, urgency priority) *ticket {
	return &ticket{
		queue: q, lane: &lane{owner: owner, pace: p}, priority: urgency,
		granted: make(chan struct{}), news: make(chan tick, 1),
	}
}

// add puts a ticket at the end of its operation's lane.
func (q *queue) add(t *ticket) {
	ring := q.rings[t.priority]
	at := slices.IndexFunc(ring, func(l *lane) bool { return l.owner == t.lane.owner && l.pace == t.lane.pace })
	if at < 0 {
		q.rings[t.priority] = append(ring, t.lane)
	} else {
		t.lane = ring[at]
	}
	t.lane.tickets = append(t.lane.tickets, t)
	q.waiting++
}

// remove takes a ticket out that was not granted.
func (q *queue) remove(t *ticket) {
	t.lane.tickets = slices.DeleteFunc(t.lane.tickets, func(o *ticket) bool { return o == t })
	q.waiting--
	if len(t.lane.tickets) == 0 {
		q.rings[t.priority] = slices.DeleteFunc(q.rings[t.priority], func(l *lane) bool { return l == t.lane })
	}
}

// giveUp ends a ticket's waiting. If it was granted in the meantime, somebody
// else goes.
func (q *queue) giveUp(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.done {
		q.free++
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
	if t.done || t.priority <= waited {
		return
	}
	waits := len(t.lane.tickets) > 0 && slices.Contains(t.lane.tickets, t)
	if waits {
		q.remove(t)
	}
	t.lane, t.priority = &lane{owner: owner, pace: t.lane.pace}, waited
	if waits {
		q.add(t)
		q.dispatch()
	}
}

// dispatch lets go whoever may, and sees to it that it is called again when the
// next one can.
func (q *queue) dispatch() {
	now := q.clock.now()
	soonest := tick(never)
	for urgency := range q.rings {
		for i := 0; i < len(q.rings[urgency]) && q.free > 0; {
			ring := q.rings[urgency]
			l := ring[i]
			if at := l.pace.ready(now); at > now {
				soonest = min(soonest, at)
				i++
				continue
			}
			l.pace.take()
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
	if q.free == 0 || soonest == never || q.stopped || q.timer != nil && q.due <= soonest && q.due > now {
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

// stop ends the queue's own timer; nobody may enter any more.
func (q *queue) stop() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.stopped = true
	if q.timer != nil {
		q.timer.Stop()
	}
}

// ahead is how many of a pace go before a ticket, as far as can be told.
func (q *queue) ahead(t *ticket) int {
	place := slices.Index(t.lane.tickets, t)
	n := 0
	for urgency := range q.rings[:t.priority+1] {
		for _, l := range q.rings[urgency] {
			switch {
			case l.pace != t.lane.pace:
			case l == t.lane:
				n += place
			case priority(urgency) < t.priority:
				n += len(l.tickets)
			default:
				n += min(len(l.tickets), place+1)
			}
		}
	}
	return n
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
		for _, ring := range q.rings {
			for _, l := range ring {
				if l.pace == p {
					l.tell(p.silent)
				}
			}
		}
	}
	return pause
}

// tell lets all of a lane know how long they will wait at least.
func (l *lane) tell(until tick) {
	for _, t := range l.tickets {
		select {
		case <-t.news:
		default:
		}
		t.news <- until // nobody else sends: the queue is locked
	}
}

// silence tells until when no call of a pace is made, if that is not now, and
// what Mixcloud said.
func (q *queue) silence(p *pace) (until tick, refusal *mixcloud.Error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if now := q.clock.now(); now < p.silent {
		return p.silent, p.limitedError(p.silent, now)
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
	if now < p.silent {
		when := c.at(p.silent)
		r.RetryAt = &when
		at = p.silent
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
