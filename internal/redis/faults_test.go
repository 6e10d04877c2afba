package redis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/rueidis"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// A hangingClient blocks in every command until end is closed, regardless of contexts.
type hangingClient struct {
	rueidis.Client
	end chan struct{}
}

// B blocks; every command begins with it.
func (h hangingClient) B() rueidis.Builder {
	<-h.end
	runtime.Goexit()
	return rueidis.Builder{}
}

// While Redis hangs, no command waits longer than the timeout, and no command waits once the breaker
// is open. The virtual clock of the test is exact.
func TestHangingRedis(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"get", "get with token", "put", "drop", "take", "refused", "publish write", "recent writes", "begin", "finish", "release", "publish", "nonce", "query", "add",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, err := Open(Options{URL: "redis://127.0.0.1:1", Secret: testSecret})
				if err != nil {
					t.Fatal(err)
				}
				hang := hangingClient{end: make(chan struct{})}
				defer r.conn.cancel()
				defer close(hang.end)
				var client rueidis.Client = hang
				r.conn.client.Store(&client)
				r.conn.breaker.close()
				claim := &sharedClaim{writes: r.writes, key: "k", id: "i", ended: make(chan struct{})}
				ctx := t.Context()
				at := upstream.Address{ID: name}
				use := map[string]func(){
					"get":            func() { r.Cache().Get(ctx, at) },
					"get with token": func() { r.Cache().Get(ctx, upstream.Address{Principal: alice, ID: name}) },
					"put":            func() { r.Cache().Put(ctx, at, upstream.Record{Body: []byte("x")}, life) },
					"drop":           func() { r.Cache().Drop(ctx, alice) },
					"take":           func() { r.Limiter().Take(ctx, limitOf("")) },
					"refused":        func() { r.Limiter().Refused(ctx, limitOf(alice), 0, time.Second) },
					"publish write":  func() { r.RecentWrites().Publish(ctx, alice, upstream.SharedWrite{ID: "w"}) },
					"recent writes":  func() { r.RecentWrites().Recent(ctx, alice) },
					"begin":          func() { _, _, _ = r.Writes().begin(ctx, idempotency.Name{Principal: alice, Key: "k"}, one) },
					"finish":         func() { _ = claim.finish(ctx, idempotency.Response{Status: 200}) },
					"release":        func() { _ = claim.release(ctx) },
					"publish":        func() { r.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{}) },
					"nonce":          func() { _, _ = r.Nonces().Use(ctx, name, time.Now().Add(time.Hour)) },
					"query":          func() { r.Queries().Get(ctx, hashOf(name)) },
					"add":            func() { r.Queries().Add(ctx, hashOf(name), name) },
				}[name]
				var all time.Duration
				for i := range maxConsecutiveFailures + 2 {
					began := time.Now()
					use()
					took := time.Since(began)
					if all += took; took > readTimeout || i >= maxConsecutiveFailures && took > 0 {
						t.Errorf("command %d took %v, want at most %v, and 0 with an open breaker", i+1, took, readTimeout)
					}
				}
				if all > maxConsecutiveFailures*readTimeout {
					t.Errorf("all commands took %v, want at most %v", all, maxConsecutiveFailures*readTimeout)
				}
			})
		})
	}
}

// While Redis hangs, the number of commands in flight is bounded, and all of them end when Redis
// replies.
func TestHangingRedis_Bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, err := Open(Options{URL: "redis://127.0.0.1:1", Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		hang := hangingClient{end: make(chan struct{})}
		defer r.conn.cancel()
		var client rueidis.Client = hang
		r.conn.client.Store(&client)
		for range 3 * maxInflight {
			r.conn.breaker.close() // simulates a Redis that replies occasionally
			go r.Cache().Get(t.Context(), upstream.Address{ID: "x"})
		}
		synctest.Wait()
		if n := len(r.conn.inflight); n > maxInflight {
			t.Errorf("%d commands are in flight, want at most %d", n, maxInflight)
		}
		time.Sleep(readTimeout)
		close(hang.end)
		synctest.Wait() // and synctest.Test returns only when all goroutines have ended
		if n := len(r.conn.inflight); n > 0 {
			t.Errorf("%d commands are in flight at the end, want 0", n)
		}
	})
}

