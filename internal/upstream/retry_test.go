package upstream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
)

// Reads are retried twice with a growing backoff, only after transient errors or rate limit errors, and never before the wait
// of a Retry-After is over.
func TestRetry(t *testing.T) {
	t.Parallel()
	const round = 10 * time.Millisecond
	withRetryAfter := broken
	withRetryAfter.header = map[string]string{"Retry-After": "3"}
	tests := map[string]struct {
		replies []reply // the last one is repeated
		calls   int
		took    time.Duration
		code    gqlerr.Code
	}{
		"one 502":                 {[]reply{broken, {delay: round}}, 2, 2*round + 100*time.Millisecond, ""},
		"two resets":              {[]reply{{err: errors.New("reset")}, {err: errors.New("reset")}, {}}, 3, 300 * time.Millisecond, ""},
		"permanent failure":       {[]reply{broken}, 3, 3*round + 300*time.Millisecond, gqlerr.CodeUpstreamUnavailable},
		"Retry-After":             {[]reply{withRetryAfter}, 1, round, gqlerr.CodeUpstreamUnavailable},
		"rate limited":            {[]reply{limited("2"), {delay: round}}, 2, 2*round + 2*time.Second, ""},
		"rate limited again":      {[]reply{limited("2")}, 3, 3*round + 4*time.Second, gqlerr.CodeRateLimited},
		"rate limited for longer": {[]reply{limited("60"), {}}, 1, round, gqlerr.CodeRateLimited},
		"not found":               {[]reply{missing}, 1, round, gqlerr.CodeNotFound},
		"malformed":               {[]reply{{body: "{"}}, 1, 0, gqlerr.CodeUpstreamBadResponse},
		"timeout":                 {[]reply{{delay: time.Hour}}, 1, time.Second, gqlerr.CodeUpstreamTimeout},
		"bot protection page":     {[]reply{{status: 403, body: "<html>"}}, 1, 0, gqlerr.CodeUpstreamUnavailable},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newTestStore(t, Options{Timeout: time.Second}, func(c call) reply { return tt.replies[min(c.n, len(tt.replies))-1] })
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				session, began := s.Session(""), time.Now()
				_, err := Fetch(ctx, session, user("/a/"))
				if took := time.Since(began); gqlerr.CodeOf(err) != tt.code || took != tt.took || session.Cost().Calls != tt.calls {
					t.Errorf("Fetch = %v after %v, cost %+v, want code %s after %v and %d calls", err, took, session.Cost(), tt.code, tt.took, tt.calls)
				}
				wantCalls(t, up, tt.calls)
			})
		})
	}
}

// A read without waiters is not retried.
func TestRetry_NoWaiters(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{}, func(call) reply { return reply{delay: time.Second, status: 502, body: "<html>"} })
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		fetchName(ctx, s.Session(""), "/a/")
		time.Sleep(time.Minute)
		wantCalls(t, up, 1)
	})
}

// Retries are at most one in ten calls, for any number of failures. The test bypasses the
// breakers, which would stop the calls earlier.
func TestRetry_Budget(t *testing.T) {
	t.Parallel()
	var r retryBudget
	tries := 0
	const calls = 2000
	for range calls {
		r.deposit()
		for range 2 {
			if r.withdraw() {
				tries++
			}
		}
	}
	if limit := retryBurst + retryShare*calls; float64(tries) > limit || float64(tries) < limit-2 {
		t.Errorf("%d retries of %d calls, want about %v", tries, calls, limit)
	}
}
