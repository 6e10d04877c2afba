package breaker_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/internal/breaker"
)

var errDown = errors.New("down")

// attempt makes one call that ends immediately, and reports whether it was allowed.
func attempt(b *breaker.Breaker, address string, outcome breaker.Outcome) bool {
	c, err := b.Allow(address)
	if err != nil {
		return false
	}
	c.Done(outcome, errDown)
	return true
}

// waitFor returns for how long an address is rejected; 0 if it is not.
func waitFor(t *testing.T, b *breaker.Breaker, address string) time.Duration {
	t.Helper()
	err := b.Check(address)
	if err == nil {
		return 0
	}
	open, ok := errors.AsType[*breaker.OpenError](err)
	if !ok || !errors.Is(err, errDown) {
		t.Fatalf("Check(%s) = %v, want an OpenError caused by %v", address, err, errDown)
	}
	return open.Wait
}

// newOpenBreaker returns a breaker that five failing addresses, /0/ to /4/, have
// just opened.
func newOpenBreaker(t *testing.T) *breaker.Breaker {
	t.Helper()
	b := breaker.New(breaker.Config{Name: "test"})
	for i := range 5 {
		attempt(b, fmt.Sprintf("/%d/", i), breaker.Failed)
	}
	if waitFor(t, b, "/x/") != breaker.DefaultPause {
		t.Fatal("the breaker is closed after five failing addresses, want open")
	}
	return b
}

// Addresses are single letters: a lower-case one fails, an upper-case one succeeds,
// and "." is a call with the outcome Ignored.
func TestBreaker_Opens(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		calls string
		fixed string
		open  bool
	}{
		"four addresses":                             {calls: "abcd"},
		"five addresses":                             {calls: "abcde", open: true},
		"one address a hundred times":                {calls: strings.Repeat("a", 100)},
		"four addresses, five times each":            {calls: strings.Repeat("abcd", 5)},
		"five of ten":                                {calls: "ABCDEfghij", open: true},
		"five of eleven":                             {calls: "ABCDEFghijk"},
		"one of many fails, over and over":           {calls: strings.Repeat("aBaCaDaEaF", 10)},
		"a busy address counts once":                 {calls: strings.Repeat("Z", 15) + "abcde", open: true},
		"a failure 20 calls ago does not count":      {calls: "a" + strings.Repeat("Z", 16) + "bcde"},
		"a failure 19 calls ago counts":              {calls: "a" + strings.Repeat("Z", 15) + "bcde", open: true},
		"three attempts each":                        {calls: "aaabbbcccdddeee", open: true},
		"failed, then succeeded":                     {calls: "aAbBcCdDeEf"},
		"ignored outcomes":                           {calls: strings.Repeat("......", 10)},
		"fixed: all failed three times":              {fixed: "abcd", calls: "aaabbbcccddd", open: true},
		"fixed: in turn":                             {fixed: "abcd", calls: "abcdabcdabcd", open: true},
		"fixed: one succeeds":                        {fixed: "abcd", calls: strings.Repeat("abcD", 10)},
		"fixed: one was not called":                  {fixed: "abcd", calls: strings.Repeat("abc", 10)},
		"fixed: one failed twice":                    {fixed: "abcd", calls: "aaabbbcccdd"},
		"fixed: one succeeded within its last three": {fixed: "abcd", calls: "aaabbbcccddDd"},
		"fixed: long ago":                            {fixed: "ab", calls: strings.Repeat("a", 30) + "bbb", open: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := breaker.New(breaker.Config{Name: "test", Fixed: strings.Split(test.fixed, "")})
			for _, c := range test.calls {
				outcome := breaker.Failed
				if c < 'a' {
					outcome = breaker.Succeeded
				}
				if c == '.' {
					outcome = breaker.Ignored
				}
				attempt(b, strings.ToLower(string(c)), outcome)
			}
			if open := b.Check("new") != nil; open != test.open {
				t.Errorf("after the calls %s the breaker is open: %v, want %v", test.calls, open, test.open)
			}
		})
	}
}

// A failing service gets one call at a time, to an address that is not known to
// fail, with growing pauses; a success closes the breaker.
func TestBreaker_Probes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newOpenBreaker(t)
		pause := breaker.DefaultPause
		for i := range 6 {
			if w := waitFor(t, b, "/new/"); w != pause {
				t.Fatalf("probe %d is allowed after %v, want %v", i, w, pause)
			}
			time.Sleep(pause)
			if attempt(b, "/0/", breaker.Failed) {
				t.Fatal("an address that failed was allowed as the first probe")
			}
			allowed := 0
			for j := range 20 {
				if attempt(b, fmt.Sprintf("/probe %d %d/", i, j), breaker.Failed) {
					allowed++
				}
			}
			if allowed != 1 {
				t.Fatalf("%d probes allowed, want 1", allowed)
			}
			pause = min(2*pause, breaker.DefaultMaxPause)
		}
		time.Sleep(pause)
		if !attempt(b, "/up/", breaker.Succeeded) {
			t.Fatal("no probe is allowed after the pause")
		}
		for i := range 5 {
			if !attempt(b, fmt.Sprintf("/%d/", i), breaker.Succeeded) {
				t.Error("the breaker is open after a successful probe, want closed")
			}
		}
	})
}

