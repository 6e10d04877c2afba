package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upstream"
)

var number atomic.Int64

// fresh is an address that nobody has asked for.
func fresh(t *testing.T) upstream.Address {
	t.Helper()
	return upstream.Address{ID: fmt.Sprint("fresh ", number.Add(1))}
}

var one, two = [32]byte{1}, [32]byte{2}

func (r *replica) begin(t *testing.T, audience, key string, content [32]byte) (*Claim, *Answer, error) {
	t.Helper()
	return r.Writes().Begin(t.Context(), audience, key, content)
}

func (r *replica) claim(t *testing.T, audience, key string, content [32]byte) *Claim {
	t.Helper()
	claim, answer, err := r.begin(t, audience, key, content)
	if claim == nil || answer != nil || err != nil {
		t.Fatalf("%s is not free: %v, %v", key, answer, err)
	}
	return claim
}

func TestWrites(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()), ready(t, s.URL())
	raw := s.Client(t)

	claim := a.claim(t, alice, "k", one)
	if _, _, err := b.begin(t, alice, "k", one); !errors.Is(err, ErrInFlight) {
		t.Errorf("a second one under way: %v", err)
	}
	if _, _, err := b.begin(t, alice, "k", two); !errors.Is(err, ErrOtherContent) {
		t.Errorf("another content, under way: %v", err)
	}
	if err := b.claim(t, bob, "k", two).Release(t.Context()); err != nil {
		t.Errorf("somebody else's key of the same name: %v", err)
	}
	if err := claim.Release(t.Context()); err != nil {
		t.Error(err)
	}
	claim = b.claim(t, alice, "k", two) // nothing is left of the first
	body := []byte(`{"data":{"uploadCloudcast":null}}` + "\x00\xff")
	if err := claim.Finish(t.Context(), Answer{200, body}); err != nil {
		t.Error(err)
	}
	for _, r := range []*replica{a, b} {
		if _, got, err := r.begin(t, alice, "k", two); err != nil || cmp.Diff(&Answer{200, body}, got) != "" {
			t.Errorf("the first answer again: %+v, %v", got, err)
		}
		if _, _, err := r.begin(t, alice, "k", one); !errors.Is(err, ErrOtherContent) {
			t.Errorf("another content, finished: %v", err)
		}
	}
	key := a.writes.keys.write(alice, "k")
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(key).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > answerLife || d < answerLife-time.Minute {
		t.Errorf("it is remembered for %v, %v", d, err)
	}

	// A replica that dies takes its claims with it after a while, and what it
	// says afterwards changes nothing.
	dead := a.claim(t, alice, "dead", one)
	key = a.writes.keys.write(alice, "dead")
	if err := raw.Do(t.Context(), raw.B().Pexpire().Key(key).Milliseconds(1).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	var again *Claim
	eventually(t, func() bool { again, _, _ = b.begin(t, alice, "dead", one); return again != nil })
	if err := dead.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := a.begin(t, alice, "dead", one); !errors.Is(err, ErrInFlight) {
		t.Errorf("a dead claim released a living one: %v", err)
	}
	if err := again.Finish(t.Context(), Answer{Status: 200}); err != nil {
		t.Error(err)
	}
	if err := dead.Finish(t.Context(), Answer{Status: 500}); err != nil {
		t.Error(err)
	}
	if _, got, _ := a.begin(t, alice, "dead", one); got == nil || got.Status != 200 {
		t.Errorf("a dead claim answers for a living one: %+v", got)
	}

	// A claim that expired while its write went on is made good by its end.
	late := a.claim(t, alice, "late", one)
	key = a.writes.keys.write(alice, "late")
	if err := raw.Do(t.Context(), raw.B().Del().Key(key).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := late.Finish(t.Context(), Answer{Status: 201}); err != nil {
		t.Error(err)
	}
	if _, got, _ := b.begin(t, alice, "late", one); got == nil || got.Status != 201 {
		t.Errorf("the end of a late write is lost: %+v", got)
	}
}

// Of many at once, on several replicas, exactly one does the write.
func TestWrites_race(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	replicas := []*replica{ready(t, s.URL()), ready(t, s.URL())}
	var wg sync.WaitGroup
	var claims atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			claim, answer, err := replicas[i%2].begin(t, alice, "k", one)
			switch {
			case claim != nil:
				claims.Add(1)
				_ = claim.Finish(t.Context(), Answer{Status: 200})
			case answer == nil && !errors.Is(err, ErrInFlight):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if claims.Load() != 1 {
		t.Errorf("%d did the write", claims.Load())
	}
}

// A write that ends while Redis is away is known to the others when it is back.
func TestWrites_endsWhileAway(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	a, b := ready(t, p.url()), ready(t, s.URL())
	finished, released := a.claim(t, alice, "finished", one), a.claim(t, alice, "released", one)
	p.deny.Store(true)
	p.cut()
	if err := finished.Finish(t.Context(), Answer{Status: 200}); !errors.Is(err, ErrAway) {
		t.Errorf("finished: %v", err)
	}
	if err := released.Release(t.Context()); !errors.Is(err, ErrAway) {
		t.Errorf("released: %v", err)
	}
	if _, _, err := a.begin(t, alice, "another", one); !errors.Is(err, ErrAway) {
		t.Errorf("begun: %v", err)
	}
	a.waitUp(t, false)
	p.deny.Store(false)
	eventually(t, func() bool {
		_, answer, _ := b.begin(t, alice, "finished", one)
		return answer != nil && answer.Status == 200
	})
	eventually(t, func() bool {
		claim, _, _ := b.begin(t, alice, "released", one)
		return claim != nil
	})
}

func TestProgress(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()), ready(t, s.URL())
	follow := b.Progress().Follow(t.Context(), alice, "u") // before it begins
	others := b.Progress().Follow(t.Context(), bob, "u")
	var want []Upload
	for sent := range int64(3) {
		u := Upload{Phase: 1, Sent: sent, Total: -1}
		a.Progress().Publish(alice, "u", u)
		if got := <-follow; got != u {
			t.Errorf("got %+v, want %+v", got, u)
		}
		want = append(want, u)
	}
	if len(want) != 3 {
		t.Fatal("nothing was published")
	}
	end := Upload{Phase: 3, Ended: true, Sent: 5, Total: 5}
	for sent := range int64(1000) {
		a.Progress().Publish(alice, "u", Upload{Phase: 2, Sent: sent, Total: 5})
	}
	a.Progress().Publish(alice, "u", end)
	var last Upload
	for last = range follow {
	}
	if last != end {
		t.Errorf("the last is %+v, want %+v", last, end)
	}
	for got := range b.Progress().Follow(t.Context(), alice, "u") { // after the end
		if got != end {
			t.Errorf("after the end: %+v", got)
		}
	}
	select {
	case u := <-others:
		t.Errorf("somebody else's upload of the same name is seen: %+v", u)
	default:
	}
}

// The end of an upload gets through even if Redis was away when it came.
func TestProgress_away(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	a, b := ready(t, p.url()), ready(t, s.URL())
	follow := b.Progress().Follow(t.Context(), alice, "u")
	a.Progress().Publish(alice, "u", Upload{Phase: 1, Total: -1})
	<-follow
	p.deny.Store(true)
	p.cut()
	for range failuresInARow {
		a.Cache().Get(t.Context(), fresh(t))
	}
	a.waitUp(t, false)
	a.Progress().Publish(alice, "u", Upload{Phase: 2, Total: -1})
	a.Progress().Publish(alice, "u", Upload{Phase: 3, Ended: true})
	p.deny.Store(false)
	last := Upload{}
	for last = range follow {
	}
	if !last.Ended {
		t.Errorf("the last is %+v", last)
	}
}

func TestProgress_followerLeaves(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	ctx, cancel := context.WithCancel(t.Context())
	follow := r.Progress().Follow(ctx, alice, "u")
	cancel()
	if _, ok := <-follow; ok {
		t.Error("an upload that never was is told of")
	}
}

func (r *replica) use(t *testing.T, nonce string, life time.Duration) bool {
	t.Helper()
	first, err := r.Nonces().Use(t.Context(), nonce, time.Now().Add(life))
	if err != nil {
		t.Error(err)
	}
	return first
}

func TestNonces(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()), ready(t, s.URL())
	if !a.use(t, "n", time.Minute) {
		t.Error("the first use is refused")
	}
	for _, r := range []*replica{a, b} {
		if r.use(t, "n", time.Minute) {
			t.Error("the second use is allowed")
		}
	}
	if !b.use(t, "m", 50*time.Millisecond) {
		t.Error("another one is refused")
	}
	raw := s.Client(t)
	eventually(t, func() bool {
		n, err := raw.Do(t.Context(), raw.B().Exists().Key(a.nonces.keys.nonce("m")).Build()).AsInt64()
		return err == nil && n == 0
	})
	if !a.use(t, "m", time.Minute) {
		t.Error("it is remembered for too long")
	}
	s.Kill()
	for i := range 5 {
		if n := fmt.Sprint("away ", i); !a.use(t, n, time.Minute) || a.use(t, n, time.Minute) {
			t.Error("without Redis, a process does not know its own nonces")
		}
	}
	if a.use(t, "n", time.Minute) {
		t.Error("without Redis, a process does not know what it has used before")
	}
}

