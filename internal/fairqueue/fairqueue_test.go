package fairqueue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/ratelimit"
)

const ms = time.Millisecond

// A rig is a queue with one unlimited limit, and what has happened in it.
type rig struct {
	*Queue
	t     *testing.T
	limit []*Limit

	mu    sync.Mutex
	order []string
	wg    sync.WaitGroup
}

func newRig(t *testing.T, slots, maxWaiting int, limit ratelimit.Limit) *rig {
	t.Helper()
	q := New(monotime.New(nil), slots, maxWaiting)
	return &rig{Queue: q, t: t, limit: []*Limit{q.NewLimit(limit, nil, nil)}}
}

func ignore(monotime.Time) error { return nil }

// hold takes a slot, so that other requests wait.
func (r *rig) hold() *Request {
	r.t.Helper()
	holder := r.NewRequest("holder", "holder", r.limit, Urgent)
	if err := r.Acquire(r.t.Context(), holder, ignore); err != nil {
		r.t.Fatal(err)
	}
	return holder
}

// enter lets a request wait. When it is granted its name is added to the order, and
// it ends after a while.
func (r *rig) enter(name string, x *Request, takes time.Duration) {
	r.wg.Go(func() {
		err := r.Acquire(r.t.Context(), x, ignore)
		r.mu.Lock()
		if err != nil {
			name += ": " + err.Error()
		}
		r.order = append(r.order, name)
		r.mu.Unlock()
		if err == nil {
			time.Sleep(takes)
			x.Done()
		}
	})
	synctest.Wait()
}

func (r *rig) wantOrder(want ...string) {
	r.t.Helper()
	r.wg.Wait()
	if !slices.Equal(r.order, want) {
		r.t.Errorf("the order is %q, want %q", r.order, want)
	}
}

// wantIdle fails if a slot is missing, or a request is left.
func wantIdle(t *testing.T, q *Queue, slots int, limits ...*Limit) {
	t.Helper()
	if free, waiting := q.Load(); free != slots || waiting != 0 {
		t.Errorf("%d of %d slots are free, %d requests wait", free, slots, waiting)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for p, clients := range q.clients {
		if len(clients) > 0 {
			t.Errorf("priority %d has %d clients", p, len(clients))
		}
	}
	for i, l := range limits {
		if l.inFlight != 0 || l.asking != 0 {
			t.Errorf("limit %d: %d in flight, %d asking", i, l.inFlight, l.asking)
		}
	}
}

// Urgent requests go before normal ones, and both before background ones. A
// background request that was promoted is a normal one.
func TestEnter_Priorities(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 10, ratelimit.Limit{})
		holder := r.hold()
		promoted := r.NewRequest("c", "promoted", r.limit, Background)
		r.enter("background", r.NewRequest("c", "background", r.limit, Background), ms)
		r.enter("promoted", promoted, ms)
		r.enter("normal", r.NewRequest("c", "normal", r.limit, Normal), ms)
		r.enter("urgent", r.NewRequest("c", "urgent", r.limit, Urgent), ms)
		promoted.Promote("c", "somebody")
		holder.Done()
		r.wantOrder("urgent", "normal", "promoted", "background")
		promoted.Promote("c", "late") // changes nothing any more
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

// Clients take turns, then the flows of a client; a flow is first come, first served.
func TestEnter_TakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 100, ratelimit.Limit{})
		holder := r.hold()
		for _, name := range []string{"A a1", "A a2", "A a3", "A b1", "A b2", "B c1", "B c2", "C d1"} {
			client, request, _ := strings.Cut(name, " ")
			r.enter(request, r.NewRequest(client, request[:1], r.limit, Normal), ms)
		}
		holder.Done()
		r.wantOrder("a1", "c1", "d1", "b1", "c2", "a2", "b2", "a3")
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

// A client with hundreds of requests does not delay one with a single request.
func TestEnter_Fair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, limit := range map[string]ratelimit.Limit{"slots": {}, "a rate": {Rate: 4, Burst: 1}} {
			r := newRig(t, 4, 1000, limit)
			for i := range 300 {
				r.enter("greedy", r.NewRequest("greedy", i%2, r.limit, Normal), time.Second)
			}
			time.Sleep(10 * time.Second)
			for i := range 8 {
				r.wg.Go(func() {
					began := time.Now()
					x := r.NewRequest(i, "", r.limit, Normal)
					if err := r.Acquire(t.Context(), x, ignore); err != nil {
						t.Error(err)
						return
					}
					if took := time.Since(began); took > 5*time.Second {
						t.Errorf("limited by %s: a single request waits for %v", name, took)
					}
					time.Sleep(time.Second)
					x.Done()
				})
			}
			r.wg.Wait()
			wantIdle(t, r.Queue, 4, r.limit...)
		}
	})
}

