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

// fetched is a GET of a query, with headers "Name: value".
func fetched(t *testing.T, h http.Handler, method, query string, headers ...string) *httptest.ResponseRecorder {
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

const cachedQuery = `{popular(first:20){nodes{key url name}}}`

// Anonymous responses to GET that are fresh can be kept: they have what is left of the freshness, one line of Vary, and an entity
// tag of their content coding. All others must not be kept.
func TestHTTPCache_WhatMayBeKept(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	for name, tt := range map[string]struct {
		method, query string
		headers       []string
		least, most   int // of max-age; 0 if it must not be kept
	}{
		"a list":              {"GET", cachedQuery, nil, 110, 120},
		"by HEAD":             {"HEAD", cachedQuery, nil, 110, 120},
		"the shorter":         {"GET", `{popular(first:1){nodes{key}} user(username:"demo"){cloudcasts(first:1){nodes{key}}}}`, nil, 50, 60},
		"the schema":          {"GET", `{__schema{types{name}}}`, nil, 300, 300},
		"a name of a type":    {"GET", `{__typename a:__type(name:"User"){name}}`, nil, 300, 300},
		"by POST":             {"POST", cachedQuery, nil, 0, 0},
		"with a token":        {"GET", cachedQuery, []string{"Authorization: Bearer demo-token"}, 0, 0},
		"schema with a token": {"GET", `{__typename}`, []string{"Authorization: Bearer demo-token"}, 0, 0},
		"with a cookie":       {"GET", cachedQuery, []string{"Cookie: a=b"}, 0, 0},
		"with its cost":       {"GET", cachedQuery, []string{"X-GraphQL-Cost: true"}, 0, 0},
		"a dry run":           {"GET", cachedQuery, []string{"X-GraphQL-Dry-Run: true"}, 0, 0},
		"of this moment":      {"GET", `{rateLimit{remaining}}`, nil, 0, 0},
		"schema and moment":   {"GET", `{__typename rateLimit{remaining}}`, nil, 0, 0},
		"read nothing":        {"GET", `{discover(tags:["funk"]){key}}`, nil, 0, 0},
		"an error":            {"GET", `{user(username:"demo"){name cloudcasts(first:1000){nodes{key}}}}`, nil, 0, 0},
		"not valid":           {"GET", `{nope}`, nil, 0, 0},
		"events":              {"GET", cachedQuery, []string{"Accept: text/event-stream"}, 0, 0},
	} {
		w := fetched(t, s.app, tt.method, tt.query, tt.headers...)
		kept := w.Header().Get("Cache-Control")
		age := 0
		if m := regexp.MustCompile(`^public, max-age=(\d+)$`).FindStringSubmatch(kept); m != nil {
			age, _ = strconv.Atoi(m[1])
		} else if kept != "no-store" {
			t.Errorf("%s: Cache-Control %q", name, kept)
		}
		if age < tt.least || age > tt.most {
			t.Errorf("%s: max-age %d, want %d to %d", name, age, tt.least, tt.most)
		}
		if tagged := w.Header().Get("ETag") != ""; tagged != (tt.most > 0) {
			t.Errorf("%s: ETag %q", name, w.Header().Get("ETag"))
		}
		if w.Header().Get("Age") != "" {
			t.Errorf("%s: Age %q", name, w.Header().Get("Age"))
		}
		vary := w.Header()["Vary"]
		if len(vary) != 1 || len(vary[0]) > 128 {
			t.Errorf("%s: Vary %q, want one line of at most 128 bytes", name, vary)
			continue
		}
		for _, on := range []string{"Accept", "Accept-Encoding", "Authorization", "Cookie", "X-GraphQL-Dry-Run", "Origin"} {
			if tt.most > 0 && !strings.Contains(", "+vary[0]+",", ", "+on+",") {
				t.Errorf("%s: Vary %q lacks %s", name, vary, on)
			}
		}
	}
}

// A conditional request is answered with 304 if the client has the response in the coding and the type that it would get. Then no
// call is made.
func TestHTTPCache_NotModified(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	tagOf := func(headers ...string) string {
		return fetched(t, s.app, "GET", cachedQuery, headers...).Header().Get("ETag")
	}
	plain, zipped, zstd := tagOf(), tagOf("Accept-Encoding: gzip"), tagOf("Accept-Encoding: zstd")
	other := tagOf("Accept: application/graphql-response+json")
	tags := map[string]bool{plain: true, zipped: true, zstd: true, other: true}
	if len(tags) != 4 || strings.HasPrefix(plain, "W/") {
		t.Fatalf("tags %v, want four strong ones", tags)
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
		"another":                 {"GET", `"x"`, nil, 200},
		"without quotes":          {"GET", strings.Trim(plain, `"`), nil, 200},
		"compressed":              {"GET", zipped, []string{gzip}, 304},
		"of all codings":          {"GET", plain + "," + zstd + "," + zipped, []string{gzip}, 304},
		"another coding":          {"GET", zipped, nil, 200},
		"another coding, too":     {"GET", plain, []string{gzip}, 200},
		"another type":            {"GET", other, nil, 200},
		"with a token, any":       {"GET", "*", []string{"Authorization: Bearer demo-token"}, 200},
		"the same, with a token":  {"GET", plain, []string{"Authorization: Bearer demo-token"}, 200},
		"the same, with a cookie": {"GET", plain, []string{"Cookie: a=b"}, 200},
		"by POST":                 {"POST", "*", nil, 415},
	} {
		w := fetched(t, s.app, tt.method, cachedQuery, append(tt.headers, "If-None-Match: "+tt.sent)...)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", name, w.Code, tt.status)
		}
		calls := s.takeCalls()
		if w.Code != http.StatusNotModified {
			continue
		}
		h := w.Header()
		if len(calls) > 0 {
			t.Errorf("%s: calls %v", name, calls)
		}
		if w.Body.Len() > 0 || h.Get("Content-Type") != "" || h.Get("Content-Length") != "" || h.Get("Content-Encoding") != "" {
			t.Errorf("%s: a 304 with a body, or headers of one: %v", name, h)
		}
		want := plain
		if len(tt.headers) > 0 {
			want = zipped
		}
		if h.Get("ETag") != want || !strings.HasPrefix(h.Get("Cache-Control"), "public, max-age=") || h.Get("Vary") == "" {
			t.Errorf("%s: a 304 names %v", name, h)
		}
	}
}

// The files of the page have entity tags of their content coding too. The page itself is too small to be compressed.
func TestHTTPCache_Page(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, serverOptions{})
	for _, path := range []string{"/?plain", "/playground/main.js"} {
		for _, coding := range []string{"", "gzip", "zstd"} {
			accepting := func(r *http.Request) { r.Header.Set("Accept-Encoding", coding) }
			first := get(t, s.app, path, accepting)
			tag := first.Header().Get("ETag")
			if first.Header().Get("Content-Encoding") != coding || tag == "" {
				t.Errorf("%s, %q: %v", path, coding, first.Header())
			}
			again := get(t, s.app, path, accepting, func(r *http.Request) { r.Header.Set("If-None-Match", tag) })
			if again.Code != http.StatusNotModified || again.Header().Get("ETag") != tag || again.Body.Len() > 0 {
				t.Errorf("%s, %q: status = %d, want 304 with %s, want 304 with %s", path, coding, again.Code, again.Header().Get("ETag"), tag)
			}
			if vary := again.Header()["Vary"]; len(vary) != 1 {
				t.Errorf("%s: Vary %q", path, vary)
			}
		}
	}
}
