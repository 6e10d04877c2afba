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

// A victim is a field that meets a fault, beside one that does not.
type victim struct {
	name  string
	match string // the path of the call that goes wrong
	query string // the field is at path; "rest" has to stand
	path  []any
}

var victims = []victim{
	{"look-up", "/spartacus/", `{ user(username: "spartacus") { name } rest: tag(name: "funk") { name } }`, []any{"user"}},
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

// faults says as what each way to fail comes out. Those without a code do no
// harm to a read.
var faults = map[emulator.FaultKind]struct {
	code    string
	retries bool
	wait    float64 // milliseconds
	took    time.Duration
}{
	emulator.FaultRateLimit:       {code: "RATE_LIMITED", retries: true, wait: 90_000},
	emulator.FaultRateLimitNoWait: {code: "RATE_LIMITED", retries: true, wait: 1_000}, // the pause that it brings
	emulator.FaultHTML403:         {code: "UPSTREAM_UNAVAILABLE", retries: true, wait: 1_000},
	emulator.FaultHTML413:         {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultHTML502:         {code: "UPSTREAM_UNAVAILABLE", retries: true, wait: 1_000},
	emulator.FaultHTML503:         {code: "UPSTREAM_UNAVAILABLE", retries: true, wait: 90_000},
	emulator.FaultError500:        {code: "UPSTREAM_UNAVAILABLE", retries: true, wait: 1_000},
	emulator.FaultSlowHeaders:     {code: "UPSTREAM_TIMEOUT", retries: true, wait: 1_000, took: deadline},
	emulator.FaultSlowBody:        {code: "UPSTREAM_TIMEOUT", retries: true, wait: 1_000, took: deadline},
	emulator.FaultTruncatedBody:   {code: "UPSTREAM_UNAVAILABLE", retries: true, wait: 1_000},
	emulator.FaultTruncatedJSON:   {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultEndlessBody:     {code: "UPSTREAM_TIMEOUT", retries: true, wait: 1_000, took: deadline},
	emulator.FaultReset:           {code: "UPSTREAM_UNAVAILABLE", retries: true, wait: 1_000},
	emulator.FaultError200:        {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultNotJSON:         {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultSuccessFalse:    {code: "UPSTREAM_BAD_RESPONSE"},
	emulator.FaultContentType:     {},
	emulator.FaultEmptyPage:       {},
	emulator.FaultRepeatedPage:    {},
	emulator.FaultURLEncodedToken: {},
	emulator.FaultEarly400:        {}, // these four disturb writes only
	emulator.FaultEarly413:        {},
	emulator.FaultEarly503:        {},
	emulator.FaultUploadReset:     {},
}

// deadline is how long an operation may take in these tests.
const deadline = 20 * time.Second

// TestFaults lets every field meet every fault. Each time one field is null with
// the right code at its own path, and the rest of the answer stands.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, kind := range emulator.FaultKinds() {
		if _, ok := faults[kind]; !ok {
			t.Errorf("no line says what %q comes out as", kind)
		}
		for _, v := range victims {
			t.Run(string(kind)+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				sharedWorld()
				synctest.Test(t, func(t *testing.T) { v.suffer(t, kind) })
			})
		}
	}
}

func (v victim) suffer(t *testing.T, kind emulator.FaultKind) {
	want := faults[kind]
	s := newTestServer(t, serverOptions{config: config.Serve{RequestTimeout: deadline}})
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
		// A limit holds for all calls from then on, whichever comes first: what
		// stands beside it stands because it was seen before.
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
		t.Errorf("the rest does not stand: %s", resp.body)
	}
	if want.code == "" {
		if len(errs) > 0 {
			t.Errorf("%+v", errs)
		}
		return
	}
	if len(errs) != 1 {
		t.Fatalf("%d errors, want one: %s", len(errs), resp.body)
	}
	if diff := cmp.Diff(v.path, errs[0].Path); diff != "" {
		t.Errorf("path: %s", diff)
	}
	if got := at(data, v.path); got != nil {
		t.Errorf("the field is %v", got)
	}
	if got := errs[0].code(); got != want.code {
		t.Errorf("code %s, want %s: %s", got, want.code, errs[0].Message)
	}
	if got := errs[0].Extensions["retryable"] == true; got != want.retries {
		t.Errorf("retryable is %v", got)
	}
	wait, _ := errs[0].Extensions["retryAfterMs"].(float64)
	if wait != want.wait {
		t.Errorf("retryAfterMs is %v, want %v", wait, want.wait)
	}
	if want.took != took {
		t.Errorf("took %v, want %v", took, want.took)
	}
	for _, leak := range []string{"mixcloud.test", "Get \"", "<html", "goroutine", ".go:"} {
		if bytes.Contains(resp.body, []byte(leak)) {
			t.Errorf("the answer has %q in it: %s", leak, resp.body)
		}
	}
}

// at is what stands at a path of an answer.
func at(v any, path []any) any {
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

// TestRefusals lets Mixcloud answer a load, under a parent that is there, with
// refusals of every kind: what counts is what it says, then its status.
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
		{"not found without a word", 404, "", "NOT_FOUND"},
		{"a page of HTML that says so", 404, "<html>Not here</html>", "NOT_FOUND"},
		{"gone", 410, refusal("Whatever", "It was removed."), "NOT_FOUND"},
		{"not found by its type", 400, refusal("ResourceNotFoundException", "?"), "NOT_FOUND"},
		{"forbidden", 403, refusal("PermissionException", "Not yours."), "FORBIDDEN"},
		{"a token is wanted, 400", 400, refusal("OAuthException", "An access_token is required to access this resource."), "UNAUTHENTICATED"},
		{"a token is wanted, 401", 401, refusal("OAuthException", "An invalid access token was provided"), "UNAUTHENTICATED"},
		{"a token is wanted, 403", 403, refusal("OAuthException", "An invalid access token was provided"), "UNAUTHENTICATED"},
		{"limited by its type", 403, refusal("RateLimitException", "Slow down"), "RATE_LIMITED"},
		{"limited by the status of others", 429, "", "RATE_LIMITED"},
		{"a bot page", 403, "<html>Checking your browser</html>", "UPSTREAM_UNAVAILABLE"},
		{"a gateway", 504, "<html>Gateway timeout</html>", "UPSTREAM_UNAVAILABLE"},
		{"a redirect to nowhere", 302, "", "UPSTREAM_BAD_RESPONSE"},
		{"withheld for legal reasons", 451, "<html>Not in your country</html>", "FORBIDDEN"},
		{"payment required", 402, "<html>Pay</html>", "FORBIDDEN"},
		{"locked", 423, refusal("LockedException", "Locked"), "FORBIDDEN"},
		{"method not allowed", 405, "<html>No</html>", "UPSTREAM_BAD_RESPONSE"},
		{"conflict", 409, "<html>No</html>", "UPSTREAM_BAD_RESPONSE"},
		{"a page of a proxy of ours", 407, "<html>Who are you?</html>", "UPSTREAM_UNAVAILABLE"},
		{"too early", 425, "", "UPSTREAM_UNAVAILABLE"},
		{"a refusal of no known kind", 418, refusal("TeapotException", "Short and stout."), "UPSTREAM_BAD_RESPONSE"},
		{"something else with that key's address", 200, `{"data": []}`, "UPSTREAM_BAD_RESPONSE"},
		{"nothing", 200, "", "UPSTREAM_BAD_RESPONSE"},
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
			if test.code == "NOT_FOUND" { // a look-up that finds nothing is no error
				want = 1
			}
			if len(errs) != want {
				t.Fatalf("%+v", errs)
			}
			for _, e := range errs {
				if e.code() != test.code {
					t.Errorf("code %s, want %s", e.code(), test.code)
				}
				if strings.Contains(e.Message, "Short and stout") || strings.Contains(e.Message, "html") {
					t.Errorf("Mixcloud's words are passed on: %s", e.Message)
				}
			}
			if at(data, []any{"user"}) != nil || at(data, []any{"cloudcast", "user", "name"}) != "Spartacus" || at(data, []any{"cloudcast", "user", "biog"}) != nil {
				t.Errorf("%v", data)
			}
		})
	}
}

