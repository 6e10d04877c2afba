// Package cache is a cache in memory with a limit in bytes, and implements the lifecycle of
// its entries.
//
// An [Entry] has one of the states of RFC 9111 and RFC 5861, depending on its age and its
// [Lifetime]: first it is fresh; then it is stale, but may be served immediately while it
// is revalidated (stale-while-revalidate); then it may be served only instead of an error
// (stale-if-error); then it has expired. A negative entry, which records that a resource
// does not exist, is fresh for a while and never served stale. After a failed fetch an
// entry has a cooldown: it is served immediately and not fetched until the cooldown ends.
//
// The cache evicts entries by size and use, not by age. Its users share the values, and
// must not modify them.
package cache

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"mixcloud-graphql/internal/monotime"
)

// A Lifetime contains the durations of the states of an entry. They start when the entry is
// stored.
type Lifetime struct {
	// Fresh is how long the entry is fresh.
	Fresh time.Duration
	// Revalidate is how long after Fresh the entry is served immediately while it is fetched
	// again.
	Revalidate time.Duration
	// Retain is the maximum age at which the entry may be served. After Fresh and
	// Revalidate, it is served only instead of an error.
	Retain time.Duration
	// NegativeTTL is how long a negative entry is fresh.
	NegativeTTL time.Duration
}

// Negative returns the lifetime of a negative entry.
func (l Lifetime) Negative() Lifetime {
	return Lifetime{Fresh: l.NegativeTTL, Retain: l.NegativeTTL, NegativeTTL: l.NegativeTTL}
}

// An Entry is a cached value or, for a negative entry, a cached error. Only its cooldown can
// change.
type Entry struct {
	Value  any
	Err    error // of a negative entry
	Size   int   // size of the value in bytes
	Stored monotime.Time
	Life   Lifetime

	cooldown atomic.Pointer[Cooldown]
}

// A Cooldown is a period in which an entry is not fetched again, because of an error.
type Cooldown struct {
	Until monotime.Time
	Cause error
}

// minCooldown is the minimum duration of a cooldown.
const minCooldown = 5 * time.Second

// Age returns the time since the entry was stored.
func (e *Entry) Age(now monotime.Time) time.Duration { return now.Sub(e.Stored) }

// Fresh reports whether the entry is fresh.
func (e *Entry) Fresh(now monotime.Time) bool { return e.Age(now) < e.Life.Fresh }

// Usable reports whether the entry may be served instead of an error.
func (e *Entry) Usable(now monotime.Time) bool { return e.Err == nil && e.Age(now) < e.Life.Retain }

// Immediate reports whether the entry may be served without waiting for Mixcloud, fresh or
// stale.
func (e *Entry) Immediate(now monotime.Time) bool {
	return e.Usable(now) && (e.Age(now) < e.Life.Fresh+e.Life.Revalidate || e.Cooldown(now) != nil)
}

// StartCooldown starts a cooldown after a failed fetch. It lasts for wait, but at least five seconds.
func (e *Entry) StartCooldown(now monotime.Time, wait time.Duration, cause error) {
	e.cooldown.Store(&Cooldown{Until: now.Add(max(wait, minCooldown)), Cause: cause})
}

// Cooldown returns the current cooldown, or nil.
func (e *Entry) Cooldown(now monotime.Time) *Cooldown {
	if c := e.cooldown.Load(); c != nil && now < c.Until {
		return c
	}
	return nil
}

const (
	// Overhead is the size of an entry without its value and the text of its key, in bytes:
	// the entry, its key, and the node and table of the cache.
	Overhead = 320
	// NegativeSize is the size of the error of a negative entry.
	NegativeSize = 128
	// maxShare limits an entry to 1/maxShare of the cache.
	maxShare = 8
)

// A Cache stores entries up to a number of bytes, and prefers those that are used often.
// It is safe for concurrent use. A nil Cache stores nothing.
type Cache[K comparable] struct {
	entries  *otter.Cache[K, *Entry]
	keySize  func(K) int
	maxEntry int
}

// New returns a cache with a maximum size in bytes, or nil if bytes is negative. keySize
// returns the length of a key's text.
func New[K comparable](bytes int64, keySize func(K) int) *Cache[K] {
	if bytes < 0 {
		return nil
	}
	c := &Cache[K]{keySize: keySize, maxEntry: int(min(bytes/maxShare, math.MaxInt))}
	c.entries = otter.Must(&otter.Options[K, *Entry]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(k K, e *Entry) uint32 { return uint32(min(int64(c.sizeOf(k, e)), math.MaxUint32)) },
	})
	return c
}

func (c *Cache[K]) sizeOf(k K, e *Entry) int { return Overhead + c.keySize(k) + e.Size }

// Get returns the entry of a key in any state, or nil.
func (c *Cache[K]) Get(k K) *Entry {
	if c == nil {
		return nil
	}
	e, _ := c.entries.GetIfPresent(k)
	return e
}

// Put stores an entry, unless it is larger than an eighth of the cache.
func (c *Cache[K]) Put(k K, e *Entry) {
	if c != nil && c.sizeOf(k, e) <= c.maxEntry {
		c.entries.Set(k, e)
	}
}

// Drop removes the entry of a key.
func (c *Cache[K]) Drop(k K) {
	if c != nil {
		c.entries.Invalidate(k)
	}
}

// Size returns the size of all entries in bytes.
func (c *Cache[K]) Size() int64 {
	if c == nil {
		return 0
	}
	c.entries.CleanUp()
	return int64(c.entries.WeightedSize())
}
