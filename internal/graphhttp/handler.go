// Package graphhttp implements GraphQL over HTTP: content negotiation, limits, parsing and
// responses. It does not depend on the semantics of the schema.
//
// It follows https://graphql.github.io/graphql-over-http/draft/. Where the draft leaves a choice,
// a comment explains the decision.
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
	"mixcloud-graphql/internal/opstats"
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

// Options configure the handler. A zero field means its default.
type Options struct {
	// Log receives panics and the details that errors omit. Nil discards them.
	Log *slog.Logger
	// Trace permits [TraceHeader].
	Trace bool
	// Around wraps the execution of every operation, with the request's context. It can
	// install values with the lifetime of an operation. It may be nil.
	Around graphql.OperationMiddleware
	// Fields are extensions that run around each field, inside all others. It may be nil.
	Fields []graphql.HandlerExtension
	// Estimate returns the maximum cost of an operation before it starts. An operation whose
	// estimate exceeds its budget is refused. Nil for no budget.
	Estimate func(context.Context, *graphql.OperationContext) opstats.Estimate
	// Scalars validate values of custom scalars before anything is executed. A scalar without
	// an entry accepts every value. It may be nil.
	Scalars map[string]coerce.Scalar
	// Admission bounds the number of operations that compute at the same time. Nil for no
	// bound.
	Admission *admission.Controller
	// Timeout bounds an operation, from parsing to its response. It does not apply to the
	// transfer of files, nor to subscriptions.
	Timeout time.Duration
	// Stop is closed when the server starts to shut down. It ends subscriptions, which would
	// block the shutdown. Nil for never.
	Stop <-chan struct{}
	// IdleTimeout is the maximum pause of a client while it sends files.
	IdleTimeout time.Duration
	// Principal returns an opaque id of the caller, or "" for an anonymous one. If nil, every
	// caller is anonymous. Writes with the header Idempotency-Key are stored by principal.
	Principal func(context.Context) string
	// Writes stores those writes. Nil is this process's memory.
	Writes idempotency.Store
	// Queries shares persisted documents with other replicas, by their SHA-256 in hexadecimal. It
	// is read for documents that this process has not stored, and written with documents that are
	// valid and within the limits. A failing store must not delay its caller. It may be nil.
	Queries graphql.Cache[string]
	// HideSchema refuses introspection, and removes names of the schema from error messages.
	HideSchema bool
	// OnlyPersisted refuses all operations that are not in the manifest, see
	// [Handler.SetManifest].
	OnlyPersisted bool
	// MaxBody is the maximum size of a request body in bytes; for a form, of its "operations".
	MaxBody int64
	// TokenLimit is the maximum number of lexical tokens of a document.
	TokenLimit int
	// MaxDepth is the maximum depth of nested fields of an operation, excluding introspection,
	// which has its own limit.
	MaxDepth int
	// MaxRootFields is the maximum number of response keys at the root of an operation.
	MaxRootFields int
	// MaxAliases is the maximum number of response keys of a selection set, including its
	// fragments.
	MaxAliases int
	// MaxDirectives is the maximum number of directives of a document.
	MaxDirectives int
	// Response contains the limits of a response, which apply while it is built.
	Response responselimit.Limits
	// Unsent counts the process's responses that are not yet sent. If nil, the handler creates
	// its own counter.
	Unsent *responselimit.UnsentMemory
	// Bodies counts the process's request bodies. If nil, the handler creates its own counter.
	Bodies *BodyMemory
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Principal == nil {
		o.Principal = func(context.Context) string { return "" }
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
		o.Unsent = responselimit.NewUnsentMemory(0)
	}
	if o.Bodies == nil {
		o.Bodies = NewBodyMemory(0)
	}
	return o
}

// New returns the handler of the GraphQL endpoint for schema. The middleware of this package is
// optional.
func New(schema graphql.ExecutableSchema, o Options) *Handler {
	o = o.withDefaults()
	srv := newServer(schema, o.Scalars, o.HideSchema)
	run := runner{
		log: o.Log, controller: o.Admission, timeout: o.Timeout, timedOut: timeoutError(o.Timeout), keepAlive: keepAlive, stop: o.Stop,
		writes: o.Writes, principal: o.Principal, fileFields: fileFields(schema.Schema()), unsent: o.Unsent, bodies: o.Bodies,
		prepare: srv.prepare,
	}

	srv.transports = []graphql.Transport{
		options{}, get{run}, multipart{run, o.IdleTimeout, o.MaxBody}, post{run, o.MaxBody}, unsupported{},
	}
	srv.SetErrorPresenter(responselimit.Presenter(gqlerr.Presenter(o.Log)))
	srv.recover = gqlerr.Recover(o.Log)
	srv.SetRecoverFunc(srv.recover)
	srv.cache = newQueryCache()
	persisted := newPersisted(srv.cache.manifest, o.OnlyPersisted, o.Queries)
	srv.Use(persisted) // first, because it inserts the document that the others read
	srv.limits = documentLimits{
		tokens: o.TokenLimit, depth: o.MaxDepth, roots: o.MaxRootFields, keys: o.MaxAliases, directives: o.MaxDirectives,
	}
	if !o.HideSchema {
		srv.Use(extension.Introspection{})
	}
	if o.Estimate != nil {
		srv.Use(metering{o.Estimate})
	}
	for _, extension := range o.Fields {
		srv.Use(extension)
	}
	srv.Use(responselimit.New(schema.Schema(), o.Response))
	if o.Trace {
		srv.Use(tracing{})
	}
	srv.Use(storePersisted{persisted}) // last, because it stores only documents that were not refused
	if o.Around != nil {
		srv.AroundOperations(o.Around)
	}
	return &Handler{withStats(srv), srv}
}
