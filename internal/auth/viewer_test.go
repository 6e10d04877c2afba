package auth

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func unmarshal(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// CSRF: browsers send cookies with cross-site requests. A cookie counts only with a header that
// such a request cannot have, and a bearer token has precedence.
func TestViewer_Cookie(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	signedIn := d.browser(t)
	signedIn.signIn("abc")
	good := signedIn.cookies["mixcloud-graphql-dev"].value
	other := seal(RandomKeys().session, &session{"token", "id", time.Now().Unix()})
	future := seal(d.keys.session, &session{"token", "id", time.Now().Add(time.Hour).Unix()})
	empty := seal(d.keys.session, &session{"", "id", time.Now().Unix()})
	asAttempt := seal(d.keys.attempt, &session{"token", "id", time.Now().Unix()})
	cookie := func(values ...string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Cookie")
			for _, v := range values {
				r.AddCookie(&http.Cookie{Name: "mixcloud-graphql-dev", Value: v})
			}
		}
	}
	form := header("Content-Type", "application/x-www-form-urlencoded")
	tests := map[string]struct {
		change []func(*http.Request)
		want   string // the token
		clears bool
	}{
		"no cookie":                     {[]func(*http.Request){cookie(), csrfHeader}, "", false},
		"a form of another site":        {[]func(*http.Request){cookie(good), form, header("Sec-Fetch-Site", "cross-site")}, "", false},
		"a form of this origin":         {[]func(*http.Request){cookie(good), form, header("Sec-Fetch-Site", "same-origin")}, "token-of-abc", false},
		"our page's EventSource":        {[]func(*http.Request){cookie(good), header("Sec-Fetch-Site", "same-origin")}, "token-of-abc", false},
		"a subdomain of this site":      {[]func(*http.Request){cookie(good), form, header("Sec-Fetch-Site", "same-site")}, "", false},
		"a URL typed by the user":       {[]func(*http.Request){cookie(good), header("Sec-Fetch-Site", "none")}, "", false},
		"JSON":                          {[]func(*http.Request){cookie(good), header("Content-Type", "application/json")}, "", false},
		"an empty header":               {[]func(*http.Request){cookie(good), header("X-Requested-With", "")}, "", false},
		"X-Requested-With":              {[]func(*http.Request){cookie(good), csrfHeader}, "token-of-abc", false},
		"Apollo's header":               {[]func(*http.Request){cookie(good), header("Apollo-Require-Preflight", "true")}, "token-of-abc", false},
		"Apollo's other header":         {[]func(*http.Request){cookie(good), header("X-Apollo-Operation-Name", "Query")}, "token-of-abc", false},
		"GraphQL's header":              {[]func(*http.Request){cookie(good), header("GraphQL-Require-Preflight", "1")}, "token-of-abc", false},
		"a bearer token has precedence": {[]func(*http.Request){cookie(good), csrfHeader, header("Authorization", "Bearer mine")}, "mine", false},
		"only a bearer token":           {[]func(*http.Request){cookie(good), header("Authorization", "Bearer mine")}, "mine", false},
		"tampered with":                 {[]func(*http.Request){cookie(flip(good)), csrfHeader}, "", true},
		"tampered with, no header":      {[]func(*http.Request){cookie(flip(good))}, "", false},
		"cut":                           {[]func(*http.Request){cookie(good[:20]), csrfHeader}, "", true},
		"nothing":                       {[]func(*http.Request){cookie(""), csrfHeader}, "", true},
		"nonsense":                      {[]func(*http.Request){cookie("1.!!"), csrfHeader}, "", true},
		"too long":                      {[]func(*http.Request){cookie("1." + strings.Repeat("A", 20_000)), csrfHeader}, "", true},
		"another version":               {[]func(*http.Request){cookie("2" + good[1:]), csrfHeader}, "", true},
		"another key":                   {[]func(*http.Request){cookie(other), csrfHeader}, "", true},
		"another purpose":               {[]func(*http.Request){cookie(asAttempt), csrfHeader}, "", true},
		"from the future":               {[]func(*http.Request){cookie(future), csrfHeader}, "", true},
		"without a token":               {[]func(*http.Request){cookie(empty), csrfHeader}, "", true},
		"two of them":                   {[]func(*http.Request){cookie(good, other), csrfHeader}, "", true},
		"the same twice":                {[]func(*http.Request){cookie(good, good), csrfHeader}, "", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := d.browser(t).send(http.MethodPost, "/whoami", tt.change...)
			if w.Code != http.StatusOK || w.Body.String() != tt.want {
				t.Errorf("status %d, token %q, want 200, %q", w.Code, w.Body, tt.want)
			}
			cleared := strings.HasPrefix(w.Header().Get("Set-Cookie"), "mixcloud-graphql-dev=; Path=/; Max-Age=0;")
			if cleared != tt.clears || !tt.clears && w.Header().Get("Set-Cookie") != "" {
				t.Errorf("Set-Cookie is %q, want the session deleted: %t", w.Header().Get("Set-Cookie"), tt.clears)
			}
		})
	}
	// An invalid Authorization header is refused even with a valid cookie.
	if w := d.browser(t).send(http.MethodPost, "/whoami", cookie(good), csrfHeader, header("Authorization", "Basic x")); w.Code != http.StatusUnauthorized {
		t.Errorf("invalid Authorization header with a valid cookie: status %d, want 401", w.Code)
	}
}

// flip changes one character in the middle.
func flip(s string) string {
	i := len(s) / 2
	c := byte('A')
	if s[i] == c {
		c = 'B'
	}
	return s[:i] + string(c) + s[i+1:]
}

// If signing in is not configured, cookies are ignored.
func TestViewer_WithoutCookies(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	b := d.browser(t)
	b.signIn("abc")
	got := "not reached"
	d.handler = Viewer(d.keys, nil)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = Token(r.Context()) }))
	if w := b.send(http.MethodPost, "/graphql", csrfHeader); got != "" || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("without sessions: token %q, Set-Cookie %q, want none", got, w.Header().Get("Set-Cookie"))
	}
}

// A bearer token and a cookie with the same token are one principal.
func TestPrincipal(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	b := d.browser(t)
	b.signIn("abc")
	var got []string
	d.handler = Viewer(d.keys, d.cookies)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = append(got, Principal(r.Context()))
	}))
	b.send(http.MethodPost, "/graphql", csrfHeader)
	b.send(http.MethodPost, "/graphql", header("Authorization", "Bearer token-of-abc"))
	b.send(http.MethodPost, "/graphql", header("Authorization", "Bearer token-of-abd"))
	b.send(http.MethodPost, "/graphql")
	if len(got) != 4 || got[0] == "" || got[0] != got[1] || got[1] == got[2] || got[2] == "" || got[3] != "" {
		t.Errorf("principals are %q, want equal ones for one token by cookie and header, another for another token, none without", got)
	}
	if Token(httptest.NewRequest(http.MethodGet, "/", nil).Context()) != "" || Principal(httptest.NewRequest(http.MethodGet, "/", nil).Context()) != "" {
		t.Error("Token or Principal of a context without a viewer is not empty")
	}
}
