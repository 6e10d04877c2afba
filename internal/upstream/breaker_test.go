package upstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/mixcloud"
)

// Tries again: two, later each time, only of what breaks by chance or for the
// limit, and never against a named wait.
func TestRetry(t *testing.T) {
	t.Parallel()
	const round = 10 * time.Millisecond
	named := broken
	named.header = map[string]string{"Retry-After": "3"}
	tests := map[string]struct {
		answers []reply // the last one for all further
		calls   int
		took    time.Duration
		code    gqlerr.Code
	}{
		"one 502":          {[]reply{broken, {delay: round}}, 2, 2*round + 100*time.Millisecond, ""},
		"two resets":       {[]reply{{err: errors.New("reset")}, {err: errors.New("reset")}, {}}, 3, 300 * time.Millisecond, ""},
		"no end":           {[]reply{broken}, 3, 3*round + 300*time.Millisecond, gqlerr.CodeUpstreamUnavailable},
		"a named wait":     {[]reply{named}, 1, round, gqlerr.CodeUpstreamUnavailable},
		"the limit":        {[]reply{limited("2"), {delay: round}}, 2, 2*round + 2*time.Second, ""},
		"the limit again":  {[]reply{limited("2")}, 3, 3*round + 4*time.Second, gqlerr.CodeRateLimited},
		"a longer limit":   {[]reply{limited("60"), {}}, 1, round, gqlerr.CodeRateLimited},
		"not found":        {[]reply{missing}, 1, round, gqlerr.CodeNotFound},
		"nonsense":         {[]reply{{body: "{"}}, 1, 0, gqlerr.CodeUpstreamBadResponse},
		"a timeout":        {[]reply{{delay: time.Hour}}, 1, time.Second, gqlerr.CodeUpstreamTimeout},
		"a bot protection": {[]reply{{status: 403, body: "<html>"}}, 1, 0, gqlerr.CodeUpstreamUnavailable},
	}
	for title, tt := range tests {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, up := newRig(t, Options{Timeout: time.Second}, func(c call) reply { return tt.answers[min(c.n, len(tt.answers))-1] })
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				session, began := s.Session(""), time.Now()
				_, err := Fetch(ctx, session, user("/a/"))
				if took := time.Since(began); gqlerr.CodeOf(err) != tt.code || took != tt.took || session.Cost().Calls != tt.calls {
					t.Errorf("%v after %v, cost %+v", err, took, session.Cost())
				}
				wantCalls(t, up, tt.calls)
			})
		})
	}
}

// Nobody is waited for who has left: there is no try again for them.
func TestRetry_NobodyWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, up := newRig(t, Options{}, func(call) reply { return reply{delay: time.Second, status: 502, body: "<html>"} })
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		name(ctx, s.Session(""), "/a/")
		time.Sleep(time.Minute)
		wantCalls(t, up, 1)
	})
}

// Tries again are no more than one in ten calls, however much fails. The
// breakers, which would end it before, are left out.
func TestRetry_Budget(t *testing.T) {
	t.Parallel()
	var r retryBudget
	tries := 0
	const calls = 2000
	for range calls {
		r.earn()
		for range 2 {
			if r.take() {
				tries++
			}
		}
	}
	if most := retryStock + retryShare*calls; float64(tries) > most || float64(tries) < most-2 {
		t.Errorf("%d tries again of %d calls", tries, calls)
	}
}

