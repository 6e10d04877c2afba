package main

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/bench/process"
)

func TestZipf(t *testing.T) {
	t.Parallel()
	const draws = 200_000
	for name, test := range map[string]struct {
		exponent float64
		want     []float64 // of the first, second and fourth
	}{
		"flat": {exponent: 0.001, want: []float64{0.1, 0.1, 0.1}},
		"Zipf": {exponent: 1, want: []float64{0.3414, 0.1707, 0.0854}}, // 1/H(10), and its half and quarter
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			z := newZipf(1, 10, test.exponent)
			drawn := make([]float64, 10)
			for range draws {
				drawn[z.next()]++
			}
			got := []float64{drawn[0] / draws, drawn[1] / draws, drawn[3] / draws}
			for i := range got {
				if d := got[i] - test.want[i]; d > 0.01 || d < -0.01 {
					t.Errorf("shares are %v, want %v", got, test.want)
				}
			}
		})
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	first, again, other := pages(1), pages(1), pages(2)
	if len(first) < 5000 {
		t.Errorf("pages returned %d requests, want at least 5000", len(first))
	}
	same := func(a, b request) bool { return bytes.Equal(a.body, b.body) }
	if !slices.EqualFunc(first, again, same) {
		t.Error("pages returned different orders for the same seed")
	}
	if slices.EqualFunc(first, other, same) {
		t.Error("pages returned the same order for different seeds")
	}
	seen := map[string]bool{}
	for _, q := range first {
		if seen[string(q.body)] {
			t.Fatalf("pages returned a request twice: %s", q.body)
		}
		seen[string(q.body)] = true
	}
}

func TestResults(t *testing.T) {
	t.Parallel()
	var all results
	for i := range 100 {
		all = append(all, result{took: time.Duration(100-i) * time.Millisecond})
	}
	all[0].failure = "status 503"
	got := map[string]any{
		"p50": all.percentile(0.5), "p99": all.percentile(0.99), "slowest": all.percentile(1), "none": results(nil).percentile(0.5),
		"failed": len(all.failures()), "good": len(all.good()), "first failure": all.firstFailure(), "no failure": all.good().firstFailure(),
	}
	want := map[string]any{
		"p50": 50 * time.Millisecond, "p99": 99 * time.Millisecond, "slowest": 100 * time.Millisecond, "none": time.Duration(0),
		"failed": 1, "good": 99, "first failure": ", such as `status 503`", "no failure": "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	all := counts{{}}
	for i := 1; i <= 100; i++ { // five per second, and ten more in the sixth second
		calls, refused := i/2, 0
		if i >= 60 {
			calls, refused = calls+10, 10
		}
		all = append(all, count{time.Duration(i) * 100 * time.Millisecond, calls, refused})
	}
	got := []any{all.within(0, 2*time.Second), all.within(5*time.Second, 7*time.Second), all.busiest(0, time.Second), all.busiest(7*time.Second, time.Second)}
	want := []any{count{2 * time.Second, 10, 0}, count{2 * time.Second, 20, 10}, 15, 5}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(count{})); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestDistinct(t *testing.T) {
	t.Parallel()
	calls := []process.Request{{Path: "/a/"}, {Path: "/b/", Query: "limit=2"}, {Path: "/a/", Status: 200}, {Path: "/b/", Query: "limit=3"}}
	if got := distinct(calls); got != 3 {
		t.Errorf("%d distinct calls, want 3", got)
	}
	if got := refusals([]process.Request{{Status: 403}, {Status: 200}, {Status: 0}, {Status: 403}}); got != 2 {
		t.Errorf("%d refusals, want 2", got)
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	var log accessLog
	// A pipe can split the output anywhere, also within a line.
	for _, part := range []string{
		`{"time":"2026-01-01T00:00:01Z","msg":"request","status":503,"took":1000000}` + "\n" + `{"time":"2026-01-01T00:00:03Z","msg":"req`,
		`uest","status":503,"took":2000000}` + "\n" + `{"time":"2026-01-01T00:00:03Z","msg":"request","status":200,"took":3000000}` + "\nnot JSON\n",
		`{"time":"2026-01-01T00:00:05Z","msg":"request","status":503,"took":4000000}` + "\n",
	} {
		_, _ = log.Write([]byte(part))
	}
	got := log.results(503, time.Date(2026, 1, 1, 0, 0, 2, 0, time.UTC), time.Date(2026, 1, 1, 0, 0, 4, 0, time.UTC))
	if len(got) != 1 || got[0].took != 2*time.Millisecond {
		t.Errorf("results are %v, want one that took 2ms", got)
	}
}
