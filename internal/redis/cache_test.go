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
	alice = strings.Repeat("a\xff", 16) // a principal is 32 bytes of anything
	bob   = strings.Repeat("b\x00", 16)
)

// put keeps a record as a store does: it asks, finds nothing, fetches, puts.
func (r *replica) put(t *testing.T, at upstream.Address, body []byte) {
	t.Helper()
	eventually(t, func() bool {
		r.Cache().Get(t.Context(), at)
		r.Cache().Put(t.Context(), at, upstream.Record{Body: body}, life)
		r.drain(t)
		return r.get(t, at) == string(body)
	})
}

// drain waits until all that was put is written.
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
		return "missing"
	}
	return string(record.Body)
}

func TestCache_sharedByReplicas(t *testing.T) {
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
				t.Errorf("%s is there before it was put: %s", name, got)
			}
			one.Cache().Put(t.Context(), at, want, life)
			one.drain(t)
			got, ok := two.Cache().Get(t.Context(), at)
			if late := got.Age - want.Age; late < -time.Second || late > time.Minute { // as near as the clocks are read
				t.Errorf("%s: the age is %v, want %v", name, got.Age, want.Age)
			}
			got.Age = want.Age
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%s on the other replica (-want +got):\n%s", name, diff)
			}
		}
	}
}

func TestCache_lifetime(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	for name, test := range map[string]struct {
		record   upstream.Record
		low, top time.Duration
	}{
		"kept as long as it may answer":   {upstream.Record{Body: []byte("x")}, 23 * time.Hour, 24 * time.Hour},
		"less what has passed":            {upstream.Record{Body: []byte("x"), Age: 20 * time.Hour}, 3 * time.Hour, 4 * time.Hour},
		"not found is believed for a bit": {upstream.Record{}, 50 * time.Second, time.Minute},
	} {
		at := upstream.Address{ID: name}
		r.Cache().Put(t.Context(), at, test.record, life)
		r.drain(t)
		left, err := raw.Do(t.Context(), raw.B().Pttl().Key(r.cache.keys.value("", name)).Build()).AsInt64()
		if d := time.Duration(left) * time.Millisecond; err != nil || d < test.low || d > test.top {
			t.Errorf("%s: Redis keeps it for %v, %v", name, d, err)
		}
	}
	past := upstream.Address{ID: "past"}
	r.Cache().Put(t.Context(), past, upstream.Record{Body: []byte("x"), Age: 25 * time.Hour}, life)
	r.drain(t)
	if got := r.get(t, past); got != "miss" {
		t.Errorf("what is too old is kept: %s", got)
	}
}

// Hot keys cost no round trip, and their new values are seen all the same.
func TestCache_noRoundTrip(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	for _, at := range []upstream.Address{{ID: "x"}, {Principal: alice, ID: "x"}} {
		one.put(t, at, []byte("first"))
		if got := two.get(t, at); got != "first" {
			t.Fatal(got)
		}
		before, local := s.Commands(t, raw), two.Stats().Local
		for range 1000 {
			if got := two.get(t, at); got != "first" {
				t.Fatal(got)
			}
		}
		commands := s.Commands(t, raw) - before - 1 // INFO is one
		if hits := two.Stats().Local - local; hits != 1000 || commands > 20 {
			t.Errorf("1000 reads of a hot key: %d without a round trip, %d commands (those of heartbeats are a few)", hits, commands)
		}
		one.put(t, at, []byte("second"))
		eventually(t, func() bool { return two.get(t, at) == "second" })
	}
}

