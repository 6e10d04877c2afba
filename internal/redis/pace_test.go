package redis

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
	"pgregory.net/rapid"

	"mixcloud-graphql/internal/redistest"
)

// The script and its twin in Go do the same, whatever happens in whatever order
// and however the clock jumps.
func TestPace_scriptIsBucket(t *testing.T) {
	t.Parallel()
	raw := redistest.Start(t).Client(t)
	const clock = "local clock = redis.call('TIME')\nlocal now = clock[1] * 1000000 + clock[2]\n"
	if !strings.Contains(paceScript, clock) {
		t.Fatal("the script takes its time from elsewhere")
	}
	script := rueidis.NewLuaScript(strings.Replace(paceScript, clock, "local now = tonumber(ARGV[5])\n", 1))
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		key := fmt.Sprint("pace ", run)
		base := rapid.SampledFrom([]float64{0, 0.3, 1, 5, 20, 1000}).Draw(t, "rate")
		burst := rapid.SampledFrom([]float64{1, 2, 10, 200}).Draw(t, "burst")
		now := 1.7e15
		var model *bucket
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += rapid.SampledFrom([]micros{0, 1, 1e3, 5e4, 3e5, 1e6, 2.5e6, 6e7, -1e3, -5e6}).Draw(t, "later")
			if model == nil {
				model = newBucket(base, burst, now)
			}
			what, wait := "take", micros(0)
			if rapid.IntRange(0, 9).Draw(t, "refused") == 0 {
				what, wait = "refused", rapid.SampledFrom([]micros{1, 1e6, 6e7}).Draw(t, "wait")
			}
			got, err := script.Exec(t.Context(), raw, []string{key}, []string{
				what, fmt.Sprint(base), fmt.Sprint(burst), fmt.Sprintf("%.0f", wait), fmt.Sprintf("%.0f", now),
			}).AsFloat64()
			if err != nil {
				t.Fatal(err)
			}
			var want micros
			if what == "refused" {
				want = model.refused(burst, wait, now)
			} else {
				want = model.take(base, burst, now)
			}
			if math.Abs(got-want) > 1 {
				t.Fatalf("%s at %.0f: the script says %v, the bucket %v", what, now, got, want)
			}
		}
	})
}

