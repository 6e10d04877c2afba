package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
)

// publicURL is the public URL of the demo. A proxy in front of it removes the path.
const publicURL = "http://demo.example:8080/a%20b/emulators"

// newLiveApp returns a server that must not make calls: each call is a test error.
func newLiveApp(t *testing.T) *App {
	t.Helper()
	mixcloud := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("unexpected call: %s", r.URL) }))
	t.Cleanup(mixcloud.Close)
	a, err := New(config.Serve{
		APIURL: mixcloud.URL, SiteURL: mixcloud.URL, OEmbedURL: mixcloud.URL, RequestTimeout: time.Minute,
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// get sends a GET request for path. The change functions may change the request.
func get(t *testing.T, h http.Handler, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:54321", "127.0.0.1:8080"
	for _, c := range change {
		c(r)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	return rec
}

// Every path has its status, its body, a request id and the security headers.
func TestRoutes(t *testing.T) {
	t.Parallel()
	apps := map[string]http.Handler{"live": newLiveApp(t), "demo": newDemoApp(t)}
	tests := []struct {
		path       string
		live, demo int
		body       string // a part of it
	}{
		{"/", 200, 200, "<!doctype html>"},
		{"/playground/main.js", 200, 200, ""},
		{"/playground/nothing.js", 404, 404, ""},
		{"/graphql?query=%7B__typename%7D", 200, 200, `{"data":{"__typename":"Query"}}`},
		{"/graphql", 400, 400, "The request has no query"},
		{"/livez", 200, 200, "ok\n"},
		{"/readyz", 200, 200, "ok\n"},
		{"/oauth/login", 404, 404, "Sign-in is not available: "}, // the demo is on plain http
		{"/oauth/callback?code=x", 404, 404, "Sign-in is not available: "},
		{"/oauth/logout", 404, 404, "Sign-in is not available: "},
		{"/oauth/", 404, 404, "The GraphQL endpoint is /graphql"},
		{"/nothing", 404, 404, "The GraphQL endpoint is /graphql"},
		{"/emulator/demo/", 404, 200, ""},
		{"/emulator/www/demo/", 404, 200, ""},
		{"/emulator/__emulator/requests", 404, 200, ""},
	}
	for name, app := range apps {
		for _, tt := range tests {
			t.Run(name+tt.path, func(t *testing.T) {
				t.Parallel()
				want := tt.live
				if name == "demo" {
					want = tt.demo
				}
				rec := get(t, app, tt.path)
				if rec.Code != want || want < 500 && tt.body != "" && !strings.Contains(rec.Body.String(), tt.body) {
					t.Errorf("status = %d, want %d and a body with %q: %.200s", rec.Code, want, tt.body, rec.Body)
				}
				h := rec.Header()
				if h.Get("X-Request-Id") == "" {
					t.Error("X-Request-Id is missing")
				}
				if strings.HasPrefix(tt.path, demoPath) && name == "demo" {
					return // the emulator sends Mixcloud's headers
				}
				if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") {
					t.Errorf("headers = %v, want the security headers", h)
				}
			})
		}
	}
}

func TestReady_WhileDraining(t *testing.T) {
	t.Parallel()
	a := newLiveApp(t)
	a.draining.Store(true)
	if rec := get(t, a, "/readyz"); rec.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz: status = %d, want 503", rec.Code)
	}
	if rec := get(t, a, "/livez"); rec.Code != http.StatusOK {
		t.Errorf("/livez: status = %d, want 200", rec.Code)
	}
}

// Only the GraphQL endpoint checks the Authorization header.
func TestBearer_OnlyForGraphQL(t *testing.T) {
	t.Parallel()
	a := newLiveApp(t)
	bad := func(r *http.Request) { r.Header.Set("Authorization", "Basic x") }
	if rec := get(t, a, "/graphql?query=%7B__typename%7D", bad); rec.Code != http.StatusUnauthorized {
		t.Errorf("/graphql: status = %d, want 401", rec.Code)
	}
	if rec := get(t, a, "/livez", bad); rec.Code != http.StatusOK {
		t.Errorf("/livez: status = %d, want 200", rec.Code)
	}
}

// executeOn sends an operation to h and decodes the response's data into data. An error fails the test.
func executeOn(t *testing.T, h http.Handler, token, query string, data any) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", strings.NewReader(string(body)))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, r)
	whole := struct {
		Data   any
		Errors json.RawMessage
	}{Data: data}
	if err := json.Unmarshal(rec.Body.Bytes(), &whole); err != nil || whole.Errors != nil {
		t.Fatalf("%s: response = %s, want no errors (%v)", query, rec.Body, err)
	}
}