// A limit that lets nothing go holds up no request of other limits.
func TestEnter_OtherLimitsPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, 100, ratelimit.Limit{Rate: 1, Burst: 1})
		other := []*Limit{r.NewLimit(ratelimit.Limit{}, nil, nil)}
		for i := range 20 {
			r.enter("slow", r.NewRequest("c", i, r.limit, Urgent), ms)
		}
		began := time.Now()
		x := r.NewRequest("c", "quick", other, Background)
		if err := r.Acquire(t.Context(), x, ignore); err != nil || time.Since(began) > ms {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		x.Done()
		r.wg.Wait()
		if took := time.Since(began); took.Round(time.Second) != 19*time.Second {
			t.Errorf("20 requests at 1 per second took %v", took)
		}
	})
}

// A request hears how long it waits: at once, when a refusal blocks its limit, and
// when it is promoted. It can give up then.
func TestEnter_Delay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10, 100, ratelimit.Limit{Rate: 1, Burst: 2})
		first, second := r.hold(), r.hold()
		var delays []time.Duration
		listen := func(until monotime.Time) error {
			delays = append(delays, until.Sub(r.clock.Now()).Round(ms))
			return nil
		}
		ahead := r.NewRequest("c", "", r.limit, Normal)
		r.enter("ahead", ahead, ms)
		x := r.NewRequest("d", "", r.limit, Background)
		r.wg.Go(func() {
			if err := r.Acquire(t.Context(), x, listen); err != nil {
				t.Error(err)
			}
			x.Done()
		})
		synctest.Wait()
		x.Promote("c", "new")
		synctest.Wait()
		cause := errors.New("refused")
		if pause := first.Refused(t.Context(), time.Minute, cause); pause != time.Minute {
			t.Errorf("paused for %v", pause)
		}
		synctest.Wait()
		if until, err := r.limit[0].Blocked(); until.Sub(r.clock.Now()) != time.Minute || !errors.Is(err, cause) || r.Blocked(r.limit) != until {
			t.Errorf("blocked for %v, %v", until.Sub(r.clock.Now()), err)
		}
		tooLong := errors.New("too long")
		if err := r.Acquire(t.Context(), r.NewRequest("e", "", r.limit, Urgent), func(monotime.Time) error { return tooLong }); !errors.Is(err, tooLong) {
			t.Errorf("got %v", err)
		}
		second.Done()
		r.wg.Wait()
		if want := []time.Duration{2 * time.Second, 2 * time.Second, time.Minute}; !slices.Equal(delays, want) {
			t.Errorf("the delays are %v, want %v", delays, want)
		}
		if until, err := r.limit[0].Blocked(); until != 0 || err != nil {
			t.Errorf("after the pause: blocked until %d, %v", until, err)
		}
		wantIdle(t, r.Queue, 10, r.limit...)
	})
}

// What a request hears counts the turns of other clients, not all of their requests.
func TestEnter_DelayIsFair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10, 1000, ratelimit.Limit{Rate: 1, Burst: 1})
		r.hold().Done()
		for i := range 50 {
			r.enter("greedy", r.NewRequest("greedy", i%5, r.limit, Normal), ms)
		}
		began := time.Now()
		var told time.Duration
		x := r.NewRequest("modest", "", r.limit, Normal)
		err := r.Acquire(t.Context(), x, func(until monotime.Time) error {
			told = until.Sub(r.clock.Now())
			return nil
		})
		x.Done()
		if took := time.Since(began); err != nil || told < took || told > took+time.Second || took > 3*time.Second {
			t.Errorf("%v after %v, it was told of %v", err, took, told)
		}
		r.wg.Wait()
	})
}

// A request that gives up, before or just when it is granted, leaves its slot to
// others.
func TestEnter_GivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, 1000, ratelimit.Limit{Rate: 1000, Burst: 1})
		for i := range 300 {
			r.wg.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7)*ms)
				defer cancel()
				x := r.NewRequest(i%3, i%5, r.limit, Priority(i%priorities))
				if err := r.Acquire(ctx, x, func(monotime.Time) error {
					if i%3 == 0 {
						return errors.New("too long")
					}
					return nil
				}); err == nil {
					time.Sleep(time.Duration(i%3) * ms)
					x.Done()
				}
			})
		}
		r.wg.Wait()
		wantIdle(t, r.Queue, 2, r.limit...)
	})
}

// A full queue refuses a request at once, unless another client has more waiting: then
// the last one of that client is refused instead. Urgent requests are never displaced.
func TestEnter_Full(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 4, ratelimit.Limit{})
		holder := r.hold()
		r.enter("urgent", r.NewRequest("crowd", "u", r.limit, Urgent), ms)
		for i := range 4 {
			r.enter(fmt.Sprint("crowd", i), r.NewRequest("crowd", "f", r.limit, Normal), ms)
		}
		r.enter("modest0", r.NewRequest("modest", "g", r.limit, Normal), ms)
		r.enter("modest1", r.NewRequest("modest", "g", r.limit, Normal), ms)
		holder.Done()
		full := ": " + ErrFull.Error()
		r.wantOrder("crowd3"+full, "crowd2"+full, "modest1"+full, "urgent", "crowd0", "modest0", "crowd1")
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

