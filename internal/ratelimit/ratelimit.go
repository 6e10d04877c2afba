// Package ratelimit finds out how fast a service may be called that publishes no
// limit. A [Limiter] is a token bucket whose rate learns from refusals:
//
//  1. It starts at the configured rate and burst, or without a limit.
//  2. A refusal blocks calls for the wait that it names. Without one the pause is
//     1 s, doubled while a call soon after the pause is refused too, up to 1 min.
//  3. After the pause the ceiling is the geometric mean of the rate that was used
//     and the rate that was accepted since the last refusal, and the rate restarts
//     at 0.7 of it. If hardly any call was made, the ceiling is the rate itself.
//  4. From there the rate follows a cubic curve (as TCP CUBIC): it reaches the
//     ceiling after 30 calls, at least 1 and at most 5 min, and leaves it slowly,
//     then ever faster, until the next refusal or the configured rate.
//  5. A pause between calls lets the rate grow for at most 1 min, and as long as the
//     limiter has a ceiling only a tenth of a second's calls may be made at once.
//
// Times are durations since any fixed moment. The zero of the clock does not matter,
// but it must not be later than the first call. A Limiter is not safe for concurrent use.
package ratelimit

import (
	"math"
	"time"
)

const (
	decrease   = 0.7     // of the ceiling, where the rate restarts after a refusal
	deepest    = 1.0 / 8 // of the rate, the least that one refusal makes the ceiling
	slowest    = 0.05    // calls per second
	fastest    = 1000.0  // calls per second, above which there is no limit if none is configured
	fewCalls   = 3       // in a window, that say nothing about the rate
	depthShare = 0.1     // seconds of calls that may be made at once under a ceiling
	slack      = 1e-9    // tokens, for rounding
	plateau    = 30.0    // calls until the rate is at the ceiling, in at least a minute and at most longGrowth
	second     = 1e6     // microseconds
	minute     = 60 * second
	firstPause = second // after a refusal that names no wait
	longGrowth = 5 * minute
	longPause  = minute      // at most, after refusals that name no wait
	maxWait    = 60 * minute // a longer wait is believed up to here; then one call probes
)

// A Limit is a configured rate in calls per second and a number of calls that may
// be made at once. A Rate of 0 is no limit until the first refusal.
type Limit struct {
	Rate  float64
	Burst int
}

// Share returns the limit of one of n processes that together keep to l.
func (l Limit) Share(n int) Limit {
	n = max(n, 1)
	return Limit{Rate: l.Rate / float64(n), Burst: max(1, l.Burst/n)}
}

// A Limiter is described in the package's comment. internal/redis has the same
// state and rules in pace.lua; a test holds them against each other.
type Limiter struct {
	base, burst float64 // as configured
	micros              // all times are in microseconds
}

// micros is the state of a limiter. Its times are in microseconds, since those of
// the Redis script are: whole numbers up to 2^53 are exact in both.
type micros struct {
	rate    float64 // calls per second; 0 is no limit
	ceiling float64 // calls per second, estimated at the last refusal; 0 is none
	age     float64 // of the growth since then
	tokens  float64
	filled  float64 // when tokens and age were right
	blocked float64 // until when no call is made
	pause   float64 // the last one that was not named
	refusal float64 // when the last event's first refusal came; calls sent before it belong to it
	pending float64 // 1 if the rate is to be corrected after the pause
	refused float64 // calls of the pending event
	start   float64 // of the window in which calls are counted
	granted float64 // calls in the window
	quiet   float64 // 1 if the window began after a time of little demand
}

// New returns a limiter that has its whole burst at a time.
func New(l Limit, now time.Duration) *Limiter {
	burst := float64(max(l.Burst, 1))
	at := float64(now.Microseconds())
	return &Limiter{max(l.Rate, 0), burst, micros{rate: max(l.Rate, 0), tokens: burst, filled: at, start: at, quiet: 1}}
}

// Configure replaces the configured limit. The learned rate stays, within it.
func (l *Limiter) Configure(to Limit) {
	l.base, l.burst = max(to.Rate, 0), float64(max(to.Burst, 1))
	if l.rate == 0 {
		l.tokens = l.burst // it had no limit
	}
	if l.ceiling == 0 || l.base > 0 && l.rate > l.base {
		l.rate, l.ceiling = l.base, 0
	}
}

// Ready returns how long to wait until a call may be made, at least: 0 for now. A
// caller that waits asks again then.
func (l *Limiter) Ready(now time.Duration) time.Duration {
	return duration(l.ready(l.at(now)))
}

// Take makes one call, or returns how long to wait until it is worth trying again.
func (l *Limiter) Take(now time.Duration) (wait time.Duration) {
	at := l.at(now)
	if wait := l.ready(at); wait > 0 {
		return duration(wait)
	}
	if l.rate > 0 {
		l.tokens--
	}
	l.granted++
	return 0
}

// Spend makes one call whether or not there is a token for it. A debt delays the next
// calls.
func (l *Limiter) Spend(now time.Duration) {
	l.advance(l.at(now))
	l.tokens--
	l.granted++
}

