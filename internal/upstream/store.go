// Package upstream stands between the loaders, or a write, and the REST client.
// It asks Mixcloud as little as it can and as gently as it can: what was fetched
// once is kept for a while (cache.go, lifetimes.go), what two operations want at
// the same time is fetched once (flight.go), calls wait for their turn in a fair
// queue that keeps to the rate limits (queue.go, limits.go), what
// failed by chance is tried again (retry.go), what keeps failing is left alone
// (failures.go), and what was seen once still answers when Mixcloud does not
// (stale.go).
//
// Every read is one [Fetch], every write one [Write] or [Stream].
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

	"mixcloud-graphql/internal/breaker"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// What options are unless they are set.
const (
	DefaultConcurrency = 32
	DefaultBudget      = 200
	DefaultCacheBytes  = 256 << 20
	DefaultBurst       = 500
	DefaultTimeout     = 30 * time.Second
	DefaultPatience    = time.Second
	DefaultRetries     = 2
	DefaultRefreshes   = 4
)

// Options configure a store. The zero value is good for one process without
// companions.
type Options struct {
	// Concurrency is how many calls may be under way at once; 0 for
	// DefaultConcurrency.
	Concurrency int
	// Budget is how many calls one operation may spend; 0 for DefaultBudget.
	Budget int
	// CacheBytes bounds what is kept; 0 for DefaultCacheBytes, below 0 keeps
	// nothing and so has no stale answers either.
	CacheBytes int64
	// Lifetimes replaces rows of the table of lifetimes.
	Lifetimes map[Class]Lifetime
	// Keep replaces Keep in every row, unless it is 0; below 0 nothing is kept
	// for longer than it is fresh.
	Keep time.Duration
	// Rate is the maximum of calls per second of each kind: one limit for all
	// anonymous operations and one for each proven token; 0 is no limit. Refusals
	// lower it. Tokens that are not proven share a limit of 5 per second.
	Rate float64
	// Burst is how many calls may be made at once when none was made for a
	// while; 0 for DefaultBurst. It has no meaning without a Rate.
	Burst int
	// UnprovenRate is the maximum of calls per second of all tokens together that
	// Mixcloud has not accepted yet; 0 for DefaultUnprovenRate, below 0 for no limit.
	UnprovenRate float64
	// TotalRate is the maximum of calls per second of the whole process; 0 is no
	// limit.
	TotalRate float64
	// Timeout bounds one call; 0 for DefaultTimeout.
	Timeout time.Duration
	// Patience is how long somebody waits for a fresh answer who can have a
	// stale one; 0 for DefaultPatience.
	Patience time.Duration
	// Retries is how often a read is tried again; 0 for DefaultRetries, below 0
	// for never.
	Retries int
	// Refreshes is how many stale answers are fetched anew in the background at
	// the same time; 0 for DefaultRefreshes, below 0 for none.
	Refreshes int
	// AudienceOf names the holder of a token without telling the token, the
	// same each time; it must be safe for concurrent use. Processes that share
	// a Second or a Limiter must name alike. Nil is a hash with a key that only
	// this process has.
	AudienceOf func(token string) string
	// Second is asked before Mixcloud is; nil for none.
	Second SecondLevel
	// Marks are what other processes have written, and are told what this one
	// has; nil for none.
	Marks SharedMarks
	// Limiter is asked before each call; nil for none.
	Limiter SharedLimiter
	// Proofs are the tokens that other processes know to be good; nil for none.
	Proofs SharedProofs
	// Log hears when Mixcloud begins and ends to fail or to refuse; nil for
	// silence.
	Log *slog.Logger
	// Wall is the wall clock, for tests; nil for the machine's.
	Wall func() time.Time
	// Jitter chooses a wait of at most so long before a try again, for tests;
	// nil for any of them, all as likely.
	Jitter func(most time.Duration) time.Duration
}

