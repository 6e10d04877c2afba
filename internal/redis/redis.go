// Package redis lets replicas of the server share what is worth sharing: what
// Mixcloud has answered, how fast it may be asked, what viewers have just
// written, which writes were done, how far uploads are, which sign-ins were finished, which sessions were ended, which queries are known by
// their hash.
//
// Redis may be away at any time: at the start, in the middle of a command, for
// hours. Then each replica goes on by itself. Nothing here gives a client an
// error or makes it wait for longer than 50 ms, and after a few failures for no
// time at all, until Redis is back.
//
// What is written there names nobody: keys are keyed hashes, and no token ever
// comes near.
package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upstream"
)

// Options configure what replicas share.
type Options struct {
	// URL says where Redis is.
	URL redisurl.URL
	// Secret is what names are hashed with. All replicas must have the same.
	Secret []byte
	// Log hears when Redis goes and comes back; nil for silence.
	Log *slog.Logger
}

// minSecret is the fewest bytes that a secret may have.
const minSecret = 32

// A Redis is what the replicas share. It is safe for concurrent use.
type Redis struct {
	link    *link
	writer  *writer
	running sync.WaitGroup

	cache    *Cache
	limiter  *Limiter
	proofs   *Proofs
	writes   *Writes
	progress *Progress
	nonces   *Nonces
	revoked  *Revocations
	queries  *Queries
	marks    *Marks
}

// Open prepares the sharing, which [Redis.Start] begins. It makes no
// connection: its error is one of the configuration.
func Open(o Options) (*Redis, error) {
	opt, err := o.URL.Options()
	if err != nil {
		return nil, err
	}
	if len(o.Secret) < minSecret {
		return nil, fmt.Errorf("a Redis needs a secret key of at least %d bytes, the same for all replicas: what they share is named by hashes made with it", minSecret)
	}
	k, err := newKeys(o.Secret)
	if err != nil {
		return nil, err
	}
	r := &Redis{link: newLink(opt, o.Log)}
	r.writer = newWriter(r.link)
	r.cache = newCache(r.link, r.writer, k)
	r.marks = &Marks{link: r.link, keys: k, generations: r.cache.generations}
	r.limiter = newLimiter(r.link, k)
	r.proofs = &Proofs{link: r.link, keys: k}
	r.writes = &Writes{link: r.link, keys: k}
	r.progress = newProgress(r.link, r.writer, k)
	r.nonces = &Nonces{link: r.link, keys: k}
	r.revoked = &Revocations{link: r.link, keys: k}
	r.queries = &Queries{link: r.link, writer: r.writer, keys: k}
	return r, nil
}

// Start connects, and does not wait for it: until Redis is there, and whenever
// it is not, each replica works by itself. Forget is called when another replica
// has dropped an audience, whose store is over there: it is
// [upstream.Store.Forget]. It may be nil, and must be quick. Start is called at
// most once, and not after Close.
func (r *Redis) Start(forget func(audience string)) {
	if forget == nil {
		forget = func(string) {}
	}
	r.writer.running.Go(r.writer.run)
	r.running.Go(func() { r.cache.generations.listen(r.link.life, forget) })
	r.running.Go(func() { r.link.keep(r.arrive, r.settle) })
}

// arrive makes good for what must not be read any more, and tells the others
// that this replica lives.
func (r *Redis) arrive(ctx context.Context) error {
	return errors.Join(r.cache.generations.flush(ctx), r.limiter.beat(ctx))
}

// settle tells Redis what it was not told while it was away.
func (r *Redis) settle(ctx context.Context) error {
	return errors.Join(r.writes.debts.settle(ctx), r.progress.debts.settle(ctx), r.revoked.debts.settle(ctx))
}

// Close writes what is still to be written, and ends. It waits no longer than
// ctx.
func (r *Redis) Close(ctx context.Context) {
	r.writer.close(ctx)
	if r.link.breaker.closed() {
		_ = errors.Join(r.arrive(ctx), r.settle(ctx))
	}
	r.link.close(ctx)
	within(ctx, r.running.Wait)
}

// Stats counts what was done.
func (r *Redis) Stats() Stats { return r.link.stats() }

// Cache is the shared cache of answers.
func (r *Redis) Cache() *Cache { return r.cache }

// Marks are what viewers have just written.
func (r *Redis) Marks() *Marks { return r.marks }

// Limiter is the shared rate limiter.
func (r *Redis) Limiter() *Limiter { return r.limiter }

// Proofs are the tokens that are known to be good.
func (r *Redis) Proofs() *Proofs { return r.proofs }

// Writes are the shared idempotency keys.
func (r *Redis) Writes() *Writes { return r.writes }

// Progress is how far uploads are, on whichever replica.
func (r *Redis) Progress() *Progress { return r.progress }

// Nonces are the shared single-use nonces.
func (r *Redis) Nonces() *Nonces { return r.nonces }

// Revocations is the shared set of sessions that were ended.
func (r *Redis) Revocations() *Revocations { return r.revoked }

// Queries are the shared persisted queries.
func (r *Redis) Queries() *Queries { return r.queries }

var (
	_ upstream.SecondLevel   = (*Cache)(nil)
	_ upstream.SharedMarks   = (*Marks)(nil)
	_ upstream.SharedLimiter = (*Limiter)(nil)
	_ upstream.SharedProofs  = (*Proofs)(nil)
)
