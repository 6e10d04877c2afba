package auth

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSignIn(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	b := d.browser(t)
	back := b.login("/playground/?a=b#c")
	if want := publicURL + "/oauth/callback?attempt="; !strings.HasPrefix(back.String(), want) || len(back.Query().Get("attempt")) < 26 {
		t.Errorf("redirect_uri is %s, want %s…", back, want)
	}
	w := b.callback(back, "code=abc")
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/base/playground/?a=b#c" {
		t.Errorf("callback: status %d, redirect to %q, want 303 to /base/playground/?a=b#c: %s", w.Code, to, w.Body)
	}
	want := url.Values{
		"client_id": {"app"}, "client_secret": {canary + "-secret"}, "code": {"abc"},
		"redirect_uri": {back.String()}, "grant_type": {"authorization_code"},
	}
	if diff := cmp.Diff([]url.Values{want}, d.mixcloud.forms); diff != "" {
		t.Errorf("exchanged (-want +got):\n%s", diff)
	}
	if got := b.whoami(csrfHeader); got != "token-of-abc" {
		t.Errorf("token after the sign-in is %q, want token-of-abc", got)
	}
	if _, left := b.cookies["mixcloud-graphql-dev-attempt"]; left || len(b.cookies) != 1 {
		t.Errorf("cookies after the sign-in are %v, want only the session", b.cookies)
	}

	if w := b.send(http.MethodPost, LogoutPath, header("Sec-Fetch-Site", "same-origin")); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/base/" {
		t.Errorf("sign-out: status %d, redirect to %q, want 303 to /base/", w.Code, w.Header().Get("Location"))
	}
	if got := b.whoami(csrfHeader); got != "" || len(b.cookies) > 0 {
		t.Errorf("token after the sign-out is %q, want none; cookies %v, want none", got, b.cookies)
	}
}

func TestSignIn_HTTPS(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{publicURL: "https://graph.example"})
	b := d.browser(t)
	back := b.login("/x")
	if w := b.send(http.MethodGet, back.RequestURI()+"&code=abc"); w.Header().Get("Location") != "/x" {
		t.Errorf("callback: status %d, redirect to %q, want /x", w.Code, w.Header().Get("Location"))
	}
	if _, ok := b.cookies["__Host-mixcloud-graphql"]; !ok || len(b.cookies) != 1 {
		t.Errorf("cookies are %v, want only __Host-mixcloud-graphql", b.cookies)
	}
}

func TestNewCookies(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"https://graph.example": true, "https://graph.example:8443/x": true,
		"http://127.0.0.1:8080": true, "http://127.9.9.9": true, "http://[::1]:1": true, "http://localhost:8080": true, "http://app.localhost": true,
		"http://graph.example": false, "http://10.0.0.1:8080": false, "http://127.0.0.1.example": false, "http://localhost.example": false,
		"http://notlocalhost": false, "": false, "graph.example": false, "ftp://localhost": false, "https://": false,
	}
	for root, want := range tests {
		if _, err := NewCookies(RandomKeys(), root, nil); (err == nil) != want {
			t.Errorf("NewCookies for %q: error %v, want success: %t", root, err, want)
		}
	}
}

