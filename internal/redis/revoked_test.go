package redis

import (
	"testing"
	"time"

	"mixcloud-graphql/internal/redistest"
)

// A session that was revoked on one replica is revoked on all of them, until its cookie expires.
func TestRevocations(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	if one.Revocations().Revoked(t.Context(), "a") || two.Revocations().Revoked(t.Context(), "a") {
		t.Error("a new session is revoked")
	}
	one.Revocations().Revoke(t.Context(), "a", time.Now().Add(time.Hour))
	eventually(t, func() bool { return two.Revocations().Revoked(t.Context(), "a") })
	eventually(t, func() bool { return one.Revocations().Revoked(t.Context(), "a") })
	if two.Revocations().Revoked(t.Context(), "b") {
		t.Error("another session is revoked")
	}
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(one.revoked.keys.revoked("a")).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > time.Hour || d < time.Hour-time.Minute {
		t.Errorf("TTL = %v (error %v), want about 1h", d, err)
	}
}

// A session that was revoked while Redis was unreachable is shared when it is reachable again.
func TestRevocations_WhileUnreachable(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, p.url()), ready(t, s.URL())
	p.refuse.Store(true)
	p.closeConnections()
	one.Revocations().Revoke(t.Context(), "a", time.Now().Add(time.Hour))
	if one.Revocations().Revoked(t.Context(), "a") {
		t.Error("Revoked without Redis = true, want false")
	}
	p.refuse.Store(false)
	eventually(t, func() bool { return two.Revocations().Revoked(t.Context(), "a") })
}