// What keeps failing is left alone, tried by one call after a while, and used
// again when that is answered. Other parts of Mixcloud are not touched by it.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := true
		s, up := newRig(t, Options{Retries: -1, CacheBytes: -1}, func(c call) reply {
			if down && c.path != "/list/" {
				return broken
			}
			return latest(c)
		})
		ask := func(key string) (time.Duration, error) {
			began := time.Now()
			_, err := Fetch(t.Context(), s.Session(""), user(key))
			return time.Since(began), err
		}
		for i := range breakerFailures {
			if _, err := ask(fmt.Sprintf("/%d/", i)); gqlerr.CodeOf(err) != gqlerr.CodeUpstreamUnavailable {
				t.Fatal(err)
			}
		}
		wantCalls(t, up, breakerFailures)
		wait := breakerPause
		for round := range 6 {
			took, err := ask("/x/")
			var e *mixcloud.Error
			if !errors.As(err, &e) || e.Kind != mixcloud.ErrUnavailable || e.Status != 502 || e.RetryAfter != wait || took != 0 {
				t.Fatalf("round %d: %v after %v, want a wait of %v", round, err, took, wait)
			}
			list := user("/list/")
			list.Class = ClassList
			if _, err := Fetch(t.Context(), s.Session(""), list); err != nil {
				t.Errorf("another part: %v", err)
			}
			time.Sleep(wait)
			up.made()
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() { _, _ = ask(fmt.Sprintf("/probe%d/", i)) })
			}
			wg.Wait()
			wantCalls(t, up, 1)
			wait = min(2*wait, breakerLongest)
		}
		down = false
		time.Sleep(wait)
		for range 3 {
			if _, err := ask("/x/"); err != nil {
				t.Error(err)
			}
		}
	})
}

// What a breaker counts: not the limit, not "not found", not a client's end.
func TestBreaker_Judges(t *testing.T) {
	t.Parallel()
	for want, errs := range map[verdict][]error{
		failing: {&mixcloud.Error{Kind: mixcloud.ErrUnavailable}, &mixcloud.Error{Kind: mixcloud.ErrTimeout}},
		alive:   {nil, &mixcloud.Error{Kind: mixcloud.ErrNotFound}, &mixcloud.Error{Kind: mixcloud.ErrUnauthenticated}, &mixcloud.Error{Kind: mixcloud.ErrForbidden}},
		neutral: {&mixcloud.Error{Kind: mixcloud.ErrRateLimited}, context.Canceled, &mixcloud.Error{Kind: context.Canceled}, &mixcloud.Error{Kind: mixcloud.ErrBadResponse}, errNotMade},
	} {
		for _, err := range errs {
			if got := judge(err); got != want {
				t.Errorf("%v is judged %d, want %d", err, got, want)
			}
		}
	}
}

// One failure in three is no reason to stop, nor are five that are long ago.
func TestBreaker_StaysShut(t *testing.T) {
	t.Parallel()
	failed := &mixcloud.Error{Kind: mixcloud.ErrUnavailable}
	s, _ := newRig(t, Options{}, latest)
	var often, seldom breaker
	for i := range 100 {
		v := alive
		if i%3 == 0 {
			v = failing
		}
		often.done(0, v, failed, tick(i)*time.Second, s.log)
		seldom.done(0, failing, failed, tick(i)*10*time.Second, s.log)
	}
	if often.open || seldom.open {
		t.Errorf("open: %v, %v", often.open, seldom.open)
	}
}

// A probe that says nothing is followed by another one.
func TestBreaker_NeutralProbe(t *testing.T) {
	t.Parallel()
	failed := &mixcloud.Error{Kind: mixcloud.ErrUnavailable}
	s, _ := newRig(t, Options{}, latest)
	var b breaker
	for range breakerFailures {
		b.done(0, failing, failed, 0, s.log)
	}
	now := b.until
	for range 3 {
		probe, err := b.admit(now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.admit(now); err == nil {
			t.Fatal("two probes at a time")
		}
		b.done(probe, neutral, errNotMade, now, s.log)
	}
}

// What was before an answer is forgiven: one more failure does not open a
// breaker that has just been shut.
func TestBreaker_Forgives(t *testing.T) {
	t.Parallel()
	failed := &mixcloud.Error{Kind: mixcloud.ErrUnavailable}
	s, _ := newRig(t, Options{}, latest)
	var b breaker
	for range breakerFailures {
		b.done(0, failing, failed, 0, s.log)
	}
	now := b.until
	probe, err := b.admit(now)
	if err != nil {
		t.Fatal(err)
	}
	b.done(probe, alive, nil, now, s.log)
	b.done(0, failing, failed, now, s.log)
	if err := b.check(now); err != nil {
		t.Errorf("open again: %v", err)
	}
}
