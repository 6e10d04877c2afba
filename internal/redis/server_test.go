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

// A replica is one process's Redis, with what it has logged and forgotten.
type replica struct {
	*Redis
	log *lines

	mu        sync.Mutex
	forgotten []string
}

var testSecret = []byte("a secret of all replicas of the tests")

// settings are Options and what tests may set besides.
type settings struct {
	Options
	// timeout is how long a read may take: for ever, as it were, where nothing goes
	// wrong but that the machine is busy with other tests.
	timeout time.Duration
	// off is by how much the replica's clock is wrong.
	off time.Duration
}

func realTimeout(o *settings) { o.timeout = readTimeout }

func open(t *testing.T, url redisurl.URL, change ...func(*settings)) *replica {
	t.Helper()
	r := &replica{log: new(lines)}
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
	r.conn.clock = func() time.Time { return time.Now().Add(o.off) }
	r.Start(func(principal string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.forgotten = append(r.forgotten, principal)
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

// ready opens a replica and waits until Redis is there.
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

// eventually waits for another process, which no clock of ours governs.
func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-ticker.C:
		case <-limit:
			t.Fatal("does not happen within two minutes")
		}
	}
}

// lines is a log that tests read.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A proxy stands between a client and a server and misbehaves.
type proxy struct {
	ln    net.Listener
	to    string
	delay atomic.Int64 // of each piece that the server sends
	rest  atomic.Int64 // so many bytes of an answer get through, then the connection breaks; 0 for all
	mute  atomic.Bool  // the server's answers are lost
	deny  atomic.Bool  // new connections are closed at once
	sent  atomic.Int64 // pieces that clients have sent

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
		p.cut()
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
	if err != nil || p.deny.Load() {
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
		if p.mute.Load() {
			continue
		}
		rest := int(p.rest.Load())
		if rest > 0 {
			n = min(n, rest)
		}
		if _, err := in.Write(buf[:n]); err != nil || rest > 0 {
			break
		}
	}
	in.Close()
	p.mu.Lock()
	delete(p.conns, in)
	delete(p.conns, out)
	p.mu.Unlock()
}

// cut breaks all connections, wherever they are.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		conn.Close()
	}
}

// newTestOptions are of a server that is not there.
func newTestOptions() rueidis.ClientOption {
	return rueidis.ClientOption{InitAddress: []string{"127.0.0.1:1"}}
}
