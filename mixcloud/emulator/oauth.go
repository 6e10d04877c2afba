package emulator

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// The application that every emulator knows.
const (
	DemoClientID     = "demo-client"
	DemoClientSecret = "demo-secret"
)

// codeLife is how long a code can be exchanged, and how long a page waits for an
// answer. Nobody knows how long it is on the live service.
const codeLife = 10 * time.Minute

// maxOpen bounds the codes and pages that wait for an answer.
const maxOpen = 10_000

// A Client is an application that may ask for tokens.
type Client struct{ ID, Secret, Name string }

// WithOAuthClient adds an application: it may send users to the authorize page,
// where they read its name, and exchange codes. The ID and the secret must not be
// empty; an ID that is known already is replaced.
func WithOAuthClient(id, secret, name string) Option {
	return func(e *Emulator) error {
		if id == "" || secret == "" {
			return fmt.Errorf("emulator: an OAuth client without an ID or a secret")
		}
		e.access.register(Client{id, secret, name})
		return nil
	}
}

// access is who may come in: applications, codes and tokens.
type access struct {
	mu      sync.Mutex
	clients map[string]Client
	codes   map[string]grant
	pages   map[string]grant    // by the one-time value in the page
	issued  map[string]string   // user names by token
	revoked map[string]struct{} // seeded tokens
}

// A grant is what a page or a code is bound to.
type grant struct {
	clientID, redirectURI string
	username              string // of a code
	until                 time.Time
}

// register adds an application unless it is the demo's and was replaced.
func (a *access) register(c Client) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.clients == nil {
		a.clients = make(map[string]Client)
	}
	if _, known := a.clients[c.ID]; known && c.ID == DemoClientID && c.Secret == DemoClientSecret {
		return
	}
	a.clients[c.ID] = c
}

func (a *access) client(id string) (Client, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.clients[id]
	return c, ok
}

// open keeps a grant under a new name. What is too old goes, and when there is
// too much, so does the oldest.
func (a *access) open(list *map[string]grant, g grant, now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if *list == nil {
		*list = make(map[string]grant)
	}
	if len(*list) >= maxOpen {
		oldest := ""
		for name, other := range *list {
			if !now.Before(other.until) {
				delete(*list, name)
			} else if oldest == "" || other.until.Before((*list)[oldest].until) {
				oldest = name
			}
		}
		if len(*list) >= maxOpen {
			delete(*list, oldest)
		}
	}
	name := rand.Text()
	(*list)[name] = g
	return name
}

// take gives the grant of a name if it is bound to what is wanted and not too
// old; then it is used up.
func (a *access) take(list *map[string]grant, name string, want grant, now time.Time) (grant, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, ok := (*list)[name]
	if !ok || g.clientID != want.clientID || g.redirectURI != want.redirectURI || !now.Before(g.until) {
		return grant{}, false
	}
	delete(*list, name)
	return g, true
}

func (a *access) issue(username string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.issued == nil {
		a.issued = make(map[string]string)
	}
	token := rand.Text()
	a.issued[token] = username
	return token
}

func (a *access) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes, a.pages, a.issued, a.revoked = nil, nil, nil, nil
}

// seededToken is the token that a user has from the start. Tokens are ASCII, as
// those of the live service are: a user name of ASCII is part of it, any other
// one is hashed. [Emulator.Users] lists them all.
func seededToken(username string) string {
	if isPlain(username) {
		return username + seededSuffix
	}
	hash := sha256.Sum256([]byte(username))
	return hashedPrefix + hex.EncodeToString(hash[:8]) + seededSuffix
}

const (
	seededSuffix = "-token"
	hashedPrefix = "user-"
)

// issuedTo returns the name of the user that a token was issued to, and whether
// the token was revoked.
func (a *access) issuedTo(token string) (username string, revoked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, revoked = a.revoked[token]
	return a.issued[token], revoked
}

