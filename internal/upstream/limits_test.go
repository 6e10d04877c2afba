package upstream

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/show"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// A Retry-After for an anonymous call is honored exactly by all anonymous callers, and does not
// affect callers with a token. A caller that cannot wait that long gets an error at once, with
// the remaining wait.
func TestLimits_RetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := true
		s, up := newTestStore(t, Options{}, func(c call) reply {
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

		session := s.Session("")
		_, err := Fetch(soon, session, user("/b/"))
		if wait, limited := mixcloud.RetryAfter(err); !limited || wait != 50*time.Second {
			t.Errorf("Fetch = %v, want a rate limit error; wait %v, want 50s", err, wait)
		}
		synctest.Wait()
		if session.Cost() != (opstats.Cost{}) || session.spent.Load() != 0 {
			t.Errorf("cost %+v, want none", session.Cost())
		}
		want(t, fetchName(soon, s.Session("t"), "/b/"), "t1")
		if took := time.Since(began); took != 10*time.Millisecond {
			t.Errorf("call of another principal took %v, want 10ms", took)
		}
		limit := s.Session("").RateLimit()
		if limit.RetryAt == nil || !limit.RetryAt.Equal(began.Add(50*time.Second)) || *limit.Remaining != 0 {
			t.Errorf("anonymous RateLimit() = %+v, want RetryAt in 50s and no calls left", show.Value(limit))
		}
		if other := s.Session("t").RateLimit(); other.RetryAt != nil || *other.Remaining != unverifiedBurst-1 {
			t.Errorf("the token's RateLimit() = %+v, want no RetryAt and %d calls left", show.Value(other), unverifiedBurst-1)
		}

		up.made()
		want(t, fetchName(t.Context(), s.Session(""), "/b/"), "1")
		if took := time.Since(began); took != 50*time.Second+10*time.Millisecond {
			t.Errorf("call ended after %v, want 50.01s", took)
		}
		if limit := s.Session("").RateLimit(); limit.RetryAt != nil {
			t.Errorf("RateLimit() = %+v after the wait, want no RetryAt", show.Value(limit))
		}
	})
}

// The wait of a refusal applies only to its kind of call.
func TestLimits_WaitIsPerKind(t *testing.T) {
	t.Parallel()
	for refused := range kinds {
		synctest.Test(t, func(t *testing.T) {
			s, _ := newTestStore(t, Options{Rate: 50}, latest)
			s.MarkVerified("t")
			soon, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			fetch := func(kind Kind, result error) error {
				call := func(context.Context, *mixcloud.Client) (int, error) { return 0, result }
				var err error
				switch kind {
				case KindRead:
					_, err = Fetch(soon, s.Session("t"), Resource[int]{Class: ClassUser, ID: fmt.Sprint(result), Get: call})
				case KindAction:
					_, err = Write(soon, s.Session("t"), "/a/follow/", call)
				default:
					_, err = Stream(soon, s.Session("t"), kind, "/upload/", call)
				}
				return err
			}
			refusal := &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Status: 403, RetryAfter: 10 * time.Minute}
			if err := fetch(Kind(refused), refusal); !errors.Is(err, mixcloud.ErrRateLimited) {
				t.Fatal(err)
			}
			synctest.Wait() // the refused call no longer waits
			for kind := range kinds {
				err := fetch(Kind(kind), nil)
				if wait, limited := mixcloud.RetryAfter(err); limited != (kind == refused) || limited && wait != 10*time.Minute {
					t.Errorf("after a refused %v: %v = %v, want a rate limit error only for the same kind", Kind(refused), Kind(kind), err)
				}
			}
		})
	}
}

// A refusal is logged in searchable words, once for concurrent calls, and at most every ten
// seconds.
func TestLimits_Log(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		lines := func(n int, want string) {
			t.Helper()
			synctest.Wait()
			if got := log.String(); strings.Count(got, "\n") != n || !strings.Contains(got, want) {
				t.Errorf("want %d lines, one of them with %q; got %s", n, want, got)
			}
			log.Reset()
		}
		s, _ := newTestStore(t, Options{Log: slog.New(slog.NewTextHandler(&log, nil))}, func(call) reply { return limited("1") })
		soon, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		for i := range 5 {
			go fetchName(soon, s.Session(""), fmt.Sprintf("/%d/", i))
		}
		time.Sleep(100 * time.Millisecond)
		lines(1, `msg="rate limited by Mixcloud" kind=read principal=anonymous wait=1s`)
		refuse := func(context.Context, *mixcloud.Client) (int, error) {
			return 0, &mixcloud.Error{Kind: mixcloud.ErrRateLimited, Status: 403, RetryAfter: 10 * time.Minute}
		}
		for i := range 5 {
			_, _ = Stream(t.Context(), s.Session(fmt.Sprint("token", i)), KindUpload, "/upload/", refuse)
		}
		lines(1, `kind=upload principal=token wait=10m0s`)
		time.Sleep(telemetry.SampleInterval)
		_, _ = Stream(t.Context(), s.Session("another token"), KindUpload, "/upload/", refuse)
		lines(1, `wait=10m0s suppressed=4`)
	})
}

