// Package opstats holds the figures of one GraphQL operation: what it may cost at most, what
// it has cost, what it has read that was stale, and what is known of the rate limit that it is
// under.
//
// The types are here, below all packages that use them, so that there is one of each: package
// graph/cost makes the estimate, internal/upstream counts, graph/resolvers and internal/graphhttp
// show the figures to clients. The package has no behaviour.
package opstats

import "time"

// An Estimate is what is known of an operation before its first call.
type Estimate struct {
	Calls  int // the operation cannot make more
	Budget int // the operation may not make more
	// Advice says how to get below the budget; "" if the operation is within it.
	Advice string
	// Fits is the advice for programs: the path of a list, its argument and the largest
	// size that fits; nil if none does.
	Fits map[string]any
	// Fleeting reports that the response is out of date at once, however fresh the resources
	// are that it was made of.
	Fleeting bool
	// SchemaOnly reports that the response depends on nothing but the schema.
	SchemaOnly bool
}

// A Cost is what an operation has cost so far. Its JSON form is part of extensions.cost.
type Cost struct {
	Calls     int `json:"upstreamCalls"` // to Mixcloud, retries and the operation's own writes included
	Hits      int `json:"cacheHits"`     // reads that a cache answered, fresh
	Coalesced int `json:"coalesced"`     // reads that joined a call of another operation
	Stale     int `json:"stale"`         // reads that were answered with a stale value
}

// A Reason is why a stale value was served.
type Reason string

// The reasons.
const (
	// Revalidating: the value is being fetched again; ask again for the fresh one.
	Revalidating Reason = "REVALIDATING"
	// RateLimited: Mixcloud accepts no calls for a while.
	RateLimited Reason = "RATE_LIMITED"
	// Unavailable: Mixcloud is down, failing, answering nonsense or too slow.
	Unavailable Reason = "UNAVAILABLE"
)

// A StaleRead is a resource of which an operation has read a stale value.
type StaleRead struct {
	ID     string        // of the resource
	Age    time.Duration // since Mixcloud returned the value
	Reason Reason
	// Paths are the response paths at which the value was used, each a list of names and
	// indices, as far as they are known.
	Paths [][]any
}

// A RateLimit is what is known of Mixcloud's rate limit; nil is not known.
type RateLimit struct {
	// Budget is how many calls may be made in a row after a pause, Spent how many of them are
	// used at the moment, and Remaining their difference: how many can be made now.
	Budget, Spent, Remaining *int
	// RetryAt is when Mixcloud accepts calls again after its latest refusal; nil if it
	// accepts them now.
	RetryAt *time.Time
}