// How often a request waits for Redis, at most.
func TestRoundTrips(t *testing.T) {
	t.Parallel()
	p := newProxy(t, redistest.Start(t).Addr())
	r := ready(t, p.url())
	eventually(t, func() bool { return r.Limiter().Take(t.Context(), limitOf("")) == 0 }) // the script is known
	r.Cache().Drop(t.Context(), bob)
	warm := upstream.Address{ID: "warm"}
	r.put(t, warm, []byte("x"))
	mine := func(id string) upstream.Address { return upstream.Address{Principal: alice, ID: id} }
	r.put(t, mine("warm"), []byte("x"))
	claim := r.claim(t, alice, "warm", one)
	if err := claim.finish(t.Context(), idempotency.Answer{}); err != nil {
		t.Fatal(err)
	}
	n := 0
	next := func() string { n++; return fmt.Sprint("cold ", n) }
	for name, test := range map[string]struct {
		want int64
		use  func()
	}{
		"what is known":            {0, func() { r.get(t, warm) }},
		"what is known, signed":    {0, func() { r.get(t, mine("warm")) }},
		"what is new":              {1, func() { r.get(t, upstream.Address{ID: next()}) }},
		"what is new, signed":      {1, func() { r.get(t, mine(next())) }},
		"a token's first":          {2, func() { r.get(t, upstream.Address{Principal: next(), ID: "x"}) }},
		"a token's write":          {1, func() { r.Cache().Drop(t.Context(), bob) }},
		"a call to Mixcloud":       {1, func() { r.Limiter().Take(t.Context(), limitOf("")) }},
		"publish a write":          {1, func() { r.RecentWrites().Publish(t.Context(), bob, upstream.SharedWrite{ID: next()}) }},
		"recent writes":            {0, func() { r.RecentWrites().Recent(t.Context(), alice) }},
		"a token's first writes":   {1, func() { r.RecentWrites().Recent(t.Context(), next()) }},
		"a refusal":                {1, func() { r.Limiter().Refused(t.Context(), limitOf(next()), 0, 1) }},
		"a write that was done":    {1, func() { _, _, _ = r.begin(t, alice, "warm", one) }},
		"the beginning of a write": {1, func() { r.claim(t, alice, next(), one) }},
		"the end of a sign-in":     {1, func() { r.use(t, next(), time.Minute) }},
	} {
		least := int64(1 << 30)
		for range 20 { // signs of life come in between
			before := p.sent.Load()
			test.use()
			least = min(least, p.sent.Load()-before)
		}
		if least != test.want {
			t.Errorf("%s takes %d round trips, want %d", name, least, test.want)
		}
	}
}

// What one token may see, no other sees, nor everybody.
func TestCache_partitions(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	principals := []string{"", alice, bob}
	for _, a := range principals {
		r.put(t, upstream.Address{Principal: a, ID: "/me/"}, []byte("for "+a))
	}
	for _, a := range principals {
		if got := r.get(t, upstream.Address{Principal: a, ID: "/me/"}); got != "for "+a {
			t.Errorf("%q sees %q", a, got)
		}
	}
	if r.get(t, upstream.Address{Principal: alice, ID: "other"}) != "miss" {
		t.Error("another resource is there")
	}
}

