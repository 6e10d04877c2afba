package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"mixcloud-graphql/internal/connlimit"
	"mixcloud-graphql/internal/uploadhttp"
)

const (
	// maxStreams is the maximum number of concurrent requests on one HTTP/2 connection.
	maxStreams = 100
	// http2WriteTimeout is how long an HTTP/2 connection may accept no bytes before it is closed. The deadlines of its
	// requests do not end writes that are blocked on the connection.
	http2WriteTimeout = 30 * time.Second
)

// newServer returns a server for HTTP/1.1 and HTTP/2, with TLS if cert is not nil. HTTP/2 without TLS needs a client
// with "prior knowledge", since nothing negotiates the protocol.
func newServer(h http.Handler, cert *certificate, conns *connlimit.Limiter, log *slog.Logger) *http.Server {
	srv := &http.Server{
		Handler:           h,
		ConnContext:       uploadhttp.ConnContext,
		ConnState:         conns.ConnState,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		Protocols:         new(http.Protocols),
		HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: maxStreams, WriteByteTimeout: http2WriteTimeout},
	}
	srv.Protocols.SetHTTP1(true)
	if cert == nil {
		srv.Protocols.SetUnencryptedHTTP2(true)
	} else {
		srv.Protocols.SetHTTP2(true)
		srv.TLSConfig = cert.config()
	}
	return srv
}

// serve does the work of [App.Serve] for any handler. It calls stopping when draining begins.
func serve(ctx context.Context, ln net.Listener, h http.Handler, cert *certificate, conns *connlimit.Limiter, drain time.Duration, log *slog.Logger, stopping func()) error {
	// Requests are not canceled when ctx ends, but when the drain timeout has passed.
	requests, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	srv := newServer(h, cert, conns, log)
	srv.BaseContext = func(net.Listener) context.Context { return requests }
	served := make(chan error, 1)
	go func() {
		ln := conns.Listener(uploadhttp.Listener(ln))
		if cert == nil {
			served <- srv.Serve(ln)
		} else {
			served <- srv.ServeTLS(ln, "", "")
		}
	}()
	select {
	case err := <-served: // never nil, and not yet ErrServerClosed
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}

	stopping()
	log.Info("draining", "timeout", drain)
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := srv.Shutdown(limit)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		_ = srv.Close() // before abort, so that no client takes a truncated response for a complete one
		abort()
		return fmt.Errorf("requests were still in flight %v after the signal to stop", drain)
	}
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	log.Info("drained")
	return nil
}
