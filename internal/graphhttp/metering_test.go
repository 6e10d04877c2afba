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
)

// An account is one of which a test says everything.
type account struct {
	signed bool
	cost   graphhttp.Cost
	notes  []graphhttp.Note
	fresh  time.Duration
	unread bool
	limit  graphhttp.RateLimit
}

func (a account) Anonymous() bool                 { return !a.signed }
func (a account) Cost() graphhttp.Cost            { return a.cost }
func (a account) Freshness() []graphhttp.Note     { return a.notes }
func (a account) FreshFor() (time.Duration, bool) { return a.fresh, !a.unread }
func (a account) RateLimit() graphhttp.RateLimit  { return a.limit }

// metered are options under which each operation is estimated and has an
// account.
func metered(e graphhttp.Estimate, a account) graphhttp.Options {
	return graphhttp.Options{
		Estimate: func(context.Context, *graphql.OperationContext) graphhttp.Estimate { return e },
		Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			graphhttp.Open(ctx, a)
			return next(ctx)
		},
	}
}

var within = graphhttp.Estimate{Calls: 3, Budget: 200}

// get sends a query in the URL to a handler of the stub.
func get(t *testing.T, o graphhttp.Options, query string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(graphhttp.New(newStub(), o), request(t, http.MethodGet, "/graphql?query="+url.QueryEscape(query), "", headers...))
}

func TestOverBudget(t *testing.T) {
	t.Parallel()
	over := graphhttp.Estimate{
		Calls: 300, Budget: 200, Advice: "With `first: 9` for hello it fits.",
		Fits: map[string]any{"path": "hello", "argument": "first", "size": 9},
	}
	plain := graphhttp.Estimate{Calls: 201, Budget: 200, Advice: "Split it."}
	const query = `{"query":"mutation { set(to: 1) }"}`
	tests := map[string]struct {
		estimate graphhttp.Estimate
		accept   string
		status   int
		want     string
	}{
		"with advice": {over, "application/graphql-response+json", 400, `{"errors":[{"message":"This operation may need 300 calls to Mixcloud; one operation may make 200. With ` + "`first: 9`" + ` for hello it fits.","extensions":{"budget":200,"code":"LIMIT_EXCEEDED","estimated":300,"fits":{"argument":"first","path":"hello","size":9}}}]}`},
		"no size":     {plain, "application/json", 200, `{"errors":[{"message":"This operation may need 201 calls to Mixcloud; one operation may make 200. Split it.","extensions":{"budget":200,"code":"LIMIT_EXCEEDED","estimated":201}}]}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := metered(tt.estimate, account{})
			o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
				t.Error("the operation began")
				return graphql.OneShot(nil)
			}
			rec := post(t, o, query, "Accept: "+tt.accept)
			if rec.Code != tt.status || rec.Body.String() != tt.want {
				t.Errorf("status %d, want %d\n%s", rec.Code, tt.status, cmp.Diff(tt.want, rec.Body.String()))
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
		})
	}
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		estimate graphhttp.Estimate
		want     string
	}{
		"within": {within, `{"data":null,"extensions":{"cost":{"budget":200,"estimated":3}}}`},
		"over":   {graphhttp.Estimate{Calls: 300, Budget: 200, Fits: map[string]any{"size": 9}}, `{"data":null,"extensions":{"cost":{"budget":200,"estimated":300,"fits":{"size":9}}}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := metered(tt.estimate, account{fresh: time.Hour})
			o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
				t.Error("the operation began")
				return graphql.OneShot(nil)
			}
			for _, rec := range []*httptest.ResponseRecorder{
				get(t, o, "{ hello }", "X-GraphQL-Dry-Run: true"),
				post(t, o, `{"query":"{ hello }"}`, "x-graphql-dry-run: 1"),
				post(t, o, `{"query":"mutation { set(to: 1) }"}`, "X-GraphQL-Dry-Run: true"),
			} {
				if rec.Code != http.StatusOK || rec.Body.String() != tt.want || rec.Header().Get("Cache-Control") != "no-store" {
					t.Errorf("status %d, %v, %s", rec.Code, rec.Header(), rec.Body)
				}
			}
		})
	}
	for _, value := range []string{"", "false", "FALSE", "0"} {
		if rec := post(t, metered(within, account{}), `{"query":"{ hello }"}`, "X-GraphQL-Dry-Run: "+value); !strings.Contains(rec.Body.String(), "you") {
			t.Errorf("%q is taken for a dry run: %s", value, rec.Body)
		}
	}
	// Who means a dry run must not find that it was none.
	for _, headers := range [][]string{{"yes"}, {"perhaps"}, {"true, true"}, {"true", "true"}, {"false", "true"}} {
		o := metered(within, account{})
		o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
			t.Errorf("%q: the operation began", headers)
			return graphql.OneShot(nil)
		}
		lines := []string{"Accept: application/graphql-response+json"}
		for _, value := range headers {
			lines = append(lines, "X-GraphQL-Dry-Run: "+value)
		}
		rec := post(t, o, `{"query":"mutation { set(to: 1) }"}`, lines...)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "BAD_USER_INPUT") {
			t.Errorf("%q: status %d, %s", headers, rec.Code, rec.Body)
		}
	}
}

