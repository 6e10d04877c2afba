package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/idempotency"
)

// claimLife is the TTL of a claim. The replica that made the claim renews it while its process
// runs.
const claimLife = 30 * time.Second

// Writes is an [idempotency.Store] that replicas share.
//
// Each claim is made in this process first, and then in Redis. This process therefore finds its
// own writes even if Redis was unreachable or has evicted them. While Redis is unreachable, a
// claim in this process is enough.
type Writes struct {
	conn    *conn
	keys    keys
	pending pendingCommands
	own     idempotency.Memory
}

// A write is a hash with the fields content, claim (while the write is in flight), status and body
// (when it is finished).
var (
	claimLua = rueidis.NewLuaScript(`
local stored = redis.call('HMGET', KEYS[1], 'content', 'status', 'body')
if stored[1] then return {stored[1] == ARGV[1] and 1 or 0, stored[2] or '', stored[3] or ''} end
redis.call('HSET', KEYS[1], 'content', ARGV[1], 'claim', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return false`)

	// Another replica may have taken over an expired claim. Otherwise the write is finished
	// although its claim has expired, because it was executed.
	finishLua = rueidis.NewLuaScript(`
local claim = redis.call('HGET', KEYS[1], 'claim')
if claim and claim ~= ARGV[2] or not claim and redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'content', ARGV[1], 'status', ARGV[4], 'body', ARGV[5])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1`)

	renewLua = rueidis.NewLuaScript(`
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`)

	releaseLua = rueidis.NewLuaScript(`
if redis.call('HGET', KEYS[1], 'claim') ~= ARGV[2] then return 0 end
return redis.call('DEL', KEYS[1])`)
)

// Begin implements [idempotency.Store]. If Redis is unreachable, it claims the write only in this
// process.
func (w *Writes) Begin(ctx context.Context, name idempotency.Name, content idempotency.Fingerprint) (idempotency.Claim, *idempotency.Response, error) {
	own, response, err := w.own.Begin(ctx, name, content)
	if err != nil || response != nil {
		return nil, response, err
	}
	shared, response, err := w.begin(ctx, name, content)
	switch {
	case shared != nil:
		return pairedClaim{shared, own}, nil, nil
	case errors.Is(err, errUnreachable):
		return own, nil, nil
	}
	_ = own.Release(ctx) // releasing a claim in memory cannot fail
	return nil, response, err
}

// A pairedClaim is the claim of one write in Redis and in this process.
type pairedClaim struct {
	shared *sharedClaim
	own    idempotency.Claim
}

// Finish implements [idempotency.Claim]. If Redis is unreachable, the response is stored later.
func (c pairedClaim) Finish(ctx context.Context, a idempotency.Response) error {
	_ = c.shared.finish(ctx, a)
	return c.own.Finish(ctx, a)
}

// Release implements [idempotency.Claim].
func (c pairedClaim) Release(ctx context.Context) error {
	_ = c.shared.release(ctx)
	return c.own.Release(ctx)
}

// begin is [Writes.Begin] without the claim in this process. It returns errUnreachable if Redis
// is unreachable. The claim is renewed while this process runs.
func (w *Writes) begin(ctx context.Context, name idempotency.Name, content idempotency.Fingerprint) (*sharedClaim, *idempotency.Response, error) {
	c := &sharedClaim{writes: w, key: w.keys.write(name), content: rueidis.BinaryString(content[:]), id: rand.Text(), ended: make(chan struct{})}
	reply, err := do(ctx, w.conn, func(ctx context.Context, r rueidis.Client) ([]rueidis.RedisMessage, error) {
		return claimLua.Exec(ctx, r, []string{c.key}, c.args(claimLife)).ToArray()
	})
	switch {
	case rueidis.IsRedisNil(err):
		go c.renew(ctx)
		return c, nil, nil
	case errors.Is(err, errUnreachable):
		return nil, nil, errUnreachable
	case ctx.Err() != nil:
		c.abandon()
		return nil, nil, ctx.Err()
	case err != nil:
		// Redis may have made the claim. A later request with the same key must not wait for a
		// write that is not being executed.
		c.abandon()
		return nil, nil, errUnreachable
	case len(reply) != 3:
		return nil, nil, errUnreachable
	}
	if same, err := reply[0].AsInt64(); err != nil || same != 1 {
		return nil, nil, idempotency.ErrOtherContent
	}
	if text, err := reply[1].ToString(); err == nil && text == "" {
		return nil, nil, idempotency.ErrInFlight
	}
	status, err := reply[1].AsInt64()
	if err != nil { // not written by this program, so no replica executes the write
		return nil, nil, errUnreachable
	}
	body, err := reply[2].ToString()
	if err != nil {
		return nil, nil, errUnreachable
	}
	return nil, &idempotency.Response{Status: int(status), Body: []byte(body)}, nil
}

// A sharedClaim is a claim in Redis. It ends with exactly one call of finish or release.
type sharedClaim struct {
	writes       *Writes
	key, content string
	id           string
	once         sync.Once
	ended        chan struct{}
}

func (c *sharedClaim) args(life time.Duration, more ...string) []string {
	return append([]string{c.content, c.id, strconv.FormatInt(life.Milliseconds(), 10)}, more...)
}

// renew renews the claim until it ends.
func (c *sharedClaim) renew(ctx context.Context) {
	ticker := time.NewTicker(claimLife / 3)
	defer ticker.Stop()
	for {
		select {
		case <-c.ended:
			return
		case <-c.writes.conn.ctx.Done():
			return
		case <-ticker.C:
			_, _ = doWithin(context.WithoutCancel(ctx), c.writes.conn, writeTimeout, c.run(renewLua, c.args(claimLife)))
		}
	}
}

func (c *sharedClaim) run(script *rueidis.Lua, args []string) func(context.Context, rueidis.Client) (int64, error) {
	return func(ctx context.Context, r rueidis.Client) (int64, error) {
		return script.Exec(ctx, r, []string{c.key}, args).AsInt64()
	}
}

// finish stores the response. It returns errUnreachable if the response is stored later.
func (c *sharedClaim) finish(ctx context.Context, a idempotency.Response) error {
	body := rueidis.BinaryString(a.Body)
	return c.end(ctx, idempotency.TTL, finishLua, c.args(idempotency.TTL, strconv.Itoa(a.Status), body))
}

// release drops the claim. It returns errUnreachable if the claim is dropped later.
func (c *sharedClaim) release(ctx context.Context) error {
	return c.end(ctx, claimLife, releaseLua, c.args(claimLife))
}

func (c *sharedClaim) end(ctx context.Context, life time.Duration, script *rueidis.Lua, args []string) error {
	c.once.Do(func() { close(c.ended) })
	if _, err := do(context.WithoutCancel(ctx), c.writes.conn, c.run(script, args)); err != nil {
		c.addPending(life, script, args)
		return errUnreachable
	}
	return nil
}

// abandon releases a claim that Redis may have made.
func (c *sharedClaim) abandon() { c.addPending(claimLife, releaseLua, c.args(claimLife)) }

// addPending adds a command that is run when Redis is reachable.
func (c *sharedClaim) addPending(life time.Duration, script *rueidis.Lua, args []string) {
	size := 256
	for _, arg := range args {
		size += len(arg)
	}
	run := c.run(script, args)
	c.writes.pending.add(pendingCommand{bytes: size, until: time.Now().Add(life), run: func(ctx context.Context) error {
		_, err := withTimeout(ctx, c.writes.conn, writeTimeout, run)
		return err
	}})
}