// Every failure is a page that explains it and offers another try. None redirects, and none
// signs anyone in.
func TestSignIn_Failures(t *testing.T) {
	t.Parallel()
	respondWith := func(status int, body string) func(*http.Request, url.Values) (int, string, error) {
		return func(*http.Request, url.Values) (int, string, error) { return status, body, nil }
	}
	tests := map[string]struct {
		options serverOptions
		query   func(b *browser, back *url.URL) string // returns the query of the callback
		status  int
		text    string // part of the page
		next    string // preserved for the next try
		codes   int    // exchanges
	}{
		"denied":         {query: query("error=user_denied"), status: 403, text: "denied access", next: "/n"},
		"another error":  {query: query("error=<script>&code=abc"), status: 403, text: "denied access", next: "/n"},
		"an empty error": {query: query("error="), status: 403, text: "denied access", next: "/n"},
		"no code":        {query: query("x=y"), status: 400, text: "incomplete", next: "/n"},
		"an empty code":  {query: query("code="), status: 400, text: "incomplete", next: "/n"},
		"two codes":      {query: query("code=a&code=b"), status: 400, text: "incomplete", next: "/n"},
		"a wrong code": {
			options: serverOptions{respond: respondWith(400, `{"error":"<b>Bad code</b>"}`)},
			query:   query("code=bad"), status: 400, text: "did not accept", next: "/n", codes: 1,
		},
		"rate limited": {
			options: serverOptions{respond: respondWith(403, `{"error":{"type":"RateLimitException","message":"Slow down.","retry_after":9}}`)},
			query:   query("code=abc"), status: 503, text: "rate limit is exceeded", next: "/n", codes: 1,
		},
		"down": {
			options: serverOptions{respond: respondWith(502, "<html>")},
			query:   query("code=abc"), status: 502, text: "is unavailable", next: "/n", codes: 1,
		},
		"unreachable": {
			options: serverOptions{respond: func(*http.Request, url.Values) (int, string, error) { return 0, "", io.ErrUnexpectedEOF }},
			query:   query("code=abc"), status: 502, text: "is unavailable", next: "/n", codes: 1,
		},
		"slow": {
			options: serverOptions{respond: func(r *http.Request, _ url.Values) (int, string, error) {
				<-r.Context().Done()
				return 0, "", r.Context().Err()
			}},
			query: query("code=abc"), status: 504, text: "did not respond in time", next: "/n", codes: 1,
		},
		"no token": {
			options: serverOptions{respond: respondWith(200, "{}")},
			query:   query("code=abc"), status: 502, text: "is unavailable", next: "/n", codes: 1,
		},
		"without a cookie": {
			query: func(b *browser, _ *url.URL) string { clear(b.cookies); return "code=abc" }, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"with a cookie that was tampered with": {
			query: func(b *browser, _ *url.URL) string {
				b.change(flip)
				return "code=abc"
			}, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"with a truncated cookie": {
			query: func(b *browser, _ *url.URL) string {
				b.change(func(v string) string { return v[:len(v)/2] })
				return "code=abc"
			}, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"with the cookie of another server": {
			query: func(b *browser, _ *url.URL) string {
				b.change(func(string) string { return seal(RandomKeys().attempt, &attempt{"n", "/", time.Now().Unix()}) })
				return "code=abc"
			}, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"with a session for an attempt": {
			query: func(b *browser, _ *url.URL) string {
				b.change(func(string) string { return seal(b.server.keys.session, &attempt{"n", "/", time.Now().Unix()}) })
				return "code=abc"
			}, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"without the nonce": {
			query: func(_ *browser, back *url.URL) string { back.RawQuery = ""; return "code=abc" }, status: 400, text: "not your current sign-in", next: "/n",
		},
		"with an empty nonce": {
			query: func(_ *browser, back *url.URL) string { back.RawQuery = "attempt="; return "code=abc" }, status: 400, text: "not your current sign-in", next: "/n",
		},
		"with two nonces": {
			query: func(_ *browser, back *url.URL) string { return back.RawQuery + "&code=abc" }, status: 400, text: "not your current sign-in", next: "/n",
		},
		"with an empty nonce in a cookie": {
			query: func(b *browser, back *url.URL) string {
				b.change(func(string) string { return seal(b.server.keys.attempt, &attempt{"", "/", time.Now().Unix()}) })
				back.RawQuery = "attempt="
				return "code=abc"
			}, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"ten minutes later": {
			query: func(b *browser, _ *url.URL) string { time.Sleep(attemptLife + skew); return "code=abc" }, status: 400, text: "No sign-in is in progress", next: "/",
		},
		"ten minutes later, with a cookie stored for longer": {
			query: func(b *browser, _ *url.URL) string {
				for name, c := range b.cookies {
					b.cookies[name] = storedCookie{c.value, c.until.Add(time.Hour)}
				}
				time.Sleep(attemptLife)
				return "code=abc"
			}, status: 400, text: "has expired", next: "/n",
		},
		"the nonce store fails": {
			options: serverOptions{nonces: brokenNonces{}},
			query:   query("code=abc"), status: 503, text: "does not work at the moment", next: "/n",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				d := newTestServer(t, tt.options)
				b := d.browser(t)
				back := b.login("/n")
				nonce := back.Query().Get("attempt")
				w := b.callback(back, tt.query(b, back))
				body := w.Body.String()
				if w.Code != tt.status || !strings.Contains(body, tt.text) {
					t.Errorf("status %d, want %d with %q: %s", w.Code, tt.status, tt.text, body)
				}
				if again := `href="/base/oauth/login?next=` + url.QueryEscape(tt.next) + `"`; !strings.Contains(body, again) {
					t.Errorf("the page does not contain %s: %s", again, body)
				}
				checkPage(t, w.Header(), body)
				for _, part := range []string{canary, "abc", nonce} {
					if strings.Contains(body+d.log.String(), part) {
						t.Errorf("the page or the log contains the secret %q:\n%s\n%s", part, body, d.log.String())
					}
				}
				if strings.Contains(body, "Bad code") || strings.Contains(body, "Slow down") {
					t.Errorf("the page contains Mixcloud's message: %s", body)
				}
				if n := d.mixcloud.exchanges(); n != tt.codes {
					t.Errorf("%d codes were exchanged, want %d", n, tt.codes)
				}
				if got := b.whoami(csrfHeader); got != "" {
					t.Errorf("token after a failed sign-in is %q, want none", got)
				}
				if !strings.Contains(d.log.String(), "sign-in failed") {
					t.Errorf("the log does not contain \"sign-in failed\": %s", d.log.String())
				}
			})
		})
	}
}

func query(q string) func(*browser, *url.URL) string {
	return func(*browser, *url.URL) string { return q }
}

// change changes the values of all cookies of the browser.
func (b *browser) change(f func(string) string) {
	for name, c := range b.cookies {
		b.cookies[name] = storedCookie{f(c.value), c.until}
	}
}

type brokenNonces struct{}

func (brokenNonces) Use(context.Context, string, time.Time) (bool, error) {
	return false, errors.New("no memory")
}

// checkPage checks the headers of a page and its style, and that it loads no scripts and no other
// resources.
func checkPage(t *testing.T, h http.Header, body string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		"Content-Security-Policy": pagePolicy, "X-Content-Type-Options": "nosniff", "Location": "", "Refresh": "",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if !strings.Contains(body, "<style>"+pageCSS+"</style>") {
		t.Error("the page does not contain the style that its policy allows")
	}
	for _, part := range []string{"<script", "http-equiv", "src=", "ZgotmplZ"} {
		if strings.Contains(body, part) {
			t.Errorf("the page contains %q: %s", part, body)
		}
	}
}

// A sign-in can be completed only once, even if the browser still has its cookie and Mixcloud
// would accept the code again.
func TestSignIn_Once(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	b := d.browser(t)
	back := b.login("/n")
	before := b.cookies["mixcloud-graphql-dev-attempt"]
	if w := b.callback(back, "code=abc"); w.Code != http.StatusSeeOther {
		t.Fatalf("first callback: status %d, want 303: %s", w.Code, w.Body)
	}
	b.cookies["mixcloud-graphql-dev-attempt"] = before
	w := b.callback(back, "code=abc")
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "already completed") || d.mixcloud.exchanges() != 1 {
		t.Errorf("second callback: status %d and %d exchanges in all, want 400 with \"already completed\" and 1: %s", w.Code, d.mixcloud.exchanges(), w.Body)
	}
	if got := b.whoami(csrfHeader); got != "token-of-abc" {
		t.Errorf("token after the second callback is %q, want token-of-abc", got)
	}
	// A denial uses the nonce too.
	back = b.login("/n")
	before = b.cookies["mixcloud-graphql-dev-attempt"]
	b.callback(back, "error=user_denied")
	b.cookies["mixcloud-graphql-dev-attempt"] = before
	if w := b.callback(back, "code=abc"); w.Code != http.StatusBadRequest || d.mixcloud.exchanges() != 1 {
		t.Errorf("callback after a denial: status %d and %d exchanges in all, want 400 and 1", w.Code, d.mixcloud.exchanges())
	}
}

// Login CSRF: an attacker who sends a victim the callback link of the attacker's own sign-in
// does not sign the victim in as the attacker, whether or not the victim has started a sign-in.
func TestSignIn_LoginCSRF(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	attacker, victim := d.browser(t), d.browser(t)
	link := attacker.login("/")
	if w := victim.callback(link, "code=attackers"); w.Code != http.StatusBadRequest {
		t.Errorf("attacker's callback without an attempt of the victim: status %d, want 400", w.Code)
	}
	own := victim.login("/mine")
	w := victim.callback(link, "code=attackers")
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "not your current sign-in") {
		t.Errorf("attacker's callback during an attempt of the victim: status %d, want 400 with \"not your current sign-in\": %s", w.Code, w.Body)
	}
	if got := victim.whoami(csrfHeader); got != "" || d.mixcloud.exchanges() != 0 {
		t.Errorf("the victim's token is %q after %d exchanges, want no token and no exchange", got, d.mixcloud.exchanges())
	}
	// The victim's own attempt stays valid.
	if w := victim.callback(own, "code=victims"); w.Header().Get("Location") != "/base/mine" || victim.whoami(csrfHeader) != "token-of-victims" {
		t.Errorf("victim's callback: status %d, token %q, want a redirect to /base/mine and token-of-victims", w.Code, victim.whoami(csrfHeader))
	}
}

// Session fixation: a session that an attacker has planted before the victim signs in does not
// become the victim's.
func TestSignIn_SessionFixation(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	attacker, victim := d.browser(t), d.browser(t)
	attacker.signIn("attackers")
	planted := attacker.cookies["mixcloud-graphql-dev"]
	victim.cookies["mixcloud-graphql-dev"] = planted
	victim.signIn("victims")
	if victim.cookies["mixcloud-graphql-dev"] == planted || victim.whoami(csrfHeader) != "token-of-victims" {
		t.Errorf("the victim's token is %q, want token-of-victims and a new cookie", victim.whoami(csrfHeader))
	}
	if got := attacker.whoami(csrfHeader); got != "token-of-attackers" {
		t.Errorf("the attacker's token is %q, want token-of-attackers", got)
	}
	ids := map[string]bool{}
	for range 3 {
		victim.signIn("victims")
		s := new(session)
		text, ok := d.keys.session.open(victim.cookies["mixcloud-graphql-dev"].value)
		if !ok {
			t.Fatal("the session cookie cannot be decrypted")
		}
		unmarshal(t, text, s)
		ids[s.ID] = true
	}
	if len(ids) != 3 {
		t.Errorf("three sign-ins have %d session ids, want 3", len(ids))
	}
}

// A session expires after 30 days, even if the browser still has its cookie.
func TestSession_Expires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newTestServer(t, serverOptions{})
		b := d.browser(t)
		b.signIn("abc")
		c := b.cookies["mixcloud-graphql-dev"]
		if until := time.Now().Add(SessionLife); !c.until.Equal(until) {
			t.Errorf("the cookie lives until %v, want %v", c.until, until)
		}
		time.Sleep(SessionLife - time.Second)
		if got := b.whoami(csrfHeader); got != "token-of-abc" {
			t.Errorf("token before the session's end is %q, want token-of-abc", got)
		}
		time.Sleep(time.Second)
		b.cookies["mixcloud-graphql-dev"] = storedCookie{c.value, time.Now().Add(time.Hour)}
		if got := b.whoami(csrfHeader); got != "" || len(b.cookies) > 0 {
			t.Errorf("token after the session's end is %q, want none; cookies %v, want none", got, b.cookies)
		}
	})
}

