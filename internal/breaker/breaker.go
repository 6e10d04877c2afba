// Package breaker stops calls to a service that fails, without mistaking one
// failing address for an outage.
//
// A [Breaker] is the circuit breaker for one class of routes of a service. Every
// call has an address: the requested resource, without paging. The breaker opens
// when many different addresses fail, never because one address fails often. While
// open, it rejects calls, but allows single ones as probes, at growing intervals,
// preferably to addresses that are not known to fail. The first successful call
// closes it.
//
// A [Backoff] handles single failing addresses: it stores the error for a short
// time, which grows while the address keeps failing.
//
// Both use the monotonic clock, are safe for concurrent use, and have limited
// memory for any addresses.
package breaker

import (
	"cmp"
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"
)

const (
	window         = 20 // number of recent calls that are evaluated
	minFailing     = 5  // minimum number of different failing addresses
	minConsecutive = 3  // minimum consecutive failures of each address of a class with fixed addresses

	// DefaultPause is the time from opening to the first probe.
	DefaultPause = time.Second
	// DefaultMaxPause is the maximum time between two probes.
	DefaultMaxPause = 10 * time.Second
	// flapWindow is the time after closing during which a breaker that opens again
	// continues with its last pause.
	flapWindow = 30 * time.Second
)

// Config configures a breaker. Only Name is required.
type Config struct {
	// Name is the class's name in the log.
	Name string
	// Fixed lists all addresses of a class that has fewer than five. Such a class
	// opens when the last three calls to each of them failed. Any other class opens
	// when, of its last 20 calls, at least five different addresses failed, and at
	// least half of the different addresses did. An address counts as failing if
	// its latest call failed.
	Fixed []string
	// Pause and MaxPause replace the defaults.
	Pause, MaxPause time.Duration
	// Log receives an entry when the breaker opens and closes; nil disables
	// logging.
	Log *slog.Logger
}

// An Outcome is the result of a call with respect to the service's health.
type Outcome uint8

// The outcomes.
const (
	// Ignored means that the call does not show whether the service is healthy: it was not made, or
	// failed for another reason.
	Ignored Outcome = iota
	// Succeeded means that the service is alive, even if it rejected the call.
	Succeeded
	// Failed means that the service did not respond, or responded with a failure.
	Failed
)

// A Breaker stops calls to a failing class of routes; see the package
// documentation.
type Breaker struct {
	config Config
	seed   maphash.Seed
	fixed  map[uint64]int // consecutive failures of each fixed address

	mu     sync.Mutex
	recent []call // the latest calls, the newest last

	open      bool
	epoch     int       // number of times that it opened or closed
	changed   time.Time // when it last opened or closed
	nextProbe time.Time // when the next probe is allowed
	pause     time.Duration
	probe     int      // number of the latest probe
	failed    []uint64 // addresses that failed recently, the newest last: not preferred as probes
	cause     error    // the latest failure
}

type call struct {
	address uint64
	failed  bool
}

// New returns a closed breaker.
func New(c Config) *Breaker {
	c.Pause = cmp.Or(c.Pause, DefaultPause)
	c.MaxPause = max(cmp.Or(c.MaxPause, DefaultMaxPause), c.Pause)
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	b := &Breaker{config: c, seed: maphash.MakeSeed()}
	for _, address := range c.Fixed {
		if b.fixed == nil {
			b.fixed = map[uint64]int{}
		}
		b.fixed[b.hash(address)] = 0
	}
	return b
}

func (b *Breaker) hash(address string) uint64 { return maphash.String(b.seed, address) }

// An OpenError is the error of a call that an open breaker rejects.
type OpenError struct {
	// Cause is the latest failure of the service.
	Cause error
	// Wait is the time until a call to the address may be allowed.
	Wait time.Duration
}

// Error includes the cause.
func (e *OpenError) Error() string { return "circuit breaker is open: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Cause }

// Check returns nil if a call to address would be allowed now, else an
// [*OpenError]. It does not reserve the call.
func (b *Breaker) Check(address string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.check(b.hash(address), time.Now())
}

// Closed reports whether the breaker is closed.
func (b *Breaker) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.open
}

func (b *Breaker) check(address uint64, now time.Time) error {
	if !b.open {
		return nil
	}
	if wait := b.probeTime(address).Sub(now); wait > 0 {
		return &OpenError{Cause: b.cause, Wait: wait}
	}
	return nil
}

