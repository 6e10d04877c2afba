package graphhttp_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/graphhttp"
)

const (
	newer = "Accept: application/graphql-response+json"
	older = "Accept: application/json"
)

// Status codes of the two media types, as in the GraphQL over HTTP draft.
func TestStatus(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason       string
		body         string
		newer, older int
		want         string // a part of the body
	}{
		"success": {
			body: `{"query":"{ hello }"}`, newer: 200, older: 200, want: `{"data":{"hello":"you"}}`,
		},
		"nulls": {
			reason: "a member that is null is treated as absent",
			body:   `{"query":"{ hello }","variables":null,"operationName":null,"extensions":null}`, newer: 200, older: 200, want: `"you"`,
		},
		"variables": {
			reason: "large numbers stay integers",
			body:   `{"query":"query($n: Int, $s: String) { hello(n: $n, name: $s) }","variables":{"n":2147483647,"s":"<é>"}}`, newer: 200, older: 200, want: `"data":{"hello":"`,
		},
		"field error": {
			reason: "the response has data, so the operation succeeded",
			body:   `{"query":"{ fail hello }"}`, newer: 200, older: 200, want: `"data":{"fail":null,"hello":"you"}`,
		},
		"panic in a resolver": {
			body: `{"query":"{ panic }"}`, newer: 200, older: 200, want: `"code":"INTERNAL"`,
		},
		"syntax error":            {body: `{"query":"{"}`, newer: 400, older: 200, want: "GRAPHQL_PARSE_FAILED"},
		"unknown field":           {body: `{"query":"{ nope }"}`, newer: 400, older: 200, want: "GRAPHQL_VALIDATION_FAILED"},
		"unknown operation":       {body: `{"query":"query A { hello }","operationName":"B"}`, newer: 400, older: 200, want: "operation B not found"},
		"ambiguous operation":     {body: `{"query":"query A { hello } query B { hello }"}`, newer: 400, older: 200, want: "set operationName"},
		"variable without a type": {body: `{"query":"query($n: Int) { hello(n: $n) }","variables":{"n":"x"}}`, newer: 400, older: 200, want: `Variable \"$n\"`},
		"not JSON":                {body: `{"query":`, newer: 400, older: 400, want: "not valid JSON"},
		"data after the JSON":     {body: `{"query":"{ hello }"} {}`, newer: 400, older: 400, want: "more than one JSON value"},
		"batch":                   {body: `[{"query":"{ hello }"}]`, newer: 400, older: 400, want: "batches are not supported"},
		"no query":                {body: `{}`, newer: 400, older: 400, want: "The request has no query"},
		"empty query":             {body: `{"query":""}`, newer: 400, older: 400, want: "The request has no query"},
		"names in upper case":     {body: `{"QUERY":"{ hello }","Variables":{}}`, newer: 400, older: 400, want: "The request has no query"},
		"names in several cases":  {body: `{"query":"{ hello }","Query":"{ nope }","VARIABLES":7}`, newer: 200, older: 200, want: `{"data":{"hello":"you"}}`},
		"member twice":            {body: `{"query":"{ hello }","query":"{ nope }"}`, newer: 400, older: 400, want: `duplicate member \"query\"`},
		"variable twice":          {body: `{"query":"query($n: Int) { hello(n: $n) }","variables":{"n":1,"n":2}}`, newer: 400, older: 400, want: `duplicate member \"variables.n\"`},
		"nested deeply":           {body: `{"query":"{ hello }","extensions":{"a":` + strings.Repeat("[", 99) + strings.Repeat("]", 99) + `}}`, newer: 400, older: 400, want: "at most 100 levels"},
		"null":                    {body: `null`, newer: 400, older: 400, want: "The request has no query"},
		"query is a number":       {body: `{"query":7}`, newer: 400, older: 400, want: `\"query\" must be a JSON string, not a JSON number`},
		"variables are a list":    {body: `{"query":"{ hello }","variables":[1]}`, newer: 400, older: 400, want: `\"variables\" must be a JSON object, not a JSON array`},
	}
	for name, tt := range tests {
		for accept, status := range map[string]int{newer: tt.newer, older: tt.older} {
			t.Run(name+"/"+accept, func(t *testing.T) {
				t.Parallel()
				rec := post(t, graphhttp.Options{}, tt.body, accept)
				if rec.Code != status {
					t.Errorf("%s: status %d, want %d", tt.reason, rec.Code, status)
				}
				if !strings.Contains(rec.Body.String(), tt.want) {
					t.Errorf("%s: body %s lacks %s", tt.reason, rec.Body, tt.want)
				}
				if rec.Code >= 400 && strings.Contains(rec.Body.String(), `"data"`) {
					t.Errorf("status %d with data, want errors only: %s", rec.Code, rec.Body)
				}
				if !json.Valid(rec.Body.Bytes()) || !strings.HasSuffix(rec.Header().Get("Content-Type"), "json; charset=utf-8") {
					t.Errorf("Content-Type = %q, want JSON in UTF-8: %s", rec.Header().Get("Content-Type"), rec.Body)
				}
			})
		}
	}
}

