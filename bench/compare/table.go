package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// number is a type of the figures.
type number interface{ ~int | ~int64 | ~float64 }

// median returns the median of values, or 0 without values. It is the mean of two values if their number is even.
func median[T number](values []T) T {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// medianRatio returns the median of the ratios of values to the values of another measurement in the same turns. It is
// not the ratio of the medians: a slow moment of the machine affects both values of a turn. Turns in which the other
// value is 0 do not count.
func medianRatio[T number](values, others []T) float64 {
	var ratios []float64
	for i := range min(len(values), len(others)) {
		if others[i] != 0 {
			ratios = append(ratios, float64(values[i])/float64(others[i]))
		}
	}
	return median(ratios)
}

// write writes the tables.
func write(w io.Writer, r *results, description string) {
	fmt.Fprintf(w, "%s %d rounds.\n", description, r.settings.rounds)
	fmt.Fprintf(w, "\nResponse time in ms with nothing cached, %v for each call, and (ratio to the ideal client):\n\n", r.settings.latency)
	header(w, append([]string{"query", "ideal"}, r.servers...))
	for _, row := range r.cold {
		fmt.Fprintf(w, "| %s | %.1f |", row.name, milliseconds(median(row.ideal)))
		for _, s := range row.servers {
			fmt.Fprintf(w, " %.1f (%.2f) |", milliseconds(median(s.times)), medianRatio(s.times, row.ideal))
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\nCalls to Mixcloud for the same requests:\n\n")
	header(w, append([]string{"query", "minimum"}, r.servers...))
	for _, row := range r.cold {
		fmt.Fprintf(w, "| %s | %d |", row.name, row.minimum)
		for _, s := range row.servers {
			fmt.Fprintf(w, " %d |", median(s.calls))
		}
		fmt.Fprintln(w)
	}
	for _, repeats := range []bool{false, true} {
		title := "new variables in each request"
		if repeats {
			title = "the same variables in each request"
		}
		fmt.Fprintf(w, "\nProcessor time of the server per request in µs, %d connections, %s, and (ratio to this server):\n\n", r.settings.connections, title)
		header(w, append([]string{"query"}, r.servers...))
		for _, row := range r.loads {
			if row.repeats == repeats {
				writeLoad(w, row)
			}
		}
	}
	fmt.Fprint(w, "\nResident memory in MiB:\n\n")
	header(w, append([]string{"memory"}, r.servers...))
	for _, m := range []struct {
		name string
		of   func(memory) int64
	}{
		{"after the start", func(m memory) int64 { return m.idle }},
		{"peak", func(m memory) int64 { return m.peak }},
	} {
		fmt.Fprintf(w, "| %s |", m.name)
		for _, s := range r.memory {
			fmt.Fprintf(w, " %d |", m.of(s)>>20)
		}
		fmt.Fprintln(w)
	}
}

// writeLoad writes a row with the processor times of a query. The first server is this one.
func writeLoad(w io.Writer, row loadRow) {
	costs := make([][]time.Duration, len(row.servers))
	fmt.Fprintf(w, "| %s |", row.name)
	for i, measures := range row.servers {
		failed := 0
		for _, m := range measures {
			costs[i] = append(costs[i], m.cost())
			failed += m.failed
		}
		fmt.Fprintf(w, " %d", median(costs[i]).Microseconds())
		if i > 0 {
			fmt.Fprintf(w, " (%.1f)", medianRatio(costs[i], costs[0]))
		}
		if failed > 0 {
			fmt.Fprintf(w, ", %d failed", failed)
		}
		fmt.Fprint(w, " |")
	}
	fmt.Fprintln(w)
}

func header(w io.Writer, columns []string) {
	fmt.Fprintf(w, "| %s |\n| --- |%s\n", strings.Join(columns, " | "), strings.Repeat(" ---: |", len(columns)-1))
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// describe describes the run and the machine.
func describe(now time.Time, node string, pinned bool) string {
	text := now.Format(time.DateOnly) + ", " + processorModel() + fmt.Sprintf(", %d cores, %s, Node %s, load average %s.", runtime.NumCPU(), runtime.Version(), node, loadAverage())
	if pinned {
		text += " The servers share one core; the load generator and Mixcloud have another one."
	}
	return text
}

// processorModel returns the name of the processor, or "unknown processor".
func processorModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it the name is unknown
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

// loadAverage returns the load average of the last minute, or "unknown".
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := bytes.Fields(text); err == nil && len(fields) > 0 {
		return string(fields[0])
	}
	return "unknown"
}
