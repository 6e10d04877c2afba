package graphhttp_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"mixcloud-graphql/internal/graphhttp"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// persisted is the body of a request with a hash, and with the query unless it
// is "".
func persisted(t *testing.T, query, hash string) string {
	t.Helper()
	body := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}}
	if query != "" {
		body["query"] = query
	}
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shelf is what other replicas know.
type shelf struct {
	mu   sync.Mutex
	kept map[string]string
	gets int
}

func (s *shelf) Get(_ context.Context, hash string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	text, ok := s.kept[hash]
	return text, ok
}

func (s *shelf) Add(_ context.Context, hash, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kept == nil {
		s.kept = map[string]string{}
	}
	s.kept[hash] = text
}

const (
	notFound = `{"errors":[{"message":"PersistedQueryNotFound","extensions":{"code":"PERSISTED_QUERY_NOT_FOUND"}}]}`
	hello    = `{"data":{"hello":"you"}}`
)

func send(t *testing.T, h http.Handler, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	return serve(h, request(t, http.MethodPost, "/graphql", body, append([]string{"Content-Type: application/json"}, headers...)...))
}

func TestPersisted(t *testing.T) {
	t.Parallel()
	const query = "{ hello }"
	h := graphhttp.New(newStub(), graphhttp.Options{})
	byURL := "/graphql?extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+sha(query)+`"}}`)
	for _, step := range []struct {
		name, method, target, body string
		accept                     []string
		status                     int
		want                       string
	}{
		{"unknown", "POST", "/graphql", persisted(t, "", sha(query)), []string{newer}, 400, notFound},
		{"unknown, to a client of old", "POST", "/graphql", persisted(t, "", sha(query)), nil, 200, notFound},
		{"unknown, by GET", "GET", byURL, "", []string{newer}, 400, notFound},
		{"made known", "POST", "/graphql", persisted(t, query, sha(query)), []string{newer}, 200, hello},
		{"known", "POST", "/graphql", persisted(t, "", sha(query)), []string{newer}, 200, hello},
		{"known, by GET", "GET", byURL, "", []string{newer}, 200, hello},
		{"made known again", "POST", "/graphql", persisted(t, query, sha(query)), []string{newer}, 200, hello},
		{"made known by GET", "GET", "/graphql?query=" + url.QueryEscape("{ a: hello }") + "&extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+sha("{ a: hello }")+`"}}`), "", nil, 200, `{"data":{"a":"you"}}`},
		{"and then known", "POST", "/graphql", persisted(t, "", sha("{ a: hello }")), nil, 200, `{"data":{"a":"you"}}`},
	} {
		var headers []string
		if step.body != "" {
			headers = append(headers, "Content-Type: application/json")
		}
		rec := serve(h, request(t, step.method, step.target, step.body, append(headers, step.accept...)...))
		if rec.Code != step.status || rec.Body.String() != step.want {
			t.Errorf("%s: %d %s, want %d %s", step.name, rec.Code, rec.Body, step.status, step.want)
		}
		if step.want == notFound && rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control %q", step.name, rec.Header().Get("Cache-Control"))
		}
	}
}

