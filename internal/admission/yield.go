package admission

import (
	"sync/atomic"
	"time"
)

// An operation that computes for a long time pauses after each slice. Go polls for
// incoming requests only when a processor is idle, or every ten milliseconds. An
// operation with thousands of goroutines keeps all processors busy, so without
// pauses other requests would wait for several such intervals.
const (
	slice      = 3 * time.Millisecond
	freeSlices = 6                // slices without a pause: most operations need fewer
	pause      = time.Millisecond // the shortest time for which Go lets a processor sleep
	maxPauses  = 10

	yieldsPerClock = 16 // calls of Yield per reading of the clock
)

// A yieldPacer pauses all goroutines of one operation together.
type yieldPacer struct {
	yields     atomic.Int64
	sliceStart atomic.Int64 // Unix time in ns
	lastClock  atomic.Int64 // the last reading of the clock, as Unix time in ns
	pauseEnd   atomic.Pointer[chan struct{}]
	stopped    atomic.Int64 // goroutines that waited for the end of the pause
	slicesUsed atomic.Int64 // completed slices
}

// Yield lets other operations compute if this one has completed its slice and
// several before: all its goroutines pause at their next Yield for about a
// millisecond, and its slot is released. Yield is cheap enough to be called for
// each field of a response.
func (s *Slot) Yield() {
	if s == nil {
		return
	}
	if end := s.pacer.pauseEnd.Load(); end != nil {
		s.pacer.stopped.Add(1)
		<-*end
	}
	if s.pacer.yields.Add(1)%yieldsPerClock == 0 {
		s.pause()
	}
}

// pause starts a pause if the slice is over, and returns after it. The pause lasts
// until no further goroutine has stopped for a while: if many are ready to run,
// they take time to reach a Yield.
func (s *Slot) pause() {
	p := &s.pacer
	now, start := time.Now().UnixNano(), p.sliceStart.Load()
	if lastClock := p.lastClock.Swap(now); now-lastClock > int64(slice) { // the operation has waited in between
		p.sliceStart.CompareAndSwap(start, now)
		return
	}
	if now-start < int64(slice) || !p.sliceStart.CompareAndSwap(start, now+int64(maxPauses*pause)) {
		return
	}
	if p.slicesUsed.Add(1) <= freeSlices {
		p.sliceStart.Store(now)
		return
	}
	end := make(chan struct{})
	p.pauseEnd.Store(&end)
	resume := s.wait()
	for range maxPauses {
		before := p.stopped.Load()
		time.Sleep(pause)
		if p.stopped.Load() == before {
			break
		}
	}
	resume()
	now = time.Now().UnixNano()
	p.sliceStart.Store(now)
	p.lastClock.Store(now)
	p.pauseEnd.Store(nil)
	close(end)
}
