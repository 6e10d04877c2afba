package app

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
)

// With --demo an unverified token has no rate limit, since the emulator is in the same process.
// Without --demo, calls with such a token wait.
func TestDemo_NoRateLimit(t *testing.T) {
	t.Parallel()
	sharedWorld()
	var query strings.Builder
	for i := range 60 {
		fmt.Fprintf(&query, " t%d: tag(name: %q) { name }", i, fmt.Sprint("nothing", i)) // a 404 does not verify a token
	}
	for _, demo := range []bool{true, false} {
		t.Run(fmt.Sprint(demo), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{config: config.Serve{Demo: demo, UpstreamRate: 50, UpstreamBurst: 500}})
				began := time.Now()
				resp := s.execute(t, "demo-token", "{"+query.String()+"}", nil)
				if errs := resp.decode(t, new(any)); len(errs) > 0 {
					t.Fatalf("response = %s, want no errors", resp.body)
				}
				if took := time.Since(began); (took < time.Second) != demo {
					t.Errorf("duration = %v, want less than a second: %t", took, demo)
				}
			})
		})
	}
}
