package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

// mixcloudURL is the base URL of the emulator when it is called without a socket.
const mixcloudURL = "https://mixcloud.test"

// appRedirect is an OAuth redirect URI that the test server allows.
const appRedirect = "https://app.test/back"

// sharedWorld is the emulator's data for all tests that only read. A test that writes needs a clone, which takes a
// quarter of the time of new data.
var sharedWorld = sync.OnceValue(func() *world.World { return world.New(1) })

// A testServer is a server that calls an emulator instead of Mixcloud. It records the calls to
// Mixcloud and the log. Tests send requests with execute, upload and do, without sockets, or to url
// if serverOptions.listen is set.
type testServer struct {
	app      *App
	emulator *emulator.Emulator // nil if serverOptions.mixcloud is set
	log      *logBuffer
	recorder *callRecorder
	url      string // set with serverOptions.listen
	uploads  uploadRoute
}

// serverOptions configures a testServer. The zero value means the defaults of the command line, the data of
// [sharedWorld] and no sockets.
type serverOptions struct {
	config   config.Serve
	noCache  bool // do not cache Mixcloud's responses
	noStale  bool // do not serve stale responses
	noOAuth  bool // do not configure an OAuth application
	writable bool // use a clone of the emulator's data, for tests that write
	listen   bool // server and emulator listen on loopback ports
	mixcloud http.RoundTripper
	emulator []emulator.Option
	client   []mixcloud.Option
	tune     []func(*upstream.Options)
}

