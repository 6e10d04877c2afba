package upstream

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// An audience is whose eyes an answer is for: a keyed hash of the whole token,
// so that a dump of the process's maps names nobody. The zero audience is
// everybody.
type audience [sha256.Size]byte

// audienceOf gives names of any length one length.
func audienceOf(name string) audience { return sha256.Sum256([]byte(name)) }

// A viewer is what the process remembers of an audience.
type viewer struct {
	who audience
	// generation names its part of the cache. No two parts that ever were have
	// the same.
	generation atomic.Uint64
	// wrote is when it last changed something; reads may lag behind that.
	wrote atomic.Int64
	seen  atomic.Int64
	quiet atomic.Int64 // until when the log says that no call is made
	pace  *pace
}

// silenced tells whether it is news that no call is made until then: calls side
// by side are refused together.
func (v *viewer) silenced(until tick) bool {
	known := v.quiet.Load()
	return tick(known) < until-time.Second/2 && v.quiet.CompareAndSwap(known, int64(until))
}

// lag is for how much longer reads may not show what the viewer has written.
func (v *viewer) lag(now tick) tick {
	wrote := tick(v.wrote.Load())
	if wrote == 0 {
		return 0
	}
	return max(wrote+overlayLife-now, 0)
}

// maxViewers bounds how many tokens are remembered. Whoever is forgotten begins
// anew with an empty part of the cache.
const maxViewers = 10_000

type viewers struct {
	mu   sync.Mutex
	all  map[audience]*viewer
	last uint64 // generation given out
}

func (v *viewers) of(who audience, now tick, paced func() *pace) *viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.all[who]
	if known == nil {
		if len(v.all) >= maxViewers {
			v.prune()
		}
		known = &viewer{who: who, pace: paced()}
		v.last++
		known.generation.Store(v.last)
		if v.all == nil {
			v.all = map[audience]*viewer{}
		}
		v.all[who] = known
	}
	known.seen.Store(int64(now))
	return known
}

// prune forgets the quarter that was not seen for the longest time.
func (v *viewers) prune() {
	all := make([]*viewer, 0, len(v.all))
	for _, known := range v.all {
		all = append(all, known)
	}
	slices.SortFunc(all, func(a, b *viewer) int { return cmp.Compare(a.seen.Load(), b.seen.Load()) })
	for _, old := range all[:len(all)/4] {
		delete(v.all, old.who)
	}
}

// renew makes all that was kept for a viewer unreachable.
func (v *viewers) renew(known *viewer, now tick) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	known.generation.Store(v.last)
	known.wrote.Store(max(int64(now), 1)) // 0 is never
}
