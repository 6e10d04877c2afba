package redis

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// quiet is the least time between two lines of one kind.
const quiet = 10 * time.Second

// A sparingLog writes at most one line of a kind in a while: a Redis that comes
// and goes must not fill a disk. It is safe for concurrent use.
type sparingLog struct {
	log *slog.Logger

	mu    sync.Mutex
	kinds map[string]*lately
}

type lately struct {
	at     time.Time
	missed int
}

func newSparingLog(log *slog.Logger) *sparingLog {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &sparingLog{log: log, kinds: map[string]*lately{}}
}

func (s *sparingLog) info(kind, msg string, args ...any) { s.write(slog.LevelInfo, kind, msg, args) }

func (s *sparingLog) warn(kind, msg string, args ...any) { s.write(slog.LevelWarn, kind, msg, args) }

func (s *sparingLog) write(level slog.Level, kind, msg string, args []any) {
	s.mu.Lock()
	last := s.kinds[kind]
	if last == nil {
		last = new(lately)
		s.kinds[kind] = last
	}
	if !last.at.IsZero() && time.Since(last.at) < quiet {
		last.missed++
		s.mu.Unlock()
		return
	}
	missed := last.missed
	*last = lately{at: time.Now()}
	s.mu.Unlock()
	if missed > 0 {
		args = append(args, "unsaid", missed) // so many lines like this one
	}
	s.log.Log(context.Background(), level, msg, args...) //nolint:forbidigo // it is nobody's request
}

// counters count what Stats shows.
type counters struct {
	gets, hits, local              atomic.Int64
	puts, dropped                  atomic.Int64
	skipped, failed                atomic.Int64
	drops, forgotten, takes, waits atomic.Int64
}

// Stats are counts since the start.
type Stats struct {
	Up bool // whether Redis answers

	Gets      int64 // reads of the shared cache
	Hits      int64 // of them: found
	Local     int64 // of them: answered by this process's own copy, without a round trip
	Puts      int64 // answers given to the shared cache
	Dropped   int64 // of them: not kept, for Redis was away or too slow
	Drops     int64 // audiences dropped here because they wrote
	Forgotten int64 // audiences dropped because they wrote elsewhere
	Takes     int64 // calls asked of the shared pace
	Waits     int64 // of them: not granted at once
	Skipped   int64 // commands that were not tried, for Redis is away
	Failed    int64 // commands that Redis did not answer in time, or refused
}

func (l *link) stats() Stats {
	c := &l.count
	return Stats{
		Up:   l.breaker.closed(),
		Gets: c.gets.Load(), Hits: c.hits.Load(), Local: c.local.Load(),
		Puts: c.puts.Load(), Dropped: c.dropped.Load(),
		Drops: c.drops.Load(), Forgotten: c.forgotten.Load(),
		Takes: c.takes.Load(), Waits: c.waits.Load(),
		Skipped: c.skipped.Load(), Failed: c.failed.Load(),
	}
}