// Responses never quote the request, which may be private.
func TestErrors_DoNotEcho(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`s3cret-canary`, `{"query": s3cret-canary`, `{"query":{"s3cret-canary":1}}`, `"s3cret-canary"`, `{"query":"{ panic }"}`} {
		if rec := post(t, graphhttp.Options{}, body); strings.Contains(rec.Body.String(), "s3cret-canary") {
			t.Errorf("%s: the response echoes the request: %s", body, rec.Body)
		}
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	const graphQL, plain = "application/graphql-response+json; charset=utf-8", "application/json; charset=utf-8"
	tests := []struct {
		accept []string
		want   string // "" for 406
	}{
		{nil, plain},
		{[]string{"*/*"}, plain},
		{[]string{"application/*"}, plain},
		{[]string{"application/json"}, plain},
		{[]string{"application/json; charset=utf-8"}, plain},
		{[]string{"application/graphql-response+json"}, graphQL},
		{[]string{"APPLICATION/GraphQL-Response+JSON; charset=utf-8"}, graphQL},
		{[]string{"application/graphql-response+json, application/json;q=0.9"}, graphQL},
		{[]string{"application/graphql-response+json;q=0.5, application/json"}, plain},
		{[]string{"application/json, application/graphql-response+json"}, graphQL},
		{[]string{"application/json", "application/graphql-response+json"}, graphQL},
		{[]string{"text/html;q=0.9, application/json"}, plain},
		{[]string{"text/html, application/json"}, plain},
		{[]string{"text/html;q=0, */*"}, plain},
		{[]string{"*/*, application/json;q=0"}, graphQL},
		{[]string{"application/json;q=0, */*;q=0.1"}, graphQL},
		{[]string{"multipart/mixed"}, ""},
		{[]string{"text/event-stream;q=0"}, ""},
		{[]string{"text/event-stream, multipart/mixed"}, "text/event-stream"},
		{[]string{"application/graphql-response+json, application/json, text/event-stream, multipart/mixed"}, graphQL},
		{[]string{"application/json;q=0"}, ""},
		{[]string{"application/json;q=nonsense"}, ""},
		{[]string{";;;"}, ""},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprint(tt.accept), func(t *testing.T) {
			t.Parallel()
			r := request(t, http.MethodGet, "/graphql?query="+url.QueryEscape("{hello}"), "")
			r.Header["Accept"] = tt.accept
			rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), r)
			if tt.want == "" {
				if rec.Code != http.StatusNotAcceptable {
					t.Errorf("status %d, want 406", rec.Code)
				}
				return
			}
			if got := rec.Header().Get("Content-Type"); rec.Code != http.StatusOK || got != tt.want {
				t.Errorf("status %d, Content-Type %q, want 200 and %q", rec.Code, got, tt.want)
			}
			if rec.Header().Get("Vary") != "Accept" {
				t.Errorf("Vary = %q, want Accept", rec.Header().Get("Vary"))
			}
		})
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	const q = "?query=%7Bhello%7D"
	tests := map[string]struct {
		method, target, body string
		headers              []string
		status               int
		want                 string
		allow                string
	}{
		"GET":                    {method: "GET", target: q, status: 200, want: `{"data":{"hello":"you"}}`},
		"GET with variables":     {method: "GET", target: "?query=query($s:String){hello(name:$s)}&variables=%7B%22s%22:%22me%22%7D", status: 200, want: `"me"`},
		"GET without query":      {method: "GET", status: 400, want: "The request has no query"},
		"GET with bad variables": {method: "GET", target: q + "&variables=7", status: 400, want: `\"variables\" must be a JSON object`},
		"GET, query twice":       {method: "GET", target: q + "&query=%7Bhello%7D", status: 400, want: `\"query\" occurs twice`},
		"GET, variables twice":   {method: "GET", target: q + "&variables=%7B%7D&variables=", status: 400, want: `\"variables\" occurs twice`},
		"GET, a variable twice":  {method: "GET", target: q + "&variables=%7B%22a%22:1,%22a%22:2%7D", status: 400, want: `duplicate member \"a\"`},
		"GET, unknown twice":     {method: "GET", target: q + "&x=1&x=2", status: 200, want: "you"},
		"GET, upper case":        {method: "GET", target: "?QUERY=%7Bhello%7D", status: 400, want: "The request has no query"},
		"GET, nested deeply":     {method: "GET", target: q + "&variables=" + strings.Repeat("[", 101), status: 400, want: "at most 100 levels"},
		"GET, bad encoding":      {method: "GET", target: "?query=%zz", status: 400, want: "percent-encoding"},
		"GET mutation":           {method: "GET", target: "?query=mutation%7Bset%7D", status: 405, want: "Send a mutation with POST", allow: "POST"},
		"GET mutation by name":   {method: "GET", target: "?query=query+A%7Bhello%7D+mutation+B%7Bset%7D&operationName=B", status: 405, want: "POST", allow: "POST"},
		"POST mutation":          {method: "POST", body: `{"query":"mutation { set }"}`, headers: []string{"Content-Type: application/json"}, status: 200, want: `{"data":{"set":"done"}}`},
		"POST with charset":      {method: "POST", body: `{"query":"{ hello }"}`, headers: []string{`Content-Type: application/json; charset="UTF-8"`}, status: 200, want: "you"},
		"POST, other charset":    {method: "POST", body: `{"query":"{ hello }"}`, headers: []string{"Content-Type: application/json; charset=utf-16"}, status: 415, want: "Send the operation as JSON"},
		"POST without type":      {method: "POST", body: `{"query":"{ hello }"}`, status: 415, want: "Send the operation as JSON"},
		"POST as plain text":     {method: "POST", body: `{"query":"{ hello }"}`, headers: []string{"Content-Type: text/plain"}, status: 415, want: "Send the operation as JSON"},
		"POST a form":            {method: "POST", body: "query={hello}", headers: []string{"Content-Type: application/x-www-form-urlencoded"}, status: 415, want: "Send the operation as JSON"},
		"POST another multipart": {method: "POST", body: "--x--", headers: []string{"Content-Type: multipart/mixed; boundary=x"}, status: 415, want: "Send the operation as JSON"},
		"POST, query in the URL": {method: "POST", target: q, body: `{}`, headers: []string{"Content-Type: application/json"}, status: 400, want: "The request has no query"},
		"POST compressed":        {method: "POST", body: "x", headers: []string{"Content-Type: application/json", "Content-Encoding: gzip"}, status: 415, want: "without a Content-Encoding"},
		"OPTIONS":                {method: "OPTIONS", status: 204, allow: "GET, HEAD, POST, OPTIONS"},
		"HEAD":                   {method: "HEAD", target: q, status: 200, want: `{"data":{"hello":"you"}}`}, // net/http omits the body
		"HEAD mutation":          {method: "HEAD", target: "?query=mutation%7Bset%7D", status: 405, want: "Send a mutation with POST", allow: "POST"},
		"HEAD of a stream":       {method: "HEAD", target: q, headers: []string{"Accept: text/event-stream"}, status: 406, want: "Accept header"},
		"GET of a long URL":      {method: "GET", target: q + "&x=" + strings.Repeat("x", 8<<10), status: 414, want: "more than 8192 bytes"},
		"HEAD of a long URL":     {method: "HEAD", target: q + "&x=" + strings.Repeat("x", 8<<10), status: 414, want: "more than 8192 bytes"},
		"GET of the longest URL": {method: "GET", target: q + "&x=" + strings.Repeat("x", 8<<10-len("/graphql"+q+"&x=")), status: 200, want: "you"},
		"PUT":                    {method: "PUT", body: "{}", status: 405, want: "Use POST", allow: "GET, HEAD, POST, OPTIONS"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), request(t, tt.method, "/graphql"+tt.target, tt.body, tt.headers...))
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) || rec.Header().Get("Allow") != tt.allow {
				t.Errorf("status %d (want %d), Allow %q (want %q), body %s (want %s)",
					rec.Code, tt.status, rec.Header().Get("Allow"), tt.allow, rec.Body, tt.want)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat("{nest", n) + "{hello}" + strings.Repeat("}", n) }
	body := func(query string) string {
		text, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	// Each fragment spreads the next one twice: 2^40 selections from a short document.
	bomb := "query { ...f0 }"
	for i := range 40 {
		bomb += fmt.Sprintf(" fragment f%d on Query { a: nest { ...f%d } b: nest { ...f%d } }", i, i+1, i+1)
	}
	bomb += " fragment f40 on Query { hello }"
	tests := map[string]struct {
		options graphhttp.Options
		body    string
		status  int
		want    string
	}{
		"body":                   {graphhttp.Options{MaxBody: 20}, body("{ hello hello }"), 413, "more than 20 bytes"},
		"body within the limit":  {graphhttp.Options{MaxBody: 21}, body("{ hello }"), 200, `"data"`},
		"tokens":                 {graphhttp.Options{TokenLimit: 5}, body("{ a:hello b:hello c:hello }"), 400, "more than 5 tokens"},
		"depth":                  {graphhttp.Options{MaxDepth: 3}, body(deep(3)), 400, "nests fields 4 levels deep; at most 3 levels"},
		"depth within the limit": {graphhttp.Options{MaxDepth: 4}, body(deep(3)), 200, `"data"`},
		"depth in fragments": {
			graphhttp.Options{MaxDepth: 3},
			body("{ ...a } fragment a on Query { nest { ... on Query { nest { ...b } } } } fragment b on Query { nest { hello } }"), 400, "nests fields 4 levels",
		},
		"introspection is excluded": {
			graphhttp.Options{MaxDepth: 2},
			body("{ __schema { types { fields { type { ofType { ofType { name } } } } } } }"), 200, `"data"`,
		},
		"fragment bomb":                 {graphhttp.Options{}, body(bomb), 400, "nests fields 41 levels"},
		"one name a thousand times":     {graphhttp.Options{}, body("{" + strings.Repeat(" hello", 1000) + "}"), 400, "repeats the same names"},
		"one name up to the limit":      {graphhttp.Options{}, body("{" + strings.Repeat(" hello", 400) + "}"), 200, `"data"`},
		"the same under other names":    {graphhttp.Options{}, body("{" + strings.Repeat(" x: hello", 1000) + "}"), 400, "repeats the same names"},
		"one fragment a thousand times": {graphhttp.Options{}, body("{" + strings.Repeat(" ...f", 1000) + "} fragment f on Query { hello }"), 400, "repeats the same names"},
		"names in an unused fragment":   {graphhttp.Options{}, body("{ hello } fragment f on Query {" + strings.Repeat(" hello", 1000) + "}"), 400, "repeats the same names"},
		"cycle of fragments":            {graphhttp.Options{}, body("{ ...a } fragment a on Query { nest { ...b } } fragment b on Query { nest { ...a } }"), 400, "GRAPHQL_VALIDATION_FAILED"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rec := post(t, tt.options, tt.body, newer)
			if rec.Code != tt.status || !strings.Contains(rec.Body.String(), tt.want) {
				t.Errorf("status %d, want %d; %s lacks %s", rec.Code, tt.status, rec.Body, tt.want)
			}
			if tt.status >= 400 && !strings.Contains(tt.want, "GRAPHQL_") && !strings.Contains(rec.Body.String(), "LIMIT_EXCEEDED") {
				t.Errorf("response lacks the code LIMIT_EXCEEDED: %s", rec.Body)
			}
		})
	}
}

