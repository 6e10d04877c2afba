package graphhttp

import (
	"context"
	"sync"
	"time"
)

// A clock is a context whose deadline can be moved, for operations whose time
// depends on how much there is to send. When the time is over its error is
// [context.DeadlineExceeded], as of any deadline.
type clock struct {
	context.Context // the request's, for its values

	done   chan struct{}
	unhook func() bool // from the request's

	mu    sync.Mutex
	err   error
	at    time.Time
	timer *time.Timer
}

// newClock makes a clock that runs out after d. It must be stopped.
func newClock(parent context.Context, d time.Duration) *clock {
	c := &clock{Context: parent, done: make(chan struct{}), at: time.Now().Add(d)}
	c.mu.Lock() // either may go off at once
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(d, func() {
		if c.over() {
			c.end(context.DeadlineExceeded)
		}
	})
	c.unhook = context.AfterFunc(parent, func() { c.end(parent.Err()) })
	return c
}

// over reports whether the deadline has passed, and waits on if it was moved.
func (c *clock) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := time.Until(c.at); left > 0 {
		c.timer.Reset(left)
		return false
	}
	return true
}

// allow moves the deadline to d from now.
func (c *clock) allow(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Now().Add(d)
	if c.err == nil {
		c.timer.Reset(d)
	}
}

// stop ends the context and frees what it holds.
func (c *clock) stop() { c.end(context.Canceled) }

func (c *clock) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	c.timer.Stop()
	c.unhook()
	close(c.done)
}

// Deadline implements [context.Context].
func (c *clock) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, true
}

// Done implements [context.Context].
func (c *clock) Done() <-chan struct{} { return c.done }

// Err implements [context.Context].
func (c *clock) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
