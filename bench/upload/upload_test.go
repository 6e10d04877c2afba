package main

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestMain runs main if the bench starts the test binary as one of its processes.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "emulator" || os.Args[1] == "serve") {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestRun checks the figures that do not depend on the machine.
func TestRun(t *testing.T) {
	t.Parallel()
	var out, log bytes.Buffer
	err := run(t.Context(), []string{"-sizes", "8MiB,1KiB", "-crowd", "1MiB", "-many", "3", "-rounds", "1", "-seconds", "1"}, &out, &log)
	if err != nil {
		t.Fatalf("run returned the error %v\n%s", err, &log)
	}
	table := out.String()
	for _, want := range []string{
		`\| 8MiB with Content-Length \|.*\| 0 \|`, `\| 8MiB chunked \|.*\| 0 \|`, `\| 1KiB chunked \|`, `\| 3 × 1MiB concurrently \|.*\| 0 \|`,
		`first part of the file \| (16|32|48|64)KiB \|`, `reading 1 MiB/s \| [0-7]\.\d MiB \|`, `client had disconnected \|`,
	} {
		if !regexp.MustCompile(want).MatchString(table) {
			t.Errorf("the table has no %s:\n%s", want, table)
		}
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-sizes 5GiB", "-sizes x", "-sizes 0MiB", "-crowd 1MiB,2MiB", "-rounds 0", "-many 0", "-seconds 0", "more"} {
		if err := run(t.Context(), strings.Fields(args), new(bytes.Buffer), new(bytes.Buffer)); err == nil {
			t.Errorf("run accepted the arguments %s, want an error", args)
		}
	}
	for text, want := range map[string]int64{"1": 1, "3KiB": 3 << 10, "256MiB": 256 << 20, "4GiB": 4 << 30} {
		var s sizes
		if err := s.Set(text); err != nil || s[0] != want {
			t.Errorf("Set(%q) = %v with the sizes %v, want %d", text, err, s, want)
		}
	}
}
