package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// minimumProcessorTime is the minimum processor time of a measurement. /proc counts in units of 10
// ms, so the error is then a few percent. On a busy machine a measurement lasts up to twice the
// configured duration to reach it.
const minimumProcessorTime = 300 * time.Millisecond

// load sends a query on a number of connections, with new variables in each request or with the same ones, and measures
// the processor time of the server.
func (b *bench) load(ctx context.Context, s *server, q query, repeats bool) (m loadMeasure, err error) {
	if repeats { // the first request is not counted
		if _, err := s.send(ctx, q.body(s.queries, 0)); err != nil {
			return m, fmt.Errorf("%s: %s: %w", s.name, q.name, err)
		}
	}
	g := newLoadGenerator(s, q, repeats)
	g.last.Store(b.next)
	calls, began := b.mixcloud.calls.Load(), time.Now()
	before, err := s.process.ProcessorTime()
	if err != nil {
		return m, err
	}
	traffic, stop := context.WithCancel(ctx)
	defer stop()
	var group sync.WaitGroup
	for range b.connections {
		group.Go(func() { g.run(ctx, traffic) })
	}
	for {
		time.Sleep(b.duration / 10)
		now, err := s.process.ProcessorTime()
		if err != nil {
			return m, err
		}
		took := time.Since(began)
		if took >= 2*b.duration || took >= b.duration && now-before >= minimumProcessorTime || ctx.Err() != nil {
			break
		}
	}
	stop()
	group.Wait() // responses to all requests have arrived
	after, err := s.process.ProcessorTime()
	if err != nil || ctx.Err() != nil {
		return m, cmp.Or(err, ctx.Err())
	}
	b.next = g.last.Load()
	m = loadMeasure{int(g.requests.Load()), int(g.failed.Load()), int(b.mixcloud.calls.Load() - calls), after - before}
	if text, ok := g.failure.Load().(string); ok {
		fmt.Fprintf(b.progress, "compare: %s: %s: %d of %d requests failed, such as: %s\n", s.name, q.name, m.failed, m.requests, text)
	}
	return m, nil
}

// A loadGenerator sends a query to a server, on connections of its own: net/http's client would need as much processor
// time as the server, and the server would wait for it.
type loadGenerator struct {
	address string
	query   query
	queries string // folder
	repeats bool

	last             atomic.Int64 // number of the last new variables
	requests, failed atomic.Int64
	failure          atomic.Value // string: one of the errors
}

func newLoadGenerator(s *server, q query, repeats bool) *loadGenerator {
	_, address, _ := strings.Cut(s.process.Address(), "://")
	return &loadGenerator{address: address, query: q, queries: s.queries, repeats: repeats}
}

// run sends requests on one connection until traffic ends. It waits for the response to the last one.
func (g *loadGenerator) run(ctx, traffic context.Context) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", g.address)
	if err != nil {
		g.fail(err)
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	r := bufio.NewReaderSize(conn, 64<<10)
	for traffic.Err() == nil {
		var n int64
		if !g.repeats {
			n = g.last.Add(1)
		}
		g.requests.Add(1)
		reusable, err := g.exchange(conn, r, g.query.body(g.queries, n))
		if err != nil {
			g.fail(err)
		}
		if !reusable {
			return
		}
	}
}

func (g *loadGenerator) fail(err error) {
	g.failed.Add(1)
	g.failure.Store(err.Error())
}

// exchange sends the body of a request, and reads the response. It reports whether the connection
// can be used for another request, and returns an error unless the response has status 200 and no
// errors.
func (g *loadGenerator) exchange(conn net.Conn, r *bufio.Reader, body []byte) (reusable bool, err error) {
	request := fmt.Appendf(nil, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", g.address, len(body), body)
	if _, err := conn.Write(request); err != nil {
		return false, err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	var begin [len(errorsFirst)]byte
	if _, err := io.ReadFull(resp.Body, begin[:]); err != nil {
		return false, err
	}
	if resp.StatusCode != http.StatusOK || string(begin[:]) == errorsFirst {
		err = fmt.Errorf("status %d, the response begins with %s", resp.StatusCode, begin)
	}
	_, copied := io.Copy(io.Discard, resp.Body)
	return copied == nil && !resp.Close, cmp.Or(err, copied)
}
