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
			t.Errorf("ValidKey(%q) = %v, want %v", key, !want, want)
		}
	}
}

func TestFingerprintOf(t *testing.T) {
	t.Parallel()
	seen := map[Fingerprint]string{}
	for _, parts := range [][]string{{}, {""}, {"", ""}, {"ab"}, {"a", "b"}, {"ab", ""}, {"", "ab"}, {"a", "b", ""}} {
		f := FingerprintOf(parts...)
		if before, ok := seen[f]; ok {
			t.Errorf("%q and %s have the same fingerprint", parts, before)
		}
		if f != FingerprintOf(parts...) {
			t.Errorf("two fingerprints of %q differ", parts)
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
			t.Errorf("Begin of a write in progress = %v, want ErrInFlight", err)
		}
		if _, _, err := m.Begin(t.Context(), name, two); !errors.Is(err, ErrOtherContent) {
			t.Errorf("Begin with different content during the write = %v, want ErrOtherContent", err)
		}
		_ = begin(t, &m, Name{"other", "k"}, two).Release(t.Context())

		_ = claim.Release(t.Context())
		claim = begin(t, &m, name, two) // the claim of the first content was removed
		_ = claim.Finish(t.Context(), Response{200, []byte("done")})
		time.Sleep(TTL - time.Second)
		if _, a, err := m.Begin(t.Context(), name, two); err != nil || a == nil || a.Status != 200 || string(a.Body) != "done" {
			t.Errorf("Begin of a finished write = %v, %v, want the response 200 done", a, err)
		}
		if _, _, err := m.Begin(t.Context(), name, one); !errors.Is(err, ErrOtherContent) {
			t.Errorf("Begin with different content after the write = %v, want ErrOtherContent", err)
		}
		time.Sleep(2 * time.Second)
		begin(t, &m, name, one)
		if m.bytes != 0 || m.finished.Len() != 0 {
			t.Errorf("%d bytes and %d writes are stored, want none", m.bytes, m.finished.Len())
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
		t.Errorf("%d responses of %d bytes are stored, want %d of at most %d", m.finished.Len(), m.bytes, maxBytes>>20, maxBytes)
	}
	for i := range maxWrites + 100 {
		_ = begin(t, &m, Name{"small", fmt.Sprint(i)}, Fingerprint{}).Finish(t.Context(), Response{200, nil})
	}
	if m.finished.Len() > maxWrites || len(m.writes) > maxWrites+1 {
		t.Errorf("%d writes are stored, want at most %d", m.finished.Len(), maxWrites)
	}
	if _, _, err := m.Begin(t.Context(), Name{"", "running"}, Fingerprint{}); !errors.Is(err, ErrInFlight) {
		t.Errorf("Begin of a write in flight = %v, want ErrInFlight", err)
	}
	_ = running.Finish(t.Context(), Response{200, make([]byte, maxResponse+1)})
	if _, a, _ := m.Begin(t.Context(), Name{"", "running"}, Fingerprint{}); a == nil || a.Status != 409 || !strings.Contains(string(a.Body), "too large to store") {
		t.Errorf("response above the maximum size = %v, want status 409", a)
	}
}

// Of many concurrent requests with the same key, exactly one gets the claim.
func TestMemory_race(t *testing.T) {
	t.Parallel()
	var m Memory
	var wg sync.WaitGroup
	var mu sync.Mutex
	claims := 0
	for range 50 {
		wg.Go(func() {
			claim, response, err := m.Begin(t.Context(), Name{"", "k"}, Fingerprint{})
			if claim != nil {
				mu.Lock()
				claims++
				mu.Unlock()
				_ = claim.Finish(t.Context(), Response{Status: 200})
			} else if response == nil && !errors.Is(err, ErrInFlight) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if claims != 1 {
		t.Errorf("%d requests got the claim, want 1", claims)
	}
}

func begin(t *testing.T, m *Memory, name Name, content Fingerprint) Claim {
	t.Helper()
	claim, response, err := m.Begin(t.Context(), name, content)
	if claim == nil || response != nil || err != nil {
		t.Fatalf("Begin(%v): %v, %v, want a claim", name, response, err)
	}
	return claim
}

func TestMarkSent(t *testing.T) {
	t.Parallel()
	MarkSent(t.Context()) // without TrackSent it has no effect
	ctx, sent := TrackSent(t.Context())
	if sent() {
		t.Error("sent() = true before MarkSent")
	}
	if MarkSent(ctx); !sent() {
		t.Error("sent() = false after MarkSent")
	}
}
