package redis

import (
	"context"
	"crypto/rand"
	_ "embed"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

//go:embed pace.lua
var paceScript string

var paceLua = rueidis.NewLuaScript(paceScript)

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

// A Pace is the pacing budget that replicas share: one token bucket for each
// audience, whose rate learns from refusals, and the wait that a refusal named,
// wherever it was. While Redis is away each replica takes its share of the
// configured rate, by the number of replicas there last were.
type Pace struct {
	link        *link
	keys        keys
	base, burst float64
	args        [2]string
	self        string
	start       time.Time

	mu       sync.Mutex
	replicas int
	alone    map[string]*bucket // by class, of this replica while Redis is away
}

func newPace(l *link, k keys, rate float64, burst int) *Pace {
	b := float64(max(burst, 1))
	return &Pace{
		link: l, keys: k, base: rate, burst: b,
		args:  [2]string{strconv.FormatFloat(rate, 'g', -1, 64), strconv.FormatFloat(b, 'g', -1, 64)},
		self:  rand.Text(),
		start: time.Now(), replicas: 1, alone: map[string]*bucket{},
	}
}

// Take implements [upstream.SharedPace].
func (p *Pace) Take(ctx context.Context, class string) time.Duration {
	p.link.count.takes.Add(1)
	wait, err := p.ask(ctx, class, "take", "0")
	if err != nil {
		wait = p.takeAlone(class)
	}
	if wait > 0 {
		p.link.count.waits.Add(1)
	}
	return wait
}

// Refused implements [upstream.SharedPace].
func (p *Pace) Refused(ctx context.Context, class string, wait time.Duration) {
	_, _ = p.ask(context.WithoutCancel(ctx), class, "refused", strconv.FormatInt(wait.Microseconds(), 10))
	p.mu.Lock()
	defer p.mu.Unlock()
	b, _, burst := p.own(class)
	b.refused(burst, micros(wait.Microseconds()), p.now())
}

func (p *Pace) ask(ctx context.Context, class, what, wait string) (time.Duration, error) {
	return ask(ctx, p.link, func(ctx context.Context, r rueidis.Client) (time.Duration, error) {
		left, err := paceLua.Exec(ctx, r, []string{p.keys.pace(class)}, []string{what, p.args[0], p.args[1], wait}).AsFloat64()
		return duration(left), err
	})
}

func (p *Pace) takeAlone(class string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	b, base, burst := p.own(class)
	return duration(b.take(base, burst, p.now()))
}

// own is this replica's share.
func (p *Pace) own(class string) (b *bucket, base, burst float64) {
	base, burst = share(p.base, p.burst, p.replicas)
	if b = p.alone[class]; b == nil {
		bound(p.alone, maxAudiences)
		b = newBucket(base, burst, p.now())
		p.alone[class] = b
	} else if b.limited == 0 {
		b.rate = base // there may be more replicas now, or fewer
	}
	return b, base, burst
}

func (p *Pace) now() micros { return micros(time.Since(p.start).Microseconds()) }

// beat gives a sign of life, counts those of the others and sets the clock.
func (p *Pace) beat(ctx context.Context) error {
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
func (p *Pace) Replicas() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.replicas
}
