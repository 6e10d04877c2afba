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
	"mixcloud-graphql/internal/opstats"
)

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// persisted returns the body of a request with a hash, and with the query unless it is "".
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

// sharedDocuments are the documents of other replicas.
type sharedDocuments struct {
	mu     sync.Mutex
	stored map[string]string
	gets   int
}

func (s *sharedDocuments) Get(_ context.Context, hash string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gets++
	text, ok := s.stored[hash]
	return text, ok
}

func (s *sharedDocuments) Add(_ context.Context, hash, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stored == nil {
		s.stored = map[string]string{}
	}
	s.stored[hash] = text
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
		{"unknown, older client", "POST", "/graphql", persisted(t, "", sha(query)), nil, 200, notFound},
		{"unknown, with GET", "GET", byURL, "", []string{newer}, 400, notFound},
		{"stored", "POST", "/graphql", persisted(t, query, sha(query)), []string{newer}, 200, hello},
		{"found", "POST", "/graphql", persisted(t, "", sha(query)), []string{newer}, 200, hello},
		{"found, with GET", "GET", byURL, "", []string{newer}, 200, hello},
		{"stored again", "POST", "/graphql", persisted(t, query, sha(query)), []string{newer}, 200, hello},
		{"stored with GET", "GET", "/graphql?query=" + url.QueryEscape("{ a: hello }") + "&extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+sha("{ a: hello }")+`"}}`), "", nil, 200, `{"data":{"a":"you"}}`},
		{"found afterwards", "POST", "/graphql", persisted(t, "", sha("{ a: hello }")), nil, 200, `{"data":{"a":"you"}}`},
	} {
		var headers []string
		if step.body != "" {
			headers = append(headers, "Content-Type: application/json")
		}
		rec := serve(h, request(t, step.method, step.target, step.body, append(headers, step.accept...)...))
		if rec.Code != step.status || rec.Body.String() != step.want {
			t.Errorf("%s: status %d, body %s, want %d, %s", step.name, rec.Code, rec.Body, step.status, step.want)
		}
		if step.want == notFound && rec.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: Cache-Control = %q, want no-store", step.name, rec.Header().Get("Cache-Control"))
		}
	}
}

// A hash finds only its own text, and a malformed hash is an error of the request.
func TestPersisted_refused(t *testing.T) {
	t.Parallel()
	const query = "{ hello }"
	known := new(sharedDocuments)
	h := graphhttp.New(newStub(), graphhttp.Options{Queries: known})
	for name, tt := range map[string]struct{ body, want string }{
		"different hash":  {persisted(t, query, sha("{ other: hello }")), `"sha256Hash\" is not the SHA-256`},
		"upper-case hash": {persisted(t, query, strings.ToUpper(sha(query))), "64 lower-case hexadecimal digits"},
		"short hash":      {persisted(t, "", "abc"), "64 lower-case hexadecimal digits"},
		"no hash":         {`{"query":"{ hello }","extensions":{"persistedQuery":{"version":1}}}`, "64 lower-case hexadecimal digits"},
		"another version": {`{"extensions":{"persistedQuery":{"version":2,"sha256Hash":"` + sha(query) + `"}}}`, "version 1"},
		"text as version": {`{"extensions":{"persistedQuery":{"version":"1","sha256Hash":"` + sha(query) + `"}}}`, "version 1"},
		"no object":       {`{"query":"{ hello }","extensions":{"persistedQuery":"` + sha(query) + `"}}`, "must be an object"},
	} {
		rec := send(t, h, tt.body, newer)
		if rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), `"BAD_USER_INPUT"`) || !strings.Contains(rec.Body.String(), tt.want) {
			t.Errorf("%s: status %d, body %s lacks %s", name, rec.Code, rec.Body, tt.want)
		}
	}
	if len(known.stored) > 0 {
		t.Errorf("refused documents were stored: %v", known.stored)
	}
	for _, hash := range []string{sha(query), sha("{ other: hello }")} {
		if rec := send(t, h, persisted(t, "", hash), newer); rec.Body.String() != notFound {
			t.Errorf("hash %s of a refused document: got %s, want %s", hash, rec.Body, notFound)
		}
	}
	if rec := send(t, h, `{"query":"{ hello }","extensions":{"persistedQuery":null}}`); rec.Body.String() != hello {
		t.Errorf("persistedQuery null: got %s, want %s", rec.Body, hello)
	}
}

