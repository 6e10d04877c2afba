package app

import (
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/graph/cost"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/graph/projection"
	graphschema "mixcloud-graphql/graph/schema"
	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/clientlimit"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/playground"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/internal/static"
	"mixcloud-graphql/internal/uploadhttp"
	"mixcloud-graphql/mixcloud/emulator"
)

// graphPath is the path of the GraphQL endpoint.
const graphPath = "/graphql"

// sdlPath is the path of the schema in SDL.
const sdlPath = "/schema.graphql"

// sdlFile returns the schema in SDL. It is built at the first request.
var sdlFile = sync.OnceValue(func() *static.File {
	return static.New(graphschema.SDL(executable(nil).Schema()), "text/plain; charset=utf-8", "public, max-age=300")
})

// newEndpoint returns the GraphQL endpoint, without middleware.
func (a *App) newEndpoint(cfg config.Serve, meter *cost.Meter, authn authentication, bodies *graphhttp.BodyMemory) *graphhttp.Handler {
	return graphhttp.New(a.graph.schema, graphhttp.Options{
		Log:       a.log,
		Trace:     cfg.Traces(),
		Around:    a.graph.around,
		Fields:    fieldInterceptors(a.graph.projection),
		Estimate:  meter.Estimate,
		Scalars:   model.Scalars(),
		Admission: a.admit,
		Timeout:   cfg.RequestTimeout,
		Writes:    newWrites(a.shared),
		Queries:   newQueries(a.shared),
		Stop:      a.stop,
		MaxBody:   int64(cfg.MaxBody), TokenLimit: cfg.MaxTokens, MaxDepth: cfg.MaxDepth, MaxRootFields: cfg.MaxRootFields,
		MaxAliases: cfg.MaxAliases, MaxDirectives: cfg.MaxDirectives,
		HideSchema: !cfg.Introspects(), OnlyPersisted: cfg.OnlyPersisted,
		Response: responselimit.Limits{
			Fields: int64(cfg.MaxFields), Bytes: int64(cfg.MaxBytes), Concurrent: concurrentFields(),
			Waited: func(ctx context.Context) bool { return loaders.From(ctx).WaitCanceled() },
		},
		Unsent:    responselimit.NewUnsentMemory(unsentBytes(cfg.MemoryLimit, cfg.CacheBytes)),
		Bodies:    bodies,
		Principal: func(ctx context.Context) string { return authn.keys.Principal(auth.Token(ctx)) },
	})
}

// fieldInterceptors returns the extensions that run around each field.
func fieldInterceptors(p *projection.Projection) []graphql.HandlerExtension {
	if p == nil {
		return nil
	}
	return []graphql.HandlerExtension{p}
}

// routes returns the handler of all paths, with all middleware. Demo is nil without --demo.
func (a *App) routes(cfg config.Serve, bodies *graphhttp.BodyMemory, authn authentication, demo *emulator.Emulator) http.Handler {
	others := http.NewServeMux() // the paths other than graphPath
	limits := clientlimit.New(clientlimit.Limits{Inflight: cfg.ClientInflight, Requests: cfg.ClientRequests, Calls: cfg.ClientCalls})
	graph := graphhttp.Chain(a.endpoint, auth.Viewer(authn.keys, authn.cookies), graphhttp.ClientLimits(limits, a.clientName, a.log))
	page := playground.Handler(pageOptions(cfg, authn))
	others.Handle("GET /{$}", page)
	others.Handle("GET /playground/", page)
	if cfg.Introspects() {
		others.HandleFunc(sdlPath, func(w http.ResponseWriter, r *http.Request) { sdlFile().ServeHTTP(w, r) })
	}
	others.Handle(auth.LoginPath, authn.signIn)
	others.Handle(auth.CallbackPath, authn.signIn)
	others.Handle(auth.LogoutPath, authn.signIn)
	others.HandleFunc("GET "+livePath, live)
	others.HandleFunc("GET /readyz", a.ready)
	others.HandleFunc("/", notFound)

	all := graphhttp.Compress()(graphhttp.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == graphPath { // nearly all requests: saves the 2 µs of the router
			graph.ServeHTTP(w, r)
		} else {
			others.ServeHTTP(w, r)
		}
	})))
	if demo != nil {
		mux := http.NewServeMux()
		mux.Handle("/", all)
		// Without our security headers: the emulator sends the headers of Mixcloud. It restricts its control
		// requests to this machine itself.
		mux.Handle(demoPath+"/", http.StripPrefix(demoPath, demo))
		all = mux
	}
	// CORS is outermost: a page must be able to read refusals too.
	return graphhttp.Chain(all, uploadhttp.Drain, graphhttp.CORS([]string{graphPath, sdlPath}, cfg.AllowOrigin),
		graphhttp.Admission(a.admit, bodies, graphPath, int64(cfg.MaxBody), a.log), graphhttp.RequestID, graphhttp.ClientAddress(cfg.TrustedProxies(), a.log), graphhttp.AccessLog(a.log, cfg.LogSample), graphhttp.Recover(a.log))
}

// clientName returns the name that the limits per client use: the principal if Mixcloud has accepted its token, otherwise
// the address, since a client could invent a new token for each request.
func (a *App) clientName(r *http.Request) string {
	ctx := r.Context()
	if token := auth.Token(ctx); auth.Exchanged(ctx) || a.store.Verified(token) {
		return "principal " + auth.Principal(ctx)
	}
	return "address " + graphhttp.Address(ctx)
}

// live reports that the process runs.
func live(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "ok\n") }

// ready reports whether the server accepts new requests.
func (a *App) ready(w http.ResponseWriter, _ *http.Request) {
	if a.draining.Load() {
		writeText(w, http.StatusServiceUnavailable, "draining\n")
		return
	}
	writeText(w, http.StatusOK, "ok\n")
}

func writeText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // fails only if the client has disconnected
}

func notFound(w http.ResponseWriter, r *http.Request) {
	gqlerr.Write(w, r, http.StatusNotFound, gqlerr.NotFound("There is no resource at this path. The GraphQL endpoint is /graphql. The playground is at /."))
}
