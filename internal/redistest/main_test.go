package redistest

import (
	"runtime"
	"strings"
	"testing"
)

// A recorder records how a test ended.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Helper() {}

func (r *recorder) Skip(args ...any) {
	r.skipped = args[0].(string)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.failed = args[0].(string)
	runtime.Goexit()
}

func TestCheck(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		noMain, ci, installed bool
		skipped, failed       string
		report                string
	}{
		"installed":       {installed: true},
		"installed in CI": {installed: true, ci: true},
		"missing":         {skipped: missing, report: "tests skipped: 1, because " + missing + "\n"},
		"missing in CI":   {ci: true, failed: missing},
		"without Main":    {noMain: true, installed: true, failed: "the TestMain of this package must call redistest.Main"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, r := new(skips), &recorder{TB: t}
			s.reported.Store(!tt.noMain)
			done := make(chan struct{})
			go func() {
				defer close(done)
				s.check(r, tt.ci, func() bool { return tt.installed })
			}()
			<-done
			if r.skipped != tt.skipped || r.failed != tt.failed {
				t.Errorf("skipped %q, failed %q; want %q, %q", r.skipped, r.failed, tt.skipped, tt.failed)
			}
			var out strings.Builder
			if s.report(&out); out.String() != tt.report {
				t.Errorf("reported %q, want %q", out.String(), tt.report)
			}
		})
	}
}
