// Package upstream is the only way to call Mixcloud. A read is a [Fetch], a write is a [Write]
// or a [Stream]. The package minimizes calls and limits their rate and concurrency.
//
// The mechanisms are in their own packages: internal/cache, internal/inflight,
// internal/fairqueue, internal/ratelimit and internal/breaker. This package applies them to
// Mixcloud. Its files form layers, from the bottom:
//
//   - classes.go, errors.go, shared.go and retry.go contain tables and rules: the classes
//     of resources with their lifetimes, the meaning of errors, and the interfaces of the
//     state that processes share;
//   - principals.go, limits.go, breakers.go and recentwrites.go each own one part of the state,
//     independent of operations;
//   - store.go assembles them, and tokens.go decides which tokens are trusted;
//   - session.go is one operation's access, and corrections.go applies its writes to reads;
//   - fetch.go, load.go, call.go, cached.go, lookahead.go and otherwrites.go implement reads, and write.go
//     implements writes.
package upstream

import (
	"cmp"
	"context"
	"crypto/hmac"
	crand "crypto/rand"
	"crypto/sha256"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/fairqueue"
	"mixcloud-graphql/internal/inflight"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/mixcloud"
)

// Defaults of the options.
const (
	DefaultConcurrency = 32
	DefaultBudget      = 200
	DefaultCacheBytes  = 256 << 20
	DefaultBurst       = 500
	DefaultTimeout     = 30 * time.Second
	DefaultSoftTimeout = time.Second
	DefaultRetries     = 2
	DefaultRefreshes   = 4
)

// Options configure a store. The zero value suits a single process.
type Options struct {
	// Concurrency is the maximum number of concurrent calls; 0 for DefaultConcurrency.
	Concurrency int
	// Budget is the maximum number of calls of one operation; 0 for DefaultBudget.
	Budget int
	// CacheBytes is the maximum size of the cache; 0 for DefaultCacheBytes. Below 0 there is
	// no cache, and so no stale responses.
	CacheBytes int64
	// Lifetimes replaces rows of the table of cache lifetimes.
	Lifetimes map[Class]Lifetime
	// Retain replaces Retain in every row unless it is 0. Below 0 nothing is cached for longer
	// than it is fresh.
	Retain time.Duration
	// Rate is the maximum of calls per second of each kind: one limit for all anonymous
	// operations and one for each verified token; 0 is no limit. Refusals lower it. Unverified
	// tokens share a limit of 5 per second.
	Rate float64
	// Burst is the maximum number of calls at once after an idle time; 0 for DefaultBurst. It
	// is unused without a Rate.
	Burst int
	// UnverifiedRate is the maximum of calls per second of all unverified tokens together; 0
	// for DefaultUnverifiedRate, below 0 for no limit.
	UnverifiedRate float64
	// TotalRate is the maximum of calls per second of the whole process; 0 is no limit.
	TotalRate float64
	// Timeout is the maximum duration of one call; 0 for DefaultTimeout.
	Timeout time.Duration
	// SoftTimeout is how long a caller waits for a fresh response before it gets a stale one; 0
	// for DefaultSoftTimeout.
	SoftTimeout time.Duration
	// Retries is the maximum number of retries of a read; 0 for DefaultRetries, below 0 for
	// none.
	Retries int
	// Refreshes is the maximum number of concurrent background refreshes of stale entries; 0
	// for DefaultRefreshes, below 0 for none.
	Refreshes int
	// PrincipalOf returns an opaque id of a token, always the same for the same token, without
	// revealing it. It must be safe for concurrent use. Processes that share a SharedCache or a
	// SharedLimiter must return the same ids. Nil is a hash with a random key of this process.
	PrincipalOf func(token string) string
	// SharedCache is read before a call; nil for none.
	SharedCache SharedCache
	// SharedWrites shares recent writes with other processes; nil for none.
	SharedWrites SharedWrites
	// SharedLimiter is called before each call; nil for none.
	SharedLimiter SharedLimiter
	// VerifiedTokens shares verified tokens with other processes; nil for none.
	VerifiedTokens VerifiedTokens
	// Log receives a line when Mixcloud fails, recovers or refuses a call; nil discards it.
	Log *slog.Logger
	// Wall is the wall clock, for tests; nil for the system clock.
	Wall func() time.Time
	// Jitter returns the wait before a retry, at most limit, for tests; nil for a uniform
	// random wait.
	Jitter func(limit time.Duration) time.Duration
}

