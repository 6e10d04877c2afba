package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values []int
		want   int
	}{
		"no value":      {nil, 0},
		"one value":     {[]int{7}, 7},
		"odd number":    {[]int{9, 1, 5}, 5},
		"even number":   {[]int{8, 1, 2, 4}, 3},
		"outlier":       {[]int{1, 1, 1000}, 1},
		"unsorted twos": {[]int{2, 1, 2}, 2},
	} {
		if got := median(test.values); got != test.want {
			t.Errorf("%s: median(%v) = %d, want %d", name, test.values, got, test.want)
		}
	}
}

func TestMedianRatio_ComparesValuesOfTheSameTurn(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		values, others []float64
		want           float64
	}{
		"no value":          {nil, nil, 0},
		"constant ratio":    {[]float64{2, 20, 200}, []float64{1, 10, 100}, 2},
		"not of medians":    {[]float64{10, 40, 30}, []float64{10, 10, 20}, 1.5}, // the ratio of the medians is 3
		"other value is 0":  {[]float64{2, 3}, []float64{0, 1}, 3},
		"different lengths": {[]float64{2, 4, 9}, []float64{1, 2}, 2},
	} {
		if got := medianRatio(test.values, test.others); math.Abs(got-test.want) > 1e-9 {
			t.Errorf("%s: medianRatio(%v, %v) = %v, want %v", name, test.values, test.others, got, test.want)
		}
	}
}