// A browser can load the pictures and pages that the demo links to, and the demo's own URLs can be used as keys.
func TestDemo_URLsLeadToTheEmulator(t *testing.T) {
	t.Parallel()
	a := newDemoApp(t)
	var got struct {
		User struct {
			URL        string
			Picture    struct{ URL string }
			Cloudcasts struct{ Nodes []struct{ Name string } }
		}
		Pasted struct{ Key string }
		Viewer struct{ Username string }
	}
	executeOn(t, a, "demo-token", `{
		user(username: "demo") { url picture { url } cloudcasts(first: 1) { nodes { name } } }
		pasted: resource(key: "`+publicURL+`/emulator/www/demo/") { key }
		viewer { username }
	}`, &got)
	path, found := strings.CutPrefix(got.User.Picture.URL, publicURL)
	if !found {
		t.Fatalf("URL of the picture = %q, want one below %q", got.User.Picture.URL, publicURL)
	}
	if rec := get(t, a, path); rec.Code != http.StatusOK || !strings.HasPrefix(rec.Header().Get("Content-Type"), "image/") {
		t.Errorf("GET picture: status = %d, Content-Type = %q, want 200 and an image", rec.Code, rec.Header().Get("Content-Type"))
	}
	if got.User.URL != "https://www.mixcloud.com/demo/" {
		t.Errorf("url = %q, want the page on www.mixcloud.com", got.User.URL)
	}
	if got.Pasted.Key != "/demo/" || got.Viewer.Username != "demo" || len(got.User.Cloudcasts.Nodes) != 1 {
		t.Errorf("got %+v, want the key /demo/, the viewer demo and one cloudcast", got)
	}

	rec := get(t, a, "/emulator/demo/cloudcasts/?limit=1")
	var list struct{ Paging struct{ Next string } }
	if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(list.Paging.Next, publicURL+"/emulator/demo/cloudcasts/?") {
		t.Errorf("paging.next = %q, want one below %q", list.Paging.Next, publicURL)
	}
}

// Only this machine may use the emulator's control API.
func TestDemo_ControlIsLocal(t *testing.T) {
	t.Parallel()
	a := newDemoApp(t)
	from := func(addr string) func(*http.Request) { return func(r *http.Request) { r.RemoteAddr = addr } }
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	post := func(r *http.Request) { r.Method = http.MethodPost }
	tests := map[string]struct {
		change []func(*http.Request)
		want   int
	}{
		"this machine":            {nil, 200},
		"this machine, IPv6":      {[]func(*http.Request){from("[::1]:1")}, 200},
		"another machine":         {[]func(*http.Request){from("192.0.2.7:1")}, 403},
		"no address":              {[]func(*http.Request){from("@")}, 403},
		"a local proxy":           {[]func(*http.Request){with("X-Forwarded-For", "192.0.2.7")}, 403},
		"a local proxy, RFC 7239": {[]func(*http.Request){with("Forwarded", "for=192.0.2.7")}, 403},
		"a page of another site":  {[]func(*http.Request){post, with("Sec-Fetch-Site", "cross-site")}, 403},
		"a page of this site":     {[]func(*http.Request){with("Sec-Fetch-Site", "same-origin")}, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if rec := get(t, a, "/emulator/__emulator/requests", tt.change...); rec.Code != tt.want {
				t.Errorf("status = %d, want %d: %s", rec.Code, tt.want, rec.Body)
			}
		})
	}
	// Other spellings of the path do not evade the restriction.
	get(t, a, "/emulator/demo/") // so that the journal has a request
	for _, path := range []string{"/emulator//__emulator/requests", "/emulator/%5f%5femulator/requests", "/emulator/x/../__emulator/requests", "/emulator/./__emulator/requests"} {
		if rec := get(t, a, path, from("192.0.2.7:1")); rec.Code == http.StatusOK && strings.Contains(rec.Body.String(), `"method"`) {
			t.Errorf("GET %s from another machine: status = 200, want no access to the journal", path)
		}
	}
}

func TestRun_Version(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := Run(context.Background(), &config.Version{}, &out, &out); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(out.String(), "mixcloud-graphql ") || !strings.Contains(out.String(), "go1.") {
		t.Errorf("output = %q, want the version of the program and of Go", out.String())
	}
}
