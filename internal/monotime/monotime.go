// Package monotime provides a monotonic clock.
//
// A wall clock can jump, when an operator or NTP sets it, so timeouts and ages that depend on
// it can be wrong. A [Time] is the time since a [Clock] was created, which never jumps. It is
// an integer, so times can be compared with < and stored in an atomic integer. Times of
// different clocks cannot be compared.
//
// [Clock.Wall] converts a time to the wall clock's time, for users and logs.
package monotime

import (
	"context"
	"math"
	"time"
)

// A Time is the time since a Clock was created.
type Time time.Duration

// Never is later than every other time.
const Never Time = math.MaxInt64

// Add returns the time that is d later.
func (t Time) Add(d time.Duration) Time { return t + Time(d) }

// Sub returns the duration t - u.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }

// A Clock is a monotonic clock. It is safe for concurrent use.
type Clock struct {
	start time.Time
	wall  func() time.Time
}

// New returns a clock that starts at 0. [Clock.Wall] uses the wall clock wall, or time.Now if
// it is nil.
func New(wall func() time.Time) Clock {
	if wall == nil {
		wall = time.Now
	}
	return Clock{start: time.Now(), wall: wall}
}

// Now returns the current time.
func (c Clock) Now() Time { return Time(time.Since(c.start)) }

// Wall returns the wall clock's time at t, if the wall clock does not jump before.
func (c Clock) Wall(t Time) time.Time { return c.wall().Add(t.Sub(c.Now())) }

// Sleep waits for d. It returns false if ctx ends first.
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
