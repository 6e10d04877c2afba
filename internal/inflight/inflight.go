// Package inflight shares one call among all callers that want its result (single flight).
//
// A [Call] lives apart from those who wait for it: one that leaves does not fail the
// others. It goes through these states:
//
//	queued   → started   Start: it is made, and runs to its end for the cache
//	queued   → dropped   the last waiter left, or Drop: it is not made
//	started  → queued    Fail: it may be made again
//	any      → finished  Finish: its result is there
//
// A call in the background begins without a waiter and is not dropped for having none.
// Those who wait see what delays a call ([Delay]), so that each can decide on its own
// whether to wait for it.
package inflight

import (
	"context"
	"sync"

	"mixcloud-graphql/internal/monotime"
)

// A Delay is why a call takes longer.
type Delay struct {
	Until   monotime.Time // before when it is not made; 0 if that is not known
	Err     error         // of the last attempt, or nil
	TooLong func() error  // returns the error of a waiter who cannot wait until then
}

// Cause returns the error of a waiter who does not wait for the end of the delay.
func (d *Delay) Cause() error {
	if d.Err != nil || d.TooLong == nil {
		return d.Err
	}
	return d.TooLong()
}

// A Call is one call, for all who wait for its result. It is safe for concurrent use.
type Call struct {
	ctx        context.Context //nolint:containedctx // the call's own life, which no waiter's context has
	cancel     context.CancelFunc
	background bool
	done       chan struct{}

	mu               sync.Mutex
	waiters          int
	started, dropped bool
	delay            *Delay
	changed          chan struct{} // closed when delay changes
}

// Init makes a call with one waiter, or with none if it is made in the background. ctx
// ends the call.
func (c *Call) Init(ctx context.Context, background bool) {
	c.ctx, c.cancel = context.WithCancel(ctx)
	c.background = background
	c.done, c.changed = make(chan struct{}), make(chan struct{})
	if !background {
		c.waiters = 1
	}
}

// Context returns the context of the call, which ends when it is dropped or finished.
func (c *Call) Context() context.Context { return c.ctx }

// Background reports whether the call began without a waiter.
func (c *Call) Background() bool { return c.background }

// Join adds a waiter. It returns false if the call was dropped.
func (c *Call) Join() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dropped {
		return false
	}
	c.waiters++
	return true
}

// CancelWait takes a waiter away.
func (c *Call) CancelWait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters--
	c.dropIfAlone()
}

// dropIfAlone drops the call if it has no waiter and is not being made.
func (c *Call) dropIfAlone() {
	if c.waiters == 0 && !c.started && !c.background {
		c.drop()
	}
}

func (c *Call) drop() {
	c.dropped = true
	c.cancel()
}

// Cancel ends the call's context: the call fails, unless it ends before.
func (c *Call) Cancel() { c.cancel() }

// Drop drops the call, also one in the background, if it has no waiter and is not
// being made.
func (c *Call) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.waiters == 0 && !c.started {
		c.drop()
	}
}

// Awaited reports whether the call has a waiter.
func (c *Call) Awaited() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiters > 0
}

// Start reports whether the call is to be made now: if it was not dropped. Its delay is
// over.
func (c *Call) Start() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = !c.dropped
	c.delay = nil
	return c.started
}

// Fail ends an attempt after which another one may be made, with a delay.
func (c *Call) Fail(d *Delay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = false
	c.dropIfAlone()
	c.setDelay(d)
}

// SetDelay reports to all waiters what delays the call. The error of an earlier attempt
// stays.
func (c *Call) SetDelay(d *Delay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.setDelay(d)
}

func (c *Call) setDelay(d *Delay) {
	if d.Err == nil && c.delay != nil {
		d.Err = c.delay.Err
	}
	c.delay = d
	close(c.changed)
	c.changed = make(chan struct{})
}

// Delay returns what delays the call, nil for nothing, and a channel that is closed when
// that changes.
func (c *Call) Delay() (*Delay, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.delay, c.changed
}

// Done returns a channel that is closed when the call is finished.
func (c *Call) Done() <-chan struct{} { return c.done }

// Finished reports whether the call is finished.
func (c *Call) Finished() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// Finish wakes all who wait: the result is there. It is called once.
func (c *Call) Finish() {
	close(c.done)
	c.cancel()
}

func (c *Call) isDropped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// A Group has the calls in flight, at most one for each key. C is a pointer to a type
// that embeds [Call]. The zero Group is ready. It is safe for concurrent use.
type Group[K comparable, C interface {
	comparable
	isDropped() bool
}] struct {
	mu     sync.Mutex
	calls  map[K]C
	closed bool
}

// Find returns the call that is in flight for a key.
func (g *Group[K, C]) Find(k K) (c C, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, ok = g.calls[k]
	return c, ok
}

// Start returns the call that is in flight for a key. If there is none, or it was
// dropped, it adds the one that begin returns, and began is true. ok is false if the
// group is closed.
func (g *Group[K, C]) Start(k K, begin func() C) (c C, began, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if known, found := g.calls[k]; found && !known.isDropped() {
		return known, false, true
	}
	if g.closed {
		return c, false, false
	}
	if g.calls == nil {
		g.calls = map[K]C{}
	}
	c = begin()
	g.calls[k] = c
	return c, true, true
}

// End removes a call, unless another one has taken its place.
func (g *Group[K, C]) End(k K, c C) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls[k] == c {
		delete(g.calls, k)
	}
}

// Close lets no more calls begin.
func (g *Group[K, C]) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

// Len returns the number of calls in flight.
func (g *Group[K, C]) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}
