package redis

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// generationLife is how long a generation is remembered; without one,
	// everything of its audience is a miss and a new one begins.
	generationLife = 7 * 24 * time.Hour
	// maxAudiences bounds whose generations this process remembers, and whose
	// drops it owes.
	maxAudiences = 10_000
	// maxReads bounds the reads that a put may follow.
	maxReads = 4096
)

// generations name what may be read of an audience's part of the cache. A value
// has the generation that was in force before Mixcloud was asked for it; a write
// begins a new one, and with it all values are unreachable, those too that are
// being fetched at that moment. Generations are random, not counted: one that
// Redis has lost cannot come back with what was once kept under it.
type generations struct {
	link *link
	keys keys
	self string // of this replica, in messages

	mu    sync.Mutex
	known map[string]known  // by audience
	owed  map[string]owed   // by audience: begun here, and Redis does not have it yet
	reads map[string]string // by value's key: in force when it was last asked for
}

// known is what this process knows of an audience's generations.
type known struct {
	now  string // in force; "" when that must be asked
	news int    // how often it was replaced
}

// owed is what Redis is to be told of an audience. It never changes.
type owed struct {
	generation string
	marks      []marked // what was written
}

func newGenerations(l *link, k keys) *generations {
	return &generations{
		link: l, keys: k, self: rand.Text(),
		known: map[string]known{}, owed: map[string]owed{}, reads: map[string]string{},
	}
}

// begin begins a generation, unless there is one.
var begin = rueidis.NewLuaScript(`
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`)

// replace begins a generation, whatever there was, and tells the others; before
// that it notes what was written, if anything was.
var replace = rueidis.NewLuaScript(markLua + `
if #ARGV > 6 then mark(KEYS[2], tonumber(ARGV[5]), tonumber(ARGV[6]), 7) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return ARGV[1]`)

var lifeArg = strconv.FormatInt(generationLife.Milliseconds(), 10)

// read reads a value and its audience's generation together.
//
// News of a drop and the end of this process's own copy of a generation come by
// ways of their own, in any order. So a copy counts only if it is the one that was
// last seen in force; else Redis is asked itself.
func (g *generations) read(ctx context.Context, audience, key string) (read, error) {
	before, owes := g.before(audience)
	if owes { // whatever Redis has is older than our own write
		return read{}, nil
	}
	found, err := ask(ctx, g.link, func(ctx context.Context, r rueidis.Client) (read, error) {
		at := g.keys.generation(audience)
		results := r.DoMultiCache(ctx,
			rueidis.CT(r.B().Get().Key(at).Cache().ToStaticTTL(), localLife),
			rueidis.CT(r.B().Get().Key(key).Cache().ToStaticTTL(), localLife))
		generation, err := readOf(results[0])
		if err == nil && generation.local && generation.text != before.now {
			generation, err = readOf(r.Do(ctx, r.B().Get().Key(at).Build()))
		}
		if err != nil {
			return read{}, err
		}
		if generation.text == "" {
			text, err := begin.Exec(ctx, r, []string{at}, []string{rand.Text(), lifeArg}).ToString()
			return read{generation: text}, err
		}
		found, err := readOf(results[1])
		found.generation = generation.text
		found.local = found.local && generation.local
		return found, err
	})
	if err != nil {
		return read{}, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known[audience].news != before.news { // what was found is from before the news, perhaps
		return read{}, nil
	}
	bound(g.reads, maxReads)
	g.known[audience] = known{now: found.generation, news: before.news}
	g.reads[key] = found.generation
	return found, nil
}

// before is what is known of an audience before it is read; from now on news of it
// are noted.
func (g *generations) before(audience string) (known, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, owes := g.owed[audience]
	was, ok := g.known[audience]
	if !ok {
		bound(g.known, maxAudiences)
		g.known[audience] = was
	}
	return was, owes
}

// bound makes room in a map, by forgetting anything.
func bound[K comparable, V any](m map[K]V, most int) {
	for key := range m {
		if len(m) < most {
			return
		}
		delete(m, key)
	}
}

// seen is the generation under which a value may be kept that was asked for
// before; false if it was not.
func (g *generations) seen(audience, key string) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, owes := g.owed[audience]; owes {
		return "", false
	}
	generation, ok := g.reads[key]
	delete(g.reads, key)
	return generation, ok
}

