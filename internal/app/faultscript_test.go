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

// The queries and tokens of a script, the paths of its faults, and the durations of its pauses and clock jumps.
var (
	scriptQueries = []string{
		`{ a: user(username: "spartacus") { name biog } b: user(username: "demo") { name city } c: user(username: "no-such-user") { name } }`,
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

// A baseline is the result of a query without faults.
type baseline struct {
	data  any
	calls int
}

// baselines returns the baselines by query and token.
func baselines(t *testing.T) map[[2]string]baseline {
	t.Helper()
	baselinesOnce.Do(func() {
		for _, query := range scriptQueries {
			for _, token := range scriptTokens {
				e, calls := newEmulator(t), 0
				s := newScriptServer(t, e.Transport().RoundTrip, &calls, nil)
				var whole struct {
					Data   any
					Errors []any
				}
				resp := executeByGET(s, query, token)
				if err := json.Unmarshal(resp.body, &whole); err != nil || len(whole.Errors) > 0 || whole.Data == nil {
					t.Fatalf("%s: response = %s, want data without errors (%v)", query, resp.body, err)
				}
				allBaselines[[2]string{query, token}] = baseline{whole.Data, calls}
			}
		}
	})
	return allBaselines
}

var (
	baselinesOnce sync.Once
	allBaselines  = map[[2]string]baseline{}
)

// newScriptServer returns a server that makes its calls with next, and counts them.
func newScriptServer(t *testing.T, next roundTripFunc, calls *int, wall func() time.Time) *testServer {
	t.Helper()
	var mu sync.Mutex
	return newTestServer(t, serverOptions{
		noStale: true, noOAuth: true,
		config: config.Serve{
			RequestTimeout: requestTimeout, UpstreamRate: 20, UpstreamBurst: 200, UpstreamRetries: 2,
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

// executeByGET sends a query with GET, so that the response may be cacheable.
func executeByGET(s *testServer, query, token string) response {
	return s.do(httptest.NewRequest(http.MethodGet, "/graphql?query="+url.QueryEscape(query), nil), token)
}

// FuzzFaults runs a script of faults, clock jumps, pauses and requests. Each step is two bytes.
//
// Each response must be valid GraphQL over HTTP and arrive before the deadline. It must not contain
// tokens, pages of Mixcloud or Go internals. Each field has the same value as without faults, or is
// null with an error at its path or above. A cacheable response is complete and fresh. The number
// of calls is at most that with an empty cache and all retries. After the script, without faults,
// every response is fresh again.
func FuzzFaults(f *testing.F) {
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // not a secret
		script := make([]byte, 80)
		for i := range script {
			script[i] = byte(r.UintN(256))
		}
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		baselines(t)
		synctest.Test(t, func(t *testing.T) { runScript(t, script[:min(len(script), 120)]) })
	})
}

func runScript(t *testing.T, script []byte) {
	e := newEmulator(t, emulator.WithLatency(latency))
	names := slices.Sorted(maps.Keys(failures))
	var (
		mu        sync.Mutex // protects the following variables
		transport roundTripFunc
		match     string
		jump      time.Duration
	)
	calls, most := 0, 0
	s := newScriptServer(t, func(r *http.Request) (*http.Response, error) {
		mu.Lock()
		replaced := transport
		matches, err := regexp.MatchString("^"+strings.ReplaceAll(regexp.QuoteMeta(match), `\*`, ".*")+"$", r.URL.EscapedPath())
		mu.Unlock()
		if replaced != nil && matches && err == nil {
			return replaced(r)
		}
		return e.Transport().RoundTrip(r)
	}, &calls, func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(jump)
	})
	execute := func(query, token string) (fresh bool) {
		want := baselines(t)[[2]string{query, token}]
		most += want.calls * (1 + upstream.DefaultRetries)
		began := time.Now()
		resp := executeByGET(s, query, token)
		if took := time.Since(began); took > requestTimeout {
			t.Errorf("duration = %v, want at most %v", took, requestTimeout)
		}
		return checkFuzzed(t, resp, want.data)
	}
	for ; len(script) >= 2; script = script[2:] {
		n := int(script[1])
		switch step := script[0]; {
		case step < 120:
			execute(scriptQueries[n%len(scriptQueries)], scriptTokens[n/len(scriptQueries)%len(scriptTokens)])
		case step < 180:
			m := failures[names[int(step-120)%len(names)]]
			m.fault.Match, m.fault.Times = scriptMatches[n%len(scriptMatches)], n/len(scriptMatches)%4
			mu.Lock()
			transport, match = m.transport, m.fault.Match
			mu.Unlock()
			if m.fault.Kind != "" {
				if err := e.Fail(m.fault); err != nil {
					t.Fatal(err)
				}
			}
		case step < 190:
			mu.Lock()
			jump = scriptJumps[n%len(scriptJumps)]
			mu.Unlock()
		case step < 205:
			mu.Lock()
			transport = nil
			mu.Unlock()
			e.ClearFaults()
		default:
			time.Sleep(scriptPauses[n%len(scriptPauses)])
		}
	}
	mu.Lock()
	transport, jump = nil, 0
	mu.Unlock()
	e.ClearFaults()
	time.Sleep(2 * time.Minute) // longer than any Retry-After
	for _, query := range scriptQueries {
		for _, token := range scriptTokens {
			// The first response may be stale, and the rate limiter is slow after refusals. Each request caches more of the
			// data, so that the next one makes fewer calls.
			if !slices.ContainsFunc(make([]int, 20), func(int) bool {
				defer time.Sleep(5 * time.Second)
				return execute(query, token)
			}) {
				t.Errorf("%s with token %q has no fresh response after the script, want one", query, token)
			}
		}
	}
	if calls > most {
		t.Errorf("%d calls, want at most %d", calls, most)
	}
}

// internals matches text that no response may contain.
var internals = regexp.MustCompile(`<html|nginx|SSH-2|-token|access_token|goroutine|\.go:|\*[a-z]+\.[A-Z]|0x[0-9a-f]{6}|net/http|dial tcp|mixcloud: |upstream: `)

// checkFuzzed compares a response with the data without faults, and reports whether it is complete and fresh.
func checkFuzzed(t *testing.T, resp response, want any) (fresh bool) {
	t.Helper()
	if t.Failed() {
		return true // report only the first failure
	}
	var whole map[string]any
	if err := json.Unmarshal(resp.body, &whole); err != nil || !strings.HasPrefix(resp.header.Get("Content-Type"), "application/graphql-response+json") || resp.status != http.StatusOK {
		t.Fatalf("status = %d, Content-Type = %s, want 200 and a GraphQL response (error %v): %s", resp.status, resp.header.Get("Content-Type"), err, resp.body)
	}
	if bad := internals.Find(resp.body); bad != nil {
		t.Errorf("response contains %q: %s", bad, resp.body)
	}
	var wait float64
	failed := map[string][]any{}
	errs, _ := whole["errors"].([]any)
	for _, e := range errs {
		e := e.(map[string]any)
		extensions, _ := e["extensions"].(map[string]any)
		path, _ := e["path"].([]any)
		code, _ := extensions["code"].(string)
		switch gqlerr.Code(code) {
		case gqlerr.CodeRateLimited, gqlerr.CodeUpstreamTimeout, gqlerr.CodeUpstreamUnavailable, gqlerr.CodeUpstreamBadResponse:
		default:
			t.Errorf("code = %q, want one of Mixcloud's failures: %s", code, resp.body)
		}
		if retry := extensions["retryable"] == true; retry != gqlerr.Code(code).Retryable() || len(path) == 0 || e["message"] == "" {
			t.Errorf("error = %v, want a path, a message, and the value of retryable that belongs to its code", e)
		}
		ms, _ := extensions["retryAfterMs"].(float64)
		wait = max(wait, ms)
		failed[dottedPath(path)] = path
	}
	if got := resp.header.Get("Retry-After"); wait > 0 && got != strconv.Itoa((int(wait)+999)/1000) || wait == 0 && got != "" {
		t.Errorf("Retry-After = %q, want it to agree with the longest wait, %v ms", got, wait)
	}
	extensions, _ := whole["extensions"].(map[string]any)
	entries, _ := extensions["freshness"].([]any)
	for _, e := range entries {
		e := e.(map[string]any)
		age, _ := e["ageMs"].(float64)
		if e["stale"] != true || age < 0 || age > float64((24*time.Hour).Milliseconds()) {
			t.Errorf("freshness entry = %v, want stale and at most 24 hours old", e)
		}
	}
	if got := resp.header.Get("Cache-Control"); got != "no-store" && (len(errs)+len(entries) > 0 || !strings.HasPrefix(got, "public, max-age=")) {
		t.Errorf("Cache-Control = %q, want no-store, or max-age if the response is complete and fresh: %s", got, resp.body)
	}
	for path := range differences("", want, whole["data"]) {
		hasError := failed[path] != nil
		for parent := path; !hasError && strings.Contains(parent, "."); {
			parent = parent[:strings.LastIndexByte(parent, '.')]
			hasError = failed[parent] != nil
		}
		if !hasError {
			t.Errorf("value at %s differs from the baseline without an error: %s", path, resp.body)
		}
	}
	for text, path := range failed {
		if v := valueAt(whole["data"], path); v != nil {
			t.Errorf("value at %s = %v, want null because of its error", text, v)
		}
	}
	return len(errs)+len(entries) == 0
}

// differences returns the paths at which got differs from want. At is the path of both.
func differences(at string, want, got any) map[string]bool {
	all := map[string]bool{}
	compare := func(name string, want, got any) {
		maps.Copy(all, differences(strings.TrimPrefix(at+"."+name, "."), want, got))
	}
	switch want := want.(type) {
	case map[string]any:
		if got, ok := got.(map[string]any); ok && len(got) == len(want) {
			for name := range want {
				compare(name, want[name], got[name])
			}
			return all
		}
	case []any:
		if got, ok := got.([]any); ok && len(got) == len(want) {
			for i := range want {
				compare(strconv.Itoa(i), want[i], got[i])
			}
			return all
		}
	}
	if !reflect.DeepEqual(want, got) {
		all[at] = true
	}
	return all
}
