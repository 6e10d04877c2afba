package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/lookahead"
	"mixcloud-graphql/graph/projection"
	"mixcloud-graphql/graph/resolvers"
	"mixcloud-graphql/graph/schema"
	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/clientlimit"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/redis"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// A graph is the schema with its resolvers and their middleware.
type graph struct {
	schema     graphql.ExecutableSchema
	around     graphql.OperationMiddleware // creates the loaders of each operation for its principal, and looks ahead
	projection *projection.Projection      // nil if it is disabled
}

// newGraph returns the graph. Shared may be nil.
func newGraph(cfg config.Serve, store *upstream.Store, authn authentication, shared *redis.Redis, log *slog.Logger) graph {
	var oauth resolvers.OAuth // not *auth.Application: without one the interface itself must be nil
	if authn.application != nil {
		oauth = authn.application
	}
	root := resolvers.New(store, log, oauth, newUploads(shared))
	var ahead *lookahead.Ahead
	if !cfg.Disabled(config.LookAhead) {
		ahead = lookahead.New(clientSchema(), store.Client().ParseInput, root.Segment)
	}
	around := func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		session := store.SessionOf(upstream.Caller{
			Token: auth.Token(ctx), Exchanged: auth.Exchanged(ctx), Address: graphhttp.Address(ctx),
			Revalidate: graphhttp.Revalidates(graphql.GetOperationContext(ctx)), OnCall: clientlimit.FromContext(ctx).Call, Trace: graphhttp.Trace(ctx),
		})
		graphhttp.SetStats(ctx, session)
		ctx = loaders.Into(ctx, loaders.New(ctx, session))
		ahead.Start(ctx, graphql.GetOperationContext(ctx))
		return next(ctx)
	}
	g := graph{schema: executable(root), around: around}
	if !cfg.Disabled(config.Projection) {
		g.projection = projection.New(projection.Options{Schema: clientSchema(), Resolvers: root, Concurrent: concurrentFields(), Room: responselimit.Room})
	}
	return g
}

// executable returns the schema that clients see, with the given resolvers.
func executable(root generated.ResolverRoot) graphql.ExecutableSchema {
	return generated.NewExecutableSchema(generated.Config{Schema: clientSchema(), Resolvers: root})
}

// loadedSchema returns the schema of the source files, which contains the directives with the costs
// of fields.
func loadedSchema() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

// clientSchema returns the schema that clients see. It is built once: no setting changes it.
var clientSchema = sync.OnceValue(func() *ast.Schema { return schema.Clean(loadedSchema()) })

// newStore returns the store, through which the graph makes all calls. Shared may be nil.
func newStore(cfg config.Serve, client *mixcloud.Client, authn authentication, shared *redis.Redis, log *slog.Logger, tune []func(*upstream.Options)) *upstream.Store {
	options := upstream.Options{
		Concurrency: cfg.MaxUpstream, Budget: cfg.OperationBudget,
		CacheBytes: int64(cfg.CacheBytes), Retain: cfg.StaleFor, Lifetimes: lifetimes(cfg.FreshFor),
		Rate: cfg.UpstreamRate, Burst: cfg.UpstreamBurst, TotalRate: cfg.TotalRate, Retries: cfg.UpstreamRetries,
		PrincipalOf: authn.keys.Principal,
		Log:         log,
	}
	if cfg.CacheBytes == 0 {
		options.CacheBytes = -1
	}
	if cfg.StaleFor == 0 {
		options.Retain = -1
	}
	if cfg.UpstreamRetries == 0 {
		options.Retries = -1
	}
	if cfg.Demo {
		options.Rate, options.UnverifiedRate = 0, -1 // the emulator needs no protection
	}
	if shared != nil {
		options.SharedCache, options.SharedWrites = shared.Cache(), shared.RecentWrites()
		options.SharedLimiter, options.VerifiedTokens = shared.Limiter(), shared.VerifiedTokens()
	}
	for _, change := range tune {
		change(&options)
	}
	return upstream.NewStore(client, options)
}

// lifetimes returns the cache lifetimes of the classes that the configuration changes.
func lifetimes(fresh config.Lifetimes) map[upstream.Class]upstream.Lifetime {
	rows := map[upstream.Class]upstream.Lifetime{}
	for _, class := range upstream.Classes() {
		if d, ok := fresh[class.String()]; ok {
			row := class.Lifetime()
			row.Fresh = d
			rows[class] = row
		}
	}
	return rows
}
