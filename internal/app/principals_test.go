package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/mixcloud/emulator"
)

// A principalClient sends requests for one principal.
type principalClient struct {
	token, name string
	mark        []byte // part of every response of Mixcloud for the token; nil if anonymous
}

// An isolationQuery is an operation of the test. If marked is true, the response for a token must contain its mark.
type isolationQuery struct {
	query  string
	marked bool
}

// isolationQueries are small operations on the same resources for all principals, so that mix-ups are as likely as possible.
var isolationQueries = []isolationQuery{
	{`{ viewer { username name } }`, true},
	{`{ viewer { name biog followingCount } }`, true},
	{`{ viewer { name favorites(first: 1) { nodes { name viewerHasFavorited } } } }`, true},
	{`{ viewer { listenLater(first: 1) { nodes { name } } } }`, false},
	{`{ user(username: "spartacus") { name viewerIsFollowing followerCount } }`, true},
	{`{ user(username: "demo") { name isViewer followsViewer } }`, true},
	{`{ node(id: "MXUKL3NwYXJ0YWN1cy8") { ... on User { name biog } } }`, true},
	{`{ cloudcast(key: "/spartacus/party-time/") { name viewerHasFavorited viewerHasReposted user { name } } }`, true},
	{`{ resource(key: "/spartacus/party-time/") { name raw } }`, true},
	{`{ tag(name: "funk") { name } }`, true},
	{`mutation { followUser(input: {username: "spartacus"}) { message user { name viewerIsFollowing } } }`, true},
	{`mutation { unfollowUser(input: {username: "spartacus"}) { message viewer { name } } }`, true},
	{`mutation { favoriteCloudcast(input: {key: "/spartacus/party-time/"}) { message } }`, true},
	{`mutation { unfavoriteCloudcast(input: {key: "/spartacus/party-time/"}) { message changed } }`, true},
	{`mutation { repostCloudcast(input: {key: "/spartacus/party-time/"}) { message } }`, true},
	{`mutation { removeFromListenLater(input: {key: "/spartacus/party-time/"}) { message } }`, true},
	{`mutation { addToListenLater(input: {key: "/spartacus/party-time/"}) { message } }`, true},
	{`mutation { editCloudcast(input: {key: "/spartacus/party-time/", name: "Mine"}) { viewer { name } userErrors { code } } }`, true},
}

// markPrefix occurs in every mark that the emulator adds to responses for a token; see
// [emulator.Mark].
const markPrefix = "m:"

// TestPrincipals_AreIsolated sends queries and mutations of two viewers and an anonymous client concurrently, in random order, while
// Mixcloud's reads lag. Every response of the emulator for a token contains the token's mark. A response of the server must not
// contain the mark of another principal.
func TestPrincipals_AreIsolated(t *testing.T) {
	t.Parallel()
	operations := 30_000
	if race.Enabled {
		operations = 5_000
	}
	s := newTestServer(t, serverOptions{writable: true, emulator: []emulator.Option{
		emulator.WithSettings(emulator.Settings{Lag: 20 * time.Millisecond}), emulator.WithMarks(),
	}, config: config.Serve{MaxWait: time.Hour}}) // so that no request is refused
	clients := []principalClient{{"demo-token", "demo", nil}, {"HarbourFM-token", "HarbourFM", nil}, {}}
	for i := range clients[:2] {
		clients[i].mark = []byte(strings.Trim(emulator.Mark(clients[i].token), "⟦⟧"))
	}
	bodies := make([][]byte, len(isolationQueries))
	for i, q := range isolationQueries {
		var err error
		if bodies[i], err = json.Marshal(map[string]string{"query": q.query}); err != nil {
			t.Fatal(err)
		}
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var left, marked, replayed atomic.Int64
	left.Store(int64(operations))
	var group sync.WaitGroup
	for worker := range uint64(8) {
		group.Go(func() {
			random := rand.New(rand.NewPCG(seed, worker))
			for left.Add(-1) >= 0 && !t.Failed() {
				client, n := clients[random.IntN(len(clients))], random.IntN(len(isolationQueries))
				if random.IntN(500) == 0 {
					uploadAs(t, s, client)
					continue
				}
				key := ""
				if random.IntN(3) == 0 { // with the same idempotency keys for all: stored responses must be isolated too
					key = fmt.Sprint(n, "-", random.IntN(20))
				}
				w := sendAs(s, client, bodies[n], key)
				if w.Code == http.StatusConflict { // the same request is in flight
					continue
				}
				if w.Header().Get("Idempotent-Replayed") != "" {
					replayed.Add(1)
				}
				body := w.Body.Bytes()
				own := 0
				if client.mark != nil {
					own = bytes.Count(body, client.mark)
				}
				if all := bytes.Count(body, []byte(markPrefix)); w.Code != http.StatusOK || all != own {
					t.Errorf("seed %d: token %q: %s: status = %d, %d marks, want 200 and only the %d marks of the token:\n%s", seed, client.token, isolationQueries[n].query, w.Code, all, own, body)
				}
				if client.mark != nil && isolationQueries[n].marked && own == 0 && !bytes.Contains(body, []byte(`"message":null`)) {
					t.Errorf("seed %d: token %q: %s: no mark in the response, want the token's:\n%s", seed, client.token, isolationQueries[n].query, body)
				}
				if n == 0 && client.name != "" && !bytes.Contains(body, []byte(`"username":"`+client.name+`"`)) {
					t.Errorf("seed %d: response = %s, want the viewer %s", seed, body, client.name)
				}
				marked.Add(int64(own))
			}
		})
	}
	group.Wait()
	if marked.Load() < int64(operations)/3 || replayed.Load() == 0 {
		t.Errorf("responses with marks = %d, replayed responses = %d, want at least %d and 1", marked.Load(), replayed.Load(), operations/3)
	}
	for _, client := range clients[:2] {
		if strings.Contains(s.log.String(), string(client.mark)) || strings.Contains(s.log.String(), client.token) {
			t.Errorf("log contains the mark or the token of %s", client.name)
		}
	}
}

// uploadAs uploads a file and checks the marks in the response.
func uploadAs(t *testing.T, s *testServer, client principalClient) {
	t.Helper()
	resp := s.upload(t, client.token, `mutation ($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: "Night Bus"}) { message viewer { name } cloudcast { user { name } } } }`,
		map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 1000})
	own := 0
	if client.mark != nil {
		own = bytes.Count(resp.body, client.mark)
	}
	if all := bytes.Count(resp.body, []byte(markPrefix)); all != own || client.mark != nil && own != 3 {
		t.Errorf("upload with token %q: %d marks, %d of the token, want 3 and none of others:\n%s", client.token, all, own, resp.body)
	}
}

// sendAs sends an operation, with an idempotency key if it is not "".
func sendAs(s *testServer, client principalClient, body []byte, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if client.token != "" {
		r.Header.Set("Authorization", "Bearer "+client.token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return w
}
