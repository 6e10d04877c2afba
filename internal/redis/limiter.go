package redis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/internal/upstream"
)

//go:embed limiter.lua
var limiterScript string

var limiterLua = rueidis.NewLuaScript(limiterScript)

// heartbeatLua registers a replica. It returns the number of replicas that have sent a heartbeat
// recently, and the server's time in milliseconds.
var heartbeatLua = rueidis.NewLuaScript(`
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[1], clock[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', clock[1] - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {redis.call('ZCARD', KEYS[1]), clock[1] * 1000 + math.floor(clock[2] / 1000)}`)

// maxMissed is the number of missed heartbeats after which a replica is not counted.
const maxMissed = 4

// A Limiter is the rate limiter that replicas share. For each principal and kind of call it has a
// [ratelimit.Limiter] with its state in Redis. While Redis is unreachable, each replica limits
// itself to the configured rate divided by the last known number of replicas.
type Limiter struct {
	conn  *conn
	keys  keys
	self  string
	start time.Time

	mu       sync.Mutex
	replicas int
	local    map[upstream.SharedLimit]*ratelimit.Limiter // used while Redis is unreachable
}

func newLimiter(c *conn, k keys) *Limiter {
	return &Limiter{conn: c, keys: k, self: rand.Text(), start: time.Now(), replicas: 1, local: map[upstream.SharedLimit]*ratelimit.Limiter{}}
}

// Take implements [upstream.SharedLimiter].
func (p *Limiter) Take(ctx context.Context, l upstream.SharedLimit) time.Duration {
	p.conn.count.takes.Add(1)
	wait, err := p.step(ctx, l, "take", 0, 0)
	if err != nil {
		p.mu.Lock()
		wait = p.localLimiter(l).Take(p.now())
		p.mu.Unlock()
	}
	if wait > 0 {
		p.conn.count.waits.Add(1)
	}
	return wait
}

// Refused implements [upstream.SharedLimiter].
func (p *Limiter) Refused(ctx context.Context, l upstream.SharedLimit, ago, wait time.Duration) time.Duration {
	pause, err := p.step(context.WithoutCancel(ctx), l, "refused", ago, wait)
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.localLimiter(l).Refuse(p.now(), p.now()-ago, wait)
	if err != nil {
		return own
	}
	return pause
}

// step runs one step of the limiter in Redis.
func (p *Limiter) step(ctx context.Context, l upstream.SharedLimit, what string, ago, wait time.Duration) (time.Duration, error) {
	return do(ctx, p.conn, func(ctx context.Context, r rueidis.Client) (time.Duration, error) {
		args := stepArgs(l.Limit, what, ago, wait)
		micros, err := limiterLua.Exec(ctx, r, []string{p.keys.limit(l)}, args).AsFloat64()
		return time.Duration(micros) * time.Microsecond, err
	})
}

func stepArgs(l ratelimit.Limit, what string, ago, wait time.Duration) []string {
	return []string{
		what, strconv.FormatFloat(l.Rate, 'g', -1, 64), strconv.Itoa(max(l.Burst, 1)),
		strconv.FormatInt(wait.Microseconds(), 10), strconv.FormatInt(ago.Microseconds(), 10),
	}
}

// localLimiter returns the limiter of this replica's share of a limit. p.mu must be held.
func (p *Limiter) localLimiter(l upstream.SharedLimit) *ratelimit.Limiter {
	share := l.Limit.Share(p.replicas)
	own := p.local[l]
	if own == nil {
		makeRoom(p.local, maxPrincipals)
		own = ratelimit.New(share, p.now())
		p.local[l] = own
	} else {
		own.Configure(share) // the number of replicas may have changed
	}
	return own
}

func (p *Limiter) now() time.Duration { return time.Since(p.start) }

// heartbeat registers this replica, counts the others and reads the server's clock.
func (p *Limiter) heartbeat(ctx context.Context) error {
	before := p.conn.clock()
	reply, err := withTimeout(ctx, p.conn, p.conn.timeout, func(ctx context.Context, r rueidis.Client) ([]int64, error) {
		seconds := strconv.Itoa(int(maxMissed * keepaliveInterval / time.Second))
		return heartbeatLua.Exec(ctx, r, []string{replicasKey}, []string{p.self, seconds}).AsIntSlice()
	})
	if err == nil && len(reply) != 2 {
		err = errInvalidValue
	}
	if err != nil {
		return err
	}
	p.conn.setOffset(time.UnixMilli(reply[1]), before, p.conn.clock())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replicas = int(max(reply[0], 1))
	return nil
}

// Replicas returns the last known number of replicas.
func (p *Limiter) Replicas() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replicas
}
