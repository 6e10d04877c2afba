package admission

import (
	"sync/atomic"
	"time"
)

// An operation that computes for long pauses after each slice. Go looks for requests that have
// arrived only when a processor has nothing else to run, or after ten
// milliseconds. An operation with thousands of goroutines keeps all processors
// busy, so without pauses others would wait for that long, several times.
const (
	slice     = 3 * time.Millisecond
	free      = 6                // slices without a pause: most operations compute for less
	pause     = time.Millisecond // the shortest time for which Go lets a processor sleep
	maxPauses = 10

	yieldsPerClock = 16 // how often the clock is read
)

// A pacer makes the goroutines of one operation pause together.
type pacer struct {
	yields  atomic.Int64
	begun   atomic.Int64 // when the slice began, as Unix time in ns
	last    atomic.Int64 // when the clock was last read, likewise
	paused  atomic.Pointer[chan struct{}]
	stopped atomic.Int64 // goroutines that the pause has stopped
	slices  atomic.Int64 // that are over
}

// Yield lets other operations compute if this one has computed for a slice, and for
// several before: all of its goroutines stop at their next Yield, and its slot is free, for a
// millisecond. It is cheap enough to be called for each field of a response.
func (s *Slot) Yield() {
	if s == nil {
		return
	}
	if over := s.pacer.paused.Load(); over != nil {
		s.pacer.stopped.Add(1)
		<-*over
	}
	if s.pacer.yields.Add(1)%yieldsPerClock == 0 {
		s.pause()
	}
}

// pause begins a pause if the slice is over, and returns after it. The pause lasts
// until no goroutine has been stopped for a while: those of which many are ready
// to run take their time to come to a Yield.
func (s *Slot) pause() {
	p := &s.pacer
	now, begun := time.Now().UnixNano(), p.begun.Load()
	if last := p.last.Swap(now); now-last > int64(slice) { // the operation has waited meanwhile
		p.begun.CompareAndSwap(begun, now)
		return
	}
	if now-begun < int64(slice) || !p.begun.CompareAndSwap(begun, now+int64(maxPauses*pause)) {
		return
	}
	if p.slices.Add(1) <= free {
		p.begun.Store(now)
		return
	}
	over := make(chan struct{})
	p.paused.Store(&over)
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
	p.begun.Store(now)
	p.last.Store(now)
	p.paused.Store(nil)
	close(over)
}
