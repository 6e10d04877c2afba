package emulator

import (
	"slices"
	"sync/atomic"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// pendingWrites are the writes that reads do not show yet; see [Settings].Lag.
// Emulator.mu guards them.
type pendingWrites struct {
	nextDue   atomic.Int64 // time of the next due change, in Unix nanoseconds; 0 for none
	changes   []change     // in the order of the writes, which is also that of the due times
	edges     map[edge]pendingEdge
	serial    int
	scheduled []*world.Cloudcast // with a publication date from an upload or an edit
	writes    int                // number of writes with a time from the default clock
}

type change struct {
	due   time.Time
	apply func()
}

// An edge is a user's relation to a user or a cloudcast.
type edge struct {
	action string
	user   *world.User
	target any
}

// A pendingEdge is the state of an edge after all changes.
type pendingEdge struct {
	exists bool
	serial int // of the last change
}

// writeTime returns the time of a new write. The caller must hold e.mu.
func (e *Emulator) writeTime() time.Time {
	if e.clock != nil {
		return e.clock().UTC().Truncate(time.Second)
	}
	e.pending.writes++
	return e.world.Now.Add(time.Duration(e.pending.writes) * time.Second)
}

// applyAfterLag applies a change after the lag, but never before earlier changes.
// The caller must hold e.mu.
func (e *Emulator) applyAfterLag(apply func()) {
	o := &e.pending
	lag := e.Settings().Lag
	if lag == 0 && len(o.changes) == 0 {
		apply()
		return
	}
	due := e.now().Add(lag)
	if n := len(o.changes); n > 0 && due.Before(o.changes[n-1].due) {
		due = o.changes[n-1].due
	}
	o.changes = append(o.changes, change{due, apply})
	e.applyDue()
}

// schedule adds a cloudcast with a publication date. The caller must hold e.mu.
func (e *Emulator) schedule(cast *world.Cloudcast) {
	if !slices.Contains(e.pending.scheduled, cast) {
		e.pending.scheduled = append(e.pending.scheduled, cast)
	}
	e.applyDue()
}

// applyDueLocking locks e.mu and calls applyDue, if a change is due.
func (e *Emulator) applyDueLocking() {
	next := e.pending.nextDue.Load()
	if next == 0 {
		return
	}
	e.mu.RLock()
	now := e.now().UnixNano()
	e.mu.RUnlock()
	if now < next {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.applyDue()
}

// applyDue applies the changes and publications that are due. The caller must hold
// e.mu.
func (e *Emulator) applyDue() {
	o := &e.pending
	if len(o.changes) == 0 && len(o.scheduled) == 0 {
		return
	}
	now := e.now()
	n := 0
	for ; n < len(o.changes) && !o.changes[n].due.After(now); n++ {
		o.changes[n].apply()
	}
	o.changes = slices.Delete(o.changes, 0, n)
	o.scheduled = slices.DeleteFunc(o.scheduled, func(cast *world.Cloudcast) bool {
		if cast.PublishAt.IsZero() {
			return len(o.changes) == 0 // a pending change may still set its date
		}
		if now.Before(cast.PublishAt) || e.world.Cloudcast(cast.Owner.Username, cast.Slug) != cast {
			return false
		}
		e.world.RemoveFromLists(cast)
		cast.Created, cast.PublishAt = cast.PublishAt, time.Time{}
		e.world.AddToLists(cast)
		e.listCache.clear()
		return true
	})
	var next int64
	if len(o.changes) > 0 {
		next = o.changes[0].due.UnixNano()
	}
	for _, cast := range o.scheduled {
		if at := cast.PublishAt.UnixNano(); !cast.PublishAt.IsZero() && (next == 0 || at < next) {
			next = at
		}
	}
	o.nextDue.Store(next)
}

// applyAll applies all pending changes.
func (e *Emulator) applyAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := range e.pending.changes {
		e.pending.changes[i].due = time.Time{}
	}
	e.applyDue()
}

// clear discards all pending changes. The caller must hold the emulator's lock.
func (o *pendingWrites) clear() {
	o.changes, o.edges, o.scheduled = nil, nil, nil
	o.nextDue.Store(0)
}
