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

// The application that is registered by default.
const (
	DemoClientID     = "demo-client"
	DemoClientSecret = "demo-secret"
)

// codeTTL is the lifetime of a code, and of an authorize page. The live service's value
// is not known.
const codeTTL = 10 * time.Minute

// maxGrants is the maximum number of unused codes, and of authorize pages whose form
// was not submitted.
const maxGrants = 10_000

// A Client is an OAuth application.
type Client struct{ ID, Secret, Name string }

// WithOAuthClient registers an OAuth application. The authorize page shows its name.
// The ID and the secret must not be empty. It replaces an application with the same ID.
func WithOAuthClient(id, secret, name string) Option {
	return func(e *Emulator) error {
		if id == "" || secret == "" {
			return fmt.Errorf("emulator: an OAuth client must have an ID and a secret")
		}
		e.oauth.register(Client{id, secret, name})
		return nil
	}
}

// oauthState contains the registered applications, codes and tokens.
type oauthState struct {
	mu      sync.Mutex
	clients map[string]Client
	codes   map[string]grant
	pages   map[string]grant    // by the one-time value of the form
	issued  map[string]string   // user names by token
	revoked map[string]struct{} // revoked seeded tokens
}

// A grant is the data of an authorize page, or of a code. Both are valid only for one
// client and one redirect URI.
type grant struct {
	clientID, redirectURI string
	username              string // "" for a page
	expires               time.Time
}

// register adds an application. It does not restore the demo application if that was
// replaced.
func (a *oauthState) register(c Client) {
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

func (a *oauthState) client(id string) (Client, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.clients[id]
	return c, ok
}

// store stores a grant under a random name. If the list is full, it deletes expired
// grants, or the oldest one.
func (a *oauthState) store(list *map[string]grant, g grant, now time.Time) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if *list == nil {
		*list = make(map[string]grant)
	}
	if len(*list) >= maxGrants {
		oldest := ""
		for name, other := range *list {
			if !now.Before(other.expires) {
				delete(*list, name)
			} else if oldest == "" || other.expires.Before((*list)[oldest].expires) {
				oldest = name
			}
		}
		if len(*list) >= maxGrants {
			delete(*list, oldest)
		}
	}
	name := rand.Text()
	(*list)[name] = g
	return name
}

// redeem deletes and returns the grant with a name, if it has not expired and has the
// same client and redirect URI as want.
func (a *oauthState) redeem(list *map[string]grant, name string, want grant, now time.Time) (grant, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	g, ok := (*list)[name]
	if !ok || g.clientID != want.clientID || g.redirectURI != want.redirectURI || !now.Before(g.expires) {
		return grant{}, false
	}
	delete(*list, name)
	return g, true
}

func (a *oauthState) issue(username string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.issued == nil {
		a.issued = make(map[string]string)
	}
	token := rand.Text()
	a.issued[token] = username
	return token
}

func (a *oauthState) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.codes, a.pages, a.issued, a.revoked = nil, nil, nil, nil
}

// seededToken returns the default token of a user. Like those of the live service it is
// ASCII: it contains the user name, or a hash of the name if that is not ASCII.
// [Emulator.Users] lists all tokens.
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
func (a *oauthState) issuedTo(token string) (username string, revoked bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, revoked = a.revoked[token]
	return a.issued[token], revoked
}

// ownerOf returns the user of a token, or nil if it is unknown or revoked. The caller
// must hold e.mu.
func (e *Emulator) ownerOf(token string) *world.User {
	username, revoked := e.oauth.issuedTo(token)
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

// A UserInfo is a user of the emulator with their token.
type UserInfo struct {
	Username string `json:"username"`
	Name     string `json:"name"`
	Key      string `json:"key"`
	Token    string `json:"token"` // valid unless it was revoked
}

// Users returns all users, sorted by name, with their seeded tokens.
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

// Revoke revokes a seeded or issued token, as a user can in the site's settings. It
// returns false if the token was not valid. [Emulator.Reset] restores seeded tokens.
func (e *Emulator) Revoke(token string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.ownerOf(token) == nil {
		return false
	}
	a := &e.oauth
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

// nowLocking locks e.mu and calls now.
func (e *Emulator) nowLocking() time.Time {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.now()
}

// isExchange reports whether a path names the token exchange, with or without the
// trailing slash.
func isExchange(path string) bool {
	return strings.TrimSuffix(path, "/") == "/www/oauth/access_token"
}

// exchange exchanges a code for a token: by GET with a query, or by POST with a query
// or a form (documented; client code). Errors are a string with status 400 (client
// code); there is no recording of their wording.
func (c *call) exchange() error {
	c.fault = c.faults.take(c.request.Method, c.path, nil)
	params := c.query
	switch c.request.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if c.fault.early() {
			c.respondsEarly = true
			return nil
		}
		if err := readSmallForm(c.request); err != nil {
			c.oauthFailure("The request could not be read.")
			return nil //nolint:nilerr // the response has the error
		}
		params = c.request.Form
	default:
		c.methodNotAllowed("GET, POST")
		return nil
	}
	if c.fault.rejectsWrite() {
		return nil
	}
	client, ok := c.oauth.client(params.Get("client_id"))
	switch {
	case !ok:
		c.oauthFailure("Unknown client_id.")
		return nil
	case subtle.ConstantTimeCompare([]byte(client.Secret), []byte(params.Get("client_secret"))) != 1:
		c.oauthFailure("Wrong client_secret.")
		return nil
	}
	want := grant{clientID: client.ID, redirectURI: params.Get("redirect_uri")}
	g, ok := c.oauth.redeem(&c.oauth.codes, params.Get("code"), want, c.nowLocking())
	if !ok {
		c.oauthFailure("The code is unknown, already used, expired, or was issued for another redirect_uri.")
		return nil
	}
	token := c.oauth.issue(g.username)
	if c.fault.is(FaultURLEncodedToken) { // as in the documentation
		c.buf = append(c.buf[:0], "access_token="+url.QueryEscape(token)...)
		c.callback = ""
		return nil
	}
	c.open('{')
	c.string("access_token", token)
	c.close('}')
	return nil
}

// oauthFailure writes an error of the exchange: a string, not an object.
func (c *call) oauthFailure(text string) {
	c.status = http.StatusBadRequest
	c.open('{')
	c.string("error", text)
	c.close('}')
}
