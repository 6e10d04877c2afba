package redis

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/ratelimit"
	"mixcloud-graphql/internal/redistest"
	"mixcloud-graphql/internal/upstream"
)

// limitOf is an unlimited limit of a principal's reads.
func limitOf(principal string) upstream.SharedLimit {
	return upstream.SharedLimit{Principal: principal}
}

// A clockedScript is the limiter's script with the test's clock.
type clockedScript struct {
	ctx    context.Context //nolint:containedctx // the test's
	script *rueidis.Lua
	client rueidis.Client
}

func newClockedScript(t *testing.T) *clockedScript {
	t.Helper()
	const clock = "local clock = redis.call('TIME')\nlocal now = clock[1] * 1000000 + clock[2]\n"
	if !strings.Contains(limiterScript, clock) {
		t.Fatalf("the script does not read the clock as this test expects: %s", clock)
	}
	text := strings.Replace(limiterScript, clock, "local now = tonumber(ARGV[6])\n", 1)
	return &clockedScript{t.Context(), rueidis.NewLuaScript(text), redistest.Start(t).Client(t)}
}

// A step is one step of a limiter, with the result of the implementation in Go.
type step struct {
	what           string
	now, ago, wait time.Duration // wait is the Retry-After
	want           time.Duration
}

// check runs steps with the script and compares the results.
func (c *clockedScript) check(key string, limit ratelimit.Limit, steps []step) error {
	for len(steps) > 0 {
		n := min(len(steps), 256)
		execs := make([]rueidis.LuaExec, n)
		for i, s := range steps[:n] {
			args := append(stepArgs(limit, s.what, s.ago, s.wait), fmt.Sprint(s.now.Microseconds()))
			execs[i] = rueidis.LuaExec{Keys: []string{key}, Args: args}
		}
		for i, result := range c.script.ExecMulti(c.ctx, c.client, execs...) {
			s := steps[i]
			got, err := result.AsFloat64()
			if err != nil {
				return err
			}
			if math.Abs(got-float64(s.want.Microseconds())) > 1 {
				return fmt.Errorf("%s at %v: the script returns %v µs, the limiter %v", s.what, s.now, got, s.want)
			}
		}
		steps = steps[n:]
	}
	return nil
}

// testStart is the server's time at the start of a test.
const testStart = 1_700_000_000 * time.Second

// The script and the limiter in Go return the same results for any steps, even if the clock jumps.
func TestLimiter_ScriptMatchesGo(t *testing.T) {
	t.Parallel()
	script := newClockedScript(t)
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		limit := ratelimit.Limit{
			Rate:  rapid.SampledFrom([]float64{0, 0.3, 1, 5, 20, 1000}).Draw(t, "rate"),
			Burst: rapid.SampledFrom([]int{1, 2, 10, 200}).Draw(t, "burst"),
		}
		now := testStart
		var model *ratelimit.Limiter
		var steps []step
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			later := rapid.SampledFrom([]int{0, 1, 1e3, 5e4, 3e5, 1e6, 2.5e6, 6e7, 1e9, -1e3, -5e6}).Draw(t, "later")
			now += time.Duration(later) * time.Microsecond
			if model == nil {
				model = ratelimit.New(limit, now)
			}
			s := step{what: "take", now: now}
			if rapid.IntRange(0, 4).Draw(t, "refused") == 0 {
				s.what = "refused"
				s.wait = rapid.SampledFrom([]time.Duration{0, 1e3, time.Second, time.Minute, 3 * time.Hour}).Draw(t, "wait")
				s.ago = rapid.SampledFrom([]time.Duration{0, 2e7, time.Second, 5 * time.Second}).Draw(t, "ago")
				s.want = model.Refuse(now, now-s.ago, s.wait)
			} else {
				s.want = model.Take(now)
			}
			steps = append(steps, s)
		}
		if err := script.check(fmt.Sprint("property ", run), limit, steps); err != nil {
			t.Fatal(err)
		}
	})
}

// The script and the limiter in Go return the same results during 15 minutes of saturated demand,
// for each limit of the simulation in internal/ratelimit. This shows that the refusals and the
// utilization measured there apply to replicas too.
func TestLimiter_SaturatedDemand(t *testing.T) {
	t.Parallel()
	script := newClockedScript(t)
	for _, rate := range []float64{0.3, 0.5, 1, 5, 50} {
		for _, depth := range []float64{1, 20} {
			for _, wait := range []time.Duration{0, 10 * time.Second} {
				name := fmt.Sprintf("%v per second, depth %v, wait %v", rate, depth, wait)
				limit := ratelimit.Limit{Rate: 50, Burst: 500}
				const length = 15 * time.Minute
				steps, accepted, refused := saturate(limit, rate, depth, wait, length)
				if err := script.check(name, limit, steps); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				if share := float64(refused) / float64(accepted+refused); share > 0.05 {
					t.Errorf("%s: %.1f %% of %d calls were refused, want at most 5 %%", name, 100*share, accepted+refused)
				}
				if used := float64(accepted) / (rate * (length - time.Minute).Seconds()); used < 0.5 {
					t.Errorf("%s: utilization = %.0f %%, want at least 50 %%", name, 100*used)
				}
			}
		}
	}
}

