// Package breaker keeps calls away from a service that fails, without taking one
// failing address for an outage.
//
// A [Breaker] watches one class of routes of a service. Every call names its
// address: what it asks for, without paging. The breaker opens when many
// different addresses fail, never because one of them fails often. While it is
// open it refuses calls, and lets single ones through as probes, with growing
// pauses, to addresses that were not seen to fail if there are any. The first
// call that succeeds closes it.
//
// A [Backoff] is for the single address that fails: it remembers the error for a
// short time, which grows while the address keeps failing.
//
// Both count on the monotonic clock, are safe for concurrent use and bounded in
// memory, whatever addresses they are given.
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
	window     = 20 // calls that are looked at
	minFailing = 5  // different addresses that have to fail
	inARow     = 3  // failures of each address of a class with fixed addresses

	// DefaultPause is the time from opening to the first probe.
	DefaultPause = time.Second
	// DefaultMaxPause bounds the time between two probes.
	DefaultMaxPause = 10 * time.Second
	// flapping is for how long a closed breaker remembers the pause that it had
	// reached: if it opens again sooner, it goes on from there.
	flapping = 30 * time.Second
)

// Config configures a breaker. Only Name is needed.
type Config struct {
	// Name is the class's name in the log.
	Name string
	// Fixed lists all addresses of a class that has fewer than five. It opens
	// when the last three calls of each of them failed. A class without it opens
	// when, of its last 20 calls, at least five different addresses failed, and
	// at least half of the different addresses did. An address counts as failing
	// if its latest call failed.
	Fixed []string
	// Pause and MaxPause replace the defaults.
	Pause, MaxPause time.Duration
	// Log is told when the breaker opens and closes; nil for silence.
	Log *slog.Logger
}

// An Outcome is what a call says of the service.
type Outcome uint8

// The outcomes.
const (
	// Ignored says nothing: the call was not made, or failed for another reason.
	Ignored Outcome = iota
	// Succeeded is a sign of life, a refusal of the service included.
	Succeeded
	// Failed is a call that the service did not answer, or answered with a failure.
	Failed
)

// A Breaker keeps calls away from a failing class of routes; see the package.
type Breaker struct {
	config Config
	seed   maphash.Seed
	fixed  map[uint64]int // failures in a row of each fixed address

	mu     sync.Mutex
	recent []call // the latest calls, the newest last

	open     bool
	epoch    int       // counts how often it opened or closed
	since    time.Time // when it did last
	next     time.Time // when the next probe may go
	pause    time.Duration
	probe    int      // number of the latest probe
	suspects []uint64 // addresses that failed lately, the newest last: poor probes
	cause    error    // of the latest failure
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

// An OpenError is a refusal by an open breaker.
type OpenError struct {
	// Cause is the latest failure of the service.
	Cause error
	// Wait is the time until the address may be tried.
	Wait time.Duration
}

// Error names the cause.
func (e *OpenError) Error() string { return "circuit breaker is open: " + e.Cause.Error() }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Cause }

// Check reports whether a call to address would be let through now: nil, or an
// [*OpenError]. It reserves nothing.
func (b *Breaker) Check(address string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.check(b.hash(address), time.Now())
}

func (b *Breaker) check(address uint64, now time.Time) error {
	if !b.open {
		return nil
	}
	if wait := b.ready(address).Sub(now); wait > 0 {
		return &OpenError{Cause: b.cause, Wait: wait}
	}
	return nil
}

// ready is when an address may be a probe: one that was not seen to fail first,
// after another pause any but the one that failed last, and then any.
func (b *Breaker) ready(address uint64) time.Time {
	switch i := slices.Index(b.suspects, address); {
	case i < 0:
		return b.next
	case i < len(b.suspects)-1:
		return b.next.Add(b.pause)
	default:
		return b.next.Add(2 * b.pause)
	}
}

// A Call is one that was let through. Done must be called once.
type Call struct {
	breaker *Breaker
	address uint64
	epoch   int
	probe   int // 0 for a call through a closed breaker
}

// Allow lets a call to address through, or returns an [*OpenError]. An open
// breaker lets one through as a probe when its pause is over. The next one does
// not wait for the outcome, which may take long, only for the next pause.
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
		b.next = now.Add(b.pause)
	}
	return c, nil
}

// Done reports how the call ended, err being the cause of a failure. Any success
// closes an open breaker. A failure counts only if the breaker has neither opened
// nor closed since the call began.
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
		b.suspect(c.address)
	case b.open && current && c.probe == b.probe:
		b.next = now // it told nothing: another call may take its place
		b.pause = max(b.pause/2, b.config.Pause)
	case !b.open && current && outcome != Ignored:
		b.note(c.address, outcome == Failed)
		if failing := b.failing(); failing > 0 && outcome == Failed {
			b.trip(now, failing, err)
		}
	}
}

func (b *Breaker) note(address uint64, failed bool) {
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

// failing counts the addresses that fail, if that is a reason to open; else 0.
func (b *Breaker) failing() int {
	if b.fixed != nil {
		for _, failures := range b.fixed {
			if failures < inARow {
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
	if b.pause == 0 || now.Sub(b.since) > flapping {
		b.pause = b.config.Pause
	}
	b.open, b.since, b.next, b.cause = true, now, now.Add(b.pause), err
	b.epoch++
	b.suspects = b.suspects[:0]
	for _, c := range b.recent {
		if c.failed && b.fixed == nil { // of fixed addresses all have failed
			b.suspect(c.address)
		}
	}
	b.config.Log.Warn("circuit breaker opened", "route", b.config.Name, "failures", failing, "pause", b.pause, "err", err)
}

// suspect puts an address last among those that failed.
func (b *Breaker) suspect(address uint64) {
	b.suspects = slices.DeleteFunc(b.suspects, func(known uint64) bool { return known == address })
	if len(b.suspects) == window {
		b.suspects = slices.Delete(b.suspects, 0, 1)
	}
	b.suspects = append(b.suspects, address)
}

// close closes the breaker, and forgets what was before.
func (b *Breaker) close(now time.Time) {
	b.config.Log.Info("circuit breaker closed", "route", b.config.Name, "open", now.Sub(b.since).Round(time.Millisecond))
	b.open, b.since, b.cause, b.suspects = false, now, nil, nil
	b.epoch++
	b.recent = b.recent[:0]
	for address := range b.fixed {
		b.fixed[address] = 0
	}
}
