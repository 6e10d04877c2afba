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

// newReplica makes one of several servers over one Mixcloud and one Redis.
func newReplica(t *testing.T, at redisurl.URL, mixcloud *emulator.Emulator, tune ...func(*upstream.Options)) *testServer {
	t.Helper()
	return newTestServer(t, serverOptions{
		config:   config.Serve{RedisURL: at, SecretKey: sharedSecret, OperationBudget: 200},
		mixcloud: mixcloud.Transport(),
		tune:     tune,
	})
}

func (s *testServer) shares(t *testing.T, up bool) {
	t.Helper()
	until(t, func() bool { return s.app.shared.Stats().Up == up })
}

// until waits for another process.
func until(t *testing.T, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
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

// screens are questions of all kinds: what a second replica must know of each is
// more than an object by its key.
var screens = map[string]string{
	"a screen":         screen,
	"the viewer's own": `{ viewer { username biog listenLater(first: 2) { nodes { name } } following(first: 3) { nodes { username viewerIsFollowing } } } }`,
	"cursors": `{ user(username: "demo") {
		listens(first: 2, after: "@listens") { edges { cursor listenedAt node { key } } pageInfo { endCursor hasNextPage } }
		favorites(first: 2, after: "@favorites") { edges { cursor node { key } } pageInfo { endCursor hasNextPage } }
		followers(first: 150, offset: 0) { totalCount }
	} }`,
	"embeds": `{
		cloudcast(key: "/spartacus/party-time/") { embedHtml(width: "300", height: 150) embedJson(color: "ff8800") }
		oembed(url: "https://www.mixcloud.com/spartacus/party-time/") { title html image xml }
	}`,
	"what is not found": `{
		user(username: "no-such-user") { name }
		cloudcast(key: "/spartacus/not-there/") { name }
		resource(key: "/no-such-user/playlists/none/") { key }
		node(id: "VTovbm9ib2R5Lw") { id }
	}`,
	"charts and their fallbacks": `{
		tag(name: "jazz") { name latest(first: 2) { nodes { name } } popular(first: 2) { nodes { name } } }
		city(name: "london") { name hot(first: 2) { nodes { name } } }
		categories { name }
		category(slug: "techno") { cloudcasts(first: 1) { nodes { key } } }
		playlist(key: "/demo/playlists/favorites/") { name }
	}`,
}

// A second replica serves what the first one has fetched, without calling
// Mixcloud: for anonymous requests and, with the same token, for a viewer.
func TestReplicas_secondAsksNothing(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newEmulator(t)
	first := newReplica(t, redis.URL(), mixcloud)
	first.shares(t, true)
	first.execute(t, "demo-token", `{ viewer { username } }`, nil) // until then it is not verified, and its responses are not shared
	type question struct{ name, token, query string }
	var all []question
	for name, query := range screens {
		for _, token := range []string{"", "demo-token"} {
			for list := range strings.SplitSeq("listens favorites", " ") {
				query = strings.ReplaceAll(query, "@"+list, first.cursor(t, list))
			}
			all = append(all, question{name, token, query})
		}
	}
	wanted := map[question]response{}
	for _, q := range all {
		first.takeCalls()
		wanted[q] = first.execute(t, q.token, q.query, nil)
		if !strings.Contains(string(wanted[q].body), `"data":{`) {
			t.Fatalf("%s: %s", q.name, wanted[q].body)
		}
		if calls := first.takeCalls(); len(calls) == 0 && q.token != "" && q.name != "embeds" {
			t.Fatalf("%s, token %q: the first one asks nothing", q.name, q.token)
		}
	}
	// On a busy machine a read or a write of Redis may be too late, so that it
	// counts as a miss: then it is the turn of another one.
	const tries = 20
	for _, q := range all {
		for try := 1; ; try++ {
			second := newReplica(t, redis.URL(), mixcloud)
			second.shares(t, true)
			got := second.execute(t, q.token, q.query, nil)
			if string(got.body) != string(wanted[q].body) {
				t.Fatalf("%s, token %q: the second one returns\n%s\nwant\n%s", q.name, q.token, got.body, wanted[q].body)
			}
			calls := second.takeCalls()
			if len(calls) == 0 {
				break
			}
			if try == tries {
				t.Fatalf("%s, token %q: a replica with an empty cache asks Mixcloud for\n%s\n%+v", q.name, q.token, strings.Join(calls, "\n"), second.app.shared.Stats())
			}
		}
	}
	other := newReplica(t, redis.URL(), mixcloud)
	other.shares(t, true)
	other.execute(t, "spartacus-token", `{ user(username: "demo") { name } }`, nil)
	if calls := other.takeCalls(); len(calls) != 1 {
		t.Errorf("the response of another token is used: %q", calls)
	}
}

// cursor is that of the first item of one of demo's lists.
func (s *testServer) cursor(t *testing.T, list string) string {
	t.Helper()
	var data struct {
		User map[string]struct{ PageInfo struct{ EndCursor string } }
	}
	errs := s.execute(t, "", `{ user(username: "demo") { `+list+`(first: 1) { pageInfo { endCursor } } } }`, nil).decode(t, &data)
	if cursor := data.User[list].PageInfo.EndCursor; cursor != "" {
		return cursor
	}
	t.Fatalf("no cursor of %s: %v", list, errs)
	return ""
}

// repeating is a Mixcloud whose responses have the token in every link, which the real one
// may do (not documented).
func repeating(mixcloud http.RoundTripper) roundTripFunc {
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
			with := "?"
			if bytes.ContainsRune(at, '?') {
				with = "&"
			}
			return fmt.Appendf(nil, "%s%saccess_token=%s", at, with, token)
		})
		resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return resp, nil
	}
}

