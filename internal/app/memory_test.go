package app

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"

	"mixcloud-graphql/internal/config"
)

// TestRaiseHeapFloor is not parallel: it uses the heap and the environment of the process.
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
		"no setting":        {raised: true},
		"GOGC":              {gogc: "100"},
		"GOMEMLIMIT":        {limit: "1GiB"},
		"high memory limit": {memory: 512 << 20, raised: true},
		"low memory limit":  {memory: 256 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.gogc)
			t.Setenv("GOMEMLIMIT", test.limit)
			before := goal()
			lower := raiseHeapFloor(test.memory)
			after := goal()
			lower()
			if raised := after > before+heapFloor; raised != test.raised {
				t.Errorf("heap goal = %d after %d, want raised = %t", after, before, test.raised)
			}
		})
	}
}

// TestLimitMemory is not parallel: it sets the memory limit of the process.
func TestLimitMemory(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	t.Cleanup(func() { debug.SetMemoryLimit(before) })
	debug.SetMemoryLimit(math.MaxInt64)
	if got := limitMemory(1 << 30); got != 1<<30 || debug.SetMemoryLimit(-1) != 1<<30 {
		t.Errorf("limitMemory(1GiB) = %v and the runtime's limit = %d, want 1GiB", got, debug.SetMemoryLimit(-1))
	}
	if got := limitMemory(0); got != 1<<30 {
		t.Errorf("limitMemory(0) = %v, want the runtime's limit of 1GiB", got)
	}
	for limit, want := range map[config.Bytes]int64{0: 256 << 20, 1 << 30: 256 << 20, 512 << 20: 256 << 20, 100 << 20: 50 << 20} {
		if got := unsentBytes(limit); got != want {
			t.Errorf("unsentBytes(%v) = %d, want %d", limit, got, want)
		}
	}
}
