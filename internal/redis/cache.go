package redis

import (
	"context"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/upstream"
)

// localLife is the TTL of the client's copies of values, which it reads without a round trip. Redis
// invalidates a copy earlier if the value changes.
const localLife = 10 * time.Minute

// A Cache is the cache that replicas share. Repeated reads of a value need no round trip: the
// client stores a copy, which Redis invalidates.
type Cache struct {
	conn   *conn
	writer *writer
	keys   keys
	epochs *epochs
}

func newCache(c *conn, w *writer, k keys) *Cache {
	return &Cache{conn: c, writer: w, keys: k, epochs: newEpochs(c, k)}
}

// Get implements [upstream.SharedCache]. An error is a miss.
func (c *Cache) Get(ctx context.Context, at upstream.Address) (upstream.Record, bool) {
	c.conn.count.gets.Add(1)
	key := c.keys.value(at.Principal, at.ID)
	var found read
	var err error
	if at.Principal == "" {
		found, err = do(ctx, c.conn, func(ctx context.Context, r rueidis.Client) (read, error) {
			return readOf(r.DoCache(ctx, r.B().Get().Key(key).Cache().ToStaticTTL(), localLife))
		})
	} else {
		found, err = c.epochs.read(ctx, at.Principal, key)
	}
	if err != nil || found.text == "" {
		return upstream.Record{}, false
	}
	v, err := decode(found.text)
	if err != nil {
		c.conn.logSampled(slog.LevelWarn, "invalid", "invalid value in Redis", "key", key)
		return upstream.Record{}, false
	}
	if v.epoch != found.epoch {
		return upstream.Record{}, false
	}
	c.conn.count.hits.Add(1)
	if found.local {
		c.conn.count.localHits.Add(1)
	}
	v.record.Age = max(c.conn.now().Sub(v.stored), 0)
	return v.record, true
}

// A read is a reply of Redis; an empty text is a miss.
type read struct {
	text  string
	epoch string
	local bool // from the client's copy, without a round trip
}

func readOf(r rueidis.RedisResult) (read, error) {
	text, err := r.ToString()
	if rueidis.IsRedisNil(err) {
		err = nil
	}
	return read{text: text, local: r.IsCacheHit()}, err
}

// Put implements [upstream.SharedCache]. It returns at once. The record is written in the
// background. It is lost if Redis is unreachable or too slow.
func (c *Cache) Put(_ context.Context, at upstream.Address, r upstream.Record, life upstream.Lifetime) {
	c.conn.count.puts.Add(1)
	left := life.Retain
	if r.Body == nil {
		left = life.NegativeTTL
	}
	left -= r.Age
	key := c.keys.value(at.Principal, at.ID)
	v := value{stored: c.conn.now().Add(-r.Age), record: r}
	if at.Principal != "" {
		var ok bool
		if v.epoch, ok = c.epochs.epochOfRead(at.Principal, key); !ok {
			c.conn.count.dropped.Add(1)
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
		c.conn.count.dropped.Add(1)
	}
}

// Drop implements [upstream.SharedCache]. It invalidates the values of a principal, in Redis and in
// the other replicas, or later if Redis is unreachable.
func (c *Cache) Drop(ctx context.Context, principal string) {
	if principal != "" {
		c.conn.count.invalidations.Add(1)
		c.epochs.invalidate(ctx, principal)
	}
}
