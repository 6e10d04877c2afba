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

// A site is what Mixcloud is to signing in: it gives a token for each code.
type site struct {
	mu     sync.Mutex
	forms  []url.Values
	answer func(r *http.Request, form url.Values) (status int, body string, err error)
}

// RoundTrip answers an exchange.
func (s *site) RoundTrip(r *http.Request) (*http.Response, error) {
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
	if s.answer != nil {
		if status, body, err = s.answer(r, form); err != nil {
			return nil, err
		}
	}
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"text/javascript"}}, Body: io.NopCloser(strings.NewReader(body)),
		Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

func (s *site) exchanges() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.forms)
}

// A desk is a server where people sign in, and what it has logged.
type desk struct {
	handler http.Handler
	cookies *Cookies
	keys    *Keys
	site    *site
	log     strings.Builder
}

type deskOptions struct {
	publicURL string
	nonces    Nonces
	answer    func(r *http.Request, form url.Values) (int, string, error)
}

// newDesk serves the three paths, and /whoami, which says for whom it is asked.
func newDesk(t testing.TB, o deskOptions) *desk {
	t.Helper()
	if o.publicURL == "" {
		o.publicURL = publicURL
	}
	d := &desk{keys: RandomKeys(), site: &site{answer: o.answer}}
	client, err := mixcloud.New(
		mixcloud.WithSiteURL(siteURL), mixcloud.WithHTTPClient(&http.Client{Transport: d.site}))
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

// A browser keeps cookies, and goes nowhere by itself.
type browser struct {
	t       testing.TB
	desk    *desk
	host    string
	cookies map[string]kept
}

type kept struct {
	value string
	until time.Time
}

func (d *desk) browser(t testing.TB) *browser {
	return &browser{t, d, "127.0.0.1:8080", map[string]kept{}}
}

// send sends a request to a path of the server, as a proxy passes it on.
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
	b.desk.handler.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != strings.HasPrefix(c.Name, "__Host-") || c.MaxAge == 0 {
			b.t.Errorf("a cookie that is not kept well: %s", c.Raw)
		}
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = kept{c.Value, time.Now().Add(time.Duration(c.MaxAge) * time.Second)}
		}
	}
	return w
}

// login begins a sign-in, and gives the address that Mixcloud is asked to come
// back to.
func (b *browser) login(next string) *url.URL {
	b.t.Helper()
	w := b.send(http.MethodGet, LoginPath+"?"+url.Values{"next": {next}}.Encode())
	to, err := url.Parse(w.Header().Get("Location"))
	if err != nil || w.Code != http.StatusSeeOther || !strings.HasPrefix(to.String(), siteURL+"/oauth/authorize?") || to.Query().Get("client_id") != "app" {
		b.t.Fatalf("login is answered %d, to %v: %s", w.Code, to, w.Body)
	}
	back, err := url.Parse(to.Query().Get("redirect_uri"))
	if err != nil {
		b.t.Fatal(err)
	}
	return back
}

// comeBack is Mixcloud sending the browser back with more in the query.
func (b *browser) comeBack(to *url.URL, answer string) *httptest.ResponseRecorder {
	b.t.Helper()
	root, err := url.Parse(publicURL)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(http.MethodGet, strings.TrimPrefix(to.Path, root.Path)+"?"+to.RawQuery+"&"+answer)
}

// signIn goes the whole way.
func (b *browser) signIn(code string) {
	b.t.Helper()
	if w := b.comeBack(b.login("/"), "code="+code); w.Code != http.StatusSeeOther {
		b.t.Fatalf("signing in is answered %d: %s", w.Code, w.Body)
	}
}

// whoami is the token that the server acts with for this browser.
func (b *browser) whoami(change ...func(*http.Request)) string {
	b.t.Helper()
	return b.send(http.MethodPost, "/whoami", change...).Body.String()
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// script is what a page of this server asks with.
var script = header("X-Requested-With", "test")
