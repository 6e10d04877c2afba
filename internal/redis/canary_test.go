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

// Whatever a client gives that could name it does not reach Redis: neither as
// it is nor in an encoding.
func TestCanary(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	stop := s.Monitor(t)
	r := ready(t, s.URL())
	// What each of these is made of must not be seen, and must leave a trace.
	const secret = "canary-7f3d9c"
	ctx := t.Context()
	at := upstream.Address{Principal: secret + "-principal", ID: "/search/?q=" + secret}
	r.put(t, at, []byte(strings.Repeat("an answer ", 100)))
	r.put(t, upstream.Address{ID: "/" + secret + "/"}, []byte("a short answer"))
	r.Limiter().Take(ctx, limitOf(at.Principal))
	r.Limiter().Refused(ctx, limitOf(at.Principal), 0, time.Second)
	r.VerifiedTokens().SetVerified(ctx, at.Principal, true)
	if claim, _, err := r.Writes().Begin(ctx, idempotency.Name{Principal: at.Principal, Key: secret + "-idempotency"}, one); err != nil {
		t.Error(err)
	} else if err := claim.Finish(ctx, idempotency.Answer{Status: 200}); err != nil {
		t.Error(err)
	}
	r.RecentWrites().Publish(ctx, at.Principal, upstream.SharedWrite{ID: "w", Target: "/spartacus/"})
	r.Uploads().publish(upload.Name{Principal: at.Principal, ID: secret + "-upload"}, upload.Progress{})
	r.use(t, secret+"-nonce", time.Minute)
	r.Queries().Add(ctx, hashOf("{ viewer { name } }"), "{ viewer { name } }")
	r.drain(t)
	kept := s.Dump(t)
	seen := stop()
	for _, kind := range []string{"value:{", "value:", "generation:{", "marks:{", "limit:read:", "proven:", "write:{", "upload:{", "nonce:", "query:", "replicas"} {
		for name, text := range map[string]string{"the keys": kept, "the commands": seen} {
			if !strings.Contains(text, prefix+kind) {
				t.Errorf("%s have no %s", name, kind)
			}
		}
	}
	for name, text := range map[string]string{"the keys and values": kept, "the commands": seen, "the log": r.log.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("%s hold the canary:\n%s", name, text)
		}
		if strings.Contains(text, string(testSecret)) {
			t.Errorf("%s hold the secret key", name)
		}
	}
	for line := range strings.Lines(kept) {
		if !strings.HasPrefix(line, prefix) {
			t.Errorf("a key without the version: %s", line)
		}
	}
	// The only name that is passed on is a principal's, to the other replicas:
	// a keyed hash, made by the store.
	r.Cache().Drop(ctx, alice)
}

// Everything in Redis ends by itself.
func TestEverythingExpires(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	r, raw := ready(t, s.URL()), s.Client(t)
	for i := range 3 {
		r.everything(t, i)
	}
	r.drain(t)
	keys, err := raw.Do(t.Context(), raw.B().Keys().Pattern("*").Build()).AsStrSlice()
	if err != nil || len(keys) < 8 {
		t.Fatalf("%q, %v", keys, err)
	}
	for _, key := range keys {
		if left, err := raw.Do(t.Context(), raw.B().Pttl().Key(key).Build()).AsInt64(); err != nil || left <= 0 {
			t.Errorf("%s does not expire: %d, %v", key, left, err)
		}
	}
}