// Clients that only use failed addresses are not blocked forever: failed addresses
// may be probes one pause later, the latest failed one two pauses later.
func TestBreaker_ProbesOfFailedAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newOpenBreaker(t)
		for address, want := range map[string]time.Duration{"/new/": time.Second, "/0/": 2 * time.Second, "/3/": 2 * time.Second, "/4/": 3 * time.Second} {
			if got := waitFor(t, b, address); got != want {
				t.Errorf("%s waits %v, want %v", address, got, want)
			}
		}
		time.Sleep(2 * time.Second)
		if !attempt(b, "/0/", breaker.Failed) {
			t.Fatal("an address that failed is not allowed as a probe after twice the pause")
		}
		// Now /0/ is the latest failed address.
		if zero, one := waitFor(t, b, "/0/"), waitFor(t, b, "/1/"); zero != 6*time.Second || one != 4*time.Second {
			t.Errorf("after a failed probe of /0/: /0/ waits %v and /1/ %v, want 6s and 4s", zero, one)
		}
		time.Sleep(6 * time.Second)
		if !attempt(b, "/0/", breaker.Succeeded) || b.Check("/1/") != nil {
			t.Error("a successful probe of the only requested address did not close the breaker")
		}
	})
}

// All fixed addresses have failed when the breaker opens; they are probed in turn.
func TestBreaker_ProbesOfFixedAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fixed := []string{"/a/", "/b/", "/c/"}
		b := breaker.New(breaker.Config{Name: "test", Fixed: fixed})
		for i := range 9 {
			attempt(b, fixed[i%3], breaker.Failed)
		}
		var probed []string
		for range 40 {
			time.Sleep(time.Second)
			for _, address := range fixed {
				if attempt(b, address, breaker.Failed) {
					probed = append(probed, address)
				}
			}
		}
		for i := 1; i < len(probed); i++ {
			if probed[i] == probed[i-1] {
				t.Errorf("two consecutive probes are of %s, want different addresses: %q", probed[i], probed)
			}
		}
		if len(probed) < 4 {
			t.Errorf("got %d probes, want at least 4: %q", len(probed), probed)
		}
	})
}

// A slow probe does not prevent others, and closes the breaker if it succeeds in
// the end.
func TestBreaker_SlowProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newOpenBreaker(t)
		time.Sleep(time.Second)
		slow, err := b.Allow("/slow/")
		if err != nil {
			t.Fatal(err)
		}
		if w := waitFor(t, b, "/next/"); w != 2*time.Second {
			t.Errorf("the next probe is allowed after %v, want 2s", w)
		}
		time.Sleep(2 * time.Second)
		if !attempt(b, "/next/", breaker.Failed) {
			t.Fatal("a slow probe blocked the next one")
		}
		slow.Done(breaker.Ignored, nil) // not the latest probe: no other one may replace it
		if w := waitFor(t, b, "/new/"); w != 4*time.Second {
			t.Errorf("pause is %v after a slow probe without an outcome, want 4s", w)
		}
		time.Sleep(4 * time.Second)
		slow, err = b.Allow("/slow again/")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		slow.Done(breaker.Succeeded, nil)
		if b.Check("/new/") != nil {
			t.Error("the breaker is open after a slow probe succeeded, want closed")
		}
	})
}

// A probe whose caller leaves before the response is replaced by the next call.
func TestBreaker_AbandonedProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newOpenBreaker(t)
		time.Sleep(time.Second)
		for i := range 5 {
			c, err := b.Allow("/abandoned/")
			if err != nil {
				t.Fatalf("probe %d is not allowed: %v", i, err)
			}
			if b.Check("/other/") == nil {
				t.Fatal("a second probe is allowed during the first one")
			}
			c.Done(breaker.Ignored, nil)
		}
		if w := waitFor(t, b, "/x/"); w != 0 {
			t.Errorf("wait for a probe is %v after probes without an outcome, want none", w)
		}
		attempt(b, "/x/", breaker.Failed)
		if w := waitFor(t, b, "/y/"); w != 2*time.Second {
			t.Errorf("pause after the first failed probe is %v, want 2s", w)
		}
	})
}

// Failures of calls that were in flight when the breaker opened or closed are
// ignored; a success closes it.
func TestBreaker_InFlightCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Config{Name: "test"})
		var inFlight []*breaker.Call
		for i := range 30 {
			c, err := b.Allow(fmt.Sprintf("/%d/", i))
			if err != nil {
				t.Fatal(err)
			}
			inFlight = append(inFlight, c)
		}
		for _, c := range inFlight[:10] {
			c.Done(breaker.Failed, errDown)
		}
		if w := waitFor(t, b, "/x/"); w != time.Second {
			t.Errorf("wait %v, want 1s", w)
		}
		inFlight[10].Done(breaker.Succeeded, nil)
		if b.Check("/x/") != nil {
			t.Error("the breaker is open after a success, want closed")
		}
		for _, c := range inFlight[11:] {
			c.Done(breaker.Failed, errDown)
		}
		if b.Check("/x/") != nil {
			t.Error("the breaker is open after failures of calls that began before it closed, want closed")
		}
	})
}