// TestRateLimitIsTold tells in a later operation until when Mixcloud refuses,
// and forgets it when the time has come.
func TestRateLimitIsTold(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{})
		retryAt := func() *time.Time {
			var data struct{ RateLimit struct{ RetryAt *time.Time } }
			if errs := s.execute(t, "", `{ rateLimit { retryAt } }`, nil).decode(t, &data); len(errs) > 0 {
				t.Fatalf("%+v", errs)
			}
			return data.RateLimit.RetryAt
		}
		if at := retryAt(); at != nil {
			t.Fatalf("before any refusal: %v", at)
		}
		if err := s.emulator.Fail(emulator.Fault{Match: "/spartacus/", Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second, Times: 1}); err != nil {
			t.Fatal(err)
		}
		s.execute(t, "", `{ user(username: "spartacus") { name } }`, nil)
		if at, want := retryAt(), time.Now().Add(452*time.Second).UTC().Truncate(time.Second); at == nil || !at.Equal(want) {
			t.Errorf("after a refusal: %v, want %v", at, want)
		}
		time.Sleep(452 * time.Second)
		if at := retryAt(); at != nil {
			t.Errorf("after the wait: %v", at)
		}
	})
}

// TestBudget asks for more calls than an operation may make. What can be told
// from the query is refused before the first call. Should the estimate be too
// low, exactly the budget is spent, what it paid for is shown, and each field
// beyond is refused.
func TestBudget(t *testing.T) {
	t.Parallel()
	const query = `query($first: Int) { user(username: "HarbourFM") { cloudcasts(first: $first) { nodes { slug description comments(first: 1) { totalCount nodes { id } } } } } }`
	asked := newTestServer(t, serverOptions{})
	if errs := asked.execute(t, "", query, map[string]any{"first": 100}).decode(t, nil); len(errs) != 1 || errs[0].code() != "LIMIT_EXCEEDED" || !strings.Contains(errs[0].Message, "200") {
		t.Errorf("with an estimate above the budget: %+v", errs)
	}
	if calls := asked.takeCalls(); len(calls) > 0 {
		t.Errorf("%q were called", calls)
	}
	const budget = 150 // and 200 in the eyes of the estimate
	s := newTestServer(t, serverOptions{tune: []func(*upstream.Options){func(o *upstream.Options) { o.Budget = budget }}})
	resp := s.execute(t, "", query, map[string]any{"first": 99})
	var data struct {
		User struct {
			Cloudcasts struct{ Nodes []struct{ Slug string } }
		}
	}
	errs := resp.decode(t, &data)
	if got := len(s.takeCalls()); got != budget {
		t.Errorf("%d calls were made, want %d", got, budget)
	}
	// All that failed is told of: the first errors one by one, the others by their number.
	const failed = 2 + 2*99 - budget
	if len(errs) != responselimit.MaxErrors+1 {
		t.Fatalf("%d errors, want %d and one that counts the others", len(errs), responselimit.MaxErrors)
	}
	for _, e := range errs[:responselimit.MaxErrors] {
		if e.code() != "LIMIT_EXCEEDED" || !strings.Contains(e.Message, "150") {
			t.Errorf("%+v", e)
		}
	}
	rest := errs[responselimit.MaxErrors]
	if omitted, _ := rest.Extensions["omitted"].(float64); rest.code() != "LIMIT_EXCEEDED" || omitted != failed-responselimit.MaxErrors {
		t.Errorf("%d errors are not listed, and the last one says %+v", failed-responselimit.MaxErrors, rest)
	}
	if len(data.User.Cloudcasts.Nodes) != 99 {
		t.Errorf("%d items are left", len(data.User.Cloudcasts.Nodes))
	}
	if again := s.execute(t, "", `{ user(username: "demo") { name } }`, nil); len(again.decode(t, nil)) > 0 {
		t.Errorf("the next operation has no budget of its own: %s", again.body)
	}
	small := newTestServer(t, serverOptions{config: config.Serve{OperationBudget: 1}})
	if errs := small.execute(t, "", `{ user(username: "demo") { name feed { nodes { key } } } }`, nil).decode(t, nil); len(errs) != 1 || errs[0].code() != "LIMIT_EXCEEDED" {
		t.Errorf("with a budget of one: %+v", errs)
	}
}

// TestClientThatLeaves ends its request while Mixcloud is slow: the calls end
// with it, also those that wait for their turn.
func TestClientThatLeaves(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{config: config.Serve{MaxUpstream: 1}, emulator: []emulator.Option{emulator.WithLatency(time.Minute)}})
		ctx, leave := context.WithCancel(t.Context())
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
		leave()
		<-done
		synctest.Wait()
		if took := time.Since(start); took != 0 {
			t.Errorf("the server went on for %v", took)
		}
		if calls := s.takeCalls(); len(calls) != 1 {
			t.Errorf("%d calls were begun, want the first alone: %q", len(calls), calls)
		}
	})
}
