package emulator

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

const (
	javascript = "text/javascript; charset=utf-8" // the live service's media type of JSON (observed 2018)
	html       = "text/html; charset=utf-8"
)

// A call is one request to the API and its response.
type call struct {
	*Emulator
	writer // the body

	request       *http.Request
	path          string // escaped, below the mount prefix
	args          []string
	query         url.Values
	sent          sentURL // path and query as sent, for links
	base          string  // public base, without a trailing slash
	pictures      string  // URL of pictures, up to the size segment; plain ASCII
	settings      Settings
	pageCap       int         // maximum page size
	viewer        *world.User // the user of the token; nil for an anonymous request
	metadata      bool        // metadata=1
	callback      string      // of JSONP; "" for none
	fault         *Fault      // nil for none
	mark          string      // appended to texts; "" for none
	respondsEarly bool        // the response is sent before the request's body was read
	resetConn     bool        // reset the connection in the middle of an upload

	incoming   *incomingUpload // the upload or edit while its body is read
	submission submission      // its form, after the whole body was read

	status      int
	contentType string
	location    string
	retryAfter  string
	allow       string

	listPage   listPage  // the part of a list in the response
	failure    *apiError // the error in the response; nil for none
	routeError error     // returned instead of the route's response; nil for none
}

// A sentURL is the request's URL before a broken rule changed it.
type sentURL struct {
	path  string
	query url.Values
}

var calls = sync.Pool{New: func() any { return &call{writer: writer{buf: make([]byte, 0, 96<<10)}} }}

func (e *Emulator) newCall(r *http.Request) *call {
	c := calls.Get().(*call)
	*c = call{
		Emulator: e,
		writer:   writer{buf: c.buf[:0]},
		request:  r,
		path:     r.URL.EscapedPath(),
		query:    r.URL.Query(),
		base:     e.publicBase(r),
		settings: e.Settings(),
		status:   http.StatusOK,
	}
	c.pageCap = c.settings.pageCap()
	c.sent = sentURL{c.path, c.query}
	c.pictures = c.base + "/www/unsafe/"
	c.metadata = c.query.Get("metadata") == "1"
	if callback := c.query.Get("callback"); isCallback(callback) {
		c.callback = callback
	}
	c.beginBody()
	return c
}

// free returns the call to the pool. Neither it nor its body may be used afterwards.
func (c *call) free() {
	if cap(c.buf) <= 1<<20 {
		*c = call{writer: writer{buf: c.buf[:0]}}
		calls.Put(c)
	}
}

// serveAPI serves a request to the API.
func (e *Emulator) serveAPI(w http.ResponseWriter, r *http.Request) {
	c := e.newCall(r)
	defer c.free()
	entry := e.journal.add(r.Method, c.path, r.URL.RawQuery)

	began := time.Now()
	c.applyDueLocking()
	c.breakRequest()
	c.handle(e.limiter.secondsToWait(c.settings.Limit))
	// The processing time is part of the latency, so that a client measures exactly
	// the configured latency.
	if !sleep(r.Context(), c.settings.Latency-time.Since(began)) {
		panic(http.ErrAbortHandler) // the client disconnected
	}
	c.send(w, entry)
}

// handle writes the route's response, or an error. wait is 0, or the seconds to wait
// if the rate limit is exceeded.
func (c *call) handle(wait int) {
	if wait > 0 {
		c.respondsEarly = c.request.ContentLength != 0
		c.fail(rateLimited(wait))
	} else if err := c.route(); err != nil {
		c.fail(err)
	}
	c.endBody()
}

// beginBody starts a JSON body: it clears the body and writes the start of JSONP
// (documented).
func (c *call) beginBody() {
	c.contentType = javascript
	c.depth, c.needsComma, c.buf = 0, false, c.buf[:0]
	if c.callback != "" {
		c.buf = append(append(c.buf, c.callback...), '(')
	}
}

// endBody writes the end of JSONP.
func (c *call) endBody() {
	if c.callback != "" && c.contentType != html {
		c.buf = append(c.buf, ')')
	}
}

// startHTML makes the response HTML, with an empty body.
func (c *call) startHTML(status int) {
	c.status, c.contentType, c.buf = status, html, c.buf[:0]
}

// isCallback reports whether a name is safe as a JSONP callback.
func isCallback(name string) bool {
	return strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_$.[]") == ""
}

// route finds the route, authenticates the request and calls the route's handler.
func (c *call) route() error {
	method := c.request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if isExchange(c.path) {
		return c.exchange()
	}
	if !strings.HasSuffix(c.path, "/") {
		c.redirect() // clients repeat a POST as a GET without a body
		return nil
	}
	if method != http.MethodGet {
		return c.write()
	}
	found, args, ok := routes.find(c.path)
	c.args = args
	c.fault = c.faults.take(method, c.path, found)
	if c.isWriteOnly(found) {
		c.methodNotAllowed(c.allowed())
		return nil
	}

	c.mu.RLock()
	defer c.mu.RUnlock()
	if err := c.authenticate(); err != nil {
		return err
	}
	if c.routeError != nil {
		return c.routeError
	}
	if !ok {
		return notFound(noResource)
	}
	return found.serve(c)
}

// redirect redirects to the path with a trailing slash. The Location is a path and
// has the query as sent; there is no body (observed 2018: headers of user.yml and
// tag.yml).
func (c *call) redirect() {
	c.startHTML(http.StatusMovedPermanently)
	c.location = c.mount(c.request) + c.path + "/"
	if q := c.request.URL.RawQuery; q != "" {
		c.location += "?" + q
	}
}

func (c *call) methodNotAllowed(allow string) {
	c.startHTML(http.StatusMethodNotAllowed)
	c.allow = allow
}

// authenticate reads the token from the query and sets the viewer. It ignores an
// Authorization header (documented). Routes check what the viewer may see.
func (c *call) authenticate() error {
	token := c.query.Get("access_token")
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
	return oauthException("An invalid access token was provided")
}

// header writes the headers of every response (observed 2018).
func (c *call) header(h http.Header) {
	h.Set("Server", "nginx")
	h.Set("Content-Type", c.contentType)
	h.Set("Vary", "Accept-Encoding, Origin")
	h.Set("Access-Control-Allow-Origin", "*")
	h["X-Request-Id"] = []string{requestID()}
	if c.location != "" {
		h.Set("Location", c.location)
	}
	if c.retryAfter != "" {
		h.Set("Retry-After", c.retryAfter)
	}
	if c.allow != "" {
		h.Set("Allow", c.allow)
	}
	if c.respondsEarly {
		h.Set("Connection", "close")
	}
	c.breakResponse(h)
	h.Set("Content-Length", strconv.Itoa(len(c.buf)))
}

// requestID returns 32 hexadecimal digits (observed 2018).
func requestID() string {
	var id [16]byte
	binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
	binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}

// scheduled reports whether an upload's publication date is in the future.
func (c *call) scheduled(cast *world.Cloudcast) bool {
	return !cast.PublishAt.IsZero() && c.now().Before(cast.PublishAt)
}
