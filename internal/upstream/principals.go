package upstream

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/fairqueue"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/mixcloud"
)

// A principal identifies a caller: a keyed hash of the whole token, so that a memory dump of
// the maps reveals no token. The zero principal is anonymous.
type principal [sha256.Size]byte

// principalOf hashes a name of any length to a principal.
func principalOf(name string) principal { return sha256.Sum256([]byte(name)) }

// String returns the principal as a map key and for other processes; "" for the
// anonymous one.
func (p principal) String() string {
	if p == (principal{}) {
		return ""
	}
	return string(p[:])
}

// A viewer is the state of a principal in this process.
type viewer struct {
	principal principal
	// epoch is part of the principal's cache keys. It is unique in this process.
	epoch atomic.Uint64
	// wrote is the time of the last write; reads may not show it for a while.
	wrote atomic.Int64
	// blocked is the time until which Mixcloud refuses calls of some kind.
	blocked atomic.Int64
	seen    atomic.Int64
	pruned  atomic.Bool // the principal may have a new viewer
	// self is the key of the user; nil if unknown.
	self atomic.Pointer[mixcloud.CanonicalKey]

	token                     // state of its token
	others otherWrites        // its writes through other processes
	limits [kinds]viewerLimit // guarded by the limiter's mutex
}

// anonymous reports whether the viewer is the anonymous one.
func (v *viewer) anonymous() bool { return v.principal == (principal{}) }

// lag returns the remaining time in which reads may not show the viewer's last write.
func (v *viewer) lag(now monotime.Time) time.Duration {
	wrote := monotime.Time(v.wrote.Load())
	if wrote == 0 {
		return 0
	}
	return max(wrote.Add(writeLag).Sub(now), 0)
}

// isNeeded reports whether the viewer must not be pruned now: reads may not show its last write
// yet, or Mixcloud refuses its calls.
func (v *viewer) isNeeded(now monotime.Time) bool {
	return v.lag(now) > 0 || monotime.Time(v.blocked.Load()) > now
}

// wroteAt records a write through another process. It may be older than this process.
func (v *viewer) wroteAt(at monotime.Time) {
	if at == 0 { // 0 means no write
		at = 1
	}
	for {
		known := v.wrote.Load()
		if known != 0 && known >= int64(at) || v.wrote.CompareAndSwap(known, int64(at)) {
			return
		}
	}
}

// maxViewers bounds the viewers. A pruned one starts again with an empty part of the cache.
const maxViewers = 10_000

type viewers struct {
	mu   sync.Mutex
	all  map[principal]*viewer
	last uint64 // the last epoch assigned
}

// of returns the viewer of a principal, which it creates if necessary.
func (v *viewers) of(p principal, now monotime.Time) *viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	known := v.all[p]
	if known == nil {
		if len(v.all) >= maxViewers {
			v.prune(now)
		}
		known = &viewer{principal: p}
		v.last++
		known.epoch.Store(v.last)
		if v.all == nil {
			v.all = map[principal]*viewer{}
		}
		v.all[p] = known
	}
	known.seen.Store(int64(now))
	return known
}

// known returns the viewer of a principal, or nil.
func (v *viewers) known(p principal) *viewer {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all[p]
}

// prune drops the least recently used quarter: viewers with an unverified token first, since
// anyone can invent tokens, and viewers that are needed last.
func (v *viewers) prune(now monotime.Time) {
	type known struct {
		*viewer
		priority int
		seen     int64
	}
	all := make([]known, 0, len(v.all))
	for _, one := range v.all {
		priority := 0
		switch {
		case !one.verified.Load():
		case one.isNeeded(now):
			priority = 2
		default:
			priority = 1
		}
		all = append(all, known{one, priority, one.seen.Load()})
	}
	slices.SortFunc(all, func(a, b known) int {
		return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.seen, b.seen))
	})
	for _, old := range all[:len(all)/4] {
		delete(v.all, old.principal)
		old.pruned.Store(true)
	}
}

// startEpoch starts a new epoch of a viewer: all its cache entries become unreachable.
func (v *viewers) startEpoch(known *viewer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.last++
	known.epoch.Store(v.last)
}

// write records a write of the viewer and starts a new epoch.
func (v *viewers) write(known *viewer, now monotime.Time) {
	known.wrote.Store(max(int64(now), 1)) // 0 means no write; stored first, so that the new epoch sees the lag
	v.startEpoch(known)
}

// writeLag is the time in which reads may not show a write. Mixcloud's actual lag is unknown;
// after a minute, reads are trusted.
const writeLag = time.Minute

// A token is the state of a viewer's token. Anyone can invent tokens, so a token gets its own
// limits and shared cache entries only when it is verified: a read of /me/ or a write succeeded,
// or a response contained members that require a token, or the token came from our own OAuth
// exchange.
type token struct {
	verified atomic.Bool
	accepted atomic.Bool // Mixcloud has responded to a call without refusing the token
	denial   atomic.Pointer[denial]

	checkMu   sync.Mutex    // guards checkedAt
	checkedAt monotime.Time // last check with other processes; 0 for never
}

// A denial is Mixcloud's refusal of a token.
type denial struct {
	until monotime.Time
	err   error
}

// refused returns Mixcloud's error if it recently refused the token.
func (t *token) refused(now monotime.Time) error {
	if d := t.denial.Load(); d != nil && now < d.until {
		return d.err
	}
	return nil
}

// isShared reports whether the viewer's responses are shared with other processes. Those of
// unverified tokens are not, because invented tokens would fill the memory.
func (v *viewer) isShared() bool { return v.anonymous() || v.verified.Load() }

// A Kind is a kind of call. Mixcloud limits uploads separately from reads, so each kind has its
// own limit, and a refusal blocks only its kind.
type Kind uint8

// The kinds of calls.
const (
	KindRead   Kind = iota
	KindAction      // follow, favorite and so on, their opposites, and exchanges of codes
	KindEdit        // of a cloudcast
	KindUpload      // of a cloudcast

	kinds int = iota
)

// String returns the kind's name, such as "read".
func (k Kind) String() string { return [kinds]string{"read", "action", "edit", "upload"}[k] }

// A viewerLimit is the limit of a viewer for a kind of call.
type viewerLimit struct {
	*fairqueue.Limit
	configured bool          // has the limit of a verified token
	logged     monotime.Time // end of the last pause that was logged
}

// A key is the cache key of a response. When a new epoch of a principal starts, its cache
// entries become unreachable and are evicted over time.
type key struct {
	principal principal // zero for anonymous
	epoch     uint64
	class     Class
	id        string
}
