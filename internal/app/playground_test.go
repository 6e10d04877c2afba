package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mixcloud-graphql/internal/race"
)

var updateScreenshots = flag.Bool("update-screenshots", false, "rewrite the pictures in docs/images")

const playgroundFolder = "../../web/playground"

// browserFor returns the path of Chromium. Outside of CI it skips the test if there is none.
func browserFor(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if inCI() {
		t.Fatal("chromium is not installed, but this test needs it")
	}
	t.Skip("to run this test, install chromium")
	return ""
}

// The page at / works in a real browser. Each program in web/playground/test tests one area. No request leaves this machine, and the
// page writes no error to the console.
func TestPlayground(t *testing.T) {
	t.Parallel()
	if race.Enabled {
		t.Skip("runs without the race detector only")
	}
	browser := browserFor(t)
	node := nodeFor(t, playgroundFolder)
	_, demo := serveDemo(t)
	environ := append(os.Environ(), "CHROMIUM="+browser, "DEMO="+demo)
	if *updateScreenshots {
		folder, err := filepath.Abs("../../docs/images")
		if err != nil {
			t.Fatal(err)
		}
		environ = append(environ, "SCREENSHOTS="+folder)
	}
	areas, err := filepath.Glob(playgroundFolder + "/test/*.mjs")
	if err != nil {
		t.Fatal(err)
	}
	for _, area := range areas {
		name := strings.TrimSuffix(filepath.Base(area), ".mjs")
		if name == "support" || name == "reporter" {
			continue
		}
		t.Run(name, func(t *testing.T) { runPlaygroundTests(t, node, area, environ) })
	}
}

// runPlaygroundTests runs a program of tests. Each of its tests becomes a subtest.
func runPlaygroundTests(t *testing.T, node, program string, environ []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "--test-reporter="+playgroundFolder+"/test/reporter.mjs", program)
	cmd.Env = environ
	var problems bytes.Buffer
	cmd.Stderr = &problems
	report, err := cmd.Output()
	passed, failed := 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(report)); lines.Scan(); {
		var result struct {
			Name  string   `json:"name"`
			Error string   `json:"error"`
			Notes []string `json:"notes"`
		}
		if err := json.Unmarshal(lines.Bytes(), &result); err != nil {
			t.Errorf("the program wrote %q, want a JSON result: %v", lines.Text(), err)
			continue
		}
		t.Run(result.Name, func(t *testing.T) {
			for _, note := range result.Notes {
				t.Log(note)
			}
			if result.Error != "" {
				failed++
				t.Errorf("test failed in the browser: %s", result.Error)
				return
			}
			passed++
		})
	}
	if passed == 0 || err != nil && failed == 0 {
		t.Errorf("%s: error %v, %d tests passed, want no error and at least one\n%s\n%s", program, err, passed, report, &problems)
	}
}

// The bundle of the page makes the binary at most 3 MB larger.
func TestPlayground_BinarySize(t *testing.T) {
	t.Parallel()
	var size int64
	files, err := fs.Glob(os.DirFS("../playground"), "bundle/*")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files of the bundle, error %v, want at least one", len(files), err)
	}
	for _, name := range files {
		info, err := os.Stat(filepath.Join("../playground", name))
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	t.Logf("the page adds %.2f MB to the binary (maximum: 3 MB)", float64(size)/1e6)
	if size > 3_000_000 {
		t.Errorf("the page adds %d bytes to the binary, want at most 3 MB", size)
	}
}