// An invalid document, or one over the limits, is stored neither here nor in other replicas.
func TestPersisted_notStored(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		query  string
		stored bool
	}{
		"no GraphQL":                  {"hello", false},
		"does not match the schema":   {"{ nope }", false},
		"too deep":                    {strings.Repeat("{ nest ", 30) + "{ hello }" + strings.Repeat("}", 30), false},
		"too many tokens":             {"{" + strings.Repeat(" hello", 300) + "}", false},
		"over the budget":             {"{ costly: hello }", false},
		"unreadable variables":        {"query ($n: Int!) { hello(n: $n) }", false},
		"too long to be stored":       {"{ hello } #" + strings.Repeat("x", 256<<10), false},
		"maximum length":              {"{ hello } #" + strings.Repeat("x", 256<<10-11), true},
		"failing operation is stored": {"{ fail }", true},
	} {
		known := new(sharedDocuments)
		h := graphhttp.New(newStub(), graphhttp.Options{TokenLimit: 200, Queries: known, Estimate: func(_ context.Context, oc *graphql.OperationContext) opstats.Estimate {
			return opstats.Estimate{Calls: strings.Count(oc.RawQuery, "costly"), Budget: 0}
		}})
		for range 2 {
			if rec := send(t, h, persisted(t, tt.query, sha(tt.query)), newer); rec.Code != http.StatusOK && tt.stored {
				t.Errorf("%s: status %d, want 200: %s", name, rec.Code, rec.Body)
			}
		}
		rec := send(t, h, persisted(t, "", sha(tt.query)), newer)
		if got := rec.Body.String() != notFound; got != tt.stored || len(known.stored) > 0 != tt.stored {
			t.Errorf("%s: found locally %v, in the shared store %v, want both %v: %.100s", name, got, len(known.stored) > 0, tt.stored, rec.Body)
		}
	}
}

// A document of another replica is fetched once; a text with a different hash is ignored.
func TestPersisted_others(t *testing.T) {
	t.Parallel()
	known := new(sharedDocuments)
	first, second := graphhttp.New(newStub(), graphhttp.Options{Queries: known}), graphhttp.New(newStub(), graphhttp.Options{Queries: known})
	const query, evil = "{ hello }", "mutation { set }"
	send(t, first, persisted(t, query, sha(query)))
	for range 3 {
		if rec := send(t, second, persisted(t, "", sha(query))); rec.Body.String() != hello {
			t.Errorf("hash from another process: got %s, want %s", rec.Body, hello)
		}
	}
	if known.gets != 1 {
		t.Errorf("shared store was read %d times, want 1", known.gets)
	}
	known.Add(t.Context(), sha("{ a: hello }"), evil)
	known.Add(t.Context(), sha(""), "")
	for _, hash := range []string{sha("{ a: hello }"), sha("")} {
		if rec := send(t, second, persisted(t, "", hash)); rec.Body.String() != notFound {
			t.Errorf("text with a wrong hash: got %s, want %s", rec.Body, notFound)
		}
	}
}

