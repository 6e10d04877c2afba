package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// Revocations is the set of sessions that were ended before their cookie expired. It has a key
// for each, which expires with the cookie. Repeated lookups of a session need no round trip: the
// client stores a copy of the reply, which Redis invalidates.
type Revocations struct {
	conn    *conn
	keys    keys
	pending pendingCommands
}

// Revoke adds a session. If Redis is unreachable the session is added later.
func (r *Revocations) Revoke(ctx context.Context, session string, until time.Time) {
	key := r.keys.revoked(session)
	set := func(ctx context.Context, c rueidis.Client) (struct{}, error) {
		life := max(time.Until(until), time.Millisecond)
		return struct{}{}, c.Do(ctx, c.B().Set().Key(key).Value("1").Px(life).Build()).Error()
	}
	if _, err := do(context.WithoutCancel(ctx), r.conn, set); err == nil {
		return
	}
	r.pending.add(pendingCommand{bytes: 256, until: until, run: func(ctx context.Context) error {
		_, err := withTimeout(ctx, r.conn, writeTimeout, set)
		return err
	}})
}

// Revoked reports whether a session was added; false if Redis is unreachable.
func (r *Revocations) Revoked(ctx context.Context, session string) bool {
	key := r.keys.revoked(session)
	revoked, err := do(ctx, r.conn, func(ctx context.Context, c rueidis.Client) (bool, error) {
		err := c.DoCache(ctx, c.B().Get().Key(key).Cache().ToStaticTTL(), localLife).Error()
		if rueidis.IsRedisNil(err) {
			return false, nil
		}
		return err == nil, err
	})
	return err == nil && revoked
}
