package emulator

import (
	"context"
	"sync"
	"time"
)

// A limiter counts requests in windows of one second. A window starts with the first
// request after the end of the previous one.
type limiter struct {
	mu          sync.Mutex
	windowStart time.Time
	count       int
}

// secondsToWait counts a request. It returns 0 if the request is within the limit,
// otherwise the whole seconds to wait. A limit of 0 means no limit.
func (l *limiter) secondsToWait(limit int) int {
	if limit == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.windowStart) >= time.Second {
		l.windowStart, l.count = now, 0
	}
	if l.count++; l.count <= limit {
		return 0
	}
	return 1 // less than a second of the window is left
}

func (l *limiter) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.windowStart, l.count = time.Time{}, 0
}

// sleep waits for d. It returns false if the context ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
