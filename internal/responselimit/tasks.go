package responselimit

import (
	"sync"
	"sync/atomic"
)

// gqlgen resolves some fields in goroutines of their own, and starts those of all objects of a list at once. Each takes
// up to ten kilobytes until its resolver has returned.
const (
	maxRunning  = 1_000  // at a time, unless one list has more
	maxTasks    = 8_000  // of one list
	maxAllTasks = 60_000 // of one operation
)

// tasks counts the fields of one operation that were given goroutines of their own and whose resolvers have not
// returned. The next list waits while there are too many of them.
type tasks struct {
	running atomic.Int64
	waiting atomic.Int64 // lists

	mu    sync.Mutex
	fewer sync.Cond
	over  bool // the operation has ended: no list waits
}

func (t *tasks) reset() {
	t.running.Store(0)
	t.over = false
	t.fewer.L = &t.mu
}

// add counts tasks that are about to be started. They are started in any case, so nothing waits for them.
func (t *tasks) add(n int64) { t.running.Add(n) }

// start counts n tasks when there is room for them, and returns false if the operation ends before. Only a task may call
// it, after its own resolver has returned: its goroutine has nothing else to start that others wait for. So those that
// are running always come to their end.
func (t *tasks) start(n int64) bool {
	if running := t.running.Load(); running+n <= maxRunning && t.running.CompareAndSwap(running, running+n) {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting.Add(1)
	for running := t.running.Load(); running > 0 && running+n > maxRunning && !t.over; running = t.running.Load() {
		t.fewer.Wait()
	}
	t.waiting.Add(-1)
	t.running.Add(n)
	t.fewer.Signal() // there may be room for another one
	return !t.over
}

// done counts a task whose resolver has returned.
func (t *tasks) done() {
	t.running.Add(-1)
	if t.waiting.Load() > 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.fewer.Signal()
	}
}

// end lets all lists go on.
func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.fewer.Broadcast()
}
