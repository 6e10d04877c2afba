package fairqueue

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
)

// A remote is an external limit that permits one request per interval.
type remote struct {
	interval, latency time.Duration

	mu    sync.Mutex
	next  time.Time
	takes int
	ago   time.Duration
}

func (r *remote) Take(context.Context) time.Duration {
	time.Sleep(r.latency)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.takes++
	now := time.Now()
	if wait := r.next.Sub(now); wait > 0 {
		return wait
	}
	r.next = now.Add(r.interval)
	return 0
}

func (r *remote) Refused(_ context.Context, ago, wait time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ago = ago
	return wait / 2
}

// A request that an external limit delays holds no slot, and is the next one of its priority.
// Few attempts at the limit fail.
func TestExternal_Requeues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &remote{interval: 200 * ms}
		r := newFixture(t, 4, 1000, ratelimit.Limit{})
		limits := []*Limit{r.NewLimit(ratelimit.Limit{}, shared, nil)}
		for i := range 100 {
			r.start("many", r.NewRequest("many", "", limits, Normal), ms)
			if i == 4 {
				time.Sleep(10 * ms)
				if free, _ := r.Load(); free != 4 {
					t.Errorf("%d slots are free while all requests wait for the external limit, want 4", free)
				}
			}
		}
		began := time.Now()
		r.start("few", r.NewRequest("few", "", limits, Normal), ms)
		r.start("urgent", r.NewRequest("many", "", limits, Urgent), ms)
		other := r.hold() // under a different limit
		if took := time.Since(began); took > 0 {
			t.Errorf("a request of another limit waited %v, want no wait", took)
		}
		other.Done()
		time.Sleep(2 * time.Second)
		r.mu.Lock()
		late := 0
		for _, name := range r.order {
			if name == "few" || name == "urgent" {
				late++
			}
		}
		r.mu.Unlock()
		if late != 2 {
			t.Errorf("%d of the two later requests got a slot within 2s, want both", late)
		}
		r.wg.Wait()
		if took := time.Since(began); took > 21*time.Second {
			t.Errorf("102 requests took %v, want at most 21s", took)
		}
		if shared.takes > 3*102 {
			t.Errorf("the external limit was requested %d times for 102 requests, want at most %d", shared.takes, 3*102)
		}
		wantIdle(t, r.Queue, 4, limits...)
	})
}

// After a delay one request tries the external limit, then two concurrently, and so on. So the
// limit is not flooded, and recovery is fast.
func TestExternal_Recovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &remote{latency: 10 * ms, next: time.Now().Add(time.Second)}
		r := newFixture(t, 200, 1000, ratelimit.Limit{})
		limits := []*Limit{r.NewLimit(ratelimit.Limit{}, shared, nil)}
		r.start("first", r.NewRequest("c", 0, limits, Normal), ms)
		time.Sleep(100 * ms)
		for i := range 120 {
			r.start("c", r.NewRequest("c", i, limits, Normal), ms)
		}
		began := time.Now()
		time.Sleep(905 * ms)
		r.Queue.mu.Lock()
		if limits[0].pending != 1 {
			t.Errorf("%d requests wait for the external limit at once after the delay, want 1", limits[0].pending)
		}
		r.Queue.mu.Unlock()
		r.wg.Wait()
		if took := time.Since(began); took > 1200*ms || shared.takes > 130 {
			t.Errorf("the requests took %v and requested the external limit %d times, want at most 1.2s and 130", took, shared.takes)
		}
		wantIdle(t, r.Queue, 200, limits...)
	})
}

// After a refusal, no request is sent until the external limit has responded. Then its pause
// applies, even if it is shorter than the requested wait.
func TestExternal_Refused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := new(remote)
		r := newFixture(t, 4, 10, ratelimit.Limit{})
		limits := []*Limit{r.NewLimit(ratelimit.Limit{}, shared, nil)}
		x := r.NewRequest("c", "", limits, Normal)
		if err := r.Acquire(t.Context(), x, ignore); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Second)
		if pause := x.Refused(t.Context(), time.Minute, nil); pause != 30*time.Second || shared.ago != 3*time.Second {
			t.Errorf("Refused returned a pause of %v and reported a request sent %v ago, want 30s and 3s", pause, shared.ago)
		}
		if until := r.Blocked(limits); until.Sub(r.clock.Now()) != 30*time.Second {
			t.Errorf("the limit is blocked for %v, want 30s", until.Sub(r.clock.Now()))
		}
		began := time.Now()
		r.start("next", r.NewRequest("c", "", limits, Normal), ms)
		r.wg.Wait()
		if took := time.Since(began).Round(10 * ms); took != 30*time.Second {
			t.Errorf("the next request got a slot after %v, want 30s", took)
		}
		wantIdle(t, r.Queue, 4, limits...)
	})
}

// A caller that leaves while its request waits for the external limit returns the slot.
func TestExternal_CallerLeaves(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shared := &remote{interval: time.Hour}
		r := newFixture(t, 1, 10, ratelimit.Limit{})
		limits := []*Limit{r.NewLimit(ratelimit.Limit{}, shared, nil)}
		r.start("first", r.NewRequest("c", "", limits, Normal), ms)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var delay time.Duration
		err := r.Acquire(ctx, r.NewRequest("c", "", limits, Normal), func(until monotime.Time) error {
			delay = until.Sub(r.clock.Now())
			return nil
		})
		if err == nil || delay != time.Hour-ms {
			t.Errorf("Acquire: error %v, reported delay %v, want an error and %v", err, delay, time.Hour-ms)
		}
		r.wg.Wait()
		wantIdle(t, r.Queue, 1, limits...)
	})
}
