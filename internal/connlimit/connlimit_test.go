package connlimit

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const limit = 4

// A server accepts a limited number of connections. Requests for /wait get a
// response when release is closed.
type server struct {
	*http.Server
	address string
	waiting chan struct{} // one value for each waiting request
	idle    chan struct{} // one value for each connection that becomes idle
	release chan struct{}
	log     *syncBuffer
	served  chan error
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{waiting: make(chan struct{}, 100), idle: make(chan struct{}, 100), release: make(chan struct{}), log: new(syncBuffer), served: make(chan error, 1)}
	l := New(limit, slog.New(slog.NewTextHandler(s.log, nil)))
	s.Server = &http.Server{
		ConnState: func(c net.Conn, state http.ConnState) {
			l.ConnState(c, state)
			if state == http.StateIdle {
				s.idle <- struct{}{}
			}
		},
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				s.waiting <- struct{}{}
				<-s.release
			}
		}),
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	go func() { s.served <- s.Serve(l.Listener(wrappedListener{ln})) }()
	t.Cleanup(func() { _ = s.Server.Close() })
	return s
}

// wrappedListener hides the type of its connections, like the server's own
// listener.
type wrappedListener struct{ net.Listener }

type wrappedConn struct{ net.Conn }

func (c wrappedConn) NetConn() net.Conn { return c.Conn }

func (w wrappedListener) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	return wrappedConn{c}, err
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// A client has one connection.
type client struct {
	net.Conn
	r *bufio.Reader
}

func (s *server) dial(t *testing.T) *client {
	t.Helper()
	c, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // for a failing test
	return &client{c, bufio.NewReader(c)}
}

func (c *client) send(path string) { _, _ = fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path) }

func (c *client) response() error {
	resp, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// get sends a request and waits until the connection is idle again.
func (s *server) get(t *testing.T, c *client) {
	t.Helper()
	c.send("/")
	if err := c.response(); err != nil {
		t.Fatalf("no response: %v", err)
	}
	<-s.idle
}

// A new connection replaces the one that has been idle for the longest time.
func TestLimiter_ClosesIdle(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var clients []*client
	for range limit {
		c := s.dial(t)
		s.get(t, c)
		clients = append(clients, c)
	}
	s.get(t, clients[0])  // now the second has been idle for the longest time
	for range limit - 1 { // as many new ones as there are idle ones besides the first
		s.get(t, s.dial(t))
	}
	for _, c := range clients[1:] {
		if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
			t.Errorf("read from a connection that was idle: error %v, want EOF because the limiter closed it", err)
		}
	}
	s.get(t, clients[0])
	if got := strings.Count(s.log.String(), "connection limit reached"); got != 1 {
		t.Errorf("%d log entries, want 1:\n%s", got, s.log)
	}
}

// Connections that never complete a request cannot block others.
func TestLimiter_ConnectionsWithoutRequests(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for range 10 * limit {
		_, _ = s.dial(t).Write([]byte("GET / HTTP/1.1\r\nHost: ")) // incomplete
	}
	s.get(t, s.dial(t))
}

// While all connections have a request, new ones wait, and no connection is closed.
func TestLimiter_AllBusy(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var clients []*client
	for range limit + 1 { // one above the limit is accepted
		c := s.dial(t)
		c.send("/wait")
		<-s.waiting
		clients = append(clients, c)
	}
	late := s.dial(t)
	late.send("/wait")
	select {
	case <-s.waiting:
		t.Error("a request reached the handler on a connection above the limit")
	case <-time.After(50 * time.Millisecond): // a wait that is too short can only hide a failure
	}
	close(s.release)
	for _, c := range append(clients, late) {
		if err := c.response(); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(s.log.String(), "connection limit reached") {
		t.Errorf("the log does not contain \"connection limit reached\": %s", s.log)
	}
}

// A server that waits for room can be stopped.
func TestLimiter_Shutdown(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	for range limit + 1 {
		s.dial(t).send("/wait")
		<-s.waiting
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.Shutdown(context.WithoutCancel(t.Context())) }()
	if err := <-s.served; !errors.Is(err, http.ErrServerClosed) {
		t.Error(err)
	}
	close(s.release)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ descriptors, calls, want int }{
		{16, 32, 4},
		{64, 32, 16},
		{256, 32, 192},
		{1024, 32, 768},
		{1024, 1024, 256},
		{1 << 20, 32, maxConnections},
		{1, 32, 1},
	} {
		if got := Limit(tt.descriptors, tt.calls); got != tt.want {
			t.Errorf("Limit(%d, %d) = %d, want %d", tt.descriptors, tt.calls, got, tt.want)
		}
	}
	if got := Descriptors(); got < 64 {
		t.Errorf("Descriptors() = %d, want at least 64", got)
	}
}
