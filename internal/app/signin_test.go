package app

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// A browser follows redirects and keeps cookies, as people's do.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{t, base, &http.Client{Jar: jar}}
}

// A sight is what a browser shows in the end.
type sight struct {
	url    *url.URL
	status int
	body   string
}

func (b *browser) do(r *http.Request) sight {
	b.t.Helper()
	resp, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return sight{resp.Request.URL, resp.StatusCode, string(body)}
}

func (b *browser) get(address string) sight {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// post sends a form, as a page does.
func (b *browser) post(address string, form url.Values) sight {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// choose submits Mixcloud's page.
func (b *browser) choose(page sight, choice, user string) sight {
	b.t.Helper()
	once := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page.body)
	if once == nil {
		b.t.Fatalf("at %s there is no form: %d %s", page.url, page.status, page.body)
	}
	return b.post(page.url.String(), url.Values{"form": {once[1]}, "choice": {choice}, "user": {user}})
}

// signIn signs in as a user of the emulator and goes on to next.
func (b *browser) signIn(user, next string) sight {
	b.t.Helper()
	return b.choose(b.get(b.base+"/oauth/login?"+url.Values{"next": {next}}.Encode()), "allow", user)
}

// viewer returns the name of the signed-in user, "" for an anonymous client, or the code of an error.
func (b *browser) viewer(headers ...string) string {
	b.t.Helper()
	var data struct{ Viewer *struct{ Username string } }
	if code := b.graph("{ viewer { username } }", nil, &data, headers...); code != "" {
		return code
	}
	if data.Viewer == nil {
		return ""
	}
	return data.Viewer.Username
}

// graph sends an operation, and returns the code of its first error.
func (b *browser) graph(query string, variables map[string]any, into any, headers ...string) string {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+"/graphql", strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for _, name := range headers {
		name, value, _ := strings.Cut(name, ": ")
		r.Header.Set(name, value)
	}
	response := struct {
		Data   any
		Errors []responseError
	}{Data: into}
	if seen := b.do(r); json.Unmarshal([]byte(seen.body), &response) != nil {
		b.t.Fatalf("%d %s", seen.status, seen.body)
	}
	if len(response.Errors) > 0 {
		return response.Errors[0].code()
	}
	return ""
}

const fromScript = "X-Requested-With: test"

const canarySecret = "s3cret-canary-of-the-application"

// newSignInServer is a server that is an application of the emulated Mixcloud,
// with secrets that can be looked for.
func newSignInServer(t *testing.T, o serverOptions) *testServer {
	t.Helper()
	o.listen = true
	o.config.OAuthClientID, o.config.OAuthClientSecret = "app", canarySecret
	o.config.SecretKey = canarySecret + "-0123456789abcdef"
	o.emulator = append(o.emulator, emulator.WithOAuthClient("app", canarySecret, "Test"))
	return newTestServer(t, o)
}

// The demo signs in out of the box, on one listener.
func TestSignIn_Demo(t *testing.T) {
	t.Parallel()
	_, base := serveDemo(t)
	b := newBrowser(t, base)
	if page := b.get(base + "/"); !strings.Contains(page.body, `{&#34;signIn&#34;:true,`) {
		t.Error("the page does not offer to sign in")
	}
	page := b.get(base + "/oauth/login?next=/livez")
	if page.status != http.StatusOK || page.url.Path != "/emulator/www/oauth/authorize" {
		t.Fatalf("login leads to %s: %d", page.url, page.status)
	}
	if seen := b.choose(page, "allow", world.DemoUser); seen.url.String() != base+"/livez" || seen.body != "ok\n" {
		t.Errorf("in the end it is at %s: %d %s", seen.url, seen.status, seen.body)
	}
	if got := b.viewer(fromScript); got != world.DemoUser {
		t.Errorf("the viewer is %q", got)
	}
	if got := b.viewer(); got != "" {
		t.Errorf("without a header the viewer is %q", got)
	}
	if seen := b.post(base+"/oauth/logout", nil); seen.url.String() != base+"/" {
		t.Errorf("signing out leads to %s", seen.url)
	}
	if got := b.viewer(fromScript); got != "" {
		t.Errorf("signed out, the viewer is %q", got)
	}
}

// People who sign in act for themselves, until they sign out or take back what
// they have allowed, and nothing secret is ever logged.
func TestSignIn_TheWholeWay(t *testing.T) {
	t.Parallel()
	c := newSignInServer(t, serverOptions{writable: true})
	one, two := newBrowser(t, c.url), newBrowser(t, c.url)
	seen := one.signIn(world.DocumentedUser, "/livez?x=y")
	if seen.url.String() != c.url+"/livez?x=y" || seen.status != http.StatusOK {
		t.Fatalf("in the end it is at %s: %d %s", seen.url, seen.status, seen.body)
	}
	two.signIn(world.ListenerUser, "https://evil.example/")
	for name, got := range map[string]string{
		world.DocumentedUser: one.viewer(fromScript),
		world.ListenerUser:   two.viewer("Apollo-Require-Preflight: 1"),
		world.DemoUser:       one.viewer(fromScript, "Authorization: Bearer demo-token"), // which wins
	} {
		if got != name {
			t.Errorf("the viewer is %q, want %q", got, name)
		}
	}

	// CSRF: a form of another site has the cookie and not the header.
	follow := `mutation { followUser(input: {username: "` + world.StationUser + `"}) { userErrors { message } viewer { username } } }`
	if code := one.graph(follow, nil, new(any)); code != "UNAUTHENTICATED" {
		t.Errorf("a mutation without the header: %q", code)
	}
	if code := one.graph(follow, nil, new(any), fromScript); code != "" {
		t.Errorf("a mutation with the header: %q", code)
	}
	form := one.post(c.url+"/graphql", url.Values{"query": {follow}})
	if form.status != http.StatusUnsupportedMediaType {
		t.Errorf("a form: status %d %s", form.status, form.body)
	}
	for _, r := range []struct{ method, header, value string }{
		{http.MethodGet, "Sec-Fetch-Site", "cross-site"}, {http.MethodOptions, "Access-Control-Request-Headers", "x-requested-with"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), r.method, c.url+"/graphql?query="+url.QueryEscape("{viewer{username}}"), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(r.header, r.value)
		request.Header.Set("Origin", "https://evil.example")
		request.Header.Set("Access-Control-Request-Method", "POST")
		resp, err := one.http.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if strings.Contains(string(body), world.DocumentedUser) || resp.Header.Get("Access-Control-Allow-Origin") != "*" || resp.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s of another site: %s %v", r.method, body, resp.Header)
		}
	}

	// Denied, and tried again.
	three := newBrowser(t, c.url)
	if seen := three.choose(three.get(c.url+"/oauth/login?next=/livez"), "deny", ""); seen.status != http.StatusForbidden || !strings.Contains(seen.body, `href="/oauth/login?next=%2Flivez"`) {
		t.Errorf("denied: %d %s", seen.status, seen.body)
	}
	if got := three.viewer(fromScript); got != "" {
		t.Errorf("who has denied it is %q", got)
	}

	// Taken back at Mixcloud.
	tokens := c.recorder.sentTokens()
	if len(tokens) != 3 { // two that were issued, and the demo's
		t.Errorf("%d tokens were sent", len(tokens))
	}
	for _, token := range tokens {
		c.emulator.Revoke(token)
	}
	if got := one.viewer(fromScript); got != "UNAUTHENTICATED" {
		t.Errorf("with a token that was revoked: %q", got)
	}
	log := c.log.String()
	for _, secret := range append(tokens, "s3cret-canary", "attempt=", "&code=", "?code=", "evil.example") {
		if strings.Contains(log, secret) {
			t.Errorf("%q was logged:\n%s", secret, log)
		}
	}
	if strings.Count(log, `"msg":"signed in"`) != 2 || !strings.Contains(log, "sign-in failed") {
		t.Errorf("the log does not tell who came:\n%s", log)
	}
}

