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
	// queryLife is for how long a persisted query is kept after it was last sent
	// as a whole.
	queryLife = 7 * 24 * time.Hour
	// largestQuery is the longest that is kept.
	largestQuery = 256 << 10
	// queryBurst and queryRate bound what a replica adds, in bytes and in bytes a
	// second. Anybody can make up queries, and to make room for them Redis would
	// throw out what is worth more. An application has some hundred of them, of
	// some kB.
	queryBurst = 1 << 20
	queryRate  = 4 << 10
)

// Queries are the persisted queries that replicas share. They fit gqlgen's
// [github.com/99designs/gqlgen/graphql.Cache]; put a cache of the process's own
// before them.
type Queries struct {
	link   *link
	writer *writer
	keys   keys

	mu    sync.Mutex
	spent float64 // of queryBurst
	at    time.Time
}

// Get gives the query whose SHA-256, in hexadecimal, is hash; false if there is
// none, or Redis is away, or has another text under that hash. This process
// keeps no copy of its own, not even of "there is none": hashes are what anybody
// makes up.
func (q *Queries) Get(ctx context.Context, hash string) (string, bool) {
	key := q.keys.query(hash)
	found, err := ask(ctx, q.link, func(ctx context.Context, r rueidis.Client) (read, error) {
		return readOf(r.Do(ctx, r.B().Get().Key(key).Build()))
	})
	if err != nil || found.text == "" || hashOf(found.text) != hash {
		return "", false
	}
	return found.text, true
}

// Add keeps a query under its hash, unless too much was added of late. It
// returns at once.
func (q *Queries) Add(_ context.Context, hash, query string) {
	if len(query) > largestQuery || hashOf(query) != hash || !q.afford(len(query), time.Now()) {
		return
	}
	key := q.keys.query(hash)
	q.writer.put(job{bytes: len(query) + 256, build: func(b rueidis.Builder) (rueidis.Completed, bool) {
		return b.Set().Key(key).Value(query).Px(queryLife).Build(), true
	}})
}

// afford takes so many bytes from what may be added.
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
