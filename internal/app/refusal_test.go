package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// withHandlers returns a test server. Handlers serve the calls to their paths; the emulator serves
// all other calls.
func withHandlers(t *testing.T, handlers map[string]http.HandlerFunc) *testServer {
	t.Helper()
	e := newEmulator(t)
	return newTestServer(t, serverOptions{mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
		for path, handler := range handlers {
			if strings.HasPrefix(r.URL.RequestURI(), path) {
				w := httptest.NewRecorder()
				handler(w, r)
				return w.Result(), nil
			}
		}
		return e.Transport().RoundTrip(r)
	})})
}

// htmlPage returns a handler that sends an HTML page.
func htmlPage(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, "<html>secret text</html>")
	}
}

func redirectTo(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusMovedPermanently)
	}
}

// A single resource or search that fails five times a second does not open the circuit breaker for other resources.
func TestOneFailingResourceIsNoOutage(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, status := range []int{400, 402, 403, 405, 408, 409, 418, 423, 451, 500, 501, 502, 503} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := withHandlers(t, map[string]http.HandlerFunc{"/alice/blocked/": htmlPage(status), "/search/?limit=1&q=crash": htmlPage(status)})
				for i := range 50 {
					resp := s.execute(t, "", `{ cloudcast(key: "/alice/blocked/") { key } search(query: "crash") { cloudcasts(first: 1) { nodes { key } } } }`, nil)
					retryable := status >= 500 && status != 501 || status == 403 || status == 408
					for _, e := range resp.decode(t, nil) {
						if e.Extensions["retryable"] == true != retryable || !retryable && strings.Contains(strings.ToLower(e.Message), "try again") || strings.Contains(e.Message, "secret") {
							t.Errorf("error = %+v, want retryable = %t and none of Mixcloud's text", e, retryable)
						}
					}
					if i%10 == 0 {
						decodeData(t, s.execute(t, "", fmt.Sprintf(`{ user(username: "spartacus") { name } search(query: "music %d") { cloudcasts(first: 1) { nodes { key } } } popular(first: 1, offset: %d) { nodes { key } } }`, i, i), nil), 0)
					}
					time.Sleep(200 * time.Millisecond)
				}
			})
		})
	}
}

// The server follows a redirect of Mixcloud to another key, with one more call, also for the lists
// of the resource. A redirect to another host is reported as an error.
func TestRedirects(t *testing.T) {
	t.Parallel()
	s := withHandlers(t, map[string]http.HandlerFunc{
		"/old-name/":   redirectTo("/spartacus/"),
		"/elsewhere/":  redirectTo("https://evil.test/spartacus/"),
		"/party/show/": redirectTo("/spartacus/party-time/?access_token=x"),
		"/genres/mist/": func(w http.ResponseWriter, r *http.Request) {
			redirectTo(strings.Replace(r.URL.Path, "mist", "house", 1))(w, r)
		},
	})
	data := decodeData(t, s.execute(t, "demo-token", `{
		user(username: "old-name") { key name raw }
		cloudcast(key: "/party/show/") { key }
		tag(name: "mist") { key popular(first: 1) { nodes { key } } }
		elsewhere: user(username: "elsewhere") { key }
	}`, nil), 1)
	for path, want := range map[string]string{"user": "/spartacus/", "cloudcast": "/spartacus/party-time/", "tag": "/genres/house/"} {
		if got := valueAt(data, []any{path, "key"}); got != want {
			t.Errorf("key of %s = %v, want %s", path, got, want)
		}
	}
	calls := s.takeCalls()
	if len(calls) < 8 || slices.ContainsFunc(calls, func(c string) bool { return strings.Contains(c, "evil") || strings.Contains(c, "=x") }) {
		t.Errorf("calls = %q, want at least 8, and none to another host or with the redirect's token", calls)
	}
	resp := s.execute(t, "demo-token", `{ user(username: "elsewhere") { key } }`, nil)
	if errs := resp.decode(t, nil); len(errs) != 1 || errs[0].code() != "UPSTREAM_BAD_RESPONSE" || !strings.Contains(errs[0].Message, "redirected the call") {
		t.Errorf("errors = %+v, want UPSTREAM_BAD_RESPONSE about the redirect", errs)
	}
}

// Refusals of the player of a private show (401), and of a form that Mixcloud does not support (501), are not retryable errors.
func TestEmbedRefusals(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{401: "FORBIDDEN", 501: "UPSTREAM_BAD_RESPONSE"} {
		s := withHandlers(t, map[string]http.HandlerFunc{"/www/oembed/": htmlPage(status), "/oembed/": htmlPage(status), "/spartacus/party-time/embed-html/": htmlPage(status), "/spartacus/party-time/embed-json/": htmlPage(status)})
		for _, query := range []string{
			`{ oembed(url: "https://www.mixcloud.com/spartacus/party-time/") { title } }`,
			`{ cloudcast(key: "/spartacus/party-time/") { embedHtml } }`,
			`{ cloudcast(key: "/spartacus/party-time/") { embedJson } }`,
		} {
			for _, token := range []string{"", "demo-token"} {
				errs := s.execute(t, token, query, nil).decode(t, nil)
				if len(errs) != 1 || errs[0].code() != want || errs[0].Extensions["retryable"] != nil || strings.Contains(errs[0].Message, "oken") {
					t.Errorf("status %d, %s: errors = %+v, want one %s that is not retryable", status, query, errs, want)
				}
			}
		}
	}
}
