package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// verifiedLife is the TTL of a verified token.
const verifiedLife = 7 * 24 * time.Hour

// VerifiedTokens is the set of tokens that Mixcloud has accepted from any replica, as keyed
// hashes. While Redis is unreachable, each replica verifies tokens on its own.
type VerifiedTokens struct {
	conn *conn
	keys keys
}

// Verified implements [upstream.VerifiedTokens]. The reply is not stored in the client's cache,
// because clients can invent tokens.
func (p *VerifiedTokens) Verified(ctx context.Context, principal string) bool {
	key := p.keys.verified(principal)
	verified, err := do(ctx, p.conn, func(ctx context.Context, r rueidis.Client) (bool, error) {
		n, err := r.Do(ctx, r.B().Exists().Key(key).Build()).AsInt64()
		return n > 0, err
	})
	return err == nil && verified
}

// SetVerified implements [upstream.VerifiedTokens]. It returns after readTimeout at the latest.
func (p *VerifiedTokens) SetVerified(ctx context.Context, principal string, accepted bool) {
	key := p.keys.verified(principal)
	_, _ = do(ctx, p.conn, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		if accepted {
			return struct{}{}, r.Do(ctx, r.B().Set().Key(key).Value("1").Px(verifiedLife).Build()).Error()
		}
		return struct{}{}, r.Do(ctx, r.B().Del().Key(key).Build()).Error()
	})
}
