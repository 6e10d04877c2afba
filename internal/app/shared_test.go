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

// newPair makes two replicas that share a Redis, over a world to write to.
func newPair(t *testing.T) (redis *redistest.Server, first, second *testServer) {
	t.Helper()
	redis = redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()))
	first, second = newReplica(t, redis.URL(), mixcloud), newReplica(t, redis.URL(), mixcloud)
	first.waitForRedis(t, true)
	second.waitForRedis(t, true)
	return redis, first, second
}

// named sends a mutation that may be sent again under the same key.
func (s *testServer) named(t *testing.T, key, mutation string) response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(`{"query":`+strconv.Quote(mutation)+`}`))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", key)
	return s.do(r, "demo-token")
}

// calmly does something, and does it again as long as it goes wrong while Redis
// does not respond in time: on a busy machine that happens, and then each replica
// knows only its own state. The function returns what is wrong, or "".
func calmly(t *testing.T, do func(try int) (wrong string), all ...*testServer) {
	t.Helper()
	missed := func() (n int64) {
		for _, s := range all {
			st := s.app.shared.Stats()
			n += st.Failed + st.Skipped
		}
		return n
	}
	for try := 1; ; try++ {
		for _, s := range all {
			s.waitForRedis(t, true)
		}
		before := missed()
		wrong := do(try)
		if wrong == "" {
			return
		}
		if missed() == before || try == 20 {
			t.Fatalf("try %d: %s", try, wrong)
		}
	}
}

// A mutation that is sent again to another replica gets the response of the first
// time, and not done again.
func TestReplicas_mutationSentAgain(t *testing.T) {
	t.Parallel()
	redis, first, second := newPair(t)
	const follow = `mutation { followUser(input: {username: "HarbourFM"}) { changed message } }`
	key := ""
	calmly(t, func(try int) string {
		key = fmt.Sprint("k1, try ", try)
		first.takeCalls()
		second.takeCalls()
		was := first.named(t, key, follow)
		if errs := was.decode(t, nil); len(errs) > 0 || len(first.takeCalls()) == 0 {
			t.Fatalf("%+v", errs)
		}
		again := second.named(t, key, follow)
		if calls := second.takeCalls(); len(calls) > 0 {
			return fmt.Sprintf("it is done again: %q", calls)
		}
		if string(again.body) != string(was.body) || again.header.Get("Idempotent-Replayed") != "true" {
			return fmt.Sprintf("response %s\nwant %s", again.body, was.body)
		}
		other := second.named(t, key, `mutation { unfollowUser(input: {username: "HarbourFM"}) { changed } }`)
		if other.status < 400 || len(second.takeCalls()) > 0 {
			return fmt.Sprintf("another mutation under the same key: %d %s", other.status, other.body)
		}
		return ""
	}, first, second)
	raw := redis.Client(t)
	if err := raw.Do(t.Context(), raw.B().Flushall().Build()).Error(); err != nil { // as if it had been thrown out for want of memory
		t.Fatal(err)
	}
	if again := first.named(t, key, follow); again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("the replica that did it does not know it any more: %d %s", again.status, again.body)
	}
	redis.Kill()
	if alone := second.named(t, "k2", follow); alone.status != http.StatusOK || len(alone.decode(t, nil)) > 0 {
		t.Errorf("without Redis: %d %s", alone.status, alone.body)
	}
	second.takeCalls()
	if alone := second.named(t, "k2", follow); alone.header.Get("Idempotent-Replayed") != "true" || len(second.takeCalls()) > 0 {
		t.Errorf("again without Redis: %d %s", alone.status, alone.body)
	}
}

// A request to another replica sees an upload from before it begins to its end.
func TestReplicas_uploadIsWatchedElsewhere(t *testing.T) {
	t.Parallel()
	_, first, second := newPair(t)
	watching, over := make(chan struct{}), make(chan []event, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() {
		close(watching)
		all, _, _ := second.watch(ctx, t, "demo-token", "night-bus")
		over <- all
	}()
	<-watching
	resp := first.do(drip(t, 0, 6, 10_000, 100*time.Millisecond, nil), "demo-token")
	var made uploaded
	if errs := resp.decode(t, &made); len(errs) > 0 || made.UploadCloudcast.Cloudcast == nil {
		t.Fatalf("%s", resp.body)
	}
	all := <-over
	if len(all) == 0 || all[len(all)-1].Phase != "DONE" || all[len(all)-1].BytesSent < 60_000 {
		t.Errorf("the other replica reports %+v", show.Value(all))
	}
}

// An attempt to sign in comes back once, to whichever replica.
func TestReplicas_attemptIsUsedOnce(t *testing.T) {
	t.Parallel()
	_, first, second := newPair(t)
	call := func(s *testServer, address string, cookies []*http.Cookie) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
		for _, c := range cookies {
			r.AddCookie(c)
		}
		w := httptest.NewRecorder()
		s.app.ServeHTTP(w, r)
		return w
	}
	calmly(t, func(int) string {
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
				return fmt.Sprintf("time %d: %d %s", i+1, got.Code, got.Body)
			}
		}
		return ""
	}, first, second)
}

