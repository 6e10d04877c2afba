package graphhttp

import (
	"context"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/trace"
)

// OperationStats reports the cost of an operation and the freshness of the resources that it has
// read. Its methods are called when the response is complete. upstream.Session implements it.
type OperationStats interface {
	// Anonymous reports whether the operation is anonymous.
	Anonymous() bool
	// Cost returns the operation's cost.
	Cost() opstats.Cost
	// StaleReads returns the resources for which the operation received a stale value.
	StaleReads() []opstats.StaleRead
	// FreshFor returns how long all read resources stay fresh, 0 if any is stale; false if the
	// operation has read nothing.
	FreshFor() (time.Duration, bool)
	// RateLimit returns the state of the operation's rate limit.
	RateLimit() opstats.RateLimit
}

// stats collects the data of a response's cost and cache headers. It belongs to one request.
type stats struct {
	mu        sync.Mutex
	operation OperationStats
	// estimate is set before the operation starts, and needs no lock after that.
	estimate opstats.Estimate
	public   time.Duration // how long public caches may store the response; 0 if they must not
	retry    time.Duration // the longest wait in an error
	limited  time.Duration // the longest wait in a rate limit error
	// trace is set before the operation starts; nil for none.
	trace *trace.Recorder
}

// addWaits records the waits in errors.
func (s *stats) addWaits(errs gqlerror.List) {
	for _, err := range errs {
		ms, _ := err.Extensions["retryAfterMs"].(int64)
		wait := time.Duration(ms) * time.Millisecond
		s.retry = max(s.retry, wait)
		if err.Extensions["code"] == string(gqlerr.CodeRateLimited) {
			s.limited = max(s.limited, wait)
		}
	}
}

// statsFrom returns the request's stats, or nil.
func statsFrom(ctx context.Context) *stats {
	if s := stateFrom(ctx); s != nil {
		return &s.stats
	}
	return nil
}

// SetStats sets the OperationStats of the operation of ctx, when the operation starts. It does
// nothing outside of a request to the endpoint, nor for a subscription, which reads nothing and
// whose headers are already sent.
func SetStats(ctx context.Context, operation OperationStats) {
	s := statsFrom(ctx)
	if s == nil || graphql.GetOperationContext(ctx).Operation.Operation == ast.Subscription {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operation = operation
}
