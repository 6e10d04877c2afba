package app

import (
	"context"
	"log/slog"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/resolvers"
	"mixcloud-graphql/graph/schema"
	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/clientlimit"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/redis"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// newGraph makes the schema over a store, and what gives each operation its
// loaders for the principal that the request's token names. Shared may be nil.
func newGraph(store *upstream.Store, entry access, shared *redis.Redis, log *slog.Logger) (graphql.ExecutableSchema, graphql.OperationMiddleware) {
	var oauth resolvers.OAuth // and not a nil *auth.Application
	if entry.application != nil {
		oauth = entry.application
	}
	clean := executable(resolvers.New(store, log, oauth, newUploads(shared)))
	around := func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		session := store.SessionOf(upstream.Caller{
			Token: auth.Token(ctx), Exchanged: auth.Exchanged(ctx), Address: graphhttp.Address(ctx),
			Revalidate: graphhttp.Revalidates(graphql.GetOperationContext(ctx)), OnCall: clientlimit.FromContext(ctx).Call,
		})
		graphhttp.SetStats(ctx, session)
		return next(loaders.Into(ctx, loaders.New(ctx, session)))
	}
	return clean, around
}

// executable makes the schema that clients see.
func executable(root generated.ResolverRoot) graphql.ExecutableSchema {
	return generated.NewExecutableSchema(generated.Config{Schema: clientSchema(), Resolvers: root})
}

// loadedSchema returns the schema as its sources have it, with the prices of fields.
func loadedSchema() *ast.Schema { return generated.NewExecutableSchema(generated.Config{}).Schema() }

// clientSchema returns the schema that clients see. Like the prices, it depends on
// the program alone and is made once.
var clientSchema = sync.OnceValue(func() *ast.Schema { return schema.Clean(loadedSchema()) })

// newStore makes what stands between the graph and Mixcloud. Shared may be nil.
func newStore(cfg config.Serve, client *mixcloud.Client, entry access, shared *redis.Redis, log *slog.Logger, tune []func(*upstream.Options)) *upstream.Store {
	options := upstream.Options{
		Concurrency: cfg.MaxUpstream, Budget: cfg.OperationBudget,
		CacheBytes: int64(cfg.CacheBytes), Keep: cfg.StaleFor, Lifetimes: lifetimes(cfg.FreshFor),
		Rate: cfg.UpstreamRate, Burst: cfg.UpstreamBurst, TotalRate: cfg.TotalRate, Retries: cfg.UpstreamRetries,
		PrincipalOf: entry.keys.Principal,
		Log:         log,
	}
	if cfg.CacheBytes == 0 {
		options.CacheBytes = -1
	}
	if cfg.StaleFor == 0 {
		options.Keep = -1
	}
	if cfg.UpstreamRetries == 0 {
		options.Retries = -1
	}
	if cfg.Demo {
		options.Rate, options.UnverifiedRate = 0, -1 // the emulator is ours
	}
	if shared != nil {
		options.Second, options.SharedWrites = shared.Cache(), shared.RecentWrites()
		options.Limiter, options.VerifiedTokens = shared.Limiter(), shared.VerifiedTokens()
	}
	for _, change := range tune {
		change(&options)
	}
	return upstream.NewStore(client, options)
}

// lifetimes are the rows of the table of lifetimes that are configured to differ.
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
