package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"
)

// proofLife is for how long a token counts as proven on all replicas.
const proofLife = 7 * 24 * time.Hour

// Proofs are the tokens that some replica knows Mixcloud to accept, as keyed hashes.
// While Redis is away each replica finds out by itself.
type Proofs struct {
	link *link
	keys keys
}

// Proven implements [upstream.SharedProofs]. This process keeps no copy of the answer:
// tokens are what anybody makes up.
func (p *Proofs) Proven(ctx context.Context, principal string) bool {
	key := p.keys.proof(principal)
	proven, err := ask(ctx, p.link, func(ctx context.Context, r rueidis.Client) (bool, error) {
		n, err := r.Do(ctx, r.B().Exists().Key(key).Build()).AsInt64()
		return n > 0, err
	})
	return err == nil && proven
}

// Prove implements [upstream.SharedProofs]. It waits at most as long as a read.
func (p *Proofs) Prove(ctx context.Context, principal string, accepted bool) {
	key := p.keys.proof(principal)
	_, _ = ask(ctx, p.link, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		if accepted {
			return struct{}{}, r.Do(ctx, r.B().Set().Key(key).Value("1").Px(proofLife).Build()).Error()
		}
		return struct{}{}, r.Do(ctx, r.B().Del().Key(key).Build()).Error()
	})
}
