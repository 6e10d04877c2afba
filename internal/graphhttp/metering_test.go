package graphhttp_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/idempotency"
	"mixcloud-graphql/internal/opstats"
)

// fakeStats are OperationStats that a test defines.
type fakeStats struct {
	signed bool
	cost   opstats.Cost
	stale  []opstats.StaleRead
	fresh  time.Duration
	unread bool
	limit  opstats.RateLimit
}

func (a fakeStats) Anonymous() bool                 { return !a.signed }
func (a fakeStats) Cost() opstats.Cost              { return a.cost }
func (a fakeStats) StaleReads() []opstats.StaleRead { return a.stale }
func (a fakeStats) FreshFor() (time.Duration, bool) { return a.fresh, !a.unread }
func (a fakeStats) RateLimit() opstats.RateLimit    { return a.limit }

// metered returns options that set the estimate and the OperationStats of each operation.
func metered(e opstats.Estimate, a fakeStats) graphhttp.Options {
	return graphhttp.Options{
		Estimate: func(context.Context, *graphql.OperationContext) opstats.Estimate { return e },
		Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			graphhttp.SetStats(ctx, a)
			return next(ctx)
		},
	}
}

var within = opstats.Estimate{Calls: 3, Budget: 200}

// get sends a query in the URL to a handler of the stub.
func get(t *testing.T, o graphhttp.Options, query string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(graphhttp.New(newStub(), o), request(t, http.MethodGet, "/graphql?query="+url.QueryEscape(query), "", headers...))
}

func TestOverBudget(t *testing.T) {
	t.Parallel()
	over := opstats.Estimate{
		Calls: 300, Budget: 200, Advice: "It fits with `first: 9` for hello.",
		Fits: map[string]any{"path": "hello", "argument": "first", "size": 9},
	}
	plain := opstats.Estimate{Calls: 201, Budget: 200, Advice: "Split it."}
	const query = `{"query":"mutation { set(to: 1) }"}`
	tests := map[string]struct {
		estimate opstats.Estimate
		accept   string
		status   int
		want     string
	}{
		"with advice": {over, "application/graphql-response+json", 400, `{"errors":[{"message":"This operation may need 300 calls to Mixcloud; at most 200 are allowed. It fits with ` + "`first: 9`" + ` for hello.","extensions":{"budget":200,"code":"LIMIT_EXCEEDED","estimated":300,"fits":{"argument":"first","path":"hello","size":9}}}]}`},
		"no size":     {plain, "application/json", 200, `{"errors":[{"message":"This operation may need 201 calls to Mixcloud; at most 200 are allowed. Split it.","extensions":{"budget":200,"code":"LIMIT_EXCEEDED","estimated":201}}]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := metered(tt.estimate, fakeStats{})
			o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
				t.Error("an operation above its budget was executed")
				return graphql.OneShot(nil)
			}
			rec := post(t, o, query, "Accept: "+tt.accept)
			if rec.Code != tt.status || rec.Body.String() != tt.want {
				t.Errorf("status %d, want %d\n%s", rec.Code, tt.status, cmp.Diff(tt.want, rec.Body.String()))
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control = %q, want no-store", got)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		estimate opstats.Estimate
		want     string
	}{
		"within": {within, `{"data":null,"extensions":{"cost":{"budget":200,"estimated":3}}}`},
		"over":   {opstats.Estimate{Calls: 300, Budget: 200, Fits: map[string]any{"size": 9}}, `{"data":null,"extensions":{"cost":{"budget":200,"estimated":300,"fits":{"size":9}}}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := metered(tt.estimate, fakeStats{fresh: time.Hour})
			o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
				t.Error("the dry run executed the operation")
				return graphql.OneShot(nil)
			}
			for _, rec := range []*httptest.ResponseRecorder{
				get(t, o, "{ hello }", "X-GraphQL-Dry-Run: true"),
				post(t, o, `{"query":"{ hello }"}`, "x-graphql-dry-run: 1"),
				post(t, o, `{"query":"mutation { set(to: 1) }"}`, "X-GraphQL-Dry-Run: true"),
			} {
				if rec.Code != http.StatusOK || rec.Body.String() != tt.want || rec.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("dry run: status %d, headers %v, want 200 with no-store; body %s, want %s", rec.Code, rec.Header(), rec.Body, tt.want)
				}
			}
		})
	}
	for _, value := range []string{"", "false", "FALSE", "0"} {
		if rec := post(t, metered(within, fakeStats{}), `{"query":"{ hello }"}`, "X-GraphQL-Dry-Run: "+value); !strings.Contains(rec.Body.String(), "you") {
			t.Errorf("X-GraphQL-Dry-Run: %q: got %s, want the operation executed", value, rec.Body)
		}
	}
	// An invalid dry run header must not lead to an execution.
	for _, headers := range [][]string{{"yes"}, {"perhaps"}, {"true, true"}, {"true", "true"}, {"false", "true"}} {
		o := metered(within, fakeStats{})
		o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
			t.Errorf("%q: the operation was executed, want it refused", headers)
			return graphql.OneShot(nil)
		}
		lines := []string{"Accept: application/graphql-response+json"}
		for _, value := range headers {
			lines = append(lines, "X-GraphQL-Dry-Run: "+value)
		}
		rec := post(t, o, `{"query":"mutation { set(to: 1) }"}`, lines...)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "BAD_USER_INPUT") {
			t.Errorf("%q: status %d, want 400 with BAD_USER_INPUT: %s", headers, rec.Code, rec.Body)
		}
	}
}