// No token reaches Redis, nor anything that names what was asked for: not in a
// key, a value, a message or any other command, and neither does one in the log.
func TestReplicas_canary(t *testing.T) {
	t.Parallel()
	redis, mixcloud := redistest.Start(t), newEmulator(t)
	s := newReplica(t, redis.URL(), mixcloud)
	s.recorder.next = repeating(s.recorder.next)
	s.shares(t, true)
	stop := redis.Monitor(t)
	const canary = "canary-9b1f"
	b := &busy{testServer: s}
	// Responses are cached in Redis from when the token is verified until it writes. A busy machine
	// may lose one, so that this asks until a list is there.
	s.execute(t, "demo-token", `{ viewer { username } }`, nil)
	asked := 0
	until(t, func() bool {
		asked++
		s.execute(t, "demo-token", fmt.Sprintf(`{ user(username: "demo") { followers(first: %d, offset: %d) { nodes { name } } } }`, asked%100+1, asked/100), nil)
		return strings.Contains(redis.Dump(t), `\"paging\"`)
	})
	for _, token := range []string{canary + "-token", "demo-token"} {
		s.execute(t, token, `{
			viewer { username raw(full: true) listenLater(first: 3) { nodes { name } } }
			user(username: "demo") { name raw(full: true) followers(first: 30) { nodes { name } } listens(first: 3) { nodes { name } } }
			search(query: "`+canary+`") { users(first: 1) { nodes { name } } }
		}`, nil)
		b.sent(t, token, `mutation { followUser(input: {username: "demo", clientMutationId: "`+canary+`"}) { message } }`, nil, canary+"-key")
		s.execute(t, token, `{ user(username: "spartacus") { name cloudcasts(first: 3) { nodes { name description } } } }`, nil)
	}
	seen := map[string]string{"the commands": stop(), "the keys and values": redis.Dump(t), "the log": s.log.String()}
	for where, text := range seen {
		for _, secret := range []string{canary, "demo-token", sharedSecret} {
			if i := strings.Index(text, secret); i >= 0 && (where != "the log" || secret == "demo-token") {
				t.Errorf("%s hold %s: …%s…", where, secret, text[max(0, i-200):min(len(text), i+100)])
			}
		}
	}
}

// busy is what clients ask while Redis goes and comes back: each question is a
// new one, so that nothing is served from the cache of the process itself.
type busy struct {
	*testServer
	asked atomic.Int64
	wrong sync.Map // unexpected responses, by query
}

// client asks until ctx ends: anonymously, for a viewer, and writes that are
// sent again.
func (b *busy) client(ctx context.Context, t *testing.T, name int) {
	t.Helper()
	for n := 0; ctx.Err() == nil; n++ {
		q := fmt.Sprintf("%d of client %d", n, name)
		token, key := []string{"", "demo-token"}[n%2], ""
		query := `query ($q: String!) { search(query: $q) { users(first: 2) { nodes { name } } } }`
		if n%8 == 7 {
			key, query = q, `mutation ($q: String) { followUser(input: {username: "spartacus", clientMutationId: $q}) { changed userErrors { code } } }`
		}
		resp := b.sent(t, token, query, map[string]any{"q": q}, key)
		if errs := resp.decode(t, nil); resp.status != http.StatusOK || len(errs) > 0 || resp.header.Get("Retry-After") != "" {
			b.wrong.Store(q, fmt.Sprintf("status %d, %v", resp.status, errs))
		}
		if key != "" {
			again := b.sent(t, token, query, map[string]any{"q": q}, key)
			if again.header.Get("Idempotent-Replayed") != "true" || string(again.body) != string(resp.body) {
				b.wrong.Store(q, fmt.Sprintf("sent again: status %d, %s", again.status, again.body))
			}
		}
		b.asked.Add(1)
	}
}

// sent sends an operation, under a name if key is not "".
func (b *busy) sent(t *testing.T, token, query string, variables map[string]any, key string) response {
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

// more waits until some more was asked.
func (b *busy) more(t *testing.T) {
	t.Helper()
	reached := b.asked.Load() + 40
	until(t, func() bool { return b.asked.Load() > reached })
}

// Redis may disappear and return at any time, during any command at that
// moment: no client notices.
func TestReplicas_redisDies(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()))
	const clients = 4
	b := &busy{testServer: newReplica(t, redis.URL(), mixcloud)}
	b.shares(t, true)
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	for name := range clients {
		wg.Go(func() { b.client(ctx, t, name) })
	}
	for range 2 {
		b.more(t)
		redis.Kill()
		b.shares(t, false)
		b.more(t)
		if !redis.Restart(t) {
			t.Fatal("redis-server does not start")
		}
		b.shares(t, true)
	}
	b.more(t)
	stop()
	wg.Wait()
	b.wrong.Range(func(question, what any) bool {
		t.Errorf("%v: %v", question, what)
		return true
	})
	if st := b.app.shared.Stats(); st.Gets < 100 || st.Takes < 100 || st.Failed == 0 || st.Skipped == 0 {
		t.Errorf("the clients did not need Redis: %+v", st)
	}
	for _, line := range []string{"Redis unavailable", "connected to Redis"} {
		if !strings.Contains(b.log.String(), line) {
			t.Errorf("the log does not say %q", line)
		}
	}
}

func TestReplicas_noRedis(t *testing.T) {
	t.Parallel()
	s := newReplica(t, "redis://127.0.0.1:1", newEmulator(t))
	start := time.Now()
	if errs := s.execute(t, "demo-token", screen, nil).decode(t, nil); len(errs) > 0 {
		t.Error(errs)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("an operation takes %v", took)
	}
	until(t, func() bool { return strings.Contains(s.log.String(), "Redis unavailable") })
}