// Waiting callers get an error when their wait becomes too long.
func TestLimits_WaitBecomesTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, _ := newTestStore(t, Options{Concurrency: 1}, func(call) reply {
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
					t.Errorf("Fetch = %v after %v, want a rate limit error with a wait of 1m after 1s", err, time.Since(began))
				}
			})
		}
		wg.Wait()
	})
}

// Jumps of the wall clock have no effect.
func TestClockJump(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		jump := time.Duration(0)
		first := true
		s, up := newTestStore(t, Options{Wall: func() time.Time { return time.Now().Add(jump) }}, func(c call) reply {
			if c.path == "/limit/" && first {
				first = false
				return limited("60")
			}
			return latest(c)
		})
		want(t, fetchName(t.Context(), s.Session(""), "/a/"), "1")
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		fetchName(soon, s.Session(""), "/limit/")
		up.made()
		for _, jump = range []time.Duration{10 * 365 * day, -20 * 365 * day} {
			session := s.Session("")
			want(t, fetchName(t.Context(), session, "/a/"), "1")
			if session.Cost() != (opstats.Cost{Hits: 1}) {
				t.Errorf("clock jump of %v: cost %+v, want 1 hit", jump, session.Cost())
			}
			at := session.RateLimit().RetryAt
			if left := at.Sub(time.Now().Add(jump)); left != time.Minute {
				t.Errorf("clock jump of %v: RetryAt is in %v, want 1m", jump, left)
			}
		}
		began := time.Now()
		want(t, fetchName(t.Context(), s.Session(""), "/limit/"), "1")
		if took := time.Since(began); took != time.Minute+10*time.Millisecond {
			t.Errorf("Fetch took %v, want 1m0.01s", took)
		}
	})
}

// A configured rate is enforced from the start, exactly.
func TestLimits_Configured(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Rate: 10, Burst: 3, Budget: 1000}, latest)
		limit := s.Session("").RateLimit()
		if *limit.Budget != 3 || *limit.Spent != 0 || *limit.Remaining != 3 || limit.RetryAt != nil {
			t.Errorf("RateLimit() before the first call = %+v, want 0 of 3 spent", show.Value(limit))
		}
		var wg sync.WaitGroup
		session := s.Session("")
		for i := range 23 {
			wg.Go(func() { fetchName(t.Context(), session, fmt.Sprintf("/%d/", i)) })
		}
		wg.Wait()
		times := up.times()
		for i, at := range times {
			if due := time.Duration(max(i-2, 0)) * 100 * time.Millisecond; at.Round(time.Microsecond) != due {
				t.Errorf("call %d was made at %v, want %v", i, at, due)
			}
		}
		if limit := session.RateLimit(); *limit.Remaining != 0 || *limit.Spent != 3 {
			t.Errorf("RateLimit() at the end = %+v, want 3 of 3 spent", show.Value(limit))
		}
	})
}

// A caller also fails at once if its wait is too long only because of the configured rate.
func TestLimits_TooManyWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newTestStore(t, Options{Rate: 1, Burst: 1, Budget: 1000}, latest)
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
			t.Errorf("%d calls were made, want 11; %d were refused at once, want 39", made, atOnce)
		}
	})
}

// A window simulates Mixcloud's rate limiter, which allows a number of calls per time window.
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

// The limiter adapts to any limit, with or without a Retry-After: at most 5% of the calls exceed
// the limit, and most of the limit is used.
func TestLimits_Adapts(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{1, 2, 5, 10} {
		for _, configured := range []float64{0, 0.5, 1, 5} { // of the limiter; 0 for none
			for _, wait := range []string{"", "1"} {
				t.Run(fmt.Sprintf("limit %d, configured %v, wait %q", limit, configured, wait), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { adapts(t, limit, configured*float64(limit), wait) })
				})
			}
		}
	}
}

func adapts(t *testing.T, limit int, configured float64, wait string) {
	w := &window{limit: limit, length: time.Second, began: -time.Hour}
	s, _ := newTestStore(t, Options{Rate: configured, Burst: max(limit/2, 1), CacheBytes: -1, Retries: -1}, func(c call) reply {
		if w.take(c) {
			return latest(c)
		}
		return limited(wait)
	})
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 40 { // callers that read all the time
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				fetchName(ctx, s.Session(""), fmt.Sprintf("/%d-%d/", i, n))
			}
		})
	}
	time.Sleep(time.Minute) // for the limiter to adapt
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
		t.Errorf("%d of %d calls were above the limit, want at most %.0f", w.over, w.all, 0.05*possible)
	}
	least := 0.5 * possible
	if configured > 0 {
		least = min(least, 0.9*measure.Seconds()*configured)
	}
	if good := float64(w.all - w.over); good < least {
		t.Errorf("%v calls within the limit were made, want at least %v of %v", good, least, possible)
	}
}
