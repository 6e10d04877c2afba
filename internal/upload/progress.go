package upload

import (
	"context"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A Phase says how far an upload is.
type Phase int

// Phases come in this order; an upload ends as Done or Failed.
const (
	Checking   Phase = iota // the input is being checked
	Sending                 // the files are on their way
	Processing              // everything is sent, there is no answer yet
	Done                    // Mixcloud has taken it
	Failed                  // refused or broken off
)

// Ended reports whether nothing follows.
func (p Phase) Ended() bool { return p == Done || p == Failed }

// Progress is how far an upload is at one moment.
type Progress struct {
	Phase Phase
	Sent  int64 // bytes of files that were sent on
	Total int64 // of all files together; -1 when it is not known
}

const (
	// interval is the time between two looks at how much was sent.
	interval = 200 * time.Millisecond
	// memory is for how long an ended upload can still be watched.
	memory = 10 * time.Minute
	// maxUploads bounds what a hub remembers; the oldest ended go first.
	maxUploads = 10_000
)

var validID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// ValidID reports whether a client may name an upload so.
func ValidID(id string) bool { return validID.MatchString(id) }

// A Name is how an upload is known: the client's name for it, for the eyes of
// one principal alone.
type Name struct {
	Principal string
	ID        string
}

// A Tracker reports the progress of uploads from the requests that send them to those that watch
// them. It is safe for concurrent use.
type Tracker interface {
	// Begin announces an upload. Its end must be reported to the track, even if ctx ends
	// before. A second upload of the same name starts again for those who watch it.
	Begin(ctx context.Context, name Name) *Track
	// Watch returns the progress of an upload, at once and then, while it advances, at most a
	// few times a second, until the upload or ctx ends. The upload may begin later. The channel
	// is closed at the end.
	Watch(ctx context.Context, name Name) <-chan Progress
}

// A Hub is the [Tracker] of one process. The zero Hub is ready.
type Hub struct {
	mu      sync.Mutex
	uploads map[Name]*Track
	pruned  time.Time
}

// A Track is one upload as its sender reports it. A nil Track reports to
// nobody.
type Track struct {
	sent atomic.Int64 // counted without a lock: thousands of times a second
	at   atomic.Int64 // of the last report, in nanoseconds of Unix time

	watchers atomic.Int64

	mu    sync.Mutex
	begun int        // how often the upload was begun
	past  []Progress // what it was at the end of each phase but the present
	phase Phase
	total int64
	moved chan struct{} // closed and replaced when phase or total change
}

func newTrack() *Track {
	t := &Track{total: -1, moved: make(chan struct{})}
	t.touch()
	return t
}

// Begin implements [Tracker].
func (h *Hub) Begin(_ context.Context, name Name) *Track {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.track(name)
	t.step(func() {
		t.begun++
		t.past, t.phase, t.total = nil, Checking, -1
		t.sent.Store(0)
	})
	return t
}

// track finds an upload, or makes room for one that was not announced yet. The hub is
// locked.
func (h *Hub) track(name Name) *Track {
	if t := h.uploads[name]; t != nil {
		return t
	}
	if h.uploads == nil {
		h.uploads = map[Name]*Track{}
	}
	h.prune()
	t := newTrack()
	h.uploads[name] = t
	return t
}

// prune forgets what was left alone for long, once a while, and more when there
// is too much. Uploads under way and those that somebody watches stay.
func (h *Hub) prune() {
	full := len(h.uploads) >= maxUploads
	if !full && time.Since(h.pruned) < memory/10 {
		return
	}
	h.pruned = time.Now()
	for limit := memory; limit > time.Millisecond; limit /= 2 {
		for name, t := range h.uploads {
			if t.watchers.Load() == 0 && t.idle() > limit {
				delete(h.uploads, name)
			}
		}
		if !full || len(h.uploads) < maxUploads*9/10 {
			return
		}
	}
}

func (t *Track) touch() { t.at.Store(time.Now().UnixNano()) }

func (t *Track) idle() time.Duration { return time.Duration(time.Now().UnixNano() - t.at.Load()) }

func (t *Track) step(change func()) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	change()
	t.touch()
	close(t.moved)
	t.moved = make(chan struct{})
}

// SetPhase reports that the upload is in a phase.
func (t *Track) SetPhase(phase Phase) {
	t.step(func() {
		if phase != t.phase {
			t.past = append(t.past, t.present())
			t.phase = phase
		}
	})
}

// End reports that the upload failed, unless it is known to have ended.
func (t *Track) End() {
	if t == nil {
		return
	}
	t.mu.Lock()
	ended := t.phase.Ended()
	t.mu.Unlock()
	if !ended {
		t.SetPhase(Failed)
	}
}

// Expect reports how many bytes there are in all.
func (t *Track) Expect(total int64) { t.step(func() { t.total = total }) }

// Add reports that more bytes were sent on.
func (t *Track) Add(n int64) {
	if t != nil {
		t.sent.Add(n)
		t.touch()
	}
}

// present is how far the upload is. Sent never exceeds a known Total: should
// more be sent than was to be expected, there is more in all.
func (t *Track) present() Progress {
	p := Progress{Phase: t.phase, Sent: t.sent.Load(), Total: t.total}
	if p.Total >= 0 {
		p.Total = max(p.Total, p.Sent)
	}
	return p
}

// A view is how far a watcher has followed a track.
type view struct {
	begun, past int
	told        Progress
}

// news gives what a watcher was not told yet, each phase at least once, and
// what is closed when there is another.
func (t *Track) news(v *view) ([]Progress, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if v.begun != t.begun {
		*v = view{begun: t.begun, told: v.told}
	}
	all := append(slices.Clone(t.past[v.past:]), t.present())
	v.past = len(t.past)
	if all[0] == v.told {
		all = all[1:]
	}
	if len(all) > 0 {
		v.told = all[len(all)-1]
	}
	return all, t.moved
}

// Watch implements [Tracker].
func (h *Hub) Watch(ctx context.Context, name Name) <-chan Progress {
	h.mu.Lock()
	t := h.track(name)
	t.watchers.Add(1)
	h.mu.Unlock()
	out := make(chan Progress)
	go func() {
		defer close(out)
		defer h.leave(name, t)
		seen := t.since()
		for {
			all, moved := t.news(&seen)
			for _, progress := range all {
				select {
				case out <- progress:
				case <-ctx.Done():
					return
				}
			}
			if seen.told.Phase.Ended() || !pause(ctx, moved) {
				return
			}
		}
	}()
	return out
}

// leave ends a watch. An upload that was only watched is forgotten with its last watcher:
// anybody can make up names.
func (h *Hub) leave(name Name, t *Track) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t.watchers.Add(-1) > 0 || h.uploads[name] != t {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.begun == 0 {
		delete(h.uploads, name)
	}
}

// since is the view of who watches from now on.
func (t *Track) since() view {
	t.mu.Lock()
	defer t.mu.Unlock()
	return view{begun: t.begun, past: len(t.past), told: Progress{Phase: -1}}
}

// pause waits until the phase changes, or until it is time to look again how
// much was sent.
func pause(ctx context.Context, moved <-chan struct{}) bool {
	look := time.NewTimer(interval)
	defer look.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-moved:
	case <-look.C:
	}
	return true
}
