package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// answerLife is for how long a finished write is remembered.
	answerLife = 24 * time.Hour
	// claimLife is for how long a claim holds without a sign of life of the
	// replica that has it.
	claimLife = 30 * time.Second
)

// What keeps a write from being begun.
var (
	// ErrInFlight says that a write of this name is under way, on whichever
	// replica.
	ErrInFlight = errors.New("redis: a write of this name is under way")
	// ErrOtherContent says that the name belongs to a write of another content.
	ErrOtherContent = errors.New("redis: the name belongs to a write of another content")
	// ErrAway says that Redis does not answer: writes are to be remembered by
	// this process alone.
	ErrAway = errors.New("redis: does not answer")
)

// An Answer is what a write was answered with.
type Answer struct {
	Status int
	Body   []byte
}

// Writes remember which writes were begun and how they ended, for all replicas.
// Names are a client's, for one audience.
type Writes struct {
	link  *link
	keys  keys
	debts debts
}

// A hash has the members content, claim (while it is under way), status and body
// (when it is finished).
var (
	claimLua = rueidis.NewLuaScript(`
local kept = redis.call('HMGET', KEYS[1], 'content', 'status', 'body')
if kept[1] then return {kept[1] == ARGV[1] and 1 or 0, kept[2] or '', kept[3] or ''} end
redis.call('HSET', KEYS[1], 'content', ARGV[1], 'claim', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return false`)

	// A claim that expired may have gone to somebody else; one that nobody has
	// is taken again, for the write was done.
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

// Begin claims a name for a content. It gives the claim; or, when the write was
// finished, its answer; or ErrInFlight, ErrOtherContent or ErrAway. A claim
// holds for as long as this process lives.
func (w *Writes) Begin(ctx context.Context, audience, key string, content [32]byte) (*Claim, *Answer, error) {
	c := &Claim{writes: w, key: w.keys.write(audience, key), content: rueidis.BinaryString(content[:]), id: rand.Text(), over: make(chan struct{})}
	reply, err := ask(ctx, w.link, func(ctx context.Context, r rueidis.Client) ([]rueidis.RedisMessage, error) {
		return claimLua.Exec(ctx, r, []string{c.key}, c.args(claimLife)).ToArray()
	})
	switch {
	case rueidis.IsRedisNil(err):
		go c.hold(ctx)
		return c, nil, nil
	case errors.Is(err, errAway):
		return nil, nil, ErrAway
	case ctx.Err() != nil:
		c.abandon()
		return nil, nil, ctx.Err()
	case err != nil:
		// The claim may be there all the same: whoever asks for it again, when
		// Redis is back, must not wait for a write that nobody does.
		c.abandon()
		return nil, nil, ErrAway
	case len(reply) != 3:
		return nil, nil, ErrAway
	}
	if same, err := reply[0].AsInt64(); err != nil || same != 1 {
		return nil, nil, ErrOtherContent
	}
	if text, err := reply[1].ToString(); err == nil && text == "" {
		return nil, nil, ErrInFlight
	}
	status, err := reply[1].AsInt64()
	if err != nil { // none of ours: nobody is doing it
		return nil, nil, ErrAway
	}
	body, err := reply[2].ToString()
	if err != nil {
		return nil, nil, ErrAway
	}
	return nil, &Answer{int(status), []byte(body)}, nil
}

// A Claim is the right to do a write. It ends with exactly one of its methods.
type Claim struct {
	writes       *Writes
	key, content string
	id           string
	once         sync.Once
	over         chan struct{}
}

func (c *Claim) args(life time.Duration, more ...string) []string {
	return append([]string{c.content, c.id, strconv.FormatInt(life.Milliseconds(), 10)}, more...)
}

// hold gives signs of life for as long as the write takes.
func (c *Claim) hold(ctx context.Context) {
	ticker := time.NewTicker(claimLife / 3)
	defer ticker.Stop()
	for {
		select {
		case <-c.over:
			return
		case <-c.writes.link.life.Done():
			return
		case <-ticker.C:
			_, _ = do(context.WithoutCancel(ctx), c.writes.link, writeBox, c.run(renewLua, c.args(claimLife)))
		}
	}
}

func (c *Claim) run(script *rueidis.Lua, args []string) func(context.Context, rueidis.Client) (int64, error) {
	return func(ctx context.Context, r rueidis.Client) (int64, error) {
		return script.Exec(ctx, r, []string{c.key}, args).AsInt64()
	}
}

// Finish remembers what the write was answered with. ErrAway says that Redis
// does not have it yet: it will be told when it is back, and until then the
// caller does well to remember the answer by itself.
func (c *Claim) Finish(ctx context.Context, a Answer) error {
	body := rueidis.BinaryString(a.Body)
	return c.end(ctx, answerLife, finishLua, c.args(answerLife, strconv.Itoa(a.Status), body))
}

// Release forgets the write: it certainly was not done. ErrAway is as in
// [Claim.Finish].
func (c *Claim) Release(ctx context.Context) error {
	return c.end(ctx, claimLife, releaseLua, c.args(claimLife))
}

func (c *Claim) end(ctx context.Context, life time.Duration, script *rueidis.Lua, args []string) error {
	c.once.Do(func() { close(c.over) })
	if _, err := ask(context.WithoutCancel(ctx), c.writes.link, c.run(script, args)); err != nil {
		c.owe(life, script, args)
		return ErrAway
	}
	return nil
}

// abandon releases a claim of which it is not known whether it was made.
func (c *Claim) abandon() { c.owe(claimLife, releaseLua, c.args(claimLife)) }

func (c *Claim) owe(life time.Duration, script *rueidis.Lua, args []string) {
	size := 256
	for _, arg := range args {
		size += len(arg)
	}
	run := c.run(script, args)
	c.writes.debts.owe(debt{bytes: size, until: time.Now().Add(life), pay: func(ctx context.Context) error {
		_, err := boxed(ctx, c.writes.link, writeBox, run)
		return err
	}})
}
