package graphhttp

import (
	"errors"
	"io"
	"slices"
	"sync"
)

// The buffers of requests and responses are reused, in two classes: a small request or response
// must not hold the memory of a large one.
const (
	minBuffer = 4 << 10 // the capacity of a new small buffer
	// smallBuffer is the maximum capacity of a small buffer. Request bodies use only small
	// buffers, which fit in the memory that [BodyMemory] does not count.
	smallBuffer = uncountedBody
	// largeBuffer is the maximum capacity of a large buffer that is reused.
	largeBuffer = 1 << 20
)

var smallBuffers, largeBuffers sync.Pool

// newBuffer returns an empty buffer for size bytes.
func newBuffer(size int) []byte {
	pool := &smallBuffers
	if size > smallBuffer {
		pool = &largeBuffers
	}
	if b, ok := pool.Get().(*[]byte); ok {
		return slices.Grow(*b, size)
	}
	return make([]byte, 0, max(size, minBuffer))
}

// freeBuffer makes a buffer available for reuse. The caller must not use the buffer afterwards.
func freeBuffer(b []byte) {
	b = b[:0]
	switch {
	case cap(b) < minBuffer, cap(b) > largeBuffer:
	case cap(b) <= smallBuffer:
		smallBuffers.Put(&b)
	default:
		largeBuffers.Put(&b)
	}
}

// readAll reads up to limit bytes into a new buffer.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b := newBuffer(0)
	for int64(len(b)) < limit {
		b = slices.Grow(b, 1)
		n, err := r.Read(b[len(b):min(int64(cap(b)), limit)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}
