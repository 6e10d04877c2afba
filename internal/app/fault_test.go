package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/responselimit"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud/emulator"
)

// A faultTarget is an operation with a field whose call fails and a field "rest" whose call does not.
type faultTarget struct {
	name  string
	match string // the path of the call that fails
	query string
	path  []any // the path of the failing field
}

var faultTargets = []faultTarget{
	{"lookup", "/spartacus/", `{ user(username: "spartacus") { name } rest: tag(name: "funk") { name } }`, []any{"user"}},
	{"list", "/spartacus/followers/", `{ user(username: "spartacus") { followers(first: 1) { nodes { key } } rest: name } }`, []any{"user", "followers"}},
	{"load", "/spartacus/", `{ cloudcast(key: "/spartacus/party-time/") { user { biog } rest: name } }`, []any{"cloudcast", "user", "biog"}},
	{"total", "/spartacus/", `{ cloudcast(key: "/spartacus/party-time/") { user { followers(first: 1) { totalCount rest: nodes { key } } } } }`, []any{"cloudcast", "user", "followers", "totalCount"}},
	{"raw", "/spartacus/", `{ cloudcast(key: "/spartacus/party-time/") { user { raw(full: true) rest: name } } }`, []any{"cloudcast", "user", "raw"}},
	{"plain list", "/categories/", `{ categories { name } rest: category(slug: "funk") { name } }`, []any{"categories"}},
	{"search", "/search/", `{ search(query: "night") { users(first: 1) { nodes { key } } rest: query } }`, []any{"search", "users"}},
	{"node", "/spartacus/", `{ nodes(ids: ["MXUKL3NwYXJ0YWN1cy8"]) { id } rest: tag(name: "funk") { name } }`, []any{"nodes", 0.0}},
	{"comment", "/demo/comments/", `{ node(id: "MW0KL2NvbW1lbnRzL2NyLzIwNC8yOC9jMS8KL2RlbW8vCjE3MDAwMDAwMDA") { id } rest: tag(name: "funk") { name } }`, []any{"node"}},
	{"player", "/spartacus/party-time/embed-html/", `{ cloudcast(key: "/spartacus/party-time/") { embedHtml rest: name } }`, []any{"cloudcast", "embedHtml"}},
	{"player's JSON", "/spartacus/party-time/embed-json/", `{ cloudcast(key: "/spartacus/party-time/") { embedJson rest: name } }`, []any{"cloudcast", "embedJson"}},
	{"oEmbed", "/www/oembed/", `{ oembed(url: "/spartacus/party-time/") { title } rest: tag(name: "funk") { name } }`, []any{"oembed"}},
}