func (o *Options) complete() {
	o.Concurrency = cmp.Or(max(o.Concurrency, 0), DefaultConcurrency)
	o.Budget = cmp.Or(max(o.Budget, 0), DefaultBudget)
	o.CacheBytes = cmp.Or(o.CacheBytes, DefaultCacheBytes)
	o.Rate = max(o.Rate, 0)
	o.UnprovenRate = cmp.Or(o.UnprovenRate, DefaultUnprovenRate)
	o.Burst = cmp.Or(max(o.Burst, 0), DefaultBurst)
	o.Timeout = cmp.Or(max(o.Timeout, 0), DefaultTimeout)
	o.Patience = cmp.Or(max(o.Patience, 0), DefaultPatience)
	o.Retries = max(cmp.Or(o.Retries, DefaultRetries), 0)
	o.Refreshes = max(cmp.Or(o.Refreshes, DefaultRefreshes), 0)
	if o.AudienceOf == nil {
		key := make([]byte, sha256.Size)
		_, _ = crand.Read(key) // never fails
		o.AudienceOf = func(token string) string {
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

// A Store gives operations access to Mixcloud. It is safe for concurrent use
// and meant to be one for the whole process.
type Store struct {
	client  *mixcloud.Client
	options Options
	clock   clock
	log     *slog.Logger

	cache     *cache
	everybody *viewer
	viewers   viewers
	queue     *queue
	unproven  *limiter // of all tokens that are not proven
	total     *limiter // of the process; nil for none
	sampler   telemetry.Sampler
	breakers  [routes]*breaker.Breaker
	failing   *breaker.Backoff[key] // reads that failed lately
	faults    faultLog
	retries   retryBudget
	refreshes chan struct{} // a place for each that is under way

	overlay overlay
	uploads overlay

	flights flights
	ctx     context.Context //nolint:containedctx // the store's own life, which no caller's context has
	end     context.CancelFunc
	wg      sync.WaitGroup // of flights
}

// NewStore makes a store over an anonymous client. It starts nothing: a store
// that nobody asks costs nothing.
func NewStore(client *mixcloud.Client, options Options) *Store {
	options.complete()
	s := &Store{
		client: client, options: options, clock: newClock(options.Wall), log: options.Log,
		cache:     newCache(options.CacheBytes),
		failing:   breaker.NewBackoff[key](maxFailing),
		refreshes: make(chan struct{}, options.Refreshes),
		overlay:   overlay{life: overlayLife}, uploads: overlay{life: uploadLife},
	}
	s.ctx, s.end = context.WithCancel(context.Background()) //nolint:forbidigo // it lives for longer than any caller
	s.everybody = new(viewer)
	s.queue = newQueue(s.clock, options.Concurrency, options.Budget)
	s.newLimiters()
	for r := range s.breakers {
		config := breaker.Config{Name: route(r).String(), Log: s.log}
		if route(r) == routeFixed {
			config.Fixed = fixedAddresses
		}
		s.breakers[r] = breaker.New(config)
	}
	return s
}

func (s *Store) viewer(who audience) *viewer { return s.viewers.of(who, s.clock.now()) }

// Client is the anonymous client, for what needs no call, such as parsing an
// address against the configured roots.
func (s *Store) Client() *mixcloud.Client { return s.client }

// Close ends what is still under way for nobody, such as refreshes, and waits
// until all of it has ended or ctx has. What somebody waits for fails with
// context.Canceled: close the store when the server has drained.
func (s *Store) Close(ctx context.Context) error {
	s.flights.close()
	s.end()
	s.queue.stop()
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

// Forget makes everything unreachable that is kept in this process for an
// audience, which is [Session.Audience]: another process has written for it.
// Anything but an audience's name changes nothing.
func (s *Store) Forget(name string) {
	if len(name) == sha256.Size {
		s.viewers.write(s.viewer(audience([]byte(name))), s.clock.now())
	}
}

// A RateLimit is what is known of the limit of an audience; nil is not known.
type RateLimit struct {
	// Budget is how many calls may be made in a row by who has made none for a
	// while, Spent how many of them are not yet made good for, and Remaining
	// their difference: how many can be made this moment.
	Budget, Spent, Remaining *int
	// RetryAt is when Mixcloud takes calls again after its latest refusal; nil
	// when none is in force.
	RetryAt *time.Time
}

// RateLimit tells what is known of the limit that the operation is under.
func (s *Session) RateLimit() RateLimit {
	return s.store.queue.rateLimit(s.store.limitsOf(s.as(), KindRead), s.store.clock)
}
