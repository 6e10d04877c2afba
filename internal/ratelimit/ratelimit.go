// Package ratelimit adapts the rate of calls to a service that publishes no limit.
// A [Limiter] is a token bucket whose rate is lowered by refusals:
//
//  1. It starts at the configured rate and burst, or without a limit.
//  2. A refusal blocks calls for the wait that it requests. Without one the pause is
//     1 s, doubled each time a call soon after the pause is refused too, up to 1 min.
//  3. After the pause the ceiling is the geometric mean of the rate that was used
//     and the rate that was accepted since the last refusal, and the rate restarts
//     at 0.7 of it. After very few calls, the ceiling is the rate itself.
//  4. From there the rate follows a cubic curve (as in TCP CUBIC). It reaches the
//     ceiling after 30 calls, but after at least 1 and at most 5 min. Around the
//     ceiling it grows slowly, then ever faster, until the next refusal or the
//     configured rate.
//  5. A pause between calls lets the rate grow for at most 1 min. While the limiter
//     has a ceiling, the burst is limited to the calls of a tenth of a second.
//
// Times are durations since any fixed moment that is not later than the first call.
// A Limiter is not safe for concurrent use.
package ratelimit

import (
	"math"
	"time"
)

const (
	decrease        = 0.7     // of the ceiling: the rate after a refusal
	minCeilingShare = 1.0 / 8 // of the rate: the minimum of the ceiling after a refusal
	minRate         = 0.05    // calls per second
	maxRate         = 1000.0  // calls per second; without a configured rate there is no limit above it
	fewCalls        = 3       // in a window, too few to estimate a rate
	burstSeconds    = 0.1     // seconds of calls that may be made at once under a ceiling
	epsilon         = 1e-9    // tokens, for rounding errors
	callsToCeiling  = 30.0    // calls until the rate reaches the ceiling, in at least a minute and at most maxGrowth
	second          = 1e6     // in microseconds
	minute          = 60 * second
	minPause        = second // after a refusal without a wait
	maxGrowth       = 5 * minute
	maxPause        = minute      // maximum after refusals without a wait
	maxWait         = 60 * minute // longer waits are cut to this; then one call probes
)

// A Limit is a configured rate in calls per second, and the number of calls that
// may be made at once. A Rate of 0 means no limit until the first refusal.
type Limit struct {
	Rate  float64
	Burst int
}

// Share returns the limit for each of n processes, so that together they stay
// within l.
func (l Limit) Share(n int) Limit {
	n = max(n, 1)
	return Limit{Rate: l.Rate / float64(n), Burst: max(1, l.Burst/n)}
}

// A Limiter is described in the package documentation. internal/redis implements
// the same state and rules in limiter.lua; a test compares the two.
type Limiter struct {
	base, burst float64 // as configured
	state               // all times are in microseconds
}

// state is the state of a limiter. Its times are in microseconds, like those of the
// Redis script: whole numbers up to 2^53 are exact in both.
type state struct {
	rate    float64 // calls per second; 0 means no limit
	ceiling float64 // calls per second, estimated at the last refusal; 0 means none
	age     float64 // duration of the growth since then
	tokens  float64
	filled  float64 // when tokens and age were last updated
	blocked float64 // until when no calls are allowed
	pause   float64 // the last pause after a refusal without a wait
	refusal float64 // when the first refusal of the last event arrived; calls sent before it belong to the event
	pending float64 // 1 if the rate must be corrected after the pause
	refused float64 // refused calls of the pending event
	start   float64 // of the window in which calls are counted
	granted float64 // calls in the window
	quiet   float64 // 1 if the window started after a time of low demand
}

// New returns a limiter with a full burst.
func New(l Limit, now time.Duration) *Limiter {
	burst := float64(max(l.Burst, 1))
	micros := float64(now.Microseconds())
	return &Limiter{max(l.Rate, 0), burst, state{rate: max(l.Rate, 0), tokens: burst, filled: micros, start: micros, quiet: 1}}
}

// Configure replaces the configured limit. An adapted rate remains if it is lower.
func (l *Limiter) Configure(to Limit) {
	l.base, l.burst = max(to.Rate, 0), float64(max(to.Burst, 1))
	if l.rate == 0 {
		l.tokens = l.burst // there was no limit before
	}
	if l.ceiling == 0 || l.base > 0 && l.rate > l.base {
		l.rate, l.ceiling = l.base, 0
	}
}

// Ready returns the minimum time until a call is allowed: 0 for now. The caller
// must check again after it.
func (l *Limiter) Ready(now time.Duration) time.Duration {
	return duration(l.ready(l.micros(now)))
}

// Take takes a token for one call, or returns how long to wait before the next
// attempt.
func (l *Limiter) Take(now time.Duration) (wait time.Duration) {
	micros := l.micros(now)
	if wait := l.ready(micros); wait > 0 {
		return duration(wait)
	}
	if l.rate > 0 {
		l.tokens--
	}
	l.granted++
	return 0
}

