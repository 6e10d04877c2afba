package responselimit

import (
	"context"
	"sync/atomic"
)

// DefaultUnsent is how many bytes of responses may wait to be sent, in the whole process.
const DefaultUnsent = 256 << 20

// holdStep is the step in which a response under construction is accounted for.
const holdStep = 64 << 10

// Unsent keeps account of the responses of a process that are not yet sent: those under construction, by the bytes
// counted so far, and those that wait for their client to read. It is safe for concurrent use.
type Unsent struct {
	max int64
	now atomic.Int64
}

// NewUnsent returns an account of at most max bytes; 0 means [DefaultUnsent].
func NewUnsent(max int64) *Unsent {
	if max <= 0 {
		max = DefaultUnsent
	}
	return &Unsent{max: max}
}

// Full reports that no operation may start before a response is sent.
func (u *Unsent) Full() bool { return u.now.Load() >= u.max }

// Bytes returns the size of all responses that are not yet sent.
func (u *Unsent) Bytes() int64 { return u.now.Load() }

// Hold opens the account of one request. It must be closed with Set(0).
func (u *Unsent) Hold() *Hold { return &Hold{of: u} }

// A Hold is what one request takes of an [Unsent]. A nil Hold keeps no account.
type Hold struct {
	of    *Unsent
	bytes atomic.Int64
}

// Set replaces the size of the request's unsent response.
func (h *Hold) Set(bytes int64) {
	if h != nil {
		h.of.now.Add(bytes - h.bytes.Swap(bytes))
	}
}

func (h *Hold) add(bytes int64) {
	if h != nil {
		h.bytes.Add(bytes)
		h.of.now.Add(bytes)
	}
}

type holdKey struct{}

// WithHold returns a context whose operation is accounted for in h.
func WithHold(ctx context.Context, h *Hold) context.Context {
	return context.WithValue(ctx, holdKey{}, h)
}

// HoldOf returns the hold of [WithHold], or nil.
func HoldOf(ctx context.Context) *Hold {
	h, _ := ctx.Value(holdKey{}).(*Hold)
	return h
}
