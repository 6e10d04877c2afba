package upstream

import (
	"sync"
	"time"
)

const (
	retryShare = 0.1                    // maximum share of retries in all calls
	retryStock = 10.0                   // maximum number of saved retries, which is also the initial number
	retryBase  = 100 * time.Millisecond // maximum wait before the first retry; it doubles for each further one
)

// A retryBudget stops retries from amplifying an overload. It is safe for concurrent
// use; the zero value is full.
type retryBudget struct {
	mu    sync.Mutex
	spent float64 // of retryStock
}

// earn counts a call, including retries.
func (r *retryBudget) earn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.spent = max(0, r.spent-retryShare)
}

// take takes one retry if any is left.
func (r *retryBudget) take() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.spent > retryStock-1 {
		return false
	}
	r.spent++
	return true
}

// backoff returns the maximum wait before the nth retry, counted from 0. The wait is random
// (full jitter), so that calls that failed together are not retried together.
func backoff(n int) time.Duration { return retryBase << n }
