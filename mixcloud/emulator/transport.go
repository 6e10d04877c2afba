package emulator

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
)

// inProcess marks a request that came through [Emulator.Transport].
type inProcess struct{}

// Transport returns a transport that passes requests to the emulator without a
// socket, regardless of their host. Bodies stream in both directions, a request can be
// canceled at any point, and resets and truncated bodies are errors as on a real
// connection. It waits only with timers of package time, so it works inside a
// testing/synctest bubble. No goroutine remains after the body of a response was
// closed or read to its end.
func (e *Emulator) Transport() http.RoundTripper { return transport{e} }

type transport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithValue(req.Context(), inProcess{}, true))
	x := &responseStream{ctx: ctx, cancel: cancel, header: make(http.Header), ready: make(chan struct{})}

	in := req.Clone(ctx)
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.URL.Path == "" {
		in.URL.Path = "/"
	}
	if req.URL.Scheme == "https" {
		in.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, HandshakeComplete: true}
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.Body = &onceCloser{ReadCloser: in.Body}
	go x.serve(t.handler, in)

	select {
	case <-x.ready:
	case <-req.Context().Done(): // not ctx, which is canceled when the handler returns
		cancel()
		return nil, context.Cause(req.Context())
	}
	if x.body == nil {
		return nil, x.err
	}
	return x.response(req), nil
}

// A responseStream is the [http.ResponseWriter] of one request. It buffers the body
// until the first flush; from then on it writes to a pipe.
type responseStream struct {
	ctx    context.Context
	cancel context.CancelFunc
	header http.Header
	ready  chan struct{} // closed when the response can be returned

	once        sync.Once
	wroteHeader bool // WriteHeader was called
	status      int
	sent        http.Header
	length      int64
	head        bool
	buffer      bytes.Buffer
	pipe        *io.PipeWriter // nil until the first flush
	body        io.ReadCloser
	err         error // the error with which the handler ended
}

func (x *responseStream) serve(h http.Handler, in *http.Request) {
	x.head = in.Method == http.MethodHead
	stop := context.AfterFunc(x.ctx, func() { _ = in.Body.Close() }) // unblocks a handler that reads it
	defer func() {
		stop()
		defer x.cancel()
		switch p := recover(); {
		case p == nil:
		case p == http.ErrAbortHandler:
			x.err = io.ErrUnexpectedEOF
			if !x.wroteHeader {
				x.err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
			}
			if err := in.Context().Err(); err != nil {
				x.err = err
			}
		default:
			x.err = fmt.Errorf("emulator: panic: %v", p)
		}
		_ = in.Body.Close()
		if x.pipe != nil {
			_ = x.pipe.CloseWithError(x.err) // nil means io.EOF
			return
		}
		if x.err == nil && !x.wroteHeader {
			x.WriteHeader(http.StatusOK)
		}
		if x.wroteHeader {
			x.body = &bufferedBody{rest: bytes.NewReader(x.buffer.Bytes()), end: x.err}
		}
		close(x.ready)
	}()
	h.ServeHTTP(x, in)
}

// Header implements [http.ResponseWriter].
func (x *responseStream) Header() http.Header { return x.header }

// WriteHeader implements [http.ResponseWriter].
func (x *responseStream) WriteHeader(status int) {
	x.once.Do(func() {
		x.wroteHeader, x.status, x.sent, x.length = true, status, x.header.Clone(), -1
		if n, err := strconv.ParseInt(x.header.Get("Content-Length"), 10, 64); err == nil {
			x.length = n
		}
	})
}

// Write implements [http.ResponseWriter].
func (x *responseStream) Write(p []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	if x.head {
		return len(p), nil
	}
	if x.pipe != nil {
		return x.pipe.Write(p)
	}
	return x.buffer.Write(p)
}

// FlushError makes the data available that was written so far.
// [http.ResponseController] calls it.
func (x *responseStream) FlushError() error {
	x.WriteHeader(http.StatusOK)
	if x.pipe != nil {
		return nil
	}
	r, w := io.Pipe()
	first := bytes.Clone(x.buffer.Bytes())
	x.pipe = w
	x.body = &streamedBody{Reader: io.MultiReader(bytes.NewReader(first), r), pipe: r, cancel: x.cancel}
	context.AfterFunc(x.ctx, func() { _ = w.CloseWithError(context.Cause(x.ctx)) }) // unblocks both sides
	close(x.ready)
	return nil
}

func (x *responseStream) response(req *http.Request) *http.Response {
	return &http.Response{
		Status:     strconv.Itoa(x.status) + " " + http.StatusText(x.status),
		StatusCode: x.status,
		Proto:      "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header:        x.sent,
		Body:          x.body,
		ContentLength: x.length,
		Request:       req,
	}
}

// A bufferedBody is a complete body.
type bufferedBody struct {
	rest   *bytes.Reader
	end    error // instead of io.EOF
	closed bool
}

// Read returns the body's bytes and then the handler's error.
func (b *bufferedBody) Read(p []byte) (int, error) {
	if b.closed {
		return 0, errors.New("emulator: read on a closed body")
	}
	n, err := b.rest.Read(p)
	if err == io.EOF && b.end != nil {
		err = b.end
	}
	return n, err
}

// Close implements [io.Closer].
func (b *bufferedBody) Close() error {
	b.closed = true
	return nil
}

// A streamedBody is a body that the handler still writes.
type streamedBody struct {
	io.Reader
	pipe   *io.PipeReader
	cancel context.CancelFunc
}

// Close also cancels the handler.
func (b *streamedBody) Close() error {
	b.cancel()
	return b.pipe.Close()
}

// A onceCloser is a body that can be closed several times.
type onceCloser struct {
	io.ReadCloser
	once sync.Once
	err  error
}

// Close implements [io.Closer].
func (b *onceCloser) Close() error {
	b.once.Do(func() { b.err = b.ReadCloser.Close() })
	return b.err
}
