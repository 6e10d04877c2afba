// Package app puts the program together. It is the one package that knows all
// others; none knows it but main.
package app

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/connlimit"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/redis"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// An App is the server, put together and not yet listening.
type App struct {
	handler  http.Handler
	graph    http.Handler // what is at /graphql, without middleware
	store    *upstream.Store
	gate     *admission.Controller
	shared   *redis.Redis // nil if nothing is shared
	log      *slog.Logger
	drain    time.Duration
	conns    *connlimit.Limiter
	cert     *certificate // nil for plain HTTP
	reloads  reloads
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

// newOver is [New] over a client that is there already. Tune may change how
// Mixcloud is dealt with.
func newOver(cfg config.Serve, client *mixcloud.Client, demo *emulator.Emulator, log *slog.Logger, tune ...func(*upstream.Options)) (*App, error) {
	shared, err := newShared(cfg, log)
	if err != nil {
		return nil, err
	}
	entry, err := newAccess(cfg, client, shared, log)
	if err != nil {
		return nil, err
	}
	cert, err := newCertificate(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, &ConfigError{err}
	}
	store := newStore(cfg, client, entry, shared, log, tune)
	entry.exchanges.store = store
	gate := admission.New(runtime.GOMAXPROCS(0), cmp.Or(cfg.MaxWait, admission.DefaultMaxWait))
	conns := connlimit.New(connlimit.Limit(connlimit.Descriptors(), cfg.MaxUpstream), log)
	a := &App{store: store, gate: gate, conns: conns, cert: cert, shared: shared, log: log, drain: cfg.DrainTimeout, stop: make(chan struct{})}
	schema, around := newGraph(store, entry, shared, log)
	meter, err := newMeter(store, cfg.OperationBudget)
	if err != nil {
		return nil, err
	}
	bodies := graphhttp.NewBodies(max(unsentBytes(cfg.MemoryLimit)/4, 2*int64(cfg.MaxBody)))
	endpoint := a.endpoint(cfg, schema, around, meter, entry, bodies)
	if cert != nil {
		a.reloads.add("certificate", cert.Reload)
	}
	if cfg.Manifest != "" {
		load := func() error { return loadManifest(endpoint, cfg.Manifest) }
		if err := load(); err != nil {
			return nil, &ConfigError{err}
		}
		a.reloads.add("manifest", load)
	}
	a.graph = endpoint
	a.handler = a.routes(cfg, endpoint, bodies, entry, demo)
	if shared != nil {
		shared.Start(store.Forget)
	}
	return a, nil
}

// Endpoint returns what is at /graphql without any middleware, for measuring the middleware.
func (a *App) Endpoint() http.Handler { return a.graph }

// ServeHTTP answers as the server does, for tests and for mounting elsewhere.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Serve serves ln, and closes it, until ctx ends. Then it takes no new
// connections and returns when the requests in flight are answered: nil if
// they all were within the drain timeout. It is called once.
func (a *App) Serve(ctx context.Context, ln net.Listener) error {
	err := serve(ctx, ln, a, a.cert, a.conns, a.drain, a.log, func() {
		a.draining.Store(true)
		close(a.stop)
	})
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), closing)
	defer cancel()
	return errors.Join(err, a.Close(limit))
}

// Close ends what still goes on for nobody, such as answers that are fetched
// anew in the background, and waits until it has ended or ctx has. Who has
// called Serve need not call it.
func (a *App) Close(ctx context.Context) error {
	err := a.store.Close(ctx)
	if a.shared != nil {
		a.shared.Close(ctx)
	}
	return err
}

// closing is how long what nobody waits for may take to end.
const closing = 5 * time.Second