// TestDryRun_IdempotencyKey checks that a dry run does not use the write's idempotency key: it does not
// claim it, does not block the write, and does not replay it.
func TestDryRun_IdempotencyKey(t *testing.T) {
	t.Parallel()
	const estimated = `"estimated":3`
	o := metered(within, fakeStats{})
	o.Principal = func(context.Context) string { return "me" }
	begun, end := make(chan struct{}), make(chan struct{})
	s := newStub()
	s.fields["set"] = func(ctx context.Context, _ map[string]any) (any, error) {
		close(begun) // panics if it happens twice
		idempotency.MarkSent(ctx)
		<-end
		return "done", nil
	}
	h := graphhttp.New(s, o)
	send := func(to int, headers ...string) *httptest.ResponseRecorder {
		return serve(h, request(t, http.MethodPost, "/graphql", set(to), append(headers, "Content-Type: application/json", newer, "Idempotency-Key: k")...))
	}
	dry := func(when string) {
		t.Helper()
		for to := range 2 {
			if rec := send(to, "X-GraphQL-Dry-Run: true"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), estimated) || rec.Header().Get("Idempotent-Replayed") != "" {
				t.Errorf("dry run %s the write: status %d, headers %v, want 200 with an estimate, not a replay\n%s", when, rec.Code, rec.Header(), rec.Body)
			}
		}
	}
	dry("before")
	written := make(chan *httptest.ResponseRecorder)
	go func() { written <- send(1) }()
	<-begun
	dry("during")
	close(end)
	check(t, <-written, http.StatusOK, `"set":"done"`)
	dry("after")
	check(t, send(1), http.StatusOK, `"set":"done"`) // replayed

	// A dry run does not wait for files either, with a key or without one.
	head := strings.TrimSuffix(formOf(sendQuery, sendMap, file("0", "content")), "content\r\n--b--\r\n")
	for _, headers := range [][]string{nil, {"Idempotency-Key: files"}} {
		r := request(t, http.MethodPost, "/graphql", "x", append(headers, formType, preflight, newer, "X-GraphQL-Dry-Run: true")...)
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(head), unreadBody{t}))
		check(t, serve(h, r), http.StatusOK, estimated)
	}
}

