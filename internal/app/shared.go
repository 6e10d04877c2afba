package app

import (
	"log/slog"
	"strings"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redis"
	"mixcloud-graphql/internal/upload"
)

// newShared opens what this replica shares with others; nil if that is nothing.
func newShared(cfg config.Serve, log *slog.Logger) (*redis.Redis, error) {
	if cfg.RedisURL == "" {
		return nil, nil //nolint:nilnil // nothing is shared, and nothing is wrong
	}
	options := redis.Options{
		URL:    cfg.RedisURL,
		Secret: []byte(strings.TrimSpace(cfg.SecretKey.Reveal())),
		Log:    log,
	}
	return redis.Open(options)
}

// newWrites returns the store of idempotency keys: of all replicas, if anything is shared.
func newWrites(shared *redis.Redis) idempotency.Store {
	if shared == nil {
		return new(idempotency.Memory)
	}
	return shared.Writes()
}

// newQueries are the persisted queries that other replicas know; nil for none.
func newQueries(shared *redis.Redis) graphql.Cache[string] {
	if shared == nil {
		return nil // and not a nil *redis.Queries
	}
	return shared.Queries()
}

// newUploads returns the tracker of uploads: of all replicas, if anything is shared.
func newUploads(shared *redis.Redis) upload.Tracker {
	if shared == nil {
		return new(upload.Hub)
	}
	return shared.Uploads()
}
