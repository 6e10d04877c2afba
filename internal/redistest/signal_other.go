//go:build !unix

package redistest

import "testing"

// Suspend fails: it requires the signals of Unix.
func (s *Server) Suspend(t testing.TB) { t.Fatal("Suspend requires Unix signals") }

// Resume fails, like Suspend.
func (s *Server) Resume(t testing.TB) { t.Fatal("Resume requires Unix signals") }
