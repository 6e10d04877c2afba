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

// What pages of other origins can make the browser of somebody who is signed in do. A request that a browser sends without asking
// first ("simple") never acts for them, whatever its content type; one that needs a preflight request fails at that, except from an
// origin of --allow-origin. A row says who the mutation acts for, by its outcome.
func TestCSRF(t *testing.T) {
	t.Parallel()
	const (
		own, evil      = "https://app.example.com", "https://evil.example"
		refused        = "refused" // with status 400, 405, 406 or 415, and nothing was executed
		nobody, viewer = "nobody", "viewer"
		mutation       = `mutation { followUser(input: {username: "spartacus"}) { message } }`
	)
	json := fmt.Sprintf(`{"query":%q}`, mutation)
	form := "query=" + url.QueryEscape(mutation)
	multipart := "--b\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + json +
		"\r\n--b\r\nContent-Disposition: form-data; name=\"map\"\r\n\r\n{}\r\n--b--\r\n"
	c := newTestServer(t, serverOptions{listen: true, writable: true, config: config.Serve{AllowOrigin: []string{own}}})
	b := newBrowser(t, c.url)
	b.signIn("demo", "/")
	if who := b.viewer(fromScript); who != "demo" {
		t.Fatalf("signed in as %q", who)
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
		// Simple requests of another site, by every content type that a form or fetch can send without asking.
		{"a form", "POST", "application/x-www-form-urlencoded", form, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"a form of JSON", "POST", "text/plain", json, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"a form with files", "POST", "multipart/form-data; boundary=b", multipart, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"no content type", "POST", "", json, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, refused},
		{"JSON that says it is text", "POST", "text/plain; application/json", json, true, []string{"Origin: " + evil}, refused},
		{"JSON in another charset", "POST", "application/json; charset=utf-7", json, true, []string{"Origin: " + evil}, refused},
		{"a beacon of JSON", "POST", "application/json", json, true, []string{"Origin: " + evil, "Sec-Fetch-Site: cross-site"}, nobody},
		{"a link", "GET", "", "", true, []string{"Sec-Fetch-Site: cross-site"}, refused},
		{"a link that is typed", "GET", "", "", true, []string{"Sec-Fetch-Site: none"}, refused},
		{"HEAD", "HEAD", "", "", true, []string{"Sec-Fetch-Site: cross-site"}, refused},
		// The same without Fetch Metadata, from older browsers.
		{"a form, old browser", "POST", "application/x-www-form-urlencoded", form, true, []string{"Origin: " + evil}, refused},
		{"a form with files, old browser", "POST", "multipart/form-data; boundary=b", multipart, true, nil, refused},
		{"JSON, old browser", "POST", "application/json", json, true, nil, nobody},
		// Origins that are near.
		{"a subdomain of the same site", "POST", "application/json", json, true, []string{"Origin: https://x.example.com", "Sec-Fetch-Site: same-site"}, nobody},
		{"a form of a subdomain", "POST", "multipart/form-data; boundary=b", multipart, true, []string{"Origin: https://x.example.com", "Sec-Fetch-Site: same-site"}, refused},
		{"a sandboxed page", "POST", "application/json", json, true, []string{"Origin: null", "Sec-Fetch-Site: cross-site"}, nobody},
		{"a form of a sandboxed page", "POST", "text/plain", json, true, []string{"Origin: null"}, refused},
		// What only our own page, or a page of an allowed origin after a preflight request, can send.
		{"our page", "POST", "application/json", json, true, []string{"Origin: " + c.url, "Sec-Fetch-Site: same-origin"}, viewer},
		{"our page, old browser", "POST", "application/json", json, true, []string{"X-Requested-With: x"}, viewer},
		{"our page, Apollo", "POST", "application/json", json, true, []string{"Apollo-Require-Preflight: true"}, viewer},
		{"an allowed origin", "POST", "application/json", json, true, []string{"Origin: " + own, "Sec-Fetch-Site: same-site", "GraphQL-Require-Preflight: 1"}, viewer},
		{"our page, a form", "POST", "application/x-www-form-urlencoded", form, true, []string{"Sec-Fetch-Site: same-origin"}, refused},
		{"our page, a link", "GET", "", "", true, []string{"Sec-Fetch-Site: same-origin"}, refused},
		// Without the cookie there is nobody to act for.
		{"our page, signed out", "POST", "application/json", json, false, []string{"Sec-Fetch-Site: same-origin"}, nobody},
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
			got = nobody
		case resp.StatusCode >= 400 && resp.StatusCode < 500 && writes == 0:
			got = refused
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if allowed := resp.Header.Get("Access-Control-Allow-Origin"); allowed != "" && allowed != own {
			t.Errorf("%s: the response is shared with %s", tt.name, allowed)
		}
	}
}

// Browsers ask before they send what is not simple: only origins of --allow-origin are told yes, with the cookie.
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
					t.Errorf("--allow-origin %v, page %s, headers %s: %q with credentials %q, want %q with %q",
						origins, origin, headers, h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials"), wantOrigin, wantCookie)
				}
			}
		}
	}
}
