package graphhttp

import (
	"errors"
	"io"
	"sync/atomic"
)

const (
	// DefaultBodyMemory is the maximum number of bytes of request bodies in memory, in the whole
	// process.
	DefaultBodyMemory = 64 << 20
	// The first uncountedBody bytes of each body are not counted. Most operations fit in them, so
	// that clients with large bodies cannot block clients with small ones. The number of
	// connections limits the sum of the uncounted bytes.
	uncountedBody = 16 << 10
)

// errBodyMemory is the error of a body that would exceed the maximum of [BodyMemory].
var errBodyMemory = errors.New("the request bodies in memory have reached their limit")

// BodyMemory counts the bytes of all request bodies of the process: those that arrive, wait for
// admission, or belong to running operations. It counts the received bytes and not the declared
// length, so that a client that sends nothing uses nothing. A request that would exceed the
// maximum is refused with 503. It is safe for concurrent use.
type BodyMemory struct {
	max int64
	now atomic.Int64
}

// NewBodyMemory returns a BodyMemory with a maximum of max bytes; 0 means [DefaultBodyMemory].
func NewBodyMemory(max int64) *BodyMemory {
	if max <= 0 {
		max = DefaultBodyMemory
	}
	return &BodyMemory{max: max}
}

// Bytes returns the number of counted bytes.
func (b *BodyMemory) Bytes() int64 { return b.now.Load() }

// reserve returns the reservation of one request. The caller must release it.
func (b *BodyMemory) reserve() *bodyReservation { return &bodyReservation{of: b} }

// A bodyReservation is one request's share of [BodyMemory].
type bodyReservation struct {
	of          *BodyMemory
	read, taken int64
}

// add counts n more bytes of the request. It fails if they would exceed the maximum.
func (h *bodyReservation) add(n int) error {
	h.read += int64(n)
	more := h.read - uncountedBody - h.taken
	if more <= 0 {
		return nil
	}
	if h.of.now.Add(more) > h.of.max {
		h.of.now.Add(-more)
		return errBodyMemory
	}
	h.taken += more
	return nil
}

func (h *bodyReservation) release() {
	if h.taken > 0 {
		h.of.now.Add(-h.taken)
	}
}

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
