package breaker

import (
	"hash/maphash"
	"time"

	"github.com/maypok86/otter/v2"
)

const (
	firstPause   = time.Second
	longestPause = 30 * time.Second
	longestNamed = 2 * time.Minute
)

// A Backoff remembers which keys failed lately and refuses them for a while:
// one second after the first failure, twice as long after each further one, 30
// seconds at most. It holds a bounded number of keys, of which it keeps a hash
// alone, so that long ones take no memory; one that it has no place for is not
// refused.
type Backoff[K comparable] struct {
	seed     maphash.Seed
	failures *otter.Cache[uint64, *failure]
}

// A failure never changes.
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

// Blocked returns the error that a key failed with, and for how much longer it is
// refused; nil if it is not.
func (b *Backoff[K]) Blocked(k K) (err error, wait time.Duration) { //nolint:revive // the wait belongs to the error
	if f, ok := b.failures.GetIfPresent(b.hash(k)); ok {
		if wait := time.Until(f.until); wait > 0 {
			return f.err, wait
		}
	}
	return nil, 0
}

// Failed refuses a key, and returns for how long: for atLeast, which is what the
// service asked for, if that is longer than the pause that is due, but for no
// longer than two minutes. A key that was not tried for that long after its pause
// begins anew.
func (b *Backoff[K]) Failed(k K, err error, atLeast time.Duration) time.Duration {
	now, pause := time.Now(), firstPause
	if f, ok := b.failures.GetIfPresent(b.hash(k)); ok && now.Sub(f.until) < longestPause {
		pause = min(2*f.pause, longestPause)
	}
	wait := max(pause, min(atLeast, longestNamed))
	b.failures.Set(b.hash(k), &failure{err, pause, now.Add(wait)})
	return wait
}

// Succeeded forgets a key's failures.
func (b *Backoff[K]) Succeeded(k K) { b.failures.Invalidate(b.hash(k)) }

// Len returns how many keys are held.
func (b *Backoff[K]) Len() int {
	b.failures.CleanUp()
	return b.failures.EstimatedSize()
}