// The expiry of sealed cookies depends on the wall clock, which may jump or be another
// replica's. A difference of a minute is tolerated. A larger one ends a sign-in or a session,
// and never makes it last longer.
func TestCookies_ClockJumps(t *testing.T) {
	t.Parallel()
	keys := RandomKeys()
	const years = 1000 * time.Hour
	for name, test := range map[string]struct {
		sealed, read     time.Duration // after one and the same moment
		session, attempt bool
	}{
		"no jump":                   {0, 0, true, true},
		"back by a minute":          {skew - time.Second, 0, true, true},
		"back by more":              {skew + time.Second, 0, false, false},
		"back by years":             {years, 0, false, false},
		"ahead by minutes":          {0, attemptLife - time.Second, true, true},
		"ahead by more":             {0, attemptLife, true, false},
		"ahead by less than a life": {0, SessionLife - time.Second, true, false},
		"ahead by a life":           {0, SessionLife, false, false},
		"ahead by years":            {0, years, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			synctest.Test(t, func(t *testing.T) { // each begins at the same moment
				time.Sleep(test.sealed)
				cookies, err := NewCookies(keys, publicURL, nil)
				if err != nil {
					t.Fatal(err)
				}
				cookies.startSession(w, "token")
				cookies.setAttempt(w, &attempt{Nonce: "nonce", Since: time.Now().Unix()})
			})
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(test.read)
				cookies, err := NewCookies(keys, publicURL, nil)
				if err != nil {
					t.Fatal(err)
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
				for _, c := range w.Result().Cookies() {
					r.AddCookie(c)
				}
				if s, found := cookies.session(r); !found || (s != nil) != test.session {
					t.Errorf("cookie found: %t, session accepted: %t, want true, %t", found, s != nil, test.session)
				}
				a, found := cookies.attempt(r)
				if !found || a == nil {
					t.Fatal("the attempt was not found in the cookies")
				}
				if got := within(a.Since, attemptLife); got != test.attempt {
					t.Errorf("the attempt is valid: %t, want %t", got, test.attempt)
				}
			})
		})
	}
}

