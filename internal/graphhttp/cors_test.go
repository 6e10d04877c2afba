package graphhttp

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The CORS headers of an origin by configuration, on preflight requests and on every response.
func TestCORS(t *testing.T) {
	t.Parallel()
	const own, other, none = "https://app.example.com", "https://evil.example", ""
	type want struct{ origin, credentials string }
	for _, tt := range []struct {
		name    string
		allowed []string
		origin  string
		want    want
	}{
		{"any origin, no cookie", nil, other, want{"*", ""}},
		{"no page", nil, none, want{"", ""}},
		{"a sandboxed page", nil, "null", want{"*", ""}},
		{"the listed origin, with the cookie", []string{own}, own, want{own, "true"}},
		{"an origin that is not listed", []string{own}, other, want{"", ""}},
		{"an origin with the listed one as a prefix", []string{own}, own + ".evil.example", want{"", ""}},
		{"another scheme", []string{own}, "http://app.example.com", want{"", ""}},
		{"another port", []string{own}, own + ":8443", want{"", ""}},
		{"a sandboxed page with a list", []string{own}, "null", want{"", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			reached := 0
			h := CORS([]string{"/graphql"}, tt.allowed)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached++
				w.WriteHeader(http.StatusTeapot) // errors have the headers too
			}))
			for _, preflight := range []bool{true, false} {
				r := httptest.NewRequest(http.MethodPost, "/graphql", nil)
				if tt.origin != none {
					r.Header.Set("Origin", tt.origin)
				}
				if preflight {
					r.Method = http.MethodOptions
					r.Header.Set("Access-Control-Request-Method", http.MethodPost)
					r.Header.Set("Access-Control-Request-Headers", "authorization,content-type,idempotency-key,x-graphql-cost")
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				got := want{w.Header().Get("Access-Control-Allow-Origin"), w.Header().Get("Access-Control-Allow-Credentials")}
				if tt.origin == none && len(tt.allowed) == 0 {
					got.origin = "" // clients other than browsers ignore it
				}
				if got != tt.want {
					t.Errorf("preflight %t: %+v, want %+v", preflight, got, tt.want)
				}
				if len(tt.allowed) > 0 && !strings.Contains(strings.Join(w.Header().Values("Vary"), ","), "Origin") {
					t.Errorf("preflight %t: Vary = %q, want it to contain Origin", preflight, w.Header()["Vary"])
				}
				if preflight && tt.want.origin != "" {
					if w.Header().Get("Access-Control-Max-Age") != "86400" || !strings.Contains(w.Header().Get("Access-Control-Allow-Headers"), "idempotency-key") {
						t.Errorf("preflight headers = %v, want Max-Age 86400 and Allow-Headers with idempotency-key", w.Header())
					}
				}
				if exposed := w.Header().Get("Access-Control-Expose-Headers"); !preflight && tt.want.origin != "" && !strings.Contains(exposed, "Retry-After") {
					t.Errorf("Access-Control-Expose-Headers = %q, want it to contain Retry-After", exposed)
				}
			}
			if reached != 1 {
				t.Errorf("the handler was called %d times, want once: it must not see the preflight request", reached)
			}
		})
	}
}

// Methods and headers that are not listed are refused.
func TestCORS_RefusesOtherRequests(t *testing.T) {
	t.Parallel()
	h := CORS([]string{"/graphql"}, nil)(http.NotFoundHandler())
	for _, tt := range []struct{ method, headers string }{
		{http.MethodDelete, "content-type"},
		{http.MethodPut, ""},
		{http.MethodPost, "x-secret"},
	} {
		r := httptest.NewRequest(http.MethodOptions, "/graphql", nil)
		r.Header.Set("Origin", "https://a.example")
		r.Header.Set("Access-Control-Request-Method", tt.method)
		r.Header.Set("Access-Control-Request-Headers", tt.headers)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Methods"); got != "" {
			t.Errorf("%+v: Access-Control-Allow-Methods = %q, want none", tt, got)
		}
	}
}

// Responses at other paths, such as the sign-in pages, have no CORS headers.
func TestCORS_OnlyAtItsPath(t *testing.T) {
	t.Parallel()
	h := CORS([]string{"/graphql"}, nil)(http.NotFoundHandler())
	for _, path := range []string{"/oauth/login", "/", "/graphql/", "/readyz"} {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Header.Set("Origin", "https://a.example")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: Access-Control-Allow-Origin = %q, want none", path, got)
		}
	}
}