// newTestServer starts a server, and closes it when the test ends.
func newTestServer(t testing.TB, o serverOptions) *testServer {
	t.Helper()
	s := &testServer{log: new(logBuffer), recorder: &callRecorder{next: o.mixcloud}}
	// The testing package keeps the cleanup functions of a subtest, and so the server,
	// until the parent test ends: hundreds of servers without this.
	t.Cleanup(func() { s.app, s.emulator, s.recorder, s.log = nil, nil, nil, nil })
	logger, err := telemetry.NewLogger(s.log, telemetry.JSON, slog.LevelDebug)
	if err != nil {
		t.Fatal(err)
	}
	api := mixcloudURL
	transport := []mixcloud.Option{mixcloud.WithHTTPClient(&http.Client{Transport: s.recorder})}
	var ln net.Listener
	if o.listen {
		api, transport = s.listenMixcloud(t), nil // use the client's own transport
		if ln, s.url, err = listen(t.Context(), "127.0.0.1:0", "http"); err != nil {
			t.Fatal(err)
		}
		o.config.PublicURL = cmp.Or(o.config.PublicURL, s.url)
		o.emulator = append(o.emulator, emulator.WithPublicURL(api))
	}
	if o.mixcloud == nil {
		if o.writable {
			o.emulator = append([]emulator.Option{emulator.WithWorld(sharedWorld().Clone())}, o.emulator...)
		}
		s.emulator = newEmulator(t, o.emulator...)
		s.recorder.next = s.emulator.Transport()
	}
	client, err := mixcloud.New(slices.Concat([]mixcloud.Option{
		mixcloud.WithAPIURL(api), mixcloud.WithSiteURL(api + "/www"), mixcloud.WithOEmbedURL(api + "/www/oembed/"),
	}, transport, o.client)...)
	if err != nil {
		t.Fatal(err)
	}
	if s.app, err = newApp(o.serveConfig(), client, nil, logger, o.tune...); err != nil {
		t.Fatal(err)
	}
	if o.listen {
		serveOn(t, s.app, ln)
		return s
	}
	t.Cleanup(func() {
		if err := s.app.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return s
}

// serveConfig returns the server's configuration, with defaults for the settings that the test does not set.
func (o serverOptions) serveConfig() config.Serve {
	cfg := o.config
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, 30*time.Second)
	cfg.MaxWait = cmp.Or(cfg.MaxWait, time.Minute) // long, for slow machines
	if !o.noOAuth {
		cfg.OAuthClientID = cmp.Or(cfg.OAuthClientID, emulator.DemoClientID)
		cfg.OAuthClientSecret = cmp.Or(cfg.OAuthClientSecret, emulator.DemoClientSecret)
		cfg.SecretKey = cmp.Or(cfg.SecretKey, "the key of the tests, 32 bytes of it")
		cfg.PublicURL = cmp.Or(cfg.PublicURL, "https://graph.test")
		if cfg.OAuthRedirects == nil {
			cfg.OAuthRedirects = []string{"https://app.test/back?to=%2F", appRedirect}
		}
	}
	if !o.noCache {
		cfg.CacheBytes = cmp.Or(cfg.CacheBytes, 8<<20)
	}
	if !o.noStale {
		cfg.StaleFor = cmp.Or(cfg.StaleFor, 24*time.Hour)
	}
	return cfg
}

// newEmulator returns an emulator with the data of [sharedWorld], unless an option sets other data.
func newEmulator(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(append([]emulator.Option{emulator.WithWorld(sharedWorld())}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// newDemoApp returns the server of --demo. It does not listen.
func newDemoApp(t testing.TB, change ...func(*config.Serve)) *App {
	t.Helper()
	cfg := config.Serve{Demo: true, PublicURL: publicURL, RequestTimeout: time.Minute}
	for _, c := range change {
		c(&cfg)
	}
	a, err := New(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// listenMixcloud serves the emulator on a separate port, and records the calls that arrive there.
func (s *testServer) listenMixcloud(t testing.TB) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.recorder.record(r)()
		if !s.uploads.handle(w, r) {
			s.emulator.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// listenAndServe serves a on a free port until the test ends.
func listenAndServe(t testing.TB, a *App, scheme string) (url string) {
	t.Helper()
	ln, url, err := listen(t.Context(), "127.0.0.1:0", scheme)
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, a, ln)
	return url
}

// serveOn serves a on ln until the test ends.
func serveOn(t testing.TB, a *App, ln net.Listener) {
	t.Helper()
	a.drain = max(a.drain, 10*time.Second) // net/http may not have noticed yet that the last connection is idle
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	served := make(chan error, 1)
	go func() { served <- a.Serve(ctx, ln) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// acceptsToken reports whether the emulator accepts token.
func (s *testServer) acceptsToken(token string) bool {
	return slices.ContainsFunc(s.emulator.Users(), func(u emulator.UserInfo) bool { return u.Token == token })
}

// execute sends an operation and returns the response. Without a token the request is anonymous.
func (s *testServer) execute(t testing.TB, token, query string, variables map[string]any) response {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return s.do(r, token)
}

// upload sends an operation with files, in the given order.
func (s *testServer) upload(t testing.TB, token, query string, variables map[string]any, files ...uploadFile) response {
	t.Helper()
	return s.do(multipartRequest(t, query, variables, files...), token)
}

// do sends a request. Without a token it is anonymous.
func (s *testServer) do(r *http.Request, token string) response {
	r.Header.Set("Accept", "application/graphql-response+json")
	r.Header.Set("X-Request-Id", "test-request")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return response{w.Code, w.Header(), w.Body.Bytes()}
}

// takeCalls returns the calls to Mixcloud since the last takeCalls. They are sorted, as parallel calls have no order.
func (s *testServer) takeCalls() []string { return s.recorder.takeCalls() }

// A response is the server's response to a request.
type response struct {
	status int
	header http.Header
	body   []byte
}

// A responseError is an error in a response, with the members that tests check.
type responseError struct {
	Message    string         `json:"message"`
	Path       []any          `json:"path"`
	Extensions map[string]any `json:"extensions"`
}

func (e responseError) code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// decode decodes the response's data into data, and returns its errors, sorted by path.
func (r response) decode(t testing.TB, data any) []responseError {
	t.Helper()
	var whole struct {
		Data   json.RawMessage `json:"data"`
		Errors []responseError `json:"errors"`
	}
	if err := json.Unmarshal(r.body, &whole); err != nil {
		t.Fatalf("response with status %d is not JSON: %v:\n%s", r.status, err, r.body)
	}
	if data != nil && len(whole.Data) > 0 {
		if err := json.Unmarshal(whole.Data, data); err != nil {
			t.Fatalf("cannot decode data: %v:\n%s", err, r.body)
		}
	}
	slices.SortStableFunc(whole.Errors, func(a, b responseError) int { return strings.Compare(pathText(a), pathText(b)) })
	return whole.Errors
}

func pathText(e responseError) string {
	text, err := json.Marshal(e.Path)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// A roundTripFunc is a function that implements [http.RoundTripper].
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A callRecorder is the transport of the client. It records every call to Mixcloud.
type callRecorder struct {
	next http.RoundTripper

	mu                    sync.Mutex
	calls                 []string
	tokens                []string // the different tokens of all calls
	inFlight, maxInFlight int
}

func (c *callRecorder) RoundTrip(r *http.Request) (*http.Response, error) {
	defer c.record(r)()
	return c.next.RoundTrip(r)
}

// record records a call. The function that it returns records its end.
func (c *callRecorder) record(r *http.Request) (done func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, callLine(r))
	if token := r.URL.Query().Get("access_token"); token != "" && !slices.Contains(c.tokens, token) {
		c.tokens = append(c.tokens, token)
	}
	c.inFlight++
	c.maxInFlight = max(c.maxInFlight, c.inFlight)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.inFlight--
	}
}

func (c *callRecorder) takeCalls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	calls := c.calls
	c.calls = nil
	slices.Sort(calls)
	return calls
}

// sentTokens returns the different tokens of all calls.
func (c *callRecorder) sentTokens() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.tokens)
}

// callLine returns a call in the format of the golden files, with "(token)" instead of the token.
func callLine(r *http.Request) string {
	query, token := "", ""
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		switch {
		case strings.HasPrefix(part, "access_token="):
			token = " (token)"
		case query == "" && part != "":
			query = "?" + part
		case part != "":
			query += "&" + part
		}
	}
	return r.Method + " " + r.URL.EscapedPath() + query + token
}

// A logBuffer is a buffer for a log. It is safe for concurrent use.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// An uploadRoute counts the upload requests to Mixcloud. If handler is set, it serves them instead of the emulator.
type uploadRoute struct {
	handler atomic.Pointer[http.HandlerFunc]
	count   atomic.Int64
}

func (u *uploadRoute) handle(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasPrefix(r.URL.Path, "/upload/") {
		return false
	}
	u.count.Add(1)
	handler := u.handler.Load()
	if handler != nil {
		(*handler)(w, r)
	}
	return handler != nil
}
