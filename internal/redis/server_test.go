package redis

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/redisurl"

	"github.com/redis/rueidis"
)

// A replica is the Redis of one process, with its log and the invalidations that it received.
type replica struct {
	*Redis
	log *logBuffer

	mu          sync.Mutex
	invalidated []string
}

var testSecret = []byte("a secret of all replicas of the tests")

// settings are Options with more settings for tests.
type settings struct {
	Options
	// timeout is that of reads. It is long by default, because the machine may be busy with other
	// tests.
	timeout time.Duration
	// clockOffset is the error of the replica's clock.
	clockOffset time.Duration
}

func realTimeout(o *settings) { o.timeout = readTimeout }

func open(t *testing.T, url redisurl.URL, change ...func(*settings)) *replica {
	t.Helper()
	r := &replica{log: new(logBuffer)}
	o := settings{timeout: 5 * time.Second}
	o.Options = Options{
		URL: url, Secret: testSecret,
		Log: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&o)
	}
	var err error
	if r.Redis, err = Open(o.Options); err != nil {
		t.Fatal(err)
	}
	r.conn.timeout = o.timeout
	r.conn.clock = func() time.Time { return time.Now().Add(o.clockOffset) }
	r.Start(func(principal string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.invalidated = append(r.invalidated, principal)
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		r.Close(ctx)
		if ctx.Err() != nil {
			t.Error("Close takes longer than 5 s")
		}
	})
	return r
}

// ready opens a replica and waits until it is connected.
func ready(t *testing.T, url redisurl.URL, change ...func(*settings)) *replica {
	t.Helper()
	r := open(t, url, change...)
	r.waitUp(t, true)
	return r
}

func (r *replica) waitUp(t *testing.T, up bool) {
	t.Helper()
	eventually(t, func() bool { return r.Stats().Up == up })
}

// eventually waits until ok returns true, for changes in another process.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-ticker.C:
		case <-limit:
			t.Fatal("condition is not true after two minutes")
		}
	}
}

// A logBuffer is a log that tests read.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A proxy forwards connections to a server and simulates faults.
type proxy struct {
	ln          net.Listener
	to          string
	delay       atomic.Int64 // before each chunk from the server
	cutAfter    atomic.Int64 // number of bytes from the server after which the connection is closed; 0 for no limit
	dropReplies atomic.Bool  // discards the server's replies
	refuse      atomic.Bool  // closes new connections at once
	sent        atomic.Int64 // number of chunks from clients

	mu    sync.Mutex
	conns map[net.Conn]bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, to: to, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		ln.Close()
		p.closeConnections()
	})
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(conn)
		}
	}()
	return p
}

func (p *proxy) url() redisurl.URL { return redisurl.URL("redis://" + p.ln.Addr().String()) }

func (p *proxy) serve(in net.Conn) {
	out, err := net.Dial("tcp", p.to)
	if err != nil || p.refuse.Load() {
		in.Close()
		if err == nil {
			out.Close()
		}
		return
	}
	p.mu.Lock()
	p.conns[in], p.conns[out] = true, true
	p.mu.Unlock()
	go func() {
		defer out.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := in.Read(buf)
			if err != nil {
				return
			}
			p.sent.Add(1)
			if _, err := out.Write(buf[:n]); err != nil {
				return
			}
		}
	}()
	buf := make([]byte, 64<<10)
	for {
		n, err := out.Read(buf)
		if err != nil {
			break
		}
		if d := time.Duration(p.delay.Load()); d > 0 {
			<-time.After(d)
		}
		if p.dropReplies.Load() {
			continue
		}
		limit := int(p.cutAfter.Load())
		if limit > 0 {
			n = min(n, limit)
		}
		if _, err := in.Write(buf[:n]); err != nil || limit > 0 {
			break
		}
	}
	in.Close()
	p.mu.Lock()
	delete(p.conns, in)
	delete(p.conns, out)
	p.mu.Unlock()
}

// closeConnections resets all connections.
func (p *proxy) closeConnections() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
}

// newTestOptions returns the options of a client without a server.
func newTestOptions() rueidis.ClientOption {
	return rueidis.ClientOption{InitAddress: []string{"127.0.0.1:1"}}
}