// saturate sends all calls that a limiter grants to a simulated upstream with a token bucket, and
// counts the calls after the first minute.
func saturate(limit ratelimit.Limit, rate, depth float64, retryAfter, length time.Duration) (steps []step, accepted, refused int) {
	model := ratelimit.New(limit, testStart)
	tokens, filled := depth, testStart
	for now := testStart; now < testStart+length; {
		wait := model.Take(now)
		steps = append(steps, step{what: "take", now: now, want: wait})
		if wait > 0 {
			now += wait
			continue
		}
		tokens, filled = min(depth, tokens+rate*(now-filled).Seconds()), now
		if tokens >= 1 {
			tokens--
			if now > testStart+time.Minute {
				accepted++
			}
			continue
		}
		if now > testStart+time.Minute {
			refused++
		}
		steps = append(steps, step{what: "refused", now: now, wait: retryAfter, want: model.Refuse(now, now, retryAfter)})
	}
	return steps, accepted, refused
}

// The configured rate is the limit of all replicas together.
func TestLimiter_SharedRate(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	const rate, burst = 100, 10
	limit := upstream.SharedLimit{Limit: ratelimit.Limit{Rate: rate, Burst: burst}}
	replicas := []*replica{ready(t, s.URL()), ready(t, s.URL()), ready(t, s.URL())}
	start := time.Now()
	var mu sync.Mutex
	granted := 0
	var wg sync.WaitGroup
	for _, r := range replicas {
		wg.Go(func() {
			for time.Since(start) < time.Second {
				if wait := r.Limiter().Take(t.Context(), limit); wait > 0 {
					<-time.After(wait)
					continue
				}
				mu.Lock()
				granted++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	most := burst + rate*time.Since(start).Seconds() + 1
	if n := float64(granted); n > most || n < most/2 {
		t.Errorf("%d calls were granted, want %.0f to %.0f", granted, most/2, most)
	}
	limit.Principal = alice
	if wait := replicas[0].Limiter().Take(t.Context(), limit); wait != 0 {
		t.Errorf("Take for another principal = %v, want 0", wait)
	}
}

// A refusal of one replica's call blocks calls of the same kind on all replicas during its wait, and
// lowers their rate.
func TestLimiter_SharedRefusal(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two := ready(t, s.URL()), ready(t, s.URL())
	limit := upstream.SharedLimit{Principal: alice, Kind: upstream.KindUpload, Limit: ratelimit.Limit{Rate: 4, Burst: 50}}
	if wait := two.Limiter().Take(t.Context(), limit); wait != 0 {
		t.Fatalf("Take before any refusal = %v, want 0", wait)
	}
	const pause = 500 * time.Millisecond
	if got := one.Limiter().Refused(t.Context(), limit, 0, pause); got != pause {
		t.Errorf("the pause is %v, want %v", got, pause)
	}
	wait := two.Limiter().Take(t.Context(), limit)
	if wait <= 0 || wait > pause {
		t.Errorf("the other replica waits for %v, want about %v", wait, pause)
	}
	other := limit
	other.Kind = upstream.KindRead
	if wait := two.Limiter().Take(t.Context(), other); wait != 0 {
		t.Errorf("Take of a read after a refused upload = %v, want 0", wait)
	}
	two.Limiter().Refused(t.Context(), limit, 10*time.Second, time.Millisecond) // sent before
	<-time.After(wait)
	if wait := two.Limiter().Take(t.Context(), limit); wait != 0 {
		t.Errorf("Take after the wait = %v, want 0", wait)
	}
	if wait := one.Limiter().Take(t.Context(), limit); wait <= 0 || wait > time.Second {
		t.Errorf("next Take = %v, want more than 0 and at most 1s", wait)
	}
}

// Without Redis, each replica limits itself to its share of the rate.
func TestLimiter_WithoutRedis(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	const rate, burst = 100, 8
	limit := upstream.SharedLimit{Limit: ratelimit.Limit{Rate: rate, Burst: burst}}
	var replicas []*replica
	for range 4 {
		replicas = append(replicas, ready(t, s.URL()))
	}
	first := replicas[0]
	if err := first.limiter.heartbeat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := first.Limiter().Replicas(); n != 4 {
		t.Errorf("%d replicas are counted, want 4", n)
	}
	s.Kill()
	for range maxConsecutiveFailures {
		first.Cache().Get(t.Context(), fresh(t))
	}
	first.waitUp(t, false)
	start, granted := time.Now(), 0
	for time.Since(start) < 500*time.Millisecond {
		if wait := first.Limiter().Take(t.Context(), limit); wait > 0 {
			<-time.After(wait)
		} else {
			granted++
		}
	}
	if most := burst/4 + rate/4*time.Since(start).Seconds() + 1; float64(granted) > most || float64(granted) < most/2 {
		t.Errorf("%d calls were granted to one of 4 replicas, want %.0f to %.0f", granted, most/2, most)
	}
	if pause := first.Limiter().Refused(t.Context(), limit, 0, time.Minute); pause != time.Minute {
		t.Errorf("the pause is %v, want 1m", pause)
	}
	if wait := first.Limiter().Take(t.Context(), limit); wait < 59*time.Second {
		t.Errorf("Take after a refusal without Redis = %v, want at least 59s", wait)
	}
}

// Replicas share which tokens are verified.
func TestVerifiedTokens(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	one, two := ready(t, s.URL()), ready(t, s.URL())
	if one.VerifiedTokens().Verified(t.Context(), alice) {
		t.Error("a new token is verified")
	}
	one.VerifiedTokens().SetVerified(t.Context(), alice, true)
	if !two.VerifiedTokens().Verified(t.Context(), alice) || two.VerifiedTokens().Verified(t.Context(), bob) {
		t.Error("the other replica reports the wrong tokens as verified, want only alice's")
	}
	two.VerifiedTokens().SetVerified(t.Context(), alice, false)
	if one.VerifiedTokens().Verified(t.Context(), alice) {
		t.Error("a refused token is still verified")
	}
	if text := s.Dump(t); strings.Contains(text, "verified:") {
		t.Errorf("the token's key is still stored: %s", text)
	}
}
