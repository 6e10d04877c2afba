package redis

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// epochLife is the TTL of an epoch. When it has expired, all reads of its principal are
	// misses and a new epoch starts.
	epochLife = 7 * 24 * time.Hour
	// maxPrincipals bounds the principals whose epochs this process stores, and the principals
	// with a pending invalidation.
	maxPrincipals = 10_000
	// maxReads bounds the reads whose epoch is stored for a later put.
	maxReads = 4096
)

// epochs invalidate the cache of a principal. Each value contains the epoch that was current before
// the call that fetched it. A write starts a new epoch, which makes all values unreachable,
// including those that are being fetched at that moment. Epochs are random and not a counter, so
// that an epoch cannot recur together with old values when Redis has evicted it.
type epochs struct {
	conn *conn
	keys keys
	self string // id of this replica in messages

	mu      sync.Mutex
	known   map[string]known        // by principal
	pending map[string]invalidation // by principal: not stored in Redis yet
	reads   map[string]string       // by the key of a value: the epoch of the latest read
}

// known is the state of a principal's epoch in this process.
type known struct {
	current    string // "" if it must be read from Redis
	changes    int    // number of replacements of current
	writesRead bool   // the recent writes were read since current was last replaced
}

// An invalidation is a new epoch of a principal, with the writes that started it. It is immutable.
type invalidation struct {
	epoch  string
	writes []storedWrite
}

func newEpochs(c *conn, k keys) *epochs {
	return &epochs{
		conn: c, keys: k, self: rand.Text(),
		known: map[string]known{}, pending: map[string]invalidation{}, reads: map[string]string{},
	}
}

// startLua starts an epoch, unless the principal has one.
var startLua = rueidis.NewLuaScript(`
local known = redis.call('GET', KEYS[1])
if known then return known end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]`)

// replaceLua stores the writes of an invalidation, starts its epoch and notifies the other replicas.
var replaceLua = rueidis.NewLuaScript(storeWritesLua + `
if #ARGV > 6 then store(KEYS[2], tonumber(ARGV[5]), tonumber(ARGV[6]), 7) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[4])
return ARGV[1]`)

var epochLifeArg = strconv.FormatInt(epochLife.Milliseconds(), 10)

// read reads a value together with the epoch of its principal.
//
// An invalidation has two effects here, which arrive in any order: its message, and the
// invalidation of the client's copy of the epoch. The copy is therefore used only if it equals
// the current epoch in this process's state. Otherwise the epoch is read from Redis.
func (e *epochs) read(ctx context.Context, principal, key string) (read, error) {
	before, pending := e.beforeRead(principal)
	if pending { // all values in Redis are older than our own write
		return read{}, nil
	}
	found, err := do(ctx, e.conn, func(ctx context.Context, r rueidis.Client) (read, error) {
		at := e.keys.epoch(principal)
		results := r.DoMultiCache(ctx,
			rueidis.CT(r.B().Get().Key(at).Cache().ToStaticTTL(), localLife),
			rueidis.CT(r.B().Get().Key(key).Cache().ToStaticTTL(), localLife))
		epoch, err := readOf(results[0])
		if err == nil && epoch.local && epoch.text != before.current {
			epoch, err = readOf(r.Do(ctx, r.B().Get().Key(at).Build()))
		}
		if err != nil {
			return read{}, err
		}
		if epoch.text == "" {
			text, err := startLua.Exec(ctx, r, []string{at}, []string{rand.Text(), epochLifeArg}).ToString()
			return read{epoch: text}, err
		}
		found, err := readOf(results[1])
		found.epoch = epoch.text
		found.local = found.local && epoch.local
		return found, err
	})
	if err != nil {
		return read{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.known[principal]
	if now.changes != before.changes { // the value may be older than the change
		return read{}, nil
	}
	makeRoom(e.reads, maxReads)
	now.current = found.epoch
	e.known[principal] = now
	e.reads[key] = found.epoch
	return found, nil
}

// beforeRead returns the state of a principal, and whether an invalidation is pending. It stores
// the state if there was none, so that later changes of the epoch are counted.
func (e *epochs) beforeRead(principal string) (known, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, pending := e.pending[principal]
	was, ok := e.known[principal]
	if !ok {
		makeRoom(e.known, maxPrincipals)
		e.known[principal] = was
	}
	return was, pending
}

// setWritesRead records that the recent writes of a principal were read, unless its epoch has
// changed since before.
func (e *epochs) setWritesRead(principal string, before known) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now, ok := e.known[principal]; ok && now.changes == before.changes {
		now.writesRead = true
		e.known[principal] = now
	}
}

// makeRoom deletes elements of a map until it has fewer than limit.
func makeRoom[K comparable, V any](m map[K]V, limit int) {
	for key := range m {
		if len(m) < limit {
			return
		}
		delete(m, key)
	}
}

// epochOfRead returns the epoch with which to store a value: the epoch of the read before the
// call. It returns false if this process made no such read.
func (e *epochs) epochOfRead(principal, key string) (string, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, pending := e.pending[principal]; pending {
		return "", false
	}
	epoch, ok := e.reads[key]
	delete(e.reads, key)
	return epoch, ok
}

// invalidate starts an epoch of a principal after a write. If Redis is unreachable the
// invalidation stays pending.
func (e *epochs) invalidate(ctx context.Context, principal string, writes ...storedWrite) {
	epoch := rand.Text()
	e.mu.Lock()
	makeRoom(e.known, maxPrincipals)
	makeRoom(e.pending, maxPrincipals)
	e.known[principal] = known{current: epoch, changes: e.known[principal].changes + 1}
	if before := e.pending[principal].writes; len(before) < maxWrites {
		writes = append(slices.Clip(before), writes...)
	}
	inv := invalidation{epoch, writes}
	e.pending[principal] = inv // until it is stored in Redis
	e.mu.Unlock()
	_, err := do(context.WithoutCancel(ctx), e.conn, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		return struct{}{}, e.store(ctx, r, principal, inv)
	})
	if err != nil {
		e.conn.logSampled(slog.LevelWarn, "pending", "cache invalidation pending until Redis is reachable")
		return
	}
	e.removePending(principal, epoch)
}

