package fairqueue

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
)

// A modelRequest is one request of the model.
type modelRequest struct {
	start, timeout, duration time.Duration // a timeout of 0 means none
	client, flow, limit      int
	priority                 Priority
	end                      int // 0 Done, 1 Refused, 2 Cancel, 3 Release before Done
	promoted                 bool
}

func drawRequest(t *rapid.T) modelRequest {
	millis := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * ms
	}
	v := modelRequest{
		start: millis("start", 0, 2000), duration: millis("duration", 0, 500),
		client: rapid.IntRange(0, 2).Draw(t, "client"), flow: rapid.IntRange(0, 2).Draw(t, "flow"), limit: rapid.IntRange(0, 3).Draw(t, "limit"),
		priority: Priority(rapid.IntRange(0, priorities-1).Draw(t, "priority")),
		end:      rapid.IntRange(0, 3).Draw(t, "end"), promoted: rapid.Bool().Draw(t, "promoted"),
	}
	if rapid.Bool().Draw(t, "with timeout") {
		v.timeout = millis("timeout", 1, 1000)
	}
	return v
}

// For any requests, with any timeouts, refusals and promotions, and any kinds of limits: there is
// no deadlock, the numbers of slots and of waiting requests are not exceeded, callers leave in
// time, and no request is left at the end.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slots, maxWaiting := rapid.IntRange(1, 3).Draw(rt, "slots"), rapid.IntRange(1, 20).Draw(rt, "maxWaiting")
		requests := rapid.SliceOfN(rapid.Custom(drawRequest), 1, 40).Draw(rt, "requests")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			q := New(monotime.New(nil), slots, maxWaiting)
			var probed atomic.Bool
			limits := [][]*Limit{
				{q.NewLimit(ratelimit.Limit{}, nil, nil)},
				{q.NewLimit(ratelimit.Limit{Rate: 10, Burst: 2}, nil, nil)},
				{q.NewLimit(ratelimit.Limit{}, &remote{interval: 50 * ms}, nil)},
				{q.NewLimit(ratelimit.Limit{}, nil, func() bool { return !probed.Load() })},
			}
			for i := range limits {
				limits[i] = append(limits[i], q.NewLimit(ratelimit.Limit{Rate: 100, Burst: 10}, nil, nil))
			}
			var mu sync.Mutex
			using := 0
			problem := func(text string) {
				mu.Lock()
				defer mu.Unlock()
				problems = append(problems, text)
			}
			use := func(n int) {
				mu.Lock()
				using += n
				over := using > slots
				mu.Unlock()
				if over {
					problem("more requests than slots have a slot")
				}
			}
			var wg sync.WaitGroup
			for _, v := range requests {
				wg.Go(func() {
					time.Sleep(v.start)
					ctx := t.Context()
					if v.timeout > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, v.timeout)
						defer cancel()
					}
					began := time.Now()
					x := q.NewRequest(v.client, v.flow, limits[v.limit], v.priority)
					if v.promoted {
						time.AfterFunc(100*ms, func() { x.Promote(v.client, v.flow) })
					}
					err := q.Acquire(ctx, x, ignore)
					if _, waiting := q.Load(); waiting > maxWaiting+slots { // requeued requests may exceed the maximum
						problem("too many requests wait")
					}
					switch {
					case errors.Is(err, ErrFull):
						return
					case err != nil:
						if time.Since(began) != v.timeout {
							problem("a caller did not leave at its timeout")
						}
						return
					}
					use(1)
					if v.limit < 3 && v.end == 1 {
						time.Sleep(v.duration)
						use(-1)
						x.Refused(t.Context(), v.duration, nil)
						return
					}
					if v.end == 3 {
						use(-1)
						x.Release()
						time.Sleep(v.duration)
						x.Done()
						return
					}
					time.Sleep(v.duration)
					use(-1)
					if v.end == 2 {
						x.Cancel()
					} else {
						probed.Store(true)
						x.Done()
					}
				})
			}
			wg.Wait()
			time.Sleep(time.Second) // promotions
			for _, ls := range limits {
				wantIdle(t, q, slots, ls...)
			}
			q.Close()
		})
		if len(problems) > 0 {
			rt.Fatal(strings.Join(problems, "\n"))
		}
	})
}