// What a viewer writes on one replica is what they read on another one, at once,
// even one that begins afterwards, while Mixcloud's own reads do not show it for
// an hour. No other viewer sees it before Mixcloud shows it.
func TestReplicas_readYourWrites(t *testing.T) {
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
	// On a busy machine Redis may respond too late, more than once: what
	// must not be is that the second one never knows.
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

// A cloudcast that was uploaded on one replica is a new one on all: what cannot
// be read of it yet is no error.
func TestReplicas_justUploaded(t *testing.T) {
	t.Parallel()
	redis := redistest.Start(t)
	mixcloud := newEmulator(t, emulator.WithWorld(sharedWorld().Clone()), emulator.WithSettings(emulator.Settings{Lag: time.Hour}))
	first, second := newReplica(t, redis.URL(), mixcloud), newReplica(t, redis.URL(), mixcloud)
	first.waitForRedis(t, true)
	second.waitForRedis(t, true)
	file := uploadFile{Path: "variables.mp3", Name: "a.mp3", Type: "audio/mpeg", Head: "ID3", Size: 3000}
	if errs := first.upload(t, "demo-token", uploadNightBus, map[string]any{"mp3": nil}, file).decode(t, nil); len(errs) > 0 {
		t.Fatal(errs)
	}
	const edit = `mutation { editCloudcast(input: {key: "/demo/night-bus/", description: "New."}) { userErrors { code } cloudcast { description } } }`
	waitUntil(t, func() bool { return len(second.execute(t, "demo-token", edit, nil).decode(t, nil)) == 0 })
}

// hashed sends a query's hash, and the query with it if whole is true.
func (s *testServer) hashed(t *testing.T, query string, whole bool) response {
	t.Helper()
	sum := sha256.Sum256([]byte(query))
	body := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}}
	if whole {
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

// knows waits until a replica knows a query by its hash.
func (s *testServer) knows(t *testing.T, query string) {
	t.Helper()
	waitUntil(t, func() bool { return s.hashed(t, query, false).status == http.StatusOK })
}

// A query that one replica has learned is known to all by its hash; without
// Redis each knows only its own writes.
func TestReplicas_persistedQueries(t *testing.T) {
	t.Parallel()
	redis, first, second := newPair(t)
	const query, later = `{ user(username: "demo") { name } }`, `{ user(username: "spartacus") { name } }`
	unknown := second.hashed(t, query, false)
	if errs := unknown.decode(t, nil); len(errs) != 1 || errs[0].code() != "PERSISTED_QUERY_NOT_FOUND" || unknown.status != http.StatusBadRequest {
		t.Errorf("unknown: %d %s", unknown.status, unknown.body)
	}
	if resp := first.hashed(t, query, true); resp.status != http.StatusOK {
		t.Fatalf("made known: %d %s", resp.status, resp.body)
	}
	second.knows(t, query)

	redis.Kill()
	for _, s := range []*testServer{first, second} {
		waitUntil(t, func() bool {
			s.hashed(t, later, false) // an idle one would not notice for a while
			return !s.app.shared.Stats().Up
		})
	}
	second.knows(t, query)
	began := time.Now()
	for range 10 {
		if errs := second.hashed(t, later, false).decode(t, nil); len(errs) != 1 || errs[0].code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("unknown, without Redis: %v", errs)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("to know nothing takes %v", took)
	}
	if resp := second.hashed(t, later, true); resp.status != http.StatusOK {
		t.Errorf("made known without Redis: %d %s", resp.status, resp.body)
	}
	second.knows(t, later)
	if resp := first.hashed(t, later, false); resp.status != http.StatusBadRequest {
		t.Errorf("without Redis, the other one knows: %d %s", resp.status, resp.body)
	}
	if !redis.Restart(t) {
		t.Fatal("redis-server does not start")
	}
	first.waitForRedis(t, true)
	second.waitForRedis(t, true)
	second.hashed(t, later, true)
	first.knows(t, later)
}

// What a viewer puts on a list on one replica is first on it on the others, also on
// one that knows nothing of the viewer yet, and what they take off is gone.
func TestReplicas_ownLists(t *testing.T) {
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
		before, _ := second.walk(a.list, 100, 100)
		added := keysNotOn(t, a, before)[0]
		a.write(first, added, true)
		a.write(first, before[1], false)
		want := []string{added, before[0], before[2]}
		waitUntil(t, func() bool { return cmp.Equal(want, second.viewerKeys(a.list)) })
		cold := replica()
		waitUntil(t, func() bool { return cmp.Equal(want, cold.viewerKeys(a.list)) })
		if got := cold.page(a.list, "first: 3").keys(); !cmp.Equal(want, got) {
			t.Errorf("%s: another replica lists %v, want %v", a.list, got, want)
		}
		rest := cold.page(a.list, fmt.Sprintf("first: 2, after: %q", first.page(a.list, "first: 1").PageInfo.EndCursor))
		if !cmp.Equal(want[1:], rest.keys()) {
			t.Errorf("%s: another replica goes on with %v, want %v", a.list, rest.keys(), want[1:])
		}
	}
}
