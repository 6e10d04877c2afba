// Package clientlimit limits each client of a process: its concurrent requests, its
// requests per minute, and the calls to Mixcloud that its operations make per
// minute.
//
// The two rates are token buckets: an idle client may use the limit of a whole
// minute at once. Calls are charged when they are made, even if none are left,
// because a running operation is not interrupted: the debt delays the client's next
// operation.
//
// A client is identified by the name that the caller passes. At most [MaxClients]
// idle clients are stored, in addition to those with a request in flight; the one
// that was idle for the longest time is removed first. An attacker with that many
// addresses can reset limits, but cannot exhaust the memory.
package clientlimit

import (
	"container/list"
	"context"
	"sync"
	"time"

	"mixcloud-graphql/internal/ratelimit"
)

// MaxClients is the maximum number of idle clients that are stored.
const MaxClients = 10_000

// Limits are the limits of each client; 0 means no limit.
type Limits struct {
	Inflight int // concurrent requests
	Requests int // per minute
	Calls    int // to Mixcloud, per minute
}

// A Limiter enforces the limits of clients. It is safe for concurrent use.
type Limiter struct {
	limits Limits
	start  time.Time

	mu      sync.Mutex
	clients map[string]*client
	idle    list.List // of *client, the one idle for the longest time first
}

type client struct {
	name            string
	inflight        int
	requests, calls *ratelimit.Limiter // nil without a limit
	idleElement     *list.Element      // in Limiter.idle; nil with a request in flight
}

// New returns a limiter, or nil if there are no limits.
func New(l Limits) *Limiter {
	if l == (Limits{}) {
		return nil
	}
	return &Limiter{limits: l, start: time.Now(), clients: map[string]*client{}}
}

// A Refusal describes the limit that rejects a request.
type Refusal struct {
	Limit          string // the name of the flag
	Value, Maximum int
	Wait           time.Duration // until a request may succeed
}

// Admit starts a request of a client. If it is not refused, the caller must call
// [Request.Close] at its end.
func (l *Limiter) Admit(name string) (*Request, *Refusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	c := l.client(name, now)
	if limit := l.limits.Inflight; limit > 0 && c.inflight >= limit {
		return nil, &Refusal{"client-inflight", c.inflight + 1, limit, time.Second}
	}
	if c.calls != nil {
		if wait := c.calls.Ready(now); wait > 0 {
			return nil, &Refusal{"client-calls", c.calls.Used(), l.limits.Calls, wait}
		}
	}
	if c.requests != nil {
		if wait := c.requests.Take(now); wait > 0 {
			return nil, &Refusal{"client-requests", c.requests.Used() + 1, l.limits.Requests, wait}
		}
	}
	c.inflight++
	if c.idleElement != nil {
		l.idle.Remove(c.idleElement)
		c.idleElement = nil
	}
	return &Request{l, c}, nil
}

// client returns a client. If it is new, it is added and may replace an idle one.
func (l *Limiter) client(name string, now time.Duration) *client {
	if c := l.clients[name]; c != nil {
		if c.idleElement != nil {
			l.idle.MoveToBack(c.idleElement)
		}
		return c
	}
	if l.idle.Len() >= MaxClients {
		delete(l.clients, l.idle.Remove(l.idle.Front()).(*client).name)
	}
	c := &client{name: name, requests: perMinute(l.limits.Requests, now), calls: perMinute(l.limits.Calls, now)}
	c.idleElement = l.idle.PushBack(c)
	l.clients[name] = c
	return c
}

func perMinute(n int, now time.Duration) *ratelimit.Limiter {
	if n == 0 {
		return nil
	}
	return ratelimit.New(ratelimit.Limit{Rate: float64(n) / 60, Burst: n}, now)
}

func (l *Limiter) now() time.Duration { return time.Since(l.start) }

// A Request is a client's request in flight. All methods of a nil Request do
// nothing.
type Request struct {
	limiter *Limiter
	client  *client
}

// Call charges a call to Mixcloud to the client.
func (r *Request) Call() {
	if r == nil || r.client.calls == nil {
		return
	}
	r.limiter.mu.Lock()
	defer r.limiter.mu.Unlock()
	r.client.calls.Spend(r.limiter.now())
}

// Close ends the request. It must be called once.
func (r *Request) Close() {
	if r == nil {
		return
	}
	l := r.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.client.inflight--; r.client.inflight > 0 {
		return
	}
	if l.idle.Len() >= MaxClients {
		delete(l.clients, l.idle.Remove(l.idle.Front()).(*client).name)
	}
	r.client.idleElement = l.idle.PushBack(r.client)
}

type requestKey struct{}

// NewContext returns a context for an operation that belongs to a request.
func NewContext(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// FromContext returns the request of ctx's operation, or nil.
func FromContext(ctx context.Context) *Request {
	r, _ := ctx.Value(requestKey{}).(*Request)
	return r
}