// No other site's page can sign a user out.
func TestLogout(t *testing.T) {
	t.Parallel()
	d := newTestServer(t, serverOptions{})
	form := func(body string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Body = io.NopCloser(strings.NewReader(body))
		}
	}
	tests := map[string]struct {
		change []func(*http.Request)
		out    bool
		to     string
	}{
		"a page of this site":            {[]func(*http.Request){header("Sec-Fetch-Site", "same-origin"), form("next=%2Fx%3Fy")}, true, "/base/x?y"},
		"an older browser":               {[]func(*http.Request){header("Origin", "http://127.0.0.1:8080")}, true, "/base/"},
		"no browser":                     {nil, true, "/base/"},
		"behind a proxy":                 {[]func(*http.Request){header("Origin", "http://127.0.0.1:8080"), func(r *http.Request) { r.Host = "backend:1" }}, true, "/base/"},
		"to another site":                {[]func(*http.Request){header("Sec-Fetch-Site", "same-origin"), form("next=%2F%2Fevil.example")}, true, "/base/"},
		"with a huge form":               {[]func(*http.Request){form("next=%2Fx&y=" + strings.Repeat("x", 1<<20))}, true, "/base/"},
		"a page of another site":         {[]func(*http.Request){header("Sec-Fetch-Site", "cross-site")}, false, ""},
		"another subdomain of this site": {[]func(*http.Request){header("Sec-Fetch-Site", "same-site")}, false, ""},
		"another site, older browser":    {[]func(*http.Request){header("Origin", "https://evil.example")}, false, ""},
		"a sandboxed page":               {[]func(*http.Request){header("Origin", "null")}, false, ""},
		"another port of this machine":   {[]func(*http.Request){header("Origin", "http://127.0.0.1:9")}, false, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			b := d.browser(t)
			b.signIn("abc")
			w := b.send(http.MethodPost, LogoutPath, tt.change...)
			if out := b.whoami(csrfHeader) == ""; out != tt.out || w.Header().Get("Location") != tt.to {
				t.Errorf("signed out: %t, redirect to %q, want %t, %q; status %d", out, w.Header().Get("Location"), tt.out, tt.to, w.Code)
			}
			if !tt.out {
				if w.Code != http.StatusForbidden {
					t.Errorf("refused sign-out: status %d, want 403", w.Code)
				}
				checkPage(t, w.Header(), w.Body.String())
			}
		})
	}
	b := d.browser(t)
	w := b.send(http.MethodGet, LogoutPath)
	if checkPage(t, w.Header(), w.Body.String()); strings.Contains(w.Body.String(), "<form") {
		t.Errorf("the page without a session contains a form: %s", w.Body)
	}
	b.signIn("abc")
	w = b.send(http.MethodGet, LogoutPath+"?next=/x%22%3E")
	if checkPage(t, w.Header(), w.Body.String()); !strings.Contains(w.Body.String(), `<form method="post" action="/base/oauth/logout"><input type="hidden" name="next" value="/">`) {
		t.Errorf("the page of a session does not contain the sign-out form: %s", w.Body)
	}
	if b.whoami(csrfHeader) == "" {
		t.Error("GET of the sign-out page signed the user out")
	}
}

