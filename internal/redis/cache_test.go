package redis

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/upstream"
)

var (
	life  = upstream.Lifetime{Fresh: time.Minute, Revalidate: time.Hour, Retain: 24 * time.Hour, NegativeTTL: time.Minute}
	alice = strings.Repeat("a\xff", 16) // a principal is 32 arbitrary bytes
	bob   = strings.Repeat("b\x00", 16)
)

// put stores a record as upstream.Store does after a miss: Get, then Put.
func (r *replica) put(t *testing.T, at upstream.Address, body []byte) {
	t.Helper()
	eventually(t, func() bool {
		r.Cache().Get(t.Context(), at)
		r.Cache().Put(t.Context(), at, upstream.Record{Body: body}, life)
		r.drain(t)
		return r.get(t, at) == string(body)
	})
}

// drain waits until the writer has written all values.
func (r *replica) drain(t *testing.T) {
	t.Helper()
	eventually(t, func() bool { return r.writer.bytes.Load() == 0 })
}

func (r *replica) get(t *testing.T, at upstream.Address) string {
	t.Helper()
	record, ok := r.Cache().Get(t.Context(), at)
	switch {
	case !ok:
		return "miss"
	case record.Body == nil:
		return "not found"
	}
	return string(record.Body)
}

func TestCache_SharedByReplicas(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two := ready(t, s.URL()), ready(t, s.URL())
	page := strings.Repeat(`{"key":"/spartacus/party-time/"}`, 1000)
	for _, principal := range []string{"", alice} {
		for name, want := range map[string]upstream.Record{
			"small":     {Body: []byte(`{}`)},
			"empty":     {Body: []byte{}},
			"large":     {Body: []byte(page)},
			"not found": {},
			"old":       {Body: []byte("old"), Age: time.Hour},
		} {
			at := upstream.Address{Principal: principal, ID: name}
			if got := one.get(t, at); got != "miss" {
				t.Errorf("get(%s) before put = %s, want miss", name, got)
			}
			one.Cache().Put(t.Context(), at, want, life)
			one.drain(t)
			got, ok := two.Cache().Get(t.Context(), at)
			if late := got.Age - want.Age; late < -time.Second || late > time.Minute { // tolerance for clocks and slow machines
				t.Errorf("%s: the age is %v, want %v", name, got.Age, want.Age)
			}
			got.Age = want.Age
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%s on the other replica (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestCache_Lifetime(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	for name, test := range map[string]struct {
		record   upstream.Record
		low, top time.Duration
	}{
		"new response":   {upstream.Record{Body: []byte("x")}, 23 * time.Hour, 24 * time.Hour},
		"old response":   {upstream.Record{Body: []byte("x"), Age: 20 * time.Hour}, 3 * time.Hour, 4 * time.Hour},
		"negative entry": {upstream.Record{}, 50 * time.Second, time.Minute},
	} {
		at := upstream.Address{ID: name}
		r.Cache().Put(t.Context(), at, test.record, life)
		r.drain(t)
		left, err := raw.Do(t.Context(), raw.B().Pttl().Key(r.cache.keys.value("", name)).Build()).AsInt64()
		if d := time.Duration(left) * time.Millisecond; err != nil || d < test.low || d > test.top {
			t.Errorf("%s: TTL = %v, want %v to %v (error %v)", name, d, test.low, test.top, err)
		}
	}
	past := upstream.Address{ID: "past"}
	r.Cache().Put(t.Context(), past, upstream.Record{Body: []byte("x"), Age: 25 * time.Hour}, life)
	r.drain(t)
	if got := r.get(t, past); got != "miss" {
		t.Errorf("get of an expired record = %s, want miss", got)
	}
}

// Repeated reads of a value need no round trip, and a new value replaces the client's copy.
func TestCache_LocalHits(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	for _, at := range []upstream.Address{{ID: "x"}, {Principal: alice, ID: "x"}} {
		one.put(t, at, []byte("first"))
		if got := two.get(t, at); got != "first" {
			t.Fatalf("get = %s, want first", got)
		}
		before, local := s.Commands(t, raw), two.Stats().LocalHits
		for range 1000 {
			if got := two.get(t, at); got != "first" {
				t.Fatalf("get = %s, want first", got)
			}
		}
		commands := s.Commands(t, raw) - before - 1 // without INFO
		if hits := two.Stats().LocalHits - local; hits != 1000 || commands > 20 {
			t.Errorf("1000 reads of one value: %d local hits, want 1000; %d commands (heartbeats included), want at most 20", hits, commands)
		}
		one.put(t, at, []byte("second"))
		eventually(t, func() bool { return two.get(t, at) == "second" })
	}
}

// TestRoundTrips checks the number of round trips that each operation waits for.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	r := ready(t, p.url())
	eventually(t, func() bool { return r.Limiter().Take(t.Context(), limitOf("")) == 0 }) // loads the script
	r.Cache().Drop(t.Context(), bob)
	warm := upstream.Address{ID: "warm"}
	r.put(t, warm, []byte("x"))
	withToken := func(id string) upstream.Address { return upstream.Address{Principal: alice, ID: id} }
	r.put(t, withToken("warm"), []byte("x"))
	claim := r.claim(t, alice, "warm", one)
	if err := claim.finish(t.Context(), idempotency.Response{}); err != nil {
		t.Fatal(err)
	}
	n := 0
	next := func() string { n++; return fmt.Sprint("cold ", n) }
	for name, test := range map[string]struct {
		want int64
		use  func()
	}{
		"get again":                 {0, func() { r.get(t, warm) }},
		"get again, with token":     {0, func() { r.get(t, withToken("warm")) }},
		"get":                       {1, func() { r.get(t, upstream.Address{ID: next()}) }},
		"get with token":            {1, func() { r.get(t, withToken(next())) }},
		"first get of a token":      {2, func() { r.get(t, upstream.Address{Principal: next(), ID: "x"}) }},
		"drop":                      {1, func() { r.Cache().Drop(t.Context(), bob) }},
		"call to Mixcloud":          {1, func() { r.Limiter().Take(t.Context(), limitOf("")) }},
		"publish a write":           {1, func() { r.RecentWrites().Publish(t.Context(), bob, upstream.SharedWrite{ID: next()}) }},
		"recent writes again":       {0, func() { r.RecentWrites().Recent(t.Context(), alice) }},
		"recent writes of a token":  {1, func() { r.RecentWrites().Recent(t.Context(), next()) }},
		"refusal by Mixcloud":       {1, func() { r.Limiter().Refused(t.Context(), limitOf(next()), 0, 1) }},
		"begin of a finished write": {1, func() { _, _, _ = r.begin(t, alice, "warm", one) }},
		"begin of a write":          {1, func() { r.claim(t, alice, next(), one) }},
		"use of a nonce":            {1, func() { r.use(t, next(), time.Minute) }},
	} {
		least := int64(1 << 30)
		for range 20 { // keepalives add round trips, so the minimum is compared
			before := p.sent.Load()
			test.use()
			least = min(least, p.sent.Load()-before)
		}
		if least != test.want {
			t.Errorf("%s costs %d round trips, want %d", name, least, test.want)
		}
	}
}

// A principal cannot read responses of another one.
func TestCache_SeparatePrincipals(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	principals := []string{"", alice, bob}
	for _, a := range principals {
		r.put(t, upstream.Address{Principal: a, ID: "/me/"}, []byte("for "+a))
	}
	for _, a := range principals {
		if got := r.get(t, upstream.Address{Principal: a, ID: "/me/"}); got != "for "+a {
			t.Errorf("principal %q reads %q, want its own response", a, got)
		}
	}
	if r.get(t, upstream.Address{Principal: alice, ID: "other"}) != "miss" {
		t.Error("get of another resource found an entry, want miss")
	}
}

// A value that was copied from another principal's key, or altered, is a miss.
func TestCache_InvalidValues(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	ofAlice, ofBob := upstream.Address{Principal: alice, ID: "x"}, upstream.Address{Principal: bob, ID: "x"}
	r.put(t, ofAlice, []byte("of alice"))
	r.put(t, ofBob, []byte("of bob"))
	text, err := raw.Do(t.Context(), raw.B().Get().Key(r.cache.keys.value(alice, "x")).Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	for _, invalid := range []string{text /* copied */, text[:len(text)-1], "{}", text + " "} {
		if err := raw.Do(t.Context(), raw.B().Set().Key(r.cache.keys.value(bob, "x")).Value(invalid).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return r.get(t, ofBob) == "miss" })
	}
	if err := raw.Do(t.Context(), raw.B().Lpush().Key(r.cache.keys.value("", "list")).Element("x").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if got := r.get(t, upstream.Address{ID: "list"}); got != "miss" {
		t.Errorf("get of a key with another Redis type = %s, want miss", got)
	}
	if !r.Stats().Up {
		t.Error("an invalid value opened the breaker")
	}
}

// A write drops the cached responses of its principal on all replicas, and no others.
func TestCache_DropOnAllReplicas(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two := ready(t, s.URL()), ready(t, s.URL())
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	ofAlice, ofBob, anonymous := upstream.Address{Principal: alice, ID: "x"}, upstream.Address{Principal: bob, ID: "x"}, upstream.Address{ID: "x"}
	for _, at := range []upstream.Address{ofAlice, ofBob, anonymous} {
		one.put(t, at, []byte("before"))
		if got := two.get(t, at); got != "before" {
			t.Fatalf("get before the write = %s, want before", got)
		}
	}
	two.Cache().Get(t.Context(), ofAlice) // before a call that is in flight during the write
	one.Cache().Drop(t.Context(), alice)
	if got := one.get(t, ofAlice); got != "miss" {
		t.Errorf("get on the replica that wrote = %s, want miss", got)
	}
	eventually(t, func() bool {
		two.mu.Lock()
		defer two.mu.Unlock()
		return len(two.invalidated) == 1 && two.invalidated[0] == alice
	})
	two.Cache().Put(t.Context(), ofAlice, upstream.Record{Body: []byte("fetched before the write")}, life)
	two.drain(t)
	for _, r := range []*replica{one, two} {
		if got := r.get(t, ofAlice); got != "miss" {
			t.Errorf("get after the write = %s, want miss", got)
		}
		for _, at := range []upstream.Address{ofBob, anonymous} {
			if got := r.get(t, at); got != "before" {
				t.Errorf("get for another principal = %s, want before", got)
			}
		}
	}
	one.put(t, ofAlice, []byte("after"))
	if got := two.get(t, ofAlice); got != "after" {
		t.Errorf("get on the other replica = %s, want after", got)
	}
	if len(one.invalidated) != 0 {
		t.Errorf("the replica received %d messages about its own write, want 0", len(one.invalidated))
	}
}

func subscribers(t *testing.T, s *redistest.Server) int64 {
	t.Helper()
	raw := s.Client(t)
	counts, err := raw.Do(t.Context(), raw.B().PubsubNumsub().Channel(invalidationsChannel).Build()).AsIntMap()
	if err != nil {
		t.Fatal(err)
	}
	return counts[invalidationsChannel]
}

// If Redis has evicted an epoch, all values with it are misses.
func TestCache_EpochEvicted(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	at := upstream.Address{Principal: alice, ID: "x"}
	r.put(t, at, []byte("x"))
	if err := raw.Do(t.Context(), raw.B().Del().Key(r.cache.keys.epoch(alice)).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return r.get(t, at) == "miss" })
	for range 10 {
		if got := r.get(t, at); got != "miss" {
			t.Fatalf("get after the epoch was evicted = %s, want miss", got)
		}
	}
}

// The response for a token is stored only if the same process has read its key before, so that
// the epoch is known.
func TestCache_PutWithoutGet(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	at := upstream.Address{Principal: alice, ID: "x"}
	r.Cache().Put(t.Context(), at, upstream.Record{Body: []byte("x")}, life)
	r.drain(t)
	if got := r.get(t, at); got != "miss" {
		t.Errorf("get = %s, want miss", got)
	}
}

func TestCache_TooLarge(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	at := upstream.Address{ID: "x"}
	r.Cache().Put(t.Context(), at, upstream.Record{Body: bytes.Repeat([]byte("x"), maxBody+1)}, life)
	r.drain(t)
	if got := r.get(t, at); got != "miss" {
		t.Errorf("get of a body above the maximum size = %d bytes, want miss", len(got))
	}
	r.put(t, at, bytes.Repeat([]byte("x"), maxBody))
	if got := r.get(t, at); len(got) != maxBody {
		t.Errorf("get of a body of the maximum size = %d bytes, want %d", len(got), maxBody)
	}
}

// The message of an invalidation may arrive after the new epoch was read. Then the new epoch is not
// mistaken for the old one.
func TestEpochs_LateMessage(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	at := upstream.Address{Principal: alice, ID: "page"}
	r.put(t, at, []byte("page"))
	for range 3 {
		r.Cache().epochs.changed(alice)
		eventually(t, func() bool { return r.get(t, at) == "page" })
	}
	if n := r.Stats().Failed; n > 0 {
		t.Errorf("%d commands failed, want 0", n)
	}
}
