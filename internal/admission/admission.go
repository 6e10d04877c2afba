// Package admission limits the number of operations that compute concurrently to a
// number of slots, normally one per processor. More operations would only share the
// processors and use more memory.
//
// A new operation waits for a slot in a FIFO queue and is refused only after the
// maximum wait. While an operation waits for something else, such as a network
// call, it releases its slot. When it continues, it gets a slot before any new
// operation and is never refused. There are no modes and no load estimates, so no
// state remains when a load ends.
//
// An operation holds its slot while none of its goroutines waits. Go cannot report
// how many goroutines of an operation are still computing. The slot is therefore
// released when the first goroutine waits and reacquired when the last one
// continues. In between, goroutines that continue early compute without a slot.
// That exceeds the limit slightly while calls are in flight, but no operation can
// hold a slot without using it, or wait for a slot that it holds itself.
package admission

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// DefaultMaxWait is the default maximum wait of a new operation.
const DefaultMaxWait = time.Second

// ErrRefused is returned for a new operation that got no slot within the maximum
// wait.
var ErrRefused = errors.New("no slot within the maximum wait")

// A Controller assigns slots to operations. It is safe for concurrent use.
type Controller struct {
	maxWait time.Duration

	mu        sync.Mutex
	free      int       // slots; positive only if both queues are empty
	returning list.List // operations that continue after a wait; they go first
	arriving  list.List // new operations
}

// New returns a controller with a number of slots. New operations wait for at most
// maxWait.
func New(slots int, maxWait time.Duration) *Controller {
	return &Controller{maxWait: maxWait, free: slots}
}

// Admit waits for a slot for a new operation. It returns ErrRefused after the
// maximum wait, or ctx's error as soon as ctx ends: an operation whose client has
// disconnected does not start. The caller must call Close on the slot.
//
// ctx must last as long as the operation.
func (c *Controller) Admit(ctx context.Context) (*Slot, error) {
	if err := c.acquire(ctx, &c.arriving, c.maxWait); err != nil {
		return nil, err
	}
	return &Slot{controller: c, ctx: ctx, held: true}, nil
}

const noTimeout time.Duration = -1

func (c *Controller) acquire(ctx context.Context, queue *list.List, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	c.mu.Lock()
	if c.free > 0 {
		c.free--
		c.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	element := queue.PushBack(granted)
	c.mu.Unlock()

	var timeout <-chan time.Time
	if wait != noTimeout {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		timeout = timer.C
	}
	err := ErrRefused
	select {
	case <-granted:
		err = ctx.Err()
	case <-ctx.Done():
		err = ctx.Err()
	case <-timeout:
	}
	if err != nil && !c.withdraw(queue, element, granted) {
		if errors.Is(err, ErrRefused) { // granted at the same moment
			return nil
		}
		c.release()
	}
	return err
}

// withdraw removes a waiter from its queue. It returns false if the waiter already
// has a slot.
func (c *Controller) withdraw(queue *list.List, element *list.Element, granted <-chan struct{}) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case <-granted:
		return false
	default:
		queue.Remove(element)
		return true
	}
}

// release passes a slot to the first waiter.
func (c *Controller) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, queue := range []*list.List{&c.returning, &c.arriving} {
		if first := queue.Front(); first != nil {
			close(queue.Remove(first).(chan struct{}))
			return
		}
	}
	c.free++
}
