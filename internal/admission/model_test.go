package admission

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// A step of a goroutine: it computes, waits, or starts other goroutines and waits
// until they end, as an executor does that resolves fields in parallel.
type step struct {
	compute, wait time.Duration
	fork          [][]step
}

// An operation of the model, with its observable state.
type operation struct {
	arrival, timeout time.Duration // the client leaves after timeout; 0 means never
	steps            []step

	slot               *Slot
	computing, waiting int // goroutines
}

// A model runs operations through a controller and checks its guarantees at each
// step.
type model struct {
	controller *Controller
	slots      int

	mu       sync.Mutex
	all      []*operation
	arrivals []time.Duration // arrival times of the operations that entered
	failures []string
}

func (m *model) fail(format string, args ...any) {
	m.failures = append(m.failures, fmt.Sprintf(format, args...))
}

// update changes the state of an operation. Operations without waiting goroutines
// compute in their slots, so there are at most as many of them as slots.
func (m *model) update(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
	n := 0
	for _, op := range m.all {
		if op.computing > 0 && op.waiting == 0 {
			n++
		}
		if op.slot != nil {
			op.slot.mu.Lock()
			if op.slot.held && op.slot.waiting > 0 {
				m.fail("a waiting operation holds a slot")
			}
			op.slot.mu.Unlock()
		}
	}
	if n > m.slots {
		m.fail("%d operations compute with %d slots", n, m.slots)
	}
}

func (m *model) run(ctx context.Context, op *operation) {
	time.Sleep(op.arrival)
	if op.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, op.timeout)
		defer cancel()
	}
	began := time.Now()
	slot, err := m.controller.Admit(ctx)
	took := time.Since(began)
	m.mu.Lock()
	switch {
	case err == nil:
		m.arrivals = append(m.arrivals, op.arrival)
		op.slot = slot
	case errors.Is(err, ErrRefused) && took != maxWait:
		m.fail("refused after %v", took)
	case errors.Is(err, context.DeadlineExceeded) && took != op.timeout:
		m.fail("client left after %v, operation dropped after %v", op.timeout, took)
	}
	m.mu.Unlock()
	if err != nil {
		return
	}
	defer slot.Close()
	m.steps(NewContext(ctx, slot), op, op.steps)
}

func (m *model) steps(ctx context.Context, op *operation, steps []step) {
	for _, s := range steps {
		if ctx.Err() != nil { // the client has left
			return
		}
		m.update(func() { op.computing++ })
		time.Sleep(s.compute)
		m.update(func() { op.computing-- })
		if s.wait > 0 {
			m.update(func() { op.waiting++ })
			resume := Wait(ctx)
			select {
			case <-time.After(s.wait):
			case <-ctx.Done():
			}
			resume()
			if ctx.Err() != nil {
				return // it still counts as waiting: it may have no slot
			}
			m.update(func() { op.waiting-- })
		}
		var wg sync.WaitGroup
		for _, branch := range s.fork {
			wg.Go(func() { m.steps(ctx, op, branch) })
		}
		wg.Wait()
	}
}

func drawSteps(t *rapid.T, depth int) []step {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
		s := step{compute: drawTime(t, 0, 300)}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			s.wait = drawTime(t, 1, 1500)
		case 1:
			if depth > 0 {
				for range rapid.IntRange(0, 3).Draw(t, "branches") {
					s.fork = append(s.fork, drawSteps(t, depth-1))
				}
			}
		}
		return s
	}), 0, 4).Draw(t, "steps")
}

func drawTime(t *rapid.T, from, to int) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, "ms")) * ms
}

// For all operations that arrive, wait, fork and leave at any time: there is no
// deadlock, slots are never exceeded, the order is FIFO, refusals and cancellations
// are on time, and all slots are free in the end.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{slots: rapid.IntRange(1, 3).Draw(rt, "slots")}
		var at time.Duration
		for range rapid.IntRange(1, 20).Draw(rt, "operations") {
			at += drawTime(rt, 1, 200) // no two at the same time, so that their order is defined
			op := &operation{arrival: at, steps: drawSteps(rt, 2)}
			if rapid.Bool().Draw(rt, "client leaves") {
				op.timeout = drawTime(rt, 1, 3000)
			}
			m.all = append(m.all, op)
		}
		synctest.Test(t, func(t *testing.T) {
			m.controller = New(m.slots, maxWait)
			var wg sync.WaitGroup
			for _, op := range m.all {
				wg.Go(func() { m.run(t.Context(), op) })
			}
			wg.Wait()
			for i, arrival := range m.arrivals[1:] {
				if arrival < m.arrivals[i] {
					m.fail("the operation that arrived at %v entered before the one that arrived at %v", m.arrivals[i], arrival)
				}
			}
			wantIdle(t, m.controller, m.slots)
		})
		if len(m.failures) > 0 {
			rt.Fatal(strings.Join(m.failures, "\n"))
		}
	})
}
