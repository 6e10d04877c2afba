package redis

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upstream"
)

var number atomic.Int64

// fresh returns an address that no test has read.
func fresh(t *testing.T) upstream.Address {
	t.Helper()
	return upstream.Address{ID: fmt.Sprint("fresh ", number.Add(1))}
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
		t.Error("first use of a nonce was refused")
	}
	for _, r := range []*replica{a, b} {
		if r.use(t, "n", time.Minute) {
			t.Error("second use of a nonce was accepted")
		}
	}
	if !b.use(t, "m", 50*time.Millisecond) {
		t.Error("first use of another nonce was refused")
	}
	raw := s.Client(t)
	eventually(t, func() bool {
		n, err := raw.Do(t.Context(), raw.B().Exists().Key(a.nonces.keys.nonce("m")).Build()).AsInt64()
		return err == nil && n == 0
	})
	if !a.use(t, "m", time.Minute) {
		t.Error("use of an expired nonce was refused")
	}
	s.Kill()
	for i := range 5 {
		if n := fmt.Sprint("unreachable ", i); !a.use(t, n, time.Minute) || a.use(t, n, time.Minute) {
			t.Errorf("without Redis: nonce %s was refused, or accepted twice, want it accepted once", n)
		}
	}
	if a.use(t, "n", time.Minute) {
		t.Error("without Redis: a nonce used before was accepted again")
	}
}

func TestNonces_Bounded(t *testing.T) {
	t.Parallel()
	r := open(t, "redis://127.0.0.1:1")
	for i := range maxNonces + 1000 {
		r.use(t, fmt.Sprint(i), time.Hour)
	}
	if len(r.nonces.used) > maxNonces || len(r.nonces.order) != len(r.nonces.used) {
		t.Errorf("%d nonces in the map, %d in order, want equal and at most %d", len(r.nonces.used), len(r.nonces.order), maxNonces)
	}
}

func TestQueries(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	const query = "{ viewer { name } }"
	hash := hashOf(query)
	if _, ok := b.Queries().Get(t.Context(), hash); ok {
		t.Error("Get before Add found the query")
	}
	a.Queries().Add(t.Context(), hash, query)
	a.Queries().Add(t.Context(), hashOf("x"), query)
	large := strings.Repeat("x", maxQuery+1)
	a.Queries().Add(t.Context(), hashOf(large), large)
	a.drain(t)
	eventually(t, func() bool { got, _ := b.Queries().Get(t.Context(), hash); return got == query })
	for name, hash := range map[string]string{"with a wrong hash": hashOf("x"), "above the maximum size": hashOf(large)} {
		if got, ok := b.Queries().Get(t.Context(), hash); ok {
			t.Errorf("Get of a query %s = %.20s, want nothing", name, got)
		}
	}
	if err := raw.Do(t.Context(), raw.B().Set().Key(a.queries.keys.query(hash)).Value("{ evil }").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, ok := b.Queries().Get(t.Context(), hash); return !ok })
}

// The size of the queries that a replica adds is bounded, because clients can invent queries.
func TestQueries_Bounded(t *testing.T) {
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

func TestOpen_InvalidOptions(t *testing.T) {
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
			t.Errorf("%s: Open returned no error", name)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error contains the password: %v", name, err)
		}
	}
}

// Replicas with different secrets or databases share nothing.
func TestOpen_DifferentSecret(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a := ready(t, s.URL())
	b := ready(t, s.URL(), func(o *settings) { o.Secret = []byte("another secret of another server's replicas") })
	c := ready(t, redisurl.URL(string(s.URL())+"/1"))
	at := upstream.Address{ID: "x"}
	a.put(t, at, []byte("x"))
	for _, r := range []*replica{b, c} {
		if got := r.get(t, at); got != "miss" {
			t.Errorf("get with another secret = %s, want miss", got)
		}
	}
}
