package mixcloud

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The addresses of the live service.
const (
	DefaultAPIURL    = "https://api.mixcloud.com"
	DefaultSiteURL   = "https://www.mixcloud.com"
	DefaultOEmbedURL = "https://app.mixcloud.com/oembed/"
)

const (
	defaultMaxBody   = 8 << 20
	defaultTimeout   = 30 * time.Second
	defaultUserAgent = "mixcloud-graphql"
)

// A Client calls the Mixcloud REST API, anonymously or with one token.
// [Client.As] makes a client for each token; all of them share their connections.
// A Client is safe for concurrent use, and prints without its token.
type Client struct {
	*core
	token credential
}

// A credential is a pointer to a token, so that printing a struct that contains
// it shows a memory address instead. Nil means anonymous.
type credential *string

// core is the state that derived clients share. It does not change after New.
type core struct {
	api, site, oembed *url.URL
	roots             []string // api and site
	http              *http.Client
	streaming         *http.Client // http without a timeout, for uploads
	maxBody           int64
	userAgent         string
	metadata          bool
	insecure          bool // WithInsecureToken was given
	tokenAllowed      bool // tokens may be sent to api
	observe           func(Call)
	wrap              []func(http.RoundTripper) http.RoundTripper
}

// An Option configures a new client. The functions below return the options.
type Option interface {
	apply(c *core) error
}

// option implements [Option].
type option func(c *core) error

func (o option) apply(c *core) error { return o(c) }

// New returns an anonymous client. Without options it calls the live service.
// New makes no call.
func New(opts ...Option) (*Client, error) {
	c := &core{maxBody: defaultMaxBody, userAgent: defaultUserAgent, http: &http.Client{Timeout: defaultTimeout}}
	roots := []Option{WithAPIURL(DefaultAPIURL), WithSiteURL(DefaultSiteURL), WithOEmbedURL(DefaultOEmbedURL)}
	for _, opt := range append(roots, opts...) {
		if err := opt.apply(c); err != nil {
			return nil, err
		}
	}
	c.roots = []string{c.api.String(), c.site.String()}
	c.tokenAllowed = c.insecure || confidential(c.api)
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http.Jar = nil
	c.streaming = new(*c.http)
	c.streaming.Timeout = 0
	if c.http.Transport == nil {
		c.http.Transport, c.streaming.Transport = defaultTransport(), uploadTransport()
	}
	c.http.Transport = c.wrapped(c.http.Transport)
	c.streaming.Transport = c.wrapped(c.streaming.Transport)
	return &Client{core: c}, nil
}

// wrapped wraps base with the tokenTransport, and that with the caller's
// middleware.
func (c *core) wrapped(base http.RoundTripper) http.RoundTripper {
	base = &tokenTransport{base: base, api: c.api, site: c.site}
	for _, wrap := range c.wrap {
		base = wrap(base)
	}
	return base
}

// As returns a client that acts for the user who owns token, or an anonymous one
// if token is empty. It makes no call and does not check the token.
func (c *Client) As(token string) *Client {
	if token == "" {
		return &Client{core: c.core}
	}
	return &Client{core: c.core, token: &token}
}

// String returns the client's API root, and whether the client has a token.
func (c *Client) String() string {
	if c.token != nil {
		return "mixcloud client of " + c.api.String() + " with a token"
	}
	return "mixcloud client of " + c.api.String()
}

// WithAPIURL sets the root of the API. It may have a path, as in
// "http://127.0.0.1:8080/emulator". Tokens are sent there only.
func WithAPIURL(root string) Option {
	return option(func(c *core) (err error) {
		c.api, err = parseRoot("API", root)
		return err
	})
}

// WithSiteURL sets the root of the website, which may have a path. [Client.OAuth]
// calls it, and methods that take a key accept addresses below it.
func WithSiteURL(root string) Option {
	return option(func(c *core) (err error) {
		c.site, err = parseRoot("site", root)
		return err
	})
}

// WithOEmbedURL sets the oEmbed endpoint.
func WithOEmbedURL(endpoint string) Option {
	return option(func(c *core) (err error) {
		c.oembed, err = parseRoot("oEmbed", endpoint)
		return err
	})
}

