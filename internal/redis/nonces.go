package redis

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// maxNonces bounds how many nonces a process remembers while Redis is away. The
// oldest are forgotten first.
const maxNonces = 100_000

// Nonces are good for one use, on whichever replica. While Redis is away, each
// process knows only those that were used on it.
type Nonces struct {
	link *link
	keys keys

	mu    sync.Mutex
	used  map[string]time.Time // by key: until when it is remembered
	order []string
}

// Use reports whether this is the first time that a nonce is used. It is
// remembered until the given time. Its error is always nil: what Redis does not
// say, the process's own memory does.
func (n *Nonces) Use(ctx context.Context, nonce string, until time.Time) (first bool, _ error) {
	key := n.keys.nonce(nonce)
	if !n.useHere(key, until) {
		return false, nil
	}
	life := max(time.Until(until), time.Millisecond)
	first, err := ask(context.WithoutCancel(ctx), n.link, func(ctx context.Context, r rueidis.Client) (bool, error) {
		err := r.Do(ctx, r.B().Set().Key(key).Value("1").Nx().Px(life).Build()).Error()
		if rueidis.IsRedisNil(err) {
			return false, nil
		}
		return err == nil, err
	})
	return first || err != nil, nil
}

// useHere is Use for this process alone. It is asked even if Redis is there,
// for it may not be there the next time.
func (n *Nonces) useHere(key string, until time.Time) bool {
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
