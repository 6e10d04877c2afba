package redis

import (
	"math"
	"time"
)

// How a pace learns, as [upstream] does for one process: a little faster all
// the time, much slower when it was refused.
const (
	backOff   = 0.7  // of the rate that was refused
	speedUp   = 0.02 // of the rate that was last refused, each second
	leastStep = 0.05 // calls a second, each second
	slowest   = 0.2  // calls a second
	fewCalls  = 3    // in a second, that are no reason to be refused
)

// A micros is a time in microseconds, as Lua counts: a whole number.
type micros = float64

// A bucket is the pace of one audience: a token bucket whose rate begins as
// configured and learns. The one that replicas share lives in Redis, where
// pace.lua does what follows; this one is a replica's share while Redis is away.
type bucket struct {
	rate    float64 // calls a second; 0 is no limit
	limited float64 // the rate that was last refused; 0 is none
	tokens  float64
	filled  micros // when tokens was right
	silent  micros // until when no call is made
	grown   micros // until when rate was raised
	second  micros // when the second began that is counted
	count   float64
	before  float64 // in the second before that
}

func newBucket(base, burst float64, now micros) *bucket {
	return &bucket{rate: base, tokens: burst, filled: now}
}

// take makes a call of it, or tells how long until it is worth asking again.
func (b *bucket) take(base, burst float64, now micros) micros {
	now = max(now, b.filled)
	if b.silent > now {
		return b.silent - now
	}
	if b.rate > 0 {
		b.fill(base, burst, now)
		if b.tokens < 1-1e-9 {
			return math.Ceil((1 - b.tokens) / b.rate * 1e6)
		}
		b.tokens--
	}
	b.window(now)
	b.count++
	return 0
}

func (b *bucket) fill(base, burst float64, now micros) {
	depth := burst
	if b.limited > 0 {
		b.rate += max(leastStep, speedUp*b.limited) * max(now-b.grown, 0) / 1e6
		b.grown = max(now, b.grown)
		if base > 0 && b.rate >= base {
			b.rate, b.limited = base, 0
		} else {
			depth = min(max(1, b.rate/10), burst)
		}
	}
	b.tokens = min(depth, b.tokens+b.rate*max(now-max(b.filled, b.silent), 0)/1e6)
	b.filled = now
}

// window counts calls by the second, to know the rate that was refused.
func (b *bucket) window(now micros) {
	switch gone := now - b.second; {
	case gone >= 2e6:
		b.second, b.count, b.before = now, 0, 0
	case gone >= 1e6:
		b.second, b.before, b.count = b.second+1e6, b.count, 0
	}
}

// refused tells that Mixcloud has refused a call and wants none for wait. It
// gives the time until it takes calls again.
func (b *bucket) refused(burst float64, wait, now micros) micros {
	now = max(now, b.filled)
	if b.silent <= now { // others may bring the news of the same refusal
		b.window(now)
		was := b.rate
		if seen := b.count + b.before*(1-(now-b.second)/1e6); seen > fewCalls && (was == 0 || seen < was) {
			was = seen
		}
		if was > 0 {
			b.limited = max(was, slowest)
			b.rate = max(was*backOff, slowest)
		}
	}
	b.silent = max(b.silent, now+wait)
	b.tokens, b.filled, b.grown = min(1, burst), now, b.silent
	return b.silent - now
}

// share makes a bucket one of n that together are as fast as configured.
func share(base, burst float64, n int) (float64, float64) {
	n = max(n, 1)
	if base == 0 {
		return 0, burst
	}
	return base / float64(n), max(1, burst/float64(n))
}

func duration(t micros) time.Duration { return time.Duration(t) * time.Microsecond }
