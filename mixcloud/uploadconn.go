package mixcloud

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// maxUnsent is the maximum size of the kernel's buffer of an upload, in bytes.
const maxUnsent = 512 << 10

// uploadTransport returns a transport for bodies of gigabytes. It has its own
// connections and uses HTTP/1.1, which sends a body in large pieces. It has no
// timeout for the response, because Mixcloud processes an upload before it
// responds; the context ends a call.
func uploadTransport() *http.Transport {
	t := defaultTransport()
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ResponseHeaderTimeout = 0
	t.WriteBufferSize = 257 << 10 // a piece of a file and its header fit into one system call
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		limitUnsent(conn)
		return &uploadConn{Conn: conn, closed: make(chan struct{})}, nil
	}
	return t
}

// An uploadConn is a connection of uploadTransport. It works around two properties
// of net/http: net/http copies a body of known length through a buffer of 32 KiB,
// and does not report a closed connection while it waits for the next bytes of a
// body.
type uploadConn struct {
	net.Conn
	closed chan struct{} // closed when either side has closed the connection
	once   sync.Once
}

// Close implements [net.Conn]. net/http calls it as soon as the other side has
// closed or reset the connection.
func (c *uploadConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// ReadFrom implements [io.ReaderFrom]. It calls WriteTo of an uploadBody, which
// limits itself to the body's length.
func (c *uploadConn) ReadFrom(r io.Reader) (int64, error) {
	if limited, ok := r.(*io.LimitedReader); ok {
		if body, ok := limited.R.(*uploadBody); ok {
			n, err := body.WriteTo(c.Conn)
			limited.N -= n
			return n, err
		}
	}
	return io.Copy(c.Conn, r)
}

// uploadConnOf returns the uploadConn that conn is or uses below TLS, or nil for
// the connection of another transport.
func uploadConnOf(conn net.Conn) *uploadConn {
	if below, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = below.NetConn()
	}
	c, _ := conn.(*uploadConn)
	return c
}

var errConnClosed = errors.New("the connection was closed before a response was received")

// doUpload sends a request like client.Do, but returns when the connection is
// closed, even if a read of the body has not returned yet. net/http would wait for
// that read.
func doUpload(client *http.Client, req *http.Request) (*http.Response, error) {
	type outcome struct {
		resp     *http.Response
		err      error
		panicked any
	}
	done, gone := make(chan outcome, 1), make(chan struct{})
	defer close(gone)
	conns := make(chan *uploadConn)
	req = req.WithContext(httptrace.WithClientTrace(req.Context(), &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) { // called again after a stale connection
			if conn := uploadConnOf(info.Conn); conn != nil {
				select {
				case conns <- conn:
				case <-gone:
				}
			}
		},
	}))
	go func() {
		var o outcome
		defer func() {
			o.panicked = recover()
			done <- o
		}()
		o.resp, o.err = client.Do(req) //nolint:bodyclose // the caller or the code below closes it
	}()
	var closed <-chan struct{}
	var grace <-chan time.Time
	for {
		select {
		case o := <-done:
			if o.panicked != nil {
				panic(o.panicked)
			}
			return o.resp, o.err
		case conn := <-conns:
			closed, grace = conn.closed, nil
		case <-closed:
			closed, grace = nil, time.After(responseGrace) // a response may still arrive
		case <-grace:
			go func() {
				if o := <-done; o.resp != nil {
					_ = o.resp.Body.Close()
				}
			}()
			return nil, errConnClosed
		}
	}
}
