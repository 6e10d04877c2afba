package graphhttp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/opstats"
)

// checkError checks that a response has exactly one error, and no data.
func checkError(t *testing.T, rec *httptest.ResponseRecorder, status int, code gqlerr.Code, words string) {
	t.Helper()
	var body struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Locations  []struct{ Line, Column int }
			Extensions struct{ Code gqlerr.Code }
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		t.Fatalf("response is not JSON: %v: %s", err, rec.Body)
	}
	if rec.Code != status || body.Data != nil || len(body.Errors) == 0 || body.Errors[0].Extensions.Code != code || !strings.Contains(body.Errors[0].Message, words) {
		t.Errorf("status %d, want %d %s %q: %s", rec.Code, status, code, words, rec.Body)
	}
}

// counting returns options that count the executed operations.
func counting() (graphhttp.Options, *int) {
	n := new(int)
	return graphhttp.Options{Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		*n++
		return next(ctx)
	}}, n
}

// Every transport validates input before an operation is executed, estimated or claimed under
// an idempotency key.
func TestInput_IsValidatedFirst(t *testing.T) {
	t.Parallel()
	const bad = `Variable "$n" must be an Int, not a string.`
	body := `{"query":"query($n: Int){hello(n: $n)}","variables":{"n":"2"}}`
	mutation := `{"query":"mutation($n: Int){set(to: $n)}","variables":{"n":"2"}}`
	for name, c := range map[string]struct {
		request func(t *testing.T) *http.Request
		status  int
	}{
		"POST": {func(t *testing.T) *http.Request {
			return request(t, http.MethodPost, "/graphql", body, "Content-Type: application/json", "Accept: application/graphql-response+json")
		}, 400},
		"POST for application/json": {func(t *testing.T) *http.Request {
			return request(t, http.MethodPost, "/graphql", body, "Content-Type: application/json")
		}, 200},
		"GET": {func(t *testing.T) *http.Request {
			return request(t, http.MethodGet, "/graphql?"+url.Values{"query": {"query($n: Int){hello(n: $n)}"}, "variables": {`{"n":"2"}`}}.Encode(), "", "Accept: application/graphql-response+json")
		}, 400},
		"events": {func(t *testing.T) *http.Request {
			return request(t, http.MethodPost, "/graphql", body, "Content-Type: application/json", "Accept: text/event-stream")
		}, 400},
		"a form": {func(t *testing.T) *http.Request {
			form := strings.Join([]string{
				"--b", `Content-Disposition: form-data; name="operations"`, "", mutation,
				"--b", `Content-Disposition: form-data; name="map"`, "", "{}", "--b--", "",
			}, "\r\n")
			return request(t, http.MethodPost, "/graphql", form, "Content-Type: multipart/form-data; boundary=b", "Accept: application/graphql-response+json", "X-Requested-With: x")
		}, 400},
		"dry run": {func(t *testing.T) *http.Request {
			return request(t, http.MethodPost, "/graphql", body, "Content-Type: application/json", "Accept: application/graphql-response+json", "X-GraphQL-Dry-Run: true")
		}, 400},
		"idempotency key": {func(t *testing.T) *http.Request {
			return request(t, http.MethodPost, "/graphql", mutation, "Content-Type: application/json", "Accept: application/graphql-response+json", "Idempotency-Key: k")
		}, 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, executed := counting()
			o.Principal = func(context.Context) string { return "me" }
			o.Estimate = func(context.Context, *graphql.OperationContext) opstats.Estimate {
				t.Error("invalid input was estimated, want a validation error first")
				return opstats.Estimate{}
			}
			checkError(t, serve(graphhttp.New(newStub(), o), c.request(t)), c.status, gqlerr.CodeValidationFailed, bad)
			if *executed > 0 {
				t.Error("invalid input was executed, want a validation error first")
			}
		})
	}
}

// Input is validated for each request, also for cached documents.
func TestInput_CachedDocument(t *testing.T) {
	t.Parallel()
	h := graphhttp.New(newStub(), graphhttp.Options{})
	send := func(n string) *httptest.ResponseRecorder {
		return serve(h, request(t, http.MethodPost, "/graphql", `{"query":"query($n: Int){hello(n: $n)}","variables":{"n":`+n+`}}`, "Content-Type: application/json"))
	}
	for range 2 {
		if rec := send("1.0"); !strings.Contains(rec.Body.String(), `"you"`) {
			t.Errorf("valid value after an invalid one: got %s, want a response with \"you\"", rec.Body)
		}
		checkError(t, send("1.5"), 200, gqlerr.CodeValidationFailed, `but this number is not valid`)
	}
}

