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

// hanging is a client that hangs, whatever is asked of it and for how long its
// context allows, until end.
type hanging struct {
	rueidis.Client
	end chan struct{}
}

// B begins whatever is asked.
func (h hanging) B() rueidis.Builder {
	<-h.end
	runtime.Goexit()
	return rueidis.Builder{}
}

// The clock of this test is virtual, so that it is exact: nothing waits longer
// for a Redis that hangs than the timeout, and once the breaker is open nothing waits.
func TestHanging(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"get", "get, signed", "put", "drop", "take", "refused", "publish write", "recent writes", "begin", "finish", "release", "publish", "nonce", "query", "add",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, err := Open(Options{URL: "redis://127.0.0.1:1", Secret: testSecret})
				if err != nil {
					t.Fatal(err)
				}
				hang := hanging{end: make(chan struct{})}
				defer r.conn.cancel()
				defer close(hang.end)
				var client rueidis.Client = hang
				r.conn.client.Store(&client)
				r.conn.breaker.close()
				claim := &sharedClaim{writes: r.writes, key: "k", id: "i", over: make(chan struct{})}
				ctx := t.Context()
				at := upstream.Address{ID: name}
				use := map[string]func(){
					"get":           func() { r.Cache().Get(ctx, at) },
					"get, signed":   func() { r.Cache().Get(ctx, upstream.Address{Principal: alice, ID: name}) },
					"put":           func() { r.Cache().Put(ctx, at, upstream.Record{Body: []byte("x")}, life) },
					"drop":          func() { r.Cache().Drop(ctx, alice) },
					"take":          func() { r.Limiter().Take(ctx, limitOf("")) },
					"refused":       func() { r.Limiter().Refused(ctx, limitOf(alice), 0, time.Second) },
					"publish write": func() { r.RecentWrites().Publish(ctx, alice, upstream.SharedWrite{ID: "w"}) },
					"recent writes": func() { r.RecentWrites().Recent(ctx, alice) },
					"begin":         func() { _, _, _ = r.Writes().begin(ctx, idempotency.Name{Principal: alice, Key: "k"}, one) },
					"finish":        func() { _ = claim.finish(ctx, idempotency.Answer{Status: 200}) },
					"release":       func() { _ = claim.release(ctx) },
					"publish":       func() { r.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{}) },
					"nonce":         func() { _, _ = r.Nonces().Use(ctx, name, time.Now().Add(time.Hour)) },
					"query":         func() { r.Queries().Get(ctx, hashOf(name)) },
					"add":           func() { r.Queries().Add(ctx, hashOf(name), name) },
				}[name]
				var all time.Duration
				for i := range maxConsecutiveFailures + 2 {
					began := time.Now()
					use()
					took := time.Since(began)
					if all += took; took > readTimeout || i >= maxConsecutiveFailures && took > 0 {
						t.Errorf("time %d takes %v", i+1, took)
					}
				}
				if all > maxConsecutiveFailures*readTimeout {
					t.Errorf("all together take %v", all)
				}
			})
		})
	}
}

// However many ask while Redis hangs, and however long, what waits for it is
// bounded, and nothing of it is left at the end.
func TestHanging_bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, err := Open(Options{URL: "redis://127.0.0.1:1", Secret: testSecret})
		if err != nil {
			t.Fatal(err)
		}
		hang := hanging{end: make(chan struct{})}
		defer r.conn.cancel()
		var client rueidis.Client = hang
		r.conn.client.Store(&client)
		for range 3 * maxInflight {
			r.conn.breaker.close() // as if it answered once in a while
			go r.Cache().Get(t.Context(), upstream.Address{ID: "x"})
		}
		synctest.Wait()
		if n := len(r.conn.inflight); n > maxInflight {
			t.Errorf("%d commands are under way", n)
		}
		time.Sleep(readTimeout)
		close(hang.end)
		synctest.Wait() // and the bubble ends only when every goroutine has
		if n := len(r.conn.inflight); n > 0 {
			t.Errorf("%d commands are under way at the end", n)
		}
	})
}

// A Redis that is some way off is used all the same.
func TestSlow_alittle(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	p.delay.Store(int64(10 * time.Millisecond))
	r := ready(t, p.url()) // the timeout is for the busy machine; TestHanging has the real one
	at := upstream.Address{Principal: alice, ID: "x"}
	r.put(t, at, []byte("x"))
	for i := range 5 {
		r.everything(t, i)
	}
	if st := r.Stats(); !st.Up || st.Failed > 0 || r.get(t, at) != "x" {
		t.Errorf("%+v\n%s", st, r.log)
	}
}

