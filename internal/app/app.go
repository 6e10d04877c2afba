// Package app wires the program together: it builds the server from the other packages and runs the commands of main.
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
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// An App is the server before it listens.
type App struct {
	handler  http.Handler
	endpoint *graphhttp.Handler // serves /graphql, without middleware
	graph    graph
	store    *upstream.Store
	admit    *admission.Controller
	shared   *redis.Redis // nil without --redis-url
	log      *slog.Logger
	drain    time.Duration
	conns    *connlimit.Limiter
	cert     *certificate // nil for plain HTTP
	reloads  reloads
	draining atomic.Bool
	stop     chan struct{} // closed when draining begins
}

// New builds a server from its configuration, without making a call. With cfg.Demo, cfg.PublicURL
// must be set to the URL that browsers use.
func New(cfg config.Serve, log *slog.Logger) (*App, error) {
	opts := []mixcloud.Option{
		mixcloud.WithAPIURL(cfg.APIURL),
		mixcloud.WithSiteURL(cfg.SiteURL),
		mixcloud.WithOEmbedURL(cfg.OEmbedURL),
		mixcloud.WithUserAgent(userAgent()),
		mixcloud.WithMiddleware(trace.Transport),
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
	return newApp(cfg, client, demo, log)
}

// NewWithClient is like [New], but uses an existing client, such as one that calls an emulator
// without a socket. It ignores the URLs in cfg, and cfg.Demo.
func NewWithClient(cfg config.Serve, client *mixcloud.Client, log *slog.Logger) (*App, error) {
	return newApp(cfg, client, nil, log)
}

// newApp builds a server with an existing client. Demo may be nil. The tune functions may change
// the store's options.
func newApp(cfg config.Serve, client *mixcloud.Client, demo *emulator.Emulator, log *slog.Logger, tune ...func(*upstream.Options)) (*App, error) {
	shared, err := newShared(cfg, log)
	if err != nil {
		return nil, err
	}
	authn, err := newAuthentication(cfg, client, shared, log)
	if err != nil {
		return nil, err
	}
	cert, err := newCertificate(cfg.TLSCert, cfg.TLSKey)
	if err != nil {
		return nil, &ConfigError{err}
	}
	store := newStore(cfg, client, authn, shared, log, tune)
	authn.exchanges.store = store
	admit := admission.New(runtime.GOMAXPROCS(0), cmp.Or(cfg.MaxWait, admission.DefaultMaxWait))
	conns := connlimit.New(connlimit.Limit(connlimit.Descriptors(), cfg.MaxUpstream), log)
	a := &App{store: store, admit: admit, conns: conns, cert: cert, shared: shared, log: log, drain: cfg.DrainTimeout, stop: make(chan struct{})}
	a.graph = newGraph(cfg, store, authn, shared, log)
	meter, err := newMeter(store, cfg.OperationBudget)
	if err != nil {
		return nil, err
	}
	bodies := graphhttp.NewBodyMemory(max(unsentBytes(cfg.MemoryLimit, cfg.CacheBytes)/4, 2*int64(cfg.MaxBody)))
	a.endpoint = a.newEndpoint(cfg, meter, authn, bodies)
	if cert != nil {
		a.reloads.add("certificate", cert.Reload)
	}
	if cfg.Manifest != "" {
		load := func() error { return loadManifest(a.endpoint, cfg.Manifest) }
		if err := load(); err != nil {
			return nil, &ConfigError{err}
		}
		a.reloads.add("manifest", load)
	}
	a.handler = a.routes(cfg, bodies, authn, demo)
	if shared != nil {
		shared.Start(store.Forget)
	}
	return a, nil
}

// Endpoint returns the handler of /graphql without its middleware, so that benchmarks can measure the middleware.
func (a *App) Endpoint() http.Handler { return a.endpoint }

// ServeHTTP serves a request with all middleware, for tests and for programs with a listener of their own.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// Serve accepts connections on ln until ctx ends, then closes ln and waits until the in-flight
// requests have finished. It returns an error if some of them exceed the drain timeout. Serve must
// be called only once.
func (a *App) Serve(ctx context.Context, ln net.Listener) error {
	err := serve(ctx, ln, a, a.cert, a.conns, a.drain, a.log, func() {
		a.draining.Store(true)
		close(a.stop)
	})
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
	defer cancel()
	return errors.Join(err, a.Close(limit))
}

// Close cancels background work, such as refreshes of stale cache entries, and waits until this
// work or ctx has ended. [App.Serve] calls it.
func (a *App) Close(ctx context.Context) error {
	err := a.store.Close(ctx)
	if a.shared != nil {
		a.shared.Close(ctx)
	}
	return err
}

// closeTimeout is how long Serve waits for background work to end.
const closeTimeout = 5 * time.Second
