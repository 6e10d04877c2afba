package emulator

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"mixcloud-graphql/mixcloud/emulator/world"
)

// An Emulator emulates Mixcloud in memory. It is an [http.Handler] that is safe for
// concurrent use. Create one with [New].
type Emulator struct {
	seed          int64
	externalWorld bool // world is from WithWorld
	publicURL     string
	clock         func() time.Time // nil for the default
	initial       Settings
	broken        []*rule // the rules that the emulator breaks

	settings atomic.Pointer[Settings]
	oauth    oauthState
	journal  journal
	uploads  uploadLog
	faults   faultList
	limiter  limiter

	mu        sync.RWMutex // guards the following fields and the data of world
	world     *world.World
	startTime time.Time // when world was created
	listCache listCache
	pending   pendingWrites
}

// An Option configures [New].
type Option func(*Emulator) error

// WithSeed sets the seed from which the emulator generates its data; the default is 1.
// The last of WithSeed and [WithWorld] applies.
func WithSeed(seed int64) Option {
	return func(e *Emulator) error {
		e.seed, e.world, e.externalWorld = seed, nil, false
		return nil
	}
}

// WithWorld makes the emulator serve the data of w, which the caller must not use
// afterwards. Several emulators may share w if no client writes to any of them.
// [Emulator.Reset] does not restore it. The last of WithWorld and [WithSeed] applies.
func WithWorld(w *world.World) Option {
	return func(e *Emulator) error {
		if w == nil {
			return fmt.Errorf("emulator: the world is nil")
		}
		e.world, e.externalWorld = w, true
		return nil
	}
}

// WithSettings sets the initial settings, which [Emulator.Reset] restores.
func WithSettings(s Settings) Option {
	return func(e *Emulator) error {
		e.initial = s
		return s.check()
	}
}

// WithLatency sets the latency of every response of the API.
func WithLatency(d time.Duration) Option {
	return func(e *Emulator) error {
		e.initial.Latency = d
		return e.initial.check()
	}
}

// WithPublicURL sets the base URL of the emulator for a browser, such as
// "https://example.com/emulator/": an http or https URL without a query. Paging
// links, pictures, players and connections start with it. The default depends on the
// request: its scheme, its Host and the prefix that [http.StripPrefix] removed.
func WithPublicURL(base string) Option {
	return func(e *Emulator) error {
		u, err := url.Parse(base)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" || u.Fragment != "" || !isPlain(base) {
			return fmt.Errorf("emulator: the public URL must be an http or https URL without a query")
		}
		e.publicURL = strings.TrimSuffix(base, "/")
		return nil
	}
}

// WithClock sets the clock for the times of writes, the publication of scheduled
// uploads, lags and the expiry of codes. The default clock starts at the fixed
// [world.World].Now when the emulator is created or reset, so that results do not
// depend on the date. With the default clock the time of the nth write is n seconds
// after that.
func WithClock(now func() time.Time) Option {
	return func(e *Emulator) error {
		e.clock = now
		return nil
	}
}

// now returns the emulator's time. The caller must hold e.mu.
func (e *Emulator) now() time.Time {
	if e.clock != nil {
		return e.clock()
	}
	return e.world.Now.Add(time.Since(e.startTime))
}

// New returns an emulator. Without options it serves the data of seed 1. It returns
// an error only if an option is invalid.
func New(options ...Option) (*Emulator, error) {
	e := &Emulator{seed: 1, startTime: time.Now()}
	for _, option := range options {
		if err := option(e); err != nil {
			return nil, err
		}
	}
	if e.world == nil {
		e.world = world.New(e.seed)
	}
	e.oauth.register(Client{DemoClientID, DemoClientSecret, "Demo application"})
	if err := e.Set(e.initial); err != nil {
		return nil, err
	}
	return e, nil
}

// Reset restores the initial state: the seeded data, the initial settings, no
// faults, an empty journal, no uploads, an unused rate limit, and only the seeded
// tokens, not revoked. It does not restore the data of [WithWorld]. Writes that
// [Settings].Lag delays are lost.
func (e *Emulator) Reset() {
	var fresh *world.World
	if !e.externalWorld {
		fresh = world.New(e.seed)
	}
	e.mu.Lock()
	if fresh != nil {
		e.world = fresh
		e.pending.writes = 0
	}
	e.pending.clear()
	e.startTime = time.Now()
	e.listCache.clear()
	e.mu.Unlock()
	_ = e.Set(e.initial) // New validated them
	e.ClearFaults()
	e.ClearRequests()
	e.oauth.reset()
	e.uploads.clear()
	e.limiter.reset()
}

// ServeHTTP implements [http.Handler].
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.EscapedPath()
	switch {
	case strings.HasPrefix(path, "/__emulator/"):
		e.serveControl(w, r)
	case strings.HasPrefix(path, "/www/") && !isAPI(path):
		e.serveSite(w, r)
	default:
		e.serveAPI(w, r)
	}
}

// isAPI reports whether a path of the site is handled like the API, with journal,
// latency and faults.
func isAPI(path string) bool { return strings.HasPrefix(path, "/www/oembed") || isExchange(path) }

// publicBase returns the base URL of links in the response to r, without a trailing
// slash, in plain ASCII.
func (e *Emulator) publicBase(r *http.Request) string {
	if e.publicURL != "" {
		return e.publicURL
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	host := r.Host
	if !isPlain(host) {
		host = "localhost" // not a valid host name
	}
	return scheme + "://" + host + mountPrefix(r)
}

// mount returns the path below which clients reach the emulator: the path of the
// public URL, or the prefix that [http.StripPrefix] removed. It is "" if there is
// none.
func (e *Emulator) mount(r *http.Request) string {
	if e.publicURL == "" {
		return mountPrefix(r)
	}
	_, rest, _ := strings.Cut(e.publicURL, "://")
	_, path, found := strings.Cut(rest, "/")
	if !found {
		return ""
	}
	return "/" + path
}

// mountPrefix returns the prefix that a handler such as [http.StripPrefix] removed
// from the path of r, or "".
func mountPrefix(r *http.Request) string {
	sent, _, _ := strings.Cut(r.RequestURI, "?")
	if i := strings.Index(sent, "://"); i >= 0 { // the absolute form, as sent to proxies
		_, path, found := strings.Cut(sent[i+3:], "/")
		if !found {
			return ""
		}
		sent = "/" + path
	}
	prefix, ok := strings.CutSuffix(sent, r.URL.EscapedPath())
	if !ok || !isPlain(prefix) {
		return ""
	}
	return prefix
}
