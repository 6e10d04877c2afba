package gqlerr

import (
	"sync"
	"time"
)

// quiet is the least time between two warnings of one code.
const quiet = 10 * time.Second

// sparing keeps a Mixcloud that is away from filling the log with a line for
// each field of each request: of each code one warning in a while is enough,
// and says how many there would have been. It is safe for concurrent use.
type sparing struct {
	mu    sync.Mutex
	codes map[Code]*lately
}

type lately struct {
	at     time.Time
	unsaid int
}

// say tells whether it is time for a warning of a code, and how many there were
// since the one before.
func (s *sparing) say(code Code) (unsaid int, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := s.codes[code]
	if last == nil {
		if s.codes == nil {
			s.codes = map[Code]*lately{}
		}
		last = new(lately)
		s.codes[code] = last
	}
	if !last.at.IsZero() && time.Since(last.at) < quiet {
		last.unsaid++
		return 0, false
	}
	unsaid = last.unsaid
	*last = lately{at: time.Now()}
	return unsaid, true
}
