package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud/emulator"
)

// newReplicaPair returns two replicas that share a Redis and a writable emulator.
func newReplicaPair(t *testing.T) (redis *redistest.Server, first, second *testServer) {
	t.Helper()
	redis = redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()))
	first, second = newReplica(t, redis.URL(), mixcloud), newReplica(t, redis.URL(), mixcloud)
	first.waitForRedis(t, true)
	second.waitForRedis(t, true)
	return redis, first, second
}

// executeWithKey sends a mutation with an idempotency key.
func (s *testServer) executeWithKey(t *testing.T, key, mutation string) response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":`+strconv.Quote(mutation)+`}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	return s.do(r, "demo-token")
}

// retryIfRedisFails calls check until it returns "". If it returns a failure, it is called again only if a command of Redis has failed
// meanwhile: on a busy machine commands time out, and then each replica has only its own state.
func retryIfRedisFails(t *testing.T, check func(attempt int) (failure string), replicas ...*testServer) {
	t.Helper()
	failedCommands := func() (n int64) {
		for _, s := range replicas {
			st := s.app.shared.Stats()
			n += st.Failed + st.Skipped
		}
		return n
	}
	for attempt := 1; ; attempt++ {
		for _, s := range replicas {
			s.waitForRedis(t, true)
		}
		before := failedCommands()
		failure := check(attempt)
		if failure == "" {
			return
		}
		if failedCommands() == before || attempt == 20 {
			t.Fatalf("attempt %d failed without an error of Redis, or was the last: %s", attempt, failure)
		}
	}
}

// A mutation that is repeated at another replica gets the first response and is not executed again.
func TestReplicas_RepeatedMutation(t *testing.T) {
	t.Parallel()
	redis, first, second := newReplicaPair(t)
	const follow = `mutation { followUser(input: {username: "HarbourFM"}) { changed message } }`
	key := ""
	retryIfRedisFails(t, func(attempt int) string {
		key = fmt.Sprint("k1, attempt ", attempt)
		first.takeCalls()
		second.takeCalls()
		original := first.executeWithKey(t, key, follow)
		if errs := original.decode(t, nil); len(errs) > 0 || len(first.takeCalls()) == 0 {
			t.Fatalf("first request: errors = %+v, want none, and a call", errs)
		}
		again := second.executeWithKey(t, key, follow)
		if calls := second.takeCalls(); len(calls) > 0 {
			return fmt.Sprintf("calls of the second replica = %q, want none", calls)
		}
		if string(again.body) != string(original.body) || again.header.Get("Idempotent-Replayed") != "true" {
			return fmt.Sprintf("response of the second replica = %s, want %s replayed", again.body, original.body)
		}
		other := second.executeWithKey(t, key, `mutation { unfollowUser(input: {username: "HarbourFM"}) { changed } }`)
		if other.status < 400 || len(second.takeCalls()) > 0 {
			return fmt.Sprintf("another mutation with the same key: status = %d, want a refusal: %s", other.status, other.body)
		}
		return ""
	}, first, second)
	raw := redis.Client(t)
	if err := raw.Do(t.Context(), raw.B().Flushall().Build()).Error(); err != nil { // as if Redis had evicted the key
		t.Fatal(err)
	}
	if again := first.executeWithKey(t, key, follow); again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("first replica after an eviction: status = %d, want a replayed response: %s", again.status, again.body)
	}
	redis.Kill()
	if alone := second.executeWithKey(t, "k2", follow); alone.status != http.StatusOK || len(alone.decode(t, nil)) > 0 {
		t.Errorf("without Redis: status = %d, want 200 without errors: %s", alone.status, alone.body)
	}
	second.takeCalls()
	if alone := second.executeWithKey(t, "k2", follow); alone.header.Get("Idempotent-Replayed") != "true" || len(second.takeCalls()) > 0 {
		t.Errorf("repeated without Redis: status = %d, want a replayed response: %s", alone.status, alone.body)
	}
}