// A Redis whose latency is below the timeout is used.
func TestSlowRedis_WithinTimeout(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	p.delay.Store(int64(10 * time.Millisecond))
	r := ready(t, p.url()) // with the long timeout, for slow machines
	at := upstream.Address{Principal: alice, ID: "x"}
	r.put(t, at, []byte("x"))
	for i := range 5 {
		r.useAll(t, i)
	}
	if st := r.Stats(); !st.Up || st.Failed > 0 || r.get(t, at) != "x" {
		t.Errorf("stats = %+v, want up without failures\n%s", st, r.log)
	}
}

// A Redis that takes a second for each reply is not used, and this is logged once.
func TestSlowRedis_BeyondTimeout(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	r := ready(t, p.url(), realTimeout)
	p.delay.Store(int64(time.Second))
	for i := range 10 {
		r.useAll(t, i)
	}
	r.waitUp(t, false)
	began := time.Now()
	for i := range 200 {
		r.Cache().Get(t.Context(), upstream.Address{ID: fmt.Sprint(i)})
		r.Limiter().Take(t.Context(), limitOf(""))
	}
	if took := time.Since(began); took > slack {
		t.Errorf("400 commands with an open breaker took %v, want at most %v", took, slack)
	}
	eventually(t, func() bool { return strings.Contains(r.log.String(), "Redis unavailable") })
	if n := strings.Count(r.log.String(), "\n"); n > 3 {
		t.Errorf("%d log lines, want at most 3:\n%s", n, r.log)
	}
}

// If the connection is closed within a reply, at any byte, the read is a miss and never returns a
// different value.
func TestConnectionLost_WithinReply(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, s.URL()), ready(t, p.url())
	body := strings.Repeat("response ", 16)
	for i := range 40 {
		at := upstream.Address{ID: fmt.Sprint(i)}
		one.put(t, at, []byte(body))
		two.waitUp(t, true)
		p.cutAfter.Store(int64(1 + i*5))
		if got := two.get(t, at); got != "miss" && got != body {
			t.Fatalf("reply cut after %d bytes: get = %q, want miss or the whole body", 1+i*5, got)
		}
		two.useAll(t, i)
		p.cutAfter.Store(0)
		eventually(t, func() bool { return two.get(t, at) == body })
	}
}

// A read-only Redis counts as unavailable, because its values could be older than the latest writes.
func TestReadOnlyRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL(), realTimeout), s.Client(t)
	r.put(t, upstream.Address{ID: "x"}, []byte("x"))
	must(t, raw.Do(t.Context(), raw.B().Replicaof().Host("127.0.0.1").Port(1).Build())) // of a master that does not exist
	for i := range 10 {
		r.useAll(t, i)
	}
	eventually(t, func() bool { r.Limiter().Take(t.Context(), limitOf("")); return !r.Stats().Up })
	eventually(t, func() bool { return strings.Contains(r.log.String(), "READONLY") })
	must(t, raw.Do(t.Context(), raw.B().Replicaof().No().One().Build()))
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
	if n := strings.Count(r.log.String(), "Redis unavailable"); n > 3 {
		t.Errorf("\"Redis unavailable\" was logged %d times, want at most 3:\n%s", n, r.log)
	}
}

// The password is changed while a replica runs.
func TestPasswordChanged(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r, raw := ready(t, p.url()), s.Client(t)
	must(t, raw.Do(t.Context(), raw.B().ConfigSet().ParameterValue().ParameterValue("requirepass", "hunter2").Build()))
	p.closeConnections() // existing connections stay authenticated
	for i := range 10 {
		r.useAll(t, i)
	}
	eventually(t, func() bool {
		r.Cache().Get(t.Context(), fresh(t))
		return strings.Contains(r.log.String(), "NOAUTH")
	})
	r.waitUp(t, false)
	must(t, raw.Do(t.Context(), raw.B().ConfigSet().ParameterValue().ParameterValue("requirepass", "").Build()))
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
}