func TestSubscriptionRoots(t *testing.T) {
	t.Parallel()
	for query, words := range map[string]string{
		`subscription { a: count(to: 1) b: count(to: 2) }`:                             "must select exactly one root field",
		`subscription S { count(to: 1) broken }`:                                       `The subscription "S" must select exactly one root field`,
		`subscription { ...F } fragment F on Subscription { a: count(to: 1) broken }`:  "must select exactly one root field",
		`subscription { count(to: 1) @include(if: true) }`:                             "must not use @include at its root",
		`subscription { ... @skip(if: false) { count(to: 1) } }`:                       "must not use @skip at its root",
		`subscription { ...F @skip(if: false) } fragment F on Subscription { broken }`: "must not use @skip at its root",
		`subscription { __typename }`:                                                  "must not select __typename at its root",
		`subscription { ...F } fragment F on Subscription { ...F broken }`:             "Cannot spread fragment",
		`subscription($n: Int!) { count(to: $n) }`:                                     `Variable "$n" is missing`,
	} {
		rec := post(t, graphhttp.Options{}, `{"query":`+quoted(query)+`}`, "Accept: text/event-stream")
		checkError(t, rec, 400, gqlerr.CodeValidationFailed, words)
	}
	rec := post(t, graphhttp.Options{}, `{"query":"subscription { broken broken }"}`, "Accept: text/event-stream")
	if rec.Code != http.StatusOK {
		t.Errorf("the same subscription field twice: status %d, want 200: %s", rec.Code, rec.Body)
	}
}

func quoted(s string) string {
	text, _ := json.Marshal(s)
	return string(text)
}

func TestEmptySelections(t *testing.T) {
	t.Parallel()
	for query, words := range map[string]string{
		"{}":                  "The query is empty: select at least one field",
		"{ nest {} }":         "The selection is empty: select at least one field between { and }.",
		"{ hello() }":         "The parentheses are empty",
		"query() { hello }":   "The parentheses are empty",
		"{ ... on Query {} }": "The selection is empty",
	} {
		rec := post(t, graphhttp.Options{}, `{"query":`+quoted(query)+`}`)
		checkError(t, rec, 200, gqlerr.CodeParseFailed, words)
		if !strings.Contains(rec.Body.String(), `"locations":[{"line":1,"column":`) {
			t.Errorf("%s: error has no location: %s", query, rec.Body)
		}
	}
}

// A lone surrogate does not encode a character: it is refused everywhere, and not replaced.
func TestSurrogates(t *testing.T) {
	t.Parallel()
	query := func(literal string) string { return `{"query":` + quoted(`{hello(name:`+literal+`)}`) + `}` }
	for _, literal := range []string{`"\ud83d"`, `"a\uD83Db"`, `"\ude00"`, `"\ud83d\ud83d\ude00"`, `"\ud83d\\ude00"`, `"\"\udfff"`} {
		rec := post(t, graphhttp.Options{}, query(literal))
		checkError(t, rec, 200, gqlerr.CodeParseFailed, "lone surrogate")
		if !strings.Contains(rec.Body.String(), `"locations":[{"line":1,"column":`) {
			t.Errorf("%s: error has no location: %s", literal, rec.Body)
		}
	}
	for literal, want := range map[string]string{
		`"\ud83d\ude00"`: "😀", `"😀"`: "😀", `"\\ud83d"`: `\\ud83d`, `"""\ud83d"""`: `\\ud83d`, `"""\""" \ud83d"""`: `\"\"\" \\ud83d`, `"é"`: "é",
	} {
		if rec := post(t, graphhttp.Options{}, query(literal)); !strings.Contains(rec.Body.String(), `"hello":"`+want+`"`) {
			t.Errorf("%s: body = %s, want %s", literal, rec.Body, want)
		}
	}
	if rec := post(t, graphhttp.Options{}, `{"query":`+quoted("# \\ud83d \"\n{hello(name:\"x\") # \\ud83d\n}")+`}`); !strings.Contains(rec.Body.String(), `"x"`) {
		t.Errorf("lone surrogate in a comment: got %s, want the value \"x\"", rec.Body)
	}
}

func TestSurrogatesInJSON(t *testing.T) {
	t.Parallel()
	for variables, where := range map[string]string{
		`{"name":"\ud83d"}`:                          "at variables.name",
		`{"name":"\ud83d\\ude00"}`:                   "at variables.name",
		`{"a":[1,{"b":["x","\udc00"]}]}`:             "at variables.a.1.b.1",
		`{"a":{},"b":[],"c":"\ud83dx"}`:              "at variables.c",
		`{"a":"x","\ud83d":1}`:                       "at variables.",
		`{"a":[[],[1,2,{}],"x"],"d":{"e":"\uDC00"}}`: "at variables.d.e",
	} {
		checkError(t, post(t, graphhttp.Options{}, `{"query":"{hello}","variables":`+variables+`}`), 400, gqlerr.CodeBadUserInput, where)
		rec := serve(graphhttp.New(newStub(), graphhttp.Options{}), request(t, http.MethodGet, "/graphql?query={hello}&variables="+url.QueryEscape(variables), ""))
		checkError(t, rec, 400, gqlerr.CodeBadUserInput, strings.Replace(where, "variables.", "", 1))
	}
	rec := post(t, graphhttp.Options{}, `{"query":"query($name: String!){hello(name: $name)}","variables":{"name":"\ud83d\ude00 \\ud83d"}}`)
	if !strings.Contains(rec.Body.String(), `"😀 \\ud83d"`) {
		t.Errorf("got %s, want the variable unchanged", rec.Body)
	}
}

