package redis

import (
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/upload"
	"mixcloud-graphql/internal/upstream"
)

// Identifying names that a client sends never reach Redis, neither verbatim nor encoded.
func TestCanary(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	stop := s.Monitor(t)
	r := ready(t, s.URL())
	// The arguments of each command below contain the secret. The command must create a key, and
	// Redis must not contain the secret.
	const secret = "canary-7f3d9c"
	ctx := t.Context()
	at := upstream.Address{Principal: secret + "-principal", ID: "/search/?q=" + secret}
	r.put(t, at, []byte(strings.Repeat("a response ", 100)))
	r.put(t, upstream.Address{ID: "/" + secret + "/"}, []byte("a short response"))
	r.Limiter().Take(ctx, limitOf(at.Principal))
	r.Limiter().Refused(ctx, limitOf(at.Principal), 0, time.Second)
	r.VerifiedTokens().SetVerified(ctx, at.Principal, true)
	if claim, _, err := r.Writes().Begin(ctx, idempotency.Name{Principal: at.Principal, Key: secret + "-idempotency"}, one); err != nil {
		t.Error(err)
	} else if err := claim.Finish(ctx, idempotency.Response{Status: 200}); err != nil {
		t.Error(err)
	}
	r.RecentWrites().Publish(ctx, at.Principal, upstream.SharedWrite{ID: "w", Target: "/spartacus/"})
	r.Uploads().publish(upload.Name{Principal: at.Principal, ID: secret + "-upload"}, upload.Progress{})
	r.use(t, secret+"-nonce", time.Minute)
	r.Queries().Add(ctx, hashOf("{ viewer { name } }"), "{ viewer { name } }")
	r.drain(t)
	dump := s.Dump(t)
	commands := stop()
	for _, kind := range []string{"value:{", "value:", "epoch:{", "writes:{", "limit:read:", "verified:", "idempotency:{", "upload:{", "nonce:", "query:", "replicas"} {
		for name, text := range map[string]string{"database": dump, "commands": commands} {
			if !strings.Contains(text, prefix+kind) {
				t.Errorf("%s: no key with the prefix %s%s", name, prefix, kind)
			}
		}
	}
	for name, text := range map[string]string{"database": dump, "commands": commands, "log": r.log.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("%s contains the canary:\n%s", name, text)
		}
		if strings.Contains(text, string(testSecret)) {
			t.Errorf("%s contains the secret key", name)
		}
	}
	for line := range strings.Lines(dump) {
		if !strings.HasPrefix(line, prefix) {
			t.Errorf("key %s lacks the prefix %s", line, prefix)
		}
	}
	// The messages to other replicas contain the principal, which is a keyed hash made by the store.
	r.Cache().Drop(ctx, alice)
}

// Every key in Redis has a TTL.
func TestEverythingExpires(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	for i := range 3 {
		r.useAll(t, i)
	}
	r.drain(t)
	keys, err := raw.Do(t.Context(), raw.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || len(keys) < 8 {
		t.Fatalf("KEYS = %q (error %v), want at least 8", keys, err)
	}
	for _, key := range keys {
		if left, err := raw.Do(t.Context(), raw.B().Pttl().Key(key).Build()).AsInt64(); err != nil || left <= 0 {
			t.Errorf("PTTL of %s = %d (error %v), want a TTL", key, left, err)
		}
	}
}
