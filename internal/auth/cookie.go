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

// SessionLife is the lifetime of a session. Mixcloud's tokens do not expire, so sessions must.
const SessionLife = 30 * 24 * time.Hour

// attemptLife is the time that a user has to finish a sign-in at Mixcloud.
const attemptLife = 10 * time.Minute

// skew is the maximum clock difference between replicas.
const skew = time.Minute

// ErrInsecure is returned if browsers would send the cookies unencrypted over a network.
var ErrInsecure = errors.New("sign-in requires https, or http on a loopback address")

// Cookies manages the two cookies of signing in. The session cookie holds a token. The attempt
// cookie binds a sign-in to the browser that started it. Both are sealed and HttpOnly. Cookies
// is safe for concurrent use.
type Cookies struct {
	keys                     *Keys
	secure                   bool
	sessionName, attemptName string
	revoked                  *expiringSet // ids of sessions that were revoked on this process
	shared                   Revocations  // nil if there are no replicas
}

// NewCookies returns the cookies of a server that browsers reach at publicURL. Over https their
// names have the prefix __Host-, so that no other host and no unencrypted page can set them.
// Plain http is for development: any host but a loopback address is [ErrInsecure]. Replicas
// share revoked sessions through shared, which may be nil.
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

// isLoopback reports whether every browser resolves a host name to this machine.
func isLoopback(host string) bool {
	host = strings.ToLower(host)
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// A session is the content of a session cookie.
type session struct {
	Token string `json:"t"`
	ID    string `json:"i"` // random, for logs and revocation
	Since int64  `json:"s"` // time of the sign-in in Unix seconds
}

// session returns the session of a request, or nil if its cookie is missing, invalid, expired
// or revoked. found reports whether there is a cookie.
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

// startSession sets a cookie with a new session, which replaces any other.
func (c *Cookies) startSession(w http.ResponseWriter, token string) *session {
	s := &session{Token: token, ID: rand.Text(), Since: time.Now().Unix()}
	c.set(w, c.sessionName, seal(c.keys.session, s), SessionLife)
	return s
}

func (c *Cookies) endSession(w http.ResponseWriter) { c.set(w, c.sessionName, "", 0) }

// An attempt is the content of an attempt cookie: a sign-in in progress.
type attempt struct {
	Nonce string `json:"n"`
	Next  string `json:"x"` // path to redirect to after the sign-in
	Since int64  `json:"s"` // start time in Unix seconds
}

// expiry returns the time at which the attempt expires.
func (a *attempt) expiry() time.Time { return time.Unix(a.Since, 0).Add(attemptLife) }

// attempt returns the attempt of a request, or nil if its cookie is missing or invalid. It may
// have expired. found reports whether there is a cookie.
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

// set sets a cookie, or deletes it if life is 0.
func (c *Cookies) set(w http.ResponseWriter, name, value string, life time.Duration) {
	age := int(life / time.Second)
	if age == 0 {
		age = -1 // net/http sends -1 as Max-Age=0, and omits a 0
	}
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func seal(s sealer, content any) string {
	text, err := json.Marshal(content)
	if err != nil {
		panic(err) // the content has only strings and numbers
	}
	return s.seal(text)
}

// unseal opens a sealed cookie. If several cookies have the name it trusts none of them: an
// attacker may have added one.
func unseal(r *http.Request, name string, s sealer, into any) (found, ok bool) {
	all := r.CookiesNamed(name)
	if len(all) != 1 {
		return len(all) > 0, false
	}
	text, ok := s.open(all[0].Value)
	return true, ok && json.Unmarshal(text, into) == nil
}

// within reports whether less than life has passed since a time in Unix seconds.
func within(unix int64, life time.Duration) bool {
	age := time.Since(time.Unix(unix, 0))
	return age < life && age > -skew
}
