package app

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"mixcloud-graphql/internal/config"
)

// A page of another origin cannot make the browser of a signed-in user write. A request that needs no preflight ("simple") never
// acts for the viewer, with any content type. The preflight of other requests fails, except for the origins of --allow-origin.
// Each row says for which principal the mutation acts.
func TestCSRF(t *testing.T) {
	t.Parallel()
	const (
		own, evil         = "https://app.example.com", "https://evil.example"
		refused           = "refused" // with a 4xx, and without execution
		anonymous, viewer = "anonymous", "viewer"
		mutation          = `mutation { followUser(input: {username: "spartacus"}) { message } }`
	)
	json := fmt.Sprintf(`{"query":%q}`, mutation)
	form := "query=" + url.QueryEscape(mutation)
	multipart := "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + json +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--b--\r\n"
	c := newTestServer(t, serverOptions{listen: true, writable: true, config: config.Serve{AllowOrigin: []string{own}}})
	b := newBrowser(t, c.url)
	b.signIn("demo", "/")
	if got := b.viewer(csrfHeader); got != "demo" {
		t.Fatalf("viewer = %q, want demo", got)
	}
	base, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	cookies := b.http.Jar.Cookies(base)

	for _, tt := range []struct {
		name, method, contentType, body string
		cookie                          bool
		headers                         []string
		want                            string
	}{
		// Simple requests of another site, with every content type that a form or fetch can send without a preflight.
		{"a form", "POST", "application/x-www-form-urlencoded", form, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"a form of JSON", "POST", "text/plain", json, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"a form with files", "POST", "multipart/form-data; boundary=b", multipart, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"no content type", "POST", "", json, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"JSON labeled as text", "POST", "text/plain; application/json", json, true, []string{"Origin: " + evil}, refused},
		{"JSON in another charset", "POST", "application/json; charset=utf-7", json, true, []string{"Origin: " + evil}, refused},
		{"a beacon of JSON", "POST", "application/json", json, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, anonymous},
		{"a link", "GET", "", "", true, []string{"Sec-Fetch-Site: cross-site"}, refused},
		{"a link that is typed", "GET", "", "", true, []string{"Sec-Fetch-Site: none"}, refused},
		{"HEAD", "HEAD", "", "", true, []string{"Sec-Fetch-Site: cross-site"}, refused},
		// The same from older browsers, without Fetch Metadata.
		{"a form, old browser", "POST", "application/x-www-form-urlencoded", form, true, []string{"Origin: " + evil}, refused},
		{"a form with files, old browser", "POST", "multipart/form-data; boundary=b", multipart, true, nil, refused},
		{"JSON, old browser", "POST", "application/json", json, true, nil, anonymous},
		// Related origins.
		{"a subdomain of the same site", "POST", "application/json", json, true, []string{"Origin: https://x.example.com", "Sec-Fetch-Site: same-site"}, anonymous},
		{"a form of a subdomain", "POST", "multipart/form-data; boundary=b", multipart, true, []string{"Origin: https://x.example.com", "Sec-Fetch-Site: same-site"}, refused},
		{"a sandboxed page", "POST", "application/json", json, true, []string{"Origin: null", "Sec-Fetch-Site: cross-site"}, anonymous},
		{"a form of a sandboxed page", "POST", "text/plain", json, true, []string{"Origin: null"}, refused},
		// Requests that only a page of the server, or of an allowed origin after a preflight, can send.
		{"our page", "POST", "application/json", json, true, []string{"Origin: " + c.url, "Sec-Fetch-Site: same-origin"}, viewer},
		{"our page, old browser", "POST", "application/json", json, true, []string{"X-Requested-With: x"}, viewer},
		{"our page, Apollo", "POST", "application/json", json, true, []string{"Apollo-Require-Preflight: true"}, viewer},
		{"an allowed origin", "POST", "application/json", json, true, []string{"Origin: " + own, "Sec-Fetch-Site: same-site", "GraphQL-Require-Preflight: 1"}, viewer},
		{"our page, a form", "POST", "application/x-www-form-urlencoded", form, true, []string{"Sec-Fetch-Site: same-origin"}, refused},
		{"our page, a link", "GET", "", "", true, []string{"Sec-Fetch-Site: same-origin"}, refused},
		// Without the cookie the request is anonymous.
		{"our page, signed out", "POST", "application/json", json, false, []string{"Sec-Fetch-Site: same-origin"}, anonymous},
		{"a form, signed out", "POST", "application/x-www-form-urlencoded", form, false, []string{"Origin: " + evil}, refused},
		{"a form with files, signed out", "POST", "multipart/form-data; boundary=b", multipart, false, nil, refused},
		{"a program with a token", "POST", "application/json", json, false, []string{"Authorization: Bearer demo-token"}, viewer},
	} {
		address := c.url + "/graphql"
		if tt.method != http.MethodPost {
			address += "?" + form
		}
		r, err := http.NewRequestWithContext(t.Context(), tt.method, address, strings.NewReader(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "application/graphql-response+json")
		if tt.contentType != "" {
			r.Header.Set("Content-Type", tt.contentType)
		}
		for _, line := range tt.headers {
			name, value, _ := strings.Cut(line, ": ")
			r.Header.Set(name, value)
		}
		if tt.cookie {
			for _, cookie := range cookies {
				r.AddCookie(cookie)
			}
		}
		c.emulator.ClearRequests()
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		writes := 0
		for _, call := range c.emulator.Requests() {
			if call.Method == http.MethodPost {
				writes++
			}
		}
		got := fmt.Sprintf("status %d: %s", resp.StatusCode, text)
		switch {
		case resp.StatusCode == http.StatusOK && writes == 1 && !strings.Contains(string(text), `"errors"`):
			got = viewer
		case resp.StatusCode == http.StatusOK && writes == 0 && strings.Contains(string(text), `"code":"UNAUTHENTICATED"`):
			got = anonymous
		case resp.StatusCode >= 400 && resp.StatusCode < 500 && writes == 0:
			got = refused
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
		if allowed := resp.Header.Get("Access-Control-Allow-Origin"); allowed != "" && allowed != own {
			t.Errorf("%s: Access-Control-Allow-Origin = %q, want none or %q", tt.name, allowed, own)
		}
	}
}

// The preflight succeeds, with credentials, only for the origins of --allow-origin. Without the flag it succeeds for all
// origins, without credentials.
func TestCSRF_Preflight(t *testing.T) {
	t.Parallel()
	const own = "https://app.example.com"
	for _, origins := range [][]string{nil, {own}} {
		s := newTestServer(t, serverOptions{config: config.Serve{AllowOrigin: origins}})
		for _, origin := range []string{own, "https://evil.example", "https://x.app.example.com", "https://app.example.com.evil.example", "http://app.example.com", "null"} {
			for _, headers := range []string{"content-type", "authorization,content-type", "content-type,x-requested-with"} {
				w := get(t, s.app, "/graphql", func(r *http.Request) {
					r.Method = http.MethodOptions
					r.Header.Set("Origin", origin)
					r.Header.Set("Access-Control-Request-Method", "POST")
					r.Header.Set("Access-Control-Request-Headers", headers)
				})
				wantOrigin, wantCookie := "*", ""
				if origins != nil {
					wantOrigin = map[bool]string{true: own}[origin == own]
					wantCookie = map[bool]string{true: "true"}[origin == own]
				}
				h := w.Header()
				if h.Get("Access-Control-Allow-Origin") != wantOrigin || h.Get("Access-Control-Allow-Credentials") != wantCookie {
					t.Errorf("--allow-origin %v, origin %s, headers %s: allowed %q with credentials %q, want %q with %q",
						origins, origin, headers, h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials"), wantOrigin, wantCookie)
				}
			}
		}
	}
}