// Numbers of this size once caused a panic in the parser library during execution.
func TestHugeNumbers(t *testing.T) {
	t.Parallel()
	const huge = "99999999999999999999"
	for query, argument := range map[string]string{
		"{ echo(of: " + huge + ") }":                                       "argument\":\"of",
		"{ echo(of: 1e999) }":                                              "argument\":\"of",
		"{ echo(of: [1, {a: -" + huge + "}]) }":                            "of",
		"query($v: Any = " + huge + ") { echo(of: $v) }":                   "variable\":\"v",
		"{ ...f } fragment f on Query { nest { echo(of: " + huge + ") } }": "argument\":\"of",
	} {
		body, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Fatal(err)
		}
		rec := post(t, graphhttp.Options{}, string(body), newer)
		for _, want := range []string{`"GRAPHQL_VALIDATION_FAILED"`, `"` + argument + `"`, `"locations":[{"line":1,`} {
			if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s: status %d, %s lacks %s", query, rec.Code, rec.Body, want)
			}
		}
	}
}

func TestBody_CutShort(t *testing.T) {
	t.Parallel()
	r := request(t, http.MethodPost, "/graphql", "x", "Content-Type: application/json")
	r.Body = io.NopCloser(iotest.ErrReader(io.ErrUnexpectedEOF))
	rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), r)
	if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), "is incomplete") {
		t.Errorf("incomplete body: status %d, want 400 and the message \"is incomplete\": %s", rec.Code, rec.Body)
	}
}

