package monotime_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/monotime"
)

func TestClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := monotime.New(nil)
		began := time.Now()
		if now := c.Now(); now != 0 {
			t.Errorf("Now() of a new clock = %d, want 0", now)
		}
		time.Sleep(time.Minute)
		if got := c.Now().Sub(monotime.Time(time.Second)); got != 59*time.Second {
			t.Errorf("Sub = %v, want 59s", got)
		}
		if later := c.Now().Add(time.Hour); later <= c.Now() || later >= monotime.Never {
			t.Errorf("Now().Add(1h) = %d, want between Now and Never", later)
		}
		if got := c.Wall(c.Now().Add(time.Hour)); !got.Equal(began.Add(time.Hour + time.Minute)) {
			t.Errorf("Wall in an hour = %v, want %v", got, began.Add(time.Hour+time.Minute))
		}
	})
}

// A jump of the wall clock changes the result of Wall, but not the clock.
func TestClock_WallJumps(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jump := time.Duration(0)
		c := monotime.New(func() time.Time { return time.Now().Add(jump) })
		for _, jump = range []time.Duration{0, 24 * time.Hour, -24 * time.Hour} {
			before := c.Now()
			time.Sleep(time.Second)
			if passed := c.Now().Sub(before); passed != time.Second {
				t.Errorf("clock jump of %v: %v passed in a second, want 1s", jump, passed)
			}
			if at := c.Wall(c.Now().Add(time.Second)); !at.Equal(time.Now().Add(jump + time.Second)) {
				t.Errorf("clock jump of %v: Wall = %v, want %v", jump, at, time.Now().Add(jump+time.Second))
			}
		}
	})
}

func TestSleep(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		sleep, ends time.Duration // when ctx ends
		took        time.Duration
		whole       bool
	}{
		"whole":          {time.Second, time.Minute, time.Second, true},
		"interrupted":    {time.Minute, time.Second, time.Second, false},
		"already ended":  {time.Minute, 0, 0, false},
		"nothing to do":  {0, time.Second, 0, true},
		"negative":       {-time.Second, time.Second, 0, true},
		"nothing, ended": {0, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), tt.ends)
				defer cancel()
				began := time.Now()
				if whole := monotime.Sleep(ctx, tt.sleep); whole != tt.whole || time.Since(began) != tt.took {
					t.Errorf("Sleep = %v after %v, want %v after %v", whole, time.Since(began), tt.whole, tt.took)
				}
			})
		})
	}
}

func BenchmarkClock_Now(b *testing.B) {
	c := monotime.New(nil)
	b.ReportAllocs()
	for b.Loop() {
		c.Now()
	}
}