// TestDryRun_Once holds that a dry run leaves the key of its write alone: it is
// neither burned, nor in the way of the write, nor answered with what came of it.
func TestDryRun_Once(t *testing.T) {
	t.Parallel()
	const said = `"estimated":3`
	o := metered(within, account{})
	o.Audience = func(context.Context) string { return "me" }
	begun, end := make(chan struct{}), make(chan struct{})
	s := newStub()
	s.fields["set"] = func(ctx context.Context, _ map[string]any) (any, error) {
		close(begun) // twice is a panic
		idempotency.Sent(ctx)
		<-end
		return "done", nil
	}
	h := graphhttp.New(s, o)
	ask := func(to int, headers ...string) *httptest.ResponseRecorder {
		return serve(h, request(t, http.MethodPost, "/graphql", set(to), append(headers, "Content-Type: application/json", newer, "Idempotency-Key: k")...))
	}
	dry := func(when string) {
		t.Helper()
		for to := range 2 {
			if rec := ask(to, "X-GraphQL-Dry-Run: true"); rec.Code != http.StatusOK || !strings.Contains(rec.Body.String(), said) || rec.Header().Get("Idempotent-Replayed") != "" {
				t.Errorf("%s the write: status %d, %v\n%s", when, rec.Code, rec.Header(), rec.Body)
			}
		}
	}
	dry("before")
	written := make(chan *httptest.ResponseRecorder)
	go func() { written <- ask(1) }()
	<-begun
	dry("during")
	close(end)
	check(t, <-written, http.StatusOK, `"set":"done"`)
	dry("after")
	check(t, ask(1), http.StatusOK, `"set":"done"`) // again

	// Nor are files waited for, by name or not.
	head := strings.TrimSuffix(formed(sendQuery, sendMap, file("0", "content")), "content\r\n--b--\r\n")
	for _, headers := range [][]string{nil, {"Idempotency-Key: files"}} {
		r := request(t, http.MethodPost, "/graphql", "x", append(headers, formType, preflight, newer, "X-GraphQL-Dry-Run: true")...)
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(head), never{t}))
		check(t, serve(h, r), http.StatusOK, said)
	}
}