// If a service alternates between up and down every few seconds, few calls fail;
// when it recovers it is soon used again.
func TestBreaker_Flapping(t *testing.T) {
	t.Parallel()
	for period, maxFailed := range map[time.Duration]int{2 * time.Second: 600, 5 * time.Second: 130, 20 * time.Second: 250} {
		t.Run(period.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := breaker.New(breaker.Config{Name: "test"})
				began, failed, calls := time.Now(), 0, 0
				up := func() bool { return time.Since(began)/period%2 == 1 }
				for time.Since(began) < 10*time.Minute {
					calls++
					outcome := breaker.Failed
					if up() {
						outcome = breaker.Succeeded
					}
					if attempt(b, fmt.Sprintf("/%d/", calls), outcome) && outcome == breaker.Failed {
						failed++
					}
					time.Sleep(20 * time.Millisecond)
				}
				if failed > maxFailed {
					t.Errorf("%d of %d calls went to a service that was down, want at most %d", failed, calls, maxFailed)
				}
				down := time.Now()
				for !attempt(b, "/up/", breaker.Succeeded) {
					time.Sleep(20 * time.Millisecond)
				}
				if took := time.Since(down); took > breaker.DefaultMaxPause+20*time.Millisecond {
					t.Errorf("the service is called again %v after it recovered, want at most %v", took, breaker.DefaultMaxPause+20*time.Millisecond)
				}
			})
		})
	}
}

// A pause that has grown is reset some time after the service recovered.
func TestBreaker_PauseResets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newOpenBreaker(t)
		for range 4 {
			time.Sleep(10 * time.Second)
			attempt(b, "/x/", breaker.Failed)
		}
		time.Sleep(30 * time.Second)
		attempt(b, "/x/", breaker.Succeeded)
		open := func() {
			for i := range 5 {
				attempt(b, fmt.Sprintf("/%d/", i), breaker.Failed)
			}
		}
		time.Sleep(20 * time.Second)
		open()
		if w := waitFor(t, b, "/new/"); w != breaker.DefaultMaxPause {
			t.Errorf("pause is %v soon after the last opening, want %v", w, breaker.DefaultMaxPause)
		}
		time.Sleep(breaker.DefaultMaxPause)
		attempt(b, "/new/", breaker.Succeeded)
		time.Sleep(31 * time.Second)
		open()
		if w := waitFor(t, b, "/new/"); w != breaker.DefaultPause {
			t.Errorf("pause is %v long after the last opening, want %v", w, breaker.DefaultPause)
		}
	})
}

// One client requests one bad address five times per second, with three attempts
// each, and another invents a new bad address every second. Other clients are not
// affected.
func TestBreaker_BadAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Config{Name: "test"})
		rejected := 0
		for i := range 3000 { // five minutes
			if i%2 == 0 {
				for range 3 {
					attempt(b, "/bad/", breaker.Failed)
				}
			}
			if i%10 == 0 {
				attempt(b, fmt.Sprintf("/bad %d/", i), breaker.Failed)
			}
			for j := range 4 {
				if !attempt(b, fmt.Sprintf("/good %d/", (7*i+j)%50), breaker.Succeeded) {
					rejected++
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		if rejected > 0 {
			t.Errorf("%d of 12000 successful calls were rejected, want none", rejected)
		}
	})
}

// If five bad addresses open the breaker, requests for them and for new bad ones
// block the good addresses only for a few pauses.
func TestBreaker_BadAddressAsProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newOpenBreaker(t)
		began := time.Now()
		for i := 0; ; i++ {
			attempt(b, fmt.Sprintf("/%d/", i%5), breaker.Failed)
			if i%4 == 0 {
				attempt(b, fmt.Sprintf("/invented %d/", i), breaker.Failed)
			}
			if attempt(b, "/good/", breaker.Succeeded) {
				break
			}
			if time.Sleep(37 * time.Millisecond); time.Since(began) > time.Minute {
				break
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the working address is allowed after %v, want at most 5s", took)
		}
	})
}

func TestBreaker_Log(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		b := breaker.New(breaker.Config{Name: "users", Log: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))})
		for i := range 7 {
			attempt(b, fmt.Sprintf("/%d/", i), breaker.Failed)
		}
		time.Sleep(1500 * time.Millisecond)
		attempt(b, "/x/", breaker.Succeeded)
		const want = "level=WARN msg=\"circuit breaker opened\" route=users failures=5 pause=1s err=down\n" +
			"level=INFO msg=\"circuit breaker closed\" route=users open=1.5s\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &out, want)
		}
	})
}
