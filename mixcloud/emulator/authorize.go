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

// isAuthorize says whether a path is that of the authorize page.
func isAuthorize(path string) bool { return strings.TrimSuffix(path, "/") == "/www/oauth/authorize" }

// offered are the users that the authorize page names; any other can be typed.
var offered = []string{
	world.DemoUser, world.DocumentedUser, world.StationUser, world.ListenerUser, world.SilentUser, world.GreekUser,
}

// A consent is what the authorize page shows.
type consent struct {
	Client  string
	Users   []string
	Form    string // the one-time value; "" for a page without a form
	User    string // as it was typed
	Problem string // what is wrong
	Code    string // to be copied, for applications without a redirect_uri
	Denied  bool
	Home    string
}

// serveAuthorize asks a user to let an application in, and sends them back to its
// redirect_uri with a code, or with error=user_denied (documented; client code).
// A state is not returned (observed by a maintainer): what an application wants
// back must be inside the redirect_uri.
func (e *Emulator) serveAuthorize(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Frame-Options", "DENY")
	page := consent{Users: offered, Home: e.mount(r) + "/www/"}
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPost:
	default:
		h.Set("Allow", "GET, HEAD, POST")
		http.Error(w, "405 Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	query := r.URL.Query()
	client, ok := e.access.client(query.Get("client_id"))
	asked := grant{clientID: client.ID, redirectURI: query.Get("redirect_uri"), until: e.readNow().Add(codeLife)}
	back, fits := redirectTarget(asked.redirectURI)
	switch {
	case !ok:
		page.Problem = "No application has this client_id. On Mixcloud an application is registered under /developers/create/; this emulator knows " +
			DemoClientID + " and those it was started with."
	case !fits:
		page.Problem = "The redirect_uri must be a whole http or https address."
	}
	if page.Problem != "" {
		showConsent(w, http.StatusBadRequest, page)
		return
	}
	page.Client = client.Name
	if page.Client == "" {
		page.Client = client.ID
	}
	if r.Method != http.MethodPost {
		page.Form = e.access.open(&e.access.pages, asked, e.readNow())
		showConsent(w, http.StatusOK, page)
		return
	}
	e.answerConsent(w, r, page, asked, back)
}

// answerConsent does what the user has chosen.
func (e *Emulator) answerConsent(w http.ResponseWriter, r *http.Request, page consent, asked grant, back *url.URL) {
	again := func(problem string) {
		page.Problem = problem
		page.Form = e.access.open(&e.access.pages, asked, e.readNow())
		showConsent(w, http.StatusBadRequest, page)
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		again("The form could not be read.")
		return
	}
	if _, ok := e.access.take(&e.access.pages, r.PostForm.Get("form"), asked, e.readNow()); !ok {
		again("This page was answered already, or has waited too long. Please choose again.")
		return
	}
	if r.PostForm.Get("choice") != "allow" {
		if back == nil {
			page.Denied = true
			showConsent(w, http.StatusOK, page)
			return
		}
		redirectBack(w, back, "error=user_denied")
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
		again("There is no user of this name.")
		return
	}
	asked.username = u.Username
	code := e.access.open(&e.access.codes, asked, e.readNow())
	if back == nil {
		page.Code = code
		showConsent(w, http.StatusOK, page)
		return
	}
	redirectBack(w, back, "code="+url.QueryEscape(code))
}

// redirectTarget reads a redirect_uri: any http or https address, as no list of
// them is known to be kept; nil for an empty one.
func redirectTarget(uri string) (*url.URL, bool) {
	if uri == "" {
		return nil, true
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsFunc(uri, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, false
	}
	return u, true
}

// redirectBack sends the user to the application; its own query stays as it is.
func redirectBack(w http.ResponseWriter, back *url.URL, answer string) {
	if back.RawQuery != "" {
		answer = back.RawQuery + "&" + answer
	}
	back.RawQuery = answer
	w.Header().Set("Location", back.String())
	w.WriteHeader(http.StatusFound)
}

func showConsent(w http.ResponseWriter, status int, page consent) {
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
