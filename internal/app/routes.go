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

// graphPath is the GraphQL endpoint's.
const graphPath = "/graphql"

// sdlPath is where the schema is, as text.
const sdlPath = "/schema.graphql"

// sdlFile returns the schema as text. All servers of a process share it.
var sdlFile = sync.OnceValue(func() *static.File {
	return static.New(graphschema.SDL(executable(nil).Schema()), "text/plain; charset=utf-8", "public, max-age=300")
})

// endpoint makes the GraphQL endpoint.
func (a *App) endpoint(cfg config.Serve, schema graphql.ExecutableSchema, around graphql.OperationMiddleware, meter *cost.Meter, entry access, bodies *graphhttp.Bodies) *graphhttp.Handler {
	return graphhttp.New(schema, graphhttp.Options{
		Log:       a.log,
		Around:    around,
		Estimate:  meter.Estimate,
		Scalars:   model.Scalars(),
		Admission: a.gate,
		Timeout:   cfg.RequestTimeout,
		Writes:    newWrites(a.shared),
		Queries:   newQueries(a.shared),
		Stop:      a.stop,
		MaxBody:   int64(cfg.MaxBody), TokenLimit: cfg.MaxTokens, MaxDepth: cfg.MaxDepth, MaxRootFields: cfg.MaxRootFields,
		MaxAliases: cfg.MaxAliases, MaxDirectives: cfg.MaxDirectives,
		HideSchema: !cfg.Introspects(), OnlyPersisted: cfg.OnlyPersisted,
		Response: responselimit.Limits{
			Fields: int64(cfg.MaxFields), Bytes: int64(cfg.MaxBytes), Concurrent: concurrentFields(),
			Waited: func(ctx context.Context) bool { return loaders.From(ctx).CutOff() },
		},
		Unsent:    responselimit.NewUnsent(unsentBytes(cfg.MemoryLimit)),
		Bodies:    bodies,
		Principal: func(ctx context.Context) string { return entry.keys.Principal(auth.Token(ctx)) },
	})
}

// routes is every path there is. Demo is nil without --demo.
func (a *App) routes(cfg config.Serve, endpoint http.Handler, bodies *graphhttp.Bodies, entry access, demo *emulator.Emulator) http.Handler {
	own := http.NewServeMux()
	limits := clientlimit.New(clientlimit.Limits{Inflight: cfg.ClientInflight, Requests: cfg.ClientRequests, Calls: cfg.ClientCalls})
	graph := graphhttp.Chain(endpoint, auth.Viewer(entry.keys, entry.cookies), graphhttp.ClientLimits(limits, a.clientName, a.log))
	page := playground.Handler(entry.cookies != nil)
	own.Handle("GET /{$}", page)
	own.Handle("GET /playground/", page)
	if cfg.Introspects() {
		own.Handle(sdlPath, sdlFile())
	}
	own.Handle(auth.LoginPath, entry.signIn)
	own.Handle(auth.CallbackPath, entry.signIn)
	own.Handle(auth.LogoutPath, entry.signIn)
	own.HandleFunc("GET /livez", live)
	own.HandleFunc("GET /readyz", a.ready)
	own.HandleFunc("/", nothing)

	all := graphhttp.Compress()(graphhttp.SecurityHeaders(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == graphPath { // nearly always: the router takes 2 µs
			graph.ServeHTTP(w, r)
		} else {
			own.ServeHTTP(w, r)
		}
	})))
	if demo != nil {
		mux := http.NewServeMux()
		mux.Handle("/", all)
		// The emulator's headers are Mixcloud's, so ours stay away. Its control
		// answers to this machine alone, by itself.
		mux.Handle(demoPath+"/", http.StripPrefix(demoPath, demo))
		all = mux
	}
	// CORS is outermost: a page must be able to read refusals too.
	return graphhttp.Chain(all, uploadhttp.Drain, graphhttp.CORS([]string{graphPath, sdlPath}, cfg.AllowOrigin),
		graphhttp.Admission(a.gate, bodies, graphPath, int64(cfg.MaxBody), a.log), graphhttp.RequestID, graphhttp.ClientAddress(cfg.TrustedProxies(), a.log), graphhttp.AccessLog(a.log), graphhttp.Recover(a.log))
}

// clientName names the client of a request: the principal if Mixcloud accepts its token,
// otherwise the address. Anybody can invent tokens, so others have no limits of their own.
func (a *App) clientName(r *http.Request) string {
	ctx := r.Context()
	if token := auth.Token(ctx); auth.Exchanged(ctx) || a.store.Accepted(token) {
		return "principal " + auth.Principal(ctx)
	}
	return "address " + graphhttp.Address(ctx)
}

// live says that the process can answer at all.
func live(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok\n") }

// ready says whether new requests are welcome.
func (a *App) ready(w http.ResponseWriter, _ *http.Request) {
	if a.draining.Load() {
		say(w, http.StatusServiceUnavailable, "draining\n")
		return
	}
	say(w, http.StatusOK, "ok\n")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client is gone: nobody is left to tell
}

func nothing(w http.ResponseWriter, r *http.Request) {
	gqlerr.Write(w, r, http.StatusNotFound, gqlerr.NotFound("There is nothing at this path. The graph is at /graphql, a page to explore it at /."))
}
