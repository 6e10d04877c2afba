package auth

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// SessionLife is how long a sign-in lasts. Mixcloud's tokens do not expire, so
// somebody has to.
const SessionLife = 30 * 24 * time.Hour

// attemptLife is how long a person may take at Mixcloud's page.
const attemptLife = 10 * time.Minute

// skew is by how much the clocks of replicas may differ.
const skew = time.Minute

// ErrInsecure is that cookies cannot be kept safe: browsers would send them in
// the clear.
var ErrInsecure = errors.New("signing in needs https, or plain http on this machine alone")

// Cookies are the two that signing in uses: the session, which holds a token,
// and the attempt, which binds a sign-in to the browser that began it. Both are
// sealed, and no script can read them. They are safe for concurrent use.
type Cookies struct {
	keys                     *Keys
	secure                   bool
	sessionName, attemptName string
	revoked                  *expiringSet // ids of sessions that were ended here
	shared                   Revocations  // nil for none
}

// NewCookies are the cookies of a server that browsers reach under publicURL.
// Over https they have the prefix __Host-, by which browsers keep every other
// host and every page without encryption from setting them. Over plain http they
// are for development, and anything but a loopback address is [ErrInsecure].
// Replicas share ended sessions through shared; it is nil if there are none.
func NewCookies(keys *Keys, publicURL string, shared Revocations) (*Cookies, error) {
	u, err := url.Parse(publicURL)
	switch {
	case err != nil || u.Host == "":
		return nil, errors.New("the public URL has no host")
	case u.Scheme == "https":
		return newCookies(keys, true, "__Host-mixcloud-graphql", shared), nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return newCookies(keys, false, "mixcloud-graphql-dev", shared), nil
	}
	return nil, ErrInsecure
}

func newCookies(keys *Keys, secure bool, name string, shared Revocations) *Cookies {
	return &Cookies{
		keys: keys, secure: secure, sessionName: name, attemptName: name + "-attempt",
		revoked: newExpiringSet(maxRevoked), shared: shared,
	}
}

// isLoopback tells whether a host name is this machine, for every browser.
func isLoopback(host string) bool {
	host = strings.ToLower(host)
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// A session is a browser that is signed in.
type session struct {
	Token string `json:"t"`
	ID    string `json:"i"` // new at every sign-in; for logs, and to end it
	Since int64  `json:"s"` // Unix seconds of the sign-in
}

// session reads the session of a request: found tells that the cookie is there,
// and the session is nil if it is no good, has expired or was ended.
func (c *Cookies) session(r *http.Request) (_ *session, found bool) {
	s := new(session)
	found, ok := unseal(r, c.sessionName, c.keys.session, s)
	if !ok || s.Token == "" || !within(s.Since, SessionLife) {
		return nil, found
	}
	if s.ID == "" {
		s.ID = derivedID(r.CookiesNamed(c.sessionName)[0].Value)
	}
	if c.isRevoked(r.Context(), s) {
		return nil, found
	}
	return s, true
}

// begin starts a session, in place of whichever there is.
func (c *Cookies) begin(w http.ResponseWriter, token string) *session {
	s := &session{Token: token, ID: rand.Text(), Since: time.Now().Unix()}
	c.set(w, c.sessionName, seal(c.keys.session, s), SessionLife)
	return s
}

func (c *Cookies) endSession(w http.ResponseWriter) { c.set(w, c.sessionName, "", 0) }

// An attempt is a sign-in that is under way.
type attempt struct {
	Nonce string `json:"n"`
	Next  string `json:"x"` // where to go afterwards
	Since int64  `json:"s"` // Unix seconds
}

// until is when the attempt is over.
func (a *attempt) until() time.Time { return time.Unix(a.Since, 0).Add(attemptLife) }

// attempt reads the attempt of a request: found tells that the cookie is there,
// and the attempt is nil if it was not made here. It may be over.
func (c *Cookies) attempt(r *http.Request) (_ *attempt, found bool) {
	a := new(attempt)
	found, ok := unseal(r, c.attemptName, c.keys.attempt, a)
	if !ok || a.Nonce == "" {
		return nil, found
	}
	return a, true
}

func (c *Cookies) setAttempt(w http.ResponseWriter, a *attempt) {
	c.set(w, c.attemptName, seal(c.keys.attempt, a), attemptLife)
}

func (c *Cookies) endAttempt(w http.ResponseWriter) { c.set(w, c.attemptName, "", 0) }

// set sends a cookie that lives for a while; without a life it is taken back.
func (c *Cookies) set(w http.ResponseWriter, name, value string, life time.Duration) {
	age := int(life / time.Second)
	if age == 0 {
		age = -1 // which net/http sends as 0, and a 0 not at all
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func seal(s sealer, content any) string {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // texts and numbers can always be written
	}
	return s.seal(text)
}

// unseal reads a sealed cookie. Of several with one name none is trusted:
// somebody may have added theirs to ours.
func unseal(r *http.Request, name string, s sealer, into any) (found, ok bool) {
	all := r.CookiesNamed(name)
	if len(all) != 1 {
		return len(all) > 0, false
	}
	text, ok := s.open(all[0].Value)
	return true, ok && json.Unmarshal(text, into) == nil
}

// within tells whether a time that was written down is now or less than life
// ago.
func within(unix int64, life time.Duration) bool {
	age := time.Since(time.Unix(unix, 0))
	return age < life && age > -skew
}
