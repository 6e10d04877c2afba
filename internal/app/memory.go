package app

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/responselimit"
)

// limitMemory sets the soft memory limit of the Go runtime and returns the memory limit of the process: the setting,
// else GOMEMLIMIT, else the container's limit, else 0. A tenth of the container's limit is left for memory that the
// runtime does not count.
func limitMemory(setting config.Bytes) config.Bytes {
	if setting > 0 {
		debug.SetMemoryLimit(int64(setting))
		return setting
	}
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return config.Bytes(limit)
	}
	limit, err := memlimit.FromCgroup()
	if err != nil || limit == 0 || limit > math.MaxInt64 {
		return 0
	}
	debug.SetMemoryLimit(int64(limit / 10 * 9))
	return config.Bytes(limit)
}

// unsentBytes returns the maximum size of all responses that are not yet sent: at most half of the memory limit.
func unsentBytes(limit config.Bytes) int64 {
	if limit == 0 {
		return responselimit.DefaultUnsentMemory
	}
	return min(responselimit.DefaultUnsentMemory, int64(limit)/2)
}

// heapFloor is the size of the unused allocation that raiseHeapFloor adds to the heap. The garbage collector runs when
// the heap has doubled: with an almost empty cache it would run all the time, and one response in twenty would take
// twice as long. The cost is up to 32 MiB more memory during a large response.
const heapFloor = 32 << 20

// raiseHeapFloor makes the garbage collector run less often while the heap is small, until lower is called. The
// allocation is never written to, so it uses address space but no memory. raiseHeapFloor does nothing if GOGC or
// GOMEMLIMIT is set, or if the memory limit is low.
func raiseHeapFloor(limit config.Bytes) (lower func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" || limit > 0 && limit < 16*heapFloor {
		return func() {}
	}
	ballast := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(ballast) }
}
