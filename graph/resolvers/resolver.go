// Package resolvers answers the fields of the schema that a value does not
// carry itself. Each resolver checks its arguments, asks one loader or reads
// one list, and wraps what came.
package resolvers

import (
	"log/slog"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// A Resolver is what all resolvers share. It is safe for concurrent use.
type Resolver struct {
	store    *upstream.Store
	log      *slog.Logger
	oauth    OAuth
	tags     latestName
	progress upload.Tracker
}

// New makes the root of the resolvers. Each operation's context must carry its
// loaders, see loaders.Into. OAuth is nil when no application is configured.
func New(store *upstream.Store, log *slog.Logger, oauth OAuth, progress upload.Tracker) *Resolver {
	return &Resolver{store: store, log: log, oauth: oauth, progress: progress}
}
