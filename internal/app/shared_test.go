package app

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/mixcloud/emulator"
)

const sharedSecret = "the key of all replicas, 32 bytes"

// newReplica makes one of several servers over one Mixcloud and one Redis.
func newReplica(t *testing.T, at redisurl.URL, mixcloud *emulator.Emulator) *stage {
	t.Helper()
	return newStage(t, set{
		config:   config.Serve{RedisURL: at, SecretKey: sharedSecret, OperationBudget: 200},
		upstream: mixcloud.Transport(),
	})
}

func newMixcloud(t *testing.T) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(emulator.WithWorld(seeded()))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func (s *stage) shares(t *testing.T, up bool) {
	t.Helper()
	until(t, func() bool { return s.app.shared.Stats().Up == up })
}

// until waits for another process.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for !ok() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("does not happen")
		}
	}
}

const screen = `{
	user(username: "demo") {
		name biog followerCount
		cloudcasts(first: 5) { nodes { name description user { username city } } }
		favorites(first: 3) { nodes { name user { name } } }
	}
	popular(first: 4) { nodes { name playCount } }
	search(query: "jazz") { users(first: 2) { nodes { username } } }
	categories { name }
}`

// A second replica answers what the first one has seen, without asking
// Mixcloud: for everybody and, with the same token, for a viewer.
func TestReplicas_secondAsksNothing(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newMixcloud(t)
	first := newReplica(t, redis.URL(), mixcloud)
	first.shares(t, true)
	for _, token := range []string{"", "demo-token"} {
		want := first.ask(t, token, screen, nil)
		if errs := want.decode(t, nil); len(errs) > 0 {
			t.Fatal(errs)
		}
		if calls := first.upstream(); len(calls) < 5 {
			t.Fatalf("the first one asks only %q", calls)
		}
		// On a busy machine a read or a write of Redis may be too late, so that
		// it counts as a miss: then it is the turn of another one.
		const tries = 10
		for try := 1; ; try++ {
			second := newReplica(t, redis.URL(), mixcloud)
			second.shares(t, true)
			got := second.ask(t, token, screen, nil)
			if string(got.body) != string(want.body) {
				t.Fatalf("with token %q the second one answers\n%s\nwant\n%s", token, got.body, want.body)
			}
			calls := second.upstream()
			if len(calls) == 0 {
				break
			}
			if try == tries {
				t.Fatalf("with token %q, a replica with an empty cache asks Mixcloud for\n%s\n%+v", token, strings.Join(calls, "\n"), second.app.shared.Stats())
			}
		}
	}
	other := newReplica(t, redis.URL(), mixcloud)
	other.shares(t, true)
	other.ask(t, "spartacus-token", `{ user(username: "demo") { name } }`, nil)
	if calls := other.upstream(); len(calls) != 1 {
		t.Errorf("another token's answer is taken: %q", calls)
	}
}

// No token reaches Redis, nor anything that names what was asked for.
func TestReplicas_canary(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newMixcloud(t)
	s := newReplica(t, redis.URL(), mixcloud)
	s.shares(t, true)
	stop := redis.Monitor(t)
	const canary = "canary-9b1f"
	for _, token := range []string{canary + "-token", "demo-token"} {
		s.ask(t, token, `{ viewer { username } user(username: "demo") { name } search(query: "`+canary+`") { users(first: 1) { nodes { name } } } }`, nil)
	}
	until(t, func() bool { st := s.app.shared.Stats(); return st.Puts > 0 && st.Gets > 0 })
	seen := stop() + redis.Dump(t)
	if !strings.Contains(seen, "mixcloud-graphql:") {
		t.Fatal("nothing reached Redis")
	}
	for _, secret := range []string{canary, "demo-token", sharedSecret} {
		if strings.Contains(seen, secret) {
			t.Errorf("%s reached Redis:\n%s", secret, seen)
		}
	}
}

// Redis may go and come back at any time: no client notices.
func TestReplicas_redisDies(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newMixcloud(t)
	s := newReplica(t, redis.URL(), mixcloud)
	s.shares(t, true)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var asked atomic.Int64
	users := []string{"demo", "spartacus", "mixcloud"}
	for i := range 4 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				token := []string{"", "demo-token"}[n%2]
				a := s.ask(t, token, `query($u: String!) { user(username: $u) { name cloudcasts(first: 2) { nodes { name } } } }`, map[string]any{"u": users[(n+i)%3]})
				if errs := a.decode(t, nil); a.status != 200 || len(errs) > 0 {
					t.Errorf("status %d, %v", a.status, errs)
					return
				}
				asked.Add(1)
			}
		})
	}
	more := func() {
		reached := asked.Load() + 50
		until(t, func() bool { return asked.Load() > reached || t.Failed() })
	}
	more()
	redis.Kill()
	more()
	if !redis.Restart(t) {
		t.Fatal("redis-server does not start")
	}
	s.shares(t, true)
	more()
	stop()
	wg.Wait()
}

func TestReplicas_noRedis(t *testing.T) {
	t.Parallel()
	s := newReplica(t, "redis://127.0.0.1:1", newMixcloud(t))
	start := time.Now()
	if errs := s.ask(t, "demo-token", screen, nil).decode(t, nil); len(errs) > 0 {
		t.Error(errs)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("an operation takes %v", took)
	}
	until(t, func() bool { return strings.Contains(s.log.String(), "Redis does not answer") })
}
