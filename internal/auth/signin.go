package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"mixcloud-graphql/internal/gqlerr"
)

// Paths of signing in, relative to the public URL.
const (
	LoginPath    = "/oauth/login"
	CallbackPath = "/oauth/callback"
	LogoutPath   = "/oauth/logout"
)

// attemptParam is the query parameter of the redirect_uri with the attempt's nonce: Mixcloud
// does not return an OAuth state, but it preserves the redirect_uri.
const attemptParam = "attempt"

// SignInOptions configure [NewSignIn].
type SignInOptions struct {
	Application *Application
	Cookies     *Cookies
	// PublicURL is the URL at which browsers reach this server.
	PublicURL string
	// Nonces stores used nonces; nil for this process's memory.
	Nonces Nonces
	// Exchange runs the call that exchanges a code for a token, subject to the limits on calls
	// to Mixcloud; nil runs it without limits.
	Exchange func(ctx context.Context, call func(context.Context) (string, error)) (token string, err error)
	// Timeout bounds the exchange of a code; 0 is 30 seconds.
	Timeout time.Duration
	// Log receives the events, without secrets; nil discards them.
	Log *slog.Logger
}

// SignIn serves /oauth/login, /oauth/callback and /oauth/logout.
//
// Login redirects the browser to Mixcloud. The callback must belong to a sign-in that the same
// browser started in the last ten minutes: it compares the nonce in the URL with the one in the
// sealed attempt cookie, and marks it as used. Only then does it exchange the code, start a session
// with a new id, and redirect the browser to the path that login was called with. Every failure is
// an HTML page with an explanation, and never a redirect.
type SignIn struct {
	application *Application
	cookies     *Cookies
	nonces      Nonces
	exchange    func(ctx context.Context, call func(context.Context) (string, error)) (string, error)
	root        *url.URL
	timeout     time.Duration
	log         *slog.Logger
	origin      *http.CrossOriginProtection
}