// Replicas together go as fast as configured, not each of them.
func TestPace_together(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	const rate, burst = 100, 10
	limited := func(o *settings) { o.Rate, o.Burst = rate, burst }
	replicas := []*replica{ready(t, s.URL(), limited), ready(t, s.URL(), limited), ready(t, s.URL(), limited)}
	start := time.Now()
	var mu sync.Mutex
	granted := 0
	var wg sync.WaitGroup
	for _, r := range replicas {
		wg.Go(func() {
			for time.Since(start) < time.Second {
				if wait := r.Pace().Take(t.Context(), ""); wait > 0 {
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
		t.Errorf("%d calls were granted, at most %.0f may be", granted, most)
	}
	if wait := replicas[0].Pace().Take(t.Context(), alice); wait != 0 {
		t.Errorf("another audience waits for %v", wait)
	}
}

// A refusal that one replica got keeps all of them quiet for as long as it
// said, and slows them down.
func TestPace_refusalIsShared(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	for name, rate := range map[string]float64{"configured": 50, "unknown": 0} {
		change := func(o *settings) { o.Rate, o.Burst = rate, 50 }
		one, two := ready(t, s.URL(), change), ready(t, s.URL(), change)
		class := name
		const calls = 4
		for range calls {
			if wait := two.Pace().Take(t.Context(), class); wait != 0 {
				t.Fatalf("%s: %v before any refusal", name, wait)
			}
		}
		const pause = 500 * time.Millisecond
		one.Pace().Refused(t.Context(), class, pause)
		wait := two.Pace().Take(t.Context(), class)
		if wait <= 0 || wait > pause {
			t.Errorf("%s: the other replica waits for %v, want about %v", name, wait, pause)
		}
		two.Pace().Refused(t.Context(), class, time.Millisecond) // the same refusal, of another call
		<-time.After(wait)
		if wait := two.Pace().Take(t.Context(), class); wait != 0 {
			t.Errorf("%s: %v after the wait was over", name, wait)
		}
		if wait := one.Pace().Take(t.Context(), class); wait <= 0 || wait > time.Second {
			t.Errorf("%s: then the next call waits for %v, want 1/%.1f s, less what has passed", name, wait, backOff*calls)
		}
	}
}

// Without Redis, each replica takes its share.
func TestPace_alone(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t)
	const rate, burst = 100, 8
	change := func(o *settings) { o.Rate, o.Burst = rate, burst }
	var replicas []*replica
	for range 4 {
		replicas = append(replicas, ready(t, s.URL(), change))
	}
	first := replicas[0]
	if err := first.pace.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := first.Pace().Replicas(); n != 4 {
		t.Errorf("there are %d replicas, want 4", n)
	}
	s.Kill()
	for range failuresInARow {
		first.Cache().Get(t.Context(), fresh(t))
	}
	first.waitUp(t, false)
	start, granted := time.Now(), 0
	for time.Since(start) < 500*time.Millisecond {
		if wait := first.Pace().Take(t.Context(), ""); wait > 0 {
			<-time.After(wait)
		} else {
			granted++
		}
	}
	if most := burst/4 + rate/4*time.Since(start).Seconds() + 1; float64(granted) > most || float64(granted) < most/2 {
		t.Errorf("%d calls were granted to one of 4, want about %.0f", granted, most)
	}
	first.Pace().Refused(t.Context(), "", time.Minute)
	if wait := first.Pace().Take(t.Context(), ""); wait < 59*time.Second {
		t.Errorf("a refusal without Redis: %v", wait)
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	const burst = 5
	b := newBucket(10, burst, 0)
	for range burst {
		if wait := b.take(10, burst, 0); wait != 0 {
			t.Fatalf("within the burst: %v", wait)
		}
	}
	if wait := b.take(10, burst, 0); wait != 1e5 {
		t.Errorf("after the burst: %v", wait)
	}
	if wait := b.take(10, burst, 1e5); wait != 0 {
		t.Errorf("when it said: %v", wait)
	}
	if left := b.refused(burst, 1e6, 1e5); left != 1e6 {
		t.Errorf("refused for %v", left)
	}
	if b.limited != 6 || math.Abs(b.rate-4.2) > 1e-9 {
		t.Errorf("6 calls in a second were too many: limited %v, rate %v", b.limited, b.rate)
	}
	if left := b.refused(burst, 1e5, 2e5); left != 9e5 || math.Abs(b.rate-4.2) > 1e-9 {
		t.Errorf("the same refusal again: %v, rate %v", left, b.rate)
	}
	now := 1.1e6
	for range 10_000 {
		now += b.take(10, burst, now)
		if b.limited == 0 {
			break
		}
	}
	if took := (now - 1.1e6) / 1e6; b.rate != 10 || took < 40 || took > 60 {
		t.Errorf("it takes %.1f s to be as fast as configured again, rate %v; want (10-4.2)/(0.02*6)", took, b.rate)
	}
}

// Replicas that hardly ask were not refused for their rate: they are slowed down
// from where they were, and those without a rate only pause.
func TestBucket_fewCalls(t *testing.T) {
	t.Parallel()
	for base, want := range map[float64]float64{50: 35, 0: 0} {
		b := newBucket(base, 500, 0)
		b.take(base, 500, 0)
		b.take(base, 500, 5e5)
		if left := b.refused(500, 6e7, 5e5); left != 6e7 || b.rate != want {
			t.Errorf("of %v calls a second: refused for %v, and %v a second then, want %v", base, left, b.rate, want)
		}
	}
}