// Used returns how many calls of the burst are used up, or more if there is a debt. It
// has a meaning only if there is a rate.
func (l *Limiter) Used() int { return int(math.Ceil(l.burst - l.tokens - slack)) }

// Return takes back a call that was granted and not made.
func (l *Limiter) Return() {
	if l.rate > 0 {
		l.tokens++
	}
	l.granted = max(0, l.granted-1)
}

// Refuse learns that a call, sent at a time, was refused with a wait; 0 if none was
// named. It returns how long no call is made now. Refusals of calls that were sent
// before an earlier refusal came are part of that event.
func (l *Limiter) Refuse(now, sent, wait time.Duration) (pause time.Duration) {
	at := l.at(now)
	return duration(l.refuse(at, float64(sent.Microseconds()), float64(wait.Microseconds())))
}

// Blocked returns for how long the last refusal blocks calls; 0 if it does not.
func (l *Limiter) Blocked(now time.Duration) time.Duration {
	return duration(max(0, l.blocked-l.at(now)))
}

// Rate returns the current rate in calls per second; 0 if there is no limit.
func (l *Limiter) Rate() float64 { return l.rate }

// Depth returns how many calls may be made at once after a pause.
func (l *Limiter) Depth() int { return int(l.depth()) }

// Tokens returns how many calls may be made at once now. It has a meaning only if
// there is a rate.
func (l *Limiter) Tokens() int { return max(0, int(l.tokens+slack)) }

// at converts a time. A clock that was set back stands still.
func (l *Limiter) at(now time.Duration) float64 { return max(float64(now.Microseconds()), l.filled) }

func duration(micros float64) time.Duration { return time.Duration(micros) * time.Microsecond }

func (l *Limiter) ready(now float64) (wait float64) {
	if l.blocked > now {
		return l.blocked - now
	}
	if l.pending == 1 {
		l.correct()
	}
	l.advance(now)
	if l.rate == 0 || l.tokens >= 1-slack {
		return 0
	}
	return math.Ceil((1 - l.tokens) / l.rate * second)
}

// advance brings the rate, the tokens and the window up to now.
func (l *Limiter) advance(now float64) {
	passed := max(0, now-max(l.filled, l.blocked))
	if l.ceiling > 0 {
		l.age += min(passed, minute)
		x := l.age/l.growth() - 1
		l.rate = l.ceiling * (1 + (1-decrease)*x*x*x)
		if l.rate >= l.top() {
			l.rate, l.ceiling = l.base, 0
		}
	}
	window := float64(second)
	if l.ceiling > 0 {
		window = l.growth() / 2
	}
	gained := l.rate * passed / second
	switch {
	case l.rate == 0 && passed > second, l.rate > 0 && l.tokens+gained >= l.depth()+1:
		l.start, l.granted, l.quiet = now, 0, 1 // the rate was not what limited the calls
	case now-l.start > window:
		l.start += (now - l.start) / 2
		l.granted /= 2
	}
	l.tokens = min(l.depth(), l.tokens+gained)
	l.filled = now
}

// growth is how long it takes until the rate is at the ceiling.
func (l *Limiter) growth() float64 { return min(max(plateau/l.ceiling*second, minute), longGrowth) }

// top is the rate at which a refusal is forgotten.
func (l *Limiter) top() float64 {
	if l.base > 0 {
		return l.base
	}
	return fastest
}

func (l *Limiter) depth() float64 {
	if l.ceiling > 0 {
		return min(max(1, l.rate*depthShare), l.burst)
	}
	return l.burst
}

func (l *Limiter) refuse(now, sent, wait float64) (pause float64) {
	wait = min(wait, maxWait)
	if l.pending == 0 && sent >= l.refusal {
		if wait <= 0 {
			if l.pause > 0 && sent-l.blocked < l.pause {
				l.pause = min(2*l.pause, longPause)
			} else {
				l.pause = firstPause
			}
			wait = l.pause
		}
		l.pending, l.refusal, l.refused = 1, now, 0
	}
	l.refused += l.pending
	l.blocked = max(l.blocked, now+max(wait, 0))
	return max(0, l.blocked-now)
}

// correct makes the rate what the refusal teaches.
func (l *Limiter) correct() {
	accepted := max(0, l.granted-l.refused)
	passed := max(l.refusal-l.start, second) / second
	used := l.rate
	if used == 0 {
		used = (accepted + l.refused) / passed
	}
	few := l.quiet == 1 && accepted+l.refused <= fewCalls
	if !few || l.rate > 0 {
		l.ceiling = used
		if !few {
			l.ceiling = min(used, max(math.Sqrt(used*(accepted+1)/passed), used*deepest))
		}
		l.ceiling = max(l.ceiling, slowest/decrease)
		l.rate, l.age = l.ceiling*decrease, 0
	}
	l.pending, l.quiet = 0, 0
	l.start, l.granted = l.refusal, 0
	l.tokens, l.filled = min(1, l.burst), l.blocked
}
