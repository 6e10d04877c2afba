package upstream

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"sync/atomic"
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
	// blocked is until when Mixcloud wants no calls of some kind.
	blocked   atomic.Int64
	seen      atomic.Int64
	forgotten atomic.Bool // another one stands for the audience now, if any does

	token                    // what is known of its token
	limiters [kinds]*limiter // those that were needed; the queue's lock guards them
}

// lag is for how much longer reads may not show what the viewer has written.
func (v *viewer) lag(now tick) tick {
	wrote := tick(v.wrote.Load())
	if wrote == 0 {
		return 0
	}
	return max(wrote+overlayLife-now, 0)
}

// matters reports whether it would do harm to forget the viewer now: reads that
// lag would be believed, or calls be made that Mixcloud wants none of.
func (v *viewer) matters(now tick) bool { return v.lag(now) > 0 || tick(v.blocked.Load()) > now }

// wroteAt tells of a write of another process, which may be from before this one
// began.
func (v *viewer) wroteAt(at tick) {
	if at == 0 { // which is never
		at = 1
	}
	for {
		known := v.wrote.Load()
		if known != 0 && known >= int64(at) || v.wrote.CompareAndSwap(known, int64(at)) {
			return
		}
	}
}

// maxViewers bounds how many tokens are remembered. Whoever is forgotten begins
// anew with an empty part of the cache.
const maxViewers = 10_000

type viewers struct {
	mu   sync.Mutex
	all  map[audience]*viewer
	last uint64 // generation given out
}

func (v *viewers) of(who audience, now tick) *viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.all[who]
	if known == nil {
		if len(v.all) >= maxViewers {
			v.prune(now)
		}
		known = &viewer{who: who}
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

// known returns what is remembered of an audience, or nil.
func (v *viewers) known(who audience) *viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all[who]
}

// prune forgets the quarter that was not seen for the longest time: those first whose
// token is not proven, since anybody can invent tokens, and those last that matter.
func (v *viewers) prune(now tick) {
	type known struct {
		*viewer
		worth int
		seen  int64
	}
	all := make([]known, 0, len(v.all))
	for _, one := range v.all {
		worth := 0
		switch {
		case !one.proven.Load():
		case one.matters(now):
			worth = 2
		default:
			worth = 1
		}
		all = append(all, known{one, worth, one.seen.Load()})
	}
	slices.SortFunc(all, func(a, b known) int {
		return cmp.Or(cmp.Compare(a.worth, b.worth), cmp.Compare(a.seen, b.seen))
	})
	for _, old := range all[:len(all)/4] {
		delete(v.all, old.who)
		old.forgotten.Store(true)
	}
}

// renew makes all that was kept for a viewer unreachable.
func (v *viewers) renew(known *viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	known.generation.Store(v.last)
}

// write is renew because of a write of the viewer's.
func (v *viewers) write(known *viewer, now tick) {
	known.wrote.Store(max(int64(now), 1)) // 0 is never; before renew: what has the new generation knows of it
	v.renew(known)
}
