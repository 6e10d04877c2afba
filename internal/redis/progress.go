package redis

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	// progressLife is for how long an upload that does not move can be asked
	// after.
	progressLife = 10 * time.Minute
	// look is the time between two looks at an upload. They cost no round trip
	// while nothing has changed: the process has its own copy until Redis says
	// that it is no longer right.
	look = 200 * time.Millisecond
)

// An Upload is how far an upload is.
type Upload struct {
	Phase int   // in the order in which they come
	Ended bool  // nothing follows
	Sent  int64 // bytes
	Total int64 // -1 when it is not known
}

// Progress tells the replicas how far uploads are: the one that has the upload
// publishes, and any may follow. An upload is named by its client, for one
// audience.
type Progress struct {
	link   *link
	writer *writer
	keys   keys
	debts  debts // of ends: who follows waits for them

	mu     sync.Mutex
	latest map[string]string // by key: waits to be written
}

func newProgress(l *link, w *writer, k keys) *Progress {
	return &Progress{link: l, writer: w, keys: k, latest: map[string]string{}}
}

// An upload is kept as text: when that was, in microseconds of Unix time, phase,
// whether it ended, sent, total. What is older than what is kept is news that was
// overtaken.
const upToDate = `
local kept = redis.call('GET', KEYS[1])
if kept and tonumber(kept:match('^%d+') or 0) > tonumber(ARGV[1]:match('^%d+')) then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`

var progressArg = strconv.FormatInt(progressLife.Milliseconds(), 10)

// Publish tells how far an upload of this replica is. It returns at once. Steps
// that Redis has no time for are left out, but not the last one.
func (p *Progress) Publish(audience, id string, u Upload) {
	key := p.keys.upload(audience, id)
	ended := 0
	if u.Ended {
		ended = 1
	}
	text := fmt.Sprintf("%d %d %d %d %d", time.Now().UnixMicro(), u.Phase, ended, u.Sent, u.Total)
	if u.Ended {
		p.mu.Lock()
		delete(p.latest, key)
		p.mu.Unlock()
		go p.end(key, text)
		return
	}
	p.mu.Lock()
	_, waits := p.latest[key]
	p.latest[key] = text
	p.mu.Unlock()
	if !waits && !p.writer.put(job{bytes: 256, build: func(b rueidis.Builder) (rueidis.Completed, bool) { return p.build(b, key) }}) {
		p.mu.Lock()
		delete(p.latest, key)
		p.mu.Unlock()
	}
}

func (p *Progress) build(b rueidis.Builder, key string) (rueidis.Completed, bool) {
	p.mu.Lock()
	text, ok := p.latest[key]
	delete(p.latest, key)
	p.mu.Unlock()
	if !ok {
		return rueidis.Completed{}, false
	}
	return b.Eval().Script(upToDate).Numkeys(1).Key(key).Arg(text, progressArg).Build(), true
}

func (p *Progress) end(key, text string) {
	run := func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		return struct{}{}, r.Do(ctx, r.B().Eval().Script(upToDate).Numkeys(1).Key(key).Arg(text, progressArg).Build()).Error()
	}
	if _, err := do(p.link.life, p.link, writeBox, run); err != nil {
		p.debts.owe(debt{bytes: 256, until: time.Now().Add(progressLife), pay: func(ctx context.Context) error {
			_, err := boxed(ctx, p.link, writeBox, run)
			return err
		}})
	}
}

// Follow tells how far an upload of any replica is: at once when that is known,
// and then, while it moves, a few times a second, until it has ended or ctx
// does. It may be asked before the upload begins. The channel is closed at the
// end.
func (p *Progress) Follow(ctx context.Context, audience, id string) <-chan Upload {
	key := p.keys.upload(audience, id)
	out := make(chan Upload)
	go func() {
		defer close(out)
		ticker := time.NewTicker(look)
		defer ticker.Stop()
		told := ""
		for {
			if u, text, ok := p.read(ctx, key); ok && text != told {
				told = text
				select {
				case out <- u:
				case <-ctx.Done():
					return
				}
				if u.Ended {
					return
				}
			}
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			case <-p.link.life.Done():
				return
			}
		}
	}()
	return out
}

func (p *Progress) read(ctx context.Context, key string) (u Upload, text string, ok bool) {
	found, err := ask(ctx, p.link, func(ctx context.Context, r rueidis.Client) (read, error) {
		return readOf(r.DoCache(ctx, r.B().Get().Key(key).Cache().ToStaticTTL(), progressLife))
	})
	if err != nil {
		return u, "", false
	}
	var at, ended int64
	n, _ := fmt.Sscanf(found.text, "%d %d %d %d %d", &at, &u.Phase, &ended, &u.Sent, &u.Total)
	u.Ended = ended == 1
	return u, found.text, n == 5
}
