package emulator

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

const (
	javascript = "text/javascript; charset=utf-8" // what the live service calls JSON (observed 2018)
	html       = "text/html; charset=utf-8"
)

// A call is one request to the API on its way to an answer.
type call struct {
	*Emulator
	writer // the body

	request  *http.Request
	path     string // as requested, escaped, below the mount prefix
	args     []string
	query    url.Values
	base     string // public base, without a closing slash
	pictures string // what stands before a picture's size; plain ASCII
	settings Settings
	viewer   *world.User // whose token was sent; nil for nobody
	metadata bool        // metadata=1
	callback string      // of JSONP; "" for none
	fault    *Fault      // disturbs the answer; nil for none
	mark     string      // what the token puts behind texts; "" for nothing
	hasty    bool        // the answer comes before the body was read
	torn     bool        // the connection is to be reset in the middle of an upload

	flight     *flight    // of an upload or an edit
	submission submission // the same, once all of it was read

	status      int
	contentType string
	location    string
	retryAfter  string
	allow       string
}

var calls = sync.Pool{New: func() any { return &call{writer: writer{buf: make([]byte, 0, 96<<10)}} }}

func (e *Emulator) newCall(r *http.Request) *call {
	c := calls.Get().(*call)
	*c = call{
		Emulator:    e,
		writer:      writer{buf: c.buf[:0], compact: e.breaks(compactJSON), raw: e.breaks(rawUnicode), quoted: e.breaks(stringCounts), fine: e.breaks(fractionalTimes)},
		request:     r,
		path:        r.URL.EscapedPath(),
		query:       r.URL.Query(),
		base:        e.publicBase(r),
		settings:    e.Settings(),
		status:      http.StatusOK,
		contentType: javascript,
	}
	if e.breaks(jsonContentType) {
		c.contentType = "application/json"
	}
	c.pictures = c.base + "/www/unsafe/"
	c.metadata = c.query.Get("metadata") == "1"
	if callback := c.query.Get("callback"); isCallback(callback) && !e.breaks(noJSONP) {
		c.callback = callback
	}
	c.begin()
	return c
}

// free gives the call's memory back; neither it nor its body may be used after.
func (c *call) free() {
	if cap(c.buf) <= 1<<20 {
		*c = call{writer: writer{buf: c.buf[:0]}}
		calls.Put(c)
	}
}

// serveAPI answers a request to the API, or lets a fault do so.
func (e *Emulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := e.newCall(r)
	defer c.free()
	entry := e.journal.open(r.Method, c.path, r.URL.RawQuery)

	began := time.Now()
	c.catchUp()
	c.answer(e.limiter.over(c.settings.Limit))
	// The latency is the whole time of an answer, its making included, to be
	// what a measurement sets against it.
	if !sleep(r.Context(), c.settings.Latency-time.Since(began)) {
		panic(http.ErrAbortHandler) // the caller is gone
	}
	c.send(w, entry)
}

// answer makes the body: the route's, or an error's. A wait in seconds says that
// the rate limit is reached.
func (c *call) answer(wait int) {
	if wait > 0 {
		c.hasty = c.request.ContentLength != 0
		c.fail(rateLimited(wait))
	} else if err := c.route(); err != nil {
		c.fail(err)
	}
	if c.callback != "" && c.contentType != html {
		c.buf = append(c.buf, ')')
	}
}

// begin empties the body, but for what JSONP puts before it (documented).
func (c *call) begin() {
	c.depth, c.more, c.buf = 0, false, c.buf[:0]
	if c.callback != "" {
		c.buf = append(append(c.buf, c.callback...), '(')
	}
}

// plain makes the answer one without JSON, with an empty body so far.
func (c *call) plain(status int) {
	c.status, c.contentType, c.buf = status, html, c.buf[:0]
}

// isCallback says whether a name is safe to put before a JSONP body.
func isCallback(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.[]") == ""
}

// route finds who answers, reads the token, and lets the route write.
func (c *call) route() error {
	method := c.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if isExchange(c.path) {
		return c.exchange()
	}
	if !strings.HasSuffix(c.path, "/") && (method != http.MethodGet || !c.breaks(noRedirect)) {
		c.redirect() // a POST loses its method and its body by it, as clients know
		return nil
	}
	if method != http.MethodGet {
		return c.write()
	}
	found, args, ok := routes.find(c.path)
	c.args = args
	c.fault = c.faults.take(method, c.path, found)
	if c.onlyWritten(found) {
		c.methodNotAllowed(c.allowed())
		return nil
	}

	c.mu.RLock()
	defer c.mu.RUnlock()
	if err := c.authenticate(); err != nil {
		return err
	}
	if !ok || slices.Contains(c.gone, found.Pattern) {
		return notFound("Resource does not exist.")
	}
	return found.serve(c)
}

// redirect sends the caller to the path with its closing slash: the Location is
// relative to the host and keeps the query as sent; there is no body (observed
// 2018: headers of user.yml and tag.yml).
func (c *call) redirect() {
	c.plain(http.StatusMovedPermanently)
	c.location = c.mount(c.request) + c.path + "/"
	if c.breaks(redirectFound) {
		c.status = http.StatusFound
	}
	if c.breaks(redirectAbsolute) {
		c.location = c.base + c.path + "/"
	}
	if q := c.request.URL.RawQuery; q != "" && !c.breaks(redirectDropsQuery) {
		c.location += "?" + q
	}
	if c.breaks(redirectBody) {
		c.buf = append(c.buf, "<html>Moved</html>"...)
	}
}

func (c *call) methodNotAllowed(allow string) {
	c.plain(http.StatusMethodNotAllowed)
	c.allow = allow
}

// authenticate reads the token from the query; an Authorization header does not
// count (documented). What the token's holder may see is up to the routes.
func (c *call) authenticate() error {
	token := c.query.Get("access_token")
	if header, ok := strings.CutPrefix(c.request.Header.Get("Authorization"), "Bearer "); ok && c.breaks(headerToken) {
		token = header
	}
	if token == "" {
		return nil
	}
	if u := c.ownerOf(token); u != nil {
		c.viewer = u
		if c.settings.Marks {
			c.mark = Mark(token)
		}
		return nil
	}
	if c.breaks(badTokenIgnored) {
		return nil
	}
	return refused("An invalid access token was provided")
}

// header writes what stands above every answer (observed 2018).
func (c *call) header(h http.Header) {
	h.Set("Server", "nginx")
	h.Set("Content-Type", c.contentType)
	h.Set("Content-Length", strconv.Itoa(len(c.buf)))
	if !c.breaks(noVary) {
		h.Set("Vary", "Accept-Encoding, Origin")
	}
	if !c.breaks(noCORS) {
		h.Set("Access-Control-Allow-Origin", "*")
	}
	if !c.breaks(noRequestID) {
		h["X-Request-Id"] = []string{requestID()}
	}
	if c.breaks(limitHeaders) {
		h.Set("X-Ratelimit-Remaining", "59")
	}
	if c.location != "" {
		h.Set("Location", c.location)
	}
	if c.retryAfter != "" && !c.breaks(retryAfterHeaderMissing) {
		h.Set("Retry-After", c.retryAfter)
	}
	if c.allow != "" {
		h.Set("Allow", c.allow)
	}
	if c.hasty {
		h.Set("Connection", "close")
	}
}

// requestID is 32 hexadecimal digits (observed 2018).
func requestID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// scheduled says whether an upload still waits for its day.
func (c *call) scheduled(cast *world.Cloudcast) bool {
	return !cast.PublishAt.IsZero() && c.now().Before(cast.PublishAt)
}
