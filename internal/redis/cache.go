package redis

import (
	"context"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/upstream"
)

// localLife is how long this process's own copy of what is in Redis answers
// without a round trip. Redis tells when it changes before.
const localLife = 10 * time.Minute

// A Cache is the second level of a store's cache, which replicas share. What is
// asked for often costs no round trip: the process keeps a copy, and Redis
// tells it when that is no longer right.
type Cache struct {
	link        *link
	writer      *writer
	keys        keys
	generations *generations
}

func newCache(l *link, w *writer, k keys) *Cache {
	return &Cache{link: l, writer: w, keys: k, generations: newGenerations(l, k)}
}

// Get implements [upstream.SecondLevel]. Whatever goes wrong is a miss.
func (c *Cache) Get(ctx context.Context, at upstream.Address) (upstream.Record, bool) {
	c.link.count.gets.Add(1)
	key := c.keys.value(at.Audience, at.ID)
	var found read
	var err error
	if at.Audience == "" {
		found, err = ask(ctx, c.link, func(ctx context.Context, r rueidis.Client) (read, error) {
			return readOf(r.DoCache(ctx, r.B().Get().Key(key).Cache().ToStaticTTL(), localLife))
		})
	} else {
		found, err = c.generations.read(ctx, at.Audience, key)
	}
	if err != nil || found.text == "" {
		return upstream.Record{}, false
	}
	v, err := decode(found.text)
	if err != nil {
		c.link.log.warn("damaged", "Redis holds a value that cannot be read", "key", key)
		return upstream.Record{}, false
	}
	if v.generation != found.generation {
		return upstream.Record{}, false
	}
	c.link.count.hits.Add(1)
	if found.local {
		c.link.count.local.Add(1)
	}
	v.record.Age = max(c.link.now().Sub(v.stored), 0)
	return v.record, true
}

// A read is what Redis answered; no text is a miss.
type read struct {
	text       string
	generation string
	local      bool // without a round trip
}

func readOf(r rueidis.RedisResult) (read, error) {
	text, err := r.ToString()
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	return read{text: text, local: r.IsCacheHit()}, err
}

// Put implements [upstream.SecondLevel]. It returns at once: the record is
// written in the background, or lost.
func (c *Cache) Put(_ context.Context, at upstream.Address, r upstream.Record, life upstream.Lifetime) {
	c.link.count.puts.Add(1)
	left := life.Keep
	if r.Body == nil {
		left = life.Missing
	}
	left -= r.Age
	key := c.keys.value(at.Audience, at.ID)
	v := value{stored: c.link.now().Add(-r.Age), record: r}
	if at.Audience != "" {
		var ok bool
		if v.generation, ok = c.generations.seen(at.Audience, key); !ok {
			c.link.count.dropped.Add(1)
			return
		}
	}
	if left < time.Millisecond || !c.writer.put(job{
		bytes: len(r.Body) + 256,
		build: func(b rueidis.Builder) (rueidis.Completed, bool) {
			text, ok := v.encode()
			if !ok {
				return rueidis.Completed{}, false
			}
			return b.Set().Key(key).Value(rueidis.BinaryString(text)).Px(left).Build(), true
		},
	}) {
		c.link.count.dropped.Add(1)
	}
}

// Drop implements [upstream.SecondLevel]: what is kept for an audience is
// unreachable from now on, and the other replicas forget it. While Redis is
// away, that is made good when it is back.
func (c *Cache) Drop(ctx context.Context, audience string) {
	if audience != "" {
		c.link.count.drops.Add(1)
		c.generations.renew(ctx, audience)
	}
}
