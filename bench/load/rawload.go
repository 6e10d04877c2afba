package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/bench/process"
)

// A loadGenerator sends one request repeatedly, on raw sockets, because net/http's client needs as
// much processor time as the server. The server must have a processor for itself, so this process
// runs on another one.
type loadGenerator struct {
	server     *process.Process
	address    string
	request    []byte
	settleTime time.Duration // at the start of a phase, not counted

	good, refused, failed, unsent atomic.Int64
}

// newLoadGenerator returns a load generator, and pins this process to the second processor.
func newLoadGenerator(s *process.Process, q request) (*loadGenerator, error) {
	_, address, _ := strings.Cut(s.Address(), "://")
	l := &loadGenerator{server: s, address: address, settleTime: settleTime}
	l.request = fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", address, len(q.body), q.body)
	_, err := process.Pin(os.Getpid(), 1)
	return l, err
}

// A phase contains the counts of a period.
type phase struct {
	took                          time.Duration
	cpu                           time.Duration // of the server
	good, refused, failed, unsent int
}

func (p phase) perSecond(n int) float64 { return float64(n) / p.took.Seconds() }

// cost returns the processor time of each of n responses.
func (p phase) cost(n int) time.Duration { return p.cpu / time.Duration(max(n, 1)) }

// phase adds a source to the current load, waits for the settle time, and counts for the length of a
// phase. The source has stopped when phase returns.
func (l *loadGenerator) phase(ctx context.Context, more *source) phase {
	if more != nil {
		defer more.start(ctx)()
	}
	pause(ctx, l.settleTime)
	before, cpu, began := l.counts(), processorTime(l.server.Pid()), time.Now()
	pause(ctx, phaseLength)
	after := l.counts()
	return phase{
		time.Since(began), processorTime(l.server.Pid()) - cpu,
		after[0] - before[0], after[1] - before[1], after[2] - before[2], after[3] - before[3],
	}
}

func (l *loadGenerator) counts() [4]int {
	return [...]int{int(l.good.Load()), int(l.refused.Load()), int(l.failed.Load()), int(l.unsent.Load())}
}

// A source sends requests between start and stop.
type source struct {
	load *loadGenerator
	run  func(ctx context.Context, wg *sync.WaitGroup)
}

func (s *source) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { s.run(ctx, &wg) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// closedLoop returns a source with a number of connections, each of which sends its next request as
// soon as it has a response, refused or not.
func (l *loadGenerator) closedLoop(connections int) *source {
	return &source{l, func(ctx context.Context, wg *sync.WaitGroup) {
		for range connections {
			wg.Go(func() {
				c := &connection{load: l}
				defer c.closeOnDone(ctx)()
				for ctx.Err() == nil {
					c.roundTrip(ctx)
				}
			})
		}
	}}
}

// maxConnections is the maximum number of connections of an open loop.
const maxConnections = 8000

// openLoop returns a source that sends at a fixed rate, independent of the responses.
func (l *loadGenerator) openLoop(rate float64) *source {
	return &source{l, func(ctx context.Context, wg *sync.WaitGroup) {
		var free []*connection // a stack, so that some connections become idle
		var mu sync.Mutex
		connections, sent := 0, 0
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for began := time.Now(); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			for due := int(math.Floor(time.Since(began).Seconds() * rate)); sent < due; sent++ {
				mu.Lock()
				var c *connection
				if n := len(free); n > 0 {
					c, free = free[n-1], free[:n-1]
				}
				mu.Unlock()
				switch {
				case c != nil:
					c.send <- struct{}{}
				case connections >= maxConnections:
					l.unsent.Add(1)
				default:
					connections++
					c := &connection{load: l, send: make(chan struct{}, 1)}
					c.send <- struct{}{}
					wg.Go(func() {
						defer c.closeOnDone(ctx)()
						for {
							select {
							case <-ctx.Done():
								return
							case <-c.send:
							}
							c.roundTrip(ctx)
							mu.Lock()
							free = append(free, c)
							mu.Unlock()
						}
					})
				}
			}
		}
	}}
}

// A connection sends one request at a time. It is opened when it is needed.
type connection struct {
	load *loadGenerator
	send chan struct{} // receives when a request is due

	mu    sync.Mutex
	conn  net.Conn
	ended bool
	r     *bufio.Reader
}

// closeOnDone closes the connection when ctx ends, without waiting for a response.
func (c *connection) closeOnDone(ctx context.Context) (done func()) {
	stop := context.AfterFunc(ctx, c.close)
	return func() {
		stop()
		c.close()
	}
}

func (c *connection) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.conn != nil {
		_ = c.conn.Close()
	}
}

func (c *connection) dial(ctx context.Context) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", c.load.address)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		_ = conn.Close()
	}
	c.conn = conn
	if c.r == nil {
		c.r = bufio.NewReaderSize(conn, 4<<10)
	} else {
		c.r.Reset(conn)
	}
	return nil
}

// roundTrip sends the request and counts the response.
func (c *connection) roundTrip(ctx context.Context) {
	count := &c.load.failed
	status, good, err := c.exchange(ctx)
	switch {
	case ctx.Err() != nil:
		return
	case err != nil:
		c.mu.Lock()
		if c.conn != nil {
			_ = c.conn.Close()
		}
		c.conn = nil
		c.mu.Unlock()
		pause(ctx, 10*time.Millisecond)
	case status == 503:
		count = &c.load.refused
	case status == 200 && good:
		count = &c.load.good
	}
	count.Add(1)
}

// exchange sends the request, and returns the status of the response and whether it has no errors.
func (c *connection) exchange(ctx context.Context) (status int, good bool, err error) {
	if c.conn == nil {
		if err := c.dial(ctx); err != nil {
			return 0, false, err
		}
	}
	if _, err := c.conn.Write(c.load.request); err != nil {
		return 0, false, err
	}
	length := -1
	for first := true; ; first = false {
		line, err := c.r.ReadSlice('\n')
		switch {
		case err != nil:
			return 0, false, err
		case first:
			if len(line) < 12 {
				return 0, false, errors.New("the response has no status line")
			}
			status, err = strconv.Atoi(string(line[9:12]))
		case bytes.HasPrefix(line, []byte("Content-Length: ")):
			length, err = strconv.Atoi(string(bytes.TrimSpace(line[16:])))
		}
		if err != nil {
			return 0, false, err
		}
		if len(line) == 2 {
			break
		}
	}
	if length < 0 {
		return 0, false, errors.New("the response has no Content-Length")
	}
	begin, err := c.r.Peek(min(length, 10))
	if err != nil {
		return 0, false, err
	}
	good = !bytes.HasPrefix(begin, []byte(`{"errors":`))
	_, err = io.CopyN(io.Discard, c.r, int64(length))
	return status, good, err
}