func (o *Options) complete() {
	o.Concurrency = cmp.Or(max(o.Concurrency, 0), DefaultConcurrency)
	o.Budget = cmp.Or(max(o.Budget, 0), DefaultBudget)
	o.CacheBytes = cmp.Or(o.CacheBytes, DefaultCacheBytes)
	o.Rate = max(o.Rate, 0)
	o.UnverifiedRate = cmp.Or(o.UnverifiedRate, DefaultUnverifiedRate)
	o.Burst = cmp.Or(max(o.Burst, 0), DefaultBurst)
	o.Timeout = cmp.Or(max(o.Timeout, 0), DefaultTimeout)
	o.SoftTimeout = cmp.Or(max(o.SoftTimeout, 0), DefaultSoftTimeout)
	o.Retries = max(cmp.Or(o.Retries, DefaultRetries), 0)
	o.Refreshes = max(cmp.Or(o.Refreshes, DefaultRefreshes), 0)
	if o.PrincipalOf == nil {
		key := make([]byte, sha256.Size)
		_, _ = crand.Read(key) // never fails
		o.PrincipalOf = func(token string) string {
			h := hmac.New(sha256.New, key)
			h.Write([]byte(token))
			return string(h.Sum(nil))
		}
	}
	if o.Jitter == nil {
		o.Jitter = rand.N[time.Duration] //nolint:gosec // not for secrets
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
}

// A Store provides access to Mixcloud. It is safe for concurrent use. A process needs only one.
type Store struct {
	client  *mixcloud.Client
	options Options
	clock   monotime.Clock
	log     *slog.Logger

	cache     *cache.Cache[key]
	anonymous *viewer
	viewers   viewers
	limiter   *limiter
	breakers  *breakers
	retries   retryBudget
	unused    unusedBudget  // of reads that started ahead
	refreshes chan struct{} // one element for each refresh in flight

	writes  recentWrites // of flags
	uploads recentWrites // of new cloudcasts

	catchingUp singleflight.Group // of otherWrites, by principal

	loads inflight.Group[key, *load]
	ctx   context.Context //nolint:containedctx // the store's lifetime, which is independent of any caller's context
	end   context.CancelFunc
	wg    sync.WaitGroup // counts the loads
}

// NewStore returns a store with an anonymous client. It starts no goroutine.
func NewStore(client *mixcloud.Client, options Options) *Store {
	options.complete()
	s := &Store{
		client: client, options: options, clock: monotime.New(options.Wall), log: options.Log,
		cache:     cache.New(options.CacheBytes, func(k key) int { return len(k.id) }),
		breakers:  newBreakers(options.Log),
		refreshes: make(chan struct{}, options.Refreshes),
		writes:    recentWrites{life: writeLag}, uploads: recentWrites{life: uploadLife},
	}
	s.ctx, s.end = context.WithCancel(context.Background()) //nolint:forbidigo // it outlives every caller
	s.anonymous = new(viewer)
	s.limiter = &limiter{
		queue: fairqueue.New(s.clock, options.Concurrency, max(options.Concurrency*waitingPerSlot, options.Budget)),
		clock: s.clock, limit: ratelimit.Limit{Rate: options.Rate, Burst: options.Burst}, shared: options.SharedLimiter, log: options.Log,
	}
	s.limiter.init(options.UnverifiedRate, options.TotalRate)
	return s
}

func (s *Store) viewer(p principal) *viewer { return s.viewers.of(p, s.clock.Now()) }

// Client returns the anonymous client, for uses without calls, such as parsing a URL with the
// configured base URLs.
func (s *Store) Client() *mixcloud.Client { return s.client }

// CacheSize returns the size of all cached responses, as the limit counts it.
func (s *Store) CacheSize() int64 { return s.cache.Size() }

// Close cancels all loads, including background ones, and waits until they have ended or ctx
// ends. Waiting sessions get context.Canceled, so close the store after the server has drained.
func (s *Store) Close(ctx context.Context) error {
	loads := s.loads.Close()
	s.end()
	for _, l := range loads {
		l.Cancel()
	}
	s.limiter.queue.Close()
	ended := make(chan struct{})
	go func() {
		s.wg.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Forget drops everything that this process has cached for a principal, the [Session.Principal]
// of a write through another process. It ignores invalid names.
func (s *Store) Forget(name string) {
	if len(name) == sha256.Size {
		s.viewers.write(s.viewer(principal([]byte(name))), s.clock.Now())
	}
}

// lifetime returns the configured lifetime of a class.
func (o *Options) lifetime(c Class) Lifetime {
	life, own := o.Lifetimes[c]
	if !own {
		life = lifetimes[c]
	}
	if o.Retain != 0 {
		life.Retain = o.Retain
	}
	life.Retain = max(life.Retain, life.Fresh)
	life.Revalidate = min(life.Revalidate, life.Retain-life.Fresh)
	return life
}