// A hash answers for the text that has it and for nothing else, and what is not
// of the form is an error of the request.
func TestPersisted_refused(t *testing.T) {
	t.Parallel()
	const query = "{ hello }"
	known := new(shelf)
	h := graphhttp.New(newStub(), graphhttp.Options{Queries: known})
	for name, tt := range map[string]struct{ body, want string }{
		"another's hash":    {persisted(t, query, sha("{ other: hello }")), `"sha256Hash\" is not the SHA-256`},
		"a hash in capital": {persisted(t, query, strings.ToUpper(sha(query))), "64 hexadecimal digits"},
		"a short hash":      {persisted(t, "", "abc"), "64 hexadecimal digits"},
		"no hash":           {`{"query":"{ hello }","extensions":{"persistedQuery":{"version":1}}}`, "64 hexadecimal digits"},
		"another version":   {`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"` + sha(query) + `"}}}`, "the version 1"},
		"a text as version": {`{"extensions":{"persistedQuery":{"version":"1","sha256Hash":"` + sha(query) + `"}}}`, "the version 1"},
		"no object":         {`{"query":"{ hello }","extensions":{"persistedQuery":"` + sha(query) + `"}}`, "must be an object"},
	} {
		rec := send(t, h, tt.body, newer)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), `"BAD_USER_INPUT"`) || !strings.Contains(rec.Body.String(), tt.want) {
			t.Errorf("%s: %d %s lacks %s", name, rec.Code, rec.Body, tt.want)
		}
	}
	if len(known.kept) > 0 {
		t.Errorf("kept: %v", known.kept)
	}
	for _, hash := range []string{sha(query), sha("{ other: hello }")} {
		if rec := send(t, h, persisted(t, "", hash), newer); rec.Body.String() != notFound {
			t.Errorf("afterwards, %s is known: %s", hash, rec.Body)
		}
	}
	if rec := send(t, h, `{"query":"{ hello }","extensions":{"persistedQuery":null}}`); rec.Body.String() != hello {
		t.Errorf("null: %s", rec.Body)
	}
}

// What is no document, or more than is answered, is not kept, nor told to
// anybody.
func TestPersisted_notKept(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		query string
		kept  bool
	}{
		"no GraphQL":            {"hello", false},
		"not of this schema":    {"{ nope }", false},
		"too deep":              {strings.Repeat("{ nest ", 30) + "{ hello }" + strings.Repeat("}", 30), false},
		"too many tokens":       {"{" + strings.Repeat(" hello", 300) + "}", false},
		"over the budget":       {"{ costly: hello }", false},
		"unreadable variables":  {"query ($n: Int!) { hello(n: $n) }", false},
		"too long to be kept":   {"{ hello } #" + strings.Repeat("x", 256<<10), false},
		"as long as may be":     {"{ hello } #" + strings.Repeat("x", 256<<10-11), true},
		"what fails is a query": {"{ fail }", true},
	} {
		known := new(shelf)
		h := graphhttp.New(newStub(), graphhttp.Options{TokenLimit: 200, Queries: known, Estimate: func(_ context.Context, oc *graphql.OperationContext) graphhttp.Estimate {
			return graphhttp.Estimate{Calls: strings.Count(oc.RawQuery, "costly"), Budget: 0}
		}})
		for range 2 {
			if rec := send(t, h, persisted(t, tt.query, sha(tt.query)), newer); rec.Code != http.StatusOK && tt.kept {
				t.Errorf("%s: %d %s", name, rec.Code, rec.Body)
			}
		}
		rec := send(t, h, persisted(t, "", sha(tt.query)), newer)
		if got := rec.Body.String() != notFound; got != tt.kept || len(known.kept) > 0 != tt.kept {
			t.Errorf("%s: known is %v, told is %v: %.100s", name, got, len(known.kept) > 0, rec.Body)
		}
	}
}

// What others know is asked for once; a text that is not that of the hash is
// none.
func TestPersisted_others(t *testing.T) {
	t.Parallel()
	known := new(shelf)
	first, second := graphhttp.New(newStub(), graphhttp.Options{Queries: known}), graphhttp.New(newStub(), graphhttp.Options{Queries: known})
	const query, evil = "{ hello }", "mutation { set }"
	send(t, first, persisted(t, query, sha(query)))
	for range 3 {
		if rec := send(t, second, persisted(t, "", sha(query))); rec.Body.String() != hello {
			t.Errorf("the second one answers %s", rec.Body)
		}
	}
	if known.gets != 1 {
		t.Errorf("asked %d times", known.gets)
	}
	known.Add(t.Context(), sha("{ a: hello }"), evil)
	known.Add(t.Context(), sha(""), "")
	for _, hash := range []string{sha("{ a: hello }"), sha("")} {
		if rec := send(t, second, persisted(t, "", hash)); rec.Body.String() != notFound {
			t.Errorf("a text of another hash: %s", rec.Body)
		}
	}
}

