package upstream

import (
	"math"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"mixcloud-graphql/mixcloud"
)

// A key names an answer among all. A new generation of an audience makes all
// that was kept for it unreachable; the cache throws it out in its own time.
type key struct {
	who        audience // zero for everybody
	generation uint64
	class      Class
	id         string
}

// An entry is an answer that is kept. But for retryAt it never changes, and
// what it points to never does: it is given to many operations at once.
type entry struct {
	value     any   // nil when nothing was found
	missing   error // what was said instead of a value
	size      int   // of the value, in bytes
	stored    tick
	life      Lifetime
	validator validator
	// deferred says that Mixcloud could not give this anew; nil if it was not
	// asked, or could.
	deferred atomic.Pointer[deferral]
}

// A deferral says until when Mixcloud is not asked again, and why.
type deferral struct {
	until tick
	why   Reason
}

func (e *entry) age(now tick) tick { return now - e.stored }

// fresh reports whether the entry answers as if it had just been fetched.
func (e *entry) fresh(now tick) bool { return e.age(now) < e.life.Fresh }

// RevalidateAge is the age that answers may have for a caller that asks for new ones. It keeps callers from switching the cache
// off: a resource is fetched for them once in this time at most.
const RevalidateAge = 10 * time.Second

// freshFor is fresh for a caller that may ask for new answers.
func (e *entry) freshFor(now tick, newer bool) bool {
	return e.fresh(now) && (!newer || e.age(now) < RevalidateAge)
}

// usable reports whether the entry may answer when Mixcloud does not.
func (e *entry) usable(now tick) bool { return e.missing == nil && e.age(now) < e.life.Keep }

// immediate reports whether the entry answers at once though it is not fresh:
// for a while after it was, and after a failure until it is worth asking again.
func (e *entry) immediate(now tick) bool {
	return e.usable(now) && (e.age(now) < e.life.Fresh+e.life.Revalidate || e.waits(now) != nil)
}

// refreshPause is how long an entry is left alone that could not be fetched
// anew.
const refreshPause = 5 * time.Second

// postpone makes the entry answer at once for as long as Mixcloud wants after an
// error, and a little while at least.
func (e *entry) postpone(now tick, err error) {
	wait, limited := mixcloud.RetryAfter(err)
	d := deferral{until: now + max(min(wait, maxPause), refreshPause), why: Unavailable}
	if limited {
		d.why = RateLimited
	}
	e.deferred.Store(&d)
}

// waits is why Mixcloud is not asked for the entry now; nil if it may be.
func (e *entry) waits(now tick) *deferral {
	if d := e.deferred.Load(); d != nil && now < d.until {
		return d
	}
	return nil
}

// What entries weigh, as measured (TestCache_HoldsWhatItSays).
const (
	// overhead is for what is beside the value and the id: the entry, its key, and
	// the cache's own node, links and share of the table.
	overhead = 320
	// missingSize is for the error of one that says that there is nothing.
	missingSize = 128
	// unknownSize is for a value whose size nobody can tell.
	unknownSize = 4096
)

// decodedSize is what a value holds that was made of so many bytes of JSON: these
// bytes, which it keeps, and what was read from them.
func decodedSize(bytes int) int { return bytes * 13 / 8 }

// A cache keeps entries within a number of bytes, those that are used most. A
// nil cache keeps nothing. It is safe for concurrent use.
type cache struct {
	inner   *otter.Cache[key, *entry]
	largest int // an entry that is larger than this is not worth what it displaces
}

func newCache(bytes int64) *cache {
	if bytes < 0 {
		return nil
	}
	return &cache{
		inner: otter.Must(&otter.Options[key, *entry]{
			MaximumWeight: uint64(bytes),
			Weigher:       func(k key, e *entry) uint32 { return uint32(min(weight(k, e), math.MaxUint32)) },
		}),
		largest: int(bytes / 8),
	}
}

func weight(k key, e *entry) int { return overhead + len(k.id) + e.size }

func (c *cache) get(k key) *entry {
	if c == nil {
		return nil
	}
	e, _ := c.inner.GetIfPresent(k)
	return e
}

func (c *cache) put(k key, e *entry) {
	if c != nil && weight(k, e) <= c.largest {
		c.inner.Set(k, e)
	}
}

func (c *cache) drop(k key) {
	if c != nil {
		c.inner.Invalidate(k)
	}
}

// weight is how many bytes are kept.
func (c *cache) weight() int64 {
	if c == nil {
		return 0
	}
	c.inner.CleanUp()
	return int64(c.inner.WeightedSize())
}
