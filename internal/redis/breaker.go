package redis

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// failuresInARow open the breaker: each has made somebody wait.
	failuresInARow = 3
	// failuresOf32 open it when so many of the latest 32 commands failed.
	failuresOf32 = 8
)

// A breaker tells whether Redis is there. It begins open, which means away.
type breaker struct {
	up     atomic.Bool
	opened chan struct{} // told when it opens

	mu     sync.Mutex
	row    int
	recent uint32 // a bit for each of the latest commands, set if it failed
	err    error
	since  time.Time // when it opened
}

func newBreaker() breaker { return breaker{opened: make(chan struct{}, 1), since: time.Now()} }

func (b *breaker) closed() bool { return b.up.Load() }

// note counts a command.
func (b *breaker) note(ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.up.Load() {
		return
	}
	b.recent <<= 1
	if ok {
		b.row = 0
		return
	}
	b.row++
	b.recent |= 1
	if b.row < failuresInARow && bits.OnesCount32(b.recent) < failuresOf32 {
		return
	}
	b.err, b.since = err, time.Now()
	b.up.Store(false)
	select {
	case b.opened <- struct{}{}:
	default:
	}
}

// close lets commands through again, and tells for how long it did not.
func (b *breaker) close() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.opened:
	default:
	}
	b.row, b.recent, b.err = 0, 0, nil
	b.up.Store(true)
	return time.Since(b.since)
}

// reason is what opened it; nil if nothing did yet.
func (b *breaker) reason() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
