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

// slack is what a busy machine may add to a timeout. It is less than what it takes to
// give up a connection, or one that is being made.
const slack = 700 * time.Millisecond

// everything uses all that requests use, once. There is nothing to check but how
// long that takes: no method has an error to give to a client.
func (r *replica) everything(t *testing.T, n int) {
	t.Helper()
	if name, took := r.slowest(t, n); took > 2*readTimeout+slack { // beginning and ending are two
		t.Errorf("%s takes %v", name, took)
	}
}

func (r *replica) slowest(t *testing.T, n int) (slowest string, took time.Duration) {
	t.Helper()
	ctx := t.Context()
	id := fmt.Sprint("resource ", n)
	for name, use := range map[string]func(){
		"get":           func() { r.Cache().Get(ctx, upstream.Address{ID: id}) },
		"get, signed":   func() { r.Cache().Get(ctx, upstream.Address{Principal: alice, ID: id}) },
		"put":           func() { r.Cache().Put(ctx, upstream.Address{ID: id}, upstream.Record{Body: []byte("x")}, life) },
		"publish write": func() { r.RecentWrites().Publish(ctx, bob, upstream.SharedWrite{ID: id}) },
		"recent writes": func() { r.RecentWrites().Recent(ctx, alice) },
		"drop":          func() { r.Cache().Drop(ctx, bob) },
		"take":          func() { r.Limiter().Take(ctx, limitOf("")) },
		"refused":       func() { r.Limiter().Refused(ctx, limitOf(bob), 0, time.Second) },
		"write": func() {
			if claim, _, err := r.Writes().Begin(ctx, idempotency.Name{Principal: alice, Key: id}, one); err == nil && claim != nil {
				_ = claim.Finish(ctx, idempotency.Answer{Status: 200})
			}
		},
		"publish": func() { r.Uploads().publish(upload.Name{Principal: alice, ID: id}, upload.Progress{Total: -1}) },
		"nonce": func() {
			if !r.use(t, fmt.Sprint(r.self(), id), time.Minute) {
				t.Errorf("a new nonce is refused")
			}
		},
		"revoke":  func() { r.Revocations().Revoke(ctx, id, time.Now().Add(time.Minute)) },
		"revoked": func() { r.Revocations().Revoked(ctx, id+" of another") },
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

// usable reports whether what is put comes back.
func (r *replica) usable(t *testing.T) bool {
	at := upstream.Address{ID: "usable"}
	r.Cache().Put(t.Context(), at, upstream.Record{Body: []byte("x")}, life)
	_, ok := r.Cache().Get(t.Context(), at)
	return ok
}

func TestAway_never(t *testing.T) {
	t.Parallel()
	r := open(t, redisurl.URL(fmt.Sprintf("redis://127.0.0.1:%d", redistest.FreePort(t))), realTimeout)
	for i := range 100 {
		r.everything(t, i)
	}
	eventually(t, func() bool { return strings.Contains(r.log.String(), "Redis does not answer") })
	if n := strings.Count(r.log.String(), "\n"); n > 3 {
		t.Errorf("%d lines in the log:\n%s", n, r.log)
	}
}

func TestAway_atStart(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	s.Kill()
	r := open(t, s.URL(), realTimeout)
	r.everything(t, 0)
	if !s.Restart(t) {
		t.Fatal("redis-server does not start")
	}
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
	if !strings.Contains(r.log.String(), "Redis answers") {
		t.Errorf("the log does not tell that Redis is there:\n%s", r.log)
	}
}

// A Redis that dies under load costs no request more than its timeout, and is used
// again when it is back, without what it had.
func TestAway_diesUnderLoad(t *testing.T) {
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
				<-time.After(2 * time.Millisecond) // what a client does with an answer
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
			t.Fatal("redis-server does not start")
		}
		r.waitUp(t, true)
	}
	stop()
	wg.Wait()
	// On a machine with other load, single ones say nothing.
	var all []time.Duration
	for _, took := range times.Range {
		all = append(all, took.(time.Duration))
	}
	slices.Sort(all)
	if median := all[len(all)/2]; median > readTimeout {
		t.Errorf("half of the requests take more than %v", median)
	}
	eventually(t, func() bool { return r.usable(t) })
	text := r.log.String()
	for _, want := range []string{"Redis does not answer; going on without it", "Redis answers"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	if lines := strings.Count(text, "\n"); lines > 50 {
		t.Errorf("%d lines in the log for %d rounds", lines, n.Load())
	}
}

// Connections that stay and answers that do not come: the worst of them.
func TestAway_silent(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r := ready(t, s.URL(), realTimeout)
	at := upstream.Address{ID: "x"}
	r.put(t, at, []byte("x"))
	s.Stop(t)
	defer s.Continue(t)
	const requests = 50
	for i := range requests {
		start := time.Now()
		r.Cache().Get(t.Context(), upstream.Address{ID: fmt.Sprint(i)})
		if took := time.Since(start); took > readTimeout+slack {
			t.Errorf("a silent Redis makes wait for %v", took)
		}
	}
	if waited := requests - r.Stats().Skipped; waited > maxConsecutiveFailures {
		t.Errorf("%d requests waited before the breaker opened, want %d", waited, maxConsecutiveFailures)
	}
	r.waitUp(t, false)
	s.Continue(t)
	r.waitUp(t, true)
	eventually(t, func() bool { return r.get(t, at) == "x" })
}

func TestAway_slow(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	r.put(t, upstream.Address{ID: "x"}, []byte("x"))
	p.delay.Store(int64(2 * readTimeout))
	for i := range 20 {
		r.everything(t, i)
	}
	r.waitUp(t, false)
	p.delay.Store(0)
	r.waitUp(t, true)
	eventually(t, func() bool { return r.get(t, upstream.Address{ID: "x"}) == "x" })
}

// An answer that is lost on its way.
func TestAway_midCommand(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	at := upstream.Address{ID: "x"}
	r.put(t, at, []byte("x"))
	for i := range 20 {
		p.mute.Store(true)
		done := make(chan struct{})
		go func() {
			r.Cache().Get(t.Context(), upstream.Address{ID: fmt.Sprint(i)})
			close(done)
		}()
		p.cut()
		<-done
		p.mute.Store(false)
		r.everything(t, i)
	}
	eventually(t, func() bool { return r.get(t, at) == "x" })
}

func TestAway_connectionsRefused(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r := ready(t, p.url(), realTimeout)
	p.deny.Store(true)
	p.cut()
	for i := range 10 {
		r.everything(t, i)
	}
	r.waitUp(t, false)
	p.deny.Store(false)
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
}

// A caller who leaves takes nobody with him, and is not Redis' fault.
func TestAway_callerLeaves(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		r.Cache().Get(ctx, upstream.Address{ID: "x"})
	}
	if !r.Stats().Up || r.Stats().Failed != 0 {
		t.Errorf("%+v", r.Stats())
	}
}