func TestNonces_bounded(t *testing.T) {
	t.Parallel()
	r := open(t, "redis://127.0.0.1:1")
	for i := range maxNonces + 1000 {
		r.use(t, fmt.Sprint(i), time.Hour)
	}
	if len(r.nonces.used) > maxNonces || len(r.nonces.order) != len(r.nonces.used) {
		t.Errorf("%d nonces are remembered", len(r.nonces.used))
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	const query = "{ viewer { name } }"
	hash := hashOf(query)
	if _, ok := b.Queries().Get(t.Context(), hash); ok {
		t.Error("it is there before it was added")
	}
	a.Queries().Add(t.Context(), hash, query)
	a.Queries().Add(t.Context(), hashOf("x"), query)
	large := strings.Repeat("x", largestQuery+1)
	a.Queries().Add(t.Context(), hashOf(large), large)
	a.drain(t)
	eventually(t, func() bool { got, _ := b.Queries().Get(t.Context(), hash); return got == query })
	for name, hash := range map[string]string{"a wrong hash": hashOf("x"), "a large one": hashOf(large)} {
		if got, ok := b.Queries().Get(t.Context(), hash); ok {
			t.Errorf("%s: %.20s", name, got)
		}
	}
	if err := raw.Do(t.Context(), raw.B().Set().Key(a.queries.keys.query(hash)).Value("{ evil }").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, ok := b.Queries().Get(t.Context(), hash); return !ok })
}

