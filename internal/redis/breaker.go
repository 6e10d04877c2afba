package redis

import (
	"math/bits"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxConsecutiveFailures is the number of consecutive failures that open the breaker. It is
	// low because each failure delays a request.
	maxConsecutiveFailures = 3
	// maxRecentFailures is the number of failures among the latest 32 commands that open the
	// breaker.
	maxRecentFailures = 8
)

// A breaker is a circuit breaker for commands. It starts open: Redis is unreachable until the first
// connection.
type breaker struct {
	isClosed atomic.Bool
	opened   chan struct{} // receives when the breaker opens

	mu          sync.Mutex
	consecutive int    // failures
	recent      uint32 // a bit for each of the latest commands, set if it failed
	err         error
	since       time.Time // when it opened
}

func newBreaker() breaker { return breaker{opened: make(chan struct{}, 1), since: time.Now()} }

func (b *breaker) closed() bool { return b.isClosed.Load() }

// record counts the outcome of a command, and opens the breaker after too many failures.
func (b *breaker) record(ok bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.isClosed.Load() {
		return
	}
	b.recent <<= 1
	if ok {
		b.consecutive = 0
		return
	}
	b.consecutive++
	b.recent |= 1
	if b.consecutive < maxConsecutiveFailures && bits.OnesCount32(b.recent) < maxRecentFailures {
		return
	}
	b.err, b.since = err, time.Now()
	b.isClosed.Store(false)
	select {
	case b.opened <- struct{}{}:
	default:
	}
}

// close lets commands through again, and returns for how long the breaker was open.
func (b *breaker) close() time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.opened:
	default:
	}
	b.consecutive, b.recent, b.err = 0, 0, nil
	b.isClosed.Store(true)
	return time.Since(b.since)
}

// cause returns the error that opened the breaker, or nil.
func (b *breaker) cause() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}
