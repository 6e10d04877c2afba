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

// A fixture is a queue with one limit. It records the order in which requests get slots.
type fixture struct {
	*Queue
	t     *testing.T
	limit []*Limit // the limit, as a list

	mu    sync.Mutex
	order []string
	wg    sync.WaitGroup
}

func newFixture(t *testing.T, slots, maxWaiting int, limit ratelimit.Limit) *fixture {
	t.Helper()
	q := New(monotime.New(nil), slots, maxWaiting)
	return &fixture{Queue: q, t: t, limit: []*Limit{q.NewLimit(limit, nil, nil)}}
}

func ignore(monotime.Time) error { return nil }

// hold acquires a slot, so that other requests wait.
func (r *fixture) hold() *Request {
	r.t.Helper()
	holder := r.NewRequest("holder", "holder", r.limit, Urgent)
	if err := r.Acquire(r.t.Context(), holder, ignore); err != nil {
		r.t.Fatal(err)
	}
	return holder
}

// start acquires a slot for a request in a new goroutine, adds its name to the order, and holds
// the slot for a duration.
func (r *fixture) start(name string, x *Request, duration time.Duration) {
	r.wg.Go(func() {
		err := r.Acquire(r.t.Context(), x, ignore)
		r.mu.Lock()
		if err != nil {
			name += ": " + err.Error()
		}
		r.order = append(r.order, name)
		r.mu.Unlock()
		if err == nil {
			time.Sleep(duration)
			x.Done()
		}
	})
	synctest.Wait()
}

func (r *fixture) wantOrder(want ...string) {
	r.t.Helper()
	r.wg.Wait()
	if !slices.Equal(r.order, want) {
		r.t.Errorf("the order is %q, want %q", r.order, want)
	}
}

// wantIdle fails unless all slots are free and no request is left.
func wantIdle(t *testing.T, q *Queue, slots int, limits ...*Limit) {
	t.Helper()
	if free, waiting := q.Load(); free != slots || waiting != 0 {
		t.Errorf("%d of %d slots are free, %d requests wait; want all free, none waiting", free, slots, waiting)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for p, clients := range q.clients {
		if len(clients) > 0 {
			t.Errorf("priority %d has %d clients, want none", p, len(clients))
		}
	}
	for i, l := range limits {
		if l.inFlight != 0 || l.pending != 0 {
			t.Errorf("limit %d has %d requests in flight and %d waiting for the external limit, want none", i, l.inFlight, l.pending)
		}
	}
}

// Urgent requests go before normal ones, and both before background ones. A
// background request that was promoted is a normal one.
func TestAcquire_Priorities(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 1, 10, ratelimit.Limit{})
		holder := r.hold()
		promoted := r.NewRequest("c", "promoted", r.limit, Background)
		r.start("background", r.NewRequest("c", "background", r.limit, Background), ms)
		r.start("promoted", promoted, ms)
		r.start("normal", r.NewRequest("c", "normal", r.limit, Normal), ms)
		r.start("urgent", r.NewRequest("c", "urgent", r.limit, Urgent), ms)
		promoted.Promote("c", "other")
		holder.Done()
		r.wantOrder("urgent", "normal", "promoted", "background")
		promoted.Promote("c", "late") // has no effect after the end
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

// Clients take turns, then the flows of a client. A flow is a FIFO queue.
func TestAcquire_TakesTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 1, 100, ratelimit.Limit{})
		holder := r.hold()
		for _, name := range []string{"A a1", "A a2", "A a3", "A b1", "A b2", "B c1", "B c2", "C d1"} {
			client, request, _ := strings.Cut(name, " ")
			r.start(request, r.NewRequest(client, request[:1], r.limit, Normal), ms)
		}
		holder.Done()
		r.wantOrder("a1", "c1", "d1", "b1", "c2", "a2", "b2", "a3")
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

