package app

import (
	"context"
	"log/slog"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/graph/generated"
	"mixcloud-graphql/graph/loaders"
	"mixcloud-graphql/graph/resolvers"
	"mixcloud-graphql/internal/auth"
	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
)

// newGraph makes the schema over an anonymous client, and what gives each
// operation its loaders for the audience that the request's token names.
func newGraph(cfg config.Serve, client *mixcloud.Client, entry access, log *slog.Logger) (graphql.ExecutableSchema, graphql.OperationMiddleware, error) {
	store := upstream.NewStore(client, cfg.MaxUpstream, cfg.OperationBudget, entry.keys.Audience)
	var oauth resolvers.OAuth // and not a nil *auth.Application
	if entry.application != nil {
		oauth = entry.application
	}
	schema := generated.NewExecutableSchema(generated.Config{Resolvers: resolvers.New(store, log, oauth)})
	around := func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(loaders.Into(ctx, loaders.New(ctx, store.Session(auth.Token(ctx)))))
	}
	return schema, around, nil
}
