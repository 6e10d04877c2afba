package app

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"mixcloud-graphql/internal/config"
)

// TestRaiseHeapFloor cannot be parallel: there is one heap, and one environment.
func TestRaiseHeapFloor(t *testing.T) {
	goal := func() uint64 {
		runtime.GC()
		s := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	for name, test := range map[string]struct {
		gogc, limit string
		memory      config.Bytes
		raised      bool
	}{
		"nothing set":           {raised: true},
		"the collector's pace":  {gogc: "100"},
		"the most that is used": {limit: "1GiB"},
		"much memory":           {memory: 512 << 20, raised: true},
		"little memory":         {memory: 256 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.gogc)
			t.Setenv("GOMEMLIMIT", test.limit)
			before := goal()
			lower := raiseHeapFloor(test.memory)
			after := goal()
			lower()
			if raised := after > before+heapFloor; raised != test.raised {
				t.Errorf("the collector runs at %d bytes, and at %d before", after, before)
			}
		})
	}
}

// TestLimitMemory cannot be parallel: there is one limit.
func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	debug.SetMemoryLimit(math.MaxInt64)
	if got := limitMemory(1 << 30); got != 1<<30 || debug.SetMemoryLimit(-1) != 1<<30 {
		t.Errorf("limit %v, and %d of the runtime, want 1GiB", got, debug.SetMemoryLimit(-1))
	}
	if got := limitMemory(0); got != 1<<30 {
		t.Errorf("limit %v, want that of GOMEMLIMIT", got)
	}
	for limit, want := range map[config.Bytes]int64{0: 256 << 20, 1 << 30: 256 << 20, 512 << 20: 256 << 20, 100 << 20: 50 << 20} {
		if got := unsentBytes(limit); got != want {
			t.Errorf("%v: %d bytes of unsent responses, want %d", limit, got, want)
		}
	}
}
