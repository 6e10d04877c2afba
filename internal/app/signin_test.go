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

// A browser is an HTTP client that follows redirects and stores cookies.
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

// A shownPage is the page that a browser shows after all redirects.
type shownPage struct {
	url    *url.URL
	status int
	body   string
}

func (b *browser) do(r *http.Request) shownPage {
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
	return shownPage{resp.Request.URL, resp.StatusCode, string(body)}
}

func (b *browser) get(address string) shownPage {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.do(r)
}

// post submits a form.
func (b *browser) post(address string, form url.Values) shownPage {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

// choose submits the form of Mixcloud's sign-in page.
func (b *browser) choose(page shownPage, choice, user string) shownPage {
	b.t.Helper()
	form := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page.body)
	if form == nil {
		b.t.Fatalf("page at %s has no form: status %d: %s", page.url, page.status, page.body)
	}
	return b.post(page.url.String(), url.Values{"form": {form[1]}, "choice": {choice}, "user": {user}})
}

// signIn signs in as a user of the emulator and returns the page at next.
func (b *browser) signIn(user, next string) shownPage {
	b.t.Helper()
	return b.choose(b.get(b.base+"/oauth/login?"+url.Values{"next": {next}}.Encode()), "allow", user)
}

// viewer returns the name of the signed-in user, "" for an anonymous client, or the code of an error.
func (b *browser) viewer(headers ...string) string {
	b.t.Helper()
	var data struct{ Viewer *struct{ Username string } }
	if code := b.execute("{ viewer { username } }", nil, &data, headers...); code != "" {
		return code
	}
	if data.Viewer == nil {
		return ""
	}
	return data.Viewer.Username
}

// execute sends an operation, decodes the response's data into data, and returns the code of its first error.
func (b *browser) execute(query string, variables map[string]any, data any, headers ...string) string {
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
	}{Data: data}
	if page := b.do(r); json.Unmarshal([]byte(page.body), &response) != nil {
		b.t.Fatalf("response with status %d is not JSON: %s", page.status, page.body)
	}
	if len(response.Errors) > 0 {
		return response.Errors[0].code()
	}
	return ""
}

// csrfHeader is the header that requests with a cookie need.
const csrfHeader = "X-Requested-With: test"

const canarySecret = "s3cret-canary-of-the-application"

// newSignInServer returns a server with an OAuth application of the emulator. Its secrets are easy to find in logs.
func newSignInServer(t *testing.T, o serverOptions) *testServer {
	t.Helper()
	o.listen = true
	o.config.OAuthClientID, o.config.OAuthClientSecret = "app", canarySecret
	o.config.SecretKey = canarySecret + "-0123456789abcdef"
	o.emulator = append(o.emulator, emulator.WithOAuthClient("app", canarySecret, "Test"))
	return newTestServer(t, o)
}

// Users can sign in at the demo without configuration.
func TestSignIn_Demo(t *testing.T) {
	t.Parallel()
	_, base := serveDemo(t)
	b := newBrowser(t, base)
	if page := b.get(base + "/"); !strings.Contains(page.body, `{&#34;signIn&#34;:true,`) {
		t.Error("the playground does not offer sign-in, want it offered")
	}
	page := b.get(base + "/oauth/login?next=/livez")
	if page.status != http.StatusOK || page.url.Path != "/emulator/www/oauth/authorize" {
		t.Fatalf("login ended at %s with status %d, want the emulator's sign-in page", page.url, page.status)
	}
	if end := b.choose(page, "allow", world.DemoUser); end.url.String() != base+"/livez" || end.body != "ok\n" {
		t.Errorf("sign-in ended at %s, want %s/livez: status %d: %s", end.url, base, end.status, end.body)
	}
	if got := b.viewer(csrfHeader); got != world.DemoUser {
		t.Errorf("viewer = %q, want %q", got, world.DemoUser)
	}
	if got := b.viewer(); got != "" {
		t.Errorf("viewer without the CSRF header = %q, want none", got)
	}
	if end := b.post(base+"/oauth/logout", nil); end.url.String() != base+"/" {
		t.Errorf("sign-out ended at %s, want %s/", end.url, base)
	}
	if got := b.viewer(csrfHeader); got != "" {
		t.Errorf("viewer after sign-out = %q, want none", got)
	}
}

