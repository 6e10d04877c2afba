package graphhttp

import (
	"context"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
)

// An Account tells what an operation has cost and how fresh what it has read
// is. It is asked when the operation is answered.
type Account interface {
	// Anonymous reports that the operation acts for nobody.
	Anonymous() bool
	// Cost is what it has cost.
	Cost() Cost
	// Freshness lists where it has used what is not fresh.
	Freshness() []Note
	// FreshFor is for how long everything that it has read stays fresh, 0 if
	// something is not; false when it has read nothing.
	FreshFor() (time.Duration, bool)
	// RateLimit is what is known of the limit that it is under.
	RateLimit() RateLimit
}

// A Cost is what an operation has cost.
type Cost struct {
	UpstreamCalls int `json:"upstreamCalls"` // to Mixcloud
	CacheHits     int `json:"cacheHits"`     // reads that a cache has answered, fresh
	Coalesced     int `json:"coalesced"`     // reads that another operation was under way to make
	Stale         int `json:"stale"`         // reads that were answered with something that is not fresh
}

// A Note says that something in the answer is not fresh.
type Note struct {
	Path   []any // where in the answer; nil when it cannot be told
	Age    time.Duration
	Reason string // of a closed list, such as "UNAVAILABLE"
}

// A RateLimit is what is known of Mixcloud's limit; nil is not known.
type RateLimit struct {
	Budget, Remaining *int
	RetryAt           *time.Time // when Mixcloud takes calls again, if it takes none now
}

// A ledger gathers what the header of an answer says about the operation. It
// belongs to one request.
type ledger struct {
	mu      sync.Mutex
	account Account
	public  time.Duration // for how long anybody may keep the answer; 0 for not at all
	retry   time.Duration // the longest wait that an error names
	limited time.Duration // the longest that one names for the limit
}

// heed notes the waits that errors name.
func (l *ledger) heed(errs gqlerror.List) {
	for _, err := range errs {
		ms, _ := err.Extensions["retryAfterMs"].(int64)
		wait := time.Duration(ms) * time.Millisecond
		l.retry = max(l.retry, wait)
		if err.Extensions["code"] == string(gqlerr.CodeRateLimited) {
			l.limited = max(l.limited, wait)
		}
	}
}

type ledgerKey struct{}

// ledgerOf is the ledger of the request that ctx belongs to; nil outside of one.
func ledgerOf(ctx context.Context) *ledger {
	l, _ := ctx.Value(ledgerKey{}).(*ledger)
	return l
}

// Open says whose account the operation of ctx is on, when it begins. Outside of
// a request to the endpoint it does nothing.
func Open(ctx context.Context, a Account) {
	if l := ledgerOf(ctx); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.account = a
	}
}
