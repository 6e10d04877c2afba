package telemetry

import (
	"sync"
	"time"
)

// A Sampler keeps repeated events from filling the log: of each key one event in an
// interval is to be logged, with the number of those that were suppressed since. It is
// safe for concurrent use; the zero Sampler is ready. Keys must be from a fixed set:
// the sampler remembers all of them.
type Sampler struct {
	mu   sync.Mutex
	keys map[string]*sample
}

type sample struct {
	at         time.Time
	suppressed int
}

// SampleInterval is the least time between two log lines of one key.
const SampleInterval = 10 * time.Second

// Sample reports whether an event is to be logged now, and how many with its key were
// suppressed since the last one that was.
func (s *Sampler) Sample(key string) (suppressed int, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]*sample{}
	}
	last := s.keys[key]
	if last == nil {
		last = new(sample)
		s.keys[key] = last
	}
	if !last.at.IsZero() && time.Since(last.at) < SampleInterval {
		last.suppressed++
		return 0, false
	}
	suppressed = last.suppressed
	*last = sample{at: time.Now()}
	return suppressed, true
}
