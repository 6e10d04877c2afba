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

// The URLs of the live service.
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

// A Client calls the Mixcloud REST API, anonymously or with one token. [Client.As]
// returns a client for another token; all of these clients share connections. A
// Client is safe for concurrent use. Its formatted value (%v) omits the token.
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
	baseURLs          []string // api and site
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
	defaults := []Option{WithAPIURL(DefaultAPIURL), WithSiteURL(DefaultSiteURL), WithOEmbedURL(DefaultOEmbedURL)}
	for _, opt := range append(defaults, opts...) {
		if err := opt.apply(c); err != nil {
			return nil, err
		}
	}
	c.baseURLs = []string{c.api.String(), c.site.String()}
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

// wrapped wraps base with a tokenTransport, and the result with the caller's
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

// String returns the base URL of the API, and whether the client has a token.
func (c *Client) String() string {
	if c.token != nil {
		return "mixcloud client of " + c.api.String() + " with a token"
	}
	return "mixcloud client of " + c.api.String()
}

// WithAPIURL sets the base URL of the API, which may have a path, as in
// "http://127.0.0.1:8080/emulator". Tokens are sent only to this URL.
func WithAPIURL(baseURL string) Option {
	return option(func(c *core) (err error) {
		c.api, err = parseBaseURL("API", baseURL)
		return err
	})
}

// WithSiteURL sets the base URL of the website, which may have a path. The calls of
// [OAuth] go there, and methods that take a key accept URLs below it.
func WithSiteURL(baseURL string) Option {
	return option(func(c *core) (err error) {
		c.site, err = parseBaseURL("site", baseURL)
		return err
	})
}

// WithOEmbedURL sets the oEmbed endpoint.
func WithOEmbedURL(endpoint string) Option {
	return option(func(c *core) (err error) {
		c.oembed, err = parseBaseURL("oEmbed", endpoint)
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

// WithMiddleware wraps the transport, for example to log or trace calls. Middleware
// does not see the token, which is added to the request afterwards. wrap is called
// twice: for the transport of uploads, and for that of all other calls. The option
// can be given more than once; the last middleware is the outermost.
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

// WithInsecureToken allows calls with a token over http to another machine, such as
// an emulator in another container. Without this option such a call fails with an
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
	Path     string        // below the base URL, such as "/spartacus/followers/"
	Query    string        // encoded, sorted by name
	Status   int           // 0 if there was no response
	Bytes    int           // number of bytes of the response's body that were read
	Duration time.Duration // until the response's body was read
	Err      error         // the error that the method returned
}

func parseBaseURL(which, text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return nil, fmt.Errorf("mixcloud: the %s URL is not valid", which)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("mixcloud: the %s URL must begin with http:// or https://", which)
	case u.Host == "" || u.Opaque != "":
		return nil, fmt.Errorf("mixcloud: the %s URL has no host", which)
	case u.User != nil:
		return nil, fmt.Errorf("mixcloud: the %s URL must not contain a user or password", which)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("mixcloud: the %s URL must not contain a query or a fragment", which)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	u.Host = strings.ToLower(u.Host)
	return u, nil
}

// confidential reports whether a token may be sent to a base URL: over https, to
// this machine, or to a host name that is reserved for tests (RFC 6761), which only
// the transport of a test can reach.
func confidential(base *url.URL) bool {
	if base.Scheme == "https" {
		return true
	}
	host := base.Hostname()
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