// After FLUSHALL all reads are misses, and operations in flight end normally.
func TestFlushAll(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	withToken, anonymous := upstream.Address{Principal: alice, ID: "x"}, upstream.Address{ID: "x"}
	inFlight := upstream.Address{Principal: alice, ID: "in flight"}
	for _, at := range []upstream.Address{withToken, anonymous} {
		one.put(t, at, []byte("x"))
		eventually(t, func() bool { return two.get(t, at) == "x" })
	}
	claim := one.claim(t, alice, "k", idempotency.Fingerprint{1})
	done := one.claim(t, alice, "done", idempotency.Fingerprint{1})
	if err := done.finish(t.Context(), idempotency.Response{Status: 200}); err != nil {
		t.Fatal(err)
	}
	one.use(t, "nonce", time.Hour)
	follow := two.Uploads().follow(t.Context(), upload.Name{Principal: alice, ID: "u"})
	one.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Sending})
	<-follow
	two.Cache().Get(t.Context(), inFlight)

	must(t, raw.Do(t.Context(), raw.B().Flushall().Build()), raw.Do(t.Context(), raw.B().ScriptFlush().Build()))
	for _, r := range []*replica{one, two} {
		for _, at := range []upstream.Address{withToken, anonymous} {
			eventually(t, func() bool { return r.get(t, at) == "miss" })
		}
		r.useAll(t, 1)
	}
	two.Cache().Put(t.Context(), inFlight, upstream.Record{Body: []byte("outdated")}, life)
	two.drain(t)
	if got := one.get(t, inFlight); got != "miss" {
		t.Errorf("get of a response in flight during FLUSHALL = %s, want miss", got)
	}
	if err := claim.finish(t.Context(), idempotency.Response{Status: 201}); err != nil {
		t.Error(err)
	}
	if _, response, err := two.begin(t, alice, "k", idempotency.Fingerprint{1}); response == nil || response.Status != 201 {
		t.Errorf("begin of a write in flight during FLUSHALL = %v, %v, want its response with status 201", response, err)
	}
	if one.use(t, "nonce", time.Hour) {
		t.Error("a replica accepted its own nonce again after FLUSHALL")
	}
	one.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Done})
	for u := range follow {
		if u.Phase != upload.Done {
			t.Errorf("upload progress = %+v, want done", u)
		}
	}
	if n := one.Stats().Failed + two.Stats().Failed; n > 0 {
		t.Errorf("%d commands failed, want 0:\n%s%s", n, one.log, two.log)
	}
}

