package app

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud/emulator"
)

// A reportedLimit contains all reports of one response about the rate limit.
type reportedLimit struct {
	budget, remaining *int
	retryAt           *time.Time
	header            http.Header
	waits             []time.Duration // of errors with RATE_LIMITED
}

// The field rateLimit, the headers and the errors of a response agree, in each state of the rate limit.
func TestRateLimit_AllReportsAgree(t *testing.T) {
	t.Parallel()
	sharedWorld()
	const calls = `user(username: "spartacus") { name }`
	refuse := func(wait time.Duration) func(*testing.T, *testServer) {
		return func(t *testing.T, s *testServer) {
			if err := s.emulator.Fail(emulator.Fault{Match: "/spartacus/", Kind: emulator.FaultRateLimit, RetryAfter: wait, Times: 1}); err != nil {
				t.Fatal(err)
			}
			s.execute(t, "", "{ "+calls+" }", nil)
		}
	}
	spend := func(t *testing.T, s *testServer) {
		s.execute(t, "", `{ popular(first: 3) { nodes { description } } }`, nil)
	}
	tests := map[string]struct {
		config    config.Serve
		before    func(*testing.T, *testServer)
		query     string
		limit     string // the headers RateLimit and RateLimit-Policy
		wait      string // Retry-After
		remaining string // in the graph
	}{
		"unknown":         {remaining: "null"},
		"known":           {config: config.Serve{UpstreamRate: 10, UpstreamBurst: 7}, limit: `"mixcloud";r=7 "mixcloud";q=7`, remaining: "7"},
		"partly spent":    {config: config.Serve{UpstreamRate: 0.001, UpstreamBurst: 7}, before: spend, limit: `"mixcloud";r=3 "mixcloud";q=7`, remaining: "3"},
		"spent":           {config: config.Serve{UpstreamRate: 0.001, UpstreamBurst: 4}, before: spend, limit: `"mixcloud";r=0 "mixcloud";q=4`, remaining: "0"},
		"exceeded":        {config: config.Serve{UpstreamRate: 0.02, UpstreamBurst: 4}, before: spend, query: calls, limit: `"mixcloud";r=0;t=50 "mixcloud";q=4`, wait: "50", remaining: "0"},
		"paused":          {config: config.Serve{UpstreamRate: 10, UpstreamBurst: 7}, before: refuse(90 * time.Second), query: calls, limit: `"mixcloud";r=0;t=90 "mixcloud";q=7`, wait: "90", remaining: "0"},
		"paused, no call": {config: config.Serve{UpstreamRate: 10, UpstreamBurst: 7}, before: refuse(90 * time.Second), limit: `"mixcloud";r=0;t=90 "mixcloud";q=7`, remaining: "0"},
		"paused, no rate": {before: refuse(90 * time.Second), query: calls, limit: `"mixcloud";r=0;t=90`, wait: "90", remaining: "0"},
		"after the pause": {
			config: config.Serve{UpstreamRate: 10, UpstreamBurst: 7}, limit: `"mixcloud";r=1 "mixcloud";q=1`, remaining: "1",
			before: func(t *testing.T, s *testServer) {
				refuse(90*time.Second)(t, s)
				time.Sleep(90 * time.Second)
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{config: tt.config})
				if tt.before != nil {
					tt.before(t, s)
				}
				reported := queryLimit(t, s, tt.query)
				if got := strings.TrimSpace(reported.header.Get("RateLimit") + " " + reported.header.Get("RateLimit-Policy")); got != tt.limit {
					t.Errorf("RateLimit headers = %q, want %q", got, tt.limit)
				}
				if got := reported.header.Get("Retry-After"); got != tt.wait {
					t.Errorf("Retry-After = %q, want %q", got, tt.wait)
				}
				remaining := "null"
				if reported.remaining != nil {
					remaining = strconv.Itoa(*reported.remaining)
				}
				if remaining != tt.remaining {
					t.Errorf("remaining = %s, want %s", remaining, tt.remaining)
				}
				reported.check(t)
			})
		})
	}
}

// queryLimit executes an operation with the given fields and rateLimit.
func queryLimit(t *testing.T, s *testServer, fields string) reportedLimit {
	t.Helper()
	var data struct {
		RateLimit struct {
			Budget, Spent, Remaining *int
			RetryAt                  *time.Time
		}
	}
	resp := s.execute(t, "", "{ "+fields+" rateLimit { budget spent remaining retryAt } }", nil)
	reported := reportedLimit{header: resp.header}
	for _, err := range resp.decode(t, &data) {
		if ms, ok := err.Extensions["retryAfterMs"].(float64); ok && err.code() == "RATE_LIMITED" {
			reported.waits = append(reported.waits, time.Duration(ms)*time.Millisecond)
		}
	}
	r := data.RateLimit
	reported.budget, reported.remaining, reported.retryAt = r.Budget, r.Remaining, r.RetryAt
	if r.Budget != nil && *r.Budget != *r.Spent+*r.Remaining {
		t.Errorf("budget = %d, want spent %d + remaining %d", *r.Budget, *r.Spent, *r.Remaining)
	}
	return reported
}

// check compares the reports with each other.
func (l reportedLimit) check(t *testing.T) {
	t.Helper()
	limit := l.header.Get("RateLimit")
	if l.budget != nil && l.header.Get("RateLimit-Policy") != fmt.Sprintf(`"mixcloud";q=%d`, *l.budget) {
		t.Errorf("RateLimit-Policy = %q, want the budget %d", l.header.Get("RateLimit-Policy"), *l.budget)
	}
	if l.remaining != nil && !strings.HasPrefix(limit+";", fmt.Sprintf(`"mixcloud";r=%d;`, *l.remaining)) {
		t.Errorf("RateLimit = %q, want %d remaining", limit, *l.remaining)
	}
	if l.retryAt != nil {
		if left := time.Until(*l.retryAt); !strings.HasSuffix(limit, fmt.Sprintf(";t=%d", int(left.Seconds()+0.999))) {
			t.Errorf("RateLimit = %q, want a reset in %v as in retryAt", limit, left)
		}
	}
	for _, wait := range l.waits {
		seconds := fmt.Sprint(int(wait.Seconds() + 0.999))
		if l.header.Get("Retry-After") != seconds || !strings.HasSuffix(limit, ";t="+seconds) {
			t.Errorf("Retry-After = %q, RateLimit = %q, want the wait of the error, %v", l.header.Get("Retry-After"), limit, wait)
		}
		if l.retryAt != nil && time.Until(*l.retryAt) != wait {
			t.Errorf("retryAt is in %v, want the wait of the error, %v", time.Until(*l.retryAt), wait)
		}
	}
}
