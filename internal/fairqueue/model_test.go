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

// A visit is what one request of the model does.
type visit struct {
	arrives, leaves, takes time.Duration // leaves: 0 for never
	client, flow, limit    int
	priority               Priority
	ends                   int // 0 done, 1 refused, 2 not sent, 3 released before
	promoted               bool
}

func drawVisit(t *rapid.T) visit {
	millis := func(name string, from, to int) time.Duration {
		return time.Duration(rapid.IntRange(from, to).Draw(t, name)) * ms
	}
	v := visit{
		arrives: millis("arrives", 0, 2000), takes: millis("takes", 0, 500),
		client: rapid.IntRange(0, 2).Draw(t, "client"), flow: rapid.IntRange(0, 2).Draw(t, "flow"), limit: rapid.IntRange(0, 3).Draw(t, "limit"),
		priority: Priority(rapid.IntRange(0, priorities-1).Draw(t, "priority")),
		ends:     rapid.IntRange(0, 3).Draw(t, "ends"), promoted: rapid.Bool().Draw(t, "promoted"),
	}
	if rapid.Bool().Draw(t, "impatient") {
		v.leaves = millis("leaves", 1, 1000)
	}
	return v
}

// For any requests, arriving, leaving, refused and promoted at any time, under limits
// of all kinds: no deadlock, no more requests in slots than there are slots, no more
// waiting than may, callers leave on time, a blocked limit lets nothing go, and nothing
// is left in the end.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		slots, most := rapid.IntRange(1, 3).Draw(rt, "slots"), rapid.IntRange(1, 20).Draw(rt, "most")
		visits := rapid.SliceOfN(rapid.Custom(drawVisit), 1, 40).Draw(rt, "visits")
		var problems []string
		synctest.Test(t, func(t *testing.T) {
			q := New(monotime.New(nil), slots, most)
			var probed atomic.Bool
			limits := [][]*Limit{
				{q.NewLimit(ratelimit.Limit{}, nil, nil)},
				{q.NewLimit(ratelimit.Limit{Rate: 10, Burst: 2}, nil, nil)},
				{q.NewLimit(ratelimit.Limit{}, &remote{every: 50 * ms}, nil)},
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
					problem("more requests have a slot than there are")
				}
			}
			var wg sync.WaitGroup
			for _, v := range visits {
				wg.Go(func() {
					time.Sleep(v.arrives)
					ctx := t.Context()
					if v.leaves > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, v.leaves)
						defer cancel()
					}
					began := time.Now()
					x := q.NewRequest(v.client, v.flow, limits[v.limit], v.priority)
					if v.promoted {
						time.AfterFunc(100*ms, func() { x.Promote(v.client, v.flow) })
					}
					err := q.Acquire(ctx, x, ignore)
					if _, waiting := q.Load(); waiting > most+slots { // requeued ones come back
						problem("too many wait")
					}
					switch {
					case errors.Is(err, ErrFull):
						return
					case err != nil:
						if time.Since(began) != v.leaves {
							problem("left late")
						}
						return
					}
					use(1)
					if v.limit < 3 && v.ends == 1 {
						time.Sleep(v.takes)
						use(-1)
						x.Refused(t.Context(), v.takes, nil)
						return
					}
					if v.ends == 3 {
						use(-1)
						x.Release()
						time.Sleep(v.takes)
						x.Done()
						return
					}
					time.Sleep(v.takes)
					use(-1)
					if v.ends == 2 {
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
