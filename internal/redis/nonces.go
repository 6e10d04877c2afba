package redis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// maxNonces bounds the nonces that a process stores. The oldest are dropped first.
const maxNonces = 100_000

// Nonces can be used once, on any replica. While Redis is unreachable, each process checks only
// its own nonces.
type Nonces struct {
	conn *conn
	keys keys

	mu    sync.Mutex
	used  map[string]time.Time // by key: when it expires
	order []string
}

// Use reports whether a nonce is used for the first time, and stores it until the given time. The
// error is always nil: without Redis, Use checks the process's own nonces.
func (n *Nonces) Use(ctx context.Context, nonce string, until time.Time) (first bool, _ error) {
	key := n.keys.nonce(nonce)
	if !n.useLocally(key, until) {
		return false, nil
	}
	life := max(time.Until(until), time.Millisecond)
	first, err := do(context.WithoutCancel(ctx), n.conn, func(ctx context.Context, r rueidis.Client) (bool, error) {
		err := r.Do(ctx, r.B().Set().Key(key).Value("1").Nx().Px(life).Build()).Error()
		if rueidis.IsRedisNil(err) {
			return false, nil
		}
		return err == nil, err
	})
	return first || err != nil, nil
}

// useLocally is Use for this process alone. It is called even if Redis is reachable, since Redis
// may be unreachable at the next use.
func (n *Nonces) useLocally(key string, until time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	for len(n.order) > 0 && (len(n.order) >= maxNonces || !now.Before(n.used[n.order[0]])) {
		delete(n.used, n.order[0])
		n.order = n.order[1:]
	}
	known, again := n.used[key]
	if again && now.Before(known) {
		return false
	}
	if !again {
		n.order = append(n.order, key)
	}
	if n.used == nil {
		n.used = map[string]time.Time{}
	}
	n.used[key] = until
	return true
}
