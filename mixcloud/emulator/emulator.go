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

// An Emulator is a Mixcloud in memory. It is an [http.Handler], safe for
// concurrent use; make one with [New].
type Emulator struct {
	seed      int64
	given     bool // the world came from WithWorld
	publicURL string
	clock     func() time.Time // nil for the world's own
	initial   Settings
	broken    [ruleCount]bool
	gone      []string // patterns of routes that broken rules take away

	settings atomic.Pointer[Settings]
	access   access
	journal  journal
	uploads  flights
	faults   faultList
	limiter  limiter

	mu     sync.RWMutex // guards what follows, and everything inside the world
	world  *world.World
	began  time.Time // when the world came to be
	orders orders
	outbox outbox
}

// An Option changes what [New] makes.
type Option func(*Emulator) error

// WithSeed sets the seed of the world, which is then the emulator's own; the
// default is 1. Of it and [WithWorld] the later one counts.
func WithSeed(seed int64) Option {
	return func(e *Emulator) error {
		e.seed, e.world, e.given = seed, nil, false
		return nil
	}
}

// WithWorld serves w instead of a seeded world. From then on w belongs to the
// emulator; several may share one as long as nobody writes to any of them.
// [Emulator.Reset] leaves it as it is. Of it and [WithSeed] the later one counts.
func WithWorld(w *world.World) Option {
	return func(e *Emulator) error {
		if w == nil {
			return fmt.Errorf("emulator: a nil world")
		}
		e.world, e.given = w, true
		return nil
	}
}

// WithSettings sets the initial settings, to which [Emulator.Reset] returns.
func WithSettings(s Settings) Option {
	return func(e *Emulator) error {
		e.initial = s
		return s.check()
	}
}

// WithLatency adds d to every answer of the API.
func WithLatency(d time.Duration) Option {
	return func(e *Emulator) error {
		e.initial.Latency = d
		return e.initial.check()
	}
}

// WithPublicURL sets the base under which a browser reaches the emulator, such
// as "https://example.com/emulator/": an http or https URL without query.
// Paging links, pictures, players and connections begin with it. The default is
// read from each request: its scheme, its Host, and what [http.StripPrefix]
// took from its path.
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

// WithClock sets the clock that dates writes and tells whether a scheduled
// upload is out, a lag is over or a code too old. The default starts, when the
// emulator is made or reset, at the instant at which its world stands still, so
// that nothing hangs on the day of the run; by it the first write happens a
// second after that instant, and each further one a second later.
func WithClock(now func() time.Time) Option {
	return func(e *Emulator) error {
		e.clock = now
		return nil
	}
}

// now is the emulator's time. The world must be locked.
func (e *Emulator) now() time.Time {
	if e.clock != nil {
		return e.clock()
	}
	return e.world.Now.Add(time.Since(e.began))
}

// New makes an emulator. Without options it serves the world of seed 1. The
// only errors are those of the options.
func New(options ...Option) (*Emulator, error) {
	e := &Emulator{seed: 1, began: time.Now()}
	for _, option := range options {
		if err := option(e); err != nil {
			return nil, err
		}
	}
	if e.world == nil {
		e.world = world.New(e.seed)
	}
	e.access.register(Client{DemoClientID, DemoClientSecret, "Demo application"})
	if err := e.Set(e.initial); err != nil {
		return nil, err
	}
	return e, nil
}

// Reset makes the emulator as New made it: the seeded world, the initial
// settings, no faults, no journal, no uploads, no rate limit reached, and no
// token but the seeded ones, none of them revoked. A world given by [WithWorld]
// stays as it is; what [Settings].Lag holds back is lost.
func (e *Emulator) Reset() {
	var fresh *world.World
	if !e.given {
		fresh = world.New(e.seed)
	}
	e.mu.Lock()
	if fresh != nil {
		e.world = fresh
		e.outbox.dated = 0
	}
	e.outbox.drop()
	e.began = time.Now()
	e.orders.forget()
	e.mu.Unlock()
	_ = e.Set(e.initial) // New has checked them
	e.ClearFaults()
	e.ClearRequests()
	e.access.reset()
	e.uploads.forget()
	e.limiter.reset()
}

// ServeHTTP answers one request.
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

// isAPI says whether a path of the site is served, journalled, delayed and
// disturbed as the API is.
func isAPI(path string) bool { return strings.HasPrefix(path, "/www/oembed") || isExchange(path) }

// publicBase is the base URL of links in answers to r, without a closing slash; it
// is plain ASCII.
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
		host = "localhost" // whoever sends such a Host cannot be reached by it
	}
	return scheme + "://" + host + mountPrefix(r)
}

// mount is the path under which the caller of r sees the emulator, "" for the
// root: that of the public URL, or what [http.StripPrefix] took away.
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

// mountPrefix is what a handler such as [http.StripPrefix] has taken from the
// path of r, "" when nothing was.
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
