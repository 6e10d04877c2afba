package redis

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"mixcloud-graphql/internal/upload"
)

const (
	// progressLife is the TTL of an upload's progress after its last change.
	progressLife = 10 * time.Minute
	// pollInterval is the time between two reads of an upload's progress. While the progress does
	// not change, a read needs no round trip: the client stores a copy, which Redis invalidates.
	pollInterval = 200 * time.Millisecond
)

// Uploads is an [upload.Tracker] whose uploads all replicas can watch: the replica that receives an
// upload publishes its progress in Redis. While Redis is unreachable, only that replica can watch it.
type Uploads struct {
	conn    *conn
	writer  *writer
	keys    keys
	pending pendingCommands // the final steps of uploads, because watchers wait for them
	own     upload.Hub      // the uploads of this process

	mu     sync.Mutex
	latest map[string]string   // by key: the progress that the writer will write
	local  map[upload.Name]int // number of uploads of this process that have not ended
}

func newUploads(c *conn, w *writer, k keys) *Uploads {
	return &Uploads{conn: c, writer: w, keys: k, latest: map[string]string{}, local: map[upload.Name]int{}}
}

// Begin implements [upload.Tracker].
func (u *Uploads) Begin(ctx context.Context, name upload.Name) *upload.Reporter {
	track := u.own.Begin(ctx, name)
	u.count(name, 1)
	go func() {
		defer u.count(name, -1)
		// The operation's context ends with the upload, before the final step is published.
		for step := range u.own.Watch(context.WithoutCancel(ctx), name) {
			u.publish(name, step)
		}
	}()
	return track
}

func (u *Uploads) count(name upload.Name, n int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.local[name] += n; u.local[name] == 0 {
		delete(u.local, name)
	}
}

func (u *Uploads) isLocal(name upload.Name) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.local[name] > 0
}

// Watch implements [upload.Tracker]. It follows the upload in this process and in Redis, until
// either reports its end.
func (u *Uploads) Watch(ctx context.Context, name upload.Name) <-chan upload.Progress {
	ctx, cancel := context.WithCancel(ctx)
	own := u.own.Watch(ctx, name)
	out := make(chan upload.Progress)
	go func() {
		defer close(out)
		defer cancel()
		shared := u.follow(ctx, name)
		for {
			var p upload.Progress
			var ok bool
			select {
			case p, ok = <-own:
				if !ok {
					return
				}
			case p, ok = <-shared:
				if !ok {
					shared = nil
					continue
				}
				if u.isLocal(name) { // its own progress is newer
					continue
				}
			}
			select {
			case out <- p:
			case <-ctx.Done():
				return
			}
			if p.Phase.Ended() {
				return
			}
		}
	}()
	return out
}

// The progress of an upload is stored as text: the time in microseconds of Unix time, the phase,
// whether it is final (1 or 0), bytes sent, total bytes. setNewer stores a progress unless the stored
// one is newer.
const setNewer = `
local stored = redis.call('GET', KEYS[1])
if stored and tonumber(stored:match('^%d+') or 0) > tonumber(ARGV[1]:match('^%d+')) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

var progressLifeArg = strconv.FormatInt(progressLife.Milliseconds(), 10)

// publish writes the progress of an upload of this process in the background. If Redis is slow it
// skips steps, but never the final one.
func (u *Uploads) publish(name upload.Name, p upload.Progress) {
	key := u.keys.upload(name)
	ended := 0
	if p.Phase.Ended() {
		ended = 1
	}
	text := fmt.Sprintf("%d %d %d %d %d", time.Now().UnixMicro(), p.Phase, ended, p.Sent, p.Total)
	if p.Phase.Ended() {
		u.mu.Lock()
		delete(u.latest, key)
		u.mu.Unlock()
		go u.publishLast(key, text)
		return
	}
	u.mu.Lock()
	_, queued := u.latest[key]
	u.latest[key] = text
	u.mu.Unlock()
	if !queued && !u.writer.put(job{bytes: 256, build: func(b rueidis.Builder) (rueidis.Completed, bool) { return u.build(b, key) }}) {
		u.mu.Lock()
		delete(u.latest, key)
		u.mu.Unlock()
	}
}

func (u *Uploads) build(b rueidis.Builder, key string) (rueidis.Completed, bool) {
	u.mu.Lock()
	text, ok := u.latest[key]
	delete(u.latest, key)
	u.mu.Unlock()
	if !ok {
		return rueidis.Completed{}, false
	}
	return b.Eval().Script(setNewer).Numkeys(1).Key(key).Arg(text, progressLifeArg).Build(), true
}

// publishLast writes the final step of an upload, later if Redis is unreachable now.
func (u *Uploads) publishLast(key, text string) {
	run := func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		return struct{}{}, r.Do(ctx, r.B().Eval().Script(setNewer).Numkeys(1).Key(key).Arg(text, progressLifeArg).Build()).Error()
	}
	if _, err := doWithin(u.conn.ctx, u.conn, writeTimeout, run); err != nil {
		u.pending.add(pendingCommand{bytes: 256, until: time.Now().Add(progressLife), run: func(ctx context.Context) error {
			_, err := withTimeout(ctx, u.conn, writeTimeout, run)
			return err
		}})
	}
}

// follow sends the progress of an upload in Redis to the channel: at once, and then whenever a poll
// finds a change. It closes the channel when the upload or ctx ends. The upload may begin later.
func (u *Uploads) follow(ctx context.Context, name upload.Name) <-chan upload.Progress {
	key := u.keys.upload(name)
	out := make(chan upload.Progress)
	go func() {
		defer close(out)
		ticker := time.NewTicker(pollInterval)
		defer ticker.Stop()
		last := ""
		for {
			if p, text, ok := u.read(ctx, key); ok && text != last {
				last = text
				select {
				case out <- p:
				case <-ctx.Done():
					return
				}
				if p.Phase.Ended() {
					return
				}
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			case <-u.conn.ctx.Done():
				return
			}
		}
	}()
	return out
}

func (u *Uploads) read(ctx context.Context, key string) (p upload.Progress, text string, ok bool) {
	found, err := do(ctx, u.conn, func(ctx context.Context, r rueidis.Client) (read, error) {
		return readOf(r.DoCache(ctx, r.B().Get().Key(key).Cache().ToStaticTTL(), progressLife))
	})
	if err != nil {
		return p, "", false
	}
	var at, ended int64 // not needed: the phase implies whether it is final
	n, _ := fmt.Sscanf(found.text, "%d %d %d %d %d", &at, &p.Phase, &ended, &p.Sent, &p.Total)
	return p, found.text, n == 5
}