// NewSignIn returns the handler of the three paths.
func NewSignIn(o SignInOptions) (*SignIn, error) {
	root, err := url.Parse(strings.TrimSuffix(o.PublicURL, "/"))
	if err != nil || root.Host == "" {
		return nil, errors.New("the public URL has no host")
	}
	s := &SignIn{
		application: o.Application, cookies: o.Cookies, nonces: o.Nonces, exchange: o.Exchange, root: root,
		timeout: o.Timeout, log: o.Log, origin: http.NewCrossOriginProtection(),
	}
	// Behind a proxy the Host header can differ from the host in the browser's Origin.
	if err := s.origin.AddTrustedOrigin(root.Scheme + "://" + root.Host); err != nil {
		return nil, fmt.Errorf("the public URL is not an origin: %w", err)
	}
	if s.nonces == nil {
		s.nonces = NewLocalNonces()
	}
	if s.exchange == nil {
		s.exchange = func(ctx context.Context, call func(context.Context) (string, error)) (string, error) {
			return call(ctx)
		}
	}
	if s.timeout <= 0 {
		s.timeout = 30 * time.Second
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// ServeHTTP serves the three paths, and 404 for all others.
func (s *SignIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	private(w)
	type route struct{ method, path string }
	switch (route{r.Method, r.URL.Path}) {
	case route{http.MethodGet, LoginPath}:
		s.login(w, r)
	case route{http.MethodGet, CallbackPath}:
		s.callback(w, r)
	case route{http.MethodGet, LogoutPath}:
		s.confirmLogout(w, r)
	case route{http.MethodPost, LogoutPath}:
		s.logout(w, r)
	default:
		notAllowed(w, r)
	}
}

// private sets headers that keep the response and its URL out of caches and referrers.
func private(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
}

func notAllowed(w http.ResponseWriter, r *http.Request) {
	allow := map[string]string{LoginPath: "GET", CallbackPath: "GET", LogoutPath: "GET, POST"}[r.URL.Path]
	if allow == "" {
		gqlerr.Write(w, r, http.StatusNotFound, gqlerr.NotFound("There is no resource at this path."))
		return
	}
	w.Header().Set("Allow", allow)
	gqlerr.Write(w, r, http.StatusMethodNotAllowed, &gqlerr.Error{
		Code: gqlerr.CodeBadUserInput, Message: "This path is for browsers and supports only " + allow + ".",
	})
}

// redirect redirects with 303. It does not clean the URL as http.Redirect would, because all
// targets are safe already.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// at returns the URL of one of this server's paths, without scheme and host.
func (s *SignIn) at(path string) string { return s.root.EscapedPath() + path }

func (s *SignIn) callbackURL(nonce string) string {
	return s.root.String() + CallbackPath + "?" + attemptParam + "=" + nonce
}

// login starts a sign-in.
func (s *SignIn) login(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	next := safeRedirect(query.Get("next"))
	if s.otherHost(r) && !query.Has("here") {
		redirect(w, s.root.String()+LoginPath+"?"+url.Values{"next": {next}, "here": {"1"}}.Encode())
		return
	}
	a := &attempt{Nonce: rand.Text(), Next: next, Since: time.Now().Unix()}
	s.cookies.setAttempt(w, a)
	redirect(w, s.application.AuthorizationURL(s.callbackURL(a.Nonce)))
}

// otherHost reports whether the browser uses a different name for this machine than the public
// URL, such as localhost instead of 127.0.0.1. Then the callback would not receive the attempt
// cookie. It is always false behind a proxy, where the browser's name is unknown.
func (s *SignIn) otherHost(r *http.Request) bool {
	if !isLoopback(s.root.Hostname()) || s.root.Host == r.Host {
		return false
	}
	requested := url.URL{Host: r.Host}
	return isLoopback(requested.Hostname()) && requested.Port() == s.root.Port()
}

// callback serves the redirect from Mixcloud.
func (s *SignIn) callback(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	a, found := s.cookies.attempt(r)
	if a == nil {
		if found {
			s.cookies.endAttempt(w)
		}
		s.fail(w, r, pageNoAttempt, nil, nil)
		return
	}
	if !within(a.Since, attemptLife) {
		s.cookies.endAttempt(w)
		s.fail(w, r, pageExpired, a, nil)
		return
	}
	nonce := single(query, attemptParam)
	if nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(a.Nonce)) != 1 {
		s.fail(w, r, pageWrongAttempt, a, nil) // the browser's own attempt stays valid
		return
	}
	s.cookies.endAttempt(w)
	switch first, err := s.nonces.Use(r.Context(), a.Nonce, a.expiry().Add(skew)); {
	case err != nil:
		s.fail(w, r, pageInternal, a, fmt.Errorf("store the nonce of the attempt: %w", err))
		return
	case !first:
		s.fail(w, r, pageUsed, a, nil)
		return
	}
	code := single(query, "code")
	switch {
	case query.Has("error"):
		s.fail(w, r, pageDenied, a, nil)
		return
	case code == "":
		s.fail(w, r, pageNoCode, a, nil)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.timeout)
	defer cancel()
	token, err := s.exchange(ctx, func(ctx context.Context) (string, error) {
		return s.application.Exchange(ctx, code, s.callbackURL(a.Nonce))
	})
	if err != nil {
		s.fail(w, r, pageOf(err), a, err)
		return
	}
	started := s.cookies.startSession(w, token)
	s.log.InfoContext(r.Context(), "signed in", "session", started.ID)
	redirect(w, s.at(a.Next))
}

// single returns the value of a parameter, or "" unless there is exactly one.
func single(query url.Values, name string) string {
	if values := query[name]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// confirmLogout shows the sign-out button: a link must not be enough to sign a user out.
func (s *SignIn) confirmLogout(w http.ResponseWriter, r *http.Request) {
	p := pageSignedOut
	if current, _ := s.cookies.session(r); current != nil {
		p = pageSignOut
		p.Button = s.at(LogoutPath)
	}
	next := safeRedirect(r.URL.Query().Get("next"))
	p.Next = next
	p.Links = []link{{"Back", s.at(next)}}
	p.write(w)
}

// logout revokes the session, including all copies of its cookie. The token stays valid: a user
// can revoke it only in Mixcloud's settings.
func (s *SignIn) logout(w http.ResponseWriter, r *http.Request) {
	if err := s.origin.Check(r); err != nil {
		p := pageCrossSite
		p.Links = []link{{"Sign out", s.at(LogoutPath)}}
		p.write(w)
		return
	}
	if current, _ := s.cookies.session(r); current != nil {
		s.cookies.revoke(r.Context(), current)
		s.log.InfoContext(r.Context(), "signed out", "session", current.ID)
	}
	s.cookies.endSession(w)
	s.cookies.endAttempt(w)
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	redirect(w, s.at(safeRedirect(r.FormValue("next"))))
}

// fail sends a page for a failed sign-in. a is nil if the attempt is unknown.
func (s *SignIn) fail(w http.ResponseWriter, r *http.Request, p page, a *attempt, err error) {
	attrs := []any{"reason", p.Title, "status", p.Status}
	if err != nil {
		attrs = append(attrs, "err", err)
	}
	s.log.WarnContext(r.Context(), "sign-in failed", attrs...)
	next := "/"
	if a != nil {
		next = a.Next
	}
	p.Links = []link{
		{"Try again", s.at(LoginPath) + "?" + url.Values{"next": {next}}.Encode()},
		{"Continue without signing in", s.at("/")},
	}
	p.write(w)
}

// NoSignIn returns a handler of the three paths for a server without sign-in: 404, with a
// reason for its operator.
func NoSignIn(reason string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		private(w)
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			gqlerr.Write(w, r, http.StatusNotFound, gqlerr.NotFound("Sign-in is not available: "+reason))
			return
		}
		p := pageNoSignIn
		p.Text = append([]string{reason}, p.Text...)
		p.Links = []link{{"Continue without signing in", "../"}}
		p.write(w)
	})
}