// One that takes a second for each answer is left alone, and says so once.
func TestSlow_veryMuch(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	r := ready(t, p.url(), realTimeout)
	p.delay.Store(int64(time.Second))
	for i := range 10 {
		r.everything(t, i)
	}
	r.waitUp(t, false)
	began := time.Now()
	for i := range 200 {
		r.Cache().Get(t.Context(), upstream.Address{ID: fmt.Sprint(i)})
		r.Limiter().Take(t.Context(), limitOf(""))
	}
	if took := time.Since(began); took > slack {
		t.Errorf("400 uses of one that is left alone take %v", took)
	}
	eventually(t, func() bool { return strings.Contains(r.log.String(), "going on without it") })
	if n := strings.Count(r.log.String(), "\n"); n > 3 {
		t.Errorf("%d lines in the log:\n%s", n, r.log)
	}
}

// A connection that breaks in the middle of an answer, at each of its bytes:
// what comes of it is a miss, never another value.
func TestCutInAnAnswer(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, s.URL()), ready(t, p.url())
	body := strings.Repeat("answer ", 20)
	for i := range 40 {
		at := upstream.Address{ID: fmt.Sprint(i)}
		one.put(t, at, []byte(body))
		two.waitUp(t, true)
		p.rest.Store(int64(1 + i*5))
		if got := two.get(t, at); got != "miss" && got != body {
			t.Fatalf("cut after %d bytes: %q", 1+i*5, got)
		}
		two.everything(t, i)
		p.rest.Store(0)
		eventually(t, func() bool { return two.get(t, at) == body })
	}
}

// A Redis that may only be read is one that is away: what is read there could be
// older than what was written.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL(), realTimeout), s.Client(t)
	r.put(t, upstream.Address{ID: "x"}, []byte("x"))
	must(t, raw.Do(t.Context(), raw.B().Replicaof().Host("127.0.0.1").Port(1).Build())) // of a master that is not there
	for i := range 10 {
		r.everything(t, i)
	}
	eventually(t, func() bool { r.Limiter().Take(t.Context(), limitOf("")); return !r.Stats().Up })
	eventually(t, func() bool { return strings.Contains(r.log.String(), "READONLY") })
	must(t, raw.Do(t.Context(), raw.B().Replicaof().No().One().Build()))
	r.waitUp(t, true)
	eventually(t, func() bool { return r.usable(t) })
	if n := strings.Count(r.log.String(), "going on without it"); n > 3 {
		t.Errorf("it is said %d times:\n%s", n, r.log)
	}
}

// A password that is changed while a replica runs.
func TestPasswordChanged(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	r, raw := ready(t, p.url()), s.Client(t)
	must(t, raw.Do(t.Context(), raw.B().ConfigSet().ParameterValue().ParameterValue("requirepass", "hunter2").Build()))
	p.cut() // whoever was in may stay
	for i := range 10 {
		r.everything(t, i)
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

// Everything is thrown out at once: what was there is a miss, and what is under
// way ends as if nothing had happened.
func TestFlushed(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	mine, all := upstream.Address{Principal: alice, ID: "x"}, upstream.Address{ID: "x"}
	for _, at := range []upstream.Address{mine, all} {
		one.put(t, at, []byte("x"))
		eventually(t, func() bool { return two.get(t, at) == "x" })
	}
	claim := one.claim(t, alice, "k", idempotency.Fingerprint{1})
	done := one.claim(t, alice, "done", idempotency.Fingerprint{1})
	if err := done.finish(t.Context(), idempotency.Answer{Status: 200}); err != nil {
		t.Fatal(err)
	}
	one.use(t, "nonce", time.Hour)
	follow := two.Uploads().follow(t.Context(), upload.Name{Principal: alice, ID: "u"})
	one.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Sending})
	<-follow
	two.Cache().Get(t.Context(), upstream.Address{Principal: alice, ID: "under way"})

	must(t, raw.Do(t.Context(), raw.B().Flushall().Build()), raw.Do(t.Context(), raw.B().ScriptFlush().Build()))
	for _, r := range []*replica{one, two} {
		for _, at := range []upstream.Address{mine, all} {
			eventually(t, func() bool { return r.get(t, at) == "miss" })
		}
		r.everything(t, 1)
	}
	two.Cache().Put(t.Context(), upstream.Address{Principal: alice, ID: "under way"}, upstream.Record{Body: []byte("of before")}, life)
	two.drain(t)
	if got := one.get(t, upstream.Address{Principal: alice, ID: "under way"}); got != "miss" {
		t.Errorf("what was under way is %s", got)
	}
	if err := claim.finish(t.Context(), idempotency.Answer{Status: 201}); err != nil {
		t.Error(err)
	}
	if _, answer, err := two.begin(t, alice, "k", idempotency.Fingerprint{1}); answer == nil || answer.Status != 201 {
		t.Errorf("the write that was under way: %v, %v", answer, err)
	}
	if one.use(t, "nonce", time.Hour) {
		t.Error("the replica that used a nonce does not know it any more")
	}
	one.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Done})
	for u := range follow {
		if u.Phase != upload.Done {
			t.Errorf("the upload is at %+v", u)
		}
	}
	if n := one.Stats().Failed + two.Stats().Failed; n > 0 {
		t.Errorf("%d commands failed:\n%s%s", n, one.log, two.log)
	}
}

