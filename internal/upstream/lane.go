package upstream

import "slices"

// A group is the clients whose calls take turns as one, and a flow is an operation
// within it. So a client that makes many operations, or a single one of many calls,
// delays others by one call at a time.
type group struct {
	key   any // of its sessions, see [Session.group]
	flows []*flow
}

func (g *group) size() (n int) {
	for _, f := range g.flows {
		n += len(f.tickets)
	}
	return n
}

// A flow holds the calls of one operation that wait for the same limits, first come,
// first served.
type flow struct {
	owner   any
	limits  limits
	tickets []*ticket
}

// A ticket is one call's place in the queue.
type ticket struct {
	queue    *queue
	group    any
	flow     *flow
	priority priority
	granted  chan struct{} // closed when the call may go, unless err is set
	news     chan tick     // how the time changed at which it may
	limits   limits        // those that it was granted under
	sent     tick
	err      error // why it will never go
	done     bool  // it was granted, or given up
	asks     bool  // it was granted and asks the shared limiter
}

func (q *queue) newTicket(group, owner any, ls limits, urgency priority) *ticket {
	return &ticket{
		queue: q, group: group, flow: &flow{owner: owner, limits: ls}, priority: urgency,
		granted: make(chan struct{}), news: make(chan tick, 1), limits: ls,
	}
}

// groupOf returns where in its ring a ticket's group is; -1 for nowhere.
func (q *queue) groupOf(t *ticket) int {
	return slices.IndexFunc(q.rings[t.priority], func(g *group) bool { return g.key == t.group })
}

// flowOf returns where in its group a ticket's flow is; -1 for nowhere.
func (g *group) flowOf(t *ticket) int {
	return slices.IndexFunc(g.flows, func(f *flow) bool { return f.owner == t.flow.owner && slices.Equal(f.limits, t.flow.limits) })
}

// add puts a ticket at the end of its operation's flow.
func (q *queue) add(t *ticket) {
	q.waiting++
	at := q.groupOf(t)
	if at < 0 {
		at = len(q.rings[t.priority])
		q.rings[t.priority] = append(q.rings[t.priority], &group{key: t.group})
	}
	g := q.rings[t.priority][at]
	if at := g.flowOf(t); at < 0 {
		g.flows = append(g.flows, t.flow)
	} else {
		t.flow = g.flows[at]
	}
	t.flow.tickets = append(t.flow.tickets, t)
}

// addFirst makes a ticket the next one to go of its priority.
func (q *queue) addFirst(t *ticket) {
	q.waiting++
	ring, g := q.rings[t.priority], &group{key: t.group}
	if at := q.groupOf(t); at >= 0 {
		g = ring[at]
		ring = slices.Delete(ring, at, at+1)
	}
	q.rings[t.priority] = slices.Insert(ring, 0, g)
	if at := g.flowOf(t); at >= 0 {
		t.flow = g.flows[at]
		g.flows = slices.Delete(g.flows, at, at+1)
	}
	g.flows = slices.Insert(g.flows, 0, t.flow)
	t.flow.tickets = slices.Insert(t.flow.tickets, 0, t)
}

// remove takes a ticket out that was not granted.
func (q *queue) remove(t *ticket) {
	q.waiting--
	t.flow.tickets = slices.DeleteFunc(t.flow.tickets, func(o *ticket) bool { return o == t })
	if len(t.flow.tickets) > 0 {
		return
	}
	at := q.groupOf(t)
	g := q.rings[t.priority][at]
	g.flows = slices.DeleteFunc(g.flows, func(f *flow) bool { return f == t.flow })
	if len(g.flows) == 0 {
		q.rings[t.priority] = slices.Delete(q.rings[t.priority], at, at+1)
	}
}

