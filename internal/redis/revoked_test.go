package redis

import (
	"testing"
	"time"

	"mixcloud-graphql/internal/redistest"
)

// A session that one replica has ended is ended on all of them, until its cookie
// expires.
func TestRevocations(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two, raw := ready(t, s.URL()), ready(t, s.URL()), s.Client(t)
	if one.Revocations().Revoked(t.Context(), "a") || two.Revocations().Revoked(t.Context(), "a") {
		t.Error("a session is ended before it was")
	}
	one.Revocations().Revoke(t.Context(), "a", time.Now().Add(time.Hour))
	eventually(t, func() bool { return two.Revocations().Revoked(t.Context(), "a") })
	eventually(t, func() bool { return one.Revocations().Revoked(t.Context(), "a") })
	if two.Revocations().Revoked(t.Context(), "b") {
		t.Error("another session is ended too")
	}
	left, err := raw.Do(t.Context(), raw.B().Pttl().Key(one.revoked.keys.revoked("a")).Build()).AsInt64()
	if d := time.Duration(left) * time.Millisecond; err != nil || d > time.Hour || d < time.Hour-time.Minute {
		t.Errorf("it is kept for %v, %v", d, err)
	}
}

// What was ended while Redis was away is shared when it is back.
func TestRevocations_away(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	p := newProxy(t, s.Addr())
	one, two := ready(t, p.url()), ready(t, s.URL())
	p.deny.Store(true)
	p.cut()
	one.Revocations().Revoke(t.Context(), "a", time.Now().Add(time.Hour))
	if one.Revocations().Revoked(t.Context(), "a") {
		t.Error("Redis is away and knows the session")
	}
	p.deny.Store(false)
	eventually(t, func() bool { return two.Revocations().Revoked(t.Context(), "a") })
}
