package redis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// slack is the tolerance of timeouts on a slow machine. It is less than dialTimeout and
// replyTimeout.
const slack = 700 * time.Millisecond

// useAll calls each method that requests use once, and checks its duration. The methods return no
// errors because of Redis.
func (r *replica) useAll(t *testing.T, n int) {
	t.Helper()
	if name, took := r.slowest(t, n); took > 2*readTimeout+slack { // Begin and Finish are two commands
		t.Errorf("%s took %v, want at most %v", name, took, 2*readTimeout+slack)
	}
}

// slowest calls all methods and returns the slowest one.
func (r *replica) slowest(t *testing.T, n int) (slowest string, took time.Duration) {
	t.Helper()
	ctx := t.Context()
	id := fmt.Sprint("resource ", n)
	for name, use := range map[string]func(){
		"get":            func() { r.Cache().Get(ctx, upstream.Address{ID: id}) },
		"get with token": func() { r.Cache().Get(ctx, upstream.Address{Principal: alice, ID: id}) },
		"put":            func() { r.Cache().Put(ctx, upstream.Address{ID: id}, upstream.Record{Body: []byte("x")}, life) },
		"publish write":  func() { r.RecentWrites().Publish(ctx, bob, upstream.SharedWrite{ID: id}) },
		"recent writes":  func() { r.RecentWrites().Recent(ctx, alice) },
		"drop":           func() { r.Cache().Drop(ctx, bob) },
		"take":           func() { r.Limiter().Take(ctx, limitOf("")) },
		"refused":        func() { r.Limiter().Refused(ctx, limitOf(bob), 0, time.Second) },
		"write": func() {
			if claim, _, err := r.Writes().Begin(ctx, idempotency.Name{Principal: alice, Key: id}, one); err == nil && claim != nil {
				_ = claim.Finish(ctx, idempotency.Response{Status: 200})
			}
		},
		"publish": func() { r.Uploads().publish(upload.Name{Principal: alice, ID: id}, upload.Progress{Total: -1}) },
		"nonce": func() {
			if !r.use(t, fmt.Sprint(r.self(), id), time.Minute) {
				t.Error("first use of a nonce was refused")
			}
		},
		"revoke":  func() { r.Revocations().Revoke(ctx, id, time.Now().Add(time.Minute)) },
		"revoked": func() { r.Revocations().Revoked(ctx, "another "+id) },
		"query":   func() { r.Queries().Get(ctx, id) },
		"add":     func() { r.Queries().Add(ctx, hashOf(id), id) },
	} {
		start := time.Now()
		use()
		if d := time.Since(start); d > took {
			slowest, took = name, d
		}
	}
	return slowest, took
}

func (r *replica) self() string { return r.limiter.self }

// usable reports whether a stored value can be read.
func (r *replica) usable(t *testing.T) bool {
	at := upstream.Address{ID: "usable"}
	r.Cache().Put(t.Context(), at, upstream.Record{Body: []byte("x")}, life)
	_, ok := r.Cache().Get(t.Context(), at)
	return ok
}

func TestUnreachable_Always(t *testing.T) {
	t.Parallel()
	r := open(t, redisurl.URL(fmt.Sprintf("redis://127.0.0.1:%d", redistest.FreePort(t))), realTimeout)
	for i := range 100 {
		r.useAll(t, i)
	}
	eventually(t, func() bool { return strings.Contains(r.log.String(), "Redis unavailable") })
	if n := strings.Count(r.log.String(), "\n"); n > 3 {
		t.Errorf("%d log lines, want at most 3:\n%s", n, r.log)
	}
}

func TestUnreachable_AtStart(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Kill()
	r := open(t, s.URL(), realTimeout)
	r.useAll(t, 0)
	if !s.Restart(t) {
		t.Fatal("redis-server did not start")
	}
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
	if !strings.Contains(r.log.String(), "connected to Redis") {
		t.Errorf("log lacks \"connected to Redis\":\n%s", r.log)
	}
}

