package upload

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Phase is a stage of an upload.
type Phase int

// The phases, in order. An upload ends in Done or Failed.
const (
	Checking   Phase = iota // the input is being checked
	Sending                 // the files are being sent to Mixcloud
	Processing              // all bytes are sent, and Mixcloud has not responded yet
	Done                    // Mixcloud has accepted the upload
	Failed                  // the upload was refused or interrupted
)

// Ended reports whether p is the last phase of an upload.
func (p Phase) Ended() bool { return p == Done || p == Failed }

// Progress is the state of an upload at one time.
type Progress struct {
	Phase Phase
	Sent  int64 // bytes of the files that were sent to Mixcloud
	Total int64 // bytes of all files; -1 if unknown
}

const (
	// interval is the time between two reports of the number of sent bytes.
	interval = 200 * time.Millisecond
	// retention is how long an ended upload can be watched.
	retention = 10 * time.Minute
	// maxUploads is the maximum number of uploads in a hub. The least recently updated ones
	// are removed first.
	maxUploads = 10_000
)

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// ValidID reports whether id is a valid id for an upload.
func ValidID(id string) bool { return validID.MatchString(id) }

// A Name identifies an upload: the client's id for it, which is separate for each principal.
type Name struct {
	Principal string
	ID        string
}

// A Tracker passes the progress of uploads from the requests that send them to the requests that
// watch them. It is safe for concurrent use.
type Tracker interface {
	// Begin registers an upload. The caller must report its end to the Reporter, even after ctx
	// has ended. If an upload with the same name exists, its watchers receive the progress of the
	// new upload.
	Begin(ctx context.Context, name Name) *Reporter
	// Watch returns the progress of an upload: its current state immediately, and its changes
	// at most a few times per second, until the upload or ctx ends. Then the channel is closed.
	// The upload may begin after Watch.
	Watch(ctx context.Context, name Name) <-chan Progress
}

// A Hub is the [Tracker] of one process. Its zero value is ready to use.
type Hub struct {
	mu      sync.Mutex
	uploads map[Name]*Reporter
	pruned  time.Time
}

// A Reporter receives the progress of one upload from its sender. The methods of a nil Reporter
// do nothing.
type Reporter struct {
	sent    atomic.Int64 // without a lock, because it changes thousands of times per second
	updated atomic.Int64 // time of the last report, in nanoseconds of Unix time

	watchers atomic.Int64

	mu       sync.Mutex
	attempts int        // number of calls of Begin
	past     []Progress // the state at the end of each earlier phase
	phase    Phase
	total    int64
	changed  chan struct{} // closed and replaced when phase or total changes
}

func newReporter() *Reporter {
	r := &Reporter{total: -1, changed: make(chan struct{})}
	r.touch()
	return r
}

// Begin implements [Tracker].
func (h *Hub) Begin(_ context.Context, name Name) *Reporter {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.reporter(name)
	r.update(func() {
		r.attempts++
		r.past, r.phase, r.total = nil, Checking, -1
		r.sent.Store(0)
	})
	return r
}

// reporter returns the reporter of an upload, and adds one if it does not exist. The caller
// must hold h.mu.
func (h *Hub) reporter(name Name) *Reporter {
	if r := h.uploads[name]; r != nil {
		return r
	}
	if h.uploads == nil {
		h.uploads = map[Name]*Reporter{}
	}
	h.prune()
	r := newReporter()
	h.uploads[name] = r
	return r
}

// prune removes uploads that were not updated recently, and more of them if there are too many.
// It does not remove an upload that is watched or still sends.
func (h *Hub) prune() {
	full := len(h.uploads) >= maxUploads
	if !full && time.Since(h.pruned) < retention/10 {
		return
	}
	h.pruned = time.Now()
	for limit := retention; limit > time.Millisecond; limit /= 2 {
		for name, r := range h.uploads {
			if r.watchers.Load() == 0 && r.idle() > limit {
				delete(h.uploads, name)
			}
		}
		if !full || len(h.uploads) < maxUploads*9/10 {
			return
		}
	}
}

func (r *Reporter) touch() { r.updated.Store(time.Now().UnixNano()) }

func (r *Reporter) idle() time.Duration {
	return time.Duration(time.Now().UnixNano() - r.updated.Load())
}

func (r *Reporter) update(change func()) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	change()
	r.touch()
	close(r.changed)
	r.changed = make(chan struct{})
}

// SetPhase reports that a phase has begun.
func (r *Reporter) SetPhase(phase Phase) {
	r.update(func() {
		if phase != r.phase {
			r.past = append(r.past, r.progress())
			r.phase = phase
		}
	})
}

// End reports that the upload has failed, unless its end was reported before.
func (r *Reporter) End() {
	if r == nil {
		return
	}
	r.mu.Lock()
	ended := r.phase.Ended()
	r.mu.Unlock()
	if !ended {
		r.SetPhase(Failed)
	}
}

// SetTotal reports the number of bytes of all files.
func (r *Reporter) SetTotal(total int64) { r.update(func() { r.total = total }) }

// Add reports that n more bytes were sent.
func (r *Reporter) Add(n int64) {
	if r != nil {
		r.sent.Add(n)
		r.touch()
	}
}

// progress returns the current state. Sent never exceeds a known Total: if more bytes are sent
// than were reported, it raises Total.
func (r *Reporter) progress() Progress {
	p := Progress{Phase: r.phase, Sent: r.sent.Load(), Total: r.total}
	if p.Total >= 0 {
		p.Total = max(p.Total, p.Sent)
	}
	return p
}

// A position is the part of an upload's progress that one watcher has received.
type position struct {
	attempts, past int
	last           Progress
}

// updates returns the progress that a watcher has not received, with at least one entry for
// each phase, and a channel that is closed at the next change of phase or total.
func (r *Reporter) updates(p *position) ([]Progress, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.attempts != r.attempts {
		*p = position{attempts: r.attempts, last: p.last}
	}
	all := append(slices.Clone(r.past[p.past:]), r.progress())
	p.past = len(r.past)
	if all[0] == p.last {
		all = all[1:]
	}
	if len(all) > 0 {
		p.last = all[len(all)-1]
	}
	return all, r.changed
}

// Watch implements [Tracker].
func (h *Hub) Watch(ctx context.Context, name Name) <-chan Progress {
	h.mu.Lock()
	r := h.reporter(name)
	r.watchers.Add(1)
	h.mu.Unlock()
	out := make(chan Progress)
	go func() {
		defer close(out)
		defer h.unwatch(name, r)
		received := r.current()
		for {
			all, changed := r.updates(&received)
			for _, progress := range all {
				select {
				case out <- progress:
				case <-ctx.Done():
					return
				}
			}
			if received.last.Phase.Ended() || !waitForChange(ctx, changed) {
				return
			}
		}
	}()
	return out
}

// unwatch removes a watcher. An upload that has not begun is removed with its last watcher,
// because clients can watch any name.
func (h *Hub) unwatch(name Name, r *Reporter) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if r.watchers.Add(-1) > 0 || h.uploads[name] != r {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts == 0 {
		delete(h.uploads, name)
	}
}

// current returns the position of a new watcher, which receives no earlier phases.
func (r *Reporter) current() position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return position{attempts: r.attempts, past: len(r.past), last: Progress{Phase: -1}}
}

// waitForChange waits until the phase changes or the interval has passed. It returns false if
// ctx has ended.
func waitForChange(ctx context.Context, changed <-chan struct{}) bool {
	timer := time.NewTimer(interval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-changed:
	case <-timer.C:
	}
	return true
}
