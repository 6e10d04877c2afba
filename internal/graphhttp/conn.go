package graphhttp

import (
	"context"
	"net"
	"net/http"
	"sync"
)

const (
	// readAhead is how much of a chunked body is read from the connection at
	// once. net/http reads chunks through a buffer of four kibibytes, which
	// would cost two system calls for each of the client's chunks.
	readAhead = 256 << 10
	// receiveBuffer bounds what the kernel accepts for a body that Mixcloud
	// takes more slowly than the client sends.
	receiveBuffer = 1 << 20
)

// Listener makes the connections of a server ready for bodies of gigabytes,
// together with [ConnContext]. Without both, uploads are slower, and more of
// them is on its way at once. Only HTTP/1.1 without TLS reads ahead: an HTTP/2
// connection carries other requests too, and has flow control of its own, and
// TLS reads whole records anyway.
func Listener(ln net.Listener) net.Listener { return listener{ln} }

type listener struct{ net.Listener }

// Accept implements [net.Listener].
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c}, nil
}

type connKey struct{}

// ConnContext is for a server's option of the same name.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// connOf returns the connection of a request that may read ahead: nil if it is not of a [Listener], or speaks HTTP/2 or TLS.
func connOf(r *http.Request) *conn {
	if r.ProtoMajor != 1 {
		return nil
	}
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// A conn can read ahead. net/http never reads from two goroutines at once; what
// a handler sets is seen by the read that follows.
type conn struct {
	net.Conn

	mu      sync.Mutex // of what follows; not held while reading
	ahead   []byte     // nil unless it reads ahead
	r, w    int        // what was read ahead is ahead[r:w]
	reading bool       // into ahead
	stop    bool       // reading ahead, once this is used up
}

var aheads = sync.Pool{New: func() any { return new([readAhead]byte) }}

// NetConn returns the connection that c reads ahead of.
func (c *conn) NetConn() net.Conn { return c.Conn }

// widen prepares the connection for a large body, chunked or not. On a nil conn
// it does nothing, as the other methods do.
func (c *conn) widen(chunked bool) {
	if c == nil {
		return
	}
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(receiveBuffer) // better than nothing is what there was
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop = false; chunked && c.ahead == nil {
		c.ahead = aheads.Get().(*[readAhead]byte)[:]
	}
}

// narrow ends the reading ahead. What was read ahead is still to be read.
func (c *conn) narrow() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop = true
	c.release()
}

// release gives up a buffer that is used up.
func (c *conn) release() {
	if c.stop && !c.reading && c.r == c.w && c.ahead != nil {
		aheads.Put((*[readAhead]byte)(c.ahead))
		c.ahead, c.r, c.w = nil, 0, 0
	}
}

// buffered is how much was read ahead.
func (c *conn) buffered() int {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.w - c.r
}

// Read implements [net.Conn].
func (c *conn) Read(p []byte) (int, error) {
	n, ahead := c.take(p)
	if n > 0 {
		return n, nil
	}
	if ahead == nil {
		return c.Conn.Read(p)
	}
	read, err := c.Conn.Read(ahead)
	c.mu.Lock()
	defer c.mu.Unlock()
	n = copy(p, ahead[:read])
	c.r, c.w, c.reading = n, read, false
	c.release()
	if n > 0 {
		err = nil // it comes again with the next read
	}
	return n, err
}

// take gives what was read ahead, or where to read to.
func (c *conn) take(p []byte) (n int, ahead []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = copy(p, c.ahead[c.r:c.w])
	c.r += n
	c.release()
	c.reading = n == 0 && c.ahead != nil
	return n, c.ahead
}
