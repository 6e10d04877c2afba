// Package resolvers answers the fields of the schema that a value does not
// carry itself. Each resolver checks its arguments, asks one loader or reads
// one list, and wraps what came.
package resolvers

import (
	"context"
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
	progress Progress
}

// Progress knows how far uploads are. It is safe for concurrent use.
type Progress interface {
	// Begin announces an upload whose end will be reported. Its values come
	// from the context of the operation, which may end with the upload.
	Begin(ctx context.Context, name upload.Name) *upload.Track
	// Watch tells how far an upload is, from now until it or ctx ends; it may
	// be asked before the upload begins. The channel is closed at the end.
	Watch(ctx context.Context, name upload.Name) <-chan upload.Progress
}

// New makes the root of the resolvers. Each operation's context must carry its
// loaders, see loaders.Into. OAuth is nil when no application is configured.
func New(store *upstream.Store, log *slog.Logger, oauth OAuth, progress Progress) *Resolver {
	return &Resolver{store: store, log: log, oauth: oauth, progress: progress}
}