// TestDryRun_Requests holds what is no different for a dry run: what is no valid
// request is told as ever, and each way to ask has its own form.
func TestDryRun_Requests(t *testing.T) {
	t.Parallel()
	const dry, said = "X-GraphQL-Dry-Run: true", `{"data":null,"extensions":{"cost":{"budget":200,"estimated":3}}}`
	const json = "Content-Type: application/json"
	tests := map[string]struct {
		method, target, body string
		headers              []string
		status               int
		want                 string
	}{
		"no document":      {http.MethodPost, "/graphql", `{"query":"{"}`, []string{json, newer}, 400, "GRAPHQL_PARSE_FAILED"},
		"not valid":        {http.MethodPost, "/graphql", `{"query":"{ nope }"}`, []string{json, newer}, 400, "GRAPHQL_VALIDATION_FAILED"},
		"a wrong variable": {http.MethodPost, "/graphql", `{"query":"query($n: Int!) { hello(n: $n) }"}`, []string{json, newer}, 400, "GRAPHQL_VALIDATION_FAILED"},
		"which operation":  {http.MethodPost, "/graphql", `{"query":"query A { hello } mutation B { set(to: 1) }","operationName":"B"}`, []string{json, newer}, 200, said},
		"a write in a URL": {http.MethodGet, "/graphql?query=mutation%7Bset(to:1)%7D", "", []string{newer}, 405, "POST"},
		"a subscription":   {http.MethodPost, "/graphql", `{"query":"subscription { count(to: 3) }"}`, []string{json, newer}, 406, "text/event-stream"},
		"events":           {http.MethodPost, "/graphql", `{"query":"subscription { count(to: 3) }"}`, []string{json, "Accept: text/event-stream"}, 200, ":\n\nevent: next\ndata: " + said + "\n\nevent: complete\ndata: \n\n"},
		"a query's events": {http.MethodGet, "/graphql?query=%7Bhello%7D", "", []string{"Accept: text/event-stream"}, 200, "data: " + said},
		"a batch":          {http.MethodPost, "/graphql", `[{"query":"{ hello }"}]`, []string{json, newer}, 400, "BAD_USER_INPUT"},
		"a form":           {http.MethodPost, "/graphql", formed(sendQuery, sendMap, file("0", "content")), []string{formType, preflight, newer}, 200, said},
		"two take files":   {http.MethodPost, "/graphql", formed(`{"query":"mutation($f: Upload) { a: send(file: $f) b: send(file: $f) }","variables":{"f":null}}`, sendMap, file("0", "content")), []string{formType, preflight, newer}, 400, "exactly one field"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := metered(within, account{fresh: time.Hour})
			o.Around = func(context.Context, graphql.OperationHandler) graphql.ResponseHandler {
				t.Error("the operation began")
				return graphql.OneShot(nil)
			}
			rec := serve(graphhttp.New(newStub(), o), request(t, tt.method, tt.target, tt.body, append(tt.headers, dry)...))
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) {
				t.Errorf("status %d, want %d and %s\n%s", rec.Code, tt.status, tt.want, rec.Body)
			}
			if got := rec.Header().Get("Cache-Control"); got != "no-store" {
				t.Errorf("Cache-Control is %q", got)
			}
		})
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	stale := account{
		cost: graphhttp.Cost{UpstreamCalls: 2, CacheHits: 1, Coalesced: 4, Stale: 1},
		notes: []graphhttp.Note{
			{Path: []any{"user", "cloudcasts", 10}, Age: 90 * time.Minute, Reason: "UNAVAILABLE"},
			{Path: []any{"user", "cloudcasts", 9}, Age: time.Minute, Reason: "RATE_LIMITED"},
			{Path: []any{"user"}, Age: time.Minute, Reason: "RATE_LIMITED"},
			{Age: time.Second, Reason: "REVALIDATING"},
		},
	}
	const said = `"freshness":[{"path":null,"ageMs":1000,"stale":true,"reason":"REVALIDATING"},` +
		`{"path":["user"],"ageMs":60000,"stale":true,"reason":"RATE_LIMITED"},` +
		`{"path":["user","cloudcasts",9],"ageMs":60000,"stale":true,"reason":"RATE_LIMITED"},` +
		`{"path":["user","cloudcasts",10],"ageMs":5400000,"stale":true,"reason":"UNAVAILABLE"}]`
	tests := map[string]struct {
		account account
		header  string
		want    string
	}{
		"nobody asks":  {account: account{}, header: "X-Nothing: true"},
		"cost":         {account: account{cost: graphhttp.Cost{UpstreamCalls: 2}}, header: "X-GraphQL-Cost: true", want: `{"cost":{"estimated":3,"budget":200,"upstreamCalls":2,"cacheHits":0,"coalesced":0,"stale":0}}`},
		"stale":        {account: stale, header: "X-GraphQL-Cost: false", want: "{" + said + "}"},
		"stale at all": {account: stale, header: "X-GraphQL-Cost: 1", want: `{"cost":{"estimated":3,"budget":200,"upstreamCalls":2,"cacheHits":1,"coalesced":4,"stale":1},` + said + "}"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := post(t, metered(within, tt.account), `{"query":"{ hello }"}`, tt.header)
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

// TestCaching holds that nothing is kept by others that is not everybody's,
// fresh, whole and asked for by its address.
func TestCaching(t *testing.T) {
	t.Parallel()
	fresh := account{fresh: 90*time.Second + 999*time.Millisecond}
	tests := map[string]struct {
		estimate graphhttp.Estimate
		account  account
		query    string
		header   string
		post     bool
		want     string
	}{
		"everybody's":       {account: fresh, want: "public, max-age=90"},
		"sent with POST":    {account: fresh, post: true, want: "no-store"},
		"somebody's":        {account: account{fresh: time.Hour, signed: true}, want: "no-store"},
		"partly stale":      {account: account{fresh: time.Hour, notes: []graphhttp.Note{{}}}, want: "no-store"},
		"nearly stale":      {account: account{fresh: 999 * time.Millisecond}, want: "no-store"},
		"stale":             {account: account{}, want: "no-store"},
		"of nothing":        {account: account{unread: true, fresh: time.Hour}, want: "no-store"},
		"of this moment":    {estimate: graphhttp.Estimate{Fleeting: true, Budget: 1}, account: fresh, want: "no-store"},
		"with errors":       {account: fresh, query: "{ hello fail }", want: "no-store"},
		"not valid":         {account: fresh, query: "{ nope }", want: "no-store"},
		"with a cookie":     {account: fresh, header: "Cookie: theme=dark", want: "no-store"},
		"with its own cost": {account: fresh, header: "X-GraphQL-Cost: true", want: "no-store"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // no time passes
				query, header := tt.query, tt.header
				if query == "" {
					query = "{ hello }"
				}
				if header == "" {
					header = "X-Nothing: true"
				}
				o := metered(tt.estimate, tt.account)
				rec := get(t, o, query, header)
				if tt.post {
					rec = post(t, o, `{"query":"{ hello }"}`, header)
				}
				if got := rec.Header().Get("Cache-Control"); got != tt.want {
					t.Errorf("Cache-Control is %q, want %q", got, tt.want)
				}
				if want := "Accept, Accept-Encoding, Authorization, Cookie, X-GraphQL-Cost, X-GraphQL-Dry-Run"; strings.HasPrefix(tt.want, "public") && cmp.Diff([]string{want}, rec.Header()["Vary"]) != "" {
					t.Errorf("Vary is %q", rec.Header()["Vary"])
				}
			})
		})
	}
}