// A value that was copied under another's key, or altered, is a miss.
func TestCache_strangeValues(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	mine, yours := upstream.Address{Principal: alice, ID: "x"}, upstream.Address{Principal: bob, ID: "x"}
	r.put(t, mine, []byte("mine"))
	r.put(t, yours, []byte("yours"))
	text, err := raw.Do(t.Context(), raw.B().Get().Key(r.cache.keys.value(alice, "x")).Build()).ToString()
	if err != nil {
		t.Fatal(err)
	}
	for name, strange := range map[string]string{"copied": text, "cut": text[:len(text)-1], "nonsense": "{}", "long": text + " "} {
		if err := raw.Do(t.Context(), raw.B().Set().Key(r.cache.keys.value(bob, "x")).Value(strange).Build()).Error(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { return r.get(t, yours) == "miss" })
		_ = name
	}
	if err := raw.Do(t.Context(), raw.B().Lpush().Key(r.cache.keys.value("", "list")).Element("x").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if got := r.get(t, upstream.Address{ID: "list"}); got != "miss" {
		t.Errorf("a key of another type: %s", got)
	}
	if !r.Stats().Up {
		t.Error("a strange value counts as a Redis that is away")
	}
}

// A write drops the token's partition on every replica, and nobody else's.
func TestCache_dropOnAllReplicas(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two := ready(t, s.URL()), ready(t, s.URL())
	eventually(t, func() bool { return subscribers(t, s) == 2 })
	mine, yours, everybodys := upstream.Address{Principal: alice, ID: "x"}, upstream.Address{Principal: bob, ID: "x"}, upstream.Address{ID: "x"}
	for _, at := range []upstream.Address{mine, yours, everybodys} {
		one.put(t, at, []byte("before"))
		if got := two.get(t, at); got != "before" {
			t.Fatal(got)
		}
	}
	two.Cache().Get(t.Context(), mine) // it will be fetched while the write happens
	one.Cache().Drop(t.Context(), alice)
	if got := one.get(t, mine); got != "miss" {
		t.Errorf("the replica that wrote still sees %s", got)
	}
	eventually(t, func() bool {
		two.mu.Lock()
		defer two.mu.Unlock()
		return len(two.forgotten) == 1 && two.forgotten[0] == alice
	})
	two.Cache().Put(t.Context(), mine, upstream.Record{Body: []byte("fetched before the write")}, life)
	two.drain(t)
	for _, r := range []*replica{one, two} {
		if got := r.get(t, mine); got != "miss" {
			t.Errorf("after the write: %s", got)
		}
		for _, at := range []upstream.Address{yours, everybodys} {
			if got := r.get(t, at); got != "before" {
				t.Errorf("somebody else's is %s", got)
			}
		}
	}
	one.put(t, mine, []byte("after"))
	if got := two.get(t, mine); got != "after" {
		t.Errorf("what was fetched after the write is %s on the other replica", got)
	}
	if len(one.forgotten) != 0 {
		t.Error("a replica forgets for its own write a second time")
	}
}

func subscribers(t *testing.T, s *redistest.Server) int64 {
	t.Helper()
	raw := s.Client(t)
	counts, err := raw.Do(t.Context(), raw.B().PubsubNumsub().Channel(dropsChannel).Build()).AsIntMap()
	if err != nil {
		t.Fatal(err)
	}
	return counts[dropsChannel]
}

// A generation that Redis has thrown out takes everything with it that was
// kept under it.
func TestCache_generationLost(t *testing.T) {
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
			t.Fatalf("it is back: %s", got)
		}
	}
}

// Nothing that a token holder owns can be put without having been asked for.
func TestCache_putWithoutGet(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	at := upstream.Address{Principal: alice, ID: "x"}
	r.Cache().Put(t.Context(), at, upstream.Record{Body: []byte("x")}, life)
	r.drain(t)
	if got := r.get(t, at); got != "miss" {
		t.Error(got)
	}
}

func TestCache_tooLarge(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	at := upstream.Address{ID: "x"}
	r.Cache().Put(t.Context(), at, upstream.Record{Body: bytes.Repeat([]byte("x"), maxBody+1)}, life)
	r.drain(t)
	if got := r.get(t, at); got != "miss" {
		t.Error("what is too large is kept")
	}
	r.put(t, at, bytes.Repeat([]byte("x"), maxBody))
	if got := r.get(t, at); len(got) != maxBody {
		t.Error("what is just not too large is not kept")
	}
}

// News of a drop may come after what they tell was read, and in another order:
// the generation in force is not taken for the one that it replaced.
func TestGenerations_lateNews(t *testing.T) {
	t.Parallel()
	r := ready(t, redistest.Start(t).URL())
	at := upstream.Address{Principal: alice, ID: "page"}
	r.put(t, at, []byte("page"))
	for range 3 {
		r.Cache().epochs.changed(alice)
		eventually(t, func() bool { return r.get(t, at) == "page" })
	}
	if asked := r.Stats().Failed; asked > 0 {
		t.Errorf("%d commands failed", asked)
	}
}