// Spend takes a token for one call even if there is none. The debt delays the next
// calls.
func (l *Limiter) Spend(now time.Duration) {
	l.advance(l.micros(now))
	l.tokens--
	l.granted++
}

// Used returns the number of used calls of the burst. A debt counts as additional
// used calls. The result is only meaningful if there is a rate.
func (l *Limiter) Used() int { return int(math.Ceil(l.burst - l.tokens - epsilon)) }

// Return returns the token of a call that was not made.
func (l *Limiter) Return() {
	if l.rate > 0 {
		l.tokens++
	}
	l.granted = max(0, l.granted-1)
}

// Refuse records the refusal of a call that was sent at the time sent. wait is the
// wait that the refusal requests, or 0. Refuse returns how long calls are blocked
// from now. Refusals of calls that were sent before an earlier refusal arrived
// belong to the same event.
func (l *Limiter) Refuse(now, sent, wait time.Duration) (pause time.Duration) {
	micros := l.micros(now)
	return duration(l.refuse(micros, float64(sent.Microseconds()), float64(wait.Microseconds())))
}

// Blocked returns the time for which the last refusal still blocks calls, or 0.
func (l *Limiter) Blocked(now time.Duration) time.Duration {
	return duration(max(0, l.blocked-l.micros(now)))
}

// Rate returns the current rate in calls per second; 0 if there is no limit.
func (l *Limiter) Rate() float64 { return l.rate }

// Depth returns how many calls may be made at once after a pause.
func (l *Limiter) Depth() int { return int(l.depth()) }

// Tokens returns how many calls may be made at once now. It is only meaningful if
// there is a rate.
func (l *Limiter) Tokens() int { return max(0, int(l.tokens+epsilon)) }

// micros converts a time to microseconds. If the clock was set back, it returns the
// time of the last update.
func (l *Limiter) micros(now time.Duration) float64 {
	return max(float64(now.Microseconds()), l.filled)
}

func duration(micros float64) time.Duration { return time.Duration(micros) * time.Microsecond }

func (l *Limiter) ready(now float64) (wait float64) {
	if l.blocked > now {
		return l.blocked - now
	}
	if l.pending == 1 {
		l.correct()
	}
	l.advance(now)
	if l.rate == 0 || l.tokens >= 1-epsilon {
		return 0
	}
	return math.Ceil((1 - l.tokens) / l.rate * second)
}

// advance updates the rate, the tokens and the window to now.
func (l *Limiter) advance(now float64) {
	passed := max(0, now-max(l.filled, l.blocked))
	if l.ceiling > 0 {
		l.age += min(passed, minute)
		x := l.age/l.growth() - 1
		l.rate = l.ceiling * (1 + (1-decrease)*x*x*x)
		if l.rate >= l.recoveredRate() {
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
		l.start, l.granted, l.quiet = now, 0, 1 // the rate did not limit the calls
	case now-l.start > window:
		l.start += (now - l.start) / 2
		l.granted /= 2
	}
	l.tokens = min(l.depth(), l.tokens+gained)
	l.filled = now
}

// growth returns the time until the rate reaches the ceiling.
func (l *Limiter) growth() float64 {
	return min(max(callsToCeiling/l.ceiling*second, minute), maxGrowth)
}

// recoveredRate returns the rate at which the ceiling is removed.
func (l *Limiter) recoveredRate() float64 {
	if l.base > 0 {
		return l.base
	}
	return maxRate
}

func (l *Limiter) depth() float64 {
	if l.ceiling > 0 {
		return min(max(1, l.rate*burstSeconds), l.burst)
	}
	return l.burst
}

func (l *Limiter) refuse(now, sent, wait float64) (pause float64) {
	wait = min(wait, maxWait)
	if l.pending == 0 && sent >= l.refusal {
		if wait <= 0 {
			if l.pause > 0 && sent-l.blocked < l.pause {
				l.pause = min(2*l.pause, maxPause)
			} else {
				l.pause = minPause
			}
			wait = l.pause
		}
		l.pending, l.refusal, l.refused = 1, now, 0
	}
	l.refused += l.pending
	l.blocked = max(l.blocked, now+max(wait, 0))
	return max(0, l.blocked-now)
}

// correct sets the rate after a refusal.
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
			l.ceiling = min(used, max(math.Sqrt(used*(accepted+1)/passed), used*minCeilingShare))
		}
		l.ceiling = max(l.ceiling, minRate/decrease)
		l.rate, l.age = l.ceiling*decrease, 0
	}
	l.pending, l.quiet = 0, 0
	l.start, l.granted = l.refusal, 0
	l.tokens, l.filled = min(1, l.burst), l.blocked
}
