package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"
)

const (
	// readBox is the longest that Redis makes a request wait at one time.
	readBox = 50 * time.Millisecond
	// writeBox bounds what nobody waits for.
	writeBox = time.Second
	// dialBox bounds the making of a connection, which nobody waits for either.
	dialBox = time.Second
	// silence is how long a connection may owe an answer until it is given up.
	silence = 2 * time.Second
	// maxFlights bounds how many commands may be under way: those that Redis
	// does not answer pile up, and each holds a goroutine.
	maxFlights = 512
	// firstProbe and lastProbe bound the time between two looks whether a lost
	// Redis is back.
	firstProbe = 100 * time.Millisecond
	lastProbe  = 5 * time.Second
	// beat is the time between two signs of life.
	beat = 5 * time.Second
)

// errAway says that a command was not even tried.
var errAway = errors.New("redis: away")

// A link is the connection to a Redis that may be away at any time. Commands
// over it take no longer than their box and fail at once while it is broken;
// [link.keep] brings it back.
type link struct {
	opt     rueidis.ClientOption
	log     *sparingLog
	client  atomic.Pointer[rueidis.Client] // nil until Redis was there once
	breaker breaker
	flights chan struct{}
	box     time.Duration // of reads: readBox, or more in tests of something else
	count   counters
	wall    func() time.Time
	ahead   atomic.Int64    // nanoseconds by which the server's clock is ahead of ours
	life    context.Context //nolint:containedctx // the link's own life, which no caller's context has
	end     context.CancelFunc
}

func newLink(opt rueidis.ClientOption, log *slog.Logger) *link {
	l := &link{box: readBox, log: newSparingLog(log), flights: make(chan struct{}, maxFlights), breaker: newBreaker(), wall: time.Now}
	l.life, l.end = context.WithCancel(context.Background()) //nolint:forbidigo // it lives for longer than any caller
	dial := opt.DialCtxFn
	if dial == nil {
		dial = dialTCP
	}
	opt.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(l.life, cancel)()
		return dial(ctx, addr, d, t)
	}
	opt.Dialer.Timeout = dialBox
	opt.Dialer.KeepAlive = time.Second
	opt.ConnWriteTimeout = silence
	opt.ClientName = "mixcloud-graphql"
	opt.AlwaysPipelining = true // without a pipeline, a command that is late takes its connection with it
	opt.DisableRetry = true     // what fails is a miss, and whoever comes next tries again
	opt.ReadBufferEachConn, opt.WriteBufferEachConn = 64<<10, 64<<10
	opt.CacheSizeEachConn = 16 << 20
	opt.Sentinel.Dialer = opt.Dialer
	opt.Sentinel.TopologyRefreshInterval = 5 * time.Second
	opt.ClusterOption.ShardsRefreshInterval = 30 * time.Second
	opt.ClusterOption.MaxMovedRedirections = 3
	l.opt = opt
	return l
}

func dialTCP(ctx context.Context, addr string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
	if t != nil {
		return (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, "tcp", addr)
	}
	return d.DialContext(ctx, "tcp", addr)
}

// ask is [do] for what somebody waits for.
func ask[T any](ctx context.Context, l *link, commands func(context.Context, rueidis.Client) (T, error)) (T, error) {
	return do(ctx, l, l.box, commands)
}

// do runs commands over the link. It returns within box, and when ctx ends,
// whatever becomes of the commands. It makes no attempt while Redis is away.
// Commands must not touch what the caller goes on using.
func do[T any](ctx context.Context, l *link, box time.Duration, commands func(context.Context, rueidis.Client) (T, error)) (T, error) {
	if !l.breaker.closed() {
		l.count.skipped.Add(1)
		return *new(T), errAway
	}
	value, err := boxed(ctx, l, box, commands)
	if errors.Is(err, errAway) {
		l.count.skipped.Add(1)
	} else if ctx.Err() == nil || !errors.Is(err, ctx.Err()) { // the caller's haste is not Redis' fault
		l.heed(err)
	}
	return value, err
}

// boxed is [do] without the breaker. Commands have a goroutine of their own,
// for the client may wait where no context reaches it: for a connection that
// somebody else is making, and for a place in a full pipeline.
func boxed[T any](ctx context.Context, l *link, box time.Duration, commands func(context.Context, rueidis.Client) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	client := l.client.Load()
	if client == nil {
		return *new(T), errAway
	}
	select {
	case l.flights <- struct{}{}:
	default:
		return *new(T), errAway
	}
	done := make(chan outcome, 1)
	// Commands outlive a caller who leaves: others may wait for the same answer.
	inside, cancel := context.WithTimeout(context.WithoutCancel(ctx), box)
	go func() {
		defer func() { <-l.flights }()
		defer cancel()
		value, err := commands(inside, *client)
		done <- outcome{value, err}
	}()
	timer := time.NewTimer(box)
	defer timer.Stop()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		return *new(T), ctx.Err()
	case <-timer.C:
		return *new(T), context.DeadlineExceeded
	}
}