// A subscription at another replica reports the progress of an upload.
func TestReplicas_UploadProgress(t *testing.T) {
	t.Parallel()
	_, first, second := newReplicaPair(t)
	watching, events := make(chan struct{}), make(chan []progressEvent, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		close(watching)
		all, _, _ := second.watchUpload(ctx, t, "demo-token", "night-bus")
		events <- all
	}()
	<-watching
	resp := first.do(slowUpload(t, 0, 6, 10_000, 100*time.Millisecond, nil), "demo-token")
	var result uploadResult
	if errs := resp.decode(t, &result); len(errs) > 0 || result.UploadCloudcast.Cloudcast == nil {
		t.Fatalf("response = %s, want a cloudcast", resp.body)
	}
	all := <-events
	if len(all) == 0 || all[len(all)-1].Phase != "DONE" || all[len(all)-1].BytesSent < 60_000 {
		t.Errorf("events at the other replica = %+v, want DONE after 60,000 bytes at the end", show.Value(all))
	}
}

// A sign-in can be completed only once, at any replica.
func TestReplicas_SignInIsCompletedOnce(t *testing.T) {
	t.Parallel()
	_, first, second := newReplicaPair(t)
	call := func(s *testServer, address string, cookies []*http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		s.app.ServeHTTP(w, r)
		return w
	}
	retryIfRedisFails(t, func(int) string {
		begun := call(first, "https://graph.test/oauth/login", nil).Result()
		to, err := begun.Location()
		if err != nil {
			t.Fatal(err)
		}
		back, err := url.Parse(to.Query().Get("redirect_uri"))
		if err != nil {
			t.Fatal(err)
		}
		query := back.Query()
		query.Set("error", "access_denied")
		back.RawQuery = query.Encode()
		for i, s := range []*testServer{first, second, first} {
			got := call(s, back.String(), begun.Cookies())
			if used := strings.Contains(got.Body.String(), "This sign-in was already completed"); used != (i > 0) {
				return fmt.Sprintf("callback %d: status = %d, want completed before = %t: %s", i+1, got.Code, i > 0, got.Body)
			}
		}
		return ""
	}, first, second)
}

// While Mixcloud's reads lag, a viewer's write at one replica is visible to this viewer at all replicas, including those that start later.
// Other viewers do not see it.
func TestReplicas_ReadYourWrites(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()), emulator.WithSettings(emulator.Settings{Lag: time.Hour}))
	replica := func() lagServer {
		s := newReplica(t, redis.URL(), mixcloud)
		s.waitForRedis(t, true)
		return lagServer{s, t}
	}
	first, second := replica(), replica()
	mine, theirs := second.fetchView("demo-token"), second.fetchView("spartacus-token")
	first.checkView("before", "demo-token", mine)
	first.write(doAll, true)
	// On a busy machine commands of Redis may time out, so the write may be visible a little later.
	eventually := func(r lagServer, want view) {
		t.Helper()
		waitUntil(t, func() bool { return cmp.Equal(want, r.fetchView("demo-token")) })
	}
	eventually(second, mine.after(true, true, 1))
	eventually(replica(), mine.after(true, true, 1))
	second.checkView("meanwhile", "spartacus-token", theirs)
	second.write(undoAll, true)
	eventually(first, mine)
	eventually(replica(), mine)
	redis.Kill()
	second.checkView("without Redis", "demo-token", mine)
	second.write(doAll, true)
	second.checkView("written without Redis", "demo-token", mine.after(true, true, 1))
}

// All replicas know a cloudcast that was just uploaded at one of them: fields that Mixcloud does not return yet are null without an error.
func TestReplicas_RecentUpload(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()), emulator.WithSettings(emulator.Settings{Lag: time.Hour}))
	first, second := newReplica(t, redis.URL(), mixcloud), newReplica(t, redis.URL(), mixcloud)
	first.waitForRedis(t, true)
	second.waitForRedis(t, true)
	file := uploadFile{Path: "variables.mp3", Name: "a.mp3", Type: "audio/mpeg", Head: "ID3", Size: 3000}
	if errs := first.upload(t, "demo-token", uploadNightBus, map[string]any{"mp3": nil}, file).decode(t, nil); len(errs) > 0 {
		t.Fatalf("errors = %v, want none", errs)
	}
	const edit = `mutation { editCloudcast(input: {key: "/demo/night-bus/", description: "New."}) { userErrors { code } cloudcast { description } } }`
	waitUntil(t, func() bool { return len(second.execute(t, "demo-token", edit, nil).decode(t, nil)) == 0 })
}

