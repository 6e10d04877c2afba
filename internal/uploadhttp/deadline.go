package uploadhttp

import (
	"context"
	"sync"
	"time"
)

// A movableDeadline is a context with a movable deadline, for an operation whose duration
// depends on the amount of data. When the deadline passes its error is
// [context.DeadlineExceeded], as of any context with a deadline.
type movableDeadline struct {
	context.Context // the parent, for its values

	done       chan struct{}
	stopParent func() bool // unregisters from the parent

	mu    sync.Mutex
	err   error
	at    time.Time
	timer *time.Timer
}

// withMovableDeadline returns a context that ends after d, or with its parent. The caller must
// cancel it.
func withMovableDeadline(parent context.Context, d time.Duration) *movableDeadline {
	c := &movableDeadline{Context: parent, done: make(chan struct{}), at: time.Now().Add(d)}
	c.mu.Lock() // either function below may run immediately
	defer c.mu.Unlock()
	c.timer = time.AfterFunc(d, func() {
		if c.expired() {
			c.end(context.DeadlineExceeded)
		}
	})
	c.stopParent = context.AfterFunc(parent, func() { c.end(parent.Err()) })
	return c
}

// expired reports whether the deadline has passed. If it was moved, expired restarts the timer.
func (c *movableDeadline) expired() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if left := time.Until(c.at); left > 0 {
		c.timer.Reset(left)
		return false
	}
	return true
}

// move sets the deadline to d from now.
func (c *movableDeadline) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = time.Now().Add(d)
	if c.err == nil {
		c.timer.Reset(d)
	}
}

// cancel ends the context and frees its resources.
func (c *movableDeadline) cancel() { c.end(context.Canceled) }

func (c *movableDeadline) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return
	}
	c.err = err
	c.timer.Stop()
	c.stopParent()
	close(c.done)
}

// Deadline implements [context.Context].
func (c *movableDeadline) Deadline() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at, true
}

// Done implements [context.Context].
func (c *movableDeadline) Done() <-chan struct{} { return c.done }

// Err implements [context.Context].
func (c *movableDeadline) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}