// A client with hundreds of requests does not delay one with a single request.
func TestAcquire_Fair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for name, limit := range map[string]ratelimit.Limit{"slots": {}, "a rate": {Rate: 4, Burst: 1}} {
			r := newFixture(t, 4, 1000, limit)
			for i := range 300 {
				r.start("many", r.NewRequest("many", i%2, r.limit, Normal), time.Second)
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
						t.Errorf("limited by %s: a single request waited %v, want at most 5s", name, took)
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

// A limit that delays its requests does not delay those of other limits.
func TestAcquire_OtherLimitsPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 2, 100, ratelimit.Limit{Rate: 1, Burst: 1})
		other := []*Limit{r.NewLimit(ratelimit.Limit{}, nil, nil)}
		for i := range 20 {
			r.start("slow", r.NewRequest("c", i, r.limit, Urgent), ms)
		}
		began := time.Now()
		x := r.NewRequest("c", "quick", other, Background)
		if err := r.Acquire(t.Context(), x, ignore); err != nil || time.Since(began) > ms {
			t.Errorf("Acquire under another limit: error %v after %v, want nil without a wait", err, time.Since(began))
		}
		x.Done()
		r.wg.Wait()
		if took := time.Since(began); took.Round(time.Second) != 19*time.Second {
			t.Errorf("20 requests at 1 per second took %v, want 19s", took)
		}
	})
}

// A caller is informed of the delay: immediately, when a refusal blocks the limit, and when the
// request is promoted. It can stop waiting then.
func TestAcquire_Delay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 10, 100, ratelimit.Limit{Rate: 1, Burst: 2})
		first, second := r.hold(), r.hold()
		var delays []time.Duration
		onDelay := func(until monotime.Time) error {
			delays = append(delays, until.Sub(r.clock.Now()).Round(ms))
			return nil
		}
		ahead := r.NewRequest("c", "", r.limit, Normal)
		r.start("ahead", ahead, ms)
		x := r.NewRequest("d", "", r.limit, Background)
		r.wg.Go(func() {
			if err := r.Acquire(t.Context(), x, onDelay); err != nil {
				t.Error(err)
			}
			x.Done()
		})
		synctest.Wait()
		x.Promote("c", "new")
		synctest.Wait()
		cause := errors.New("refused")
		if pause := first.Refused(t.Context(), time.Minute, cause); pause != time.Minute {
			t.Errorf("Refused returned a pause of %v, want 1m", pause)
		}
		synctest.Wait()
		if until, err := r.limit[0].Blocked(); until.Sub(r.clock.Now()) != time.Minute || !errors.Is(err, cause) || r.Blocked(r.limit) != until {
			t.Errorf("the limit is blocked for %v by %v, want 1m by %v", until.Sub(r.clock.Now()), err, cause)
		}
		tooLong := errors.New("too long")
		if err := r.Acquire(t.Context(), r.NewRequest("e", "", r.limit, Urgent), func(monotime.Time) error { return tooLong }); !errors.Is(err, tooLong) {
			t.Errorf("Acquire = %v, want the error of the delay callback, %v", err, tooLong)
		}
		second.Done()
		r.wg.Wait()
		if want := []time.Duration{2 * time.Second, 2 * time.Second, time.Minute}; !slices.Equal(delays, want) {
			t.Errorf("the reported delays are %v, want %v", delays, want)
		}
		if until, err := r.limit[0].Blocked(); until != 0 || err != nil {
			t.Errorf("after the pause the limit is blocked until %d by %v, want not blocked", until, err)
		}
		wantIdle(t, r.Queue, 10, r.limit...)
	})
}

// The reported delay takes into account that clients take turns.
func TestAcquire_DelayIsFair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 10, 1000, ratelimit.Limit{Rate: 1, Burst: 1})
		r.hold().Done()
		for i := range 50 {
			r.start("many", r.NewRequest("many", i%5, r.limit, Normal), ms)
		}
		began := time.Now()
		var reported time.Duration
		x := r.NewRequest("few", "", r.limit, Normal)
		err := r.Acquire(t.Context(), x, func(until monotime.Time) error {
			reported = until.Sub(r.clock.Now())
			return nil
		})
		x.Done()
		if took := time.Since(began); err != nil || reported < took || reported > took+time.Second || took > 3*time.Second {
			t.Errorf("Acquire: error %v after %v, reported delay %v; want nil within 3s, and a delay up to 1s above the actual one", err, took, reported)
		}
		r.wg.Wait()
	})
}

// A request that stops waiting, before or at the time when it gets a slot, returns the slot.
func TestAcquire_StopsWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 2, 1000, ratelimit.Limit{Rate: 1000, Burst: 1})
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

