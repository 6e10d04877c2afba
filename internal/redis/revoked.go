package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// Revocations is the set of sessions that were ended before their cookie expired:
// a key for each, which expires with the cookie. Reads come from this process's
// own copy, which Redis invalidates, and cost no round trip for a session that
// was seen before.
type Revocations struct {
	link  *link
	keys  keys
	debts debts
}

// Revoke adds a session. While Redis is away the others are told when it is back.
func (r *Revocations) Revoke(ctx context.Context, session string, until time.Time) {
	key := r.keys.revoked(session)
	set := func(ctx context.Context, c rueidis.Client) (struct{}, error) {
		life := max(time.Until(until), time.Millisecond)
		return struct{}{}, c.Do(ctx, c.B().Set().Key(key).Value("1").Px(life).Build()).Error()
	}
	if _, err := ask(context.WithoutCancel(ctx), r.link, set); err == nil {
		return
	}
	r.debts.owe(debt{bytes: 256, until: until, pay: func(ctx context.Context) error {
		_, err := boxed(ctx, r.link, writeBox, set)
		return err
	}})
}

// Revoked reports whether a session was added; false while Redis is away.
func (r *Revocations) Revoked(ctx context.Context, session string) bool {
	key := r.keys.revoked(session)
	revoked, err := ask(ctx, r.link, func(ctx context.Context, c rueidis.Client) (bool, error) {
		err := c.DoCache(ctx, c.B().Get().Key(key).Cache().ToStaticTTL(), localLife).Error()
		if rueidis.IsRedisNil(err) {
			return false, nil
		}
		return err == nil, err
	})
	return err == nil && revoked
}
