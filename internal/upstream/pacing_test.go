package upstream

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// A wait that Mixcloud names is kept to the moment, for all without a token and
// not for those with one; who cannot wait for so long is told at once, with the
// wait that is left.
func TestPace_NamedWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := true
		s, up := newRig(t, Options{}, func(c call) reply {
			if first && c.token == "" {
				first = false
				return limited("60")
			}
			return latest(c)
		})
		soon, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if _, err := Fetch(soon, s.Session(""), user("/a/")); gqlerr.CodeOf(err) != gqlerr.CodeRateLimited {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		began := time.Now()

		for _, ask := range []func(*Session) error{
			func(s *Session) error { _, err := Fetch(soon, s, user("/b/")); return err },
			func(s *Session) error {
				_, err := Write(soon, s, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				return err
			},
			func(s *Session) error {
				_, err := Stream(soon, s, "/a/follow/", func(context.Context, *mixcloud.Client) (int, error) { return 0, nil })
				return err
			},
		} {
			session := s.Session("")
			err := ask(session)
			if wait, limited := mixcloud.RetryAfter(err); !limited || wait != 50*time.Second {
				t.Errorf("got %v, wait %v", err, wait)
			}
			synctest.Wait()
			if session.Cost() != (Cost{}) || session.spent.Load() != 0 {
				t.Errorf("cost %+v", session.Cost())
			}
		}
		want(t, name(soon, s.Session("t"), "/b/"), "t1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("took %v", took)
		}
		limit := s.Session("").RateLimit()
		if limit.RetryAt == nil || !limit.RetryAt.Equal(began.Add(50*time.Second)) || *limit.Remaining != 0 {
			t.Errorf("the limit is %+v", limit)
		}
		if other := s.Session("t").RateLimit(); other.RetryAt != nil || other.Budget != nil {
			t.Errorf("the token's limit is %+v", other)
		}

		up.made()
		want(t, name(t.Context(), s.Session(""), "/b/"), "1")
		if took := time.Since(began); took != 50*time.Second+10*time.Millisecond {
			t.Errorf("went after %v", took)
		}
		if limit := s.Session("").RateLimit(); limit.RetryAt != nil {
			t.Errorf("the limit is %+v", limit)
		}
	})
}

// Those who already wait are told when the wait becomes too long for them.
func TestPace_NewsOfAWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newRig(t, Options{Concurrency: 1}, func(call) reply {
			r := limited("60")
			r.delay = time.Second
			return r
		})
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		var wg sync.WaitGroup
		for i := range 5 {
			wg.Go(func() {
				began := time.Now()
				_, err := Fetch(ctx, s.Session(""), user(fmt.Sprintf("/%d/", i)))
				if wait, limited := mixcloud.RetryAfter(err); !limited || wait != time.Minute || time.Since(began) != time.Second {
					t.Errorf("%v after %v", err, time.Since(began))
				}
			})
		}
		wg.Wait()
	})
}

// The wall clock jumping by years moves nothing.
func TestClockJump(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jump := time.Duration(0)
		first := true
		s, up := newRig(t, Options{Wall: func() time.Time { return time.Now().Add(jump) }}, func(c call) reply {
			if c.path == "/limit/" && first {
				first = false
				return limited("60")
			}
			return latest(c)
		})
		want(t, name(t.Context(), s.Session(""), "/a/"), "1")
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		name(soon, s.Session(""), "/limit/")
		up.made()
		for _, jump = range []time.Duration{10 * 365 * day, -20 * 365 * day} {
			session := s.Session("")
			want(t, name(t.Context(), session, "/a/"), "1")
			if session.Cost() != (Cost{Hits: 1}) {
				t.Errorf("after a jump of %v: cost %+v", jump, session.Cost())
			}
			at := session.RateLimit().RetryAt
			if left := at.Sub(time.Now().Add(jump)); left != time.Minute {
				t.Errorf("after a jump of %v: retry in %v of that clock", jump, left)
			}
		}
		began := time.Now()
		want(t, name(t.Context(), s.Session(""), "/limit/"), "1")
		if took := time.Since(began); took != time.Minute+10*time.Millisecond {
			t.Errorf("took %v", took)
		}
	})
}

