// Package app puts the program together. It is the one package that knows all
// others; none knows it but main.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// An App is the server, put together and not yet listening.
type App struct {
	handler  http.Handler
	log      *slog.Logger
	drain    time.Duration
	draining atomic.Bool
	stop     chan struct{} // closed when draining begins
}

// New puts a server together. It makes no call. With cfg.Demo the address that
// browsers reach it under must be known: cfg.PublicURL must be set.
func New(cfg config.Serve, log *slog.Logger) (*App, error) {
	opts := []mixcloud.Option{
		mixcloud.WithAPIURL(cfg.APIURL),
		mixcloud.WithSiteURL(cfg.SiteURL),
		mixcloud.WithOEmbedURL(cfg.OEmbedURL),
		mixcloud.WithUserAgent(userAgent()),
	}
	var demo *emulator.Emulator
	if cfg.Demo {
		var err error
		if demo, opts, err = newDemo(&cfg); err != nil {
			return nil, err
		}
	}
	client, err := mixcloud.New(opts...)
	if err != nil {
		return nil, err
	}
	return newOver(cfg, client, demo, log)
}

// newOver is [New] over a client that is there already.
func newOver(cfg config.Serve, client *mixcloud.Client, demo *emulator.Emulator, log *slog.Logger) (*App, error) {
	a := &App{log: log, drain: cfg.DrainTimeout, stop: make(chan struct{})}
	entry, err := newAccess(cfg, client, log)
	if err != nil {
		return nil, err
	}
	schema, around, err := newGraph(cfg, client, entry, log)
	if err != nil {
		return nil, err
	}
	a.handler = a.routes(cfg, schema, around, entry, demo)
	return a, nil
}

// ServeHTTP answers as the server does, for tests and for mounting elsewhere.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Serve serves ln, and closes it, until ctx ends. Then it takes no new
// connections and returns when the requests in flight are answered: nil if
// they all were within the drain timeout. It is called once.
func (a *App) Serve(ctx context.Context, ln net.Listener) error {
	return serve(ctx, ln, a, a.drain, a.log, func() {
		a.draining.Store(true)
		close(a.stop)
	})
}

// serve is [App.Serve] for any handler. Stopping is called when draining begins.
func serve(ctx context.Context, ln net.Listener, h http.Handler, drain time.Duration, log *slog.Logger, stopping func()) error {
	// Requests outlive ctx while draining, but not the drain timeout.
	requests, abort := context.WithCancel(context.WithoutCancel(ctx))
	defer abort()
	srv := &http.Server{
		Handler:           h,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ConnContext:       graphhttp.ConnContext,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(graphhttp.Listener(ln)) }()
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
		abort()
		_ = srv.Close()
		return fmt.Errorf("requests were still in flight %v after the signal to stop", drain)
	}
	if err != nil {
		return fmt.Errorf("drain: %w", err)
	}
	log.Info("drained")
	return nil
}
