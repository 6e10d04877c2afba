package app

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// What scripts ask, of whom it is answered, and what they disturb.
var (
	scriptQueries = []string{
		`{ a: user(username: "spartacus") { name biog } b: user(username: "demo") { name city } c: user(username: "nobody-of-that-name") { name } }`,
		`{ popular(first: 4) { totalCount nodes { key name user { key biog city } } } }`,
		`{ cloudcast(key: "/spartacus/party-time/") { name embedHtml user { followers(first: 2) { totalCount nodes { key name } } } } }`,
		`{ oembed(url: "/spartacus/party-time/") { title html } search(query: "night") { tags(first: 2) { nodes { name } } } }`,
		`{ tag(name: "funk") { name latest(first: 2) { nodes { name description } } } categories { name } }`,
		`{ viewer { username listenLater(first: 1) { nodes { key } } } nodes(ids: ["MXUKL3NwYXJ0YWN1cy8", "MXQKL2dlbnJlcy9mdW5rLw"]) { id ... on User { biog } } }`,
	}
	scriptTokens  = []string{"", "demo-token", "spartacus-token"}
	scriptMatches = []string{"*", "/spartacus/", "/spartacus/*", "/popular/*", "/*/followers/", "*embed*", "/me/*", "/genres/*"}
	scriptPauses  = []time.Duration{0, 50 * time.Millisecond, time.Second, 7 * time.Second, time.Minute, 10 * time.Minute, 2 * time.Hour, 25 * time.Hour}
	scriptJumps   = []time.Duration{0, -time.Hour, time.Hour, 50 * 365 * 24 * time.Hour}
)

// A reference is what a query comes to when nothing is wrong.
type reference struct {
	data  any
	calls int
}

// references returns them by query and token.
func references(t *testing.T) map[[2]string]reference {
	t.Helper()
	referencesOnce.Do(func() {
		for _, query := range scriptQueries {
			for _, token := range scriptTokens {
				e, calls := newEmulator(t), 0
				s := newScriptServer(t, e.Transport().RoundTrip, &calls, nil)
				var whole struct {
					Data   any
					Errors []any
				}
				resp := askScript(s, query, token)
				if err := json.Unmarshal(resp.body, &whole); err != nil || len(whole.Errors) > 0 || whole.Data == nil {
					t.Fatalf("%s: %v: %s", query, err, resp.body)
				}
				allReferences[[2]string{query, token}] = reference{whole.Data, calls}
			}
		}
	})
	return allReferences
}

var (
	referencesOnce sync.Once
	allReferences  = map[[2]string]reference{}
)

// newScriptServer is a server whose calls next answers. It counts the calls.
func newScriptServer(t *testing.T, next roundTripFunc, calls *int, wall func() time.Time) *testServer {
	t.Helper()
	var mu sync.Mutex
	return newTestServer(t, serverOptions{
		noStale: true, noOAuth: true,
		config: config.Serve{
			RequestTimeout: deadline, UpstreamRate: 20, UpstreamBurst: 200, UpstreamRetries: 2,
			PublicURL: "https://graph.test", SecretKey: "the key of the tests, 32 bytes of it",
		},
		mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			*calls++
			mu.Unlock()
			return next(r)
		}),
		client: []mixcloud.Option{mixcloud.WithMaxBody(maxBody)},
		tune:   []func(*upstream.Options){func(o *upstream.Options) { o.Wall = wall }},
	})
}

// askScript asks with GET, so that the answer may say for how long it can be kept.
func askScript(s *testServer, query, token string) response {
	return s.do(httptest.NewRequest(http.MethodGet, "/graphql?query="+url.QueryEscape(query), nil), token)
}

// FuzzFaults lets a script disturb Mixcloud and its own clock in any order, and
// asks in between. Two bytes are a step.
//
// Whatever happens, each answer is one of GraphQL over HTTP, in time; nothing is
// in it that is Mixcloud's page, a token, or Go's; a field is as it would be if
// nothing were wrong, or null with an error at its place or above; what anybody
// may keep is whole and fresh; there are never more calls than each question
// takes when nothing is known, with all tries again. When it is over, everything
// is answered fresh again.
func FuzzFaults(f *testing.F) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // a script, no secret
		script := make([]byte, 80)
		for i := range script {
			script[i] = byte(r.UintN(256))
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		references(t)
		synctest.Test(t, func(t *testing.T) { playScript(t, script[:min(len(script), 120)]) })
	})
}

