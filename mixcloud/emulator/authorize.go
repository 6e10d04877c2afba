package emulator

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// isAuthorize reports whether a path names the authorize page.
func isAuthorize(path string) bool { return strings.TrimSuffix(path, "/") == "/www/oauth/authorize" }

// suggestedUsers are the users that the authorize page lists; others can be typed.
var suggestedUsers = []string{
	world.DemoUser, world.DocumentedUser, world.StationUser, world.ListenerUser, world.EmptyUser, world.GreekUser,
}

// A consent is the data of the authorize page.
type consent struct {
	Client  string
	Users   []string
	Form    string // the one-time value; "" for a page without a form
	User    string // as typed
	Problem string // an error message
	Code    string // to copy, for applications without a redirect_uri
	Denied  bool
	Home    string
}

// serveAuthorize serves the page on which a user authorizes an application, and
// redirects to its redirect_uri with a code, or with error=user_denied (documented;
// client code). It does not return a state (observed by a maintainer): an
// application must put its state into the redirect_uri.
func (e *Emulator) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	page := consent{Users: suggestedUsers, Home: e.mount(r) + "/www/"}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	client, ok := e.oauth.client(query.Get("client_id"))
	requested := grant{clientID: client.ID, redirectURI: query.Get("redirect_uri"), expires: e.nowLocking().Add(codeTTL)}
	redirectURL, valid := parseRedirectURI(requested.redirectURI)
	switch {
	case !ok:
		page.Problem = "No application has this client_id. The emulator has the application " + DemoClientID +
			" and those that were registered when it was started."
	case !valid:
		page.Problem = "The redirect_uri must be an absolute http or https URL."
	}
	if page.Problem != "" {
		renderConsent(w, http.StatusBadRequest, page)
		return
	}
	page.Client = client.Name
	if page.Client == "" {
		page.Client = client.ID
	}
	if r.Method != http.MethodPost {
		page.Form = e.oauth.store(&e.oauth.pages, requested, e.nowLocking())
		renderConsent(w, http.StatusOK, page)
		return
	}
	e.submitConsent(w, r, page, requested, redirectURL)
}

// submitConsent handles the submitted form of the page.
func (e *Emulator) submitConsent(w http.ResponseWriter, r *http.Request, page consent, requested grant, redirectURL *url.URL) {
	reject := func(problem string) {
		page.Problem = problem
		page.Form = e.oauth.store(&e.oauth.pages, requested, e.nowLocking())
		renderConsent(w, http.StatusBadRequest, page)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		reject("The form could not be read.")
		return
	}
	if _, ok := e.oauth.redeem(&e.oauth.pages, r.PostForm.Get("form"), requested, e.nowLocking()); !ok {
		reject("This form was already submitted or has expired. Please try again.")
		return
	}
	if r.PostForm.Get("choice") != "allow" {
		if redirectURL == nil {
			page.Denied = true
			renderConsent(w, http.StatusOK, page)
			return
		}
		redirectToClient(w, redirectURL, "error=user_denied")
		return
	}
	page.User = strings.TrimSpace(r.PostForm.Get("other"))
	name := page.User
	if name == "" {
		name = r.PostForm.Get("user")
	}
	e.mu.RLock()
	u := e.world.User(name)
	e.mu.RUnlock()
	if u == nil {
		reject("There is no user with this name.")
		return
	}
	requested.username = u.Username
	code := e.oauth.store(&e.oauth.codes, requested, e.nowLocking())
	if redirectURL == nil {
		page.Code = code
		renderConsent(w, http.StatusOK, page)
		return
	}
	redirectToClient(w, redirectURL, "code="+url.QueryEscape(code))
}

// parseRedirectURI parses a redirect_uri. It accepts any http or https URL, because
// there is no evidence that Mixcloud registers them. It returns nil for an empty one.
func parseRedirectURI(uri string) (*url.URL, bool) {
	if uri == "" {
		return nil, true
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsFunc(uri, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, false
	}
	return u, true
}

// redirectToClient redirects to the application, with query added to the URL's own.
func redirectToClient(w http.ResponseWriter, u *url.URL, query string) {
	if u.RawQuery != "" {
		query = u.RawQuery + "&" + query
	}
	u.RawQuery = query
	w.Header().Set("Location", u.String())
	w.WriteHeader(http.StatusFound)
}

func renderConsent(w http.ResponseWriter, status int, page consent) {
	page.Users = slices.Clone(page.Users)
	var body bytes.Buffer
	if err := templates.ExecuteTemplate(&body, "authorize.html", page); err != nil {
		http.Error(w, "500 Internal Server Error", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", html)
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes())
}
