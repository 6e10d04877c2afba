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

// An asker is one of those who ask at the same time.
type asker struct {
	token, name string
	mark        []byte // in every response of Mixcloud to their token
}

// A question is something they ask. Marked says that what comes back for a
// token certainly has its mark.
type question struct {
	query  string
	marked bool
}

// questions are small, and about the same things for everybody: what could be
// mixed up should have every chance to be.
var questions = []question{
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

// foreign is what all marks begin with.
const foreign = "m:"

// TestNothingCrosses lets two viewers and an anonymous client query and
// write at the same time, in random order, while reads lag behind writes. Every
// response of the emulated Mixcloud to a token contains the token's mark; whole
// responses are searched for a mark that is not the asker's.
func TestNothingCrosses(t *testing.T) {
	t.Parallel()
	operations := 30_000
	if race.Enabled {
		operations = 5_000
	}
	s := newTestServer(t, serverOptions{writable: true, emulator: []emulator.Option{
		emulator.WithSettings(emulator.Settings{Lag: 20 * time.Millisecond}), emulator.WithMarks(),
	}, config: config.Serve{MaxWait: time.Hour}}) // refusals tell nothing
	askers := []asker{{"demo-token", "demo", nil}, {"HarbourFM-token", "HarbourFM", nil}, {}}
	for i := range askers[:2] {
		askers[i].mark = []byte(strings.Trim(emulator.Mark(askers[i].token), "⟦⟧"))
	}
	bodies := make([][]byte, len(questions))
	for i, q := range questions {
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
			chance := rand.New(rand.NewPCG(seed, worker))
			for left.Add(-1) >= 0 && !t.Failed() {
				who, n := askers[chance.IntN(len(askers))], chance.IntN(len(questions))
				if chance.IntN(500) == 0 {
					crossUpload(t, s, who)
					continue
				}
				key := ""
				if chance.IntN(3) == 0 { // the same for all: a cached response must not cross either
					key = fmt.Sprint(n, "-", chance.IntN(20))
				}
				w := crossing(s, who, bodies[n], key)
				if w.Code == http.StatusConflict { // the same request is under way
					continue
				}
				if w.Header().Get("Idempotent-Replayed") != "" {
					replayed.Add(1)
				}
				body := w.Body.Bytes()
				own := 0
				if who.mark != nil {
					own = bytes.Count(body, who.mark)
				}
				if all := bytes.Count(body, []byte(foreign)); w.Code != http.StatusOK || all != own {
					t.Errorf("seed %d: %q asks %s and hears with status = %d, want 200, %d marks of which %d are their own:\n%s", seed, who.token, questions[n].query, w.Code, all, own, body)
				}
				if who.mark != nil && questions[n].marked && own == 0 && !bytes.Contains(body, []byte(`"message":null`)) {
					t.Errorf("seed %d: %q asks %s and hears nothing of their own:\n%s", seed, who.token, questions[n].query, body)
				}
				if n == 0 && who.name != "" && !bytes.Contains(body, []byte(`"username":"`+who.name+`"`)) {
					t.Errorf("seed %d: %s is taken for another viewer: %s", seed, who.name, body)
				}
				marked.Add(int64(own))
			}
		})
	}
	group.Wait()
	if marked.Load() < int64(operations)/3 || replayed.Load() == 0 {
		t.Errorf("%d marks were seen and %d responses replayed: too few for a conclusion", marked.Load(), replayed.Load())
	}
	for _, who := range askers[:2] {
		if strings.Contains(s.log.String(), string(who.mark)) || strings.Contains(s.log.String(), who.token) {
			t.Errorf("the log contains %s", who.name)
		}
	}
}

// crossUpload uploads a file, and applies the same checks to the response.
func crossUpload(t *testing.T, s *testServer, who asker) {
	t.Helper()
	resp := s.upload(t, who.token, `mutation ($mp3: Upload!) { uploadCloudcast(input: {mp3: $mp3, name: "Night Bus"}) { message viewer { name } cloudcast { user { name } } } }`,
		map[string]any{"mp3": nil}, uploadFile{Path: "variables.mp3", Name: "a.mp3", Head: "ID3", Size: 1000})
	own := 0
	if who.mark != nil {
		own = bytes.Count(resp.body, who.mark)
	}
	if all := bytes.Count(resp.body, []byte(foreign)); all != own || who.mark != nil && own != 3 {
		t.Errorf("%q uploads and hears %d marks of which %d are their own:\n%s", who.token, all, own, resp.body)
	}
}

func crossing(s *testServer, who asker, body []byte, key string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if who.token != "" {
		r.Header.Set("Authorization", "Bearer "+who.token)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return w
}