func TestCost_IsPerRequest(t *testing.T) {
	t.Parallel()
	if got := (loadMeasure{requests: 4, processorTime: time.Second}).cost(); got != 250*time.Millisecond {
		t.Errorf("cost of 1s for 4 requests = %v, want 250ms", got)
	}
	if got := (loadMeasure{processorTime: time.Second}).cost(); got != time.Second {
		t.Errorf("cost of 1s for no request = %v, want 1s", got)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	perRequest := func(costs ...time.Duration) (all []loadMeasure) {
		for _, c := range costs {
			all = append(all, loadMeasure{requests: 10, processorTime: 10 * c})
		}
		return all
	}
	failed := perRequest(4*ms, 6*ms)
	failed[1].failed = 3
	r := &results{
		settings: settings{rounds: 2, latency: 20 * ms, connections: 32},
		servers:  []string{"this server", "other"},
		cold: []coldRow{{"1 user", 1, []time.Duration{20 * ms, 40 * ms}, []coldMeasures{
			{[]time.Duration{22 * ms, 44 * ms}, []int{1, 1}},
			{[]time.Duration{30 * ms, 60 * ms}, []int{2, 2}},
		}}},
		loads: []loadRow{
			{"1 user", false, [][]loadMeasure{perRequest(ms, 2*ms), perRequest(3*ms, 6*ms)}},
			{"2 list", true, [][]loadMeasure{perRequest(2*ms, 2*ms), failed}},
		},
		memory: []memory{{25 << 20, 100 << 20}, {70 << 20, 200 << 20}},
	}
	var got strings.Builder
	write(&got, r, "A machine.")
	const want = `A machine. 2 rounds.

Response time in ms with nothing cached, 20ms for each call, and (ratio to the ideal client):

| query | ideal | this server | other |
| --- | ---: | ---: | ---: |
| 1 user | 30.0 | 33.0 (1.10) | 45.0 (1.50) |

Calls to Mixcloud for the same requests:

| query | minimum | this server | other |
| --- | ---: | ---: | ---: |
| 1 user | 1 | 1 | 2 |

Processor time of the server per request in µs, 32 connections, new variables in each request, and (ratio to this server):

| query | this server | other |
| --- | ---: | ---: |
| 1 user | 1500 | 4500 (3.0) |

Processor time of the server per request in µs, 32 connections, the same variables in each request, and (ratio to this server):

| query | this server | other |
| --- | ---: | ---: |
| 2 list | 2000 | 5000 (2.5), 3 failed |

Resident memory in MiB:

| memory | this server | other |
| --- | ---: | ---: |
| after the start | 25 | 70 |
| peak | 100 | 200 |
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("tables (-want +got):\n%s", diff)
	}
}

// TestPlans checks the minimum number of calls of each query, and that different variables cause
// different calls.
func TestPlans(t *testing.T) {
	t.Parallel()
	queries, err := loadQueries("")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{mixcloud: new(mixcloud)}
	var calls []int
	seen := map[string]string{}
	for _, q := range queries {
		for n := range int64(3) {
			plan, err := b.plan(q, n)
			if err != nil {
				t.Fatal(err)
			}
			if n == 0 {
				calls = append(calls, plan.Calls())
			}
			for _, round := range plan.Rounds {
				for _, c := range round {
					call := q.name + c.Path + "?" + c.Query
					if seen[call] != "" {
						t.Errorf("%s: variables %v cause the call %s again", q.name, q.variables(n), c.Path)
					}
					seen[call] = q.name
				}
			}
		}
	}
	if diff := cmp.Diff([]int{1, 2, 21, 8, 36, 1, 12}, calls); diff != "" {
		t.Errorf("minimum numbers of calls (-want +got):\n%s", diff)
	}
}

func TestBody_HasTheVariables(t *testing.T) {
	t.Parallel()
	queries, err := loadQueries("")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		for _, folder := range []string{ourQueries, nodeQueries} {
			want, err := json.Marshal(map[string]any{"query": q.texts[folder], "variables": q.variables(7)})
			if got := q.body(folder, 7); string(got) != string(want) || err != nil {
				t.Errorf("body of %s in %s = %s, want %s", q.name, folder, got, want)
			}
			for name := range q.variables(7) {
				if !strings.Contains(q.texts[folder], "$"+name) {
					t.Errorf("%s in %s has no variable $%s", q.name, folder, name)
				}
			}
		}
	}
}

func TestScalars(t *testing.T) {
	t.Parallel()
	got, err := scalars([]byte(`{"data": {"a": {"nodes": [{"b": 1}, {"b": "x"}]}, "c": null}}`))
	if diff := cmp.Diff([]string{"1", "<nil>", "x"}, got); diff != "" || err != nil {
		t.Errorf("scalars returned error %v, and values that differ (-want +got):\n%s", err, diff)
	}
	for _, response := range []string{`{`, `{"data": null, "errors": [{"message": "no"}]}`} {
		if values, err := scalars([]byte(response)); err == nil {
			t.Errorf("scalars(%s) = %v, want an error", response, values)
		}
	}
}

func TestLoadGenerator_CountsFailures(t *testing.T) {
	t.Parallel()
	responses := map[string]func(w http.ResponseWriter){
		"good":   func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"data":{"a":1}}`) },
		"errors": func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"errors":[{"message":"no"}]}`) },
		"status": func(w http.ResponseWriter) { http.Error(w, "overloaded", http.StatusServiceUnavailable) },
		"short":  func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{}`) },
	}
	for name, respond := range responses {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			traffic, stop := context.WithCancel(t.Context())
			requests := 0 // on one connection
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if requests++; requests == 3 {
					stop()
				}
				if name == "short" {
					stop()
				}
				respond(w)
			}))
			defer server.Close()
			g := &loadGenerator{address: server.Listener.Addr().String(), query: query{name: "1 user"}}
			g.run(t.Context(), traffic)
			want := g.requests.Load()
			if name == "good" {
				want = 0
			}
			if g.requests.Load() == 0 || g.failed.Load() != want {
				t.Errorf("%d of %d requests failed, want %d failures, and at least 1 request", g.failed.Load(), g.requests.Load(), want)
			}
		})
	}
}

func TestRun_Errors(t *testing.T) {
	for name, test := range map[string]struct {
		folder string // working directory
		args   []string
		want   string
	}{
		"another folder": {".", nil, "root of the repository"},
		"no Node":        {"../..", nil, "needs Node 20 or later"},
		"no round":       {"../..", []string{"-rounds", "0"}, "-rounds"},
		"unknown query":  {"../..", []string{"-queries", "nothing"}, `"nothing"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(test.folder)
			t.Setenv("PATH", t.TempDir()) // no programs
			var stdout bytes.Buffer
			err := run(t.Context(), test.args, &stdout, io.Discard)
			if err == nil || !strings.Contains(err.Error(), test.want) || stdout.Len() > 0 {
				t.Errorf("run(%q) = %v with output %q, want an error that contains %q and no output", test.args, err, &stdout, test.want)
			}
		})
	}
}

func TestCheckVersion(t *testing.T) {
	t.Parallel()
	for version, good := range map[string]bool{"v20.18.0": true, "v24.1.0": true, "v18.20.1": false, "": false, "next": false} {
		if err := checkVersion(version); (err == nil) != good {
			t.Errorf("checkVersion(%q) = %v, want an error: %v", version, err, !good)
		}
	}
}
