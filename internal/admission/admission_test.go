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
func wantIdle(t *testing.T, g *Gate, slots int) {
	t.Helper()
	if g.free != slots || g.arriving.Len() != 0 || g.returning.Len() != 0 {
		t.Errorf("%d of %d slots are free, %d new and %d returning operations wait", g.free, slots, g.arriving.Len(), g.returning.Len())
	}
}

func enter(t *testing.T, g *Gate, ctx context.Context) *Slot { //nolint:revive // t first, as in all helpers
	t.Helper()
	s, err := g.Enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// New operations enter in the order in which they came, and those that get no
// slot are refused after the full wait, neither earlier nor later.
func TestGate_FIFO(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(2, maxWait)
		var mu sync.Mutex
		var entered []int
		refused := map[int]time.Duration{}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * ms)
				began := time.Now()
				s, err := g.Enter(t.Context())
				mu.Lock()
				if err == nil {
					entered = append(entered, i)
				} else {
					refused[i] = time.Since(began)
				}
				mu.Unlock()
				if err == nil {
					time.Sleep(400 * ms)
					s.Leave()
				}
			})
		}
		wg.Wait()
		// Two at 0, 400 and 800 ms; at 1200 ms the others have waited for too long.
		if want := []int{0, 1, 2, 3, 4, 5}; !slices.Equal(entered, want) {
			t.Errorf("entered %v, want %v", entered, want)
		}
		for i := 6; i < 12; i++ {
			if refused[i] != maxWait {
				t.Errorf("operation %d was refused after %v", i, refused[i])
			}
		}
		wantIdle(t, g, 2)
	})
}

// An operation that goes on after a wait goes before new ones that came earlier,
// and waits for longer than a new one could.
func TestWait_ReturnsFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, maxWait)
		first := enter(t, g, t.Context())
		resume := Wait(Into(t.Context(), first))
		second := enter(t, g, t.Context()) // in the slot that the first has given back

		var order []string
		var wg sync.WaitGroup
		wg.Go(func() {
			if s, err := g.Enter(t.Context()); err == nil {
				order = append(order, "new")
				s.Leave()
			} else {
				order = append(order, "refused")
			}
		})
		synctest.Wait()
		wg.Go(func() {
			resume()
			order = append(order, "returned")
			first.Leave()
		})
		time.Sleep(maxWait - ms)
		second.Leave()
		wg.Wait()
		if want := []string{"returned", "new"}; !slices.Equal(order, want) {
			t.Errorf("%v, want %v", order, want)
		}

		// Not refused, however long it takes.
		first, order = enter(t, g, t.Context()), nil
		resume = Wait(Into(t.Context(), first))
		second = enter(t, g, t.Context())
		wg.Go(func() {
			resume()
			order = append(order, "returned")
			first.Leave()
		})
		time.Sleep(time.Minute)
		if len(order) > 0 || first.held {
			t.Error("the operation goes on without its slot")
		}
		second.Leave()
		wg.Wait()
		if !slices.Equal(order, []string{"returned"}) {
			t.Errorf("got %v", order)
		}
		wantIdle(t, g, 1)
	})
}

// An operation whose client leaves while it is queued leaves the queue at once
// and takes no slot, even if one becomes free at the same moment.
func TestGate_ClientLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, maxWait)
		left := 0
		for i := range 200 {
			first := enter(t, g, t.Context())
			ctx, leave := context.WithCancel(t.Context())
			var s *Slot
			var err error
			var wg sync.WaitGroup
			wg.Go(func() { s, err = g.Enter(ctx) })
			synctest.Wait()
			if i%2 == 0 {
				leave()
				first.Leave()
			} else {
				first.Leave()
				leave()
			}
			wg.Wait()
			if err != nil {
				left++
			}
			s.Leave() // on another processor it may have entered before it could see that the client had left
			wantIdle(t, g, 1)
		}
		if left <= 100 {
			t.Errorf("%d of 200 operations without a client were dropped", left)
		}
		ctx, leave := context.WithCancel(t.Context())
		leave()
		if _, err := g.Enter(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("an operation without a client got %v", err)
		}
		wantIdle(t, g, 1)
	})
}

// A slot that becomes free at the very end of a wait is used.
func TestGate_LastMoment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for range 100 {
			g := New(1, maxWait)
			first := enter(t, g, t.Context())
			time.AfterFunc(maxWait, first.Leave)
			if s, err := g.Enter(t.Context()); err == nil {
				s.Leave()
			}
			synctest.Wait()
			wantIdle(t, g, 1)
		}
	})
}

// Hundreds of operations can wait for their calls with two slots.
func TestWait_HoldsNothingUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(2, maxWait)
		began := time.Now()
		var wg sync.WaitGroup
		for range 300 {
			wg.Go(func() {
				s, err := g.Enter(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Leave()
				ctx := Into(t.Context(), s)
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
			t.Errorf("took %v", took)
		}
		wantIdle(t, g, 2)
	})
}

// Two goroutines of one operation that go on at different times must not both
// take a slot: the first would hold what the second waits for.
func TestWait_OneSlotForAllGoroutines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := New(1, maxWait)
		s := enter(t, g, t.Context())
		ctx := Into(t.Context(), s)
		resume := Wait(ctx)
		other := enter(t, g, t.Context())
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
			t.Error("a goroutine goes on before the operation has its slot")
		}
		other.Leave()
		both.Wait()
		if g.free != 0 {
			t.Error("the operation goes on without its slot")
		}
		s.Leave()
		s.Leave() // a second time changes nothing
		wantIdle(t, g, 1)
	})
}

// Goroutines that outlive their operation, such as a loader's, take no slot.
func TestWait_AfterLeave(t *testing.T) {
	t.Parallel()
	g := New(1, maxWait)
	s := enter(t, g, t.Context())
	resume := Wait(Into(t.Context(), s))
	s.Leave()
	resume()
	wantIdle(t, g, 1)
	Wait(t.Context())() // outside of an operation
	(*Slot)(nil).Leave()
}
