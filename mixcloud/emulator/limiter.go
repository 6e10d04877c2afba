package emulator

import (
	"context"
	"sync"
	"time"
)

// A limiter counts requests in windows of a second. A window begins with the
// first request after the one before it has ended.
type limiter struct {
	mu    sync.Mutex
	began time.Time
	spent int
}

// over counts a request, and gives the whole seconds to wait if it is one too
// many; 0 if it is not. A limit of 0 is none.
func (l *limiter) over(limit int) int {
	if limit == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.began) >= time.Second {
		l.began, l.spent = now, 0
	}
	if l.spent++; l.spent <= limit {
		return 0
	}
	return 1 // less than a second of the window is left
}

func (l *limiter) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began, l.spent = time.Time{}, 0
}

// sleep waits; it is false when the context ended first.
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