// next takes out the first ticket of a group that may go now, and puts its flow at
// the end of the group; nil if none may. soonest is lowered to the time at which one
// may.
func (g *group) next(now tick, soonest *tick) *ticket {
	for i, f := range g.flows {
		at, ok := f.limits.ready(now)
		if ok && at <= now {
			t := f.tickets[0]
			f.tickets = f.tickets[1:]
			g.flows = slices.Delete(g.flows, i, i+1)
			if len(f.tickets) > 0 {
				g.flows = append(g.flows, f)
			}
			return t
		}
		if ok {
			*soonest = min(*soonest, at)
		}
	}
	return nil
}

// ahead returns how many calls under a limiter go before a ticket, as far as is known:
// groups take turns, and so do the flows of its own group.
func (q *queue) ahead(t *ticket, l *limiter) int {
	place := slices.Index(t.flow.tickets, t)
	mine := place
	for _, g := range q.rings[t.priority] {
		if g.key == t.group {
			mine = g.under(l, t.flow, place)
		}
	}
	n := mine
	for urgency, ring := range q.rings[:t.priority+1] {
		for _, g := range ring {
			switch waits := g.under(l, nil, 1<<30); {
			case priority(urgency) < t.priority:
				n += waits
			case g.key != t.group:
				n += min(waits, mine+1)
			}
		}
	}
	return n
}

// under counts a group's tickets under a limiter, at most place+1 of each flow, and
// place of one's own.
func (g *group) under(l *limiter, own *flow, place int) (n int) {
	for _, f := range g.flows {
		switch {
		case !slices.Contains(f.limits, l):
		case f == own:
			n += place
		default:
			n += min(len(f.tickets), place+1)
		}
	}
	return n
}

// relimit replaces the limits of all calls that wait under a limiter first.
func (q *queue) relimit(own *limiter, ls limits) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, ring := range q.rings {
		for _, g := range ring {
			for _, f := range g.flows {
				if f.limits[0] == own {
					f.limits = ls
				}
			}
		}
	}
	q.dispatch()
}

// after returns when a ticket can go, as far as is known.
func (q *queue) after(t *ticket) tick {
	now := q.clock.now()
	at := now
	for _, l := range t.flow.limits {
		at = max(at, l.after(q.ahead(t, l), now))
	}
	return at
}

// each calls a function for all tickets that wait under a limiter. It may take its
// ticket out.
func (q *queue) each(l *limiter, do func(*ticket)) {
	for _, ring := range q.rings {
		for _, g := range slices.Clone(ring) {
			for _, f := range slices.Clone(g.flows) {
				if slices.Contains(f.limits, l) {
					for _, t := range slices.Clone(f.tickets) {
						do(t)
					}
				}
			}
		}
	}
}

// tell lets all who wait for a limiter know how long they will wait at least.
func (q *queue) tell(l *limiter, until tick) {
	q.each(l, func(t *ticket) { t.tell(until) })
}

func (t *ticket) tell(until tick) {
	select {
	case <-t.news:
	default:
	}
	t.news <- until // there is no other sender: the queue is locked
}

// evict ends a ticket's waiting with an error.
func (q *queue) evict(t *ticket, err error) {
	q.remove(t)
	t.done, t.err = true, err
	close(t.granted)
}

// makeRoom lets a ticket in to a full queue, in place of the last read of the group
// that has the most; false if that is the ticket's own group. So a crowd at one
// address does not keep others out.
func (q *queue) makeRoom(t *ticket) bool {
	own, most, largest := 0, 0, (*group)(nil)
	for _, ring := range q.rings[waited:] {
		for _, g := range ring {
			n := g.size()
			if g.key == t.group {
				own += n
			}
			if n > most {
				most, largest = n, g
			}
		}
	}
	if largest == nil || largest.key == t.group || own+1 >= most {
		return false
	}
	last := slices.MaxFunc(largest.flows, func(a, b *flow) int { return len(a.tickets) - len(b.tickets) })
	q.evict(last.tickets[len(last.tickets)-1], overloaded(queueRetry))
	return true
}
