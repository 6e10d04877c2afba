package app

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"mixcloud-graphql/internal/config"
)

// /schema.graphql returns the schema, for tools and for pages of other origins.
func TestSchemaFile(t *testing.T) {
	t.Parallel()
	app := newLiveApp(t)
	send := func(method string, headers ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), method, "/schema.graphql", nil)
		for i := 0; i < len(headers); i += 2 {
			r.Header.Set(headers[i], headers[i+1])
		}
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		return w
	}
	plain := send(http.MethodGet, "Origin", "https://app.example.com")
	if _, err := gqlparser.LoadSchema(&ast.Source{Input: plain.Body.String()}); err != nil || plain.Code != http.StatusOK {
		t.Fatalf("status = %d, want 200 and a valid schema: %v", plain.Code, err)
	}
	if text := plain.Body.String(); strings.Contains(text, "@cost") || strings.Contains(text, "@listSize") {
		t.Error("schema contains @cost or @listSize, want none")
	}
	h := plain.Header()
	if h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Cache-Control") != "public, max-age=300" {
		t.Errorf("headers = %v, want plain text, CORS and max-age=300", h)
	}
	if again := send(http.MethodGet, "If-None-Match", h.Get("ETag")); again.Code != http.StatusNotModified || again.Body.Len() > 0 {
		t.Errorf("If-None-Match: status = %d, %d bytes, want 304 without a body", again.Code, again.Body.Len())
	}
	coded := send(http.MethodGet, "Accept-Encoding", "gzip")
	if coded.Header().Get("Content-Encoding") != "gzip" || coded.Header().Get("ETag") == h.Get("ETag") || coded.Body.Len() > plain.Body.Len()/3 {
		t.Errorf("compressed: %d of %d bytes, headers = %v, want gzip, another ETag and at most a third", coded.Body.Len(), plain.Body.Len(), coded.Header())
	}
	if unzip, err := gzip.NewReader(coded.Body); err != nil {
		t.Error(err)
	} else if text, err := io.ReadAll(unzip); err != nil || string(text) != plain.Body.String() {
		t.Errorf("the decompressed schema differs from the uncompressed one, or is truncated (error %v)", err)
	}
	if again := send(http.MethodGet, "Accept-Encoding", "gzip", "If-None-Match", coded.Header().Get("ETag")); again.Code != http.StatusNotModified {
		t.Errorf("compressed, If-None-Match: status = %d, want 304", again.Code)
	}
	if head := send(http.MethodHead); head.Code != http.StatusOK || head.Header().Get("ETag") != h.Get("ETag") {
		t.Errorf("HEAD: status = %d, headers = %v, want 200 and the same ETag", head.Code, head.Header())
	}
	if post := send(http.MethodPost); post.Code != http.StatusMethodNotAllowed || post.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: status = %d, headers = %v, want 405 with Allow: GET, HEAD", post.Code, post.Header())
	}
	preflight := send(http.MethodOptions, "Origin", "https://app.example.com", "Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "if-none-match")
	if preflight.Code != http.StatusNoContent || preflight.Header().Get("Access-Control-Allow-Headers") != "if-none-match" {
		t.Errorf("preflight: status = %d, headers = %v, want 204 with if-none-match allowed", preflight.Code, preflight.Header())
	}
}

// With --introspection=false no response contains the schema, and no error suggests names of the schema.
func TestHiddenSchema(t *testing.T) {
	t.Parallel()
	app := newDemoApp(t, func(cfg *config.Serve) { cfg.Introspection = new(false) })
	if rec := get(t, app, "/schema.graphql"); rec.Code != http.StatusNotFound {
		t.Errorf("/schema.graphql: status = %d, want 404", rec.Code)
	}
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"__schema":    {`{"query":"{__schema{types{name}}}"}`, 400},
		"__type":      {`{"query":"{__type(name:\"User\"){name}}"}`, 400},
		"field":       {`{"query":"{user(username:\"demo\"){usernam}}"}`, 400},
		"argument":    {`{"query":"{user(usernam:\"demo\"){name}}"}`, 400},
		"type":        {`{"query":"{node(id:\"x\"){...f}} fragment f on Usr{name}"}`, 400},
		"enum":        {`{"query":"{user(username:\"demo\"){picture(size:SMAL){url}}}"}`, 400},
		"variable":    {`{"query":"query($s:PictureSize!){user(username:\"demo\"){picture(size:$s){url}}}","variables":{"s":"SMAL"}}`, 400},
		"input field": {`{"query":"mutation{followUser(input:{usernam:\"demo\"}){changed}}"}`, 400},
		"__typename":  {`{"query":"{__typename user(username:\"demo\"){__typename}}"}`, 200},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/graphql-response+json")
		w := httptest.NewRecorder()
		app.ServeHTTP(w, r)
		if w.Code != tt.status || strings.Contains(w.Body.String(), "id you mean") || strings.Contains(w.Body.String(), `"types"`) {
			t.Errorf("%s: status = %d, want %d without names of the schema: %s", name, w.Code, tt.status, w.Body)
		}
	}
}