// probeTime returns when an address may be used as a probe. Addresses that are not
// known to fail come first, one pause later all others except the latest failed
// one, another pause later that one too.
func (b *Breaker) probeTime(address uint64) time.Time {
	switch i := slices.Index(b.failed, address); {
	case i < 0:
		return b.nextProbe
	case i < len(b.failed)-1:
		return b.nextProbe.Add(b.pause)
	default:
		return b.nextProbe.Add(2 * b.pause)
	}
}

// A Call is an allowed call. Done must be called once.
type Call struct {
	breaker *Breaker
	address uint64
	epoch   int
	probe   int // 0 for a call through a closed breaker
}

// Allow allows a call to address, or returns an [*OpenError]. An open breaker
// allows one call as a probe when its pause is over. The next probe waits only for
// the next pause, not for the outcome of this one, which may take long.
func (b *Breaker) Allow(address string) (*Call, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c, now := &Call{breaker: b, address: b.hash(address), epoch: b.epoch}, time.Now()
	if err := b.check(c.address, now); err != nil {
		return nil, err
	}
	if b.open {
		b.probe++
		c.probe = b.probe
		b.pause = min(2*b.pause, b.config.MaxPause)
		b.nextProbe = now.Add(b.pause)
	}
	return c, nil
}

// Done reports the outcome of the call, and with err the cause of a failure. Any
// success closes an open breaker. A failure counts only if the breaker has neither
// opened nor closed since the call started.
func (c *Call) Done(outcome Outcome, err error) {
	b := c.breaker
	b.mu.Lock()
	defer b.mu.Unlock()
	current, now := c.epoch == b.epoch, time.Now()
	switch {
	case b.open && outcome == Succeeded:
		b.close(now)
	case b.open && current && outcome == Failed:
		b.cause = err
		b.recordFailed(c.address)
	case b.open && current && c.probe == b.probe:
		b.nextProbe = now // the probe had no outcome: another call may replace it
		b.pause = max(b.pause/2, b.config.Pause)
	case !b.open && current && outcome != Ignored:
		b.record(c.address, outcome == Failed)
		if failing := b.failing(); failing > 0 && outcome == Failed {
			b.trip(now, failing, err)
		}
	}
}

func (b *Breaker) record(address uint64, failed bool) {
	if _, fixed := b.fixed[address]; fixed {
		if failed {
			b.fixed[address]++
		} else {
			b.fixed[address] = 0
		}
	}
	if len(b.recent) == window {
		b.recent = slices.Delete(b.recent, 0, 1)
	}
	b.recent = append(b.recent, call{address, failed})
}

// failing returns the number of failing addresses if that is a reason to open, else
// 0.
func (b *Breaker) failing() int {
	if b.fixed != nil {
		for _, failures := range b.fixed {
			if failures < minConsecutive {
				return 0
			}
		}
		return len(b.fixed)
	}
	var seen []uint64
	failing := 0
	for _, c := range slices.Backward(b.recent) {
		if slices.Contains(seen, c.address) {
			continue
		}
		seen = append(seen, c.address)
		if c.failed {
			failing++
		}
	}
	if failing < minFailing || 2*failing < len(seen) {
		return 0
	}
	return failing
}

// trip opens the breaker.
func (b *Breaker) trip(now time.Time, failing int, err error) {
	if b.pause == 0 || now.Sub(b.changed) > flapWindow {
		b.pause = b.config.Pause
	}
	b.open, b.changed, b.nextProbe, b.cause = true, now, now.Add(b.pause), err
	b.epoch++
	b.failed = b.failed[:0]
	for _, c := range b.recent {
		if c.failed && b.fixed == nil { // all fixed addresses have failed
			b.recordFailed(c.address)
		}
	}
	b.config.Log.Warn("circuit breaker opened", "route", b.config.Name, "failures", failing, "pause", b.pause, "err", err)
}

// recordFailed moves an address to the end of the failed ones.
func (b *Breaker) recordFailed(address uint64) {
	b.failed = slices.DeleteFunc(b.failed, func(other uint64) bool { return other == address })
	if len(b.failed) == window {
		b.failed = slices.Delete(b.failed, 0, 1)
	}
	b.failed = append(b.failed, address)
}

// close closes the breaker and resets its statistics.
func (b *Breaker) close(now time.Time) {
	b.config.Log.Info("circuit breaker closed", "route", b.config.Name, "open", now.Sub(b.changed).Round(time.Millisecond))
	b.open, b.changed, b.cause, b.failed = false, now, nil, nil
	b.epoch++
	b.recent = b.recent[:0]
	for address := range b.fixed {
		b.fixed[address] = 0
	}
}
