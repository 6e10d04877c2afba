package breaker

import (
	"hash/maphash"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	minPause      = time.Second
	maxPause      = 30 * time.Second
	maxRetryAfter = 2 * time.Minute
)

// A Backoff records which keys failed recently and blocks them: for one second
// after the first failure, twice as long after each further one, at most 30
// seconds. It stores a limited number of keys, and only their hashes, so that long
// keys take no memory. A key that does not fit is not blocked.
type Backoff[K comparable] struct {
	seed     maphash.Seed
	failures *otter.Cache[uint64, *failure]
}

// A failure is immutable.
type failure struct {
	err   error
	pause time.Duration
	until time.Time
}

// NewBackoff returns a Backoff of at most size keys.
func NewBackoff[K comparable](size int) *Backoff[K] {
	return &Backoff[K]{maphash.MakeSeed(), otter.Must(&otter.Options[uint64, *failure]{MaximumSize: size})}
}

func (b *Backoff[K]) hash(k K) uint64 { return maphash.Comparable(b.seed, k) }

// Blocked returns the error with which a key failed and the remaining time for
// which it is blocked, or nil if it is not blocked.
func (b *Backoff[K]) Blocked(k K) (err error, wait time.Duration) { //nolint:revive // the wait belongs to the error
	if f, ok := b.failures.GetIfPresent(b.hash(k)); ok {
		if wait := time.Until(f.until); wait > 0 {
			return f.err, wait
		}
	}
	return nil, 0
}

// Failed blocks a key and returns for how long: for its pause, or for retryAfter,
// the wait that the service requested, if that is longer, but at most two minutes.
// The pauses start over if a key was not used for 30 seconds after it was blocked.
func (b *Backoff[K]) Failed(k K, err error, retryAfter time.Duration) time.Duration {
	now, pause := time.Now(), minPause
	if f, ok := b.failures.GetIfPresent(b.hash(k)); ok && now.Sub(f.until) < maxPause {
		pause = min(2*f.pause, maxPause)
	}
	wait := max(pause, min(retryAfter, maxRetryAfter))
	b.failures.Set(b.hash(k), &failure{err, pause, now.Add(wait)})
	return wait
}

// Succeeded removes a key's failures.
func (b *Backoff[K]) Succeeded(k K) { b.failures.Invalidate(b.hash(k)) }

// Len returns the number of stored keys.
func (b *Backoff[K]) Len() int {
	b.failures.CleanUp()
	return b.failures.EstimatedSize()
}
