package upstream

import "time"

// A tick is a moment on the store's own clock: how long ago the store was
// made, as the monotonic clock tells. The wall clock may jump; everything that
// is decided here is decided by ticks, and the wall clock only serves to tell
// people when.
type tick = time.Duration

type clock struct {
	start time.Time
	wall  func() time.Time
}

func newClock(wall func() time.Time) clock {
	if wall == nil {
		wall = time.Now
	}
	return clock{start: time.Now(), wall: wall}
}

func (c clock) now() tick { return time.Since(c.start) }

// at is what the wall clock will show at t, as far as it can be told now.
func (c clock) at(t tick) time.Time { return c.wall().Add(t - c.now()) }

// nap waits; it is false when done is closed before.
func nap(done <-chan struct{}, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-done:
		return false
	}
}
