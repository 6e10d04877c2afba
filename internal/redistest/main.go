package redistest

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
)

// missing is the reason why a test is skipped, and what to do.
const missing = "redis-server is not in PATH; on Debian, install it with: apt-get install -y redis-server"

// skips counts the tests that were skipped because redis-server is not installed.
type skips struct {
	reported atomic.Bool // report is called at the end
	n        atomic.Int64
}

var skipped skips

// Main runs the tests of a package that uses [Start]. If any of them were skipped because
// redis-server is not installed, it prints their number at the end. For a package that passed, go
// test shows this with -v, or if it is run without package arguments. Call Main in the package's
// TestMain:
//
//	func TestMain(m *testing.M) { redistest.Main(m) }
func Main(m *testing.M) {
	skipped.reported.Store(true)
	m.Run() // the testing package exits with its result
	skipped.report(os.Stdout)
}

func (s *skips) report(w io.Writer) {
	if n := s.n.Load(); n > 0 {
		fmt.Fprintf(w, "tests skipped: %d, because %s\n", n, missing)
	}
}

// needBinary skips a test if redis-server is not installed. In CI it fails the test.
func needBinary(t testing.TB) {
	t.Helper()
	skipped.check(t, inCI(), func() bool { _, err := exec.LookPath("redis-server"); return err == nil })
}

func (s *skips) check(t testing.TB, ci bool, installed func() bool) {
	t.Helper()
	switch {
	case !s.reported.Load():
		t.Fatal("the TestMain of this package must call redistest.Main")
	case installed():
	case ci:
		t.Fatal(missing)
	default:
		s.n.Add(1)
		t.Skip(missing)
	}
}

// inCI reports whether the tests run in CI, where redis-server must be installed. CI systems set
// the variable CI, mostly to "true".
func inCI() bool {
	ci := os.Getenv("CI")
	return ci != "" && ci != "0" && ci != "false"
}
