package auth

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"mixcloud-graphql/mixcloud"
)

const (
	publicURL = "http://127.0.0.1:8080/base"
	siteURL   = "https://site.test/www"
	canary    = "s3cret-canary"
)

// A fakeMixcloud is an HTTP transport that returns a token for each code.
type fakeMixcloud struct {
	mu      sync.Mutex
	forms   []url.Values
	respond func(r *http.Request, form url.Values) (status int, body string, err error)
}

// RoundTrip responds to an exchange.
func (s *fakeMixcloud) RoundTrip(r *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.forms = append(s.forms, form)
	s.mu.Unlock()
	status, body := 200, `{"access_token":"token-of-`+form.Get("code")+`"}`
	if s.respond != nil {
		if status, body, err = s.respond(r, form); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/javascript"}}, Body: io.NopCloser(strings.NewReader(body)),
		Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func (s *fakeMixcloud) exchanges() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

// A testServer serves signing in, and records its log.
type testServer struct {
	handler  http.Handler
	cookies  *Cookies
	keys     *Keys
	mixcloud *fakeMixcloud
	log      strings.Builder
}

type serverOptions struct {
	publicURL string
	nonces    Nonces
	respond   func(r *http.Request, form url.Values) (int, string, error)
}

// newTestServer serves the three paths, and /whoami, which returns the request's token.
func newTestServer(t testing.TB, o serverOptions) *testServer {
	t.Helper()
	if o.publicURL == "" {
		o.publicURL = publicURL
	}
	d := &testServer{keys: RandomKeys(), mixcloud: &fakeMixcloud{respond: o.respond}}
	client, err := mixcloud.New(
		mixcloud.WithSiteURL(siteURL), mixcloud.WithHTTPClient(&http.Client{Transport: d.mixcloud}))
	if err != nil {
		t.Fatal(err)
	}
	if d.cookies, err = NewCookies(d.keys, o.publicURL, nil); err != nil {
		t.Fatal(err)
	}
	signIn, err := NewSignIn(SignInOptions{
		Application: NewApplication(client.OAuth("app", canary+"-secret"), nil),
		Cookies:     d.cookies, PublicURL: o.publicURL, Nonces: o.nonces, Timeout: 5 * time.Second,
		Log: slog.New(slog.NewTextHandler(&d.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/oauth/", signIn)
	mux.Handle("/whoami", Viewer(d.keys, d.cookies)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, Token(r.Context()))
	})))
	d.handler = mux
	return d
}

// A browser stores cookies, and does not follow redirects.
type browser struct {
	t       testing.TB
	server  *testServer
	host    string
	cookies map[string]storedCookie
}

type storedCookie struct {
	value string
	until time.Time
}

func (d *testServer) browser(t testing.TB) *browser {
	return &browser{t, d, "127.0.0.1:8080", map[string]storedCookie{}}
}

// send sends a request to a path of the server, as a reverse proxy would.
func (b *browser) send(method, path string, change ...func(*http.Request)) *httptest.ResponseRecorder {
	b.t.Helper()
	r := httptest.NewRequestWithContext(context.Background(), method, path, nil)
	r.Host = b.host
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for name, c := range b.cookies {
		if time.Now().Before(c.until) {
			r.AddCookie(&http.Cookie{Name: name, Value: c.value})
		}
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.server.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != strings.HasPrefix(c.Name, "__Host-") || c.MaxAge == 0 {
			b.t.Errorf("got cookie %s, want HttpOnly, SameSite=Lax, Path=/, Max-Age, no Domain, and Secure if its name begins with __Host-", c.Raw)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = storedCookie{c.Value, time.Now().Add(time.Duration(c.MaxAge) * time.Second)}
		}
	}
	return w
}

// login starts a sign-in and returns its callback URL.
func (b *browser) login(next string) *url.URL {
	b.t.Helper()
	w := b.send(http.MethodGet, LoginPath+"?"+url.Values{"next": {next}}.Encode())
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), siteURL+"/oauth/authorize?") || to.Query().Get("client_id") != "app" {
		b.t.Fatalf("GET %s: status %d, redirect to %v, want 303 and a redirect to %s/oauth/authorize?client_id=app: %s", LoginPath, w.Code, to, siteURL, w.Body)
	}
	back, err := url.Parse(to.Query().Get("redirect_uri"))
	if err != nil {
		b.t.Fatal(err)
	}
	return back
}

// callback requests the callback URL with more parameters, as after Mixcloud's redirect.
func (b *browser) callback(to *url.URL, query string) *httptest.ResponseRecorder {
	b.t.Helper()
	root, err := url.Parse(publicURL)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(http.MethodGet, strings.TrimPrefix(to.Path, root.Path)+"?"+to.RawQuery+"&"+query)
}

// signIn completes a sign-in.
func (b *browser) signIn(code string) {
	b.t.Helper()
	if w := b.callback(b.login("/"), "code="+code); w.Code != http.StatusSeeOther {
		b.t.Fatalf("callback with code %s: status %d, want 303: %s", code, w.Code, w.Body)
	}
}

// whoami returns the token of this browser's requests.
func (b *browser) whoami(change ...func(*http.Request)) string {
	b.t.Helper()
	return b.send(http.MethodPost, "/whoami", change...).Body.String()
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// csrfHeader sets a header that forces a CORS preflight, as the CSRF check requires.
var csrfHeader = header("X-Requested-With", "test")
