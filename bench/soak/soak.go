package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/bench/soak/malformed"
	"mixcloud-graphql/internal/app"
	"mixcloud-graphql/internal/config"
)

// Maximum growth between the first and the last row. That of the heap includes the rest of the
// cache.
const (
	maxGoroutineGrowth  = 20
	maxDescriptorGrowth = 10
	maxHeapGrowth       = 48 << 20
	cacheBytes          = "16MiB"
)

// senders is the number of clients that send malformed requests.
const senders = 8

// clientPause is the pause of the other clients between requests, so that most requests are malformed
// ones.
const clientPause = 10 * time.Millisecond

// A soak is one run.
type soak struct {
	duration  time.Duration // 0 for until all malformed requests are sent
	malformed int
	rows      int
	seed      uint64
	out       io.Writer

	base string // the server's base URL
	log  errorLog
	// pause is locked for reading during each request, and for writing while all clients pause.
	pause     sync.RWMutex
	remaining atomic.Int64 // malformed requests that are not sent yet
	mu        sync.Mutex
	statuses  map[int]int
	failures  []string
}

func (s *soak) run(ctx context.Context) error {
	stop, err := s.start(ctx)
	if err != nil {
		return err
	}
	s.statuses = make(map[int]int)
	s.remaining.Store(int64(s.malformed))
	clients, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() { s.repeat(clients, 0, s.sender(s.seed+uint64(i))) }) //nolint:gosec // not negative
	}
	for _, work := range s.otherClients() {
		wg.Go(func() { s.repeat(clients, clientPause, work) })
	}
	grown := s.watch(clients)
	cancel()
	wg.Wait()
	return errors.Join(grown, stop(), s.result())
}

// start starts the server, and waits until it listens.
func (s *soak) start(ctx context.Context) (stop func() error, err error) {
	command, err := config.Parse([]string{"serve", "--demo", "--addr=127.0.0.1:0", "--log-level=warn", "--cache-bytes=" + cacheBytes, "--max-wait=1m"}, nil, io.Discard)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	read, write := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- app.Run(ctx, command, write, &s.log)
		_ = write.Close()
	}()
	line, err := bufio.NewReader(read).ReadString('\n')
	go func() { _, _ = io.Copy(io.Discard, read) }()
	if s.base = strings.TrimPrefix(strings.TrimSpace(line), "ready "); err != nil {
		cancel()
		return nil, errors.Join(err, <-ended)
	}
	return func() error {
		cancel()
		return <-ended
	}, nil
}

// repeat sends a client's requests until ctx ends, with a wait after each.
func (s *soak) repeat(ctx context.Context, wait time.Duration, work func(context.Context) (int, error)) {
	for ctx.Err() == nil {
		s.pause.RLock()
		status, err := work(context.WithoutCancel(ctx)) // a canceled request would count as a failure
		s.pause.RUnlock()
		if errors.Is(err, errDone) {
			return
		}
		s.count(status, err)
		time.Sleep(wait)
	}
}

func (s *soak) count(status int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statuses[status]++
	if err == nil && !malformed.Allowed(status) {
		err = fmt.Errorf("status %d", status)
	}
	if err != nil && len(s.failures) < 20 {
		s.failures = append(s.failures, err.Error())
	}
}

// A state contains the resource usage of the process while all clients pause.
type state struct {
	goroutines, descriptors int
	heap, resident          int64
}

// progress returns the part of the run that is over, from 0 to 1.
func (s *soak) progress(began time.Time) float64 {
	if s.duration > 0 {
		return float64(time.Since(began)) / float64(s.duration)
	}
	return float64(s.sent()) / float64(s.malformed)
}

// sent returns the number of malformed requests that were sent.
func (s *soak) sent() int { return s.malformed - int(max(0, s.remaining.Load())) }

// watch prints the rows, until the run is over. It returns an error if a resource has grown between
// the first and the last row.
func (s *soak) watch(ctx context.Context) error {
	fmt.Fprintf(s.out, "| after | requests | malformed | goroutines | descriptors | heap | resident |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	var states []state
	began := time.Now()
	for len(states) < s.rows && ctx.Err() == nil {
		if time.Sleep(pollInterval); s.progress(began) < float64(len(states)+1)/float64(s.rows) {
			continue
		}
		s.pause.Lock()
		now := measureIdle()
		s.pause.Unlock()
		states = append(states, now)
		fmt.Fprintf(s.out, "| %v | %d | %d | %d | %d | %d MiB | %d MiB |\n", time.Since(began).Round(time.Second), s.requests(), s.sent(),
			now.goroutines, now.descriptors, now.heap>>20, now.resident>>20)
	}
	return errors.Join(ctx.Err(), checkGrowth(states))
}

func (s *soak) requests() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, count := range s.statuses {
		n += count
	}
	return n
}

// checkGrowth returns an error if a resource has grown between the first and the last state. The
// first state includes the resources that the process always needs.
func checkGrowth(states []state) (err error) {
	if len(states) < 2 {
		return errors.New("there are fewer than two rows to compare")
	}
	first, last := states[0], states[len(states)-1]
	for _, g := range []struct {
		name        string
		first, last int64
		maxGrowth   int64
	}{
		{"goroutines", int64(first.goroutines), int64(last.goroutines), maxGoroutineGrowth},
		{"descriptors", int64(first.descriptors), int64(last.descriptors), maxDescriptorGrowth},
		{"bytes of heap", first.heap, last.heap, maxHeapGrowth},
	} {
		if g.last > g.first+g.maxGrowth {
			err = errors.Join(err, fmt.Errorf("%s have grown from %d to %d", g.name, g.first, g.last))
		}
	}
	return err
}

// pollInterval is the time between two checks of the progress.
const pollInterval = 50 * time.Millisecond

// settleTime is the time in which goroutines of finished requests may end.
const settleTime = 3 * time.Second

// measureIdle waits for goroutines to end, and returns the state.
func measureIdle() (now state) {
	now.goroutines = runtime.NumGoroutine()
	for range int(settleTime / (100 * time.Millisecond)) {
		time.Sleep(100 * time.Millisecond)
		now.goroutines = min(now.goroutines, runtime.NumGoroutine())
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	now.heap = int64(m.HeapAlloc) //nolint:gosec // far below the limit
	if open, err := os.ReadDir("/proc/self/fd"); err == nil {
		now.descriptors = len(open)
	}
	if text, err := os.ReadFile("/proc/self/statm"); err == nil {
		var size, resident int64
		if _, err := fmt.Sscan(string(text), &size, &resident); err == nil {
			now.resident = resident * int64(os.Getpagesize())
		}
	}
	return now
}

// result prints the number of responses by status, and returns the errors of the clients and of the
// log.
func (s *soak) result() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprintf(s.out, "\nResponses by status, 0 for no response to a truncated request: %v.\n", s.statuses)
	var err error
	for _, f := range s.failures {
		err = errors.Join(err, errors.New(f))
	}
	return errors.Join(err, s.log.err())
}

// An errorLog stores the lines of a log that report a fault of the server. It is safe for concurrent
// use.
type errorLog struct {
	mu    sync.Mutex
	lines []string
}

func (l *errorLog) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte("level=ERROR")) || bytes.Contains(b, []byte("panic")) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.lines) < 20 {
			l.lines = append(l.lines, string(b))
		}
	}
	return len(b), nil
}

func (l *errorLog) err() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		err = errors.Join(err, fmt.Errorf("the server logged: %s", strings.TrimSpace(line)))
	}
	return err
}