// If the browser uses another name for this machine, its cookie would not reach the callback:
// it is first redirected to the right name, once.
func TestLogin_OtherHostName(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"localhost:8080": true, "[::1]:8080": true, "LocalHost:8080": true,
		"127.0.0.1:8080": false, "localhost:8081": false, "backend:8080": false, "evil.example:8080": false, "": false,
	}
	for host, moves := range tests {
		b := newTestServer(t, serverOptions{}).browser(t)
		b.host = host
		w := b.send(http.MethodGet, LoginPath+"?next=/n")
		to := w.Header().Get("Location")
		if want := publicURL + "/oauth/login?here=1&next=%2Fn"; (to == want) != moves || moves && len(b.cookies) > 0 {
			t.Errorf("host %s: redirect to %s, cookies %v, want a redirect to the public URL: %t, and no cookie then", host, to, b.cookies, moves)
		}
		if w := b.send(http.MethodGet, LoginPath+"?next=/n&here=1"); !strings.HasPrefix(w.Header().Get("Location"), siteURL) {
			t.Errorf("host %s, with here=1: redirect to %s, want %s", host, w.Header().Get("Location"), siteURL)
		}
	}
}

func TestSignIn_OtherRequests(t *testing.T) {
	t.Parallel()
	b := newTestServer(t, serverOptions{}).browser(t)
	for _, tt := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"POST", LoginPath, 405, "GET"},
		{"HEAD", LoginPath, 405, "GET"},
		{"POST", CallbackPath, 405, "GET"},
		{"HEAD", CallbackPath, 405, "GET"},
		{"DELETE", LogoutPath, 405, "GET, POST"},
		{"GET", "/oauth/", 404, ""},
		{"GET", "/oauth/login/", 404, ""},
		{"GET", "/oauth/Login", 404, ""},
	} {
		w := b.send(tt.method, tt.path)
		if w.Code != tt.status || w.Header().Get("Allow") != tt.allow || len(b.cookies) > 0 || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s %s: status %d, Allow %q, cookies %v, Cache-Control %q; want %d, %q, none, no-store", tt.method, tt.path, w.Code, w.Header().Get("Allow"), b.cookies, w.Header().Get("Cache-Control"), tt.status, tt.allow)
		}
	}
}

func TestNoSignIn(t *testing.T) {
	t.Parallel()
	d := &testServer{handler: NoSignIn("There is no application.")}
	b := d.browser(t)
	for _, path := range []string{LoginPath, CallbackPath, LogoutPath} {
		w := b.send(http.MethodGet, path)
		if checkPage(t, w.Header(), w.Body.String()); w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "There is no application.") || !strings.Contains(w.Body.String(), `href="../"`) {
			t.Errorf("GET %s: status %d, want 404 with the reason and a link to ../: %s", path, w.Code, w.Body)
		}
		w = b.send(http.MethodGet, path, header("Accept", "application/json"))
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `"code":"NOT_FOUND"`) || !strings.Contains(w.Body.String(), "There is no application.") {
			t.Errorf("GET %s as JSON: status %d, want 404 with NOT_FOUND and the reason: %s", path, w.Code, w.Body)
		}
	}
}
