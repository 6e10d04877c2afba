package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/redis/rueidis"
)

const (
	// queryLife is for how long a persisted query is kept after it was last sent
	// as a whole.
	queryLife = 30 * 24 * time.Hour
	// largestQuery is the longest that is kept.
	largestQuery = 256 << 10
)

// Queries are the persisted queries that replicas share. They fit gqlgen's
// [github.com/99designs/gqlgen/graphql.Cache]; put a cache of the process's own
// before them.
type Queries struct {
	link   *link
	writer *writer
	keys   keys
}

// Get gives the query whose SHA-256, in hexadecimal, is hash; false if there is
// none, or Redis is away, or has another text under that hash.
func (q *Queries) Get(ctx context.Context, hash string) (string, bool) {
	key := q.keys.query(hash)
	found, err := ask(ctx, q.link, func(ctx context.Context, r rueidis.Client) (read, error) {
		return readOf(r.DoCache(ctx, r.B().Get().Key(key).Cache().ToStaticTTL(), localLife))
	})
	if err != nil || found.text == "" || hashOf(found.text) != hash {
		return "", false
	}
	return found.text, true
}

// Add keeps a query under its hash. It returns at once.
func (q *Queries) Add(_ context.Context, hash, query string) {
	if len(query) > largestQuery || hashOf(query) != hash {
		return
	}
	key := q.keys.query(hash)
	q.writer.put(job{bytes: len(query) + 256, build: func(b rueidis.Builder) (rueidis.Completed, bool) {
		return b.Set().Key(key).Value(query).Px(queryLife).Build(), true
	}})
}

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}