// Two users sign in, a third one denies, and the tokens are revoked. Each request acts for the user
// of its session, requests of other sites are anonymous, and the log contains no secrets.
func TestSignIn(t *testing.T) {
	t.Parallel()
	c := newSignInServer(t, serverOptions{writable: true})
	one, two := newBrowser(t, c.url), newBrowser(t, c.url)
	end := one.signIn(world.DocumentedUser, "/livez?x=y")
	if end.url.String() != c.url+"/livez?x=y" || end.status != http.StatusOK {
		t.Fatalf("sign-in ended at %s, want /livez?x=y: status %d: %s", end.url, end.status, end.body)
	}
	two.signIn(world.ListenerUser, "https://evil.example/")
	for name, got := range map[string]string{
		world.DocumentedUser: one.viewer(csrfHeader),
		world.ListenerUser:   two.viewer("Apollo-Require-Preflight: 1"),
		world.DemoUser:       one.viewer(csrfHeader, "Authorization: Bearer demo-token"), // the token has precedence over the cookie
	} {
		if got != name {
			t.Errorf("viewer = %q, want %q", got, name)
		}
	}

	// CSRF: a form of another site has the cookie but not the header.
	follow := `mutation { followUser(input: {username: "` + world.StationUser + `"}) { userErrors { message } viewer { username } } }`
	if code := one.execute(follow, nil, new(any)); code != "UNAUTHENTICATED" {
		t.Errorf("mutation without the header: code = %q, want UNAUTHENTICATED", code)
	}
	if code := one.execute(follow, nil, new(any), csrfHeader); code != "" {
		t.Errorf("mutation with the header: code = %q, want none", code)
	}
	form := one.post(c.url+"/graphql", url.Values{"query": {follow}})
	if form.status != http.StatusUnsupportedMediaType {
		t.Errorf("form: status = %d, want 415: %s", form.status, form.body)
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
			t.Errorf("%s of another site: body = %s, header = %v, want no viewer and no credentials", r.method, body, resp.Header)
		}
	}

	// A user denies.
	three := newBrowser(t, c.url)
	if end := three.choose(three.get(c.url+"/oauth/login?next=/livez"), "deny", ""); end.status != http.StatusForbidden || !strings.Contains(end.body, `href="/oauth/login?next=%2Flivez"`) {
		t.Errorf("denied: status = %d, want 403 and a link to try again: %s", end.status, end.body)
	}
	if got := three.viewer(csrfHeader); got != "" {
		t.Errorf("viewer after a denial = %q, want none", got)
	}

	// The tokens are revoked at Mixcloud.
	tokens := c.recorder.sentTokens()
	if len(tokens) != 3 { // two issued ones and demo-token
		t.Errorf("calls have %d different tokens, want 3", len(tokens))
	}
	for _, token := range tokens {
		c.emulator.Revoke(token)
	}
	if got := one.viewer(csrfHeader); got != "UNAUTHENTICATED" {
		t.Errorf("viewer with a revoked token = %q, want UNAUTHENTICATED", got)
	}
	log := c.log.String()
	for _, secret := range append(tokens, "s3cret-canary", "attempt=", "&code=", "?code=", "evil.example") {
		if strings.Contains(log, secret) {
			t.Errorf("log contains %q:\n%s", secret, log)
		}
	}
	if strings.Count(log, `"msg":"signed in"`) != 2 || !strings.Contains(log, "sign-in failed") {
		t.Errorf("log does not contain two \"signed in\" and one \"sign-in failed\":\n%s", log)
	}
}

// If Mixcloud fails during the exchange of the code, the callback shows a page without details of the failure.
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
		{emulator.FaultRateLimit, 503}, // must be the last: until the wait is over no code is exchanged
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
		end := b.choose(page, "allow", world.DemoUser)
		if end.status != want || want != 200 && (!strings.Contains(end.body, "Try again") || end.url.Path != "/oauth/callback") {
			t.Errorf("%s: status = %d at %s, want %d: %s", kind, end.status, end.url, want, end.body)
		}
		c.emulator.ClearFaults()
		if want != 200 && kind != emulator.FaultRateLimit {
			// The second attempt succeeds.
			if end := b.signIn(world.DemoUser, "/livez"); end.url.Path != "/livez" {
				t.Errorf("%s: second attempt ended at %s, want /livez", kind, end.url)
			}
		}
	}
}

// A replica with the same secret key accepts the session. With another key, or without one, the client is anonymous.
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
			t.Errorf("%s: status = %d, want 200 and the viewer %q: %s", name, w.Code, tt.want, w.Body)
		}
	}
}

