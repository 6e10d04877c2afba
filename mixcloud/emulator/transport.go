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

// Transport gives a transport that hands requests to the emulator without a
// socket, whatever host they name. Bodies stream in both directions, a request's
// context ends it at any point, resets and cut bodies are errors as on a real
// connection, and time passes by the time package's timers alone, so it works
// inside a testing/synctest bubble. No goroutine is left once a response's body
// is closed or read to its end.
func (e *Emulator) Transport() http.RoundTripper { return transport{e} }

type transport struct{ handler http.Handler }

// RoundTrip answers one request.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(context.WithValue(req.Context(), inProcess{}, true))
	x := &exchange{ctx: ctx, cancel: cancel, header: make(http.Header), ready: make(chan struct{})}

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
	case <-req.Context().Done(): // not ctx: the handler ends that itself when it is ready
		cancel()
		return nil, context.Cause(req.Context())
	}
	if x.body == nil {
		return nil, x.err
	}
	return x.response(req), nil
}

// An exchange is the handler's side of one request. Up to the first Flush the
// body is kept; from then on it goes through a pipe.
type exchange struct {
	ctx    context.Context
	cancel context.CancelFunc
	header http.Header
	ready  chan struct{} // closed when the response can be given out

	once   sync.Once
	begun  bool // a status was written
	status int
	sent   http.Header
	length int64
	head   bool
	kept   bytes.Buffer
	pipe   *io.PipeWriter // nil until the first Flush
	body   io.ReadCloser
	err    error // how the handler ended
}

func (x *exchange) serve(h http.Handler, in *http.Request) {
	x.head = in.Method == http.MethodHead
	stop := context.AfterFunc(x.ctx, func() { _ = in.Body.Close() }) // wakes a handler that reads it
	defer func() {
		stop()
		defer x.cancel()
		switch p := recover(); {
		case p == nil:
		case p == http.ErrAbortHandler:
			x.err = io.ErrUnexpectedEOF
			if !x.begun {
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
			_ = x.pipe.CloseWithError(x.err) // nil means the end
			return
		}
		if x.err == nil && !x.begun {
			x.WriteHeader(http.StatusOK)
		}
		if x.begun {
			x.body = &keptBody{left: bytes.NewReader(x.kept.Bytes()), end: x.err}
		}
		close(x.ready)
	}()
	h.ServeHTTP(x, in)
}

// Header is part of [http.ResponseWriter].
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader is part of [http.ResponseWriter].
func (x *exchange) WriteHeader(status int) {
	x.once.Do(func() {
		x.begun, x.status, x.sent, x.length = true, status, x.header.Clone(), -1
		if n, err := strconv.ParseInt(x.header.Get("Content-Length"), 10, 64); err == nil {
			x.length = n
		}
	})
}

// Write is part of [http.ResponseWriter].
func (x *exchange) Write(p []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	if x.head {
		return len(p), nil
	}
	if x.pipe != nil {
		return x.pipe.Write(p)
	}
	return x.kept.Write(p)
}

// FlushError gives out what was written so far; [http.ResponseController] calls
// it.
func (x *exchange) FlushError() error {
	x.WriteHeader(http.StatusOK)
	if x.pipe != nil {
		return nil
	}
	r, w := io.Pipe()
	first := bytes.Clone(x.kept.Bytes())
	x.pipe = w
	x.body = &pipedBody{Reader: io.MultiReader(bytes.NewReader(first), r), pipe: r, cancel: x.cancel}
	context.AfterFunc(x.ctx, func() { _ = w.CloseWithError(context.Cause(x.ctx)) }) // wakes both sides
	close(x.ready)
	return nil
}

func (x *exchange) response(req *http.Request) *http.Response {
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

// A keptBody is a body that is all there.
type keptBody struct {
	left   *bytes.Reader
	end    error // instead of io.EOF
	closed bool
}

// Read gives the body's bytes and then how the handler ended.
func (b *keptBody) Read(p []byte) (int, error) {
	if b.closed {
		return 0, errors.New("emulator: read on a closed body")
	}
	n, err := b.left.Read(p)
	if err == io.EOF && b.end != nil {
		err = b.end
	}
	return n, err
}

// Close is part of [io.Closer].
func (b *keptBody) Close() error {
	b.closed = true
	return nil
}

// A pipedBody is a body that the handler is still writing.
type pipedBody struct {
	io.Reader
	pipe   *io.PipeReader
	cancel context.CancelFunc
}

// Close ends the handler too.
func (b *pipedBody) Close() error {
	b.cancel()
	return b.pipe.Close()
}

// A onceCloser is a body that both the handler's end and the request's may close.
type onceCloser struct {
	io.ReadCloser
	once sync.Once
	err  error
}

// Close is part of [io.Closer].
func (b *onceCloser) Close() error {
	b.once.Do(func() { b.err = b.ReadCloser.Close() })
	return b.err
}
