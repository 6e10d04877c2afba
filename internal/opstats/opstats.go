// Package opstats defines the statistics of one GraphQL operation: its estimated and actual
// cost, its stale reads, and the state of its rate limit.
//
// Several packages share these types: graph/cost computes the estimate, internal/upstream
// counts, and graph/resolvers and internal/graphhttp report the figures to clients.
package opstats

import "time"

// An Estimate contains the facts about an operation that are known before its first call.
type Estimate struct {
	Calls  int // upper bound of the number of calls
	Budget int // maximum number of calls that is allowed
	// Advice explains to developers how to reduce the estimate to the budget. It is "" if the
	// estimate is within the budget.
	Advice string
	// Fits is the advice for programs: the path of a list, its argument, and the largest page
	// size that is within the budget. It is nil if no page size is.
	Fits map[string]any
	// Uncacheable is true if the response must not be cached, even if all its resources are
	// fresh.
	Uncacheable bool
	// SchemaOnly is true if the response depends only on the schema.
	SchemaOnly bool
}

// A Cost is the cost of an operation so far. Its JSON form is part of extensions.cost.
type Cost struct {
	Calls     int `json:"upstreamCalls"` // calls to Mixcloud, including retries and writes
	Hits      int `json:"cacheHits"`     // reads that were served from a fresh cache entry
	Coalesced int `json:"coalesced"`     // reads that waited for a call of another operation
	Stale     int `json:"stale"`         // reads that were served from a stale cache entry
}

// A Reason is the reason why a stale value was served.
type Reason string

// The reasons.
const (
	// Revalidating means that the value is being fetched again. A later request gets the
	// fresh value.
	Revalidating Reason = "REVALIDATING"
	// RateLimited means that Mixcloud limits the rate of calls.
	RateLimited Reason = "RATE_LIMITED"
	// Unavailable means that Mixcloud is unreachable, failing or too slow, or that its
	// responses are invalid.
	Unavailable Reason = "UNAVAILABLE"
)

// A StaleRead is a stale value that an operation has read.
type StaleRead struct {
	ID     string        // of the resource
	Age    time.Duration // time since Mixcloud returned the value
	Reason Reason
	// Paths are the known response paths that use the value. Each is a list of names and
	// indices.
	Paths [][]any
}

// A RateLimit is the state of the limit on calls to Mixcloud. Unknown values are nil.
type RateLimit struct {
	// Budget is the number of calls that can be made in a burst, Spent is the number of them that
	// are used now, and Remaining the difference.
	Budget, Spent, Remaining *int
	// RetryAt is the time from which Mixcloud accepts calls again, or nil if it accepts them
	// now.
	RetryAt *time.Time
}
