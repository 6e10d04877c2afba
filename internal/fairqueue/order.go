package fairqueue

import (
	"slices"

	"mixcloud-graphql/internal/monotime"
)

// A client contains the flows of one client with the same priority.
type client struct {
	key   any
	flows []*flow // the next one first
}

// A flow is a FIFO queue of requests of one client that wait for the same limits.
type flow struct {
	key      any
	limits   []*Limit
	requests []*Request
}

func (c *client) size() (n int) {
	for _, f := range c.flows {
		n += len(f.requests)
	}
	return n
}

// flowOf returns the index of a request's flow, or -1.
func (c *client) flowOf(r *Request) int {
	return slices.IndexFunc(c.flows, func(f *flow) bool { return f.key == r.flow.key && slices.Equal(f.limits, r.flow.limits) })
}

// clientOf returns the index of a request's client within its priority, or -1.
func (q *Queue) clientOf(r *Request) int {
	return slices.IndexFunc(q.clients[r.priority], func(c *client) bool { return c.key == r.client })
}

// add appends a request to its flow.
func (q *Queue) add(r *Request) {
	q.waiting++
	at := q.clientOf(r)
	if at < 0 {
		at = len(q.clients[r.priority])
		q.clients[r.priority] = append(q.clients[r.priority], &client{key: r.client})
	}
	c := q.clients[r.priority][at]
	if at := c.flowOf(r); at < 0 {
		c.flows = append(c.flows, r.flow)
	} else {
		r.flow = c.flows[at]
	}
	r.flow.requests = append(r.flow.requests, r)
}

// addFirst inserts a request as the next one of its priority.
func (q *Queue) addFirst(r *Request) {
	q.waiting++
	clients, c := q.clients[r.priority], &client{key: r.client}
	if at := q.clientOf(r); at >= 0 {
		c = clients[at]
		clients = slices.Delete(clients, at, at+1)
	}
	q.clients[r.priority] = slices.Insert(clients, 0, c)
	if at := c.flowOf(r); at >= 0 {
		r.flow = c.flows[at]
		c.flows = slices.Delete(c.flows, at, at+1)
	}
	c.flows = slices.Insert(c.flows, 0, r.flow)
	r.flow.requests = slices.Insert(r.flow.requests, 0, r)
}

// remove removes a waiting request.
func (q *Queue) remove(r *Request) {
	q.waiting--
	r.flow.requests = slices.DeleteFunc(r.flow.requests, func(o *Request) bool { return o == r })
	if len(r.flow.requests) > 0 {
		return
	}
	at := q.clientOf(r)
	c := q.clients[r.priority][at]
	c.flows = slices.DeleteFunc(c.flows, func(f *flow) bool { return f == r.flow })
	if len(c.flows) == 0 {
		q.clients[r.priority] = slices.Delete(q.clients[r.priority], at, at+1)
	}
}

// next removes and returns the first request of a client that is ready, and moves its flow to
// the end. If there is no such request, it returns nil and lowers soonest to the time at which
// one is ready.
func (c *client) next(now monotime.Time, soonest *monotime.Time) *Request {
	for i, f := range c.flows {
		at, ok := ready(f.limits, now)
		if ok && at <= now {
			r := f.requests[0]
			f.requests = f.requests[1:]
			c.flows = slices.Delete(c.flows, i, i+1)
			if len(f.requests) > 0 {
				c.flows = append(c.flows, f)
			}
			return r
		}
		if ok {
			*soonest = min(*soonest, at)
		}
	}
	return nil
}

// estimate returns the expected time at which a request gets a slot.
func (q *Queue) estimate(r *Request) monotime.Time {
	now := q.clock.Now()
	at := now
	for _, l := range r.flow.limits {
		at = max(at, l.after(q.ahead(r, l), now))
	}
	return at
}

// ahead returns the expected number of requests under a limit that go before a request:
// clients take turns, and so do the flows of the request's client.
func (q *Queue) ahead(r *Request, l *Limit) int {
	index := slices.Index(r.flow.requests, r)
	same := index // requests of the same client
	for _, c := range q.clients[r.priority] {
		if c.key == r.client {
			same = c.countAhead(l, r.flow, index)
		}
	}
	n := same
	for priority, clients := range q.clients[:r.priority+1] {
		for _, c := range clients {
			switch waiting := c.countAhead(l, nil, 1<<30); {
			case priority < int(r.priority):
				n += waiting
			case c.key != r.client:
				n += min(waiting, same+1)
			}
		}
	}
	return n
}

// countAhead returns how many of the client's queued requests that use limit l precede
// own.requests[index]: index requests of the same flow, and up to index+1 of each other flow,
// because flows take turns. own is nil for a request of another client.
func (c *client) countAhead(l *Limit, own *flow, index int) (n int) {
	for _, f := range c.flows {
		switch {
		case !slices.Contains(f.limits, l):
		case f == own:
			n += index
		default:
			n += min(len(f.requests), index+1)
		}
	}
	return n
}

// each calls do for each request that waits for a limit. do may remove the request.
func (q *Queue) each(l *Limit, do func(*Request)) {
	for _, clients := range q.clients {
		for _, c := range slices.Clone(clients) {
			for _, f := range slices.Clone(c.flows) {
				if slices.Contains(f.limits, l) {
					for _, r := range slices.Clone(f.requests) {
						do(r)
					}
				}
			}
		}
	}
}
