package upstream

import (
	"sync"
	"time"
)

const (
	retryShare = 0.1                    // maximum share of retries in all calls
	retryBurst = 10.0                   // maximum number of retries at once
	retryBase  = 100 * time.Millisecond // maximum wait before the first retry; it doubles for each further one
)

// A retryBudget stops retries from amplifying an overload. It is safe for concurrent
// use; the zero value is full.
type retryBudget struct {
	mu    sync.Mutex
	spent float64 // of retryBurst
}

// deposit counts a call, which may be a retry.
func (r *retryBudget) deposit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent = max(0, r.spent-retryShare)
}

// withdraw takes one retry from the budget. It returns false if the budget is used up.
func (r *retryBudget) withdraw() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent > retryBurst-1 {
		return false
	}
	r.spent++
	return true
}

// backoff returns the maximum wait before the nth retry, counted from 0. The wait is random
// (full jitter), so that calls that failed together are not retried together.
func backoff(n int) time.Duration { return retryBase << n }
