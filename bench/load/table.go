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

// results are the results of several requests.
type results []result

// failures returns the results with an error.
func (all results) failures() results {
	return all.filter(func(a result) bool { return a.failure != "" })
}

// good returns the results without an error.
func (all results) good() results {
	return all.filter(func(a result) bool { return a.failure == "" })
}

func (all results) filter(keep func(result) bool) results {
	return slices.DeleteFunc(slices.Clone(all), func(r result) bool { return !keep(r) })
}

// percentile returns the time within which a share of the responses arrived, or 0 without results.
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

// firstFailure returns the first failure as text for a row, or "".
func (all results) firstFailure() string {
	if failed := all.failures(); len(failed) > 0 {
		return ", such as `" + failed[0].failure + "`"
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

// machine describes the machine in one line, with its load average.
func machine() string {
	return fmt.Sprintf("%d cores, %s %s/%s, load average %s.", runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, loadAverage())
}

// loadAverage returns the load average of the last minute, or "unknown".
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := bytes.Fields(text); err == nil && len(fields) > 0 {
		return string(fields[0])
	}
	return "unknown"
}
