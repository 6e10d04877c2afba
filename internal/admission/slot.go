package admission

import (
	"context"
	"sync"
)

// A Slot is the permission of one operation to compute. It is safe for concurrent
// use by the goroutines of the operation. All methods of a nil slot do nothing.
type Slot struct {
	gate  *Gate
	ctx   context.Context //nolint:containedctx // of the operation: Wait gets shorter ones
	pacer pacer

	mu        sync.Mutex
	held      bool // only while waiting is 0
	left      bool
	waiting   int           // goroutines between Wait and its return
	acquiring chan struct{} // closed when an acquisition ends; nil if there is none
}

type slotKey struct{}

// Into returns a context whose operation computes in a slot.
func Into(ctx context.Context, s *Slot) context.Context {
	return context.WithValue(ctx, slotKey{}, s)
}

// From returns the slot of ctx's operation, or nil.
func From(ctx context.Context) *Slot {
	s, _ := ctx.Value(slotKey{}).(*Slot)
	return s
}

// Wait gives the slot of ctx's operation back while a goroutine of the operation
// waits for something other than a processor. The goroutine must call resume when
// it goes on; resume returns when the operation may compute. Without a slot in
// ctx both do nothing.
func Wait(ctx context.Context) (resume func()) {
	s := From(ctx)
	if s == nil {
		return func() {}
	}
	return s.wait()
}

func (s *Slot) wait() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	s.giveBack()
	return s.resume
}

func (s *Slot) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting--; s.waiting > 0 || s.left {
		return
	}
	if pending := s.acquiring; pending != nil { // by another goroutine: one slot is enough
		s.mu.Unlock()
		<-pending
		s.mu.Lock()
		return
	}
	s.acquiring = make(chan struct{})
	s.mu.Unlock()
	err := s.gate.acquire(s.ctx, &s.gate.returning, forever)
	s.mu.Lock()
	close(s.acquiring)
	s.acquiring = nil
	s.held = err == nil // else the client has left, and the operation ends
	if s.waiting > 0 || s.left {
		s.giveBack()
	}
}

// Leave gives the slot back for good, before the response is written. It may be
// called again.
func (s *Slot) Leave() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
	s.giveBack()
}

// LeaveIfHeld is Leave, unless the operation waits and is going to go on.
func (s *Slot) LeaveIfHeld() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held {
		s.left = true
		s.giveBack()
	}
}

func (s *Slot) giveBack() {
	if s.held {
		s.held = false
		s.gate.release()
	}
}
