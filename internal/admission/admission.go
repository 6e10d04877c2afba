// Package admission bounds how many operations compute at the same time: as many
// as there are slots, normally one per processor. More would only share the
// processors and hold more memory.
//
// A new operation waits for its slot in a FIFO queue and is refused only after
// the full maximum wait. While an operation waits for something else, such as a
// network call, it gives its slot back; when it goes on it takes one before any
// new operation does, and it is never refused. There is nothing else: no modes,
// no estimates, so that nothing has to be unlearned when a load ends.
//
// An operation holds its slot while none of its goroutines waits. Go cannot
// report how many goroutines of an operation still compute, so the slot is given
// back when the first of them waits and taken again when the last one goes on.
// Between the two, goroutines that go on early compute without a slot. That
// exceeds the bound a little while calls are in flight, but no operation can hold
// a slot without using it, nor wait for a slot that it holds itself.
package admission

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// DefaultMaxWait is the maximum wait of a new operation unless another is set.
const DefaultMaxWait = time.Second

// ErrRefused is returned to a new operation that got no slot within the maximum
// wait.
var ErrRefused = errors.New("no slot within the maximum wait")

// A Gate hands out slots. It is safe for concurrent use.
type Gate struct {
	maxWait time.Duration

	mu        sync.Mutex
	free      int       // slots; above 0 only if both queues are empty
	returning list.List // operations that go on after a wait; they go first
	arriving  list.List // new operations
}

// New returns a gate with a number of slots. New operations wait for at most
// maxWait.
func New(slots int, maxWait time.Duration) *Gate { return &Gate{maxWait: maxWait, free: slots} }

// Enter waits for a slot for a new operation. It returns ErrRefused after the
// maximum wait, or ctx's error as soon as ctx ends: an operation whose client has
// left never computes. Leave must be called on the slot.
//
// ctx must last as long as the operation.
func (g *Gate) Enter(ctx context.Context) (*Slot, error) {
	if err := g.acquire(ctx, &g.arriving, g.maxWait); err != nil {
		return nil, err
	}
	return &Slot{gate: g, ctx: ctx, held: true}, nil
}

const forever time.Duration = -1

func (g *Gate) acquire(ctx context.Context, queue *list.List, wait time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	granted := make(chan struct{})
	place := queue.PushBack(granted)
	g.mu.Unlock()

	var refused <-chan time.Time
	if wait != forever {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		refused = timer.C
	}
	err := ErrRefused
	select {
	case <-granted:
		err = ctx.Err()
	case <-ctx.Done():
		err = ctx.Err()
	case <-refused:
	}
	if err != nil && !g.withdraw(queue, place, granted) {
		if errors.Is(err, ErrRefused) { // granted at the same moment
			return nil
		}
		g.release()
	}
	return err
}

// withdraw removes a waiter from its queue. It returns false if the waiter has
// been granted a slot.
func (g *Gate) withdraw(queue *list.List, place *list.Element, granted <-chan struct{}) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case <-granted:
		return false
	default:
		queue.Remove(place)
		return true
	}
}

// release passes a slot on to the first waiter.
func (g *Gate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, queue := range []*list.List{&g.returning, &g.arriving} {
		if first := queue.Front(); first != nil {
			close(queue.Remove(first).(chan struct{}))
			return
		}
	}
	g.free++
}
