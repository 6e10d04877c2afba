// Package graphhttp speaks GraphQL over HTTP: it negotiates, limits, parses and
// answers. What a field means is the schema's business, not this package's.
//
// https://graphql.github.io/graphql-over-http/draft/ is followed; where it
// leaves a choice, the comments say which was taken.
package graphhttp

import (
	"context"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/extension"

	"mixcloud-graphql/internal/admission"
	"mixcloud-graphql/internal/coerce"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/responselimit"
)

// Defaults of [Options].
const (
	DefaultTimeout    = 30 * time.Second
	DefaultMaxBody    = 1 << 20
	DefaultTokenLimit = 15_000
	DefaultMaxDepth   = 25

	DefaultMaxRootFields = 100
	DefaultMaxAliases    = 1000
	DefaultMaxDirectives = 50
)

// Options are what an operator may want to change. A zero member takes its default.
type Options struct {
	// Log gets what errors leave out, and panics. Nil discards.
	Log *slog.Logger
	// Around runs around every operation, with the request's context: the
	// place to install what lives as long as an operation. Nil for nothing.
	Around graphql.OperationMiddleware
	// Estimate says what an operation can cost, before it begins: one that can
	// cost more than its budget is refused. Nil for no budget.
	Estimate func(context.Context, *graphql.OperationContext) Estimate
	// Scalars judge the values of custom scalars, before anything is executed. A
	// scalar without an entry accepts every value. Nil for none.
	Scalars map[string]coerce.Scalar
	// Admission bounds how many operations compute at the same time. Nil for no
	// bound.
	Admission *admission.Gate
	// Timeout bounds an operation, from its document to its answer. It does not
	// bound the flow of files, nor a subscription.
	Timeout time.Duration
	// Stop is closed when the server is about to stop: it ends subscriptions,
	// which could otherwise be waited for in vain. Nil for never.
	Stop <-chan struct{}
	// IdleTimeout is how long a client may pause while it sends files.
	IdleTimeout time.Duration
	// Audience names on whose behalf a request is made, without giving away any
	// secret; "" for nobody. Nil is nobody always. Writes that a client names by
	// the header Idempotency-Key are known by their audience.
	Audience func(context.Context) string
	// Writes remembers those writes. Nil is this process's memory.
	Writes idempotency.Store
	// Queries are the documents that other replicas know by their SHA-256, in
	// hexadecimal: asked for those that this process does not know, and told of
	// those that it learns, which are valid and within the limits. Neither may
	// make anybody wait for something that is broken. Nil for none.
	Queries graphql.Cache[string]
	// HideSchema refuses introspection, and errors suggest no names of the schema.
	HideSchema bool
	// OnlyPersisted refuses all operations that are not in the manifest, see
	// [Handler.SetManifest].
	OnlyPersisted bool
	// MaxBody is the largest request body, in bytes; of a form, its "operations".
	MaxBody int64
	// TokenLimit is the most lexical tokens a document may have.
	TokenLimit int
	// MaxDepth is the most levels of fields that an operation may nest.
	// Introspection is not counted: it has a limit of its own.
	MaxDepth int
	// MaxRootFields is the most response keys that the root of an operation may have.
	MaxRootFields int
	// MaxAliases is the most response keys that one selection set may have once its fragments are spread.
	MaxAliases int
	// MaxDirectives is the most directives that a document may use.
	MaxDirectives int
	// Response bounds a response while it is made.
	Response responselimit.Limits
	// Unsent keeps account of the responses of the process that are not yet sent. Nil for an account of this handler's own.
	Unsent *responselimit.Unsent
	// Bodies keeps account of the request bodies of the process. Nil for an account of this handler's own.
	Bodies *Bodies
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.IdleTimeout == 0 {
		o.IdleTimeout = idleTimeout
	}
	if o.Audience == nil {
		o.Audience = func(context.Context) string { return "" }
	}
	if o.Writes == nil {
		o.Writes = new(idempotency.Memory)
	}
	if o.MaxBody == 0 {
		o.MaxBody = DefaultMaxBody
	}
	if o.TokenLimit == 0 {
		o.TokenLimit = DefaultTokenLimit
	}
	if o.MaxDepth == 0 {
		o.MaxDepth = DefaultMaxDepth
	}
	if o.MaxRootFields == 0 {
		o.MaxRootFields = DefaultMaxRootFields
	}
	if o.MaxAliases == 0 {
		o.MaxAliases = DefaultMaxAliases
	}
	if o.MaxDirectives == 0 {
		o.MaxDirectives = DefaultMaxDirectives
	}
	if o.Unsent == nil {
		o.Unsent = responselimit.NewUnsent(0)
	}
	if o.Bodies == nil {
		o.Bodies = NewBodies(0)
	}
	return o
}

// New returns the handler of the GraphQL endpoint for schema. It expects the
// middleware of this package around it, but works without.
func New(schema graphql.ExecutableSchema, o Options) *Handler {
	o = o.withDefaults()
	srv := newServer(schema, o.Scalars, o.HideSchema)
	run := runner{
		log: o.Log, gate: o.Admission, timeout: o.Timeout, beat: keepAlive, stop: o.Stop,
		writes: o.Writes, audience: o.Audience, takers: takers(schema.Schema()), unsent: o.Unsent, bodies: o.Bodies,
		prepare: srv.prepare,
	}

	// One line for each way in. The first that supports a request takes it.
	srv.AddTransport(options{})
	srv.AddTransport(get{run})
	srv.AddTransport(multipart{run, o.IdleTimeout, o.MaxBody})
	srv.AddTransport(post{run, o.MaxBody})
	srv.AddTransport(unsupported{})

	srv.SetErrorPresenter(responselimit.Presenter(gqlerr.Presenter(o.Log)))
	srv.recover = gqlerr.Recover(o.Log)
	srv.SetRecoverFunc(srv.recover)
	srv.tokens = o.TokenLimit
	srv.cache = newQueryCache()
	persisted := newPersisted(srv.cache.manifest, o.OnlyPersisted, o.Queries)
	srv.Use(persisted) // puts in the document that those below read
	limits := documentLimits{
		tokens: o.TokenLimit, depth: o.MaxDepth, roots: o.MaxRootFields, keys: o.MaxAliases, directives: o.MaxDirectives,
		known: srv.cache,
	}
	srv.Use(limits)
	if !o.HideSchema {
		srv.Use(extension.Introspection{})
	}
	if o.Estimate != nil {
		srv.Use(metering{o.Estimate})
	}
	srv.Use(responselimit.New(schema.Schema(), o.Response))
	srv.Use(keeping{persisted}) // of what those above have not refused
	if o.Around != nil {
		srv.AroundOperations(o.Around)
	}
	return &Handler{accounted(srv), srv, limits}
}
