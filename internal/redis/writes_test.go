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

func (r *replica) begin(t *testing.T, principal, key string, content idempotency.Fingerprint) (*sharedClaim, *idempotency.Response, error) {
	t.Helper()
	return r.Writes().begin(t.Context(), idempotency.Name{Principal: principal, Key: key}, content)
}

func (r *replica) claim(t *testing.T, principal, key string, content idempotency.Fingerprint) *sharedClaim {
	t.Helper()
	claim, response, err := r.begin(t, principal, key, content)
	if claim == nil || response != nil || err != nil {
		t.Fatalf("begin(%s) = %v, %v, want a claim", key, response, err)
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
		t.Errorf("begin in flight with the same content = %v, want ErrInFlight", err)
	}
	if _, _, err := b.begin(t, alice, "k", two); !errors.Is(err, idempotency.ErrOtherContent) {
		t.Errorf("begin in flight with other content = %v, want ErrOtherContent", err)
	}
	if err := b.claim(t, bob, "k", two).release(t.Context()); err != nil {
		t.Errorf("begin of another principal's key of the same name = %v, want no error", err)
	}
	if err := claim.release(t.Context()); err != nil {
		t.Error(err)
	}
	claim = b.claim(t, alice, "k", two) // the first claim was dropped
	body := []byte(`{"data":{"uploadCloudcast":null}}` + "\x00\xff")
	if err := claim.finish(t.Context(), idempotency.Response{Status: 200, Body: body}); err != nil {
		t.Error(err)
	}
	for _, r := range []*replica{a, b} {
		if _, got, err := r.begin(t, alice, "k", two); err != nil || cmp.Diff(&idempotency.Response{Status: 200, Body: body}, got) != "" {
			t.Errorf("begin of a finished write = %+v, %v, want its response", got, err)
		}
		if _, _, err := r.begin(t, alice, "k", one); !errors.Is(err, idempotency.ErrOtherContent) {
			t.Errorf("begin of a finished write with other content = %v, want ErrOtherContent", err)
		}
	}
	key := a.writes.keys.write(idempotency.Name{Principal: alice, Key: "k"})
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(key).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > idempotency.TTL || d < idempotency.TTL-time.Minute {
		t.Errorf("TTL = %v (error %v), want about %v", d, err, idempotency.TTL)
	}

	// The claims of a dead replica expire. If another replica has taken over a claim, the first
	// one cannot change it.
	expired := a.claim(t, alice, "expired", one)
	key = a.writes.keys.write(idempotency.Name{Principal: alice, Key: "expired"})
	if err := raw.Do(t.Context(), raw.B().Pexpire().Key(key).Milliseconds(1).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	var takenOver *sharedClaim
	eventually(t, func() bool { takenOver, _, _ = b.begin(t, alice, "expired", one); return takenOver != nil })
	if err := expired.release(t.Context()); err != nil {
		t.Error(err)
	}
	if _, _, err := a.begin(t, alice, "expired", one); !errors.Is(err, idempotency.ErrInFlight) {
		t.Errorf("begin = %v, want ErrInFlight: an expired claim released the current one", err)
	}
	if err := takenOver.finish(t.Context(), idempotency.Response{Status: 200}); err != nil {
		t.Error(err)
	}
	if err := expired.finish(t.Context(), idempotency.Response{Status: 500}); err != nil {
		t.Error(err)
	}
	if _, got, _ := a.begin(t, alice, "expired", one); got == nil || got.Status != 200 {
		t.Errorf("response = %+v, want status 200: an expired claim replaced it", got)
	}

	// If a claim has expired during its write and was not taken over, the response is stored.
	late := a.claim(t, alice, "late", one)
	key = a.writes.keys.write(idempotency.Name{Principal: alice, Key: "late"})
	if err := raw.Do(t.Context(), raw.B().Del().Key(key).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := late.finish(t.Context(), idempotency.Response{Status: 201}); err != nil {
		t.Error(err)
	}
	if _, got, _ := b.begin(t, alice, "late", one); got == nil || got.Status != 201 {
		t.Errorf("response of a late write = %+v, want status 201", got)
	}
}

// Of concurrent requests on two replicas, exactly one executes the write.
func TestWrites_Race(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	replicas := []*replica{ready(t, s.URL()), ready(t, s.URL())}
	var wg sync.WaitGroup
	var done atomic.Int64
	for i := range 40 {
		wg.Go(func() {
			claim, response, err := replicas[i%2].Writes().Begin(t.Context(), idempotency.Name{Principal: alice, Key: "k"}, one)
			switch {
			case claim != nil:
				done.Add(1)
				_ = claim.Finish(t.Context(), idempotency.Response{Status: 200})
			case response == nil && !errors.Is(err, idempotency.ErrInFlight):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if done.Load() != 1 {
		t.Errorf("%d requests executed the write, want 1", done.Load())
	}
}

// If a write ends while Redis is unreachable, the other replicas get the result when it is reachable
// again.
func TestWrites_EndWhileUnreachable(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	a, b := ready(t, p.url()), ready(t, s.URL())
	finished, released := a.claim(t, alice, "finished", one), a.claim(t, alice, "released", one)
	p.refuse.Store(true)
	p.closeConnections()
	if err := finished.finish(t.Context(), idempotency.Response{Status: 200}); !errors.Is(err, errUnreachable) {
		t.Errorf("finish without Redis = %v, want errUnreachable", err)
	}
	if err := released.release(t.Context()); !errors.Is(err, errUnreachable) {
		t.Errorf("release without Redis = %v, want errUnreachable", err)
	}
	if _, _, err := a.begin(t, alice, "another", one); !errors.Is(err, errUnreachable) {
		t.Errorf("begin without Redis = %v, want errUnreachable", err)
	}
	a.waitUp(t, false)
	p.refuse.Store(false)
	eventually(t, func() bool {
		_, response, _ := b.begin(t, alice, "finished", one)
		return response != nil && response.Status == 200
	})
	eventually(t, func() bool {
		claim, _, _ := b.begin(t, alice, "released", one)
		return claim != nil
	})
}

// All replicas share the writes. While Redis is unreachable, each process checks its own.
func TestWrites_Begin(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	a, b := ready(t, s.URL()).Writes(), ready(t, s.URL()).Writes()
	name, done := idempotency.Name{Principal: alice, Key: "k"}, idempotency.Response{Status: 200, Body: []byte("done")}
	refused := func(store *Writes, content idempotency.Fingerprint, want error) {
		t.Helper()
		if claim, response, err := store.Begin(t.Context(), name, content); claim != nil || response != nil || !errors.Is(err, want) {
			t.Errorf("Begin = %v, %v, %v, want the error %v", claim, response, err, want)
		}
	}
	claimed := func(store *Writes) idempotency.Claim {
		t.Helper()
		claim, response, err := store.Begin(t.Context(), name, one)
		if claim == nil || response != nil || err != nil {
			t.Fatalf("Begin = %v, %v, want a claim", response, err)
		}
		return claim
	}
	replayed := func(store *Writes) {
		t.Helper()
		if claim, response, err := store.Begin(t.Context(), name, one); claim != nil || err != nil || response == nil || !cmp.Equal(*response, done) {
			t.Errorf("Begin = %v, %v, %v, want the response %v", claim, response, err, done)
		}
	}
	for _, end := range []func(idempotency.Claim) error{
		func(c idempotency.Claim) error { return c.Release(t.Context()) },
		func(c idempotency.Claim) error { return c.Finish(t.Context(), done) },
	} {
		claim := claimed(b)
		for _, store := range []*Writes{a, b} {
			refused(store, one, idempotency.ErrInFlight)
			refused(store, two, idempotency.ErrOtherContent)
		}
		if err := end(claim); err != nil {
			t.Error(err)
		}
	}
	replayed(a)
	replayed(b)
	refused(a, two, idempotency.ErrOtherContent)

	raw := s.Client(t)
	if err := raw.Do(t.Context(), raw.B().Flushall().Build()).Error(); err != nil { // as an eviction does
		t.Fatal(err)
	}
	replayed(b) // which executed the write

	s.Kill()
	replayed(b)
	name.Key = "while unreachable"
	claim := claimed(a)
	refused(a, one, idempotency.ErrInFlight)
	if err := claim.Finish(t.Context(), done); err != nil {
		t.Error(err)
	}
	replayed(a)
	claimed(b) // it cannot read the claim of a
}
