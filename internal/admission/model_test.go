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

// A step is what a goroutine of an operation does: it computes, waits, or starts
// other goroutines and waits until they have ended, as gqlgen does.
type step struct {
	compute, wait time.Duration
	fork          [][]step
}

// An operation of the model, with what it may be observed to do.
type operation struct {
	arrives, leaves time.Duration // the client leaves after so long; 0 for never
	steps           []step

	slot               *Slot
	computing, waiting int // goroutines
}

// A model runs operations through a gate and checks its promises at each step.
type model struct {
	gate  *Gate
	slots int

	mu       sync.Mutex
	all      []*operation
	entered  []time.Duration // when the operations that have entered came
	problems []string
}

func (m *model) problem(format string, args ...any) {
	m.problems = append(m.problems, fmt.Sprintf(format, args...))
}

// change changes what is known of an operation. Operations of which no goroutine
// waits compute in their slots, so there are no more of them than slots.
func (m *model) change(what func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	what()
	n := 0
	for _, op := range m.all {
		if op.computing > 0 && op.waiting == 0 {
			n++
		}
		if op.slot != nil {
			op.slot.mu.Lock()
			if op.slot.held && op.slot.waiting > 0 {
				m.problem("an operation that waits holds a slot")
			}
			op.slot.mu.Unlock()
		}
	}
	if n > m.slots {
		m.problem("%d operations compute in %d slots", n, m.slots)
	}
}

func (m *model) run(ctx context.Context, op *operation) {
	time.Sleep(op.arrives)
	if op.leaves > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, op.leaves)
		defer cancel()
	}
	began := time.Now()
	slot, err := m.gate.Enter(ctx)
	took := time.Since(began)
	m.mu.Lock()
	switch {
	case err == nil:
		m.entered = append(m.entered, op.arrives)
		op.slot = slot
	case errors.Is(err, ErrRefused) && took != maxWait:
		m.problem("refused after %v", took)
	case errors.Is(err, context.DeadlineExceeded) && took != op.leaves:
		m.problem("left after %v, dropped after %v", op.leaves, took)
	}
	m.mu.Unlock()
	if err != nil {
		return
	}
	defer slot.Leave()
	m.steps(Into(ctx, slot), op, op.steps)
}

func (m *model) steps(ctx context.Context, op *operation, steps []step) {
	for _, s := range steps {
		if ctx.Err() != nil { // the client has left
			return
		}
		m.change(func() { op.computing++ })
		time.Sleep(s.compute)
		m.change(func() { op.computing-- })
		if s.wait > 0 {
			m.change(func() { op.waiting++ })
			resume := Wait(ctx)
			select {
			case <-time.After(s.wait):
			case <-ctx.Done():
			}
			resume()
			if ctx.Err() != nil {
				return // it stays a waiting one: it may have no slot
			}
			m.change(func() { op.waiting-- })
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

// For any operations, arriving, waiting, forking and leaving at any time: no
// deadlock, no more operations in slots than there are slots, FIFO, refusals and
// departures on time, and all slots are free in the end.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		m := &model{slots: rapid.IntRange(1, 3).Draw(rt, "slots")}
		var at time.Duration
		for range rapid.IntRange(1, 20).Draw(rt, "operations") {
			at += drawTime(rt, 1, 200) // no two at once, so that their order is known
			op := &operation{arrives: at, steps: drawSteps(rt, 2)}
			if rapid.Bool().Draw(rt, "impatient") {
				op.leaves = drawTime(rt, 1, 3000)
			}
			m.all = append(m.all, op)
		}
		synctest.Test(t, func(t *testing.T) {
			m.gate = New(m.slots, maxWait)
			var wg sync.WaitGroup
			for _, op := range m.all {
				wg.Go(func() { m.run(t.Context(), op) })
			}
			wg.Wait()
			for i, came := range m.entered[1:] {
				if came < m.entered[i] {
					m.problem("who came after %v entered before who came after %v", m.entered[i], came)
				}
			}
			wantIdle(t, m.gate, m.slots)
		})
		if len(m.problems) > 0 {
			rt.Fatal(strings.Join(m.problems, "\n"))
		}
	})
}
