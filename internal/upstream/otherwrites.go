package upstream

import (
	"context"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/monotime"
)

// otherWrites tracks whether this process has read a viewer's writes through other processes.
//
// Each load for the viewer reads them, in parallel to its call, so that sessions can correct the
// response. If the writes cannot be read, or the viewer's token is not verified yet, the response
// is cached nevertheless, because the cache must work while Redis is unreachable. Such a response
// may lack a write for as long as it is fresh. The process therefore records that it has missed
// the writes, and reads them before it serves the next cached response. If one of them is new to
// the process, it drops all cached responses of the viewer.
type otherWrites struct {
	// missed is the latest epoch with a load that could not read the writes; 0 if
	// they were read since.
	missed atomic.Uint64
	// retried is the time of the last read for a cached response; 0 for never. Calls of
	// Store.catchingUp guard it.
	retried monotime.Time
}

// retryWrites is the minimum time between two attempts to read missed writes for cached responses.
const retryWrites = time.Second

// miss records that a load of an epoch could not read the writes.
func (o *otherWrites) miss(epoch uint64) {
	for {
		known := o.missed.Load()
		if known >= epoch || o.missed.CompareAndSwap(known, epoch) {
			return
		}
	}
}

// noSharedWrites is a closed channel: there are no writes of other processes to wait for.
var noSharedWrites = func() chan struct{} {
	read := make(chan struct{})
	close(read)
	return read
}()

// readSharedWrites reads the viewer's writes through other processes, in parallel to the load.
// It closes the channel when it has finished.
func (s *Store) readSharedWrites(l *load) <-chan struct{} {
	if s.options.SharedWrites == nil || l.key.principal == (principal{}) {
		return noSharedWrites
	}
	v := l.viewer()
	if !v.isShared() {
		v.others.miss(l.key.epoch)
		return noSharedWrites
	}
	done := make(chan struct{})
	s.wg.Go(func() {
		defer close(done)
		s.mergeSharedWrites(l.Context(), v, l.key.epoch)
	})
	return done
}

// mergeSharedWrites reads a viewer's writes through other processes. If one is new to this
// process, and an earlier load of the epoch has missed the writes, the epoch ends.
func (s *Store) mergeSharedWrites(ctx context.Context, v *viewer, epoch uint64) {
	all, ok := s.options.SharedWrites.Recent(ctx, v.principal.String())
	if !ok {
		v.others.miss(epoch)
		return
	}
	merged := false
	for _, w := range all {
		r := &s.writes
		if w.Flag == uploaded {
			r = &s.uploads
		}
		if r.merge(v.principal.String(), w, time.Now()) {
			merged = true
			v.wroteAt(s.clock.Now().Add(-w.Age))
		}
	}
	if v.others.missed.CompareAndSwap(epoch, 0) && merged {
		s.viewers.startEpoch(v)
	}
}

// catchUp is called before a cached response is used. If the writes of other processes were
// missed, it reads them. It returns true if the response's epoch has ended, so that the
// response must not be used.
func (s *Store) catchUp(ctx context.Context, v *viewer, k key) bool {
	o := &v.others
	if k.principal == (principal{}) || o.missed.Load() != k.epoch || !v.isShared() {
		return false
	}
	// Sessions that run in parallel wait for one attempt.
	_, _, _ = s.catchingUp.Do(k.principal.String(), func() (any, error) {
		now := s.clock.Now()
		if o.missed.Load() == k.epoch && (o.retried == 0 || now >= o.retried.Add(retryWrites)) {
			o.retried = max(now, 1)
			s.mergeSharedWrites(context.WithoutCancel(ctx), v, k.epoch)
		}
		return nil, nil //nolint:nilnil // the result is in the viewer
	})
	return v.epoch.Load() != k.epoch
}
