//go:build unix

package redistest

import (
	"os"
	"syscall"
	"testing"
)

// Suspend stops the server's process: connections stay open, but it sends no replies.
func (s *Server) Suspend(t testing.TB) { s.signal(t, syscall.SIGSTOP) }

// Resume continues the process after Suspend.
func (s *Server) Resume(t testing.TB) { s.signal(t, syscall.SIGCONT) }

func (s *Server) signal(t testing.TB, sig os.Signal) {
	t.Helper()
	if err := s.process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}