// faultResults maps each fault to the error of the failing field. Faults without a code do not affect reads.
var faultResults = map[emulator.FaultKind]struct {
	code      string
	retryable bool
	wait      float64 // retryAfterMs
	duration  time.Duration
}{
	emulator.FaultRateLimit:       {code: "RATE_LIMITED", retryable: true, wait: 90_000},
	emulator.FaultRateLimitNoWait: {code: "RATE_LIMITED", retryable: true, wait: 1_000}, // the pause that the server chooses
	emulator.FaultHTML403:         {code: "UPSTREAM_UNAVAILABLE", retryable: true, wait: 1_000},
	emulator.FaultHTML413:         {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultHTML502:         {code: "UPSTREAM_UNAVAILABLE", retryable: true, wait: 1_000},
	emulator.FaultHTML503:         {code: "UPSTREAM_UNAVAILABLE", retryable: true, wait: 90_000},
	emulator.FaultError500:        {code: "UPSTREAM_UNAVAILABLE", retryable: true, wait: 1_000},
	emulator.FaultSlowHeaders:     {code: "UPSTREAM_TIMEOUT", retryable: true, wait: 1_000, duration: requestTimeout},
	emulator.FaultSlowBody:        {code: "UPSTREAM_TIMEOUT", retryable: true, wait: 1_000, duration: requestTimeout},
	emulator.FaultTruncatedBody:   {code: "UPSTREAM_UNAVAILABLE", retryable: true, wait: 1_000},
	emulator.FaultTruncatedJSON:   {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultEndlessBody:     {code: "UPSTREAM_TIMEOUT", retryable: true, wait: 1_000, duration: requestTimeout},
	emulator.FaultReset:           {code: "UPSTREAM_UNAVAILABLE", retryable: true, wait: 1_000},
	emulator.FaultError200:        {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultNotJSON:         {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultSuccessFalse:    {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultContentType:     {},
	emulator.FaultEmptyPage:       {},
	emulator.FaultRepeatedPage:    {},
	emulator.FaultURLEncodedToken: {},
	emulator.FaultEarly400:        {}, // this one and the next three affect writes only
	emulator.FaultEarly413:        {},
	emulator.FaultEarly503:        {},
	emulator.FaultUploadReset:     {},
}

// requestTimeout is the time limit of an operation in these tests.
const requestTimeout = 20 * time.Second

// TestFaults injects every fault into the call of every target. The failing field is null with the
// expected error at its path, and the field rest is not affected.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range emulator.FaultKinds() {
		if _, ok := faultResults[kind]; !ok {
			t.Errorf("faultResults has no row for the fault %q", kind)
		}
		for _, v := range faultTargets {
			t.Run(string(kind)+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				sharedWorld()
				synctest.Test(t, func(t *testing.T) { v.test(t, kind) })
			})
		}
	}
}

// test executes the target's operation with a fault.
func (v faultTarget) test(t *testing.T, kind emulator.FaultKind) {
	want := faultResults[kind]
	s := newTestServer(t, serverOptions{config: config.Serve{RequestTimeout: requestTimeout}})
	fault := emulator.Fault{Match: v.match, Kind: kind}
	switch kind {
	case emulator.FaultRateLimit, emulator.FaultHTML503:
		fault.RetryAfter = 90 * time.Second
	case emulator.FaultSlowHeaders, emulator.FaultSlowBody:
		fault.Delay = time.Hour
	case emulator.FaultEndlessBody:
		fault.Delay = time.Second
	}
	if kind == emulator.FaultRateLimit || kind == emulator.FaultRateLimitNoWait {
		// A rate limit applies to all calls, in any order: cache the field rest first.
		s.execute(t, "", `{ tag(name: "funk") { name } category(slug: "funk") { name } }`, nil)
	}
	if err := s.emulator.Fail(fault); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	resp := s.execute(t, "", v.query, nil)
	took := time.Since(start)
	var data map[string]any
	errs := resp.decode(t, &data)
	if !bytes.Contains(resp.body, []byte(`"rest":`)) || bytes.Contains(resp.body, []byte(`"rest":null`)) {
		t.Errorf("response = %s, want a value for rest", resp.body)
	}
	if want.code == "" {
		if len(errs) > 0 {
			t.Errorf("errors = %+v, want none", errs)
		}
		return
	}
	if len(errs) != 1 {
		t.Fatalf("got %d errors, want 1: %s", len(errs), resp.body)
	}
	if diff := cmp.Diff(v.path, errs[0].Path); diff != "" {
		t.Errorf("path of the error differs (-want +got): %s", diff)
	}
	if got := valueAt(data, v.path); got != nil {
		t.Errorf("failing field = %v, want null", got)
	}
	if got := errs[0].code(); got != want.code {
		t.Errorf("code = %s, want %s: %s", got, want.code, errs[0].Message)
	}
	if got := errs[0].Extensions["retryable"] == true; got != want.retryable {
		t.Errorf("retryable = %t, want %t", got, want.retryable)
	}
	wait, _ := errs[0].Extensions["retryAfterMs"].(float64)
	if wait != want.wait {
		t.Errorf("retryAfterMs = %v, want %v", wait, want.wait)
	}
	if want.duration != took {
		t.Errorf("duration = %v, want %v", took, want.duration)
	}
	for _, leak := range []string{"mixcloud.test", "Get \"", "<html", "goroutine", ".go:"} {
		if bytes.Contains(resp.body, []byte(leak)) {
			t.Errorf("response contains %q: %s", leak, resp.body)
		}
	}
}

// valueAt returns the value at a path of decoded JSON.
func valueAt(v any, path []any) any {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := v.(map[string]any)
			v = object[step]
		case float64:
			list, _ := v.([]any)
			v = list[int(step)]
		}
	}
	return v
}

