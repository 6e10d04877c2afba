package admission

import (
	"context"
	"sync"
)

// A Slot is the permission of one operation to compute. The goroutines of the
// operation may use it concurrently. All methods of a nil slot do nothing.
type Slot struct {
	controller *Controller
	ctx        context.Context //nolint:containedctx // the operation's: contexts passed to Wait may be shorter
	pacer      yieldPacer

	mu        sync.Mutex
	held      bool // only while waiting is 0
	closed    bool
	waiting   int           // goroutines that called Wait and have not resumed
	acquiring chan struct{} // closed when an acquisition ends; nil if there is none
}

// SlotKey is the key of the *[Slot] in a context, for contexts that store it without
// [NewContext].
type SlotKey struct{}

// NewContext returns a context for an operation that computes in a slot.
func NewContext(ctx context.Context, s *Slot) context.Context {
	return context.WithValue(ctx, SlotKey{}, s)
}

// FromContext returns the slot of ctx's operation, or nil.
func FromContext(ctx context.Context) *Slot {
	s, _ := ctx.Value(SlotKey{}).(*Slot)
	return s
}

// Wait releases the slot of ctx's operation while a goroutine of the operation
// waits for something other than a processor. The goroutine must call resume when
// it continues; resume returns when the operation may compute. Without a slot in
// ctx, both do nothing.
func Wait(ctx context.Context) (resume func()) {
	s := FromContext(ctx)
	if s == nil {
		return func() {}
	}
	return s.wait()
}

func (s *Slot) wait() (resume func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting++
	s.release()
	return s.resume
}

func (s *Slot) resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting--; s.waiting > 0 || s.closed {
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
	err := s.controller.acquire(s.ctx, &s.controller.returning, noTimeout)
	s.mu.Lock()
	close(s.acquiring)
	s.acquiring = nil
	s.held = err == nil // on an error the client has disconnected, and the operation ends
	if s.waiting > 0 || s.closed {
		s.release()
	}
}

// Close releases the slot permanently, before the response is written. It may be
// called more than once.
func (s *Slot) Close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.release()
}

// CloseIfHeld calls Close, unless the operation is waiting and will continue.
func (s *Slot) CloseIfHeld() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held {
		s.closed = true
		s.release()
	}
}

func (s *Slot) release() {
	if s.held {
		s.held = false
		s.controller.release()
	}
}
