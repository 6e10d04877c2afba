//go:build !unix

package redistest

import "testing"

// Stop fails: there is no redis-server where there are no signals.
func (s *Server) Stop(t testing.TB) { t.Fatal("a server cannot be stopped here") }

// Continue fails, as Stop does.
func (s *Server) Continue(t testing.TB) { t.Fatal("a server cannot be stopped here") }
