package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/upstream"
)

const (
	// writesLife is the TTL of a principal's writes after the latest of them.
	writesLife = 10 * time.Minute
	// maxWrites bounds the writes that are stored for a principal.
	maxWrites = 1000
)

// RecentWrites are the recent writes of viewers on all replicas: a hash for each principal, with a
// field for each flag of each target. They are stored together with the principal's new epoch, so
// that a replica that reads the epoch finds the writes too.
type RecentWrites struct {
	conn   *conn
	keys   keys
	epochs *epochs
}

// A storedWrite is a serialized write.
type storedWrite struct {
	field, text string
	at          time.Time
}

// storeWritesLua stores writes in the hash key. The field, age and text of each write are in
// ARGV, beginning with ARGV[from]. The hash expires after life, and contains at most limit
// writes. Times are milliseconds of the server's clock.
const storeWritesLua = `
local function store(key, life, limit, from)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  for i = from, #ARGV, 3 do
    redis.call('HSET', key, ARGV[i], string.format('%.0f', now - ARGV[i + 1]) .. ' ' .. ARGV[i + 2])
  end
  if redis.call('HLEN', key) > limit then
    local stored = redis.call('HGETALL', key)
    for i = 1, #stored, 2 do
      if tonumber(stored[i + 1]:match('^%d+') or 0) < now - life then redis.call('HDEL', key, stored[i]) end
    end
    if redis.call('HLEN', key) > limit then redis.call('DEL', key) end
  end
  redis.call('PEXPIRE', key, life)
end
`

var storeWritesArgs = []string{strconv.FormatInt(writesLife.Milliseconds(), 10), strconv.Itoa(maxWrites)}

// writeArgs returns the arguments of storeWritesLua for writes.
func writeArgs(writes []storedWrite) []string {
	args := make([]string, 0, 3*len(writes))
	for _, w := range writes {
		args = append(args, w.field, strconv.FormatInt(max(time.Since(w.at), 0).Milliseconds(), 10), w.text)
	}
	return args
}

// Publish implements [upstream.SharedWrites]. If Redis is unreachable the write is published later.
func (m *RecentWrites) Publish(ctx context.Context, principal string, w upstream.SharedWrite) {
	if principal == "" {
		return
	}
	flags := 0
	if w.Want {
		flags |= 1
	}
	if w.Supersedes {
		flags |= 2
	}
	m.epochs.invalidate(ctx, principal, storedWrite{
		field: m.keys.name("write", principal, strconv.Itoa(int(w.Flag)), w.Target),
		text:  fmt.Sprintf("%d %d %s %s", w.Flag, flags, w.ID, w.Target),
		at:    time.Now().Add(-w.Age),
	})
}

// Recent implements [upstream.SharedWrites]. It omits writes that cannot be parsed.
//
// The client's copy may be older than a write whose message has arrived, see [epochs.read]. The
// copy is therefore used only if it was read after the latest message. Otherwise the writes are
// read from Redis.
func (m *RecentWrites) Recent(ctx context.Context, principal string) ([]upstream.SharedWrite, bool) {
	if principal == "" {
		return nil, true
	}
	key := m.keys.recentWrites(principal)
	before, _ := m.epochs.beforeRead(principal)
	stored, err := do(ctx, m.conn, func(ctx context.Context, r rueidis.Client) (map[string]string, error) {
		reply := r.DoCache(ctx, r.B().Hgetall().Key(key).Cache().ToStaticTTL(), localLife)
		if reply.IsCacheHit() && !before.writesRead {
			reply = r.Do(ctx, r.B().Hgetall().Key(key).Build())
		}
		return reply.AsStrMap()
	})
	if err != nil {
		return nil, false
	}
	m.epochs.setWritesRead(principal, before)
	now := m.conn.now()
	all := make([]upstream.SharedWrite, 0, len(stored))
	for _, text := range stored {
		if w, ok := parseWrite(text, now); ok {
			all = append(all, w)
		}
	}
	return all, true
}

// parseWrite parses "at flag flags id target".
func parseWrite(text string, now time.Time) (w upstream.SharedWrite, ok bool) {
	words := strings.SplitN(text, " ", 5)
	if len(words) != 5 {
		return w, false
	}
	at, err1 := strconv.ParseInt(words[0], 10, 64)
	flag, err2 := strconv.Atoi(words[1])
	flags, err3 := strconv.Atoi(words[2])
	if err1 != nil || err2 != nil || err3 != nil || words[3] == "" {
		return w, false
	}
	return upstream.SharedWrite{
		ID: words[3], Flag: upstream.Flag(flag), Target: words[4], Want: flags&1 != 0, Supersedes: flags&2 != 0,
		Age: max(now.Sub(time.UnixMilli(at)), 0),
	}, true
}
