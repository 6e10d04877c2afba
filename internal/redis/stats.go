package redis

import "sync/atomic"

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
	Local     int64 // of them: from the client's own copy, without a round trip
	Puts      int64 // responses given to the shared cache
	Dropped   int64 // of them: not stored, because Redis was unreachable or too slow
	Drops     int64 // invalidations because of a write on this replica
	Forgotten int64 // invalidations because of a write on another one
	Takes     int64 // calls that asked the shared rate limiter
	Waits     int64 // of them: not granted at once
	Skipped   int64 // commands that were not tried, because Redis was unreachable
	Failed    int64 // commands that Redis did not reply to in time, or refused
}

func (c *conn) stats() Stats {
	n := &c.count
	return Stats{
		Up:   c.breaker.closed(),
		Gets: n.gets.Load(), Hits: n.hits.Load(), Local: n.local.Load(),
		Puts: n.puts.Load(), Dropped: n.dropped.Load(),
		Drops: n.drops.Load(), Forgotten: n.forgotten.Load(),
		Takes: n.takes.Load(), Waits: n.waits.Load(),
		Skipped: n.skipped.Load(), Failed: n.failed.Load(),
	}
}