// However much is made up, Redis gets a bounded share of it.
func TestQueries_bounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var q Queries
		added := func(seconds int) (bytes int) {
			for range seconds + 1 {
				for q.afford(1000, time.Now()) {
					bytes += 1000
				}
				time.Sleep(time.Second)
			}
			return bytes
		}
		if n := added(0); n > queryBurst || n < queryBurst-1000 {
			t.Errorf("%d bytes at once, want %d", n, queryBurst)
		}
		if n := added(100); n > 102*queryRate || n < 99*queryRate {
			t.Errorf("%d bytes in 100 s, want %d", n, 100*queryRate)
		}
		time.Sleep(time.Hour)
		if n := added(0); n > queryBurst || n < queryBurst-1000 {
			t.Errorf("%d bytes at once after an hour, want %d", n, queryBurst)
		}
	})
}

func TestOpen_configuration(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no URL":       {Secret: testSecret},
		"no secret":    {URL: "redis://localhost"},
		"short secret": {URL: "redis://localhost", Secret: []byte("short")},
		"bad URL":      {URL: "redis://me:hunter2@", Secret: testSecret},
	} {
		r, err := Open(o)
		if err == nil {
			r.Close(t.Context())
			t.Errorf("%s is accepted", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Replicas with another secret share nothing, and neither do other databases.
func TestOpen_otherSecret(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := ready(t, s.URL())
	b := ready(t, s.URL(), func(o *settings) { o.Secret = []byte("another secret of another server's replicas") })
	c := ready(t, redisurl.URL(string(s.URL())+"/1"))
	at := upstream.Address{ID: "x"}
	a.put(t, at, []byte("x"))
	for _, r := range []*replica{b, c} {
		if got := r.get(t, at); got != "miss" {
			t.Error(got)
		}
	}
}
