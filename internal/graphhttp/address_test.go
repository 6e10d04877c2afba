package graphhttp

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// clientOf returns the address of a request's client, and the log.
func clientOf(t *testing.T, remote string, trusted []netip.Prefix, headers ...string) (address, logged string) {
	t.Helper()
	var log bytes.Buffer
	h := ClientAddress(trusted, slog.New(slog.NewTextHandler(&log, nil)))(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		address = Address(r.Context())
	}))
	for range 3 {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.RemoteAddr = remote
		for _, line := range headers {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Add(name, value)
		}
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	return address, log.String()
}

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
		got, _ := clientOf(t, remote, nil, "X-Forwarded-For: 203.0.113.9")
		if got != want {
			t.Errorf("address of peer %q = %q, want %q", remote, got, want)
		}
	}
}

// Only forwarding headers from trusted proxies are used, and only the elements that trusted
// proxies appended to them.
func TestClientAddress_TrustedProxies(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}
	const proxy, stranger = "10.0.0.1:443", "192.0.2.7:4711"
	for name, tt := range map[string]struct {
		remote  string
		headers []string
		want    string
	}{
		"untrusted peer":                 {stranger, []string{"X-Forwarded-For: 203.0.113.9"}, "192.0.2.7"},
		"untrusted peer, RFC 7239":       {stranger, []string{"Forwarded: for=203.0.113.9"}, "192.0.2.7"},
		"proxy":                          {proxy, []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		"proxy without headers":          {proxy, nil, "10.0.0.1"},
		"proxy over IPv6":                {"[2001:db8:ffff::1]:443", []string{"X-Forwarded-For: 203.0.113.9"}, "203.0.113.9"},
		"IPv6 client":                    {proxy, []string{"X-Forwarded-For: 2001:db8:1:2:3::4"}, "2001:db8:1:2::/64"},
		"with a port":                    {proxy, []string{"X-Forwarded-For: 203.0.113.9:4711"}, "203.0.113.9"},
		"two proxies":                    {proxy, []string{"X-Forwarded-For: 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"two proxies on two lines":       {proxy, []string{"X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 10.0.0.2"}, "203.0.113.9"},
		"forged by the client":           {proxy, []string{"X-Forwarded-For: 198.51.100.1, 203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		"forged trusted address":         {proxy, []string{"X-Forwarded-For: 10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		"client within the network":      {proxy, []string{"X-Forwarded-For: 10.0.0.7"}, "10.0.0.7"},
		"nonsense":                       {proxy, []string{"X-Forwarded-For: nonsense"}, "10.0.0.1"},
		"nonsense before a proxy":        {proxy, []string{"X-Forwarded-For: nonsense, 10.0.0.2"}, "10.0.0.2"},
		"empty":                          {proxy, []string{"X-Forwarded-For: "}, "10.0.0.1"},
		"RFC 7239":                       {proxy, []string{`Forwarded: for=203.0.113.9;proto=https;by=10.0.0.1`}, "203.0.113.9"},
		"RFC 7239, IPv6":                 {proxy, []string{`Forwarded: proto=https; For="[2001:db8:1:2::4]:4711"`}, "2001:db8:1:2::/64"},
		"RFC 7239, two proxies":          {proxy, []string{`Forwarded: for=203.0.113.9, for="10.0.0.2:80"`}, "203.0.113.9"},
		"RFC 7239, hidden":               {proxy, []string{`Forwarded: for=_hidden`}, "10.0.0.1"},
		"RFC 7239, in a quoted host":     {proxy, []string{`Forwarded: for=203.0.113.9;host="a\",for=198.51.100.1"`}, "203.0.113.9"},
		"both agree":                     {proxy, []string{"X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"}, "203.0.113.9"},
		"both, one of them the client's": {proxy, []string{"X-Forwarded-For: 203.0.113.9", "Forwarded: for=198.51.100.1"}, "10.0.0.1"},
		"both, one of them empty":        {proxy, []string{"X-Forwarded-For: ", "Forwarded: for=198.51.100.1"}, "10.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, logged := clientOf(t, tt.remote, trusted, tt.headers...)
			if got != tt.want {
				t.Errorf("address = %q, want %q", got, tt.want)
			}
			if lines, want := strings.Count(logged, "not a trusted proxy"), map[bool]int{true: 1}[tt.remote == stranger]; lines != want {
				t.Errorf("%d warnings for three requests, want %d: %s", lines, want, logged)
			}
		})
	}
}
