package main

import (
	"bytes"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestMain runs main if the bench starts the test binary as its emulator.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "emulator" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestRun measures one query once. It does not check the times, which depend on the machine.
func TestRun(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	if err := run(t.Context(), []string{"-runs", "1", "-latency", "1ms", "-query", "spellings"}, &out, &log); err != nil {
		t.Fatalf("run returned the error %v\n%s", err, &log)
	}
	want := regexp.MustCompile(`(?m)^\| spellings \| (\d+) \| (\d+) \| 1\.00 \| [\d.]+ \| 2\.0 \| [\d.]+ \| [\d.]+ \|$`)
	if found := want.FindStringSubmatch(out.String()); found == nil || found[1] != found[2] {
		t.Errorf("found the row %v, want one of spellings with equal numbers of calls, in:\n%s", found, &out)
	}
}

func TestRun_InvalidFlags(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-runs", "0"}, {"-latency", "0"}, {"query"}, {"-unknown"}} {
		var out, log bytes.Buffer
		if err := run(t.Context(), args, &out, &log); err == nil {
			t.Errorf("run accepted the arguments %v, want an error: %s", args, &out)
		}
	}
}

func TestPrintTable(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	var out bytes.Buffer
	err := printTable(&out, 3, 20*ms, []row{{
		name: "q", calls: 6, minimum: 4, criticalPath: 40 * ms,
		times: []time.Duration{50 * ms, 44 * ms, 42 * ms},
		ideal: []time.Duration{40 * ms, 40 * ms, 42 * ms},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, got, _ := bytes.Cut(out.Bytes(), []byte("\n\n"))
	want := `| query | calls | minimum | ratio | time ms | critical path ms | ratio to critical path | ratio to measured ideal |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |
| q | 6 | 4 | 1.50 | 44.0 | 40.0 | 1.10 | 1.10 |
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