// However much is sent, a bounded number of bytes is kept.
func TestPersisted_bounded(t *testing.T) {
	t.Parallel()
	h := graphhttp.New(newStub(), graphhttp.Options{})
	const each, most = 250 << 10, 8 << 20
	sent := 3 * most / each
	document := func(i int) string { return fmt.Sprintf("{ hello } #%d", i) + strings.Repeat("x", each) }
	for i := range sent {
		send(t, h, persisted(t, document(i), sha(document(i))))
	}
	kept := 0
	for i := range sent {
		if rec := send(t, h, persisted(t, "", sha(document(i)))); rec.Body.String() == hello {
			kept++
		}
	}
	if kept == 0 || kept > most/each+1 {
		t.Errorf("%d documents of %d kB are kept", kept, each>>10)
	}
}

// A mutation that is known by its hash needs all that any other mutation needs.
func TestPersisted_mutation(t *testing.T) {
	t.Parallel()
	const query = "mutation { set }"
	h := graphhttp.New(newStub(), graphhttp.Options{})
	byURL := "/graphql?extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+sha(query)+`"}}`)
	refused := func(what string, status int, r *http.Request) {
		t.Helper()
		if rec := serve(h, r); rec.Code != status || strings.Contains(rec.Body.String(), "done") {
			t.Errorf("%s: %d %s, want %d", what, rec.Code, rec.Body, status)
		}
	}
	refused("made known by GET", http.StatusMethodNotAllowed, request(t, http.MethodGet, byURL+"&query="+url.QueryEscape(query), ""))
	if rec := send(t, h, persisted(t, query, sha(query))); rec.Body.String() != `{"data":{"set":"done"}}` {
		t.Fatalf("made known: %s", rec.Body)
	}
	hash := persisted(t, "", sha(query))
	if rec := send(t, h, hash); rec.Body.String() != `{"data":{"set":"done"}}` {
		t.Errorf("known: %s", rec.Body)
	}
	refused("by GET", http.StatusMethodNotAllowed, request(t, http.MethodGet, byURL, "", newer))
	refused("as text", http.StatusUnsupportedMediaType, request(t, http.MethodPost, "/graphql", hash, "Content-Type: text/plain"))
	refused("as a form", http.StatusUnsupportedMediaType, request(t, http.MethodPost, "/graphql", hash, "Content-Type: application/x-www-form-urlencoded"))
	refused("as a form with parts", http.StatusBadRequest, request(t, http.MethodPost, "/graphql", formed(hash, "{}"), formType))
	check(t, serve(h, request(t, http.MethodPost, "/graphql", formed(hash, "{}"), formType, preflight, newer)), 200, "done")
}

// A client that tries again may send the hash or the whole: it is the same
// request.
func TestPersisted_once(t *testing.T) {
	t.Parallel()
	h, done := namedStub(t)
	const query = "mutation($n: Int) { set(to: $n) }"
	body := func(text, n string) string {
		return strings.TrimSuffix(persisted(t, text, sha(query)), "}") + `, "variables":{"n":` + n + `}}`
	}
	if unknown := named(t, h, "me", "k", body("", "9")); unknown.Body.String() != notFound {
		t.Errorf("unknown: %s", unknown.Body)
	}
	for i, text := range []string{query, "", query, ""} {
		rec := named(t, h, "me", "k", body(text, "9"))
		check(t, rec, 200, "done 1")
		if replayed := rec.Header().Get("Idempotent-Replayed") == "true"; replayed != (i > 0) {
			t.Errorf("request %d: replayed is %v", i, replayed)
		}
	}
	check(t, named(t, h, "me", "k", set(9)), 200, "done 1") // without a hash
	check(t, named(t, h, "me", "k", body("", "8")), 422, "belongs to another request")
	check(t, named(t, h, "me", "k", `{"query":"mutation { set(to: 9) }"}`), 422, "belongs to another request")
	if done.Load() != 1 {
		t.Errorf("done %d times", done.Load())
	}
}
