package graphhttp

import (
	"errors"
	"io"
	"sync/atomic"
)

const (
	// DefaultBodies is how many bytes of request bodies may be in memory, in the whole
	// process.
	DefaultBodies = 64 << 20
	// freeBody is what is not counted of each body. It holds most operations whole, so
	// that those who send large ones do not shut out the others; the number of
	// connections bounds the sum.
	freeBody = 16 << 10
	// formBuffer is the memory that reading a form takes beside its texts.
	formBuffer = 256 << 10
)

// errBodies is the error of a body that there is no memory for now.
var errBodies = errors.New("the request bodies that are in memory take all that they may")

// Bodies keeps account of the request bodies of a process: those that arrive, that
// wait for admission and whose operations run. It counts what has arrived, not what
// was declared, so that a client that sends nothing takes nothing. A request that
// would exceed the maximum is refused with 503. It is safe for concurrent use.
type Bodies struct {
	max int64
	now atomic.Int64
}

// NewBodies returns an account of at most max bytes; 0 means [DefaultBodies].
func NewBodies(max int64) *Bodies {
	if max <= 0 {
		max = DefaultBodies
	}
	return &Bodies{max: max}
}

// Bytes returns the size of all bodies, without what is not counted of each.
func (b *Bodies) Bytes() int64 { return b.now.Load() }

// hold opens the account of one request. It must be closed with release.
func (b *Bodies) hold() *bodyHold { return &bodyHold{of: b} }

// A bodyHold is what one request takes of [Bodies].
type bodyHold struct {
	of          *Bodies
	read, taken int64
}

// add counts n more bytes of the request. It fails if there is no memory for them.
func (h *bodyHold) add(n int) error {
	h.read += int64(n)
	more := h.read - freeBody - h.taken
	if more <= 0 {
		return nil
	}
	if h.of.now.Add(more) > h.of.max {
		h.of.now.Add(-more)
		return errBodies
	}
	h.taken += more
	return nil
}

func (h *bodyHold) release() { h.of.now.Add(-h.taken) }

// reader counts what is read of r.
func (h *bodyHold) reader(r io.Reader) io.Reader { return heldReader{r, h} }

type heldReader struct {
	io.Reader
	hold *bodyHold
}

// Read implements [io.Reader].
func (r heldReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if full := r.hold.add(n); full != nil {
		return 0, full
	}
	return n, err
}
