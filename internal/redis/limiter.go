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

// alive counts the replicas that have given a sign of life lately, this one
// among them, and tells the server's time in milliseconds.
var alive = rueidis.NewLuaScript(`
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[1], clock[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', clock[1] - ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[2])
return {redis.call('ZCARD', KEYS[1]), clock[1] * 1000 + math.floor(clock[2] / 1000)}`)

// lifesigns is how many beats a replica may miss before it is not counted.
const lifesigns = 4

// A Limiter is the rate limiter that replicas share: for each principal and kind of
// call a [ratelimit.Limiter], whose state is in Redis. While Redis is away each replica
// limits itself to its share of the configured rate, by the number of replicas there
// last were.
type Limiter struct {
	link  *link
	keys  keys
	self  string
	start time.Time

	mu       sync.Mutex
	replicas int
	alone    map[upstream.SharedLimit]*ratelimit.Limiter // of this replica while Redis is away
}

func newLimiter(l *link, k keys) *Limiter {
	return &Limiter{link: l, keys: k, self: rand.Text(), start: time.Now(), replicas: 1, alone: map[upstream.SharedLimit]*ratelimit.Limiter{}}
}

// Take implements [upstream.SharedLimiter].
func (p *Limiter) Take(ctx context.Context, l upstream.SharedLimit) time.Duration {
	p.link.count.takes.Add(1)
	wait, err := p.step(ctx, l, "take", 0, 0)
	if err != nil {
		p.mu.Lock()
		wait = p.own(l).Take(p.now())
		p.mu.Unlock()
	}
	if wait > 0 {
		p.link.count.waits.Add(1)
	}
	return wait
}

// Refused implements [upstream.SharedLimiter].
func (p *Limiter) Refused(ctx context.Context, l upstream.SharedLimit, ago, wait time.Duration) time.Duration {
	pause, err := p.step(context.WithoutCancel(ctx), l, "refused", ago, wait)
	p.mu.Lock()
	defer p.mu.Unlock()
	own := p.own(l).Refuse(p.now(), p.now()-ago, wait)
	if err != nil {
		return own
	}
	return pause
}

// step is one step of the limiter in Redis.
func (p *Limiter) step(ctx context.Context, l upstream.SharedLimit, what string, ago, wait time.Duration) (time.Duration, error) {
	return ask(ctx, p.link, func(ctx context.Context, r rueidis.Client) (time.Duration, error) {
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

// own is this replica's share of a limit.
func (p *Limiter) own(l upstream.SharedLimit) *ratelimit.Limiter {
	share := l.Limit.Share(p.replicas)
	own := p.alone[l]
	if own == nil {
		bound(p.alone, maxAudiences)
		own = ratelimit.New(share, p.now())
		p.alone[l] = own
	} else {
		own.Configure(share) // there may be more replicas now, or fewer
	}
	return own
}

func (p *Limiter) now() time.Duration { return time.Since(p.start) }

// beat gives a sign of life, counts those of the others and sets the clock.
func (p *Limiter) beat(ctx context.Context) error {
	before := p.link.wall()
	told, err := boxed(ctx, p.link, p.link.box, func(ctx context.Context, r rueidis.Client) ([]int64, error) {
		seconds := strconv.Itoa(int(lifesigns * beat / time.Second))
		return alive.Exec(ctx, r, []string{replicasKey}, []string{p.self, seconds}).AsIntSlice()
	})
	if err == nil && len(told) != 2 {
		err = errValue
	}
	if err != nil {
		return err
	}
	p.link.set(time.UnixMilli(told[1]), before, p.link.wall())
	p.mu.Lock()
	defer p.mu.Unlock()
	p.replicas = int(max(told[0], 1))
	return nil
}

// Replicas is how many replicas there are, as far as is known.
func (p *Limiter) Replicas() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replicas
}
