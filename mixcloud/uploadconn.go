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

// maxUnsent is how much of an upload may wait in the kernel, in bytes.
const maxUnsent = 512 << 10

// uploadTransport is made for bodies of gigabytes. It has connections of its
// own, speaks HTTP/1.1, where a body is one stream of large pieces, and leaves
// it to the context how long an answer may take: Mixcloud looks at an upload
// when it has all of it.
func uploadTransport() *http.Transport {
	t := defaultTransport()
	t.ForceAttemptHTTP2 = false
	t.Protocols = new(http.Protocols)
	t.Protocols.SetHTTP1(true)
	t.ResponseHeaderTimeout = 0
	t.WriteBufferSize = 257 << 10 // a piece of a file, with its head, in one system call
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		boundUnsent(conn)
		return &uploadConn{Conn: conn, closed: make(chan struct{})}, nil
	}
	return t
}

// An uploadConn is a connection of uploadTransport. It makes up for two things
// that net/http does to a body: one of known length is copied through a buffer
// of 32 KiB, and while a body waits for its next bytes nobody is told that the
// connection is gone.
type uploadConn struct {
	net.Conn
	closed chan struct{} // when either side has closed it
	once   sync.Once
}

// Close implements [net.Conn]. net/http calls it as soon as the other side has
// closed or reset the connection.
func (c *uploadConn) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

// ReadFrom implements [io.ReaderFrom]: it has an upload's body written in the
// pieces in which it comes. The body itself stays within its length.
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

// uploadConnOf returns the connection below TLS; nil for one of another
// transport.
func uploadConnOf(conn net.Conn) *uploadConn {
	if below, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = below.NetConn()
	}
	c, _ := conn.(*uploadConn)
	return c
}

var errConnClosed = errors.New("the connection was closed before an answer came")

// doUpload is client.Do for a request whose body waits for somebody else: it
// returns when the connection is gone, even if a read of the body is still under
// way. net/http would wait for that read.
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
		GotConn: func(info httptrace.GotConnInfo) { // again when it was a stale one
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
		o.resp, o.err = client.Do(req) //nolint:bodyclose // it is closed by the caller, or below
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
			closed, grace = nil, time.After(answerGrace) // an answer may be on its way
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
