package graphhttp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/manifest"
)

// withManifest returns a handler with a manifest of three operations.
func withManifest(t *testing.T, o graphhttp.Options) *graphhttp.Handler {
	t.Helper()
	h := graphhttp.New(newStub(), o)
	err := h.SetManifest([]manifest.Operation{
		{ID: "hello-1", Name: "Hello", Type: "query", Text: "query Hello($n: String = \"you\") { hello(name: $n) }"},
		{ID: sha("{ hello }"), Text: "{ hello }"},
		{ID: "set-1", Text: "mutation Set { set }"},
		{ID: "count-1", Text: "subscription Count { count(to: 1) }"},
		{ID: "send-1", Text: "mutation Send($f: Upload) { send(file: $f) }"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const forbidden = `"code":"FORBIDDEN"`

// Ids arrive under several names and on every transport. With OnlyPersisted all other documents
// are refused before they are parsed, with status 400 in each media type.
func TestManifest(t *testing.T) {
	t.Parallel()
	get := func(query string) string { return "/graphql?" + query }
	escape := url.QueryEscape
	bad := `{"query":"{ nonsense","documentId":"hello-1"}` // the syntax error is reported only if the document is parsed
	tests := map[string]struct {
		method, target, body string
		headers              []string
		want                 string // for both modes
		status               int
		open, only           string // if they differ
		onlyStatus           int
	}{
		"documentId":         {body: `{"documentId":"hello-1"}`, want: hello},
		"doc_id":             {body: `{"doc_id":"hello-1","variables":{"n":"me"}}`, want: `"hello":"me"`},
		"id":                 {body: `{"id":"hello-1","operationName":"Hello"}`, want: hello},
		"sha256Hash":         {body: persisted(t, "", sha("{ hello }")), want: hello},
		"sha256Hash, no sha": {body: persisted(t, "", "hello-1"), want: hello},
		"mutation":           {body: `{"documentId":"set-1"}`, want: `"set":"done"`},
		"GET":                {method: "GET", target: get("documentId=hello-1&variables=" + escape(`{"n":"me"}`)), want: `"hello":"me"`},
		"GET, doc_id":        {method: "GET", target: get("doc_id=hello-1"), want: hello},
		"GET, sha256Hash":    {method: "GET", target: get("extensions=" + escape(`{"persistedQuery":{"version":1,"sha256Hash":"hello-1"}}`)), want: hello},
		"GET of a mutation":  {method: "GET", target: get("documentId=set-1"), want: "GET", status: 405},
		"events":             {body: `{"documentId":"count-1"}`, headers: []string{"Accept: text/event-stream"}, want: "event: complete"},
		"other operation":    {body: `{"documentId":"hello-1","operationName":"Other"}`, headers: []string{newer}, want: "GRAPHQL_VALIDATION_FAILED", status: 400},
		"not a text":         {body: `{"documentId":1}`, want: "BAD_USER_INPUT", status: 400},

		"unknown id":               {body: `{"documentId":"nope"}`, headers: []string{newer}, want: notFound, status: 400},
		"unknown id, older client": {body: `{"documentId":"nope"}`, want: notFound, status: 200, onlyStatus: 400},
		"unknown hash":             {body: persisted(t, "", sha("x")), want: notFound, status: 200, onlyStatus: 400},
		"unknown hash, not a sha":  {body: persisted(t, "", "nope"), status: 200, open: "BAD_USER_INPUT", only: notFound, onlyStatus: 400},
		"unknown id, GET":          {method: "GET", target: get("documentId=nope"), want: notFound, status: 200, onlyStatus: 400},
		"unknown id, events":       {body: `{"documentId":"nope"}`, headers: []string{"Accept: text/event-stream"}, want: notFound, status: 400},
		"no id":                    {body: `{"extensions":{"x":1}}`, headers: []string{newer}, open: "GRAPHQL_VALIDATION_FAILED", only: notFound, status: 400},
		"nothing":                  {body: `{}`, want: "The request has no query", status: 400},
		"document":                 {body: `{"query":"{ hello }"}`, status: 200, open: hello, only: forbidden, onlyStatus: 400},
		"document, newer":          {body: `{"query":"{ hello }"}`, headers: []string{newer}, open: hello, only: forbidden, onlyStatus: 400},
		"document of the manifest": {body: persisted(t, "{ hello }", sha("{ hello }")), open: hello, only: forbidden, onlyStatus: 400},
		"invalid document":         {body: bad, headers: []string{newer}, status: 400, open: "GRAPHQL_PARSE_FAILED", only: forbidden},
		"document, GET":            {method: "GET", target: get("query=" + escape("{ hello }")), open: hello, only: forbidden, onlyStatus: 400},
		"document, events":         {body: `{"query":"{ hello }"}`, headers: []string{"Accept: text/event-stream"}, open: "event: next", only: forbidden, onlyStatus: 400},
	}
	for name, tt := range tests {
		for mode, only := range map[string]bool{"open": false, "only": true} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				h := withManifest(t, graphhttp.Options{OnlyPersisted: only})
				method, target, headers := tt.method, tt.target, tt.headers
				if method == "" {
					method, target, headers = http.MethodPost, "/graphql", append([]string{"Content-Type: application/json"}, headers...)
				}
				rec := serve(h, request(t, method, target, tt.body, headers...))
				want, status := tt.want+tt.open, max(tt.status, 200)
				if only {
					want = tt.want + tt.only
					status = max(status, tt.onlyStatus)
				}
				if rec.Code != status || !strings.Contains(rec.Body.String(), want) {
					t.Errorf("status %d, want %d: %s lacks %s", rec.Code, status, rec.Body, want)
				}
			})
		}
	}
}

// Forms may use ids instead of documents.
func TestManifest_Form(t *testing.T) {
	t.Parallel()
	h := withManifest(t, graphhttp.Options{OnlyPersisted: true})
	form := func(operations string) (string, string) {
		const b = "b0undary"
		part := func(name, rest, text string) string {
			return "--" + b + "\r\nContent-Disposition: form-data; name=\"" + name + "\"" + rest + "\r\n\r\n" + text + "\r\n"
		}
		return part("operations", "", operations) + part("map", "", `{"0":["variables.f"]}`) + part("0", "; filename=\"a.mp3\"", "bytes") + "--" + b + "--\r\n", "multipart/form-data; boundary=" + b
	}
	for operations, want := range map[string]string{
		`{"documentId":"send-1","variables":{"f":null}}`:                                  "variables.f=0,a.mp3",
		`{"query":"mutation Send($f: Upload) { send(file: $f) }","variables":{"f":null}}`: forbidden,
	} {
		body, media := form(operations)
		rec := serve(h, request(t, http.MethodPost, "/graphql", body, "Content-Type: "+media, "X-Requested-With: test"))
		if !strings.Contains(rec.Body.String(), want) {
			t.Errorf("%s: status %d, body %s, want it to contain %s", operations, rec.Code, rec.Body, want)
		}
	}
}

// An invalid manifest changes nothing, and the error contains a line for each invalid operation.
func TestSetManifest_Problems(t *testing.T) {
	t.Parallel()
	h := withManifest(t, graphhttp.Options{OnlyPersisted: true, MaxDepth: 3})
	err := h.SetManifest([]manifest.Operation{
		{ID: "fits", Text: "{ hello }"},
		{ID: "a", Name: "A", Text: "query A { hallo halo }"},
		{ID: "b", Text: "{ hello "},
		{ID: "c", Text: "query X { hello } query Y { hello }"},
		{ID: "d", Text: "fragment f on Query { hello }"},
		{ID: "e", Name: "E", Text: "query Other { hello }"},
		{ID: "f", Type: "query", Text: "mutation { set }"},
		{ID: "g", Text: "{ nest { nest { nest { hello } } } }"},
	})
	if err == nil {
		t.Fatal("SetManifest of an invalid manifest returned no error")
	}
	lines := strings.Split(err.Error(), "\n")
	want := []string{
		`operation A (id "a"): Cannot query field "hallo"`, `operation "b": Expected Name, found <EOF>`, `operation "c": its document has 2 operations`,
		`operation "d": its document has 0 operations`, `operation E (id "e"): its document has an operation named "Other"`,
		`operation "f": its document has a mutation, not a query`, `operation "g": The operation nests fields 4 levels`,
	}
	if len(lines) != len(want) {
		t.Fatalf("error has %d lines, want %d:\n%v", len(lines), len(want), err)
	}
	for i := range want {
		if !strings.HasPrefix(lines[i], want[i]) {
			t.Errorf("line %d is %s, want %s", i, lines[i], want[i])
		}
	}
	if rec := send(t, h, `{"documentId":"hello-1"}`); !strings.Contains(rec.Body.String(), hello) {
		t.Errorf("an invalid manifest removed the earlier one: %s", rec.Body)
	}
	if rec := send(t, h, `{"documentId":"fits"}`); !strings.Contains(rec.Body.String(), notFound) {
		t.Errorf("a part of an invalid manifest was set: %s", rec.Body)
	}
	if err := h.SetManifest([]manifest.Operation{{ID: "fits", Text: "{ hello }"}}); err != nil {
		t.Fatal(err)
	}
	if rec := send(t, h, `{"documentId":"hello-1"}`); !strings.Contains(rec.Body.String(), notFound) {
		t.Errorf("the earlier manifest was not replaced: %s", rec.Body)
	}
	if rec := send(t, h, `{"documentId":"fits"}`); !strings.Contains(rec.Body.String(), hello) {
		t.Errorf("the new manifest was not set: %s", rec.Body)
	}
}

// Without a manifest no id is found, and nothing else changes.
func TestNoManifest(t *testing.T) {
	t.Parallel()
	h := graphhttp.New(newStub(), graphhttp.Options{})
	if rec := send(t, h, `{"documentId":"x"}`, newer); rec.Code != http.StatusBadRequest || rec.Body.String() != notFound {
		t.Errorf("documentId without a manifest: status %d, want 400 and %s: %s", rec.Code, notFound, rec.Body)
	}
	for _, body := range []string{`{"query":"{ hello }","id":5}`, `{"query":"{ hello }","id":"x","documentId":{}}`} {
		if rec := send(t, h, body); rec.Body.String() != hello {
			t.Errorf("%s: got %s, want %s", body, rec.Body, hello)
		}
	}
}
