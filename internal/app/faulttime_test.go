package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud/emulator"
)

// Jumps of the wall clock change neither the wait after a rate limit nor the age of cache entries: the server measures both
// with the monotonic clock.
func TestFaults_ClockJumps(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, jump := range []time.Duration{-50 * 365 * 24 * time.Hour, -90 * time.Second, 90 * time.Second, 50 * 365 * 24 * time.Hour} {
		t.Run(jump.String()+"/wait", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFaultServer(t)
				f.inject(t, failures["limit with Retry-After"])
				f.check(t, "", failures["limit with Retry-After"].cold)
				f.setClockJump(jump)
				time.Sleep(20*time.Second - latency)
				f.check(t, "", result{Code: "RATE_LIMITED", Retryable: true, RetryAfter: 40 * time.Second})
				var data struct{ RateLimit struct{ RetryAt time.Time } }
				f.testServer.execute(t, "", `{ rateLimit { retryAt } }`, nil).decode(t, &data)
				if want := time.Now().Add(jump + 40*time.Second - latency).UTC().Truncate(time.Second); data.RateLimit.RetryAt.Sub(want).Abs() > time.Second {
					t.Errorf("retryAt = %v, want %v by the wall clock", data.RateLimit.RetryAt, want)
				}
				f.emulator.ClearFaults()
				time.Sleep(40*time.Second - 3*latency)
				f.check(t, "", withDuration(3*latency, fetchedNow)) // the rest of the wait is so short that the call waits
			})
		})
		t.Run(jump.String()+"/stale", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFaultServer(t)
				f.check(t, "", fetchedNow)
				f.inject(t, failures["reset"])
				time.Sleep(5*time.Minute - 2*latency)
				f.check(t, "", result{Data: cachedData}) // just before it becomes stale
				f.setClockJump(jump)
				time.Sleep(5 * time.Minute)
				f.check(t, "", revalidating(10*time.Minute, 1))
				f.setClockJump(0)
				time.Sleep(110*time.Minute - latency)
				f.setClockJump(jump)
				f.check(t, "", withDuration(latency, staleResult(2*time.Hour+latency, "UNAVAILABLE", 1)))
				time.Sleep(22*time.Hour - 4*latency)
				f.check(t, "", withDuration(latency, staleResult(24*time.Hour-latency, "UNAVAILABLE", 1)))
				f.setClockJump(0)
				time.Sleep(10 * time.Second)
				f.check(t, "", retriesFail)
			})
		})
	}
}

// If all calls fail, the server soon stops making them, and serves stale data without delay for a day.
func TestFaults_DownForADay(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaultServer(t)
		f.observe(t, "")
		f.setTransport(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		time.Sleep(2 * time.Hour)
		f.observe(t, "")
		calls, slowest := 0, time.Duration(0)
		const requests = 21 * 60
		for range requests {
			time.Sleep(time.Minute)
			got := f.observe(t, "")
			calls += got.Calls
			slowest = max(slowest, got.Duration)
			if got.Data != cachedData || got.StaleReason == "" {
				t.Fatalf("result = %+v, want stale data", got)
			}
			// Health checks succeed, so that a load balancer keeps the replica.
			for _, path := range []string{"/livez", "/readyz"} {
				if resp := f.do(httptest.NewRequest(http.MethodGet, path, nil), ""); resp.status != http.StatusOK {
					t.Fatalf("%s: status = %d, want 200", path, resp.status)
				}
			}
		}
		if calls > requests || slowest > latency {
			t.Errorf("%d requests made %d calls and took up to %v, want at most one call each and %v", requests, calls, slowest, latency)
		}
		f.setTransport(nil)
		time.Sleep(time.Minute)
		if d := cmp.Diff(fetchedNow, f.observe(t, "")); d != "" {
			t.Errorf("result when Mixcloud is back (-want +got):\n%s", d)
		}
	})
}

// During an outage the log has one line when the circuit breaker opens and one when it closes. One failing resource alone
// does not open it.
func TestFaults_Log(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaultServer(t)
		f.setTransport(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		for range 30 {
			f.observe(t, "")
			time.Sleep(time.Second)
		}
		if log := f.log.String(); strings.Contains(log, "circuit breaker") {
			t.Errorf("log for one failing resource, want no line about the circuit breaker:\n%s", log)
		}
		f.allDown.Store(true)
		for i := range 70 {
			f.testServer.execute(t, "", fmt.Sprintf(`{ user(username: "user%d") { name } }`, i), nil)
			time.Sleep(time.Second)
		}
		f.setTransport(nil)
		time.Sleep(upstream.DefaultTimeout)
		f.observe(t, "")
		lines := map[string]int{}
		for line := range strings.Lines(f.log.String()) {
			var l struct{ Level, Msg string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Level != "DEBUG" {
				lines[l.Level+" "+l.Msg]++
			}
		}
		want := map[string]int{
			"WARN circuit breaker opened": 1,
			"INFO circuit breaker closed": 1,
			"INFO request":                101,
			"WARN field failed":           11, // at most one in ten seconds
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("log lines differ (-want +got):\n%s", d)
		}
	})
}

// The log has one line for each rate limit, however many calls it refuses.
func TestFaults_LimitLog(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaultServer(t)
		for _, wait := range []time.Duration{time.Minute, time.Hour} {
			if err := f.emulator.Fail(emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: wait}); err != nil {
				t.Fatal(err)
			}
			var query strings.Builder
			for i := range 30 {
				fmt.Fprintf(&query, "u%d: user(username: \"u%d\") { name } ", i, i)
			}
			f.takeCalls()
			f.testServer.execute(t, "", "{ "+query.String()+"}", nil)
			if calls := len(f.takeCalls()); wait == time.Minute && calls < 20 {
				t.Fatalf("%d calls were made, want at least 20", calls)
			}
			f.emulator.ClearFaults()
			time.Sleep(wait)
		}
		if got := strings.Count(f.log.String(), `"rate limited by Mixcloud","kind":"read","principal":"anonymous"`); got != 2 {
			t.Errorf("log has %d lines about rate limits, want 2", got)
		}
	})
}

// With --stale-for 0 no stale data is served, even if Mixcloud fails.
func TestFaults_FreshOnly(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{noStale: true})
		const query = `{ user(username: "spartacus") { name } }`
		decodeData(t, s.execute(t, "", query, nil), 0)
		if err := s.emulator.Fail(emulator.Fault{Kind: emulator.FaultReset}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute - time.Nanosecond)
		decodeData(t, s.execute(t, "", query, nil), 0)
		time.Sleep(time.Nanosecond)
		resp := s.execute(t, "", query, nil)
		if data := decodeData(t, resp, 1); data["user"] != nil || len(freshnessOf(t, resp)) > 0 {
			t.Errorf("response = %s, want user null and no freshness entry", resp.body)
		}
	})
}
