// Package redis is the state that replicas of the server share in Redis: cached responses, the rate
// limiter, recent writes of viewers, idempotency keys, upload progress, used sign-in nonces, ended
// sessions, accepted tokens and persisted queries.
//
// Redis may be unreachable at any time: at the start, in the middle of a command, for hours. Then
// each replica uses the memory of its own process, and later sends the updates that the other
// replicas need. A failure of Redis never causes an error for a client, and delays a request by
// at most 50 ms. After a few failures a circuit breaker opens, and requests do not wait for Redis
// until it is reachable again.
//
// Keys in Redis are keyed hashes: they identify no user. No token is ever stored.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// Options configure the connection and the keys.
type Options struct {
	// URL names the Redis servers and the credentials, see [redisurl.URL].
	URL redisurl.URL
	// Secret is the key of the keyed hashes. It must be the same on all replicas.
	Secret []byte
	// Log receives a line when Redis becomes unreachable or reachable; nil discards it.
	Log *slog.Logger
}

// minSecret is the minimum length of a secret, in bytes.
const minSecret = 32

// A Redis is the shared state of the replicas. It is safe for concurrent use.
type Redis struct {
	conn    *conn
	writer  *writer
	running sync.WaitGroup

	cache        *Cache
	limiter      *Limiter
	verified     *VerifiedTokens
	writes       *Writes
	uploads      *Uploads
	nonces       *Nonces
	revoked      *Revocations
	queries      *Queries
	recentWrites *RecentWrites
}

// Open returns a Redis that is not yet connected, see [Redis.Start]. It returns an error if the
// options are not valid.
func Open(o Options) (*Redis, error) {
	opt, err := o.URL.Options()
	if err != nil {
		return nil, err
	}
	if len(o.Secret) < minSecret {
		return nil, fmt.Errorf("a Redis connection requires a secret key of at least %d bytes, the same on all replicas: the Redis keys are hashes made with it", minSecret)
	}
	k, err := newKeys(o.Secret)
	if err != nil {
		return nil, err
	}
	r := &Redis{conn: newConn(opt, o.Log)}
	r.writer = newWriter(r.conn)
	r.cache = newCache(r.conn, r.writer, k)
	r.recentWrites = &RecentWrites{conn: r.conn, keys: k, epochs: r.cache.epochs}
	r.limiter = newLimiter(r.conn, k)
	r.verified = &VerifiedTokens{conn: r.conn, keys: k}
	r.writes = &Writes{conn: r.conn, keys: k}
	r.uploads = newUploads(r.conn, r.writer, k)
	r.nonces = &Nonces{conn: r.conn, keys: k}
	r.revoked = &Revocations{conn: r.conn, keys: k}
	r.queries = &Queries{conn: r.conn, writer: r.writer, keys: k}
	return r, nil
}

// Start connects in the background. Forget is called when another replica has invalidated the
// cache of a principal, and is [upstream.Store.Forget]; it may be nil, and must be fast. Start is
// called at most once, and not after Close.
func (r *Redis) Start(forget func(principal string)) {
	if forget == nil {
		forget = func(string) {}
	}
	r.writer.running.Go(r.writer.run)
	r.running.Go(func() { r.cache.epochs.listen(r.conn.ctx, forget) })
	r.running.Go(func() { r.conn.maintain(r.flushInvalidations, r.flushCommands) })
}

// flushInvalidations stores the pending invalidations and sends a heartbeat. It must return before
// anything is read.
func (r *Redis) flushInvalidations(ctx context.Context) error {
	return errors.Join(r.cache.epochs.flush(ctx), r.limiter.heartbeat(ctx))
}

// flushCommands runs the commands that could not be run while Redis was unreachable.
func (r *Redis) flushCommands(ctx context.Context) error {
	return errors.Join(r.writes.pending.flush(ctx), r.uploads.pending.flush(ctx), r.revoked.pending.flush(ctx))
}

// Close runs the pending commands and disconnects. It returns when ctx ends at the latest.
func (r *Redis) Close(ctx context.Context) {
	r.writer.close(ctx)
	if r.conn.breaker.closed() {
		_ = errors.Join(r.flushInvalidations(ctx), r.flushCommands(ctx))
	}
	r.conn.close(ctx)
	waitFor(ctx, r.running.Wait)
}

// Stats returns the counts since the start.
func (r *Redis) Stats() Stats { return r.conn.stats() }

// Cache returns the shared cache of responses.
func (r *Redis) Cache() *Cache { return r.cache }

// RecentWrites returns the shared recent writes of viewers.
func (r *Redis) RecentWrites() *RecentWrites { return r.recentWrites }

// Limiter returns the shared rate limiter.
func (r *Redis) Limiter() *Limiter { return r.limiter }

// VerifiedTokens returns the shared set of accepted tokens.
func (r *Redis) VerifiedTokens() *VerifiedTokens { return r.verified }

// Writes returns the shared idempotency keys.
func (r *Redis) Writes() *Writes { return r.writes }

// Uploads returns the shared progress of uploads.
func (r *Redis) Uploads() *Uploads { return r.uploads }

// Nonces returns the shared single-use nonces.
func (r *Redis) Nonces() *Nonces { return r.nonces }

// Revocations returns the shared set of ended sessions.
func (r *Redis) Revocations() *Revocations { return r.revoked }

// Queries returns the shared persisted queries.
func (r *Redis) Queries() *Queries { return r.queries }

var (
	_ idempotency.Store       = (*Writes)(nil)
	_ upload.Tracker          = (*Uploads)(nil)
	_ upstream.SharedCache    = (*Cache)(nil)
	_ upstream.SharedWrites   = (*RecentWrites)(nil)
	_ upstream.SharedLimiter  = (*Limiter)(nil)
	_ upstream.VerifiedTokens = (*VerifiedTokens)(nil)
)
