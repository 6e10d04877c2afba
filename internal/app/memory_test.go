package app

import (
	"bytes"
	"log/slog"
	"math"
	"runtime/debug"
	"strings"
	"testing"

	"mixcloud-graphql/internal/config"
)

func TestPlanMemory(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	for name, test := range map[string]struct {
		setting, cache config.Bytes
		runtime        int64
		container      uint64
		want           memory
	}{
		"default":                    {cache: 256 * mib, want: memory{576 * mib, 256 * mib, 552 * mib}},
		"small cache":                {cache: 32 * mib, want: memory{128 * mib, 32 * mib, 104 * mib}},
		"no cache":                   {want: memory{64 * mib, 0, 40 * mib}},
		"large container":            {cache: 256 * mib, container: 4096 * mib, want: memory{576 * mib, 256 * mib, 552 * mib}},
		"small container":            {cache: 256 * mib, container: 160 * mib, want: memory{144 * mib, 40 * mib, 120 * mib}},
		"container without limit":    {cache: 32 * mib, container: math.MaxUint64, want: memory{128 * mib, 32 * mib, 104 * mib}},
		"flag":                       {setting: 1024 * mib, cache: 256 * mib, container: 512 * mib, want: memory{1024 * mib, 256 * mib, 1000 * mib}},
		"low flag":                   {setting: 64 * mib, cache: 256 * mib, want: memory{64 * mib, 6 * mib, 40 * mib}},
		"GOMEMLIMIT":                 {cache: 32 * mib, runtime: 512 * mib, container: 256 * mib, want: memory{limit: 512 * mib, cache: 32 * mib}},
		"low GOMEMLIMIT":             {cache: 256 * mib, runtime: 128 * mib, want: memory{limit: 128 * mib, cache: 32 * mib}},
		"GOMEMLIMIT=off":             {cache: 256 * mib, runtime: math.MaxInt64, container: 128 * mib, want: memory{cache: 256 * mib}},
		"GOMEMLIMIT=off and flag":    {setting: 128 * mib, cache: 32 * mib, runtime: math.MaxInt64, want: memory{limit: 128 * mib, cache: 32 * mib}},
		"cache of the maximum size":  {cache: math.MaxInt64, container: 1024 * mib, want: memory{limit: 1024 * mib / 10 * 9, cache: (1024*mib/10*9 - 64*mib) / 2, runtime: 1024*mib/10*9 - 24*mib}},
		"GOMEMLIMIT below the least": {cache: 256 * mib, runtime: 8 * mib, want: memory{limit: 8 * mib, cache: mib / 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := planMemory(test.setting, test.cache, test.runtime, test.container); got != test.want {
				t.Errorf("planMemory(%d, %d, %d, %d) = %+v, want %+v", test.setting, test.cache, test.runtime, test.container, got, test.want)
			}
		})
	}
}

// TestUnsentBytes checks that a full cache with the maximum of responses and bodies leaves a third of the memory to the
// garbage collector.
func TestUnsentBytes(t *testing.T) {
	t.Parallel()
	for _, limit := range []config.Bytes{64 << 20, 128 << 20, 200 << 20, 576 << 20, 2 << 30} {
		m := planMemory(limit, 256<<20, 0, 0)
		unsent := unsentBytes(m.limit, m.cache)
		full := int64(m.cache) + unsent + unsent/4 + idleHeap
		if full > m.runtime*3/4 || unsent < int64(limit)/16 {
			t.Errorf("limit %v: cache, responses, bodies and idle heap take %d bytes, want at most %d; unsent responses may take %d, want at least %d", limit, full, m.runtime*3/4, unsent, int64(limit)/16)
		}
	}
	if got := unsentBytes(0, 256<<20); got != 256<<20 {
		t.Errorf("unsentBytes without a limit = %d, want 256 MiB", got)
	}
}

// TestLimitMemory is not parallel: it sets the limits and the environment of the process.
func TestLimitMemory(t *testing.T) {
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(100)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	})
	for name, test := range map[string]struct {
		gogc, gomemlimit string
		cache            config.Bytes
		limit            int64
		percent          int
		logged           bool
	}{
		"no environment": {cache: 32 << 20, limit: 128<<20 - programMemory, percent: gcPercent},
		"GOGC":           {gogc: "100", cache: 32 << 20, limit: 128<<20 - programMemory, percent: 100},
		"GOMEMLIMIT":     {gomemlimit: "1GiB", cache: 32 << 20, limit: 1 << 30, percent: gcPercent},
		"large cache":    {cache: 256 << 20, limit: 128<<20 - programMemory, percent: gcPercent, logged: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOGC", test.gogc)
			t.Setenv("GOMEMLIMIT", test.gomemlimit)
			debug.SetMemoryLimit(1 << 30)
			debug.SetGCPercent(100)
			var log bytes.Buffer
			limitMemory(128<<20, test.cache, slog.New(slog.NewTextHandler(&log, nil)))
			if got := debug.SetMemoryLimit(-1); got != test.limit {
				t.Errorf("the runtime's limit is %d, want %d", got, test.limit)
			}
			if got := debug.SetGCPercent(100); got != test.percent {
				t.Errorf("GOGC is %d, want %d", got, test.percent)
			}
			if logged := strings.Contains(log.String(), "requested=256MiB cache=32MiB limit=128MiB"); logged != test.logged {
				t.Errorf("logged %q, want a line about the cache: %t", &log, test.logged)
			}
		})
	}
}
