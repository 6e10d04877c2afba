package upstream

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"mixcloud-graphql/mixcloud"
)

const (
	retryShare = 0.1                    // of all calls may be tries again
	retryStock = 10.0                   // of tries that are saved up, and had at the beginning
	retryBase  = 100 * time.Millisecond // the longest wait before the first try again; twice that before the second
)

// A retryBudget keeps tries again from adding to what makes a service fail that
// has too much to do. It is safe for concurrent use; the zero value is full.
type retryBudget struct {
	mu    sync.Mutex
	spent float64 // of retryStock
}

// earn counts a call, tries again too.
func (r *retryBudget) earn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent = max(0, r.spent-retryShare)
}

// take takes one try again, if there is one.
func (r *retryBudget) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent > retryStock-1 {
		return false
	}
	r.spent++
	return true
}

// chance reports whether a read that failed may succeed at once if it is tried
// again: a connection that broke, before the answer or within it, a 5xx, or a
// 4xx that asks for it (408, 421, 425). A wait that is named is kept instead; a
// timeout has used up the time; nonsense stays nonsense, and so does the page of
// a bot protection.
func chance(err error) bool {
	e, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || e.RetryAfter > 0 {
		return false
	}
	return e.Kind == mixcloud.ErrUnavailable && e.Status != http.StatusForbidden
}

// backoff is the longest wait before the nth try again, counted from 0. The
// wait is anything up to it (full jitter), so that those who failed together do
// not come back together.
func backoff(n int) time.Duration { return retryBase << n }
