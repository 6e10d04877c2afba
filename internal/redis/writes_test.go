package redis

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redistest"
)

var one, two = idempotency.Fingerprint{1}, idempotency.Fingerprint{2}

func (r *replica) begin(t *testing.T, principal, key string, content idempotency.Fingerprint) (*sharedClaim, *idempotency.Answer, error) {
	t.Helper()
	return r.Writes().begin(t.Context(), idempotency.Name{Principal: principal, Key: key}, content)
}

func (r *replica) claim(t *testing.T, principal, key string, content idempotency.Fingerprint) *sharedClaim {
	t.Helper()
	claim, answer, err := r.begin(t, principal, key, content)
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
	if _, _, err := b.begin(t, alice, "k", one); !errors.Is(err, idempotency.ErrInFlight) {
		t.Errorf("a second one under way: %v", err)
	}
	if _, _, err := b.begin(t, alice, "k", two); !errors.Is(err, idempotency.ErrOtherContent) {
		t.Errorf("another content, under way: %v", err)
	}
	if err := b.claim(t, bob, "k", two).release(t.Context()); err != nil {
		t.Errorf("somebody else's key of the same name: %v", err)
	}
	if err := claim.release(t.Context()); err != nil {
		t.Error(err)
	}
	claim = b.claim(t, alice, "k", two) // nothing is left of the first
	body := []byte(`{"data":{"uploadCloudcast":null}}` + "\x00\xff")
	if err := claim.finish(t.Context(), idempotency.Answer{Status: 200, Body: body}); err != nil {
		t.Error(err)
	}
	for _, r := range []*replica{a, b} {
		if _, got, err := r.begin(t, alice, "k", two); err != nil || cmp.Diff(&idempotency.Answer{Status: 200, Body: body}, got) != "" {
			t.Errorf("the first answer again: %+v, %v", got, err)
		}
		if _, _, err := r.begin(t, alice, "k", one); !errors.Is(err, idempotency.ErrOtherContent) {
			t.Errorf("another content, finished: %v", err)
		}
	}
	key := a.writes.keys.write(idempotency.Name{Principal: alice, Key: "k"})
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(key).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > idempotency.Life || d < idempotency.Life-time.Minute {
		t.Errorf("it is remembered for %v, %v", d, err)
	}

	// A replica that dies takes its claims with it after a while, and what it
	// says afterwards changes nothing.
	dead := a.claim(t, alice, "dead", one)
	key = a.writes.keys.write(idempotency.Name{Principal: alice, Key: "dead"})
	if err := raw.Do(t.Context(), raw.B().Pexpire().Key(key).Milliseconds(1).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	var again *sharedClaim
	eventually(t, func() bool { again, _, _ = b.begin(t, alice, "dead", one); return again != nil })
	if err := dead.release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := a.begin(t, alice, "dead", one); !errors.Is(err, idempotency.ErrInFlight) {
		t.Errorf("a dead claim released a living one: %v", err)
	}
	if err := again.finish(t.Context(), idempotency.Answer{Status: 200}); err != nil {
		t.Error(err)
	}
	if err := dead.finish(t.Context(), idempotency.Answer{Status: 500}); err != nil {
		t.Error(err)
	}
	if _, got, _ := a.begin(t, alice, "dead", one); got == nil || got.Status != 200 {
		t.Errorf("a dead claim answers for a living one: %+v", got)
	}

	// A claim that expired while its write went on is made good by its end.
	late := a.claim(t, alice, "late", one)
	key = a.writes.keys.write(idempotency.Name{Principal: alice, Key: "late"})
	if err := raw.Do(t.Context(), raw.B().Del().Key(key).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := late.finish(t.Context(), idempotency.Answer{Status: 201}); err != nil {
		t.Error(err)
	}
	if _, got, _ := b.begin(t, alice, "late", one); got == nil || got.Status != 201 {
		t.Errorf("the end of a late write is lost: %+v", got)
	}
}

// Of parallel requests on two replicas, exactly one does the write.
func TestWrites_race(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	replicas := []*replica{ready(t, s.URL()), ready(t, s.URL())}
	var wg sync.WaitGroup
	var done atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			claim, answer, err := replicas[i%2].Writes().Begin(t.Context(), idempotency.Name{Principal: alice, Key: "k"}, one)
			switch {
			case claim != nil:
				done.Add(1)
				_ = claim.Finish(t.Context(), idempotency.Answer{Status: 200})
			case answer == nil && !errors.Is(err, idempotency.ErrInFlight):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 {
		t.Errorf("%d requests did the write", done.Load())
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
	if err := finished.finish(t.Context(), idempotency.Answer{Status: 200}); !errors.Is(err, errUnreachable) {
		t.Errorf("finished: %v", err)
	}
	if err := released.release(t.Context()); !errors.Is(err, errUnreachable) {
		t.Errorf("released: %v", err)
	}
	if _, _, err := a.begin(t, alice, "another", one); !errors.Is(err, errUnreachable) {
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

// A store is known to its own process while Redis is unreachable, and to all replicas otherwise.
func TestWrites_Begin(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()).Writes(), ready(t, s.URL()).Writes()
	name, done := idempotency.Name{Principal: alice, Key: "k"}, idempotency.Answer{Status: 200, Body: []byte("done")}
	refused := func(store *Writes, content idempotency.Fingerprint, want error) {
		t.Helper()
		if claim, answer, err := store.Begin(t.Context(), name, content); claim != nil || answer != nil || !errors.Is(err, want) {
			t.Errorf("got %v, %v, %v; want %v", claim, answer, err, want)
		}
	}
	begun := func(store *Writes) idempotency.Claim {
		t.Helper()
		claim, answer, err := store.Begin(t.Context(), name, one)
		if claim == nil || answer != nil || err != nil {
			t.Fatalf("not begun: %v, %v", answer, err)
		}
		return claim
	}
	answered := func(store *Writes) {
		t.Helper()
		if claim, answer, err := store.Begin(t.Context(), name, one); claim != nil || err != nil || answer == nil || !cmp.Equal(*answer, done) {
			t.Errorf("got %v, %v, %v; want %v", claim, answer, err, done)
		}
	}
	for _, end := range []func(idempotency.Claim) error{
		func(c idempotency.Claim) error { return c.Release(t.Context()) },
		func(c idempotency.Claim) error { return c.Finish(t.Context(), done) },
	} {
		claim := begun(b)
		for _, store := range []*Writes{a, b} {
			refused(store, one, idempotency.ErrInFlight)
			refused(store, two, idempotency.ErrOtherContent)
		}
		if err := end(claim); err != nil {
			t.Error(err)
		}
	}
	answered(a)
	answered(b)
	refused(a, two, idempotency.ErrOtherContent)

	raw := s.Client(t)
	if err := raw.Do(t.Context(), raw.B().Flushall().Build()).Error(); err != nil { // as an eviction does
		t.Fatal(err)
	}
	answered(b) // which did the write

	s.Kill()
	answered(b)
	name.Key = "while unreachable"
	claim := begun(a)
	refused(a, one, idempotency.ErrInFlight)
	if err := claim.Finish(t.Context(), done); err != nil {
		t.Error(err)
	}
	answered(a)
	begun(b) // it cannot know
}
