package admission

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// compute calls Yield often, for d.
func compute(s *Slot, d time.Duration) {
	for range 4 * yieldsPerClock {
		s.Yield()
		time.Sleep(d / (4 * yieldsPerClock))
	}
}

// After a slice, an operation pauses with all its goroutines, and another one gets
// its slot. Waiting does not count as computing.
func TestYield(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(1, maxWait)
		s := enter(t, c, t.Context())
		begun := time.Now()
		for range freeSlices {
			compute(s, slice)
		}
		if took := time.Since(begun); took != freeSlices*slice {
			t.Errorf("%d slices took %v, want no pause", freeSlices, took)
		}
		s.pacer.slicesUsed.Store(freeSlices)
		time.Sleep(time.Hour)
		begun = time.Now()
		compute(s, slice)
		compute(s, slice)
		if took := time.Since(begun); took != 2*slice+pause {
			t.Errorf("two slices took %v, want one pause of %v", took, pause)
		}
		time.Sleep(time.Hour)
		begun = time.Now()
		compute(s, slice/2)
		if took := time.Since(begun); took > slice/2 {
			t.Errorf("half a slice took %v, want no pause", took)
		}

		var wg sync.WaitGroup
		wg.Go(func() { compute(s, 2*slice) })
		wg.Go(func() {
			begun := time.Now()
			other := enter(t, c, t.Context())
			if took := time.Since(begun); took > 2*slice {
				t.Errorf("another operation waited %v, want at most two slices", took)
			}
			time.Sleep(pause / 2)
			other.Close()
		})
		wg.Wait()
		if !s.held {
			t.Error("the operation continued before it had its slot back")
		}
		s.Close()
		wantIdle(t, c, 1)
		(*Slot)(nil).Yield()
	})
}

// A pause lasts until the last goroutine has stopped, and ends if further ones keep
// arriving.
func TestYield_PausesAllGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for late, want := range map[time.Duration]time.Duration{0: pause, pause * 2: 3 * pause, time.Hour: maxPauses * pause} {
			s := enter(t, New(1, maxWait), t.Context())
			s.Yield()
			p := &s.pacer
			p.slicesUsed.Store(freeSlices)
			now := time.Now().UnixNano()
			p.sliceStart.Store(now - int64(slice))
			p.lastClock.Store(now)
			stop := make(chan struct{})
			go func() { // reaches a Yield repeatedly
				time.Sleep(pause / 4)
				for begun := time.Now(); time.Since(begun) < late; time.Sleep(pause / 2) {
					select {
					case <-stop:
						return
					default:
						go s.Yield()
					}
				}
			}()
			begun := time.Now()
			s.pause()
			if took := time.Since(begun); took != want {
				t.Errorf("goroutines reach a Yield for %v: pause %v, want %v", late, took, want)
			}
			close(stop)
			time.Sleep(pause)
			synctest.Wait()
			s.Close()
		}
	})
}
