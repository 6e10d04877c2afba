package uploadhttp

import (
	"context"
	"net"
	"net/http"
	"sync"
)

const (
	// readAheadSize is the size of the read-ahead buffer for chunked bodies. net/http reads
	// chunks through a buffer of 4 KiB, which would cost two system calls for each of the
	// client's chunks.
	readAheadSize = 256 << 10
	// receiveBuffer bounds the kernel's buffer for a body that Mixcloud receives more slowly
	// than the client sends.
	receiveBuffer = 1 << 20
)

// Listener prepares the connections of a server for bodies of gigabytes, together with
// [ConnContext]. Without both, uploads are slower, and the kernel buffers more of their bytes.
// Only HTTP/1.1 without TLS reads ahead: an HTTP/2 connection also carries other requests and
// has its own flow control, and TLS reads whole records anyway.
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

// ConnContext is the value of [http.Server.ConnContext].
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	if c, ok := c.(*conn); ok {
		return context.WithValue(ctx, connKey{}, c)
	}
	return ctx
}

// connOf returns the connection of a request if it can read ahead. It returns nil if the
// connection is not from a [Listener], or uses HTTP/2 or TLS.
func connOf(r *http.Request) *conn {
	if r.ProtoMajor != 1 {
		return nil
	}
	c, _ := r.Context().Value(connKey{}).(*conn)
	return c
}

// A conn is a connection that can read ahead. net/http never reads from two goroutines
// concurrently. Changes by a handler take effect at the next read. All methods except those of
// [net.Conn] do nothing on a nil conn.
type conn struct {
	net.Conn

	mu      sync.Mutex // guards the fields below; not held while reading
	ahead   []byte     // the buffer; nil if the conn does not read ahead
	r, w    int        // ahead[r:w] was read from the connection, but not yet by net/http
	reading bool       // a read into ahead is in progress
	stopped bool       // stop reading ahead when the buffer is empty
}

var readAheadBuffers = sync.Pool{New: func() any { return new([readAheadSize]byte) }}

// NetConn returns the underlying connection.
func (c *conn) NetConn() net.Conn { return c.Conn }

// startReadAhead prepares the connection for a large body, and reads ahead if it is chunked.
func (c *conn) startReadAhead(chunked bool) {
	if c == nil {
		return
	}
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(receiveBuffer) // on failure the default stays
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped = false; chunked && c.ahead == nil {
		c.ahead = readAheadBuffers.Get().(*[readAheadSize]byte)[:]
	}
}

// stopReadAhead stops the read-ahead. Buffered bytes can still be read.
func (c *conn) stopReadAhead() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	c.release()
}

// release returns an empty buffer to the pool.
func (c *conn) release() {
	if c.stopped && !c.reading && c.r == c.w && c.ahead != nil {
		readAheadBuffers.Put((*[readAheadSize]byte)(c.ahead))
		c.ahead, c.r, c.w = nil, 0, 0
	}
}

// buffered returns the number of buffered bytes.
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
	n, ahead := c.readBuffered(p)
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
		err = nil // the next read returns the error again
	}
	return n, err
}

// readBuffered copies buffered bytes to p. If no bytes are buffered, it returns the buffer to
// read into, or nil if c does not read ahead.
func (c *conn) readBuffered(p []byte) (n int, ahead []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n = copy(p, c.ahead[c.r:c.w])
	c.r += n
	c.release()
	c.reading = n == 0 && c.ahead != nil
	return n, c.ahead
}