// TestCaching_Age holds that the time an operation takes counts.
func TestCaching_Age(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := metered(within, account{fresh: time.Minute})
		around := o.Around
		o.Around = func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			time.Sleep(10 * time.Second)
			return around(ctx, next)
		}
		h := graphhttp.New(newStub(), o)
		r := request(t, http.MethodGet, "/graphql?query=%7Bhello%7D", "")
		if got := serve(h, r).Header().Get("Cache-Control"); got != "public, max-age=50" {
			t.Errorf("Cache-Control is %q", got)
		}
	})
}

func TestRateLimitHeaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		budget, left, none := 200, 37, 0
		soon, past := time.Now().Add(1500*time.Millisecond), time.Now().Add(-time.Second)
		tests := map[string]struct {
			limit        graphhttp.RateLimit
			limits, rule string
		}{
			"nothing known": {},
			"budget":        {graphhttp.RateLimit{Budget: &budget, Remaining: &left}, `"mixcloud";r=37`, `"mixcloud";q=200`},
			"refused":       {graphhttp.RateLimit{Budget: &budget, Remaining: &none, RetryAt: &soon}, `"mixcloud";r=0;t=2`, `"mixcloud";q=200`},
			"only refused":  {graphhttp.RateLimit{RetryAt: &soon}, `"mixcloud";r=0;t=2`, ""},
			"long ago":      {graphhttp.RateLimit{RetryAt: &past}, "", ""},
		}
		for name, tt := range tests {
			rec := post(t, metered(within, account{limit: tt.limit}), `{"query":"{ hello }"}`)
			if got := rec.Header().Get("RateLimit"); got != tt.limits {
				t.Errorf("%s: RateLimit is %q, want %q", name, got, tt.limits)
			}
			if got := rec.Header().Get("RateLimit-Policy"); got != tt.rule {
				t.Errorf("%s: RateLimit-Policy is %q, want %q", name, got, tt.rule)
			}
		}
	})
}
