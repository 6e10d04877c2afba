package admission

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const (
	ms      = time.Millisecond
	maxWait = time.Second
)

// wantIdle fails if a slot is missing or an operation is still queued.
func wantIdle(t *testing.T, c *Controller, slots int) {
	t.Helper()
	if c.free != slots || c.arriving.Len() != 0 || c.returning.Len() != 0 {
		t.Errorf("%d of %d slots are free, %d new and %d returning operations wait; want all free, none waiting", c.free, slots, c.arriving.Len(), c.returning.Len())
	}
}

func enter(t *testing.T, c *Controller, ctx context.Context) *Slot { //nolint:revive // t first, as in all helpers
	t.Helper()
	s, err := c.Admit(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// New operations enter in order of arrival. Those that get no slot are refused
// exactly after the maximum wait.
func TestController_FIFO(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(2, maxWait)
		var mu sync.Mutex
		var entered []int
		refused := map[int]time.Duration{}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * ms)
				began := time.Now()
				s, err := c.Admit(t.Context())
				mu.Lock()
				if err == nil {
					entered = append(entered, i)
				} else {
					refused[i] = time.Since(began)
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(400 * ms)
					s.Close()
				}
			})
		}
		wg.Wait()
		// Two enter at 0, 400 and 800 ms; at 1200 ms the others have waited for too
		// long.
		if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(entered, want) {
			t.Errorf("entered %v, want %v", entered, want)
		}
		for i := 6; i < 12; i++ {
			if refused[i] != maxWait {
				t.Errorf("operation %d was refused after %v, want %v", i, refused[i], maxWait)
			}
		}
		wantIdle(t, c, 2)
	})
}

// An operation that continues after a wait gets a slot before new ones that arrived
// earlier, and may wait for longer than a new one.
func TestWait_ResumesBeforeNewOperations(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(1, maxWait)
		first := enter(t, c, t.Context())
		resume := Wait(NewContext(t.Context(), first))
		second := enter(t, c, t.Context()) // in the slot that the first has released

		var order []string
		var wg sync.WaitGroup
		wg.Go(func() {
			if s, err := c.Admit(t.Context()); err == nil {
				order = append(order, "new")
				s.Close()
			} else {
				order = append(order, "refused")
			}
		})
		synctest.Wait()
		wg.Go(func() {
			resume()
			order = append(order, "resumed")
			first.Close()
		})
		time.Sleep(maxWait - ms)
		second.Close()
		wg.Wait()
		if want := []string{"resumed", "new"}; !slices.Equal(order, want) {
			t.Errorf("the order of events is %q, want %q", order, want)
		}

		// An operation that continues is never refused.
		first, order = enter(t, c, t.Context()), nil
		resume = Wait(NewContext(t.Context(), first))
		second = enter(t, c, t.Context())
		wg.Go(func() {
			resume()
			order = append(order, "resumed")
			first.Close()
		})
		time.Sleep(time.Minute)
		if len(order) > 0 || first.held {
			t.Error("the operation continued before it had its slot back")
		}
		second.Close()
		wg.Wait()
		if !slices.Equal(order, []string{"resumed"}) {
			t.Errorf("events are %q, want [\"resumed\"]", order)
		}
		wantIdle(t, c, 1)
	})
}

// An operation whose client leaves while it is queued leaves the queue immediately
// and takes no slot, even if one becomes free at the same moment.
func TestController_ClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(1, maxWait)
		left := 0
		for i := range 200 {
			first := enter(t, c, t.Context())
			ctx, leave := context.WithCancel(t.Context())
			var s *Slot
			var err error
			var wg sync.WaitGroup
			wg.Go(func() { s, err = c.Admit(ctx) })
			synctest.Wait()
			if i%2 == 0 {
				leave()
				first.Close()
			} else {
				first.Close()
				leave()
			}
			wg.Wait()
			if err != nil {
				left++
			}
			s.Close() // it may have entered concurrently, before the client left
			wantIdle(t, c, 1)
		}
		if left <= 100 {
			t.Errorf("%d of 200 operations whose client left were dropped, want more than 100", left)
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, err := c.Admit(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Admit for a client that left: error %v, want context.Canceled", err)
		}
		wantIdle(t, c, 1)
	})
}

// A slot that becomes free at the end of the maximum wait is not lost.
func TestController_SlotAtTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			c := New(1, maxWait)
			first := enter(t, c, t.Context())
			time.AfterFunc(maxWait, first.Close)
			if s, err := c.Admit(t.Context()); err == nil {
				s.Close()
			}
			synctest.Wait()
			wantIdle(t, c, 1)
		}
	})
}

// Hundreds of operations can wait for their calls with two slots.
func TestWait_ReleasesSlots(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(2, maxWait)
		began := time.Now()
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				s, err := c.Admit(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				ctx := NewContext(t.Context(), s)
				var both sync.WaitGroup
				for range 2 {
					both.Go(func() {
						resume := Wait(ctx)
						time.Sleep(time.Minute)
						resume()
					})
				}
				both.Wait()
			})
		}
		wg.Wait()
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %v, want 1m", took)
		}
		wantIdle(t, c, 2)
	})
}

// Two goroutines of an operation that continue at different times must not both
// take a slot: the first would hold the slot that the second waits for.
func TestWait_OneSlotForAllGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := New(1, maxWait)
		s := enter(t, c, t.Context())
		ctx := NewContext(t.Context(), s)
		resume := Wait(ctx)
		other := enter(t, c, t.Context())
		var both sync.WaitGroup
		both.Go(resume) // queued behind other
		synctest.Wait()
		second := false
		both.Go(func() {
			Wait(ctx)()
			second = true
		})
		synctest.Wait()
		if second {
			t.Error("a goroutine continued before the operation had its slot")
		}
		other.Close()
		both.Wait()
		if c.free != 0 {
			t.Error("the operation continued before it had its slot back")
		}
		s.Close()
		s.Close() // a second call has no effect
		wantIdle(t, c, 1)
	})
}

// Goroutines that outlive their operation, such as a loader's, take no slot.
func TestWait_AfterLeave(t *testing.T) {
	t.Parallel()
	c := New(1, maxWait)
	s := enter(t, c, t.Context())
	resume := Wait(NewContext(t.Context(), s))
	s.Close()
	resume()
	wantIdle(t, c, 1)
	Wait(t.Context())() // outside of an operation
	(*Slot)(nil).Close()
}
