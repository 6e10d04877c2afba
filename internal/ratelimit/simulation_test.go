package ratelimit

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// An upstream is a fake service with a token bucket that refuses calls.
type upstream struct {
	rate, depth, tokens float64
	filled              time.Duration
	wait                string // that a refusal requests: "none", "exact" (in whole seconds) or "10s"
}

func (u *upstream) call(now time.Duration) (ok bool, wait time.Duration) {
	u.tokens = min(u.depth, u.tokens+u.rate*(now-u.filled).Seconds())
	u.filled = now
	if u.tokens >= 1-1e-9 {
		u.tokens--
		return true, 0
	}
	switch u.wait {
	case "exact":
		wait = time.Duration(math.Ceil((1-u.tokens)/u.rate)) * time.Second
	case "10s":
		wait = 10 * time.Second
	}
	return false, wait
}

// A limiter is the limiter under simulation.
type limiter interface {
	Take(now time.Duration) time.Duration
	Refuse(now, sent, wait time.Duration) time.Duration
}

// A simulation is a caller with unlimited demand that calls an upstream in virtual
// time.
type simulation struct {
	limiter  limiter
	upstream upstream
	latency  time.Duration
	inflight int // maximum number of concurrent calls

	now   time.Duration
	sent  []time.Duration // calls in flight, the oldest first
	calls []outcome
}

type outcome struct {
	at      time.Duration
	refused bool
}

// run simulates until a time. demand returns the time of the caller's next call.
func (s *simulation) run(until time.Duration, demand func(now time.Duration) time.Duration) {
	next := s.now
	for {
		at := max(s.now, next, demand(max(s.now, next)))
		if len(s.sent) >= s.inflight {
			at = time.Duration(math.MaxInt64)
		}
		if len(s.sent) > 0 && s.sent[0]+s.latency <= at {
			sent := s.sent[0]
			s.sent = s.sent[1:]
			s.now = sent + s.latency
			if s.now >= until {
				return
			}
			ok, wait := s.upstream.call(s.now)
			s.calls = append(s.calls, outcome{s.now, !ok})
			if !ok {
				s.limiter.Refuse(s.now, sent, wait)
			}
			continue
		}
		if s.now = at; s.now >= until {
			return
		}
		if wait := s.limiter.Take(s.now); wait > 0 {
			next = s.now + wait
			continue
		}
		s.sent = append(s.sent, s.now)
	}
}

// between returns the number of calls in a time range.
func (s *simulation) between(from, to time.Duration) (accepted, refused int) {
	for _, c := range s.calls {
		switch {
		case c.at < from || c.at >= to:
		case c.refused:
			refused++
		default:
			accepted++
		}
	}
	return accepted, refused
}

func saturated(now time.Duration) time.Duration { return now }

// limits are the upstream's, in calls per second.
var limits = []float64{0.3, 0.5, 1, 5, 50}

// forEachLimit runs a test for each limit with each depth of the upstream's bucket,
// kind of wait and latency.
func forEachLimit(t *testing.T, limits []float64, test func(t *testing.T, u upstream, latency time.Duration)) {
	t.Helper()
	for _, rate := range limits {
		for _, depth := range []float64{1, 20} {
			for _, wait := range []string{"none", "exact", "10s"} {
				for _, latency := range []time.Duration{0, 200 * time.Millisecond} {
					t.Run(fmt.Sprintf("%v per second, depth %v, wait %s, latency %v", rate, depth, wait, latency), func(t *testing.T) {
						t.Parallel()
						test(t, upstream{rate: rate, depth: depth, tokens: depth, wait: wait}, latency)
					})
				}
			}
		}
	}
}

var configured = []Limit{{}, {Rate: 50, Burst: 500}}

// checkLimit fails if more than 5 % of the calls are refused after the first
// minute, or less than 70 % of the limit is used from minute 10.
func checkLimit(t *testing.T, s *simulation, from, to time.Duration) {
	t.Helper()
	accepted, refused := s.between(from+time.Minute, to)
	if share := float64(refused) / float64(accepted+refused); share > 0.05 {
		t.Errorf("%.1f %% of %d calls were refused, want at most 5 %%", 100*share, accepted+refused)
	}
	accepted, _ = s.between(from+10*time.Minute, to)
	if used := float64(accepted) / (s.upstream.rate * (to - from - 10*time.Minute).Seconds()); used < 0.7 {
		t.Errorf("%.0f %% of the limit was used, want at least 70 %%", 100*used)
	}
}

func TestLimiter_saturatedDemand(t *testing.T) {
	t.Parallel()
	forEachLimit(t, limits, func(t *testing.T, u upstream, latency time.Duration) {
		for _, limit := range configured {
			s := &simulation{limiter: New(limit, 0), upstream: u, latency: latency, inflight: 32}
			s.run(30*time.Minute, saturated)
			checkLimit(t, s, 0, 30*time.Minute)
		}
	})
}

// The limiter follows a limit that increases or decreases tenfold.
func TestLimiter_limitChanges(t *testing.T) {
	t.Parallel()
	for _, factor := range []float64{10, 0.1} {
		forEachLimit(t, []float64{0.3, 0.5, 1, 5}, func(t *testing.T, u upstream, latency time.Duration) {
			if factor < 1 {
				u.rate *= 10
			}
			s := &simulation{limiter: New(Limit{Rate: 500, Burst: 500}, 0), upstream: u, latency: latency, inflight: 500}
			s.run(20*time.Minute, saturated)
			s.upstream.rate *= factor
			s.run(50*time.Minute, saturated)
			accepted, refused := s.between(22*time.Minute, 50*time.Minute)
			if share := float64(refused) / float64(accepted+refused); share > 0.05 {
				t.Errorf("limit times %v: %.1f %% of %d calls were refused, want at most 5 %%", factor, 100*share, accepted+refused)
			}
			from := 30 * time.Minute
			accepted, _ = s.between(from, 50*time.Minute)
			if used := float64(accepted) / (s.upstream.rate * (50*time.Minute - from).Seconds()); used < 0.7 {
				t.Errorf("limit times %v: %.0f %% of it was used, want at least 70 %%", factor, 100*used)
			}
		})
	}
}

// After an idle hour, a burst causes at most one more event of refusals than
// continuous demand, and the limit is used as before.
func TestLimiter_burstAfterIdle(t *testing.T) {
	t.Parallel()
	forEachLimit(t, limits, func(t *testing.T, u upstream, latency time.Duration) {
		const idle, resumed = 20 * time.Minute, 80 * time.Minute
		for _, limit := range []Limit{{}, {Rate: 500, Burst: 500}} {
			s := &simulation{limiter: New(limit, 0), upstream: u, latency: latency, inflight: 32}
			s.run(idle, saturated)
			s.run(110*time.Minute, func(now time.Duration) time.Duration {
				if now > idle && now < resumed {
					return resumed
				}
				return now
			})
			if _, refused := s.between(resumed, resumed+time.Second); refused > 1+int(u.rate*(burstSeconds+latency.Seconds())) {
				t.Errorf("%d calls of the burst were refused, want at most %d", refused, 1+int(u.rate*(burstSeconds+latency.Seconds())))
			}
			checkLimit(t, s, resumed, 110*time.Minute)
		}
	})
}
