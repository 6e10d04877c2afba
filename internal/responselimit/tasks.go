package responselimit

import (
	"sync"
	"sync/atomic"
)

// gqlgen resolves some fields in their own goroutines and starts those of all objects of a list at once. Each takes up to
// ten kilobytes until its resolver returns.
const (
	maxRunning  = 1_000  // concurrently, unless a single list has more
	maxTasks    = 8_000  // per list
	maxAllTasks = 60_000 // per operation
)

// tasks counts the fields of one operation that run in their own goroutines and whose resolvers have not returned. The next
// list waits while there are too many.
type tasks struct {
	running atomic.Int64
	waiting atomic.Int64 // lists that wait until fewer tasks run

	mu    sync.Mutex
	room  sync.Cond
	ended bool // the operation has ended: lists do not wait
}

func (t *tasks) reset() {
	t.running.Store(0)
	t.ended = false
	t.room.L = &t.mu
}

// add counts tasks that are about to start. They always start, so add does not wait.
func (t *tasks) add(n int64) { t.running.Add(n) }

// start waits until there is room for n tasks and counts them. It returns false if the operation ends first. Only a task
// may call it, after its own resolver has returned. At that point no other task depends on its goroutine, so running tasks
// always finish.
func (t *tasks) start(n int64) bool {
	if running := t.running.Load(); running+n <= maxRunning && t.running.CompareAndSwap(running, running+n) {
		return true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting.Add(1)
	for running := t.running.Load(); running > 0 && running+n > maxRunning && !t.ended; running = t.running.Load() {
		t.room.Wait()
	}
	t.waiting.Add(-1)
	t.running.Add(n)
	t.room.Signal() // there may be room for another list
	return !t.ended
}

// done counts a task whose resolver has returned.
func (t *tasks) done() {
	t.running.Add(-1)
	if t.waiting.Load() > 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.room.Signal()
	}
}

// end makes all waiting lists return.
func (t *tasks) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	t.room.Broadcast()
}
