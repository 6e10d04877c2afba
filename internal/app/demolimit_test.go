package app

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/config"
)

// TestDemo_noLimits lets a token that nothing is known of make as many calls as it
// wants with --demo, whose Mixcloud is this process. Otherwise it waits.
func TestDemo_noLimits(t *testing.T) {
	t.Parallel()
	sharedWorld()
	var query strings.Builder
	for i := range 60 {
		fmt.Fprintf(&query, " t%d: tag(name: %q) { name }", i, fmt.Sprint("nothing", i)) // a 404 proves no token
	}
	for _, demo := range []bool{true, false} {
		t.Run(fmt.Sprint(demo), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{config: config.Serve{Demo: demo, UpstreamRate: 50, UpstreamBurst: 500}})
				began := time.Now()
				resp := s.execute(t, "demo-token", "{"+query.String()+"}", nil)
				if errs := resp.decode(t, new(any)); len(errs) > 0 {
					t.Fatalf("%s", resp.body)
				}
				if took := time.Since(began); (took < time.Second) != demo {
					t.Errorf("it takes %v", took)
				}
			})
		})
	}
}