// If Redis is killed under load, requests wait at most for the timeout. After a restart the
// replicas use Redis again, with an empty database.
func TestUnreachable_KilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r := ready(t, s.URL(), realTimeout)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var n atomic.Int64
	var times sync.Map
	for range 8 {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := n.Add(1)
				_, took := r.slowest(t, int(i))
				times.Store(i, took)
				<-time.After(2 * time.Millisecond) // the client processes the response
			}
		})
	}
	for range 2 {
		reached := n.Load() + 200
		eventually(t, func() bool { return n.Load() > reached })
		s.Kill()
		r.waitUp(t, false)
		reached = n.Load() + 200
		eventually(t, func() bool { return n.Load() > reached })
		if !s.Restart(t) {
			t.Fatal("redis-server did not start")
		}
		r.waitUp(t, true)
	}
	stop()
	wg.Wait()
	// On a busy machine single requests may be slower, so the median is checked.
	var all []time.Duration
	for _, took := range times.Range {
		all = append(all, took.(time.Duration))
	}
	slices.Sort(all)
	if median := all[len(all)/2]; median > readTimeout {
		t.Errorf("median request took %v, want at most %v", median, readTimeout)
	}
	eventually(t, func() bool { return r.usable(t) })
	text := r.log.String()
	for _, want := range []string{"Redis unavailable", "connected to Redis"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not contain %q", want)
		}
	}
	if lines := strings.Count(text, "\n"); lines > 50 {
		t.Errorf("%d log lines for %d rounds, want at most 50", lines, n.Load())
	}
}

// Connections stay open, but Redis sends no replies.
func TestUnreachable_NoReplies(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r := ready(t, s.URL(), realTimeout)
	at := upstream.Address{ID: "x"}
	r.put(t, at, []byte("x"))
	s.Suspend(t)
	defer s.Resume(t)
	const requests = 50
	for i := range requests {
		start := time.Now()
		r.Cache().Get(t.Context(), upstream.Address{ID: fmt.Sprint(i)})
		if took := time.Since(start); took > readTimeout+slack {
			t.Errorf("read without a reply took %v, want at most %v", took, readTimeout+slack)
		}
	}
	if waited := requests - r.Stats().Skipped; waited > maxConsecutiveFailures {
		t.Errorf("%d requests waited before the breaker opened, want %d", waited, maxConsecutiveFailures)
	}
	r.waitUp(t, false)
	s.Resume(t)
	r.waitUp(t, true)
	eventually(t, func() bool { return r.get(t, at) == "x" })
}

func TestUnreachable_Slow(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	r.put(t, upstream.Address{ID: "x"}, []byte("x"))
	p.delay.Store(int64(2 * readTimeout))
	for i := range 20 {
		r.useAll(t, i)
	}
	r.waitUp(t, false)
	p.delay.Store(0)
	r.waitUp(t, true)
	eventually(t, func() bool { return r.get(t, upstream.Address{ID: "x"}) == "x" })
}

// The connection is closed before the reply arrives.
func TestUnreachable_ReplyLost(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	at := upstream.Address{ID: "x"}
	r.put(t, at, []byte("x"))
	for i := range 20 {
		p.dropReplies.Store(true)
		done := make(chan struct{})
		go func() {
			r.Cache().Get(t.Context(), upstream.Address{ID: fmt.Sprint(i)})
			close(done)
		}()
		p.closeConnections()
		<-done
		p.dropReplies.Store(false)
		r.useAll(t, i)
	}
	eventually(t, func() bool { return r.get(t, at) == "x" })
}

func TestUnreachable_ConnectionsRefused(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	p.refuse.Store(true)
	p.closeConnections()
	for i := range 10 {
		r.useAll(t, i)
	}
	r.waitUp(t, false)
	p.refuse.Store(false)
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
}

// A canceled read does not count as a failure of Redis.
func TestCanceledCaller(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		r.Cache().Get(ctx, upstream.Address{ID: "x"})
	}
	if !r.Stats().Up || r.Stats().Failed != 0 {
		t.Errorf("stats after canceled requests = %+v, want up without failures", r.Stats())
	}
}