// TestRefusals maps refusals of a load to error codes, first by the error in the body, then by the status. The parent of the
// load exists.
func TestRefusals(t *testing.T) {
	t.Parallel()
	refusal := func(kind, message string) string {
		return fmt.Sprintf(`{"error": {"type": %q, "message": %q}}`, kind, message)
	}
	for _, test := range []struct {
		name   string
		status int
		body   string
		code   string
	}{
		{"not found", 404, refusal("ResourceNotFoundException", "User does not exist."), "NOT_FOUND"},
		{"not found, empty body", 404, "", "NOT_FOUND"},
		{"not found, HTML", 404, "<html>Not here</html>", "NOT_FOUND"},
		{"gone", 410, refusal("GoneException", "It was removed."), "NOT_FOUND"},
		{"not found by its type", 400, refusal("ResourceNotFoundException", "?"), "NOT_FOUND"},
		{"forbidden", 403, refusal("PermissionException", "Not yours."), "FORBIDDEN"},
		{"a token is required, 400", 400, refusal("OAuthException", "An access_token is required to access this resource."), "UNAUTHENTICATED"},
		{"a token is required, 401", 401, refusal("OAuthException", "An invalid access token was provided"), "UNAUTHENTICATED"},
		{"a token is required, 403", 403, refusal("OAuthException", "An invalid access token was provided"), "UNAUTHENTICATED"},
		{"rate limit by type", 403, refusal("RateLimitException", "Slow down"), "RATE_LIMITED"},
		{"rate limit by status", 429, "", "RATE_LIMITED"},
		{"a page of bot protection", 403, "<html>Checking your browser</html>", "UPSTREAM_UNAVAILABLE"},
		{"a gateway", 504, "<html>Gateway timeout</html>", "UPSTREAM_UNAVAILABLE"},
		{"a redirect without a Location", 302, "", "UPSTREAM_BAD_RESPONSE"},
		{"unavailable for legal reasons", 451, "<html>Not in your country</html>", "FORBIDDEN"},
		{"payment required", 402, "<html>Pay</html>", "FORBIDDEN"},
		{"locked", 423, refusal("LockedException", "Locked"), "FORBIDDEN"},
		{"method not allowed", 405, "<html>No</html>", "UPSTREAM_BAD_RESPONSE"},
		{"conflict", 409, "<html>No</html>", "UPSTREAM_BAD_RESPONSE"},
		{"a page of our proxy", 407, "<html>Who are you?</html>", "UPSTREAM_UNAVAILABLE"},
		{"too early", 425, "", "UPSTREAM_UNAVAILABLE"},
		{"an unknown refusal", 418, refusal("TeapotException", "Short and stout."), "UPSTREAM_BAD_RESPONSE"},
		{"an object of another kind", 200, `{"data": []}`, "UPSTREAM_BAD_RESPONSE"},
		{"an empty body", 200, "", "UPSTREAM_BAD_RESPONSE"},
		{"null", 200, "null", "UPSTREAM_BAD_RESPONSE"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mixcloud := newEmulator(t)
			s := newTestServer(t, serverOptions{mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if r.URL.Path != "/spartacus/" {
					return mixcloud.Transport().RoundTrip(r)
				}
				w := httptest.NewRecorder()
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
				return w.Result(), nil
			})})
			var data map[string]any
			errs := s.execute(t, "", `{ cloudcast(key: "/spartacus/party-time/") { user { name biog } } user(username: "spartacus") { name } }`, nil).decode(t, &data)
			want := 2
			if test.code == "NOT_FOUND" { // a lookup that finds nothing is not an error
				want = 1
			}
			if len(errs) != want {
				t.Fatalf("errors = %+v, want %d", errs, want)
			}
			for _, e := range errs {
				if e.code() != test.code {
					t.Errorf("code = %s, want %s", e.code(), test.code)
				}
				if strings.Contains(e.Message, "Short and stout") || strings.Contains(e.Message, "html") {
					t.Errorf("message = %q, want none of Mixcloud's text", e.Message)
				}
			}
			if valueAt(data, []any{"user"}) != nil || valueAt(data, []any{"cloudcast", "user", "name"}) != "Spartacus" || valueAt(data, []any{"cloudcast", "user", "biog"}) != nil {
				t.Errorf("data = %v, want user and biog null and the name Spartacus", data)
			}
		})
	}
}

// After a refusal with Retry-After, rateLimit.retryAt is the time at which the wait ends. After that time it is null.
func TestRateLimit_RetryAt(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{})
		retryAt := func() *time.Time {
			var data struct{ RateLimit struct{ RetryAt *time.Time } }
			if errs := s.execute(t, "", `{ rateLimit { retryAt } }`, nil).decode(t, &data); len(errs) > 0 {
				t.Fatalf("errors = %+v, want none", errs)
			}
			return data.RateLimit.RetryAt
		}
		if at := retryAt(); at != nil {
			t.Fatalf("retryAt before any refusal = %v, want null", at)
		}
		if err := s.emulator.Fail(emulator.Fault{Match: "/spartacus/", Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second, Times: 1}); err != nil {
			t.Fatal(err)
		}
		s.execute(t, "", `{ user(username: "spartacus") { name } }`, nil)
		if at, want := retryAt(), time.Now().Add(452*time.Second).UTC().Truncate(time.Second); at == nil || !at.Equal(want) {
			t.Errorf("retryAt after a refusal = %v, want %v", at, want)
		}
		time.Sleep(452 * time.Second)
		if at := retryAt(); at != nil {
			t.Errorf("retryAt after the wait = %v, want null", at)
		}
	})
}

