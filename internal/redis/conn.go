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

	"mixcloud-graphql/internal/telemetry"
)

const (
	// readTimeout is the maximum time that a request waits for a command.
	readTimeout = 50 * time.Millisecond
	// writeTimeout is the timeout of background commands, for which no request waits.
	writeTimeout = time.Second
	// dialTimeout is the timeout of connecting, for which no request waits either.
	dialTimeout = time.Second
	// replyTimeout is the time without a reply after which a connection is closed.
	replyTimeout = 2 * time.Second
	// maxInflight bounds the commands in flight. They accumulate while Redis does not reply,
	// and each holds a goroutine.
	maxInflight = 512
	// minRetryInterval and maxRetryInterval bound the time between two attempts to reconnect.
	minRetryInterval = 100 * time.Millisecond
	maxRetryInterval = 5 * time.Second
	// keepaliveInterval is the time between two keepalives of this replica.
	keepaliveInterval = 5 * time.Second
)

// errUnreachable is returned for a command that was not tried.
var errUnreachable = errors.New("redis: unreachable")

// A conn is the connection to a Redis that may be unreachable at any time. Commands take no longer
// than their timeout, and fail at once while the breaker is open; [conn.maintain] closes it again.
type conn struct {
	options  rueidis.ClientOption
	log      *slog.Logger
	sampler  telemetry.Sampler
	client   atomic.Pointer[rueidis.Client] // nil until the first connection
	breaker  breaker
	inflight chan struct{}
	timeout  time.Duration // readTimeout, or a longer one in tests
	count    counters
	clock    func() time.Time
	offset   atomic.Int64    // nanoseconds by which the server's clock is ahead of clock
	ctx      context.Context //nolint:containedctx // the conn's lifetime, which is independent of any caller's context
	cancel   context.CancelFunc
}

func newConn(opt rueidis.ClientOption, log *slog.Logger) *conn {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	c := &conn{timeout: readTimeout, log: log, inflight: make(chan struct{}, maxInflight), breaker: newBreaker(), clock: time.Now}
	c.ctx, c.cancel = context.WithCancel(context.Background()) //nolint:forbidigo // it outlives every caller
	dial := opt.DialCtxFn
	if dial == nil {
		dial = dialTCP
	}
	opt.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(c.ctx, cancel)()
		return dial(ctx, addr, d, t)
	}
	opt.Dialer.Timeout = dialTimeout
	opt.Dialer.KeepAlive = time.Second
	opt.ConnWriteTimeout = replyTimeout
	opt.ClientName = "mixcloud-graphql"
	opt.AlwaysPipelining = true // without pipelining, a command that times out closes its connection
	opt.DisableRetry = true     // a failure counts as a miss, and the next request tries again
	opt.ReadBufferEachConn, opt.WriteBufferEachConn = 64<<10, 64<<10
	opt.CacheSizeEachConn = 16 << 20
	opt.Sentinel.Dialer = opt.Dialer
	opt.Sentinel.TopologyRefreshInterval = 5 * time.Second
	opt.ClusterOption.ShardsRefreshInterval = 30 * time.Second
	opt.ClusterOption.MaxMovedRedirections = 3
	c.options = opt
	return c
}

func dialTCP(ctx context.Context, addr string, d *net.Dialer, t *tls.Config) (net.Conn, error) {
	if t != nil {
		return (&tls.Dialer{NetDialer: d, Config: t}).DialContext(ctx, "tcp", addr)
	}
	return d.DialContext(ctx, "tcp", addr)
}

// do is [doWithin] with the timeout of commands that a request waits for.
func do[T any](ctx context.Context, c *conn, commands func(context.Context, rueidis.Client) (T, error)) (T, error) {
	return doWithin(ctx, c, c.timeout, commands)
}

// doWithin runs commands. It returns after the timeout and when ctx ends, even if the commands have
// not finished, so they must not access data that the caller uses afterwards. While the breaker is
// open it returns errUnreachable at once.
func doWithin[T any](ctx context.Context, c *conn, timeout time.Duration, commands func(context.Context, rueidis.Client) (T, error)) (T, error) {
	if !c.breaker.closed() {
		c.count.skipped.Add(1)
		return *new(T), errUnreachable
	}
	value, err := withTimeout(ctx, c, timeout, commands)
	if errors.Is(err, errUnreachable) {
		c.count.skipped.Add(1)
	} else if ctx.Err() == nil || !errors.Is(err, ctx.Err()) { // a canceled caller is not a failure of Redis
		c.record(err)
	}
	return value, err
}

