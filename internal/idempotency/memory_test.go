package idempotency

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestValidKey(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"a": true, "8e03978e-40d5-43dd-bc93-6894a57f9324": true, `"quoted"`: true, "with space": true, "ünï": true,
		strings.Repeat("x", 255): true,
		"":                       false, strings.Repeat("x", 256): false, "a\tb": false, "a\x00": false, "\x7f": false, "a\n": false,
	}
	for key, want := range tests {
		if ValidKey(key) != want {
			t.Errorf("ValidKey(%q) is %v", key, !want)
		}
	}
}

func TestFingerprintOf(t *testing.T) {
	t.Parallel()
	seen := map[Fingerprint]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "b", ""}} {
		f := FingerprintOf(parts...)
		if before, ok := seen[f]; ok {
			t.Errorf("%q has the fingerprint of %s", parts, before)
		}
		if f != FingerprintOf(parts...) {
			t.Errorf("%q has two fingerprints", parts)
		}
		seen[f] = fmt.Sprintf("%q", parts)
	}
}

func TestMemory(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m Memory
		name, one, two := Name{"who", "k"}, FingerprintOf("1"), FingerprintOf("2")
		claim := begin(t, &m, name, one)
		if _, _, err := m.Begin(t.Context(), name, one); !errors.Is(err, ErrInFlight) {
			t.Errorf("a second one under way: %v", err)
		}
		if _, _, err := m.Begin(t.Context(), name, two); !errors.Is(err, ErrOtherContent) {
			t.Errorf("another content, under way: %v", err)
		}
		_ = begin(t, &m, Name{"other", "k"}, two).Release(t.Context())

		_ = claim.Release(t.Context())
		claim = begin(t, &m, name, two) // nothing is left of the first
		_ = claim.Finish(t.Context(), Response{200, []byte("done")})
		time.Sleep(Life - time.Second)
		if _, a, err := m.Begin(t.Context(), name, two); err != nil || a == nil || a.Status != 200 || string(a.Body) != "done" {
			t.Errorf("the first answer again: %v, %v", a, err)
		}
		if _, _, err := m.Begin(t.Context(), name, one); !errors.Is(err, ErrOtherContent) {
			t.Errorf("another content, finished: %v", err)
		}
		time.Sleep(2 * time.Second)
		begin(t, &m, name, one)
		if m.bytes != 0 || m.finished.Len() != 0 {
			t.Errorf("%d bytes and %d writes are kept for nothing", m.bytes, m.finished.Len())
		}
	})
}

func TestMemory_bounds(t *testing.T) {
	t.Parallel()
	var m Memory
	running := begin(t, &m, Name{"", "running"}, Fingerprint{})
	body := make([]byte, 1<<20)
	for i := range 100 {
		_ = begin(t, &m, Name{"", fmt.Sprint(i)}, Fingerprint{}).Finish(t.Context(), Response{200, body})
	}
	if m.bytes > maxBytes || m.finished.Len() != maxBytes>>20 {
		t.Errorf("%d answers of %d bytes are kept", m.finished.Len(), m.bytes)
	}
	for i := range maxWrites + 100 {
		_ = begin(t, &m, Name{"small", fmt.Sprint(i)}, Fingerprint{}).Finish(t.Context(), Response{200, nil})
	}
	if m.finished.Len() > maxWrites || len(m.writes) > maxWrites+1 {
		t.Errorf("%d writes are kept", m.finished.Len())
	}
	if _, _, err := m.Begin(t.Context(), Name{"", "running"}, Fingerprint{}); !errors.Is(err, ErrInFlight) {
		t.Errorf("one under way was forgotten: %v", err)
	}
	_ = running.Finish(t.Context(), Response{200, make([]byte, maxAnswer+1)})
	if _, a, _ := m.Begin(t.Context(), Name{"", "running"}, Fingerprint{}); a == nil || a.Status != 409 || !strings.Contains(string(a.Body), "too large to store") {
		t.Errorf("an answer above the bound: %v", a)
	}
}

// Of many at once exactly one does the write.
func TestMemory_race(t *testing.T) {
	t.Parallel()
	var m Memory
	var wg sync.WaitGroup
	var mu sync.Mutex
	claims := 0
	for range 50 {
		wg.Go(func() {
			claim, answer, err := m.Begin(t.Context(), Name{"", "k"}, Fingerprint{})
			if claim != nil {
				mu.Lock()
				claims++
				mu.Unlock()
				_ = claim.Finish(t.Context(), Response{Status: 200})
			} else if answer == nil && !errors.Is(err, ErrInFlight) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if claims != 1 {
		t.Errorf("%d did the write", claims)
	}
}

func begin(t *testing.T, m *Memory, name Name, content Fingerprint) Claim {
	t.Helper()
	claim, answer, err := m.Begin(t.Context(), name, content)
	if claim == nil || answer != nil || err != nil {
		t.Fatalf("%v is not free: %v, %v", name, answer, err)
	}
	return claim
}

func TestSent(t *testing.T) {
	t.Parallel()
	Sent(t.Context()) // nobody watches
	ctx, sent := Watch(t.Context())
	if sent() {
		t.Error("sent before anything was")
	}
	if Sent(ctx); !sent() {
		t.Error("not told")
	}
}
