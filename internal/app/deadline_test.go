package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud/emulator"
)

// An operation that computes until its deadline, without waiting for Mixcloud, returns one error, which names the server's limit.
// To simulate slow computing, the wall clock that rateLimit.retryAt reads sleeps: in synthetic time, computing takes no time.
func TestDeadline_DuringComputation(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const timeout = 30 * time.Second
		s := newTestServer(t, serverOptions{
			config: config.Serve{RequestTimeout: timeout},
			tune: []func(*upstream.Options){func(o *upstream.Options) {
				o.Wall = func() time.Time {
					time.Sleep(2 * timeout)
					return time.Now()
				}
			}},
		})
		if err := s.emulator.Fail(emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Hour}); err != nil {
			t.Fatal(err)
		}
		s.execute(t, "", `{ user(username: "spartacus") { name } }`, nil) // so that retryAt is set
		var query strings.Builder
		for i := range 5 { // more fields than the server executes after the deadline
			fmt.Fprintf(&query, " r%d: rateLimit {", i)
			for j := range 900 {
				fmt.Fprintf(&query, " a%d: retryAt", j)
			}
			query.WriteString(" }")
		}
		resp := s.execute(t, "", "{"+query.String()+" }", nil)
		var data json.RawMessage
		errs := resp.decode(t, &data)
		if resp.status != http.StatusOK || len(errs) != 1 || string(data) != "null" {
			t.Fatalf("status = %d, data = %.100s, %d errors, want 200, null and one error", resp.status, data, len(errs))
		}
		if x := errs[0].Extensions; errs[0].code() != "LIMIT_EXCEEDED" || x["limit"] != "request-timeout" || x["maximum"] != timeout.Seconds() {
			t.Errorf("error = %+v, want LIMIT_EXCEEDED by request-timeout", errs[0])
		}
	})
}
