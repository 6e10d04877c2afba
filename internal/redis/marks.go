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
	// marksLife is for how long an audience's writes are kept after the last of
	// them: as long as any of them matters.
	marksLife = 10 * time.Minute
	// maxMarks bounds the writes that are kept of an audience.
	maxMarks = 1000
)

// Marks are what viewers have just written, by whichever replica: a hash for each
// audience, with a field for each flag of each target. They are told together
// with the audience's new generation, so that whoever has heard of that finds
// them.
type Marks struct {
	link        *link
	keys        keys
	generations *generations
}

// A marked is a write as Redis is told of it.
type marked struct {
	field, text string
	at          time.Time
}

// markLua notes a write. KEYS[1] is the hash; ARGV: for how long all is kept,
// how many may be, and field, age and text of each write. Times are milliseconds
// of the server's clock.
const markLua = `
local function mark(key, life, most, from)
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  for i = from, #ARGV, 3 do
    redis.call('HSET', key, ARGV[i], string.format('%.0f', now - ARGV[i + 1]) .. ' ' .. ARGV[i + 2])
  end
  if redis.call('HLEN', key) > most then
    local kept = redis.call('HGETALL', key)
    for i = 1, #kept, 2 do
      if tonumber(kept[i + 1]:match('^%d+') or 0) < now - life then redis.call('HDEL', key, kept[i]) end
    end
    if redis.call('HLEN', key) > most then redis.call('DEL', key) end
  end
  redis.call('PEXPIRE', key, life)
end
`

var marksArgs = []string{strconv.FormatInt(marksLife.Milliseconds(), 10), strconv.Itoa(maxMarks)}

// args are what a script is told of writes, as of now.
func markArgs(writes []marked) []string {
	args := make([]string, 0, 3*len(writes))
	for _, w := range writes {
		args = append(args, w.field, strconv.FormatInt(max(time.Since(w.at), 0).Milliseconds(), 10), w.text)
	}
	return args
}

// Tell implements [upstream.SharedMarks]. While Redis is away, the others are
// told when it is back.
func (m *Marks) Tell(ctx context.Context, audience string, w upstream.Written) {
	if audience == "" {
		return
	}
	flags := 0
	if w.Want {
		flags |= 1
	}
	if w.Churned {
		flags |= 2
	}
	m.generations.renew(ctx, audience, marked{
		field: m.keys.name("mark", audience, strconv.Itoa(int(w.Flag)), w.Target),
		text:  fmt.Sprintf("%d %d %s %s", w.Flag, flags, w.ID, w.Target),
		at:    time.Now().Add(-w.Age),
	})
}

// Told implements [upstream.SharedMarks]. What cannot be read is left out.
func (m *Marks) Told(ctx context.Context, audience string) []upstream.Written {
	if audience == "" {
		return nil
	}
	key := m.keys.marks(audience)
	kept, err := ask(ctx, m.link, func(ctx context.Context, r rueidis.Client) (map[string]string, error) {
		return r.DoCache(ctx, r.B().Hgetall().Key(key).Cache().ToStaticTTL(), localLife).AsStrMap()
	})
	if err != nil {
		return nil
	}
	now := m.link.now()
	all := make([]upstream.Written, 0, len(kept))
	for _, text := range kept {
		if w, ok := readMark(text, now); ok {
			all = append(all, w)
		}
	}
	return all
}

// readMark reads "at flag flags id target".
func readMark(text string, now time.Time) (w upstream.Written, ok bool) {
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
	return upstream.Written{
		ID: words[3], Flag: upstream.Flag(flag), Target: words[4], Want: flags&1 != 0, Churned: flags&2 != 0,
		Age: max(now.Sub(time.UnixMilli(at)), 0),
	}, true
}