// sendHash sends the hash of a persisted query, and the query too if withQuery is true.
func (s *testServer) sendHash(t *testing.T, query string, withQuery bool) response {
	t.Helper()
	sum := sha256.Sum256([]byte(query))
	body := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}}
	if withQuery {
		body["query"] = query
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(text))
	r.Header.Set("Content-Type", "application/json")
	return s.do(r, "")
}

// waitForQuery waits until a replica knows a persisted query.
func (s *testServer) waitForQuery(t *testing.T, query string) {
	t.Helper()
	waitUntil(t, func() bool { return s.sendHash(t, query, false).status == http.StatusOK })
}

// A persisted query that was sent to one replica is known to all. Without Redis each replica knows only its own.
func TestReplicas_PersistedQueries(t *testing.T) {
	t.Parallel()
	redis, first, second := newReplicaPair(t)
	const query, later = `{ user(username: "demo") { name } }`, `{ user(username: "spartacus") { name } }`
	unknown := second.sendHash(t, query, false)
	if errs := unknown.decode(t, nil); len(errs) != 1 || errs[0].code() != "PERSISTED_QUERY_NOT_FOUND" || unknown.status != http.StatusBadRequest {
		t.Errorf("unknown hash: status = %d, want 400 and PERSISTED_QUERY_NOT_FOUND: %s", unknown.status, unknown.body)
	}
	if resp := first.sendHash(t, query, true); resp.status != http.StatusOK {
		t.Fatalf("hash with query: status = %d, want 200: %s", resp.status, resp.body)
	}
	second.waitForQuery(t, query)

	redis.Kill()
	for _, s := range []*testServer{first, second} {
		waitUntil(t, func() bool {
			s.sendHash(t, later, false) // an idle connection would notice it later
			return !s.app.shared.Stats().Up
		})
	}
	second.waitForQuery(t, query)
	began := time.Now()
	for range 10 {
		if errs := second.sendHash(t, later, false).decode(t, nil); len(errs) != 1 || errs[0].code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("unknown hash without Redis: errors = %v, want PERSISTED_QUERY_NOT_FOUND", errs)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("10 unknown hashes without Redis took %v, want at most 5s", took)
	}
	if resp := second.sendHash(t, later, true); resp.status != http.StatusOK {
		t.Errorf("hash with query without Redis: status = %d, want 200: %s", resp.status, resp.body)
	}
	second.waitForQuery(t, later)
	if resp := first.sendHash(t, later, false); resp.status != http.StatusBadRequest {
		t.Errorf("hash at the other replica without Redis: status = %d, want 400: %s", resp.status, resp.body)
	}
	if !redis.Restart(t) {
		t.Fatal("redis-server did not start")
	}
	first.waitForRedis(t, true)
	second.waitForRedis(t, true)
	second.sendHash(t, later, true)
	first.waitForQuery(t, later)
}

// While Mixcloud's reads lag, an item that a viewer adds to a list at one replica is first on the list at all replicas, and an item that
// the viewer removes is not on it.
func TestReplicas_OwnLists(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()), emulator.WithSettings(emulator.Settings{Lag: time.Hour}))
	replica := func() lagServer {
		s := newReplica(t, redis.URL(), mixcloud)
		s.waitForRedis(t, true)
		return lagServer{s, t}
	}
	first, second := replica(), replica()
	for _, a := range ownListActions {
		before, _ := second.readPages(a.list, 100, 100)
		added := keysNotOn(t, a, before)[0]
		a.write(first, added, true)
		a.write(first, before[1], false)
		want := []string{added, before[0], before[2]}
		waitUntil(t, func() bool { return cmp.Equal(want, second.viewerKeys(a.list)) })
		cold := replica()
		waitUntil(t, func() bool { return cmp.Equal(want, cold.viewerKeys(a.list)) })
		if got := cold.page(a.list, "first: 3").keys(); !cmp.Equal(want, got) {
			t.Errorf("%s at another replica: got %v, want %v", a.list, got, want)
		}
		rest := cold.page(a.list, fmt.Sprintf("first: 2, after: %q", first.page(a.list, "first: 1").PageInfo.EndCursor))
		if !cmp.Equal(want[1:], rest.keys()) {
			t.Errorf("%s at another replica, after the first item: got %v, want %v", a.list, rest.keys(), want[1:])
		}
	}
}
