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

// claimLife is how long a claim is valid after the last keepalive of the replica that has it.
const claimLife = 30 * time.Second

// Writes is an [idempotency.Store] of all replicas.
//
// Each claim is made in this process first, and then in Redis. So this process knows the writes
// that it did while Redis was unreachable, and those that Redis has evicted since. While Redis is
// unreachable, a claim in this process is enough.
type Writes struct {
	conn    *conn
	keys    keys
	pending pendingCommands
	own     idempotency.Memory
}

// A write is a hash with the members content, claim (while the write is in flight), status and
// body (when it is finished).
var (
	claimLua = rueidis.NewLuaScript(`
local kept = redis.call('HMGET', KEYS[1], 'content', 'status', 'body')
if kept[1] then return {kept[1] == ARGV[1] and 1 or 0, kept[2] or '', kept[3] or ''} end
redis.call('HSET', KEYS[1], 'content', ARGV[1], 'claim', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return false`)

	// An expired claim may have been taken over by another replica. If it was not, it is
	// finished all the same, since the write was done.
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

// Begin implements [idempotency.Store]. It returns no error because Redis is unreachable.
func (w *Writes) Begin(ctx context.Context, name idempotency.Name, content idempotency.Fingerprint) (idempotency.Claim, *idempotency.Answer, error) {
	own, answer, err := w.own.Begin(ctx, name, content)
	if err != nil || answer != nil {
		return nil, answer, err
	}
	shared, answer, err := w.begin(ctx, name, content)
	switch {
	case shared != nil:
		return pairedClaim{shared, own}, nil, nil
	case errors.Is(err, errUnreachable):
		return own, nil, nil
	}
	_ = own.Release(ctx) // a claim in memory has no error
	return nil, answer, err
}

// A pairedClaim is the claim of one write in Redis and in this process.
type pairedClaim struct {
	shared *sharedClaim
	own    idempotency.Claim
}

// Finish implements [idempotency.Claim]. If Redis is unreachable, it gets the answer later.
func (c pairedClaim) Finish(ctx context.Context, a idempotency.Answer) error {
	_ = c.shared.finish(ctx, a)
	return c.own.Finish(ctx, a)
}

// Release implements [idempotency.Claim].
func (c pairedClaim) Release(ctx context.Context) error {
	_ = c.shared.release(ctx)
	return c.own.Release(ctx)
}

// begin is [Writes.Begin] in Redis alone. It returns errUnreachable if Redis is unreachable. The claim
// is renewed for as long as this process lives.
func (w *Writes) begin(ctx context.Context, name idempotency.Name, content idempotency.Fingerprint) (*sharedClaim, *idempotency.Answer, error) {
	c := &sharedClaim{writes: w, key: w.keys.write(name), content: rueidis.BinaryString(content[:]), id: rand.Text(), over: make(chan struct{})}
	reply, err := ask(ctx, w.conn, func(ctx context.Context, r rueidis.Client) ([]rueidis.RedisMessage, error) {
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
		// The claim may have been made all the same. A later request with the same key must
		// not wait for a write that does not run.
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
	if err != nil { // not written by this program, so no replica is doing it
		return nil, nil, errUnreachable
	}
	body, err := reply[2].ToString()
	if err != nil {
		return nil, nil, errUnreachable
	}
	return nil, &idempotency.Answer{Status: int(status), Body: []byte(body)}, nil
}

// A sharedClaim is a claim in Redis. It ends with exactly one call of finish or release.
type sharedClaim struct {
	writes       *Writes
	key, content string
	id           string
	once         sync.Once
	over         chan struct{}
}

func (c *sharedClaim) args(life time.Duration, more ...string) []string {
	return append([]string{c.content, c.id, strconv.FormatInt(life.Milliseconds(), 10)}, more...)
}

// renew keeps the claim valid until it ends.
func (c *sharedClaim) renew(ctx context.Context) {
	ticker := time.NewTicker(claimLife / 3)
	defer ticker.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-c.writes.conn.ctx.Done():
			return
		case <-ticker.C:
			_, _ = do(context.WithoutCancel(ctx), c.writes.conn, writeTimeout, c.run(renewLua, c.args(claimLife)))
		}
	}
}

func (c *sharedClaim) run(script *rueidis.Lua, args []string) func(context.Context, rueidis.Client) (int64, error) {
	return func(ctx context.Context, r rueidis.Client) (int64, error) {
		return script.Exec(ctx, r, []string{c.key}, args).AsInt64()
	}
}

// finish keeps the answer. errUnreachable says that Redis gets it later.
func (c *sharedClaim) finish(ctx context.Context, a idempotency.Answer) error {
	body := rueidis.BinaryString(a.Body)
	return c.end(ctx, idempotency.Life, finishLua, c.args(idempotency.Life, strconv.Itoa(a.Status), body))
}

// release drops the claim. errUnreachable says that Redis is told later.
func (c *sharedClaim) release(ctx context.Context) error {
	return c.end(ctx, claimLife, releaseLua, c.args(claimLife))
}

func (c *sharedClaim) end(ctx context.Context, life time.Duration, script *rueidis.Lua, args []string) error {
	c.once.Do(func() { close(c.over) })
	if _, err := ask(context.WithoutCancel(ctx), c.writes.conn, c.run(script, args)); err != nil {
		c.owe(life, script, args)
		return errUnreachable
	}
	return nil
}

// abandon releases a claim that may or may not have been made.
func (c *sharedClaim) abandon() { c.owe(claimLife, releaseLua, c.args(claimLife)) }

func (c *sharedClaim) owe(life time.Duration, script *rueidis.Lua, args []string) {
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