// An invalidation that was made while Redis was unreachable is stored before the next read, and the
// other replicas receive it.
func TestPendingInvalidation(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, p.url()), ready(t, s.URL())
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	at := upstream.Address{Principal: alice, ID: "x"}
	one.put(t, at, []byte("before"))
	if got := two.get(t, at); got != "before" {
		t.Fatalf("get before the write = %s, want before", got)
	}
	p.refuse.Store(true)
	p.closeConnections()
	for range maxConsecutiveFailures + 1 {
		one.Cache().Get(t.Context(), upstream.Address{ID: "y"})
	}
	one.Cache().Drop(t.Context(), alice)
	if got := one.get(t, at); got != "miss" {
		t.Errorf("get on the replica that wrote = %s, want miss", got)
	}
	p.refuse.Store(false)
	eventually(t, func() bool { return two.get(t, at) == "miss" })
	one.waitUp(t, true)
	if got := one.get(t, at); got != "miss" {
		t.Errorf("get after reconnecting = %s, want miss", got)
	}
	eventually(t, func() bool {
		two.mu.Lock()
		defer two.mu.Unlock()
		return len(two.invalidated) > 0
	})
}

// A replica that was disconnected applies the invalidations that it missed when it reconnects.
func TestMissedInvalidation(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, s.URL()), ready(t, p.url())
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	for _, principal := range []string{alice, bob} {
		one.put(t, upstream.Address{Principal: principal, ID: "x"}, []byte("before"))
		if got := two.get(t, upstream.Address{Principal: principal, ID: "x"}); got != "before" {
			t.Fatalf("get before the write = %s, want before", got)
		}
	}
	p.refuse.Store(true)
	p.closeConnections()
	eventually(t, func() bool { return subscribers(t, s) == 1 })
	one.Cache().Drop(t.Context(), alice)
	p.refuse.Store(false)
	eventually(t, func() bool {
		two.mu.Lock()
		defer two.mu.Unlock()
		return len(two.invalidated) > 0
	})
	eventually(t, func() bool {
		return two.get(t, upstream.Address{Principal: alice, ID: "x"}) == "miss" && two.get(t, upstream.Address{Principal: bob, ID: "x"}) == "before"
	})
	if len(two.invalidated) != 1 || two.invalidated[0] != alice {
		t.Errorf("invalidated principals = %q, want %q", two.invalidated, alice)
	}
}

// When Redis is out of memory it refuses writes, but its values are still read.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	r := ready(t, s.URL())
	stored := upstream.Address{ID: "stored"}
	r.put(t, stored, []byte("x"))
	raw := s.Client(t)
	for i := 0; ; i++ {
		if raw.Do(t.Context(), raw.B().Set().Key(fmt.Sprint(i)).Value(strings.Repeat("x", 100_000)).Build()).Error() != nil {
			break
		}
	}
	for i := range 50 {
		r.useAll(t, i)
	}
	if !r.Stats().Up || r.get(t, stored) != "x" {
		t.Errorf("stored value cannot be read without memory: stats %+v", r.Stats())
	}
	if !strings.Contains(r.log.String(), "OOM") {
		t.Errorf("log lacks OOM:\n%s", r.log)
	}
}

func TestClose_LeavesNoGoroutines(t *testing.T) { //nolint:paralleltest // counts goroutines of the whole process
	s := redistest.Start(t)
	before := goleak.IgnoreCurrent()
	for _, url := range []redisurl.URL{s.URL(), "redis://127.0.0.1:1"} {
		r, err := Open(Options{URL: url, Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		r.Start(nil)
		if url == s.URL() {
			eventually(t, func() bool { return r.Stats().Up })
			r.Cache().Put(t.Context(), upstream.Address{ID: "last"}, upstream.Record{Body: []byte("x")}, life)
		}
		r.Close(t.Context())
		r.Close(t.Context())
		r.Cache().Put(t.Context(), upstream.Address{ID: "too late"}, upstream.Record{Body: []byte("x")}, life)
	}
	if r, err := Open(Options{URL: s.URL(), Secret: testSecret}); err != nil {
		t.Fatal(err)
	} else {
		r.Close(t.Context()) // it was never started
	}
	// A cluster client of an earlier test may be about to refresh the topology.
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
	if got := ready(t, s.URL()).get(t, upstream.Address{ID: "last"}); got != "x" {
		t.Errorf("get of a value put before Close = %s, want x", got)
	}
}
