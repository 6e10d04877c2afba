// Package resolvers implements the fields of the schema that the objects of package
// model cannot resolve alone. Each resolver checks its arguments, uses one loader or
// reads one list, and converts the result to objects of package model.
package resolvers

import (
	"log/slog"
	"sync/atomic"

	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// A Resolver is the root of all resolvers and contains their common state. It is safe for
// concurrent use.
type Resolver struct {
	store    *upstream.Store
	log      *slog.Logger
	oauth    OAuth
	progress upload.Tracker

	// latestFormer is set if Mixcloud returns the latest cloudcasts of tags only under the former
	// name of that list.
	latestFormer atomic.Bool
}

// New returns the root of the resolvers. The context of each operation must contain its loaders,
// see loaders.Into. OAuth is nil if no application is configured.
func New(store *upstream.Store, log *slog.Logger, oauth OAuth, progress upload.Tracker) *Resolver {
	return &Resolver{store: store, log: log, oauth: oauth, progress: progress}
}