// Mixcloud fails while a person comes back: they read a page, and nothing of
// the failure.
func TestSignIn_MixcloudFails(t *testing.T) {
	t.Parallel()
	c := newSignInServer(t, serverOptions{config: config.Serve{RequestTimeout: 300 * time.Millisecond}})
	tests := []struct {
		kind emulator.FaultKind
		want int
	}{
		{emulator.FaultHTML502, 502},
		{emulator.FaultReset, 502},
		{emulator.FaultTruncatedJSON, 502},
		{emulator.FaultSlowHeaders, 504},
		{emulator.FaultURLEncodedToken, 200},
		{emulator.FaultRateLimit, 503}, // the last: no code is exchanged until the wait is over
	}
	for _, test := range tests {
		kind, want := test.kind, test.want
		b := newBrowser(t, c.url)
		page := b.get(c.url + "/oauth/login?next=/livez")
		fault := emulator.Fault{Kind: kind, Match: "/www/oauth/access_token", Times: 2}
		if kind == emulator.FaultSlowHeaders {
			fault.Delay = time.Minute
		}
		if err := c.emulator.Fail(fault); err != nil {
			t.Fatal(err)
		}
		seen := b.choose(page, "allow", world.DemoUser)
		if seen.status != want || want != 200 && (!strings.Contains(seen.body, "Try again") || seen.url.Path != "/oauth/callback") {
			t.Errorf("%s: %d at %s, want %d: %s", kind, seen.status, seen.url, want, seen.body)
		}
		c.emulator.ClearFaults()
		if want != 200 && kind != emulator.FaultRateLimit {
			// Trying again works, and so does the rest meanwhile.
			if seen := b.signIn(world.DemoUser, "/livez"); seen.url.Path != "/livez" {
				t.Errorf("%s: trying again leads to %s", kind, seen.url)
			}
		}
	}
}

