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

// newShared opens the Redis that replicas share. It returns nil without --redis-url.
func newShared(cfg config.Serve, log *slog.Logger) (*redis.Redis, error) {
	if cfg.RedisURL == "" {
		return nil, nil //nolint:nilnil // Redis is optional
	}
	options := redis.Options{
		URL:    cfg.RedisURL,
		Secret: []byte(strings.TrimSpace(cfg.SecretKey.Reveal())),
		Log:    log,
	}
	return redis.Open(options)
}

// newWrites returns the store of idempotency keys: in Redis if there is one, else in memory.
func newWrites(shared *redis.Redis) idempotency.Store {
	if shared == nil {
		return new(idempotency.Memory)
	}
	return shared.Writes()
}

// newQueries returns the persisted queries that replicas share, or nil without Redis.
func newQueries(shared *redis.Redis) graphql.Cache[string] {
	if shared == nil {
		return nil // not a nil *redis.Queries: the interface itself must be nil
	}
	return shared.Queries()
}

// newUploads returns the tracker of upload progress: in Redis if there is one, else in memory.
func newUploads(shared *redis.Redis) upload.Tracker {
	if shared == nil {
		return new(upload.Hub)
	}
	return shared.Uploads()
}