// What was written while Redis was away is made good before anything is read
// there again, and the others are told.
func TestAway_dropIsMadeGood(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, p.url()), ready(t, s.URL())
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	at := upstream.Address{Principal: alice, ID: "x"}
	one.put(t, at, []byte("before"))
	if got := two.get(t, at); got != "before" {
		t.Fatal(got)
	}
	p.deny.Store(true)
	p.cut()
	for range maxConsecutiveFailures + 1 {
		one.Cache().Get(t.Context(), upstream.Address{ID: "y"})
	}
	one.Cache().Drop(t.Context(), alice)
	if got := one.get(t, at); got != "miss" {
		t.Errorf("the replica that wrote sees %s", got)
	}
	p.deny.Store(false)
	eventually(t, func() bool { return two.get(t, at) == "miss" })
	one.waitUp(t, true)
	if got := one.get(t, at); got != "miss" {
		t.Errorf("the replica that wrote sees %s when Redis is back", got)
	}
	eventually(t, func() bool {
		two.mu.Lock()
		defer two.mu.Unlock()
		return len(two.forgotten) > 0
	})
}

// What others wrote while this replica heard nothing is forgotten when it hears
// again.
func TestAway_missedDrop(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, s.URL()), ready(t, p.url())
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	for _, principal := range []string{alice, bob} {
		one.put(t, upstream.Address{Principal: principal, ID: "x"}, []byte("before"))
		if got := two.get(t, upstream.Address{Principal: principal, ID: "x"}); got != "before" {
			t.Fatal(got)
		}
	}
	p.deny.Store(true)
	p.cut()
	eventually(t, func() bool { return subscribers(t, s) == 1 })
	one.Cache().Drop(t.Context(), alice)
	p.deny.Store(false)
	eventually(t, func() bool {
		two.mu.Lock()
		defer two.mu.Unlock()
		return len(two.forgotten) > 0
	})
	eventually(t, func() bool {
		return two.get(t, upstream.Address{Principal: alice, ID: "x"}) == "miss" && two.get(t, upstream.Address{Principal: bob, ID: "x"}) == "before"
	})
	if len(two.forgotten) != 1 || two.forgotten[0] != alice {
		t.Errorf("forgotten: %q", two.forgotten)
	}
}

// A full Redis refuses writes; reads go on.
func TestAway_full(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "--maxmemory", "3mb", "--maxmemory-policy", "noeviction")
	r := ready(t, s.URL())
	kept := upstream.Address{ID: "kept"}
	r.put(t, kept, []byte("x"))
	raw := s.Client(t)
	for i := 0; ; i++ {
		if raw.Do(t.Context(), raw.B().Set().Key(fmt.Sprint(i)).Value(strings.Repeat("x", 100_000)).Build()).Error() != nil {
			break
		}
	}
	for i := range 50 {
		r.everything(t, i)
	}
	if !r.Stats().Up || r.get(t, kept) != "x" {
		t.Errorf("what is there is not read: %+v", r.Stats())
	}
	if !strings.Contains(r.log.String(), "OOM") {
		t.Errorf("the log does not tell:\n%s", r.log)
	}
}

func TestClose_leavesNothing(t *testing.T) { //nolint:paralleltest // counts goroutines of the whole process
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
		r.Close(t.Context()) // though it was never started
	}
	// A client of a cluster, of a test before, may be about to look whether it is
	// still the same.
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
	if got := ready(t, s.URL()).get(t, upstream.Address{ID: "last"}); got != "x" {
		t.Errorf("what was put before Close is lost: %s", got)
	}
}