// Two replicas with one secret key are one server; with another key, or none,
// the client is anonymous.
func TestSignIn_Replicas(t *testing.T) {
	t.Parallel()
	c := newSignInServer(t, serverOptions{})
	b := newBrowser(t, c.url)
	b.signIn(world.DemoUser, "/")
	root, err := url.Parse(c.url)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		key  config.Secret
		want string
	}{
		"the same key": {canarySecret + "-0123456789abcdef", world.DemoUser},
		"another key":  {canarySecret + "-0123456789abcdeg", ""},
		"no key":       {"", ""},
	} {
		client, err := mixcloud.New(mixcloud.WithAPIURL(mixcloudURL), mixcloud.WithHTTPClient(&http.Client{Transport: c.emulator.Transport()}))
		if err != nil {
			t.Fatal(err)
		}
		replica, err := newApp(config.Serve{OAuthClientID: "app", OAuthClientSecret: "x", PublicURL: c.url, RequestTimeout: time.Minute, SecretKey: tt.key}, client, nil, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/graphql", strings.NewReader(`{"query":"{viewer{username}}"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Requested-With", "test")
		for _, cookie := range b.http.Jar.Cookies(root) {
			r.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		replica.ServeHTTP(w, r)
		if signedIn := strings.Contains(w.Body.String(), `"username":"`+world.DemoUser+`"`); w.Code != http.StatusOK || signedIn != (tt.want != "") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// Apps bring people to Mixcloud themselves, and keep the token.
func TestOAuth_ForApps(t *testing.T) {
	t.Parallel()
	const back = "https://app.example/back"
	c := newSignInServer(t, serverOptions{config: config.Serve{OAuthRedirects: []string{"org.example:/x", back}}})
	b := newBrowser(t, c.url)
	b.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if r.URL.Host == "app.example" {
			return http.ErrUseLastResponse
		}
		return nil
	}
	const ask = `query ($back: String!) { oauthAuthorizationUrl(redirectUri: $back) }`
	for _, other := range []string{"", back + "/", back + "?x=y", "https://app.example/back/../evil", "HTTPS://app.example/back", "https://app.example", "https://evil.example/back"} {
		if code := b.graph(ask, map[string]any{"back": other}, new(any)); code != "BAD_USER_INPUT" {
			t.Errorf("sending people back to %q: %q", other, code)
		}
	}
	var address struct{ OAuthAuthorizationURL string }
	if code := b.graph(ask, map[string]any{"back": back}, &address); code != "" {
		t.Fatal(code)
	}
	page := b.get(address.OAuthAuthorizationURL)
	once := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page.body)
	if once == nil {
		t.Fatalf("at %s there is no form: %s", page.url, page.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.url.String(),
		strings.NewReader(url.Values{"form": {once[1]}, "choice": {"allow"}, "user": {world.GreekUser}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := b.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	to, err := resp.Location()
	if err != nil || !strings.HasPrefix(to.String(), back+"?code=") {
		t.Fatalf("allowed, it leads to %v, %v", to, err)
	}

	const exchange = `mutation ($in: ExchangeOAuthCodeInput!) { exchangeOAuthCode(input: $in) { accessToken clientMutationId userErrors { field code } } }`
	type payload struct {
		ExchangeOAuthCode struct {
			AccessToken      *string
			ClientMutationID string `json:"clientMutationId"`
			UserErrors       []struct {
				Field []string
				Code  string
			}
		}
	}
	try := func(code, redirect string) payload {
		var p payload
		if code := b.graph(exchange, map[string]any{"in": map[string]any{"code": code, "redirectUri": redirect, "clientMutationId": "7"}}, &p); code != "" {
			t.Errorf("the exchange fails with %s", code)
		}
		return p
	}
	for _, tt := range []struct{ code, redirect, want, field string }{
		{to.Query().Get("code"), "https://evil.example/", "INVALID", "redirectUri"},
		{"wrong", back, "REFUSED", "code"},
		{"", back, "REQUIRED", "code"},
	} {
		p := try(tt.code, tt.redirect).ExchangeOAuthCode
		if p.AccessToken != nil || len(p.UserErrors) != 1 || p.UserErrors[0].Code != tt.want || strings.Join(p.UserErrors[0].Field, ".") != tt.field {
			t.Errorf("%+v: %+v", tt, show.Value(p))
		}
	}
	p := try(to.Query().Get("code"), back).ExchangeOAuthCode
	if p.AccessToken == nil || p.ClientMutationID != "7" || len(p.UserErrors) > 0 {
		t.Fatalf("got %+v", show.Value(p))
	}
	if got := b.viewer("Authorization: Bearer " + *p.AccessToken); got != world.GreekUser {
		t.Errorf("the token is that of %q", got)
	}
	if log := c.log.String(); strings.Contains(log, *p.AccessToken) || strings.Contains(log, "s3cret-canary") || strings.Contains(log, to.Query().Get("code")) {
		t.Errorf("something secret was logged:\n%s", log)
	}
	// And nothing of it has signed this browser in.
	if root, _ := url.Parse(c.url); len(b.http.Jar.Cookies(root)) > 0 {
		t.Error("the browser has got a cookie")
	}
}

// Without an application the routes say so, and so do the graph's fields; the
// rest works.
func TestSignIn_NotConfigured(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, serverOptions{listen: true, noOAuth: true, config: config.Serve{PublicURL: "http://graph.example"}})
	b := newBrowser(t, c.url)
	for _, path := range []string{"/oauth/login?next=/", "/oauth/callback?code=x", "/oauth/logout"} {
		if seen := b.get(c.url + path); seen.status != http.StatusNotFound || !strings.Contains(seen.body, "--oauth-client-id") || seen.url.RequestURI() != path {
			t.Errorf("%s: %d %s", path, seen.status, seen.body)
		}
	}
	if page := b.get(c.url + "/"); !strings.Contains(page.body, `{&#34;signIn&#34;:false,`) {
		t.Error("the page offers to sign in")
	}
	if got := b.viewer("Authorization: Bearer demo-token"); got != world.DemoUser {
		t.Errorf("a bearer token is for %q", got)
	}
	var data struct{ OAuthAuthorizationURL *string }
	if code := b.graph(`{ oauthAuthorizationUrl(redirectUri: "https://app.example/") }`, nil, &data); code != "" || data.OAuthAuthorizationURL != nil {
		t.Errorf("the address is %v, %q", show.Value(data.OAuthAuthorizationURL), code)
	}
}

func TestSignIn_Configuration(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*config.Serve){
		"plain http elsewhere": func(c *config.Serve) { c.PublicURL = "http://graph.example" },
		"no public address":    func(c *config.Serve) { c.PublicURL = "" },
		"a short key":          func(c *config.Serve) { c.SecretKey = "short" },
	} {
		cfg := config.Serve{OAuthClientID: "app", OAuthClientSecret: "x", PublicURL: "https://graph.example", APIURL: mixcloudURL, SiteURL: mixcloudURL, OEmbedURL: mixcloudURL}
		if _, err := New(cfg, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := New(cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s is no error", name)
		}
	}
	var log logBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if _, err := New(config.Serve{Demo: true, PublicURL: "http://127.0.0.1:8080"}, logger); err != nil || !strings.Contains(log.String(), "MIXCLOUD_GRAPHQL_SECRET_KEY is not set: sessions will be lost") {
		t.Errorf("without a key: %v, logged %s", err, log.String())
	}
}