// TestDryRun_Requests checks that a dry run returns the same errors for invalid requests, and
// works with each transport.
func TestDryRun_Requests(t *testing.T) {
	t.Parallel()
	const dry, estimated = "X-GraphQL-Dry-Run: true", `{"data":null,"extensions":{"cost":{"budget":200,"estimated":3}}}`
	const json = "Content-Type: application/json"
	tests := map[string]struct {
		method, target, body string
		headers              []string
		status               int
		want                 string
	}{
		"syntax error":    {http.MethodPost, "/graphql", `{"query":"{"}`, []string{json, newer}, 400, "GRAPHQL_PARSE_FAILED"},
		"not valid":       {http.MethodPost, "/graphql", `{"query":"{ nope }"}`, []string{json, newer}, 400, "GRAPHQL_VALIDATION_FAILED"},
		"wrong variable":  {http.MethodPost, "/graphql", `{"query":"query($n: Int!) { hello(n: $n) }"}`, []string{json, newer}, 400, "GRAPHQL_VALIDATION_FAILED"},
		"operationName":   {http.MethodPost, "/graphql", `{"query":"query A { hello } mutation B { set(to: 1) }","operationName":"B"}`, []string{json, newer}, 200, estimated},
		"write in a URL":  {http.MethodGet, "/graphql?query=mutation%7Bset(to:1)%7D", "", []string{newer}, 405, "POST"},
		"subscription":    {http.MethodPost, "/graphql", `{"query":"subscription { count(to: 3) }"}`, []string{json, newer}, 406, "text/event-stream"},
		"events":          {http.MethodPost, "/graphql", `{"query":"subscription { count(to: 3) }"}`, []string{json, "Accept: text/event-stream"}, 200, ":\n\nevent: next\ndata: " + estimated + "\n\nevent: complete\ndata: \n\n"},
		"query as events": {http.MethodGet, "/graphql?query=%7Bhello%7D", "", []string{"Accept: text/event-stream"}, 200, "data: " + estimated},
		"batch":           {http.MethodPost, "/graphql", `[{"query":"{ hello }"}]`, []string{json, newer}, 400, "BAD_USER_INPUT"},
		"form":            {http.MethodPost, "/graphql", formOf(sendQuery, sendMap, file("0", "content")), []string{formType, preflight, newer}, 200, estimated},
		"two take files":  {http.MethodPost, "/graphql", formOf(`{"query":"mutation($f: Upload) { a: send(file: $f) b: send(file: $f) }","variables":{"f":null}}`, sendMap, file("0", "content")), []string{formType, preflight, newer}, 400, "exactly one field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := metered(within, fakeStats{fresh: time.Hour})
			o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
				t.Error("the dry run executed the operation")
				return graphql.OneShot(nil)
			}
			rec := serve(graphhttp.New(newStub(), o), request(t, tt.method, tt.target, tt.body, append(tt.headers, dry)...))
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) {
				t.Errorf("status %d, want %d and %s\n%s", rec.Code, tt.status, tt.want, rec.Body)
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control = %q, want no-store", got)
			}
		})
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	stale := fakeStats{
		cost: opstats.Cost{Calls: 2, Hits: 1, Coalesced: 4, Stale: 1},
		stale: []opstats.StaleRead{
			{Paths: [][]any{{"user", "cloudcasts", 10}}, Age: 90 * time.Minute, Reason: "UNAVAILABLE"},
			{Paths: [][]any{{"user", "cloudcasts", 9}, {"user"}}, Age: time.Minute, Reason: "RATE_LIMITED"},
			{Age: time.Second, Reason: "REVALIDATING"},
		},
	}
	const freshness = `"freshness":[{"path":null,"ageMs":1000,"stale":true,"reason":"REVALIDATING"},` +
		`{"path":["user"],"ageMs":60000,"stale":true,"reason":"RATE_LIMITED"},` +
		`{"path":["user","cloudcasts",9],"ageMs":60000,"stale":true,"reason":"RATE_LIMITED"},` +
		`{"path":["user","cloudcasts",10],"ageMs":5400000,"stale":true,"reason":"UNAVAILABLE"}]`
	tests := map[string]struct {
		stats  fakeStats
		header string
		want   string
	}{
		"not requested": {stats: fakeStats{}, header: "X-Nothing: true"},
		"cost":          {stats: fakeStats{cost: opstats.Cost{Calls: 2}}, header: "X-GraphQL-Cost: true", want: `{"cost":{"estimated":3,"budget":200,"upstreamCalls":2,"cacheHits":0,"coalesced":0,"stale":0}}`},
		"stale":         {stats: stale, header: "X-GraphQL-Cost: false", want: "{" + freshness + "}"},
		"stale, cost":   {stats: stale, header: "X-GraphQL-Cost: 1", want: `{"cost":{"estimated":3,"budget":200,"upstreamCalls":2,"cacheHits":1,"coalesced":4,"stale":1},` + freshness + "}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := post(t, metered(within, tt.stats), `{"query":"{ hello }"}`, tt.header)
			var got struct{ Extensions json.RawMessage }
			if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if string(got.Extensions) != tt.want {
				t.Error(cmp.Diff(tt.want, string(got.Extensions)))
			}
		})
	}
}

// A subscription reads nothing, so its events have no cost and its header has no rate limit.
func TestExtensions_subscription(t *testing.T) {
	t.Parallel()
	budget := 200
	a := fakeStats{cost: opstats.Cost{Calls: 2}, stale: []opstats.StaleRead{{Age: time.Second, Reason: opstats.Unavailable}}, limit: opstats.RateLimit{Budget: &budget, Remaining: &budget}}
	rec := post(t, metered(within, a), `{"query":"subscription { count(to: 1) }"}`, "Accept: text/event-stream", "X-GraphQL-Cost: true")
	const want = ":\n\nevent: next\ndata: {\"data\":{\"count\": 1}}\n\nevent: complete\ndata: \n\n"
	if rec.Body.String() != want || rec.Header().Get("RateLimit") != "" {
		t.Errorf("headers %v, body\n%s\nwant %s", rec.Header(), rec.Body, want)
	}
}

