package app

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// executeGET sends a query in the URL, with headers of the form "Name: value".
func executeGET(t *testing.T, h http.Handler, method, query string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/graphql?query="+url.QueryEscape(query), http.NoBody)
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const popularQuery = `{popular(first:20){nodes{key url name}}}`

// Fresh anonymous responses to GET are cacheable: max-age is the rest of their freshness lifetime,
// Vary has one line, and each content coding has its own entity tag. All other responses are not
// cacheable.
func TestHTTPCache_CacheableResponses(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	for name, tt := range map[string]struct {
		method, query string
		headers       []string
		least, most   int // the range of max-age; 0 if the response is not cacheable
	}{
		"a list":              {"GET", popularQuery, nil, 110, 120},
		"by HEAD":             {"HEAD", popularQuery, nil, 110, 120},
		"two lifetimes":       {"GET", `{popular(first:1){nodes{key}} user(username:"demo"){cloudcasts(first:1){nodes{key}}}}`, nil, 50, 60},
		"the schema":          {"GET", `{__schema{types{name}}}`, nil, 300, 300},
		"a type name":         {"GET", `{__typename a:__type(name:"User"){name}}`, nil, 300, 300},
		"by POST":             {"POST", popularQuery, nil, 0, 0},
		"with a token":        {"GET", popularQuery, []string{"Authorization: Bearer demo-token"}, 0, 0},
		"schema with a token": {"GET", `{__typename}`, []string{"Authorization: Bearer demo-token"}, 0, 0},
		"with a cookie":       {"GET", popularQuery, []string{"Cookie: a=b"}, 0, 0},
		"with its cost":       {"GET", popularQuery, []string{"X-GraphQL-Cost: true"}, 0, 0},
		"a dry run":           {"GET", popularQuery, []string{"X-GraphQL-Dry-Run: true"}, 0, 0},
		"rate limit":          {"GET", `{rateLimit{remaining}}`, nil, 0, 0},
		"schema, rate limit":  {"GET", `{__typename rateLimit{remaining}}`, nil, 0, 0},
		"no call":             {"GET", `{discover(tags:["funk"]){key}}`, nil, 0, 0},
		"an error":            {"GET", `{user(username:"demo"){name cloudcasts(first:1000){nodes{key}}}}`, nil, 0, 0},
		"invalid":             {"GET", `{nope}`, nil, 0, 0},
		"events":              {"GET", popularQuery, []string{"Accept: text/event-stream"}, 0, 0},
	} {
		w := executeGET(t, s.app, tt.method, tt.query, tt.headers...)
		cacheControl := w.Header().Get("Cache-Control")
		age := 0
		if m := regexp.MustCompile(`^public, max-age=(\d+)$`).FindStringSubmatch(cacheControl); m != nil {
			age, _ = strconv.Atoi(m[1])
		} else if cacheControl != "no-store" {
			t.Errorf("%s: Cache-Control = %q, want max-age or no-store", name, cacheControl)
		}
		if age < tt.least || age > tt.most {
			t.Errorf("%s: max-age = %d, want %d to %d", name, age, tt.least, tt.most)
		}
		if tagged := w.Header().Get("ETag") != ""; tagged != (tt.most > 0) {
			t.Errorf("%s: ETag = %q, want one only if the response is cacheable", name, w.Header().Get("ETag"))
		}
		if w.Header().Get("Age") != "" {
			t.Errorf("%s: Age = %q, want none", name, w.Header().Get("Age"))
		}
		vary := w.Header()["Vary"]
		if len(vary) != 1 || len(vary[0]) > 128 {
			t.Errorf("%s: Vary = %q, want one line of at most 128 bytes", name, vary)
			continue
		}
		for _, on := range []string{"Accept", "Accept-Encoding", "Authorization", "Cookie", "X-GraphQL-Dry-Run", "Origin"} {
			if tt.most > 0 && !strings.Contains(", "+vary[0]+",", ", "+on+",") {
				t.Errorf("%s: Vary = %q, want it to contain %s", name, vary, on)
			}
		}
	}
}

// The response to a conditional request is 304, without a call, if the entity tag is that of the content coding and media type that
// the client would get.
func TestHTTPCache_NotModified(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	etag := func(headers ...string) string {
		return executeGET(t, s.app, "GET", popularQuery, headers...).Header().Get("ETag")
	}
	plain, zipped, zstd := etag(), etag("Accept-Encoding: gzip"), etag("Accept-Encoding: zstd")
	other := etag("Accept: application/graphql-response+json")
	tags := map[string]bool{plain: true, zipped: true, zstd: true, other: true}
	if len(tags) != 4 || strings.HasPrefix(plain, "W/") {
		t.Fatalf("entity tags = %v, want four different strong ones", tags)
	}
	s.takeCalls()
	const gzip = "Accept-Encoding: gzip"
	for name, tt := range map[string]struct {
		method, sent string
		headers      []string
		status       int
	}{
		"the same":                {"GET", plain, nil, 304},
		"by HEAD":                 {"HEAD", plain, nil, 304},
		"one of a list":           {"GET", `"x", ` + plain + `, "y"`, nil, 304},
		"weakened by a proxy":     {"GET", "W/" + plain, nil, 304},
		"any":                     {"GET", "*", nil, 304},
		"another tag":             {"GET", `"x"`, nil, 200},
		"without quotes":          {"GET", strings.Trim(plain, `"`), nil, 200},
		"compressed":              {"GET", zipped, []string{gzip}, 304},
		"of all codings":          {"GET", plain + "," + zstd + "," + zipped, []string{gzip}, 304},
		"gzip's tag, plain":       {"GET", zipped, nil, 200},
		"plain's tag, gzip":       {"GET", plain, []string{gzip}, 200},
		"another media type":      {"GET", other, nil, 200},
		"with a token, any":       {"GET", "*", []string{"Authorization: Bearer demo-token"}, 200},
		"the same, with a token":  {"GET", plain, []string{"Authorization: Bearer demo-token"}, 200},
		"the same, with a cookie": {"GET", plain, []string{"Cookie: a=b"}, 200},
		"by POST":                 {"POST", "*", nil, 415},
	} {
		w := executeGET(t, s.app, tt.method, popularQuery, append(tt.headers, "If-None-Match: "+tt.sent)...)
		if w.Code != tt.status {
			t.Errorf("%s: status = %d, want %d", name, w.Code, tt.status)
		}
		calls := s.takeCalls()
		if w.Code != http.StatusNotModified {
			continue
		}
		h := w.Header()
		if len(calls) > 0 {
			t.Errorf("%s: calls = %v, want none", name, calls)
		}
		if w.Body.Len() > 0 || h.Get("Content-Type") != "" || h.Get("Content-Length") != "" || h.Get("Content-Encoding") != "" {
			t.Errorf("%s: 304 with %d bytes and headers %v, want no body and no headers about a body", name, w.Body.Len(), h)
		}
		want := plain
		if len(tt.headers) > 0 {
			want = zipped
		}
		if h.Get("ETag") != want || !strings.HasPrefix(h.Get("Cache-Control"), "public, max-age=") || h.Get("Vary") == "" {
			t.Errorf("%s: headers of the 304 = %v, want ETag %s, Cache-Control and Vary", name, h, want)
		}
	}
}

// The files of the playground have one entity tag for each content coding.
func TestHTTPCache_Playground(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	for _, path := range []string{"/?plain", "/playground/main.js"} {
		for _, coding := range []string{"", "gzip", "zstd"} {
			accepting := func(r *http.Request) { r.Header.Set("Accept-Encoding", coding) }
			first := get(t, s.app, path, accepting)
			tag := first.Header().Get("ETag")
			if first.Header().Get("Content-Encoding") != coding || tag == "" {
				t.Errorf("%s, %q: headers = %v, want this Content-Encoding and an ETag", path, coding, first.Header())
			}
			again := get(t, s.app, path, accepting, func(r *http.Request) { r.Header.Set("If-None-Match", tag) })
			if again.Code != http.StatusNotModified || again.Header().Get("ETag") != tag || again.Body.Len() > 0 {
				t.Errorf("%s, %q: status = %d, ETag = %s, want 304 and %s", path, coding, again.Code, again.Header().Get("ETag"), tag)
			}
			if vary := again.Header()["Vary"]; len(vary) != 1 {
				t.Errorf("%s: Vary = %q, want one line", path, vary)
			}
		}
	}
}
