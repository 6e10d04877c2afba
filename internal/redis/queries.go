package redis

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// queryLife is the TTL of a persisted query after its text was last sent.
	queryLife = 7 * 24 * time.Hour
	// maxQuery is the maximum size of a query that is stored.
	maxQuery = 256 << 10
	// queryBurst and queryRate bound the size of the queries that a replica adds, in bytes and in
	// bytes per second. Otherwise clients could send invented queries until Redis evicts more
	// valuable keys. An application has a few hundred queries of a few kB.
	queryBurst = 1 << 20
	queryRate  = 4 << 10
)

// Queries are the persisted queries that replicas share. They implement gqlgen's
// [github.com/99designs/gqlgen/graphql.Cache]; put a cache in memory before them.
type Queries struct {
	conn   *conn
	writer *writer
	keys   keys

	mu    sync.Mutex
	spent float64 // of queryBurst
	at    time.Time
}

// Get returns the query with a SHA-256 hash, in hexadecimal. It returns false if the query is not
// stored, if Redis is unreachable, or if the stored text has a different hash. The reply is not
// stored in the client's cache, because clients can invent hashes.
func (q *Queries) Get(ctx context.Context, hash string) (string, bool) {
	key := q.keys.query(hash)
	found, err := do(ctx, q.conn, func(ctx context.Context, r rueidis.Client) (read, error) {
		return readOf(r.Do(ctx, r.B().Get().Key(key).Build()))
	})
	if err != nil || found.text == "" || hashOf(found.text) != hash {
		return "", false
	}
	return found.text, true
}

// Add stores a query under its hash, unless queryBurst is used up. It returns at once.
func (q *Queries) Add(_ context.Context, hash, query string) {
	if len(query) > maxQuery || hashOf(query) != hash || !q.afford(len(query), time.Now()) {
		return
	}
	key := q.keys.query(hash)
	q.writer.put(job{bytes: len(query) + 256, build: func(b rueidis.Builder) (rueidis.Completed, bool) {
		return b.Set().Key(key).Value(query).Px(queryLife).Build(), true
	}})
}

// afford takes a number of bytes from the burst. It returns false if the rest of the burst is
// smaller.
func (q *Queries) afford(bytes int, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.at.IsZero() {
		q.spent = max(0, q.spent-queryRate*now.Sub(q.at).Seconds())
	}
	q.at = now
	if q.spent+float64(bytes) > queryBurst {
		return false
	}
	q.spent += float64(bytes)
	return true
}

func hashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}
