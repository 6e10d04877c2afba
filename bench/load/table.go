package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"time"
)

// answers are many of them.
type results []result

// failures are those that are no full answers.
func (all results) failures() results {
	return all.filter(func(a result) bool { return a.failure != "" })
}

func (all results) good() results {
	return all.filter(func(a result) bool { return a.failure == "" })
}

func (all results) filter(which func(result) bool) results {
	return slices.DeleteFunc(slices.Clone(all), func(a result) bool { return !which(a) })
}

// at is the time within which a share of the answers came; 0 without any.
func (all results) percentile(share float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	times := make([]time.Duration, len(all))
	for i, a := range all {
		times[i] = a.took
	}
	slices.Sort(times)
	return times[max(int(math.Ceil(share*float64(len(times))))-1, 0)]
}

// why is the first failure, for a row that has some.
func (all results) firstFailure() string {
	if bad := all.failures(); len(bad) > 0 {
		return ", such as `" + bad[0].failure + "`"
	}
	return ""
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}

func percent(part, whole int) string {
	return fmt.Sprintf("%.2f %%", 100*ratio(part, whole))
}

func ratio[T int | float64 | time.Duration](part, whole T) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return float64(part) / float64(whole)
}

// machine says what measures, and how busy it is with other things.
func machine() string {
	return fmt.Sprintf("%d cores, %s %s/%s, load average %s.", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, loadAverage())
}

// loadAverage is the one of the last minute, where it can be told.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := bytes.Fields(text); err == nil && len(fields) > 0 {
		return string(fields[0])
	}
	return "unknown"
}
