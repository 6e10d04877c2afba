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

// Paths of signing in, below the server's root.
const (
	LoginPath    = "/oauth/login"
	CallbackPath = "/oauth/callback"
	LogoutPath   = "/oauth/logout"
)

// attemptParam is the parameter of the redirect_uri that holds an attempt's
// one-time value: Mixcloud gives no state back, but the redirect_uri as it was.
const attemptParam = "attempt"

// SignInOptions are what [NewSignIn] needs.
type SignInOptions struct {
	Application *Application
	Cookies     *Cookies
	// PublicURL is the root under which browsers reach this server.
	PublicURL string
	// Nonces are this process's own if nil.
	Nonces Nonces
	// Exchange makes the call that exchanges a code for a token, within whatever
	// limits calls to Mixcloud have; nil just makes it.
	Exchange func(ctx context.Context, call func(context.Context) (string, error)) (token string, err error)
	// Timeout bounds the exchange of a code; 0 is 30 seconds.
	Timeout time.Duration
	// Log gets what happened, without anything secret. Nil discards.
	Log *slog.Logger
}

// SignIn serves /oauth/login, /oauth/callback and /oauth/logout.
//
// Login sends the browser to Mixcloud's page. What comes back to the callback
// must belong to a sign-in that the same browser has begun within ten minutes:
// the one-time value in its address is compared with the one in a sealed cookie,
// and used up. Only then the code is exchanged, the session begins under a new
// id, and the browser goes on to where it was asked to. Whatever goes wrong on
// the way is a page that says so and never goes anywhere by itself.
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
	// A proxy may give us another Host than the one in the browser's Origin.
	if err := s.origin.AddTrustedOrigin(root.Scheme + "://" + root.Host); err != nil {
		return nil, fmt.Errorf("the public URL is no origin: %w", err)
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

// ServeHTTP answers the three paths; every other one is not found.
func (s *SignIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	private(w)
	type route struct{ method, path string }
	switch (route{r.Method, r.URL.Path}) {
	case route{http.MethodGet, LoginPath}:
		s.login(w, r)
	case route{http.MethodGet, CallbackPath}:
		s.callback(w, r)
	case route{http.MethodGet, LogoutPath}:
		s.askLogout(w, r)
	case route{http.MethodPost, LogoutPath}:
		s.logout(w, r)
	default:
		notAllowed(w, r)
	}
}

// private keeps an answer, and the address that it is for, between this server
// and the browser.
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
		gqlerr.Write(w, r, http.StatusNotFound, gqlerr.NotFound("There is nothing at this path."))
		return
	}
	w.Header().Set("Allow", allow)
	gqlerr.Write(w, r, http.StatusMethodNotAllowed, &gqlerr.Error{
		Code: gqlerr.CodeBadUserInput, Message: "This path is for browsers, by " + allow + ".",
	})
}

// redirect goes on with a GET. The address is not cleaned, as http.Redirect
// would: it is one of ours already.
func redirect(w http.ResponseWriter, to string) {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// at is the address of one of this server's own paths for the browser.
func (s *SignIn) at(path string) string { return s.root.EscapedPath() + path }

func (s *SignIn) callbackURL(nonce string) string {
	return s.root.String() + CallbackPath + "?" + attemptParam + "=" + nonce
}

// login begins a sign-in.
func (s *SignIn) login(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	next := ownPath(query.Get("next"))
	if s.elsewhere(r) && !query.Has("here") {
		redirect(w, s.root.String()+LoginPath+"?"+url.Values{"next": {next}, "here": {"1"}}.Encode())
		return
	}
	a := &attempt{Nonce: rand.Text(), Next: next, Since: time.Now().Unix()}
	s.cookies.setAttempt(w, a)
	redirect(w, s.application.AuthorizationURL(s.callbackURL(a.Nonce)))
}

// elsewhere tells that the browser calls this machine by another name than the
// one it will come back to, such as localhost for 127.0.0.1: its cookie would
// not come along. Behind a proxy nobody can tell, so there it is never so.
func (s *SignIn) elsewhere(r *http.Request) bool {
	if !isLoopback(s.root.Hostname()) || s.root.Host == r.Host {
		return false
	}
	asked := url.URL{Host: r.Host}
	return isLoopback(asked.Hostname()) && asked.Port() == s.root.Port()
}

// callback is where Mixcloud sends the browser back to.
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
	nonce := only(query, attemptParam)
	if nonce == "" || subtle.ConstantTimeCompare([]byte(nonce), []byte(a.Nonce)) != 1 {
		s.fail(w, r, pageForeign, a, nil) // and the browser's own attempt goes on
		return
	}
	s.cookies.endAttempt(w)
	switch first, err := s.nonces.Use(r.Context(), a.Nonce, a.until().Add(skew)); {
	case err != nil:
		s.fail(w, r, pageBroken, a, fmt.Errorf("remember the attempt: %w", err))
		return
	case !first:
		s.fail(w, r, pageUsed, a, nil)
		return
	}
	code := only(query, "code")
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
	started := s.cookies.begin(w, token)
	s.log.InfoContext(r.Context(), "signed in", "session", started.ID)
	redirect(w, s.at(a.Next))
}

// only is the one value of a parameter; "" if there are several.
func only(query url.Values, name string) string {
	if values := query[name]; len(values) == 1 {
		return values[0]
	}
	return ""
}

// askLogout shows the button: a link must not be enough to sign somebody out.
func (s *SignIn) askLogout(w http.ResponseWriter, r *http.Request) {
	p := pageSignedOut
	if current, _ := s.cookies.session(r); current != nil {
		p = pageSignOut
		p.Button = s.at(LogoutPath)
	}
	next := ownPath(r.URL.Query().Get("next"))
	p.Next = next
	p.Links = []link{{"Back", s.at(next)}}
	p.write(w)
}

// logout ends the session, in this browser and wherever its cookie was copied to.
// The token stays valid, as Mixcloud has no way to give one back but its own
// settings.
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
	redirect(w, s.at(ownPath(r.FormValue("next"))))
}

// fail ends a sign-in with a page. A is nil if it is not known which it was.
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
		{"Go on without signing in", s.at("/")},
	}
	p.write(w)
}

// NoSignIn serves the three paths where nobody can sign in: 404, and why. The
// reason is a sentence for whoever runs the server.
func NoSignIn(reason string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		private(w)
		if !strings.Contains(r.Header.Get("Accept"), "text/html") {
			gqlerr.Write(w, r, http.StatusNotFound, gqlerr.NotFound("Nobody can sign in here: "+reason))
			return
		}
		p := pageNoSignIn
		p.Text = append([]string{reason}, p.Text...)
		p.Links = []link{{"Go on without signing in", "../"}}
		p.write(w)
	})
}