func TestEnter_FullOfUrgent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 3, ratelimit.Limit{})
		holder := r.hold()
		for i := range 3 {
			r.enter(fmt.Sprint("urgent", i), r.NewRequest("crowd", "f", r.limit, Urgent), ms)
		}
		r.enter("normal", r.NewRequest("modest", "f", r.limit, Normal), ms)
		holder.Done()
		r.wantOrder("normal: "+ErrFull.Error(), "urgent0", "urgent1", "urgent2")
	})
}

// Cancel and Done differ: what was not sent counts for no limit. Release gives the slot
// back before the end, once.
func TestRequest_Ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 1, 10, ratelimit.Limit{Rate: 0.001, Burst: 2})
		remaining := func(want int) {
			t.Helper()
			if a := r.Allowance(r.limit); !a.Limited || a.Burst != 2 || a.Remaining != want || a.Blocked != 0 {
				t.Errorf("the allowance is %+v, want %d remaining", a, want)
			}
		}
		r.hold().Cancel()
		remaining(2)
		r.hold().Done()
		remaining(1)
		released := r.hold()
		if free, _ := r.Load(); free != 0 {
			t.Errorf("%d slots are free", free)
		}
		released.Release()
		if free, _ := r.Load(); free != 1 || r.limit[0].inFlight != 1 {
			t.Errorf("%d slots are free, %d in flight", free, r.limit[0].inFlight)
		}
		released.Refused(t.Context(), time.Minute, nil)
		if a := r.Allowance(r.limit); a.Remaining != 0 || a.Blocked.Sub(r.clock.Now()) != time.Minute {
			t.Errorf("the allowance is %+v", a)
		}
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

// While a limit is probing its requests go one at a time.
func TestLimit_Probing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := New(monotime.New(nil), 10, 100)
		var proven atomic.Bool
		limits := []*Limit{q.NewLimit(ratelimit.Limit{}, nil, func() bool { return !proven.Load() })}
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				x := q.NewRequest("c", i, limits, Normal)
				if err := q.Acquire(t.Context(), x, ignore); err != nil {
					t.Error(err)
				}
				time.Sleep(time.Second)
				x.Done()
			})
		}
		time.Sleep(1500 * ms)
		if free, waiting := q.Load(); free != 9 || waiting != 3 {
			t.Errorf("%d are free, %d wait", free, waiting)
		}
		proven.Store(true)
		time.Sleep(time.Second)
		if free, waiting := q.Load(); free != 7 || waiting != 0 {
			t.Errorf("after the probe: %d are free, %d wait", free, waiting)
		}
		wg.Wait()
		wantIdle(t, q, 10, limits...)
	})
}

// Waiting requests can get other limits, or end with an error.
func TestLimit_ReplaceAndEvict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 10, 100, ratelimit.Limit{})
		blocked := []*Limit{r.NewLimit(ratelimit.Limit{Rate: 0.001, Burst: 1}, nil, nil)}
		r.enter("first", r.NewRequest("c", "f", blocked, Normal), ms)
		r.enter("replaced", r.NewRequest("c", "f", blocked, Normal), ms)
		blocked[0].Replace(r.limit)
		synctest.Wait()
		r.enter("evicted", r.NewRequest("c", "g", blocked, Urgent), ms)
		blocked[0].Evict(errors.New("refused"))
		r.wantOrder("first", "replaced", "evicted: refused")
		wantIdle(t, r.Queue, 10, append(blocked, r.limit...)...)
		blocked[0].Configure(ratelimit.Limit{}, nil)
		r.enter("configured", r.NewRequest("c", "g", blocked, Urgent), ms)
		r.wantOrder("first", "replaced", "evicted: refused", "configured")
	})
}

// A closed queue ends all waiting and lets no request in. Those that have a slot keep
// it.
func TestQueue_Close(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, 2, 10, ratelimit.Limit{Rate: 0.001, Burst: 1})
		holder := r.hold()
		r.enter("waiting", r.NewRequest("c", "f", r.limit, Normal), ms)
		r.Close()
		r.Close()
		synctest.Wait()
		r.enter("late", r.NewRequest("c", "f", []*Limit{r.NewLimit(ratelimit.Limit{}, nil, nil)}, Urgent), ms)
		closed := ": " + ErrClosed.Error()
		r.wantOrder("waiting"+closed, "late"+closed)
		holder.Done()
		wantIdle(t, r.Queue, 2, r.limit...)
	})
}