// A value that was not written by this program is ignored.
func TestInvalidValues(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	k := r.cache.keys
	put := func(key, value string) {
		must(t, raw.Do(t.Context(), raw.B().Set().Key(key).Value(value).Build()))
	}
	hash := func(key, field, value string) {
		must(t, raw.Do(t.Context(), raw.B().Hset().Key(key).FieldValue().FieldValue(field, value).Build()))
	}
	newer := value{record: upstream.Record{Body: []byte("x")}, stored: time.Now()}
	text, _ := newer.encode()
	text[4] |= 1 << 6 // a flag that this release does not define
	for name, invalid := range map[string]string{
		"newer release": string(text), "huge": strings.Repeat("x", 32<<20), "too short": "\x00\x00\x00\x00\xff", "empty": "",
	} {
		at := upstream.Address{ID: name}
		put(k.value("", name), invalid)
		if got := r.get(t, at); got != "miss" {
			t.Errorf("%s: get = %.20s, want miss", name, got)
		}
	}
	// An epoch that is an arbitrary text, or a key of another type.
	at := upstream.Address{Principal: alice, ID: "x"}
	put(k.epoch(alice), "arbitrary \x00")
	r.put(t, at, []byte("x"))
	hash(k.epoch(bob), "a", "b")
	if got := r.get(t, upstream.Address{Principal: bob, ID: "x"}); got != "miss" {
		t.Errorf("get with an invalid epoch = %s, want miss", got)
	}
	for i, corrupt := range []func(key string){
		func(key string) { put(key, "arbitrary") },
		func(key string) { hash(key, "tokens", "many") },
		func(key string) { hash(key, "blocked", "nan") },
	} {
		class := fmt.Sprint("class ", i)
		corrupt(k.limit(limitOf(class)))
		for range 3 {
			if wait := r.Limiter().Take(t.Context(), limitOf(class)); wait > time.Second {
				t.Errorf("invalid limiter state %d: Take() = %v, want at most 1s", i, wait)
			}
		}
	}
	for i, corrupt := range []func(key string){
		func(key string) { put(key, "arbitrary") },
		func(key string) { hash(key, "content", string(one[:])); hash(key, "status", "fine") },
		func(key string) { hash(key, "status", "200") },
	} {
		name := fmt.Sprint("write ", i)
		corrupt(k.write(idempotency.Name{Principal: alice, Key: name}))
		claim, response, err := r.begin(t, alice, name, one)
		if response != nil || errors.Is(err, idempotency.ErrInFlight) || errors.Is(err, idempotency.ErrOtherContent) {
			t.Errorf("invalid write %d: begin = %v, %v, want a claim or errUnreachable", i, response, err)
		}
		if claim != nil {
			_ = claim.finish(t.Context(), idempotency.Response{Status: 200})
		}
	}
	put(k.upload(upload.Name{Principal: alice, ID: "u"}), "arbitrary")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	follow := r.Uploads().follow(ctx, upload.Name{Principal: alice, ID: "u"})
	r.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Done})
	if u := <-follow; u.Phase != upload.Done {
		t.Errorf("upload progress after an invalid one = %+v, want done", u)
	}
	if !r.Stats().Up {
		t.Errorf("an invalid value opened the breaker:\n%s", r.log)
	}
}

// Different names have different keys.
func TestKeys_Distinct(t *testing.T) {
	t.Parallel()
	k, err := newKeys(testSecret)
	if err != nil {
		t.Fatal(err)
	}
	write := func(a, x string) string { return k.write(idempotency.Name{Principal: a, Key: x}) }
	upload := func(a, x string) string { return k.upload(upload.Name{Principal: a, ID: x}) }
	part := rapid.StringOfN(rapid.SampledFrom([]rune("a{}: /\x00é")), 0, 4, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := part.Draw(t, "principal"), part.Draw(t, "another")
		x, y := part.Draw(t, "id"), part.Draw(t, "other")
		if a == b && x == y {
			return
		}
		for name, key := range map[string]func(a, x string) string{"value": k.value, "write": write, "upload": upload} {
			if key(a, x) == key(b, y) {
				t.Fatalf("%s: (%q, %q) and (%q, %q) have the same key", name, a, x, b, y)
			}
		}
		if a != b && (k.epoch(a) == k.epoch(b) || k.limit(limitOf(a)) == k.limit(limitOf(b)) || k.recentWrites(a) == k.recentWrites(b)) {
			t.Fatalf("principals %q and %q have the same key", a, b)
		}
		seen := map[string]bool{}
		for _, key := range []string{k.value(a, x), k.epoch(a), k.recentWrites(a), k.limit(limitOf(a)), write(a, x), upload(a, x), k.nonce(x), k.revoked(x), k.query(x)} {
			if seen[key] {
				t.Fatalf("two kinds of entries have the key %s", key)
			}
			seen[key] = true
		}
	})
}

// Close leaves no goroutine if Redis hangs.
func TestClose_WhileRedisHangs(t *testing.T) { //nolint:paralleltest // counts goroutines of the whole process
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	accepted := make(chan net.Conn, 64)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	r, err := Open(Options{URL: redisurl.URL("redis://" + ln.Addr().String()), Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	r.Start(nil)
	first := <-accepted
	_, _ = io.ReadFull(first, make([]byte, 1)) // the client has sent a command and waits for the reply
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r.Close(ctx)
	ln.Close()
	first.Close()
	for conn := range accepted {
		conn.Close()
	}
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}
