package telemetry

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestSampler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s Sampler
		check := func(key string, wantSuppressed int, wantNow bool) {
			t.Helper()
			if n, now := s.Sample(key); n != wantSuppressed || now != wantNow {
				t.Errorf("%s: %d suppressed, now %v; want %d, %v", key, n, now, wantSuppressed, wantNow)
			}
		}
		check("a", 0, true)
		check("a", 0, false)
		check("b", 0, true)
		time.Sleep(SampleInterval - 1)
		check("a", 0, false)
		time.Sleep(time.Nanosecond)
		check("a", 2, true)
		check("a", 0, false)
	})
}