func playScript(t *testing.T, script []byte) {
	e := newEmulator(t, emulator.WithLatency(lag))
	names := slices.Sorted(maps.Keys(misbehaviours))
	var (
		mu    sync.Mutex // of what follows
		wire  roundTripFunc
		match string
		jump  time.Duration
	)
	calls, most := 0, 0
	s := newScriptServer(t, func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		instead := wire
		fits, err := regexp.MatchString("^"+strings.ReplaceAll(regexp.QuoteMeta(match), `\*`, ".*")+"$", r.URL.EscapedPath())
		mu.Unlock()
		if instead != nil && fits && err == nil {
			return instead(r)
		}
		return e.Transport().RoundTrip(r)
	}, &calls, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(jump)
	})
	ask := func(query, token string) (fresh bool) {
		ref := references(t)[[2]string{query, token}]
		most += ref.calls * (1 + upstream.DefaultRetries)
		began := time.Now()
		resp := askScript(s, query, token)
		if took := time.Since(began); took > deadline {
			t.Errorf("took %v", took)
		}
		return checkScripted(t, resp, ref.data)
	}
	for ; len(script) >= 2; script = script[2:] {
		n := int(script[1])
		switch what := script[0]; {
		case what < 120:
			ask(scriptQueries[n%len(scriptQueries)], scriptTokens[n/len(scriptQueries)%len(scriptTokens)])
		case what < 180:
			m := misbehaviours[names[int(what-120)%len(names)]]
			m.fault.Match, m.fault.Times = scriptMatches[n%len(scriptMatches)], n/len(scriptMatches)%4
			mu.Lock()
			wire, match = m.wire, m.fault.Match
			mu.Unlock()
			if m.fault.Kind != "" {
				if err := e.Fail(m.fault); err != nil {
					t.Fatal(err)
				}
			}
		case what < 190:
			mu.Lock()
			jump = scriptJumps[n%len(scriptJumps)]
			mu.Unlock()
		case what < 205:
			mu.Lock()
			wire = nil
			mu.Unlock()
			e.ClearFaults()
		default:
			time.Sleep(scriptPauses[n%len(scriptPauses)])
		}
	}
	mu.Lock()
	wire, jump = nil, 0
	mu.Unlock()
	e.ClearFaults()
	time.Sleep(2 * time.Minute) // longer than any wait that was named
	for _, query := range scriptQueries {
		for _, token := range scriptTokens {
			// The first one may be stale, and a pace that was refused is slow: what
			// has come stays, so that each time there is less to ask.
			if !slices.ContainsFunc(make([]int, 20), func(int) bool {
				defer time.Sleep(5 * time.Second)
				return ask(query, token)
			}) {
				t.Errorf("when it is over, %s is not fresh for %q", query, token)
			}
		}
	}
	if calls > most {
		t.Errorf("%d calls, and never more than %d were needed", calls, most)
	}
}

// innards are what no answer may have in it.
var innards = regexp.MustCompile(`<html|nginx|SSH-2|-token|access_token|goroutine|\.go:|\*[a-z]+\.[A-Z]|0x[0-9a-f]{6}|net/http|dial tcp|mixcloud: |upstream: `)

// checkScripted holds an answer against what it would be if nothing were wrong,
// and tells whether it is that, and fresh.
func checkScripted(t *testing.T, resp response, want any) (fresh bool) {
	t.Helper()
	if t.Failed() {
		return true // one is enough
	}
	var whole map[string]any
	if err := json.Unmarshal(resp.body, &whole); err != nil || !strings.HasPrefix(resp.header.Get("Content-Type"), "application/graphql-response+json") || resp.status != http.StatusOK {
		t.Fatalf("status = %d, want 200, %s, %v: %s", resp.status, resp.header.Get("Content-Type"), err, resp.body)
	}
	if bad := innards.Find(resp.body); bad != nil {
		t.Errorf("%q is in the answer: %s", bad, resp.body)
	}
	var wait float64
	broken := map[string][]any{}
	errs, _ := whole["errors"].([]any)
	for _, e := range errs {
		e := e.(map[string]any)
		extensions, _ := e["extensions"].(map[string]any)
		path, _ := e["path"].([]any)
		code, _ := extensions["code"].(string)
		switch gqlerr.Code(code) {
		case gqlerr.CodeRateLimited, gqlerr.CodeUpstreamTimeout, gqlerr.CodeUpstreamUnavailable, gqlerr.CodeUpstreamBadResponse:
		default:
			t.Errorf("code %q: %s", code, resp.body)
		}
		if retry := extensions["retryable"] == true; retry != gqlerr.Code(code).Retryable() || len(path) == 0 || e["message"] == "" {
			t.Errorf("%v", e)
		}
		ms, _ := extensions["retryAfterMs"].(float64)
		wait = max(wait, ms)
		broken[dotted(path)] = path
	}
	if got := resp.header.Get("Retry-After"); wait > 0 && got != strconv.Itoa((int(wait)+999)/1000) || wait == 0 && got != "" {
		t.Errorf("Retry-After is %q, and the longest wait %v ms", got, wait)
	}
	extensions, _ := whole["extensions"].(map[string]any)
	notes, _ := extensions["freshness"].([]any)
	for _, n := range notes {
		n := n.(map[string]any)
		age, _ := n["ageMs"].(float64)
		if n["stale"] != true || age < 0 || age > float64((24*time.Hour).Milliseconds()) {
			t.Errorf("%v", n)
		}
	}
	if kept := resp.header.Get("Cache-Control"); kept != "no-store" && (len(errs)+len(notes) > 0 || !strings.HasPrefix(kept, "public, max-age=")) {
		t.Errorf("Cache-Control %q: %s", kept, resp.body)
	}
	for place := range differences("", want, whole["data"]) {
		excused := broken[place] != nil
		for up := place; !excused && strings.Contains(up, "."); {
			up = up[:strings.LastIndexByte(up, '.')]
			excused = broken[up] != nil
		}
		if !excused {
			t.Errorf("%s is another one, without an error: %s", place, resp.body)
		}
	}
	for text, path := range broken {
		if v := at(whole["data"], path); v != nil {
			t.Errorf("%s has an error and is %v", text, v)
		}
	}
	return len(errs)+len(notes) == 0
}

// differences are the paths at which got is not as wanted.
func differences(at string, want, got any) map[string]bool {
	all := map[string]bool{}
	under := func(name string, want, got any) {
		maps.Copy(all, differences(strings.TrimPrefix(at+"."+name, "."), want, got))
	}
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok && len(got) == len(want) {
			for name := range want {
				under(name, want[name], got[name])
			}
			return all
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) == len(want) {
			for i := range want {
				under(strconv.Itoa(i), want[i], got[i])
			}
			return all
		}
	}
	if !reflect.DeepEqual(want, got) {
		all[at] = true
	}
	return all
}