// Invalid UTF-8 is refused too, and not replaced.
func TestInvalidUTF8(t *testing.T) {
	t.Parallel()
	checkError(t, post(t, graphhttp.Options{}, "{\"query\":\"{hello(name:\\\"\xff\\\")}\"}"), 400, gqlerr.CodeBadUserInput, "UTF-8")
	checkError(t, post(t, graphhttp.Options{}, "{\"query\":\"{hello(name:\\\"\xed\xa0\xbd\\\")}\"}"), 400, gqlerr.CodeBadUserInput, "UTF-8")
	h := graphhttp.New(newStub(), graphhttp.Options{})
	checkError(t, serve(h, request(t, http.MethodGet, `/graphql?query={hello(name:"%ff")}`, "")), 400, gqlerr.CodeBadUserInput, "UTF-8")
	checkError(t, serve(h, request(t, http.MethodGet, `/graphql?query={hello}&variables={"a":"%ff"}`, "")), 400, gqlerr.CodeBadUserInput, "UTF-8")
}

// A byte order mark before JSON is skipped, and the content coding "identity" is allowed.
func TestByteOrderMarkAndIdentity(t *testing.T) {
	t.Parallel()
	const mark = "\uFEFF"
	form := func(headers ...string) *http.Request {
		body := strings.Join([]string{
			"--b", `Content-Disposition: form-data; name="operations"`, "", mark + `{"query":"mutation($f: Upload){send(file: $f)}","variables":{"f":null}}`,
			"--b", `Content-Disposition: form-data; name="map"`, "", mark + `{"0":["variables.f"]}`,
			"--b", `Content-Disposition: form-data; name="0"; filename="a.mp3"`, "", "bytes", "--b--", "",
		}, "\r\n")
		return request(t, http.MethodPost, "/graphql", body, append(headers, "Content-Type: multipart/form-data; boundary=b", "X-Requested-With: x")...)
	}
	h := graphhttp.New(newStub(), graphhttp.Options{})
	for name, r := range map[string]*http.Request{
		"POST":     request(t, http.MethodPost, "/graphql", mark+`{"query":"{hello}"}`, "Content-Type: application/json"),
		"GET":      request(t, http.MethodGet, "/graphql?query=%EF%BB%BF{hello}&variables=%EF%BB%BF{}", ""),
		"identity": request(t, http.MethodPost, "/graphql", `{"query":"{hello}"}`, "Content-Type: application/json", "Content-Encoding: Identity"),
		"a form":   form("Content-Encoding: identity"),
	} {
		if rec := serve(h, r); rec.Code != http.StatusOK || strings.Contains(rec.Body.String(), "errors") {
			t.Errorf("%s: status %d, want 200 without errors: %s", name, rec.Code, rec.Body)
		}
	}
	for _, coding := range []string{"gzip", "identity, gzip", "x"} {
		rec := serve(h, request(t, http.MethodPost, "/graphql", `{"query":"{hello}"}`, "Content-Type: application/json", "Content-Encoding: "+coding))
		if rec.Code != http.StatusUnsupportedMediaType {
			t.Errorf("Content-Encoding %s: status %d, want 415", coding, rec.Code)
		}
	}
}

// A fragment shared by two operations takes the defaults of the one that is executed.
func TestVariables_SharedFragment(t *testing.T) {
	t.Parallel()
	const query = `query A($v: String = "a") { ...F } query B($v: String) { ...F } query C($v: String = "c") { ...F } fragment F on Query { echo(of: [{v: $v}]) }`
	var got []any
	h := graphhttp.New(newStub(), graphhttp.Options{Around: func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		oc := graphql.GetOperationContext(ctx)
		got = append(got, graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Query"})[0].ArgumentMap(oc.Variables)["of"])
		return next(ctx)
	}})
	for range 2 {
		for _, name := range []string{"A", "B", "C"} {
			rec := serve(h, request(t, http.MethodPost, "/graphql", `{"query":`+quoted(query)+`,"operationName":"`+name+`"}`, "Content-Type: application/json"))
			if rec.Code != http.StatusOK {
				t.Fatalf("operation %s: status %d, want 200: %s", name, rec.Code, rec.Body)
			}
		}
	}
	one := []any{[]any{map[string]any{"v": "a"}}, []any{map[string]any{}}, []any{map[string]any{"v": "c"}}}
	if diff := cmp.Diff(append(one, one...), got); diff != "" {
		t.Errorf("values differ (-want +got):\n%s", diff)
	}
}