// withTimeout is [doWithin] without the breaker. It runs the commands in another goroutine, because
// the client may block without regard to a context: while another goroutine connects, or on a full
// pipeline.
func withTimeout[T any](ctx context.Context, c *conn, timeout time.Duration, commands func(context.Context, rueidis.Client) (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	client := c.client.Load()
	if client == nil {
		return *new(T), errUnreachable
	}
	select {
	case c.inflight <- struct{}{}:
	default:
		return *new(T), errUnreachable
	}
	done := make(chan outcome, 1)
	// Commands outlive a canceled caller, because other callers may wait for the same reply.
	inside, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	go func() {
		defer func() { <-c.inflight }()
		defer cancel()
		value, err := commands(inside, *client)
		done <- outcome{value, err}
	}()
	timer := time.NewTimer(timeout)
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

// logSampled writes a log line, unless one with the same key was written recently. This prevents
// an unstable connection from filling the disk.
func (c *conn) logSampled(level slog.Level, key, msg string, args ...any) {
	c.sampler.Log(c.ctx, c.log, level, key, msg, args...)
}

// now returns the time of the server's clock, which all replicas share; their own clocks may
// differ. The error is at most half of the latest keepalive's round-trip time.
func (c *conn) now() time.Time { return c.clock().Add(time.Duration(c.offset.Load())) }

// setOffset sets the offset of the server's clock, which was read between two times of this
// process's clock.
func (c *conn) setOffset(server, before, after time.Time) {
	c.offset.Store(int64(server.Sub(before.Add(after.Sub(before) / 2))))
}

// record passes the outcome of a command to the breaker.
func (c *conn) record(err error) {
	var reply *rueidis.RedisError
	switch {
	case err == nil, rueidis.IsRedisNil(err):
		c.breaker.record(true, nil)
	case errors.Is(err, rueidis.ErrDoCacheAborted):
		// A read through the client's cache lost its connection. If Redis is unreachable the next
		// command fails too.
		c.count.failed.Add(1)
	case errors.As(err, &reply) && !unavailable(reply):
		c.count.failed.Add(1)
		c.logSampled(slog.LevelWarn, "refused", "Redis command refused", "err", reply.Error())
		c.breaker.record(true, nil)
	default:
		c.count.failed.Add(1)
		c.breaker.record(false, err)
	}
}

// unavailable reports whether an error reply means that the server rejects all commands at the
// moment, and not only one of them.
func unavailable(reply *rueidis.RedisError) bool {
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

// maintain connects, and reconnects when the breaker has opened, until the conn is closed. When
// Redis is reachable, maintain calls before, closes the breaker, and calls after. If before
// returns an error, Redis counts as unreachable. maintain also calls both functions at each
// keepalive.
func (c *conn) maintain(before, after func(context.Context) error) {
	pause := minRetryInterval
	for c.ctx.Err() == nil {
		if c.breaker.closed() {
			select {
			case <-c.ctx.Done():
			case <-c.breaker.opened:
				c.logSampled(slog.LevelWarn, "unavailable", "Redis unavailable", "err", c.breaker.cause())
			case <-time.After(keepaliveInterval):
				c.record(errors.Join(before(c.ctx), after(c.ctx)))
			}
			continue
		}
		err := c.reconnect()
		if err == nil {
			err = before(c.ctx)
		}
		if err == nil {
			c.logSampled(slog.LevelInfo, "connected", "connected to Redis", "after", c.breaker.close().Round(time.Millisecond))
			pause = minRetryInterval
			c.record(after(c.ctx))
			continue
		}
		if c.ctx.Err() == nil {
			c.logSampled(slog.LevelWarn, "unavailable", "Redis unavailable", "err", err)
		}
		select {
		case <-c.ctx.Done():
		case <-time.After(pause/2 + rand.N(pause/2)):
		}
		pause = min(2*pause, maxRetryInterval)
	}
}

// reconnect connects for the first time, or checks whether Redis replies again. It pings twice,
// because a slow server may reply in time once.
func (c *conn) reconnect() error {
	if c.client.Load() == nil {
		client, err := rueidis.NewClient(c.options)
		if errors.Is(err, rueidis.ErrNoCache) {
			c.logSampled(slog.LevelWarn, "cache", "Redis has no server-assisted client-side caching: each read of the shared cache is a round trip")
			c.options.DisableCache = true
			client, err = rueidis.NewClient(c.options)
		}
		if err != nil {
			return err
		}
		c.client.Store(&client)
		if c.ctx.Err() != nil { // close may have run before the client was stored
			client.Close()
		}
	}
	for range 2 {
		if err := c.ping(c.ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *conn) ping(ctx context.Context) error {
	_, err := withTimeout(ctx, c, c.timeout, func(ctx context.Context, r rueidis.Client) (struct{}, error) {
		return struct{}{}, r.Do(ctx, r.B().Ping().Build()).Error()
	})
	return err
}

// close closes the connection. It waits for the commands in flight, but not longer than ctx.
func (c *conn) close(ctx context.Context) {
	c.cancel()
	if client := c.client.Load(); client != nil {
		waitFor(ctx, (*client).Close)
	}
}

// waitFor calls do and waits until it returns or ctx ends.
func waitFor(ctx context.Context, do func()) {
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