// TestCaching checks that only responses that are anonymous, fresh and complete, to a request
// with GET, may be cached by others.
func TestCaching(t *testing.T) {
	t.Parallel()
	fresh := fakeStats{fresh: 90*time.Second + 999*time.Millisecond}
	tests := map[string]struct {
		estimate opstats.Estimate
		stats    fakeStats
		query    string
		header   string
		post     bool
		want     string
	}{
		"anonymous":       {stats: fresh, want: "public, max-age=90"},
		"sent with POST":  {stats: fresh, post: true, want: "no-store"},
		"signed in":       {stats: fakeStats{fresh: time.Hour, signed: true}, want: "no-store"},
		"partly stale":    {stats: fakeStats{fresh: time.Hour, stale: []opstats.StaleRead{{}}}, want: "no-store"},
		"fresh for < 1 s": {stats: fakeStats{fresh: 999 * time.Millisecond}, want: "no-store"},
		"stale":           {stats: fakeStats{}, want: "no-store"},
		"no reads":        {stats: fakeStats{unread: true, fresh: time.Hour}, want: "no-store"},
		"volatile":        {estimate: opstats.Estimate{Uncacheable: true, Budget: 1}, stats: fresh, want: "no-store"},
		"with errors":     {stats: fresh, query: "{ hello fail }", want: "no-store"},
		"not valid":       {stats: fresh, query: "{ nope }", want: "no-store"},
		"with a cookie":   {stats: fresh, header: "Cookie: theme=dark", want: "no-store"},
		"with the cost":   {stats: fresh, header: "X-GraphQL-Cost: true", want: "no-store"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // with a fake clock
				query, header := tt.query, tt.header
				if query == "" {
					query = "{ hello }"
				}
				if header == "" {
					header = "X-Nothing: true"
				}
				o := metered(tt.estimate, tt.stats)
				rec := get(t, o, query, header)
				if tt.post {
					rec = post(t, o, `{"query":"{ hello }"}`, header)
				}
				if got := rec.Header().Get("Cache-Control"); got != tt.want {
					t.Errorf("Cache-Control is %q, want %q", got, tt.want)
				}
				if want := "Accept, Accept-Encoding, Authorization, Cookie, X-GraphQL-Cost, X-GraphQL-Dry-Run, X-GraphQL-Trace"; strings.HasPrefix(tt.want, "public") && cmp.Diff([]string{want}, rec.Header()["Vary"]) != "" {
					t.Errorf("Vary = %q, want %q", rec.Header()["Vary"], want)
				}
			})
		})
	}
}

// TestCaching_Age checks that the duration of the operation is subtracted from max-age.
func TestCaching_Age(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := metered(within, fakeStats{fresh: time.Minute})
		around := o.Around
		o.Around = func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			time.Sleep(10 * time.Second)
			return around(ctx, next)
		}
		h := graphhttp.New(newStub(), o)
		r := request(t, http.MethodGet, "/graphql?query=%7Bhello%7D", "")
		if got := serve(h, r).Header().Get("Cache-Control"); got != "public, max-age=50" {
			t.Errorf("Cache-Control = %q, want public, max-age=50", got)
		}
	})
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget, left, none := 200, 37, 0
		soon, past := time.Now().Add(1500*time.Millisecond), time.Now().Add(-time.Second)
		tests := map[string]struct {
			limit        opstats.RateLimit
			limits, rule string
		}{
			"unknown":      {},
			"budget":       {opstats.RateLimit{Budget: &budget, Remaining: &left}, `"mixcloud";r=37`, `"mixcloud";q=200`},
			"refused":      {opstats.RateLimit{Budget: &budget, Remaining: &none, RetryAt: &soon}, `"mixcloud";r=0;t=2`, `"mixcloud";q=200`},
			"only refused": {opstats.RateLimit{RetryAt: &soon}, `"mixcloud";r=0;t=2`, ""},
			"past":         {opstats.RateLimit{RetryAt: &past}, "", ""},
		}
		for name, tt := range tests {
			rec := post(t, metered(within, fakeStats{limit: tt.limit}), `{"query":"{ hello }"}`)
			if got := rec.Header().Get("RateLimit"); got != tt.limits {
				t.Errorf("%s: RateLimit is %q, want %q", name, got, tt.limits)
			}
			if got := rec.Header().Get("RateLimit-Policy"); got != tt.rule {
				t.Errorf("%s: RateLimit-Policy is %q, want %q", name, got, tt.rule)
			}
		}
	})
}
