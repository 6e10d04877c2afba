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

// limitMemory sets the soft memory limit of the Go runtime, and returns the memory that the process should stay within:
// the setting if there is one, else GOMEMLIMIT, else the limit of the container; 0 if there is none. A tenth of the
// container's limit is left for what the runtime does not count.
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

// unsentBytes returns how much of the memory may hold responses that are not yet sent: at most half of it.
func unsentBytes(limit config.Bytes) int64 {
	if limit == 0 {
		return responselimit.DefaultUnsent
	}
	return min(responselimit.DefaultUnsent, int64(limit)/2)
}

// heapFloor is a heap size that the garbage collector assumes to be in use in addition to the real one. It runs when the
// heap has doubled: a server with little in its cache would collect all the time, and each twentieth response would
// take twice as long. A large response takes up to this much more memory than it needs.
const heapFloor = 32 << 20

// raiseHeapFloor lets the collector run less often while the heap is small, until lower is called. The bytes are never
// touched, so they take address space and no memory. It does nothing if the collector is set by GOGC or GOMEMLIMIT, or
// if memory is short.
func raiseHeapFloor(limit config.Bytes) (lower func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" || limit > 0 && limit < 16*heapFloor {
		return func() {}
	}
	ballast := make([]byte, heapFloor)
	return func() { runtime.KeepAlive(ballast) }
}