// WithHTTPClient makes calls with the transport and the timeout of h.
// Redirects are not followed and cookies are not stored, even if h does so. Uploads
// have no timeout. Without this option other calls time out after 30 seconds.
func WithHTTPClient(h *http.Client) Option {
	return option(func(c *core) error {
		if h == nil {
			return errors.New("mixcloud: the HTTP client is nil")
		}
		c.http = new(*h)
		return nil
	})
}

// WithMiddleware wraps the transport, for example to log or trace calls. The
// token is added to a request after the middleware has seen it. wrap is called
// twice: for the transport of uploads, and for that of all other calls. The
// option can be given more than once; the last middleware is the outermost.
func WithMiddleware(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return option(func(c *core) error {
		if wrap == nil {
			return errors.New("mixcloud: the middleware is nil")
		}
		c.wrap = append(c.wrap, wrap)
		return nil
	})
}

// WithMaxBody sets the maximum size of a response's body after decompression, in
// bytes (default 8 MiB). A larger response is an [ErrBadResponse].
func WithMaxBody(bytes int64) Option {
	return option(func(c *core) error {
		if bytes <= 0 {
			return fmt.Errorf("mixcloud: the maximum size of a body is %d, but must be above 0", bytes)
		}
		c.maxBody = min(bytes, math.MaxInt64-1) // one more byte is read, to detect a larger body
		return nil
	})
}

// WithUserAgent sets the User-Agent header.
func WithUserAgent(agent string) Option {
	return option(func(c *core) error {
		if strings.ContainsAny(agent, "\r\n") {
			return errors.New("mixcloud: the user agent contains a line break")
		}
		c.userAgent = agent
		return nil
	})
}

// WithMetadata adds metadata=1 to reads, which sets the Type of all objects and
// the [Metadata] of a resource that is read by its key.
func WithMetadata() Option {
	return option(func(c *core) error {
		c.metadata = true
		return nil
	})
}

// WithInsecureToken allows tokens over http to an API root on another machine,
// such as an emulator in another container. Without it such a call is an
// [*InvalidError].
func WithInsecureToken() Option {
	return option(func(c *core) error {
		c.insecure = true
		return nil
	})
}

// WithObserver sets a function that is called after every HTTP call, when the
// body of the response has been read. It runs in the goroutine of the caller and
// must be safe for concurrent use.
func WithObserver(observe func(Call)) Option {
	return option(func(c *core) error {
		c.observe = observe
		return nil
	})
}

// A Call describes a finished HTTP call, for [WithObserver]. It never contains a
// token.
type Call struct {
	Op       string        // the client's method, such as "UserFollowers"
	Method   string        // GET, POST or DELETE
	Path     string        // below the root, such as "/spartacus/followers/"
	Query    string        // encoded, sorted by name
	Status   int           // 0 if there was no response
	Bytes    int           // size of the response's body, as far as it was read
	Duration time.Duration // until the response's body was read
	Err      error         // the error that the method returned
}

func parseRoot(which, root string) (*url.URL, error) {
	u, err := url.Parse(root)
	switch {
	case err != nil:
		return nil, fmt.Errorf("mixcloud: the %s address is not a valid URL", which)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("mixcloud: the %s address must begin with http:// or https://", which)
	case u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("mixcloud: the %s address has no host", which)
	case u.User != nil:
		return nil, fmt.Errorf("mixcloud: the %s address must not contain a user or password", which)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("mixcloud: the %s address must not contain a query or a fragment", which)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

// confidential reports whether a token may be sent to a root: over https, to this
// machine, or to a host name that is reserved for tests (RFC 6761), which is
// reached by a test's own transport only.
func confidential(root *url.URL) bool {
	if root.Scheme == "https" {
		return true
	}
	host := root.Hostname()
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	for _, name := range []string{"localhost", "test", "invalid", "example"} {
		if host == name || strings.HasSuffix(host, "."+name) {
			return true
		}
	}
	return false
}

// defaultTransport returns a transport for many concurrent calls to one host.
func defaultTransport() *http.Transport {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  defaultTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}
}
