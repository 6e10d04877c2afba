package upstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Under a lasting load of five times what can be done, whatever is too much is
// refused within milliseconds, what is let in hardly waits, and nothing that
// could be done is left undone.
func TestGate_Overload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const running, work = 4, 2 * time.Millisecond
		s, _ := newRig(t, Options{Running: running}, latest)
		var mu sync.Mutex
		var done, refused []time.Duration
		var wg sync.WaitGroup
		for i := range 50_000 { // 5 × 4 / 2 ms, for 5 s
			time.Sleep(100 * time.Microsecond)
			wg.Go(func() {
				began := time.Now()
				end, err := s.Session("").Begin(t.Context())
				if err == nil {
					time.Sleep(work)
					end()
				}
				mu.Lock()
				defer mu.Unlock()
				switch took := time.Since(began); {
				case i < 10_000: // it takes a while to tell an overload from a burst
				case Overloaded(err):
					refused = append(refused, took)
				default:
					done = append(done, took)
				}
			})
		}
		wg.Wait()
		slices.Sort(done)
		if p99 := done[len(done)*99/100]; p99 > 2*work+turnOverloaded/2 || slices.Max(refused) > turnOverloaded {
			t.Errorf("what was let in took %v (p99), what was refused %v at most", p99, slices.Max(refused))
		}
		if share := float64(len(done)) / 40_000; share < 0.19 {
			t.Errorf("only %v of all was done", share)
		}
	})
}

// A burst is waited out.
func TestGate_Burst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Running: 4}, latest)
		var wg sync.WaitGroup
		for range 500 {
			wg.Go(func() {
				end, err := s.Session("").Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(2 * time.Millisecond)
				end()
			})
		}
		wg.Wait()
	})
}

// Who waits for Mixcloud holds nobody up: hundreds of operations can be under
// way on two processors.
func TestGate_WaitingCostsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Running: 2, Concurrency: 1000}, func(call) reply { return reply{delay: time.Second} })
		began := time.Now()
		var wg sync.WaitGroup
		for i := range 300 {
			wg.Go(func() {
				session := s.Session("")
				end, err := session.Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				defer end()
				for n := range 2 {
					var both sync.WaitGroup
					both.Go(func() { name(t.Context(), session, fmt.Sprintf("/%da%d/", i, n)) })
					both.Go(func() { name(t.Context(), session, fmt.Sprintf("/%db%d/", i, n)) })
					both.Wait()
				}
			})
		}
		wg.Wait()
		if took := time.Since(began); took != 2*time.Second {
			t.Errorf("took %v", took)
		}
		if s.gate.running != 0 || len(s.gate.waiting) != 0 {
			t.Errorf("%d run and %d wait", s.gate.running, len(s.gate.waiting))
		}
	})
}

// Whoever leaves while waiting takes nobody's turn.
func TestGate_Leaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Running: 1}, latest)
		end, err := s.Session("").Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if _, err := s.Session("").Begin(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		end()
		end() // a second time changes nothing
		if s.gate.running != 0 || len(s.gate.waiting) != 0 {
			t.Errorf("%d run and %d wait", s.gate.running, len(s.gate.waiting))
		}
	})
}
