package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/redisurl"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud/emulator"
)

const sharedSecret = "the key of all replicas, 32 bytes"

// newReplica returns one of several servers that share an emulator and a Redis.
func newReplica(t *testing.T, at redisurl.URL, mixcloud *emulator.Emulator, tune ...func(*upstream.Options)) *testServer {
	t.Helper()
	return newTestServer(t, serverOptions{
		config:   config.Serve{RedisURL: at, SecretKey: sharedSecret, OperationBudget: 200},
		mixcloud: mixcloud.Transport(),
		tune:     tune,
	})
}

// waitForRedis waits until the server is connected to Redis, or, if up is false, until it has noticed that Redis is down.
func (s *testServer) waitForRedis(t *testing.T, up bool) {
	t.Helper()
	waitUntil(t, func() bool { return s.app.shared.Stats().Up == up })
}

// waitUntil waits until a condition holds that another process causes.
func waitUntil(t *testing.T, condition func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for !condition() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			t.Fatal("the condition is still false after 2 minutes")
		}
	}
}

const mixedQuery = `{
	user(username: "demo") {
		name biog followerCount
		cloudcasts(first: 5) { nodes { name description user { username city } } }
		favorites(first: 3) { nodes { name user { name } } }
	}
	popular(first: 4) { nodes { name playCount } }
	search(query: "jazz") { users(first: 2) { nodes { username } } }
	categories { name }
}`

// replicaQueries are queries of all kinds. For most of them a second replica needs more than objects by their keys.
var replicaQueries = map[string]string{
	"mixed":  mixedQuery,
	"viewer": `{ viewer { username biog listenLater(first: 2) { nodes { name } } following(first: 3) { nodes { username viewerIsFollowing } } } }`,
	"cursors": `{ user(username: "demo") {
		listens(first: 2, after: "@listens") { edges { cursor listenedAt node { key } } pageInfo { endCursor hasNextPage } }
		favorites(first: 2, after: "@favorites") { edges { cursor node { key } } pageInfo { endCursor hasNextPage } }
		followers(first: 150, offset: 0) { totalCount }
	} }`,
	"embeds": `{
		cloudcast(key: "/spartacus/party-time/") { embedHtml(width: "300", height: 150) embedJson(color: "ff8800") }
		oembed(url: "https://www.mixcloud.com/spartacus/party-time/") { title html image xml }
	}`,
	"not found": `{
		user(username: "no-such-user") { name }
		cloudcast(key: "/spartacus/not-there/") { name }
		resource(key: "/no-such-user/playlists/none/") { key }
		node(id: "VTovbm9ib2R5Lw") { id }
	}`,
	"lists and their fallbacks": `{
		tag(name: "jazz") { name latest(first: 2) { nodes { name } } popular(first: 2) { nodes { name } } }
		city(name: "london") { name hot(first: 2) { nodes { name } } }
		categories { name }
		category(slug: "techno") { cloudcasts(first: 1) { nodes { key } } }
		playlist(key: "/demo/playlists/favorites/") { name }
	}`,
}

// A second replica serves the data that the first one has fetched, without a call: anonymous data, and with the same token the data of
// a viewer.
func TestReplicas_ShareTheCache(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newEmulator(t)
	first := newReplica(t, redis.URL(), mixcloud)
	first.waitForRedis(t, true)
	first.execute(t, "demo-token", `{ viewer { username } }`, nil) // verifies the token: Redis caches responses for verified tokens only
	type operation struct{ name, token, query string }
	var all []operation
	for name, query := range replicaQueries {
		for _, token := range []string{"", "demo-token"} {
			for list := range strings.SplitSeq("listens favorites", " ") {
				query = strings.ReplaceAll(query, "@"+list, first.firstCursor(t, list))
			}
			all = append(all, operation{name, token, query})
		}
	}
	want := map[operation]response{}
	for _, op := range all {
		first.takeCalls()
		want[op] = first.execute(t, op.token, op.query, nil)
		if !strings.Contains(string(want[op].body), `"data":{`) {
			t.Fatalf("%s: response = %s, want data", op.name, want[op].body)
		}
		if calls := first.takeCalls(); len(calls) == 0 && op.token != "" && op.name != "embeds" {
			t.Fatalf("%s, token %q: the first replica made no calls, want some", op.name, op.token)
		}
	}
	// On a busy machine a command of Redis may time out and count as a miss. Then the test repeats the operation with a new replica.
	const attempts = 20
	for _, op := range all {
		for attempt := 1; ; attempt++ {
			second := newReplica(t, redis.URL(), mixcloud)
			second.waitForRedis(t, true)
			got := second.execute(t, op.token, op.query, nil)
			if string(got.body) != string(want[op].body) {
				t.Fatalf("%s, token %q: response of the second replica = %s, want %s", op.name, op.token, got.body, want[op].body)
			}
			calls := second.takeCalls()
			if len(calls) == 0 {
				break
			}
			if attempt == attempts {
				t.Fatalf("%s, token %q: calls of a second replica, want none:\n%s\n%+v", op.name, op.token, strings.Join(calls, "\n"), second.app.shared.Stats())
			}
		}
	}
	other := newReplica(t, redis.URL(), mixcloud)
	other.waitForRedis(t, true)
	other.execute(t, "spartacus-token", `{ user(username: "demo") { name } }`, nil)
	if calls := other.takeCalls(); len(calls) != 1 {
		t.Errorf("calls with another token = %q, want one", calls)
	}
}