// renew begins a generation of an audience, which has written something.
func (g *generations) renew(ctx context.Context, audience string, writes ...marked) {
	generation := rand.Text()
	g.mu.Lock()
	bound(g.known, maxAudiences)
	bound(g.owed, maxAudiences)
	g.known[audience] = known{now: generation, news: g.known[audience].news + 1}
	if before := g.owed[audience].marks; len(before) < maxMarks {
		writes = append(slices.Clip(before), writes...)
	}
	debt := owed{generation, writes}
	g.owed[audience] = debt // until Redis has it
	g.mu.Unlock()
	_, err := ask(context.WithoutCancel(ctx), g.link, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		return struct{}{}, g.tell(ctx, r, audience, debt)
	})
	if err != nil {
		g.link.log.warn("owed", "A write is not yet known to the other replicas; they are told when Redis is back")
		return
	}
	g.settle(audience, generation)
}

func (g *generations) settle(audience, generation string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.owed[audience].generation == generation {
		delete(g.owed, audience)
	}
}

func (g *generations) tell(ctx context.Context, r rueidis.Client, audience string, debt owed) error {
	message := g.self + " " + base64.RawURLEncoding.EncodeToString([]byte(audience))
	return replace.Exec(ctx, r,
		[]string{g.keys.generation(audience), g.keys.marks(audience)},
		slices.Concat([]string{debt.generation, lifeArg, dropsChannel, message}, marksArgs, markArgs(debt.marks))).Error()
}

// flush tells Redis what it was owed. Until it has, nothing may be read there.
func (g *generations) flush(ctx context.Context) error {
	g.mu.Lock()
	all := maps.Clone(g.owed)
	g.mu.Unlock()
	return each(slices.Collect(maps.Keys(all)), func(audience string) error {
		_, err := boxed(ctx, g.link, writeBox, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
			return struct{}{}, g.tell(ctx, r, audience, all[audience])
		})
		if err == nil {
			g.settle(audience, all[audience].generation)
		}
		return err
	})
}

// listen hears what other replicas drop, until ctx ends, and passes it on.
func (g *generations) listen(ctx context.Context, forget func(audience string)) {
	lose := func(audience string) {
		g.lose(audience)
		g.link.count.forgotten.Add(1)
		forget(audience)
	}
	for ctx.Err() == nil {
		if client := g.link.client.Load(); client != nil && g.link.breaker.closed() {
			heard := rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
				if s.Kind == "subscribe" {
					go g.resync(ctx, lose) // a hook must not wait
				}
			})
			_ = (*client).Receive(heard, (*client).B().Subscribe().Channel(dropsChannel).Build(), func(m rueidis.PubSubMessage) { g.hear(m, lose) })
		}
		timer := time.NewTimer(firstProbe)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (g *generations) hear(m rueidis.PubSubMessage, lose func(string)) {
	from, name, _ := strings.Cut(m.Message, " ")
	audience, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil || from == g.self {
		return
	}
	lose(string(audience))
}

// lose drops in this process what another replica has dropped.
func (g *generations) lose(audience string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if was, ok := g.known[audience]; ok {
		g.known[audience] = known{news: was.news + 1}
	}
}

// resync forgets what was dropped while nobody listened.
func (g *generations) resync(ctx context.Context, lose func(string)) {
	g.mu.Lock()
	audiences := make([]string, 0, len(g.known))
	for audience := range g.known {
		audiences = append(audiences, audience)
	}
	g.mu.Unlock()
	for part := range slices.Chunk(audiences, 256) {
		inForce, err := do(ctx, g.link, writeBox, func(ctx context.Context, r rueidis.Client) ([]string, error) {
			commands := make([]rueidis.Completed, len(part))
			for i, audience := range part {
				commands[i] = r.B().Get().Key(g.keys.generation(audience)).Build()
			}
			inForce := make([]string, len(part))
			for i, result := range r.DoMulti(ctx, commands...) {
				found, err := readOf(result)
				if err != nil {
					return nil, err
				}
				inForce[i] = found.text
			}
			return inForce, nil
		})
		if err != nil {
			return // lost again: there will be another time
		}
		for i, audience := range part {
			g.mu.Lock()
			was := g.known[audience].now
			_, owed := g.owed[audience]
			g.mu.Unlock()
			if was != inForce[i] && !owed {
				lose(audience)
			}
		}
	}
}
