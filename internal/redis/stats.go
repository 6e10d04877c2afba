package redis

import "sync/atomic"

// counters are the atomic counters of Stats.
type counters struct {
	gets, hits, localHits                            atomic.Int64
	puts, dropped                                    atomic.Int64
	skipped, failed                                  atomic.Int64
	invalidations, remoteInvalidations, takes, waits atomic.Int64
}

// Stats are counts since the start.
type Stats struct {
	Up bool // whether Redis is reachable

	Gets                int64 // reads of the shared cache
	Hits                int64 // reads that found a value
	LocalHits           int64 // hits in the client's copies, without a round trip
	Puts                int64 // responses passed to the shared cache
	Dropped             int64 // responses that were not stored, because Redis was unreachable or too slow
	Invalidations       int64 // invalidations because of a write on this replica
	RemoteInvalidations int64 // invalidations because of a write on another replica
	Takes               int64 // calls of the shared rate limiter
	Waits               int64 // calls that were not granted at once
	Skipped             int64 // commands that were not sent, because Redis was unreachable
	Failed              int64 // commands that Redis refused, or did not reply to in time
}

func (c *conn) stats() Stats {
	n := &c.count
	return Stats{
		Up:   c.breaker.closed(),
		Gets: n.gets.Load(), Hits: n.hits.Load(), LocalHits: n.localHits.Load(),
		Puts: n.puts.Load(), Dropped: n.dropped.Load(),
		Invalidations: n.invalidations.Load(), RemoteInvalidations: n.remoteInvalidations.Load(),
		Takes: n.takes.Load(), Waits: n.waits.Load(),
		Skipped: n.skipped.Load(), Failed: n.failed.Load(),
	}
}