// The request's deadline reaches the resolvers, and the response contains the other fields.
func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		rec := post(t, graphhttp.Options{Timeout: 3 * time.Second}, `{"query":"{ wait hello }"}`, newer)
		if took := time.Since(start); took != 3*time.Second {
			t.Errorf("operation took %v, want the limit of 3s", took)
		}
		for _, part := range []string{`"code":"UPSTREAM_TIMEOUT"`, `"retryable":true`, `"data":{"hello":"you","wait":null}`} {
			if !strings.Contains(rec.Body.String(), part) {
				t.Errorf("response %s lacks %s", rec.Body, part)
			}
		}
	})
}

// If the deadline passes before the operation starts, the error names the server's time limit and
// not Mixcloud, and the client may retry.
func TestTimeout_BeforeExecution(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
			time.Sleep(time.Minute)
			return next(ctx)
		}
		rec := post(t, graphhttp.Options{Timeout: 3 * time.Second, Around: late}, `{"query":"{ hello }"}`, newer)
		if rec.Code != http.StatusServiceUnavailable {
			t.Errorf("timeout before the execution: status %d, want 503", rec.Code)
		}
		for _, part := range []string{`"code":"LIMIT_EXCEEDED"`, `"limit":"request-timeout"`, `"maximum":3`, "time limit of 3s"} {
			if !strings.Contains(rec.Body.String(), part) {
				t.Errorf("response %s lacks %s", rec.Body, part)
			}
		}
	})
}