// A full queue refuses a request immediately, unless another client has more waiting requests:
// then the last one of that client is refused instead. Urgent requests are never evicted.
func TestAcquire_Full(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 1, 4, ratelimit.Limit{})
		holder := r.hold()
		r.start("urgent", r.NewRequest("many", "u", r.limit, Urgent), ms)
		for i := range 4 {
			r.start(fmt.Sprint("many", i), r.NewRequest("many", "f", r.limit, Normal), ms)
		}
		r.start("few0", r.NewRequest("few", "g", r.limit, Normal), ms)
		r.start("few1", r.NewRequest("few", "g", r.limit, Normal), ms)
		holder.Done()
		full := ": " + ErrFull.Error()
		r.wantOrder("many3"+full, "many2"+full, "few1"+full, "urgent", "many0", "few0", "many1")
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

func TestAcquire_FullOfUrgent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 1, 3, ratelimit.Limit{})
		holder := r.hold()
		for i := range 3 {
			r.start(fmt.Sprint("urgent", i), r.NewRequest("many", "f", r.limit, Urgent), ms)
		}
		r.start("normal", r.NewRequest("few", "f", r.limit, Normal), ms)
		holder.Done()
		r.wantOrder("normal: "+ErrFull.Error(), "urgent0", "urgent1", "urgent2")
	})
}

// Done counts a request for its limits, Cancel does not. Release returns the slot before the
// end, only once.
func TestRequest_Ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 1, 10, ratelimit.Limit{Rate: 0.001, Burst: 2})
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
			t.Errorf("%d slots are free while one request is in flight, want 0", free)
		}
		released.Release()
		if free, _ := r.Load(); free != 1 || r.limit[0].inFlight != 1 {
			t.Errorf("after Release %d slots are free and %d requests in flight, want 1 and 1", free, r.limit[0].inFlight)
		}
		released.Refused(t.Context(), time.Minute, nil)
		if a := r.Allowance(r.limit); a.Remaining != 0 || a.Blocked.Sub(r.clock.Now()) != time.Minute {
			t.Errorf("Allowance = %+v, want 0 remaining, blocked for 1m", a)
		}
		wantIdle(t, r.Queue, 1, r.limit...)
	})
}

// While a limit is probing, only one of its requests is sent at a time.
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
			t.Errorf("during the probe %d slots are free and %d requests wait, want 9 and 3", free, waiting)
		}
		proven.Store(true)
		time.Sleep(time.Second)
		if free, waiting := q.Load(); free != 7 || waiting != 0 {
			t.Errorf("after the probe %d slots are free and %d requests wait, want 7 and 0", free, waiting)
		}
		wg.Wait()
		wantIdle(t, q, 10, limits...)
	})
}

// Replace changes the limits of waiting requests, and Evict makes them fail.
func TestLimit_ReplaceAndEvict(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 10, 100, ratelimit.Limit{})
		blocked := []*Limit{r.NewLimit(ratelimit.Limit{Rate: 0.001, Burst: 1}, nil, nil)}
		r.start("first", r.NewRequest("c", "f", blocked, Normal), ms)
		r.start("replaced", r.NewRequest("c", "f", blocked, Normal), ms)
		blocked[0].Replace(r.limit)
		synctest.Wait()
		r.start("evicted", r.NewRequest("c", "g", blocked, Urgent), ms)
		blocked[0].Evict(errors.New("refused"))
		r.wantOrder("first", "replaced", "evicted: refused")
		wantIdle(t, r.Queue, 10, append(blocked, r.limit...)...)
		blocked[0].Configure(ratelimit.Limit{}, nil)
		r.start("configured", r.NewRequest("c", "g", blocked, Urgent), ms)
		r.wantOrder("first", "replaced", "evicted: refused", "configured")
	})
}

// Close makes waiting and later requests fail. Requests that have a slot keep it.
func TestQueue_Close(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newFixture(t, 2, 10, ratelimit.Limit{Rate: 0.001, Burst: 1})
		holder := r.hold()
		r.start("waiting", r.NewRequest("c", "f", r.limit, Normal), ms)
		r.Close()
		r.Close()
		synctest.Wait()
		r.start("late", r.NewRequest("c", "f", []*Limit{r.NewLimit(ratelimit.Limit{}, nil, nil)}, Urgent), ms)
		closed := ": " + ErrClosed.Error()
		r.wantOrder("waiting"+closed, "late"+closed)
		holder.Done()
		wantIdle(t, r.Queue, 2, r.limit...)
	})
}
