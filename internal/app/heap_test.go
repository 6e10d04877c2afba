package app

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

// TestRaiseFloor cannot be parallel: there is one heap, and one environment.
func TestRaiseFloor(t *testing.T) {
	goal := func() uint64 {
		runtime.GC()
		s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	for name, test := range map[string]struct {
		gogc, limit string
		raised      bool
	}{
		"nothing set":           {raised: true},
		"the collector's pace":  {gogc: "100"},
		"the most that is used": {limit: "1GiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.gogc)
			t.Setenv("GOMEMLIMIT", test.limit)
			before := goal()
			lower := raiseFloor()
			after := goal()
			lower()
			if raised := after > before+floor; raised != test.raised {
				t.Errorf("the collector runs at %d bytes, and at %d before", after, before)
			}
		})
	}
}
