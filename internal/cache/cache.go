// Package cache keeps values in memory, within a number of bytes, and says what each
// may still be used for.
//
// An [Entry] goes through the states of RFC 9111 and RFC 5861, by its age and its
// [Lifetime]: it is fresh; then it is stale, but may be served at once while it is
// fetched anew (stale-while-revalidate); then it may be served only instead of an error
// (stale-if-error); then it is of no use. A negative entry, which says that there is no
// value, is fresh for a while and never served stale. After a failed fetch an entry has
// a cooldown: until its end it is served at once, and not fetched.
//
// The cache decides by size and use which entries to evict, not by their age. A value
// is shared by all who get it, and must not be changed.
package cache

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"mixcloud-graphql/internal/monotime"
)

// A Lifetime says for how long an entry may be used. All times count from when it was
// stored.
type Lifetime struct {
	// Fresh is how long the entry is fresh.
	Fresh time.Duration
	// Revalidate is how long after that it is served at once, while it is fetched anew.
	Revalidate time.Duration
	// Retain is how long it may be served at all: after Fresh and Revalidate, only instead of an error.
	Retain time.Duration
	// NegativeTTL is how long a negative entry is fresh.
	NegativeTTL time.Duration
}

// Negative returns the lifetime of a negative entry.
func (l Lifetime) Negative() Lifetime {
	return Lifetime{Fresh: l.NegativeTTL, Retain: l.NegativeTTL, NegativeTTL: l.NegativeTTL}
}

// An Entry is a value that is kept, or the error that says that there is none. Apart
// from its cooldown it never changes.
type Entry struct {
	Value  any
	Err    error // of a negative entry
	Size   int   // of the value, in bytes
	Stored monotime.Time
	Life   Lifetime

	cooldown atomic.Pointer[Cooldown]
}

// A Cooldown says until when an entry is not fetched anew, and which error caused that.
type Cooldown struct {
	Until monotime.Time
	Cause error
}

// minCooldown is the shortest cooldown.
const minCooldown = 5 * time.Second

// Age returns the time since the entry was stored.
func (e *Entry) Age(now monotime.Time) time.Duration { return now.Sub(e.Stored) }

// Fresh reports whether the entry may be served like a value that was just fetched.
func (e *Entry) Fresh(now monotime.Time) bool { return e.Age(now) < e.Life.Fresh }

// Usable reports whether the entry may be served instead of an error.
func (e *Entry) Usable(now monotime.Time) bool { return e.Err == nil && e.Age(now) < e.Life.Retain }

// Immediate reports whether the entry may be served at once although it is stale.
func (e *Entry) Immediate(now monotime.Time) bool {
	return e.Usable(now) && (e.Age(now) < e.Life.Fresh+e.Life.Revalidate || e.Cooldown(now) != nil)
}

// Cool begins a cooldown after a failed fetch: for as long as the error wants, but at
// least for five seconds.
func (e *Entry) Cool(now monotime.Time, wait time.Duration, cause error) {
	e.cooldown.Store(&Cooldown{Until: now.Add(max(wait, minCooldown)), Cause: cause})
}

// Cooldown returns the cooldown that the entry has now, or nil.
func (e *Entry) Cooldown(now monotime.Time) *Cooldown {
	if c := e.cooldown.Load(); c != nil && now < c.Until {
		return c
	}
	return nil
}

const (
	// Overhead is the size of an entry apart from its value and its key's text: the
	// entry, its key, and the cache's own node, links and share of the table.
	Overhead = 320
	// NegativeSize is the size of the error of a negative entry.
	NegativeSize = 128
	// share is the part of the cache that one entry may take.
	share = 8
)

// A Cache keeps entries within a number of bytes, preferring those that are used often.
// It is safe for concurrent use. A nil Cache keeps nothing.
type Cache[K comparable] struct {
	entries *otter.Cache[K, *Entry]
	keySize func(K) int
	largest int
}

// New returns a cache of a number of bytes; nil if it is negative. keySize returns the
// length of a key's text.
func New[K comparable](bytes int64, keySize func(K) int) *Cache[K] {
	if bytes < 0 {
		return nil
	}
	c := &Cache[K]{keySize: keySize, largest: int(bytes / share)}
	c.entries = otter.Must(&otter.Options[K, *Entry]{
		MaximumWeight: uint64(bytes),
		Weigher:       func(k K, e *Entry) uint32 { return uint32(min(c.sizeOf(k, e), math.MaxUint32)) },
	})
	return c
}

func (c *Cache[K]) sizeOf(k K, e *Entry) int { return Overhead + c.keySize(k) + e.Size }

// Get returns the entry of a key, in whatever state, or nil.
func (c *Cache[K]) Get(k K) *Entry {
	if c == nil {
		return nil
	}
	e, _ := c.entries.GetIfPresent(k)
	return e
}

// Put keeps an entry, unless it would take more than an eighth of the cache.
func (c *Cache[K]) Put(k K, e *Entry) {
	if c != nil && c.sizeOf(k, e) <= c.largest {
		c.entries.Set(k, e)
	}
}

// Drop removes the entry of a key.
func (c *Cache[K]) Drop(k K) {
	if c != nil {
		c.entries.Invalidate(k)
	}
}

// Size returns the bytes that the entries take.
func (c *Cache[K]) Size() int64 {
	if c == nil {
		return 0
	}
	c.entries.CleanUp()
	return int64(c.entries.WeightedSize())
}