// removePending removes a pending invalidation that was stored, unless a newer one has replaced it.
func (e *epochs) removePending(principal, epoch string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.pending[principal].epoch == epoch {
		delete(e.pending, principal)
	}
}

func (e *epochs) store(ctx context.Context, r rueidis.Client, principal string, inv invalidation) error {
	message := e.self + " " + base64.RawURLEncoding.EncodeToString([]byte(principal))
	return replaceLua.Exec(ctx, r,
		[]string{e.keys.epoch(principal), e.keys.recentWrites(principal)},
		slices.Concat([]string{inv.epoch, epochLifeArg, invalidationsChannel, message}, storeWritesArgs, writeArgs(inv.writes))).Error()
}

// flush stores the pending invalidations. It must return before anything is read from Redis.
func (e *epochs) flush(ctx context.Context) error {
	e.mu.Lock()
	all := maps.Clone(e.pending)
	e.mu.Unlock()
	return each(slices.Collect(maps.Keys(all)), func(principal string) error {
		_, err := withTimeout(ctx, e.conn, writeTimeout, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
			return struct{}{}, e.store(ctx, r, principal, all[principal])
		})
		if err == nil {
			e.removePending(principal, all[principal].epoch)
		}
		return err
	})
}

// listen receives the invalidations of other replicas until ctx ends, and calls forget for each.
func (e *epochs) listen(ctx context.Context, forget func(principal string)) {
	changed := func(principal string) {
		e.changed(principal)
		e.conn.count.remoteInvalidations.Add(1)
		forget(principal)
	}
	for ctx.Err() == nil {
		if client := e.conn.client.Load(); client != nil && e.conn.breaker.closed() {
			hooked := rueidis.WithOnSubscriptionHook(ctx, func(s rueidis.PubSubSubscription) {
				if s.Kind == "subscribe" {
					go e.resync(ctx, changed) // a hook must not block
				}
			})
			_ = (*client).Receive(hooked, (*client).B().Subscribe().Channel(invalidationsChannel).Build(), func(m rueidis.PubSubMessage) { e.receive(m, changed) })
		}
		timer := time.NewTimer(minRetryInterval)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (e *epochs) receive(m rueidis.PubSubMessage, changed func(string)) {
	from, name, _ := strings.Cut(m.Message, " ")
	principal, err := base64.RawURLEncoding.DecodeString(name)
	if err != nil || from == e.self {
		return
	}
	changed(string(principal))
}

// changed records that another replica has started an epoch.
func (e *epochs) changed(principal string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if was, ok := e.known[principal]; ok {
		e.known[principal] = known{changes: was.changes + 1}
	}
}

// resync calls changed for the principals whose invalidations this replica missed while it was not
// subscribed.
func (e *epochs) resync(ctx context.Context, changed func(string)) {
	e.mu.Lock()
	principals := slices.Collect(maps.Keys(e.known))
	e.mu.Unlock()
	for part := range slices.Chunk(principals, 256) {
		current, err := e.current(ctx, part)
		if err != nil {
			return // retried after the next subscription
		}
		for i, principal := range part {
			e.mu.Lock()
			was := e.known[principal].current
			_, pending := e.pending[principal]
			e.mu.Unlock()
			if was != current[i] && !pending {
				changed(principal)
			}
		}
	}
}

// current returns the epochs of principals in Redis, "" for none.
func (e *epochs) current(ctx context.Context, principals []string) ([]string, error) {
	return doWithin(ctx, e.conn, writeTimeout, func(ctx context.Context, r rueidis.Client) ([]string, error) {
		commands := make([]rueidis.Completed, len(principals))
		for i, principal := range principals {
			commands[i] = r.B().Get().Key(e.keys.epoch(principal)).Build()
		}
		current := make([]string, len(principals))
		for i, result := range r.DoMulti(ctx, commands...) {
			found, err := readOf(result)
			if err != nil {
				return nil, err
			}
			current[i] = found.text
		}
		return current, nil
	})
}
