package upstream

import "slices"

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

func (q *queue) newTicket(owner any, p *pace, urgency priority) *ticket {
	return &ticket{
		queue: q, lane: &lane{owner: owner, pace: p}, priority: urgency,
		granted: make(chan struct{}), news: make(chan tick, 1),
	}
}

// add puts a ticket at the end of its operation's lane.
func (q *queue) add(t *ticket) {
	if at := q.laneOf(t); at < 0 {
		q.rings[t.priority] = append(q.rings[t.priority], t.lane)
	} else {
		t.lane = q.rings[t.priority][at]
	}
	t.lane.tickets = append(t.lane.tickets, t)
	q.waiting++
}

// addFirst makes a ticket the next one to go of its priority.
func (q *queue) addFirst(t *ticket) {
	ring := q.rings[t.priority]
	if at := q.laneOf(t); at >= 0 {
		t.lane = ring[at]
		ring = slices.Delete(ring, at, at+1)
	}
	t.lane.tickets = slices.Insert(t.lane.tickets, 0, t)
	q.rings[t.priority] = slices.Insert(ring, 0, t.lane)
	q.waiting++
}

// laneOf is where in its ring a ticket's lane is; -1 for nowhere.
func (q *queue) laneOf(t *ticket) int {
	return slices.IndexFunc(q.rings[t.priority], func(l *lane) bool { return l.owner == t.lane.owner && l.pace == t.lane.pace })
}

// remove takes a ticket out that was not granted.
func (q *queue) remove(t *ticket) {
	t.lane.tickets = slices.DeleteFunc(t.lane.tickets, func(o *ticket) bool { return o == t })
	q.waiting--
	if len(t.lane.tickets) == 0 {
		q.rings[t.priority] = slices.DeleteFunc(q.rings[t.priority], func(l *lane) bool { return l == t.lane })
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

// tell lets all who wait for a pace know how long they will wait at least.
func (q *queue) tell(p *pace, until tick) {
	for _, ring := range q.rings {
		for _, l := range ring {
			if l.pace != p {
				continue
			}
			for _, t := range l.tickets {
				t.tell(until)
			}
		}
	}
}

func (t *ticket) tell(until tick) {
	select {
	case <-t.news:
	default:
	}
	t.news <- until // nobody else sends: the queue is locked
}