// Apps open Mixcloud's sign-in page themselves, and exchange the code for a token that they store.
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
	const query = `query ($back: String!) { oauthAuthorizationUrl(redirectUri: $back) }`
	for _, other := range []string{"", back + "/", back + "?x=y", "https://app.example/back/../evil", "HTTPS://app.example/back", "https://app.example", "https://evil.example/back"} {
		if code := b.execute(query, map[string]any{"back": other}, new(any)); code != "BAD_USER_INPUT" {
			t.Errorf("redirect URI %q: code = %q, want BAD_USER_INPUT", other, code)
		}
	}
	var address struct{ OAuthAuthorizationURL string }
	if code := b.execute(query, map[string]any{"back": back}, &address); code != "" {
		t.Fatalf("code = %s, want no error", code)
	}
	page := b.get(address.OAuthAuthorizationURL)
	form := regexp.MustCompile(`name="form" value="([^"]+)"`).FindStringSubmatch(page.body)
	if form == nil {
		t.Fatalf("page at %s has no form: %s", page.url, page.body)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, page.url.String(),
		strings.NewReader(url.Values{"form": {form[1]}, "choice": {"allow"}, "user": {world.GreekUser}}.Encode()))
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
		t.Fatalf("Location = %v, want %s with a code (error %v)", to, back, err)
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
	exchangeCode := func(code, redirect string) payload {
		var p payload
		if code := b.execute(exchange, map[string]any{"in": map[string]any{"code": code, "redirectUri": redirect, "clientMutationId": "7"}}, &p); code != "" {
			t.Errorf("exchange: code = %s, want no error", code)
		}
		return p
	}
	for _, tt := range []struct{ code, redirect, want, field string }{
		{to.Query().Get("code"), "https://evil.example/", "INVALID", "redirectUri"},
		{"wrong", back, "REFUSED", "code"},
		{"", back, "REQUIRED", "code"},
	} {
		p := exchangeCode(tt.code, tt.redirect).ExchangeOAuthCode
		if p.AccessToken != nil || len(p.UserErrors) != 1 || p.UserErrors[0].Code != tt.want || strings.Join(p.UserErrors[0].Field, ".") != tt.field {
			t.Errorf("exchange of %q with redirect URI %q = %+v, want the user error %s at %s", tt.code, tt.redirect, show.Value(p), tt.want, tt.field)
		}
	}
	p := exchangeCode(to.Query().Get("code"), back).ExchangeOAuthCode
	if p.AccessToken == nil || p.ClientMutationID != "7" || len(p.UserErrors) > 0 {
		t.Fatalf("payload = %+v, want a token and no user errors", show.Value(p))
	}
	if got := b.viewer("Authorization: Bearer " + *p.AccessToken); got != world.GreekUser {
		t.Errorf("viewer of the token = %q, want %q", got, world.GreekUser)
	}
	if log := c.log.String(); strings.Contains(log, *p.AccessToken) || strings.Contains(log, "s3cret-canary") || strings.Contains(log, to.Query().Get("code")) {
		t.Errorf("log contains a secret:\n%s", log)
	}
	// The browser itself is not signed in.
	if root, _ := url.Parse(c.url); len(b.http.Jar.Cookies(root)) > 0 {
		t.Error("browser has a cookie, want none")
	}
}

// Without an OAuth application, the sign-in paths return 404 with the reason, oauthAuthorizationUrl is null, and the rest works.
func TestSignIn_NotConfigured(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, serverOptions{listen: true, noOAuth: true, config: config.Serve{PublicURL: "http://graph.example"}})
	b := newBrowser(t, c.url)
	for _, path := range []string{"/oauth/login?next=/", "/oauth/callback?code=x", "/oauth/logout"} {
		if page := b.get(c.url + path); page.status != http.StatusNotFound || !strings.Contains(page.body, "--oauth-client-id") || page.url.RequestURI() != path {
			t.Errorf("%s: status = %d, want 404 with the flag's name: %s", path, page.status, page.body)
		}
	}
	if page := b.get(c.url + "/"); !strings.Contains(page.body, `{&#34;signIn&#34;:false,`) {
		t.Error("the playground offers sign-in, want it not offered")
	}
	if got := b.viewer("Authorization: Bearer demo-token"); got != world.DemoUser {
		t.Errorf("viewer of a bearer token = %q, want %q", got, world.DemoUser)
	}
	var data struct{ OAuthAuthorizationURL *string }
	if code := b.execute(`{ oauthAuthorizationUrl(redirectUri: "https://app.example/") }`, nil, &data); code != "" || data.OAuthAuthorizationURL != nil {
		t.Errorf("oauthAuthorizationUrl = %v, code = %q, want null without an error", show.Value(data.OAuthAuthorizationURL), code)
	}
}

// New checks the settings of the sign-in.
func TestSignIn_Configuration(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*config.Serve){
		"http":          func(c *config.Serve) { c.PublicURL = "http://graph.example" },
		"no public URL": func(c *config.Serve) { c.PublicURL = "" },
		"a short key":   func(c *config.Serve) { c.SecretKey = "short" },
	} {
		cfg := config.Serve{OAuthClientID: "app", OAuthClientSecret: "x", PublicURL: "https://graph.example", APIURL: mixcloudURL, SiteURL: mixcloudURL, OEmbedURL: mixcloudURL}
		if _, err := New(cfg, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if _, err := New(cfg, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: New returned no error, want one", name)
		}
	}
	var log logBuffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if _, err := New(config.Serve{Demo: true, PublicURL: "http://127.0.0.1:8080"}, logger); err != nil || !strings.Contains(log.String(), "MIXCLOUD_GRAPHQL_SECRET_KEY is not set: sessions will be lost") {
		t.Errorf("without a secret key: error = %v, log = %s, want no error and a log line", err, log.String())
	}
}
