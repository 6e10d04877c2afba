package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"time"
)

// printTable writes a line about the machine, and the table.
func printTable(w io.Writer, runs int, latency time.Duration, rows []row) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%d cores, %s %s/%s%s. Latency %v, medians of %d runs, each with a new server.\n\n",
		runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, loadAverage(), latency, runs)
	fmt.Fprintln(&b, "| query | calls | minimum | ratio | time ms | critical path ms | ratio to critical path | ratio to measured ideal |")
	fmt.Fprintln(&b, "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, r := range rows {
		took := median(r.times)
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f | %.1f | %.1f | %.2f | %.2f |\n", r.name,
			r.calls, r.minimum, float64(r.calls)/float64(r.minimum),
			milliseconds(took), milliseconds(r.criticalPath), float64(took)/float64(r.criticalPath), median(r.ratios()))
	}
	_, err := w.Write(b.Bytes())
	return err
}

// ratios returns the ratio of the time to that of the ideal client, for each run.
func (r row) ratios() []float64 {
	ratios := make([]float64, len(r.times))
	for i := range ratios {
		ratios[i] = float64(r.times[i]) / float64(r.ideal[i])
	}
	return ratios
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median returns the median, or the higher of the two middle values.
func median[T float64 | time.Duration](all []T) T {
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/2]
}

// loadAverage returns the machine's load average as text, or "" if it is unknown.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := bytes.Fields(text); err == nil && len(fields) > 0 {
		return fmt.Sprintf(", load %s", fields[0])
	}
	return ""
}
