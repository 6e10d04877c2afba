package upstream

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud"
)

// uploadLife is how long Mixcloud may respond with "not found" for a new upload.
const uploadLife = 10 * time.Minute

// maxWrites bounds the writes of one viewer. At the limit the oldest is dropped.
const maxWrites = 1000

// A flagKey names one flag of one target.
type flagKey struct {
	flag   Flag
	target mixcloud.CanonicalKey
}

// A recentWrite is a principal's latest write of a flag.
type recentWrite struct {
	id   string
	want bool
	at   time.Time
	// done: a read has shown it. It is retained so that another process cannot report it
	// again.
	done bool
	// supersedes: no read has shown an earlier write of the flag yet. A read that agrees with
	// this write may then be older than both writes, so this write stays active until it expires.
	supersedes bool
	// listed: a read of the flag's list has shown it.
	listed bool
}

// recentWrites are writes that reads may not show yet. They are safe for concurrent use.
type recentWrites struct {
	life   time.Duration // how long a write is active
	mu     sync.Mutex
	writes map[string]map[flagKey]recentWrite // by principal
}

func (r *recentWrites) put(principal string, m flagKey, want bool, now time.Time) recentWrite {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := r.of(principal, now)
	before := mine[m]
	if len(mine) >= maxWrites {
		oldest := m
		for k, w := range mine {
			if w.at.Before(mine[oldest].at) || oldest == m {
				oldest = k
			}
		}
		delete(mine, oldest)
	}
	w := recentWrite{id: rand.Text(), want: want, at: now, supersedes: before.outlasts(want)}
	mine[m] = w
	return w
}

// outlasts reports whether reads may still show the write w after a later write of want. It is
// false for the zero write.
func (w recentWrite) outlasts(want bool) bool {
	return w.id != "" && !w.done && (w.supersedes || w.want != want)
}

// of returns the modifiable writes of a principal.
func (r *recentWrites) of(principal string, now time.Time) map[flagKey]recentWrite {
	if r.writes == nil {
		r.writes = map[string]map[flagKey]recentWrite{}
	}
	r.prune(now)
	mine := r.writes[principal]
	if mine == nil {
		mine = map[flagKey]recentWrite{}
		r.writes[principal] = mine
	}
	return mine
}

// merge adds a write of another process, and reports whether it was new.
func (r *recentWrites) merge(principal string, other SharedWrite, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, at := flagKey{other.Flag, mixcloud.ParseKey(other.Target).Canonical()}, now.Add(-other.Age)
	before := r.writes[principal][m]
	if other.Age >= r.life || before.id == other.ID || before.id != "" && before.at.After(at) {
		return false
	}
	r.of(principal, now)[m] = recentWrite{id: other.ID, want: other.Want, at: at, supersedes: other.Supersedes || before.outlasts(other.Want)}
	return true
}

// prune drops the expired writes of all principals. Writes are rare, so it runs whenever one is
// added.
func (r *recentWrites) prune(now time.Time) {
	for principal, mine := range r.writes {
		maps.DeleteFunc(mine, func(_ flagKey, w recentWrite) bool { return now.Sub(w.at) >= r.life })
		if len(mine) == 0 {
			delete(r.writes, principal)
		}
	}
}

// correct returns the corrected value of a flag that was read, and the correction of its count.
// A read that agrees with the write ends it.
func (r *recentWrites) correct(principal string, m flagKey, read bool, now time.Time) (want bool, delta int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, pending := r.writes[principal][m]
	switch {
	case !pending || w.done:
		return read, 0
	case now.Sub(w.at) >= r.life:
		delete(r.writes[principal], m)
		return read, 0
	case read == w.want:
		if !w.supersedes {
			w.done = true
			r.writes[principal][m] = w
		}
		return read, 0
	case w.want:
		return true, 1
	default:
		return false, -1
	}
}

// pending returns the targets of a flag whose writes reads may not show yet, oldest first.
func (r *recentWrites) pending(principal string, flag Flag, now time.Time) []mixcloud.CanonicalKey {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := r.writes[principal]
	var keys []flagKey
	for m, w := range mine {
		if m.flag == flag && r.active(w, now) {
			keys = append(keys, m)
		}
	}
	slices.SortFunc(keys, func(a, b flagKey) int { return mine[a].at.Compare(mine[b].at) })
	targets := make([]mixcloud.CanonicalKey, len(keys))
	for i, m := range keys {
		targets[i] = m.target
	}
	return targets
}

func (r *recentWrites) has(principal string, m flagKey, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, pending := r.writes[principal][m]
	return pending && r.active(w, now)
}

// active reports whether a write overrides the value that was read.
func (r *recentWrites) active(w recentWrite, now time.Time) bool {
	return !w.done && now.Sub(w.at) < r.life
}

func (r *recentWrites) idle(principal string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.writes[principal] {
		if r.active(w, now) {
			return false
		}
	}
	return true
}

// maxRecent is the maximum number of writes that are applied to lists. If there are more, the
// latest are used.
const maxRecent = 20

// A RecentWrite is a viewer's latest write of a flag of a target. Lists may not show it yet.
type RecentWrite struct {
	Key  mixcloud.CanonicalKey
	Want bool // whether the target was added to the list or removed
	At   time.Time
	// Supersedes reports that the opposite was written shortly before. A list that agrees with
	// this write may be older than both writes.
	Supersedes bool
	// Listed reports that a read of the list has shown the write.
	Listed bool
}

func (r *recentWrites) recent(principal string, flag Flag, now time.Time) []RecentWrite {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []RecentWrite
	for m, w := range r.writes[principal] {
		if m.flag == flag && now.Sub(w.at) < r.life {
			all = append(all, RecentWrite{Key: m.target, Want: w.want, At: w.at, Supersedes: w.supersedes, Listed: w.listed})
		}
	}
	slices.SortFunc(all, func(a, b RecentWrite) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Key.String(), b.Key.String()))
	})
	return all[:min(len(all), maxRecent)]
}

// markListed records that a list shows the latest write of a flag.
func (r *recentWrites) markListed(principal string, k flagKey) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if w, ok := r.writes[principal][k]; ok && !w.supersedes {
		w.listed = true
		r.writes[principal][k] = w
	}
}