// firstCursor returns the cursor of the first item of a list of the user demo.
func (s *testServer) firstCursor(t *testing.T, list string) string {
	t.Helper()
	var data struct {
		User map[string]struct{ PageInfo struct{ EndCursor string } }
	}
	errs := s.execute(t, "", `{ user(username: "demo") { `+list+`(first: 1) { pageInfo { endCursor } } } }`, nil).decode(t, &data)
	if cursor := data.User[list].PageInfo.EndCursor; cursor != "" {
		return cursor
	}
	t.Fatalf("%s has no cursor (errors %v)", list, errs)
	return ""
}

// tokenInLinks returns a transport whose responses contain the token in every link. It is not
// documented whether the real Mixcloud does this.
func tokenInLinks(mixcloud http.RoundTripper) roundTripFunc {
	link := regexp.MustCompile(`"https://mixcloud\.test/[^"]*`)
	return func(r *http.Request) (*http.Response, error) {
		token := r.URL.Query().Get("access_token")
		resp, err := mixcloud.RoundTrip(r)
		if err != nil || token == "" {
			return resp, err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		body = link.ReplaceAllFunc(body, func(at []byte) []byte {
			separator := "?"
			if bytes.ContainsRune(at, '?') {
				separator = "&"
			}
			return fmt.Appendf(nil, "%s%saccess_token=%s", at, separator, token)
		})
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return resp, nil
	}
}

// No token, search text, idempotency key or client mutation id is sent to Redis: in no key, no value, no message and no other command.
// The log contains no token.
func TestReplicas_NoSecretsInRedis(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newEmulator(t)
	s := newReplica(t, redis.URL(), mixcloud)
	s.recorder.next = tokenInLinks(s.recorder.next)
	s.waitForRedis(t, true)
	stop := redis.Monitor(t)
	const canary = "canary-9b1f"
	b := &loadClient{testServer: s}
	// Redis caches responses after the token is verified and until it writes. On a busy machine a command may time out, so the test
	// repeats requests until Redis has a list.
	s.execute(t, "demo-token", `{ viewer { username } }`, nil)
	requests := 0
	waitUntil(t, func() bool {
		requests++
		s.execute(t, "demo-token", fmt.Sprintf(`{ user(username: "demo") { followers(first: %d, offset: %d) { nodes { name } } } }`, requests%100+1, requests/100), nil)
		return strings.Contains(redis.Dump(t), `\"paging\"`)
	})
	for _, token := range []string{canary + "-token", "demo-token"} {
		s.execute(t, token, `{
			viewer { username raw(full: true) listenLater(first: 3) { nodes { name } } }
			user(username: "demo") { name raw(full: true) followers(first: 30) { nodes { name } } listens(first: 3) { nodes { name } } }
			search(query: "`+canary+`") { users(first: 1) { nodes { name } } }
		}`, nil)
		b.send(t, token, `mutation { followUser(input: {username: "demo", clientMutationId: "`+canary+`"}) { message } }`, nil, canary+"-key")
		s.execute(t, token, `{ user(username: "spartacus") { name cloudcasts(first: 3) { nodes { name description } } } }`, nil)
	}
	for where, text := range map[string]string{"commands": stop(), "keys and values": redis.Dump(t), "log": s.log.String()} {
		for _, secret := range []string{canary, "demo-token", sharedSecret} {
			if i := strings.Index(text, secret); i >= 0 && (where != "log" || secret == "demo-token") {
				t.Errorf("%s: the text contains the secret %s: …%s…", where, secret, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// A loadClient sends requests while Redis stops and restarts. Each request is different, so that no response comes from the cache in
// memory.
type loadClient struct {
	*testServer
	done       atomic.Int64
	unexpected sync.Map // the unexpected responses by request
}

// run sends requests until ctx ends: anonymous queries, queries of a viewer, and mutations that are sent twice.
func (b *loadClient) run(ctx context.Context, t *testing.T, name int) {
	t.Helper()
	for n := 0; ctx.Err() == nil; n++ {
		q := fmt.Sprintf("%d of client %d", n, name)
		token, key := []string{"", "demo-token"}[n%2], ""
		query := `query ($q: String!) { search(query: $q) { users(first: 2) { nodes { name } } } }`
		if n%8 == 7 {
			key, query = q, `mutation ($q: String) { followUser(input: {username: "spartacus", clientMutationId: $q}) { changed userErrors { code } } }`
		}
		resp := b.send(t, token, query, map[string]any{"q": q}, key)
		if errs := resp.decode(t, nil); resp.status != http.StatusOK || len(errs) > 0 || resp.header.Get("Retry-After") != "" {
			b.unexpected.Store(q, fmt.Sprintf("status %d, %v", resp.status, errs))
		}
		if key != "" {
			again := b.send(t, token, query, map[string]any{"q": q}, key)
			if again.header.Get("Idempotent-Replayed") != "true" || string(again.body) != string(resp.body) {
				b.unexpected.Store(q, fmt.Sprintf("second response: status %d, %s", again.status, again.body))
			}
		}
		b.done.Add(1)
	}
}

// send sends an operation, with an idempotency key if key is not "".
func (b *loadClient) send(t *testing.T, token, query string, variables map[string]any, key string) response {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	return b.do(r, token)
}

// waitForRequests waits until 40 more requests have been sent.
func (b *loadClient) waitForRequests(t *testing.T) {
	t.Helper()
	target := b.done.Load() + 40
	waitUntil(t, func() bool { return b.done.Load() > target })
}

// Redis can stop and restart at any time, also during commands, without an effect on clients.
func TestReplicas_RedisRestarts(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()))
	const clients = 4
	b := &loadClient{testServer: newReplica(t, redis.URL(), mixcloud)}
	b.waitForRedis(t, true)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for name := range clients {
		wg.Go(func() { b.run(ctx, t, name) })
	}
	for range 2 {
		b.waitForRequests(t)
		redis.Kill()
		b.waitForRedis(t, false)
		b.waitForRequests(t)
		if !redis.Restart(t) {
			t.Fatal("redis-server did not start")
		}
		b.waitForRedis(t, true)
	}
	b.waitForRequests(t)
	stop()
	wg.Wait()
	b.unexpected.Range(func(request, response any) bool {
		t.Errorf("request %v: got the response %v, want one as without the restart", request, response)
		return true
	})
	if st := b.app.shared.Stats(); st.Gets < 100 || st.Takes < 100 || st.Failed == 0 || st.Skipped == 0 {
		t.Errorf("stats = %+v, want at least 100 gets and 100 takes, and some failed and some skipped commands", st)
	}
	for _, line := range []string{"Redis unavailable", "connected to Redis"} {
		if !strings.Contains(b.log.String(), line) {
			t.Errorf("log does not contain %q", line)
		}
	}
}

// Without a reachable Redis the server works, and the log reports it.
func TestReplicas_RedisUnreachable(t *testing.T) {
	t.Parallel()
	s := newReplica(t, "redis://127.0.0.1:1", newEmulator(t))
	start := time.Now()
	if errs := s.execute(t, "demo-token", mixedQuery, nil).decode(t, nil); len(errs) > 0 {
		t.Errorf("errors = %v, want none", errs)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("operation took %v, want at most 5s", took)
	}
	waitUntil(t, func() bool { return strings.Contains(s.log.String(), "Redis unavailable") })
}