// The response to a client that leaves before its operation starts is an error, not "null".
func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := request(t, http.MethodPost, "/graphql", `{"query":"{ hello }"}`, "Content-Type: application/json", newer)
	rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), r.WithContext(ctx))
	if rec.Code != http.StatusServiceUnavailable || !strings.Contains(rec.Body.String(), "UPSTREAM_UNAVAILABLE") {
		t.Errorf("canceled request: status %d, want 503 with UPSTREAM_UNAVAILABLE: %s", rec.Code, rec.Body)
	}
}

func TestAround(t *testing.T) {
	t.Parallel()
	type key struct{}
	s := newStub()
	s.fields["hello"] = func(ctx context.Context, _ map[string]any) (any, error) { return ctx.Value(key{}), nil }
	calls := 0
	h := graphhttp.New(s, graphhttp.Options{Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		calls++
		return next(context.WithValue(ctx, key{}, fmt.Sprint("call ", calls)))
	}})
	for i := range 2 {
		rec := serve(h, request(t, http.MethodPost, "/graphql", `{"query":"{ hello }"}`, "Content-Type: application/json"))
		if want := fmt.Sprintf(`{"data":{"hello":"call %d"}}`, i+1); rec.Body.String() != want {
			t.Errorf("body = %s, want %s", rec.Body, want)
		}
	}
}

