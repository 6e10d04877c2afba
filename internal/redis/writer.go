package redis

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"
)

const (
	// maxJobs and maxJobBytes bound the queue.
	maxJobs     = 1024
	maxJobBytes = 32 << 20
	// batch is the maximum number of commands in one round trip.
	batch = 32
)

// A job is a command that is sent in the background.
type job struct {
	bytes int // approximate size
	// build makes the command, in the background. It returns false if nothing has to be written.
	build func(rueidis.Builder) (rueidis.Completed, bool)
}

// A writer sends commands in the background, in batches. Jobs beyond its bounds are dropped, so it is
// for data that may be lost. It is safe for concurrent use.
type writer struct {
	conn    *conn
	jobs    chan job
	bytes   atomic.Int64
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
}

func newWriter(c *conn) *writer {
	return &writer{conn: c, jobs: make(chan job, maxJobs)}
}

// put adds a job. It returns false if the job is dropped, and does not block.
func (w *writer) put(j job) bool {
	if !w.conn.breaker.closed() {
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

// run sends commands until the writer is closed and the queue is empty.
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
	lost, err := doWithin(context.Background(), w.conn, writeTimeout, func(ctx context.Context, c rueidis.Client) (int, error) { //nolint:forbidigo // no request waits for it
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
		w.conn.count.dropped.Add(int64(lost))
	}
	for _, j := range jobs {
		w.bytes.Add(-int64(j.bytes))
	}
}

// close sends the remaining jobs, until ctx ends.
func (w *writer) close(ctx context.Context) {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.jobs)
	}
	w.mu.Unlock()
	waitFor(ctx, w.running.Wait)
}