// now is the time by the server's clock, which all replicas share: their own may
// differ. It is as right as the latest sign of life was quick.
func (l *link) now() time.Time { return l.wall().Add(time.Duration(l.ahead.Load())) }

// set tells what the server's clock has said between two moments of ours.
func (l *link) set(server, before, after time.Time) {
	l.ahead.Store(int64(server.Sub(before.Add(after.Sub(before) / 2))))
}

// heed counts how a command ended.
func (l *link) heed(err error) {
	var reply *rueidis.RedisError
	switch {
	case err == nil, rueidis.IsRedisNil(err):
		l.breaker.note(true, nil)
	case errors.Is(err, rueidis.ErrDoCacheAborted):
		// A cached read that lost its connection, or was answered with a
		// failure that the next one will show.
		l.count.failed.Add(1)
	case errors.As(err, &reply) && !unable(reply):
		l.count.failed.Add(1)
		l.log.warn("refused", "Redis refuses a command", "err", reply.Error())
		l.breaker.note(true, nil)
	default:
		l.count.failed.Add(1)
		l.breaker.note(false, err)
	}
}

// unable reports whether a reply means that the server can do nothing for us
// right now, rather than not this one thing.
func unable(reply *rueidis.RedisError) bool {
	if reply.IsLoading() || reply.IsClusterDown() {
		return true
	}
	text := reply.Error()
	for _, word := range []string{"NOAUTH", "WRONGPASS", "MASTERDOWN", "READONLY", "ERR max number of clients"} {
		if strings.HasPrefix(text, word) {
			return true
		}
	}
	return false
}

// keep looks after the link until its life ends. Before is called when Redis has
// come back, before anybody may use it, where an error means that it has not;
// after, when they may. Both are called every few seconds too.
func (l *link) keep(before, after func(context.Context) error) {
	pause := firstProbe
	for l.life.Err() == nil {
		if l.breaker.closed() {
			select {
			case <-l.life.Done():
			case <-l.breaker.opened:
				l.log.warn("away", "Redis does not answer; going on without it", "err", l.breaker.reason())
			case <-time.After(beat):
				l.heed(errors.Join(before(l.life), after(l.life)))
			}
			continue
		}
		err := l.revive()
		if err == nil {
			err = before(l.life)
		}
		if err == nil {
			l.log.info("back", "Redis answers", "away", l.breaker.close().Round(time.Millisecond))
			pause = firstProbe
			l.heed(after(l.life))
			continue
		}
		if l.life.Err() == nil {
			l.log.warn("away", "Redis does not answer; going on without it", "err", err)
		}
		select {
		case <-l.life.Done():
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, lastProbe)
	}
}

// revive connects for the first time, or finds out whether Redis answers again:
// twice, so that one lucky answer of a slow one is not enough.
func (l *link) revive() error {
	if l.client.Load() == nil {
		client, err := rueidis.NewClient(l.opt)
		if errors.Is(err, rueidis.ErrNoCache) {
			l.log.warn("cache", "Redis has no server-assisted client-side caching; each read of the shared cache is a round trip")
			l.opt.DisableCache = true
			client, err = rueidis.NewClient(l.opt)
		}
		if err != nil {
			return err
		}
		l.client.Store(&client)
		if l.life.Err() != nil { // close may not have seen it
			client.Close()
		}
	}
	for range 2 {
		if err := l.ping(l.life); err != nil {
			return err
		}
	}
	return nil
}

func (l *link) ping(ctx context.Context) error {
	_, err := boxed(ctx, l, l.box, func(ctx context.Context, c rueidis.Client) (struct{}, error) {
		return struct{}{}, c.Do(ctx, c.B().Ping().Build()).Error()
	})
	return err
}

// close ends the link. It waits no longer than ctx.
func (l *link) close(ctx context.Context) {
	l.end()
	if client := l.client.Load(); client != nil {
		within(ctx, (*client).Close) // waits for what is under way
	}
}

// within does something for as long as ctx allows; then it is left to itself.
func within(ctx context.Context, do func()) {
	done := make(chan struct{})
	go func() {
		do()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