// Where others have put what is none of ours, it is as if there was nothing.
func TestGarbage(t *testing.T) {
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
	text[4] |= 1 << 6 // a flag that a later release may have
	for name, garbage := range map[string]string{
		"of another release": string(text), "huge": strings.Repeat("x", 32<<20), "of another length": "\x00\x00\x00\x00\xff", "empty": "",
	} {
		at := upstream.Address{ID: name}
		put(k.value("", name), garbage)
		if got := r.get(t, at); got != "miss" {
			t.Errorf("a value that is %s: %.20s", name, got)
		}
	}
	// A principal whose generation is nonsense, or not a text at all.
	mine := upstream.Address{Principal: alice, ID: "x"}
	put(k.epoch(alice), "nonsense \x00")
	r.put(t, mine, []byte("x"))
	hash(k.epoch(bob), "a", "b")
	if got := r.get(t, upstream.Address{Principal: bob, ID: "x"}); got != "miss" {
		t.Error(got)
	}
	for i, spoil := range []func(key string){
		func(key string) { put(key, "nonsense") },
		func(key string) { hash(key, "tokens", "many") },
		func(key string) { hash(key, "blocked", "nan") },
	} {
		class := fmt.Sprint("class ", i)
		spoil(k.limit(limitOf(class)))
		for range 3 {
			if wait := r.Limiter().Take(t.Context(), limitOf(class)); wait > time.Second {
				t.Errorf("a pace that is nonsense (%d) makes wait for %v", i, wait)
			}
		}
	}
	for i, spoil := range []func(key string){
		func(key string) { put(key, "nonsense") },
		func(key string) { hash(key, "content", string(one[:])); hash(key, "status", "fine") },
		func(key string) { hash(key, "status", "200") },
	} {
		name := fmt.Sprint("write ", i)
		spoil(k.write(idempotency.Name{Principal: alice, Key: name}))
		claim, answer, err := r.begin(t, alice, name, one)
		if answer != nil || errors.Is(err, idempotency.ErrInFlight) || errors.Is(err, idempotency.ErrOtherContent) {
			t.Errorf("a write that is nonsense (%d): %v, %v", i, answer, err)
		}
		if claim != nil {
			_ = claim.finish(t.Context(), idempotency.Answer{Status: 200})
		}
	}
	put(k.upload(upload.Name{Principal: alice, ID: "u"}), "nonsense")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	follow := r.Uploads().follow(ctx, upload.Name{Principal: alice, ID: "u"})
	r.Uploads().publish(upload.Name{Principal: alice, ID: "u"}, upload.Progress{Phase: upload.Done})
	if u := <-follow; u.Phase != upload.Done {
		t.Errorf("an upload that was nonsense is at %+v", u)
	}
	if !r.Stats().Up {
		t.Errorf("nonsense counts as a Redis that is away:\n%s", r.log)
	}
}

// No two names are one key, whatever they are made of.
func TestKeys_distinct(t *testing.T) {
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
				t.Fatalf("%s: %q, %q and %q, %q are one", name, a, x, b, y)
			}
		}
		if a != b && (k.epoch(a) == k.epoch(b) || k.limit(limitOf(a)) == k.limit(limitOf(b)) || k.recentWrites(a) == k.recentWrites(b)) {
			t.Fatalf("%q and %q are one", a, b)
		}
		seen := map[string]bool{}
		for _, key := range []string{k.value(a, x), k.epoch(a), k.recentWrites(a), k.limit(limitOf(a)), write(a, x), upload(a, x), k.nonce(x), k.revoked(x), k.query(x)} {
			if seen[key] {
				t.Fatalf("%s has two meanings", key)
			}
			seen[key] = true
		}
	})
}

// A Redis that hangs when the process ends keeps nothing of it alive.
func TestClose_whileSilent(t *testing.T) { //nolint:paralleltest // counts goroutines of the whole process
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	taken := make(chan net.Conn, 64)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				close(taken)
				return
			}
			taken <- conn
		}
	}()
	r, err := Open(Options{URL: redisurl.URL("redis://" + ln.Addr().String()), Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	r.Start(nil)
	first := <-taken
	_, _ = io.ReadFull(first, make([]byte, 1)) // it has said something, and waits
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r.Close(ctx)
	ln.Close()
	first.Close()
	for conn := range taken {
		conn.Close()
	}
	goleak.VerifyNone(t, before, goleak.IgnoreAnyFunction("github.com/redis/rueidis.(*call).DelayDo.func1"))
}