// A configured rate is kept from the beginning, to the call.
func TestPace_Configured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Rate: 10, Burst: 3, Budget: 1000}, latest)
		limit := s.Session("").RateLimit()
		if *limit.Budget != 3 || *limit.Spent != 0 || *limit.Remaining != 3 || limit.RetryAt != nil {
			t.Errorf("at first %+v", limit)
		}
		var wg sync.WaitGroup
		session := s.Session("")
		for i := range 23 {
			wg.Go(func() { name(t.Context(), session, fmt.Sprintf("/%d/", i)) })
		}
		wg.Wait()
		times := up.times()
		for i, at := range times {
			if due := time.Duration(max(i-2, 0)) * 100 * time.Millisecond; at.Round(time.Microsecond) != due {
				t.Errorf("call %d went at %v, not %v", i, at, due)
			}
		}
		if limit := session.RateLimit(); *limit.Remaining != 0 || *limit.Spent != 3 {
			t.Errorf("at the end %+v", limit)
		}
	})
}

// A wait by the rate alone that is too long fails at once, too.
func TestPace_TooManyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{Rate: 1, Burst: 1, Budget: 1000}, latest)
		ctx, cancel := context.WithTimeout(t.Context(), 10500*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		var mu sync.Mutex
		atOnce := 0
		for i := range 50 {
			wg.Go(func() {
				began := time.Now()
				_, err := Fetch(ctx, s.Session(""), user(fmt.Sprintf("/%d/", i)))
				mu.Lock()
				defer mu.Unlock()
				if wait, limited := mixcloud.RetryAfter(err); limited && time.Since(began) == 0 && wait > 10*time.Second {
					atOnce++
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made := up.made(); made != 11 || atOnce != 39 {
			t.Errorf("%d calls were made, %d were refused at once", made, atOnce)
		}
	})
}

// A limiter of a Mixcloud: so many calls in a window.
type window struct {
	limit  int
	length time.Duration
	mu     sync.Mutex
	began  time.Duration
	n      int
	over   int
	all    int
}

func (w *window) take(c call) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.at-w.began >= w.length {
		w.began, w.n = c.at, 0
	}
	w.n++
	w.all++
	if w.n > w.limit {
		w.over++
		return false
	}
	return true
}

// Whatever the limit is, and whether it is told, the pace finds it, stays under
// it but for one call in twenty, and does not fall far below it.
func TestPace_Learns(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2, 5, 10} {
		for _, configured := range []float64{0, 0.5, 1, 5} { // of the limit; 0 for none
			for _, wait := range []string{"", "1"} {
				t.Run(fmt.Sprintf("limit %d, configured %v, wait %q", limit, configured, wait), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { learn(t, limit, configured*float64(limit), wait) })
				})
			}
		}
	}
}

func learn(t *testing.T, limit int, configured float64, wait string) {
	w := &window{limit: limit, length: time.Second, began: -time.Hour}
	s, _ := newRig(t, Options{Rate: configured, Burst: max(limit/2, 1), CacheBytes: -1, Retries: -1}, func(c call) reply {
		if w.take(c) {
			return latest(c)
		}
		return limited(wait)
	})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 40 { // who ask all the time
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				name(ctx, s.Session(""), fmt.Sprintf("/%d-%d/", i, n))
			}
		})
	}
	time.Sleep(time.Minute) // to learn
	w.mu.Lock()
	w.over, w.all = 0, 0
	w.mu.Unlock()
	const measure = 3 * time.Minute
	time.Sleep(measure)
	stop()
	wg.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	possible := measure.Seconds() * float64(limit)
	if float64(w.over) > 0.05*possible {
		t.Errorf("%d of %d calls were over the limit", w.over, w.all)
	}
	least := 0.5 * possible
	if configured > 0 {
		least = min(least, 0.9*measure.Seconds()*configured)
	}
	if good := float64(w.all - w.over); good < least {
		t.Errorf("only %v of %v calls were made", good, possible)
	}
}

