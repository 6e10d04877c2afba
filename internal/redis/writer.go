package redis

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"
)

const (
	// maxJobs and maxJobBytes bound what waits to be written.
	maxJobs     = 1024
	maxJobBytes = 32 << 20
	// batch is how many writes go in one round trip.
	batch = 32
)

// A job is something to be written that nobody waits for.
type job struct {
	bytes int // about as many it holds
	// build makes the command, outside of any request's time; false if there is
	// nothing to be written after all.
	build func(rueidis.Builder) (rueidis.Completed, bool)
}

// A writer writes in the background, as much as Redis takes. What it has no
// room for is lost, so it is for what can be lost. It is safe for concurrent
// use.
type writer struct {
	link    *link
	jobs    chan job
	bytes   atomic.Int64
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

func newWriter(l *link) *writer {
	return &writer{link: l, jobs: make(chan job, maxJobs)}
}

// put hands over a job; false when it is lost. It never waits.
func (w *writer) put(j job) bool {
	if !w.link.breaker.closed() {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.bytes.Load()+int64(j.bytes) > maxJobBytes {
		return false
	}
	select {
	case w.jobs <- j:
		w.bytes.Add(int64(j.bytes))
		return true
	default:
		return false
	}
}

// run writes until the writer is closed and nothing is left.
func (w *writer) run() {
	for first := range w.jobs {
		jobs := append(make([]job, 0, batch), first)
	more:
		for len(jobs) < batch {
			select {
			case j, ok := <-w.jobs:
				if !ok {
					break more
				}
				jobs = append(jobs, j)
			default:
				break more
			}
		}
		w.write(jobs)
	}
}

func (w *writer) write(jobs []job) {
	lost, err := do(context.Background(), w.link, writeBox, func(ctx context.Context, c rueidis.Client) (int, error) { //nolint:forbidigo // those who asked do not wait
		var commands []rueidis.Completed
		for _, j := range jobs {
			if command, ok := j.build(c.B()); ok {
				commands = append(commands, command)
			}
		}
		lost, first := 0, error(nil)
		for _, result := range c.DoMulti(ctx, commands...) {
			if err := result.Error(); err != nil {
				lost, first = lost+1, err
			}
		}
		return lost, first
	})
	if err != nil {
		if lost == 0 {
			lost = len(jobs)
		}
		w.link.count.dropped.Add(int64(lost))
	}
	for _, j := range jobs {
		w.bytes.Add(-int64(j.bytes))
	}
}

// close writes what is left, for as long as ctx allows.
func (w *writer) close(ctx context.Context) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	within(ctx, w.running.Wait)
}
