package app

import (
	"log/slog"
	"math"
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/responselimit"
)

const (
	// limitBeyondCaches is added to twice the size of the cache for the default memory limit.
	limitBeyondCaches = 64 << 20
	// programMemory is the resident memory of the program's code and constants. The runtime's limit does not include it.
	programMemory = 24 << 20
	// idleHeap is the heap of a server with an empty cache and without requests, plus the memory of
	// the runtime itself.
	idleHeap = 16 << 20
	// gcPercent is GOGC. The garbage collector runs when the heap has grown to five times what it
	// left last time, or close to the memory limit. With 100, the default of Go, it used a third
	// more CPU time.
	gcPercent = 400
)

// memory contains the limits of a process's memory.
type memory struct {
	limit config.Bytes // of the process; 0 for none
	cache config.Bytes
	// runtime is the limit of Go's runtime; 0 to leave it as it is.
	runtime int64
}

// planMemory returns the limits for the settings --memory-limit (0 for the default) and --cache-bytes. runtimeLimit is
// the value of GOMEMLIMIT, 0 without it, and container the limit of the container, 0 without one.
//
// The default is twice the cache and 64 MiB: a full cache must be well below the limit, or the garbage collector would
// run all the time. For the same reason, a low limit makes the cache smaller.
func planMemory(setting, cache config.Bytes, runtimeLimit int64, container uint64) memory {
	m := memory{limit: setting, cache: cache}
	switch {
	case setting > 0:
	case runtimeLimit == math.MaxInt64: // GOMEMLIMIT=off
		return m
	case runtimeLimit > 0:
		m.limit = config.Bytes(runtimeLimit)
	default:
		m.limit = 2*min(cache, math.MaxInt64/4) + limitBeyondCaches
		if container > 0 && container < math.MaxInt64 {
			m.limit = min(m.limit, config.Bytes(container/10*9))
		}
	}
	if runtimeLimit == 0 {
		m.runtime = max(int64(m.limit)-programMemory, int64(m.limit)/2)
	}
	free := max(m.limit-programMemory-idleHeap, m.limit/4)
	m.cache = min(cache, max((free-(limitBeyondCaches-programMemory-idleHeap))/2, free/4))
	return m
}

// limitMemory sets the limits of Go's runtime, except those that the environment sets, and returns the limits of the
// process.
func limitMemory(setting, cache config.Bytes, log *slog.Logger) memory {
	var runtimeLimit int64
	if os.Getenv("GOMEMLIMIT") != "" {
		runtimeLimit = debug.SetMemoryLimit(-1)
	}
	container, err := memlimit.FromCgroup()
	if err != nil {
		container = 0 // there is no limit, or no cgroup
	}
	m := planMemory(setting, cache, runtimeLimit, container)
	if m.runtime > 0 {
		debug.SetMemoryLimit(m.runtime)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if m.cache < cache {
		log.Warn("response cache reduced to fit the memory limit", "requested", cache, "cache", m.cache, "limit", m.limit)
	}
	return m
}

// unsentBytes returns the maximum size of all responses that are not yet sent: at most a third of the memory that is left
// beyond the cache. Together with request bodies, which may take a quarter of that, and a full cache, this is about two
// thirds of the limit.
func unsentBytes(limit, cache config.Bytes) int64 {
	if limit == 0 {
		return responselimit.DefaultUnsentMemory
	}
	return min(responselimit.DefaultUnsentMemory, int64(max(limit-programMemory-idleHeap-cache, limit/4))/3)
}