// A pause without a named wait doubles with each refusal in a row.
func TestPace_UnnamedWaits(t *testing.T) {
	t.Parallel()
	p := newPace(0, 1)
	var got []time.Duration
	now := tick(0)
	for range 9 {
		pause := p.refuse(&mixcloud.Error{Kind: mixcloud.ErrRateLimited}, now, now)
		got = append(got, pause)
		now = p.ready(now)
		p.ready(now)
	}
	want := []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60}
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(got, want) {
		t.Errorf("the pauses are %v", got)
	}
	p.answer(now+1, now+1)
	if pause := p.refuse(&mixcloud.Error{}, now+2, now+2); pause != time.Second {
		t.Errorf("after an answer it is %v", pause)
	}
}

// Refusals of calls that were in the air together count as one, and the longest
// of their waits counts.
func TestPace_OneEvent(t *testing.T) {
	t.Parallel()
	p := newPace(100, 10)
	for i, wait := range []int{1, 5, 3} {
		p.refuse(&mixcloud.Error{RetryAfter: time.Duration(wait) * time.Second}, 0, tick(i+1)*time.Millisecond)
	}
	if p.strikes != 1 || p.silent != 5*time.Second+2*time.Millisecond {
		t.Errorf("%d strikes, silent until %v", p.strikes, p.silent)
	}
	if at := p.ready(p.silent); at != p.silent || p.rate != 100*backOff || p.depth() != 100*backOff/10 {
		t.Errorf("ready at %v, rate %v, depth %v", at, p.rate, p.depth())
	}
	p.refuse(&mixcloud.Error{RetryAfter: 300 * time.Hour}, p.silent, p.silent)
	if wait := p.silent - p.epoch; wait != maxPause {
		t.Errorf("a wait of 300 h is believed for %v", wait)
	}
}

// After is when a call goes that so many are before.
func TestPace_After(t *testing.T) {
	t.Parallel()
	p := newPace(10, 5)
	for n, want := range map[int]time.Duration{0: 0, 4: 0, 5: 100, 14: 1000} {
		if got := p.after(n, 0); math.Abs(float64(got-want*time.Millisecond)) > 10 {
			t.Errorf("after %d: %v, want %v ms", n, got, want)
		}
	}
	if got := newPace(0, 5).after(1000, 7); got != 7 {
		t.Errorf("without a limit: %v", got)
	}
}

// One refusal of a server that hardly asks is no reason to crawl: what follows is
// answered about as soon as before, and traffic that is sparse heals the pace as
// traffic does that is not.
func TestPace_QuietServer(t *testing.T) {
	t.Parallel()
	refusal := &mixcloud.Error{Kind: mixcloud.ErrRateLimited, RetryAfter: time.Minute}
	for name, base := range map[string]float64{"a configured rate": 50, "none": 0} {
		t.Run(name, func(t *testing.T) {
			p := newPace(base, 500)
			now := time.Hour
			p.ready(now)
			p.take()
			p.answer(now, now)
			now += 500 * time.Millisecond
			p.take()
			p.refuse(refusal, now, now)
			if at := p.ready(now); at != now+time.Minute {
				t.Errorf("the wait that was named ends at %v, not a minute later", at-now)
			}
			now += time.Minute
			if p.ready(now); p.rate != base*backOff {
				t.Errorf("%v calls a second, want %v", p.rate, base*backOff)
			}
			for range 60 {
				now += time.Minute
				p.answer(now, now)
			}
			if p.ready(now); p.rate != base || p.depth() != 500 {
				t.Errorf("after an hour of a call a minute: %v calls a second, %v at once", p.rate, p.depth())
			}
		})
	}
	t.Run("one that asks a lot", func(t *testing.T) {
		p := newPace(50, 500)
		now := time.Hour
		for range 5 {
			p.answer(now, now)
		}
		now += time.Millisecond
		for range 20 {
			p.refuse(refusal, now, now)
		}
		now += time.Minute
		if p.ready(now); p.rate != 5*backOff {
			t.Errorf("%v calls a second, want %v", p.rate, 5*backOff)
		}
	})
}