func TestIntrospection(t *testing.T) {
	t.Parallel()
	const q = `{"query":"{ __schema { queryType { name } } }"}`
	if rec := post(t, graphhttp.Options{}, q); strings.Contains(rec.Body.String(), "errors") {
		t.Errorf("introspection returned errors: %s", rec.Body)
	}
}

// A cached document gets the same response as an uncached one.
func TestQueryCache(t *testing.T) {
	t.Parallel()
	h := graphhttp.New(newStub(), graphhttp.Options{})
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "name")
		pad := rapid.SampledFrom([]int{0, 10_000}).Draw(t, "pad") // the longer one is not cached
		query := "query($s: String) { hello(name: $s) } #" + strings.Repeat("x", pad)
		body, err := json.Marshal(map[string]any{"query": query, "variables": map[string]string{"s": name}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		if diff := cmp.Diff(`{"data":{"hello":"`+name+`"}}`, serve(h, r).Body.String()); diff != "" {
			t.Fatalf("response differs (-want +got):\n%s", diff)
		}
	})
}

// For any bytes the response is JSON with errors or data, without a panic.
func FuzzPost(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{ hello }"}`, `{"query":"{ hello(name: \"x\") @skip(if: true) }"}`, `null`, `[]`, `{"query":"query($n:Int){hello(n:$n)}","variables":{"n":1e999}}`,
		`{"query":"{ __schema { types { name } } }"}`, `{"query":"fragment a on Query { ...a } { ...a }"}`, `{"extensions":{"x":1}}`, "{\"query\":\"{ hello(name: \\\"\xff\\\") }\"}",
	} {
		f.Add(seed)
	}
	h := graphhttp.New(newStub(), graphhttp.Options{Timeout: time.Second})
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "wait") {
			return
		}
		rec := serve(h, request(t, http.MethodPost, "/graphql", body+" ", "Content-Type: application/json"))
		var got struct {
			Data   json.RawMessage
			Errors []struct{ Extensions struct{ Code string } }
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &got); err != nil {
			t.Fatalf("body %q: response is not JSON: %v: %s", body, err, rec.Body)
		}
		if got.Data == nil && len(got.Errors) == 0 {
			t.Fatalf("body %q: response has neither data nor errors: %s", body, rec.Body)
		}
		for _, e := range got.Errors {
			if e.Extensions.Code == "" || e.Extensions.Code == "INTERNAL" && !strings.Contains(body, "panic") {
				t.Fatalf("body %q: error without a code, or INTERNAL: %s", body, rec.Body)
			}
		}
	})
}
