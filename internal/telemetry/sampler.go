package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A Sampler stops repeated events from filling the log: it logs one event for each key in an
// interval, with the number of events suppressed since the last. It is safe for concurrent use;
// the zero Sampler is ready. Keys must be from a fixed set, because the sampler stores every key.
type Sampler struct {
	mu   sync.Mutex
	keys map[string]*sample
}

type sample struct {
	at         time.Time
	suppressed int
}

// SampleInterval is the minimum time between two log lines of a key.
const SampleInterval = 10 * time.Second

// Sample reports whether to log an event now, and how many events with its key were suppressed
// since the last logged one.
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

// Log writes a line to log, unless a line with the same key was written less than
// [SampleInterval] ago. If lines were suppressed since then, the attribute "suppressed" is
// their number.
func (s *Sampler) Log(ctx context.Context, log *slog.Logger, level slog.Level, key, msg string, args ...any) {
	suppressed, now := s.Sample(key)
	if !now {
		return
	}
	log.Log(ctx, level, msg, append(args, Suppressed(suppressed))...)
}

// Suppressed returns the attribute with the number of suppressed lines. It is empty, and not
// written, for 0.
func Suppressed(n int) slog.Attr {
	if n == 0 {
		return slog.Attr{}
	}
	return slog.Int("suppressed", n)
}