// An operation whose estimate is above its budget is refused before the first call. If the estimate is too low, the operation
// makes exactly as many calls as its budget: fields within the budget have values, and the others have errors.
func TestBudget(t *testing.T) {
	t.Parallel()
	const query = `query($first: Int) { user(username: "HarbourFM") { cloudcasts(first: $first) { nodes { slug description comments(first: 1) { totalCount nodes { id } } } } } }`
	refused := newTestServer(t, serverOptions{})
	if errs := refused.execute(t, "", query, map[string]any{"first": 100}).decode(t, nil); len(errs) != 1 || errs[0].code() != "LIMIT_EXCEEDED" || !strings.Contains(errs[0].Message, "200") {
		t.Errorf("errors with an estimate above the budget = %+v, want LIMIT_EXCEEDED", errs)
	}
	if calls := refused.takeCalls(); len(calls) > 0 {
		t.Errorf("calls = %q, want none", calls)
	}
	const budget = 150 // but the estimate is compared with 200
	s := newTestServer(t, serverOptions{tune: []func(*upstream.Options){func(o *upstream.Options) { o.Budget = budget }}})
	resp := s.execute(t, "", query, map[string]any{"first": 99})
	var data struct {
		User struct {
			Cloudcasts struct{ Nodes []struct{ Slug string } }
		}
	}
	errs := resp.decode(t, &data)
	if got := len(s.takeCalls()); got != budget {
		t.Errorf("%d calls, want %d", got, budget)
	}
	// The first errors are listed, and one more error counts the others.
	const failed = 2 + 2*99 - budget
	if len(errs) != responselimit.MaxErrors+1 {
		t.Fatalf("got %d errors, want %d and one that counts the others", len(errs), responselimit.MaxErrors)
	}
	for _, e := range errs[:responselimit.MaxErrors] {
		if e.code() != "LIMIT_EXCEEDED" || !strings.Contains(e.Message, "150") {
			t.Errorf("error = %+v, want LIMIT_EXCEEDED with the budget", e)
		}
	}
	rest := errs[responselimit.MaxErrors]
	if omitted, _ := rest.Extensions["omitted"].(float64); rest.code() != "LIMIT_EXCEEDED" || omitted != failed-responselimit.MaxErrors {
		t.Errorf("last error = %+v, want it to count %d omitted errors", rest, failed-responselimit.MaxErrors)
	}
	if len(data.User.Cloudcasts.Nodes) != 99 {
		t.Errorf("got %d nodes, want 99", len(data.User.Cloudcasts.Nodes))
	}
	if again := s.execute(t, "", `{ user(username: "demo") { name } }`, nil); len(again.decode(t, nil)) > 0 {
		t.Errorf("response to the next operation = %s, want no errors: each operation has its own budget", again.body)
	}
	small := newTestServer(t, serverOptions{config: config.Serve{OperationBudget: 1}})
	if errs := small.execute(t, "", `{ user(username: "demo") { name feed { nodes { key } } } }`, nil).decode(t, nil); len(errs) != 1 || errs[0].code() != "LIMIT_EXCEEDED" {
		t.Errorf("errors with a budget of 1 = %+v, want LIMIT_EXCEEDED", errs)
	}
}

// If the client disconnects, the operation's calls are canceled, including those in the queue.
func TestClientDisconnects_CancelsCalls(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{config: config.Serve{MaxUpstream: 1}, emulator: []emulator.Option{emulator.WithLatency(time.Minute)}})
		ctx, disconnect := context.WithCancel(t.Context())
		body, err := json.Marshal(map[string]string{"query": `{ a: user(username: "spartacus") { name } b: user(username: "demo") { name } c: tag(name: "funk") { name } }`})
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/graphql", bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.app.ServeHTTP(httptest.NewRecorder(), r)
		}()
		synctest.Wait()
		start := time.Now()
		disconnect()
		<-done
		synctest.Wait()
		if took := time.Since(start); took != 0 {
			t.Errorf("request ended %v after the disconnect, want at once", took)
		}
		if calls := s.takeCalls(); len(calls) != 1 {
			t.Errorf("calls = %q, want only the first one", calls)
		}
	})
}
