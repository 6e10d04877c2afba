// Package inflight shares one call among all callers that need its result (request coalescing).
//
// The lifetime of a [Call] does not depend on a single waiter: if one leaves, the others still
// get the result. Its states are:
//
//	queued   → started   Start: the call is made, and runs to completion for the cache
//	queued   → dropped   the last waiter left, or Drop: the call is not made
//	started  → queued    Fail: the call may be retried
//	any      → finished  Finish: the result is available
//
// A background call starts without a waiter, and is not dropped for lack of waiters. A [Delay]
// contains the cause and the end of a delay, so that each waiter can decide whether to wait.
package inflight

import (
	"context"
	"maps"
	"slices"
	"sync"

	"mixcloud-graphql/internal/monotime"
)

// A Delay describes why a call is delayed.
type Delay struct {
	Until   monotime.Time // earliest time of the call; 0 if unknown
	Err     error         // error of the last attempt, or nil
	TooLong func() error  // returns the error for a waiter that cannot wait until then
}

// Cause returns the error for a waiter that does not wait for the end of the delay.
func (d *Delay) Cause() error {
	if d.Err != nil || d.TooLong == nil {
		return d.Err
	}
	return d.TooLong()
}

// A Call is one call, which several waiters share. It is safe for concurrent use.
type Call struct {
	ctx        context.Context //nolint:containedctx // the call can outlive the contexts of its waiters
	cancel     context.CancelFunc
	background bool
	done       chan struct{}

	mu               sync.Mutex
	waiters          int
	started, dropped bool
	delay            *Delay
	changed          chan struct{} // closed when delay changes
}

// Init initializes a call with one waiter, or with none for a background call. The call is
// canceled when ctx ends.
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

// Background reports whether the call started without a waiter.
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

// CancelWait removes a waiter.
func (c *Call) CancelWait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.waiters--
	c.dropIfUnused()
}

// dropIfUnused drops the call if it has no waiter and was not started.
func (c *Call) dropIfUnused() {
	if c.waiters == 0 && !c.started && !c.background {
		c.drop()
	}
}

func (c *Call) drop() {
	c.dropped = true
	c.cancel()
}

// Cancel cancels the call's context, so that the call fails unless it completes first.
func (c *Call) Cancel() { c.cancel() }

// Drop drops the call if it has no waiter and was not started. Unlike CancelWait, it also drops
// background calls.
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

// Start starts an attempt and clears the delay. It returns false if the call was dropped.
func (c *Call) Start() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = !c.dropped
	c.delay = nil
	return c.started
}

// Fail ends an attempt that may be retried, after a delay.
func (c *Call) Fail(d *Delay) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started = false
	c.dropIfUnused()
	c.setDelay(d)
}

// SetDelay informs all waiters that the call is delayed. If d has no error, the error of an
// earlier attempt remains.
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

// Delay returns the current delay, or nil, and a channel that is closed when it changes.
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

// Finish wakes all waiters, because the result is available. It must be called once.
func (c *Call) Finish() {
	close(c.done)
	c.cancel()
}

func (c *Call) isDropped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dropped
}

// A Group contains the calls in flight, at most one for each key. C is a pointer to a type that
// embeds [Call]. Its zero value is ready to use. It is safe for concurrent use.
type Group[K comparable, C interface {
	comparable
	isDropped() bool
}] struct {
	mu     sync.Mutex
	calls  map[K]C
	closed bool
}

// Find returns the call in flight for a key.
func (g *Group[K, C]) Find(k K) (c C, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c, ok = g.calls[k]
	return c, ok
}

// Start returns the call in flight for a key. If there is none, or it was dropped, Start adds
// the call that create returns, and created is true. ok is false if the group is closed.
func (g *Group[K, C]) Start(k K, create func() C) (c C, created, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if existing, found := g.calls[k]; found && !existing.isDropped() {
		return existing, false, true
	}
	if g.closed {
		return c, false, false
	}
	if g.calls == nil {
		g.calls = map[K]C{}
	}
	c = create()
	g.calls[k] = c
	return c, true, true
}

// End removes a call, unless it was replaced.
func (g *Group[K, C]) End(k K, c C) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls[k] == c {
		delete(g.calls, k)
	}
}

// Close prevents further calls from starting. It returns the calls in flight.
func (g *Group[K, C]) Close() []C {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	return slices.Collect(maps.Values(g.calls))
}

// Len returns the number of calls in flight.
func (g *Group[K, C]) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.calls)
}
