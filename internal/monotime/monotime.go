// Package monotime reads the monotonic clock of the process.
//
// A wall clock may jump: an operator sets it, or NTP corrects it. What is decided
// by it then lasts too long or not at all. A [Time] is a moment on a [Clock] that
// never jumps: the time since that clock was made. It is a number, so two of them
// are compared with < and kept in an atomic integer.
//
// The wall clock serves only to name such a moment to people, see [Clock.Wall].
// Times of two clocks cannot be compared.
package monotime

import (
	"context"
	"math"
	"time"
)

// A Time is a moment on a Clock: the time since the clock was made.
type Time time.Duration

// Never is later than every other time.
const Never Time = math.MaxInt64

// Add returns the time that is d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns how much later t is than u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// A Clock counts from when it was made. It is safe for concurrent use.
type Clock struct {
	start time.Time
	wall  func() time.Time
}

// New starts a clock. wall is the wall clock that [Clock.Wall] uses; nil is that
// of the machine.
func New(wall func() time.Time) Clock {
	if wall == nil {
		wall = time.Now
	}
	return Clock{start: time.Now(), wall: wall}
}

// Now returns the time since the clock was made.
func (c Clock) Now() Time { return Time(time.Since(c.start)) }

// Wall returns what the wall clock shows at t, unless it is set before.
func (c Clock) Wall(t Time) time.Time { return c.wall().Add(t.Sub(c.Now())) }

// Sleep waits for d. It returns false if ctx ends before.
func Sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