// The size of the stored documents is bounded.
func TestPersisted_bounded(t *testing.T) {
	t.Parallel()
	h := graphhttp.New(newStub(), graphhttp.Options{})
	const each, most = 250 << 10, 8 << 20
	sent := 3 * most / each
	document := func(i int) string { return fmt.Sprintf("{ hello } #%d", i) + strings.Repeat("x", each) }
	for i := range sent {
		send(t, h, persisted(t, document(i), sha(document(i))))
	}
	stored := 0
	for i := range sent {
		if rec := send(t, h, persisted(t, "", sha(document(i)))); rec.Body.String() == hello {
			stored++
		}
	}
	if stored == 0 || stored > most/each+1 {
		t.Errorf("%d documents of %d kB are stored, want 1 to %d", stored, each>>10, most/each+1)
	}
}

// A persisted mutation has the same requirements as any other mutation.
func TestPersisted_mutation(t *testing.T) {
	t.Parallel()
	const query = "mutation { set }"
	h := graphhttp.New(newStub(), graphhttp.Options{})
	byURL := "/graphql?extensions=" + url.QueryEscape(`{"persistedQuery":{"version":1,"sha256Hash":"`+sha(query)+`"}}`)
	refused := func(name string, status int, r *http.Request) {
		t.Helper()
		if rec := serve(h, r); rec.Code != status || strings.Contains(rec.Body.String(), "done") {
			t.Errorf("%s: status %d, body %s, want status %d", name, rec.Code, rec.Body, status)
		}
	}
	refused("stored with GET", http.StatusMethodNotAllowed, request(t, http.MethodGet, byURL+"&query="+url.QueryEscape(query), ""))
	if rec := send(t, h, persisted(t, query, sha(query))); rec.Body.String() != `{"data":{"set":"done"}}` {
		t.Fatalf("mutation with its document: got %s, want it executed", rec.Body)
	}
	hash := persisted(t, "", sha(query))
	if rec := send(t, h, hash); rec.Body.String() != `{"data":{"set":"done"}}` {
		t.Errorf("mutation with its hash: got %s, want it executed", rec.Body)
	}
	refused("with GET", http.StatusMethodNotAllowed, request(t, http.MethodGet, byURL, "", newer))
	refused("as text", http.StatusUnsupportedMediaType, request(t, http.MethodPost, "/graphql", hash, "Content-Type: text/plain"))
	refused("as a form", http.StatusUnsupportedMediaType, request(t, http.MethodPost, "/graphql", hash, "Content-Type: application/x-www-form-urlencoded"))
	refused("as a form with parts", http.StatusBadRequest, request(t, http.MethodPost, "/graphql", formOf(hash, "{}"), formType))
	check(t, serve(h, request(t, http.MethodPost, "/graphql", formOf(hash, "{}"), formType, preflight, newer)), 200, "done")
}

// A retry may send the hash or the whole document: it is the same request.
func TestPersisted_idempotencyKey(t *testing.T) {
	t.Parallel()
	h, done := newPrincipalStub(t)
	const query = "mutation($n: Int) { set(to: $n) }"
	body := func(text, n string) string {
		return strings.TrimSuffix(persisted(t, text, sha(query)), "}") + `, "variables":{"n":` + n + `}}`
	}
	if unknown := sendAs(t, h, "me", "k", body("", "9")); unknown.Body.String() != notFound {
		t.Errorf("unknown hash: got %s, want %s", unknown.Body, notFound)
	}
	for i, text := range []string{query, "", query, ""} {
		rec := sendAs(t, h, "me", "k", body(text, "9"))
		check(t, rec, 200, "done 1")
		if replayed := rec.Header().Get("Idempotent-Replayed") == "true"; replayed != (i > 0) {
			t.Errorf("request %d: replayed = %v, want %v", i, replayed, i > 0)
		}
	}
	check(t, sendAs(t, h, "me", "k", set(9)), 200, "done 1") // without a hash
	check(t, sendAs(t, h, "me", "k", body("", "8")), 422, "was used for a different request")
	check(t, sendAs(t, h, "me", "k", `{"query":"mutation { set(to: 9) }"}`), 422, "was used for a different request")
	if done.Load() != 1 {
		t.Errorf("executed %d times, want 1", done.Load())
	}
}
