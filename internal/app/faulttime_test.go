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

// TestFaults_ClockJumps lets the wall clock jump while a wait that Mixcloud has
// named is in force, and while what is kept is young, old and nearly gone: only
// the time that really passes counts.
func TestFaults_ClockJumps(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, jump := range []time.Duration{-50 * 365 * 24 * time.Hour, -90 * time.Second, 90 * time.Second, 50 * 365 * 24 * time.Hour} {
		t.Run(jump.String()+"/wait", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFaulty(t)
				f.begin(t, misbehaviours["limit with a wait"])
				f.sees(t, "", misbehaviours["limit with a wait"].cold)
				f.setJump(jump)
				time.Sleep(20*time.Second - lag)
				f.sees(t, "", cell{Code: "RATE_LIMITED", Retry: true, Wait: 40 * time.Second})
				var told struct{ RateLimit struct{ RetryAt time.Time } }
				f.testServer.execute(t, "", `{ rateLimit { retryAt } }`, nil).decode(t, &told)
				if at := time.Now().Add(jump + 40*time.Second - lag).UTC().Truncate(time.Second); told.RateLimit.RetryAt.Sub(at).Abs() > time.Second {
					t.Errorf("retryAt is %v, want %v by the clock that people see", told.RateLimit.RetryAt, at)
				}
				f.emulator.ClearFaults()
				time.Sleep(40*time.Second - 3*lag)
				f.sees(t, "", took(3*lag, anew)) // the rest of the wait is short enough to wait for
			})
		})
		t.Run(jump.String()+"/stale", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFaulty(t)
				f.sees(t, "", anew)
				f.begin(t, misbehaviours["reset"])
				time.Sleep(5*time.Minute - 2*lag)
				f.sees(t, "", cell{Data: seen}) // the last moment of its freshness
				f.setJump(jump)
				time.Sleep(5 * time.Minute)
				f.sees(t, "", beingFetched(10*time.Minute, 1))
				f.setJump(0)
				time.Sleep(110*time.Minute - lag)
				f.setJump(jump)
				f.sees(t, "", took(lag, standsIn(2*time.Hour+lag, "UNAVAILABLE", 1)))
				time.Sleep(22*time.Hour - 4*lag)
				f.sees(t, "", took(lag, standsIn(24*time.Hour-lag, "UNAVAILABLE", 1)))
				f.setJump(0)
				time.Sleep(10 * time.Second)
				f.sees(t, "", triesFail)
			})
		})
	}
}

// A Mixcloud that fails altogether is left alone soon, and what was seen keeps
// coming at once, for a day.
func TestFaults_DownForADay(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		f.ask(t, "")
		f.setWire(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		time.Sleep(2 * time.Hour)
		f.ask(t, "")
		calls, slowest := 0, time.Duration(0)
		const questions = 21 * 60
		for range questions {
			time.Sleep(time.Minute)
			got := f.ask(t, "")
			calls += got.Calls
			slowest = max(slowest, got.Took)
			if got.Data != seen || got.Stale == "" {
				t.Fatalf("got %+v", got)
			}
			// A balancer must not take away the replica that still answers.
			for _, path := range []string{"/livez", "/readyz"} {
				if resp := f.do(httptest.NewRequest(http.MethodGet, path, nil), ""); resp.status != http.StatusOK {
					t.Fatalf("%s is %d", path, resp.status)
				}
			}
		}
		if calls > questions || slowest > lag {
			t.Errorf("%d questions were %d calls, and the slowest took %v", questions, calls, slowest)
		}
		f.setWire(nil)
		time.Sleep(time.Minute)
		if d := cmp.Diff(anew, f.ask(t, "")); d != "" {
			t.Errorf("well again: %s", d)
		}
	})
}

// What nobody has seen is refused at once by a Mixcloud that was found to be
// down, and the log has a line when that begins and one when it ends. One failing
// address alone is no outage, and has no line.
func TestFaults_Log(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		f.setWire(func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") })
		for range 30 {
			f.ask(t, "")
			time.Sleep(time.Second)
		}
		if log := f.log.String(); strings.Contains(log, "circuit breaker") {
			t.Errorf("one address is an outage:\n%s", log)
		}
		f.down.Store(true)
		for i := range 70 {
			f.testServer.execute(t, "", fmt.Sprintf(`{ user(username: "user%d") { name } }`, i), nil)
			time.Sleep(time.Second)
		}
		f.setWire(nil)
		time.Sleep(upstream.DefaultTimeout)
		f.ask(t, "")
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
			"WARN field failed":           11, // one in ten seconds
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// A limit that many calls run into is one line of the log, and the next one is
// another.
func TestFaults_LimitLog(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
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
				t.Fatalf("%d calls were refused", calls)
			}
			f.emulator.ClearFaults()
			time.Sleep(wait)
		}
		if got := strings.Count(f.log.String(), `"rate limited by Mixcloud","kind":"read","principal":"anonymous"`); got != 2 {
			t.Errorf("two limits are %d lines", got)
		}
	})
}

// With --stale-for 0 nothing that is not fresh is shown, however Mixcloud is.
func TestFaults_FreshOnly(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := newTestServer(t, serverOptions{noStale: true})
		const query = `{ user(username: "spartacus") { name } }`
		dataOf(t, s.execute(t, "", query, nil), 0)
		if err := s.emulator.Fail(emulator.Fault{Kind: emulator.FaultReset}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute - time.Nanosecond)
		dataOf(t, s.execute(t, "", query, nil), 0)
		time.Sleep(time.Nanosecond)
		resp := s.execute(t, "", query, nil)
		if data := dataOf(t, resp, 1); data["user"] != nil || len(freshnessOf(t, resp)) > 0 {
			t.Errorf("%s", resp.body)
		}
	})
}
