package graphhttp

import (
	"errors"
	"io"
	"sync/atomic"
)

const (
	// DefaultBodies is the maximum number of bytes of request bodies in memory, in the whole
	// process.
	DefaultBodies = 64 << 20
	// freeBody bytes of each body are not counted. They hold most operations completely, so
	// that clients with large ones cannot block the others. The number of connections bounds
	// the sum.
	freeBody = 16 << 10
)

// errBodies is the error of a body for which there is no memory now.
var errBodies = errors.New("the request bodies in memory have reached their limit")

// Bodies counts the bytes of all request bodies of the process: those that arrive, wait for
// admission, or belong to running operations. It counts the received bytes and not the declared
// length, so that a client that sends nothing uses nothing. A request that would exceed the
// maximum is refused with 503. It is safe for concurrent use.
type Bodies struct {
	max int64
	now atomic.Int64
}

// NewBodies returns Bodies with a maximum of max bytes; 0 means [DefaultBodies].
func NewBodies(max int64) *Bodies {
	if max <= 0 {
		max = DefaultBodies
	}
	return &Bodies{max: max}
}

// Bytes returns the number of counted bytes.
func (b *Bodies) Bytes() int64 { return b.now.Load() }

// reserve returns the reservation of one request. The caller must release it.
func (b *Bodies) reserve() *bodyReservation { return &bodyReservation{of: b} }

// A bodyReservation is one request's share of [Bodies].
type bodyReservation struct {
	of          *Bodies
	read, taken int64
}

// add counts n more bytes of the request. It fails if there is no memory for them.
func (h *bodyReservation) add(n int) error {
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

func (h *bodyReservation) release() { h.of.now.Add(-h.taken) }

// reader returns a reader that counts the bytes read from r.
func (h *bodyReservation) reader(r io.Reader) io.Reader { return countingReader{r, h} }

type countingReader struct {
	io.Reader
	reservation *bodyReservation
}

// Read implements [io.Reader].
func (r countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if full := r.reservation.add(n); full != nil {
		return 0, full
	}
	return n, err
}