// ownerOf returns the user of a token, or nil if it is unknown or revoked. The
// world must be locked.
func (e *Emulator) ownerOf(token string) *world.User {
	username, revoked := e.access.issuedTo(token)
	if revoked {
		return nil
	}
	if username != "" {
		return e.world.User(username)
	}
	username, ok := strings.CutSuffix(token, seededSuffix)
	if !ok {
		return nil
	}
	if u := e.world.User(username); u != nil && u.Username == username && seededToken(username) == token {
		return u
	}
	if !strings.HasPrefix(token, hashedPrefix) {
		return nil
	}
	for _, u := range e.world.Users {
		if !isPlain(u.Username) && seededToken(u.Username) == token {
			return u
		}
	}
	return nil
}

// A UserInfo is a user of the world with the token to act for them.
type UserInfo struct {
	Username string `json:"username"`
	Name     string `json:"name"`
	Key      string `json:"key"`
	Token    string `json:"token"` // valid unless it was revoked
}

// Users lists the users of the world in the order of their names, with the tokens
// that they have from the start.
func (e *Emulator) Users() []UserInfo {
	e.mu.RLock()
	defer e.mu.RUnlock()
	list := make([]UserInfo, 0, len(e.world.Users))
	for _, u := range e.world.Users {
		list = append(list, UserInfo{Username: u.Username, Name: u.Name, Key: u.Key(), Token: seededToken(u.Username)})
	}
	slices.SortFunc(list, func(a, b UserInfo) int { return strings.Compare(a.Username, b.Username) })
	return list
}

// Revoke ends a token, seeded or issued, as a user does in the site's settings;
// it is false for a token that was not valid. A seeded one is back after
// [Emulator.Reset].
func (e *Emulator) Revoke(token string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.ownerOf(token) == nil {
		return false
	}
	a := &e.access
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, ok := a.issued[token]; ok {
		delete(a.issued, token)
		return true
	}
	if a.revoked == nil {
		a.revoked = make(map[string]struct{})
	}
	a.revoked[token] = struct{}{}
	return true
}

// readNow is now for who has not locked the world.
func (e *Emulator) readNow() time.Time {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.now()
}

// isExchange says whether a path is that of the token exchange, with or without
// its slash.
func isExchange(path string) bool {
	return strings.TrimSuffix(path, "/") == "/www/oauth/access_token"
}

// exchange gives a token for a code: by GET with a query, or by POST with a query
// or a form (documented; client code). Failures are a text with status 400
// (client code); their wording was never recorded.
func (c *call) exchange() error {
	c.fault = c.faults.take(c.request.Method, c.path, nil)
	params := c.query
	switch c.request.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if c.fault.early() {
			c.hasty = true
			return nil
		}
		if err := readSmallForm(c.request); err != nil {
			c.oauthFailure("The request could not be read.")
			return nil //nolint:nilerr // it is answered
		}
		params = c.request.Form
	default:
		c.methodNotAllowed("GET, POST")
		return nil
	}
	if c.fault.refuses() {
		return nil
	}
	client, ok := c.access.client(params.Get("client_id"))
	switch {
	case !ok:
		c.oauthFailure("Unknown client_id.")
		return nil
	case subtle.ConstantTimeCompare([]byte(client.Secret), []byte(params.Get("client_secret"))) != 1:
		c.oauthFailure("Wrong client_secret.")
		return nil
	}
	want := grant{clientID: client.ID, redirectURI: params.Get("redirect_uri")}
	g, ok := c.access.take(&c.access.codes, params.Get("code"), want, c.readNow())
	if !ok {
		c.oauthFailure("The code is unknown, used, too old, or was given for another redirect_uri.")
		return nil
	}
	token := c.access.issue(g.username)
	if c.fault.is(FaultURLEncodedToken) { // as the documentation shows it
		c.buf = append(c.buf[:0], "access_token="+url.QueryEscape(token)...)
		c.callback = ""
		return nil
	}
	c.open('{')
	c.string("access_token", token)
	c.close('}')
	return nil
}

// oauthFailure is an error of the exchange: a text, not an object.
func (c *call) oauthFailure(text string) {
	c.status = http.StatusBadRequest
	c.open('{')
	c.string("error", text)
	c.close('}')
}
