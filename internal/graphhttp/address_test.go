package graphhttp

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestClientAddress(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.7:4711":              "192.0.2.7",
		"[::ffff:192.0.2.7]:4711":     "192.0.2.7",
		"[2001:db8:1:2:3:4:5:6]:4711": "2001:db8:1:2::/64",
		"[2001:db8:1:2:ffff::1]:80":   "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80":           "fe80::/64",
		"@":                           "",
		"":                            "",
		"192.0.2.7":                   "",
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = remote
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		got := "none"
		ClientAddress(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Address(r.Context()) })).
			ServeHTTP(httptest.NewRecorder(), r)
		if got != want {
			t.Errorf("%q is address %q, want %q", remote, got, want)
		}
	}
}
