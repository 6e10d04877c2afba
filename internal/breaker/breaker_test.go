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

// report makes one call that ends at once, and reports whether it was let through.
func report(b *breaker.Breaker, address string, outcome breaker.Outcome) bool {
	c, err := b.Allow(address)
	if err != nil {
		return false
	}
	c.Done(outcome, errDown)
	return true
}

// wait is how long an address is refused; 0 if it is not.
func wait(t *testing.T, b *breaker.Breaker, address string) time.Duration {
	t.Helper()
	err := b.Check(address)
	if err == nil {
		return 0
	}
	open, ok := errors.AsType[*breaker.OpenError](err)
	if !ok || !errors.Is(err, errDown) {
		t.Fatalf("refused with %v", err)
	}
	return open.Wait
}

// opened is a breaker that five failing addresses have just opened: /0/ to /4/.
func opened(t *testing.T) *breaker.Breaker {
	t.Helper()
	b := breaker.New(breaker.Config{Name: "test"})
	for i := range 5 {
		report(b, fmt.Sprintf("/%d/", i), breaker.Failed)
	}
	if wait(t, b, "/x/") != breaker.DefaultPause {
		t.Fatal("five failing addresses do not open it")
	}
	return b
}

// Addresses are single letters: a lower-case one fails, an upper-case one
// succeeds, and "." is a call that says nothing.
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
		"what is 20 calls ago does not count":        {calls: "a" + strings.Repeat("Z", 16) + "bcde"},
		"what is 19 calls ago does":                  {calls: "a" + strings.Repeat("Z", 15) + "bcde", open: true},
		"three tries each":                           {calls: "aaabbbcccdddeee", open: true},
		"failed, and then succeeded":                 {calls: "aAbBcCdDeEf"},
		"nothing said":                               {calls: strings.Repeat("......", 10)},
		"fixed: all failed three times":              {fixed: "abcd", calls: "aaabbbcccddd", open: true},
		"fixed: in turns":                            {fixed: "abcd", calls: "abcdabcdabcd", open: true},
		"fixed: one is well":                         {fixed: "abcd", calls: strings.Repeat("abcD", 10)},
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
				report(b, strings.ToLower(string(c)), outcome)
			}
			if open := b.Check("new") != nil; open != test.open {
				t.Errorf("%s: open is %v", test.calls, open)
			}
		})
	}
}

// One call at a time goes to a service that is down, to an address that was not
// seen to fail, with pauses that grow; a success ends it.
func TestBreaker_Probes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		pause := breaker.DefaultPause
		for i := range 6 {
			if w := wait(t, b, "/new/"); w != pause {
				t.Fatalf("probe %d goes after %v, want %v", i, w, pause)
			}
			time.Sleep(pause)
			if report(b, "/0/", breaker.Failed) {
				t.Fatal("an address that failed is a probe, at once")
			}
			let := 0
			for j := range 20 {
				if report(b, fmt.Sprintf("/probe %d %d/", i, j), breaker.Failed) {
					let++
				}
			}
			if let != 1 {
				t.Fatalf("%d probes", let)
			}
			pause = min(2*pause, breaker.DefaultMaxPause)
		}
		time.Sleep(pause)
		if !report(b, "/well/", breaker.Succeeded) {
			t.Fatal("no probe")
		}
		for i := range 5 {
			if !report(b, fmt.Sprintf("/%d/", i), breaker.Succeeded) {
				t.Error("it is not closed")
			}
		}
	})
}

// Those who only ask for what failed are not shut out for ever: the failed
// addresses have their turn a pause later, the one that failed last two pauses.
func TestBreaker_ProbesOfSuspects(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		for address, want := range map[string]time.Duration{"/new/": time.Second, "/0/": 2 * time.Second, "/3/": 2 * time.Second, "/4/": 3 * time.Second} {
			if got := wait(t, b, address); got != want {
				t.Errorf("%s waits %v, want %v", address, got, want)
			}
		}
		time.Sleep(2 * time.Second)
		if !report(b, "/0/", breaker.Failed) {
			t.Fatal("a failed address has no turn")
		}
		// Now /0/ is the one that failed last.
		if zero, one := wait(t, b, "/0/"), wait(t, b, "/1/"); zero != 6*time.Second || one != 4*time.Second {
			t.Errorf("%v, %v", zero, one)
		}
		time.Sleep(6 * time.Second)
		if !report(b, "/0/", breaker.Succeeded) || b.Check("/1/") != nil {
			t.Error("it does not recover by the only address that is asked for")
		}
	})
}

// The four fixed addresses all have failed when it opens; they take turns.
func TestBreaker_ProbesOfFixed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fixed := []string{"/a/", "/b/", "/c/"}
		b := breaker.New(breaker.Config{Name: "test", Fixed: fixed})
		for i := range 9 {
			report(b, fixed[i%3], breaker.Failed)
		}
		var probed []string
		for range 40 {
			time.Sleep(time.Second)
			for _, address := range fixed {
				if report(b, address, breaker.Failed) {
					probed = append(probed, address)
				}
			}
		}
		for i := 1; i < len(probed); i++ {
			if probed[i] == probed[i-1] {
				t.Errorf("two probes in a row go to %s: %q", probed[i], probed)
			}
		}
		if len(probed) < 4 {
			t.Errorf("probes: %q", probed)
		}
	})
}

// A probe that takes long does not keep others from being tried, and what it says
// in the end counts if it is a success.
func TestBreaker_SlowProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		time.Sleep(time.Second)
		slow, err := b.Allow("/slow/")
		if err != nil {
			t.Fatal(err)
		}
		if w := wait(t, b, "/next/"); w != 2*time.Second {
			t.Errorf("the next probe goes after %v", w)
		}
		time.Sleep(2 * time.Second)
		if !report(b, "/next/", breaker.Failed) {
			t.Fatal("a slow probe blocks the next one")
		}
		slow.Done(breaker.Ignored, nil) // which is no longer the latest: it gives no place back
		if w := wait(t, b, "/new/"); w != 4*time.Second {
			t.Errorf("the pause is %v", w)
		}
		time.Sleep(4 * time.Second)
		slow, err = b.Allow("/slow again/")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		slow.Done(breaker.Succeeded, nil)
		if b.Check("/new/") != nil {
			t.Error("a late success does not close it")
		}
	})
}

// A probe whose caller leaves before it is answered gives its place to the next.
func TestBreaker_AbandonedProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		time.Sleep(time.Second)
		for i := range 5 {
			c, err := b.Allow("/left/")
			if err != nil {
				t.Fatalf("%d: %v", i, err)
			}
			if b.Check("/other/") == nil {
				t.Fatal("two probes at a time")
			}
			c.Done(breaker.Ignored, nil)
		}
		if w := wait(t, b, "/x/"); w != 0 {
			t.Errorf("nobody was answered, and the next probe waits %v", w)
		}
		report(b, "/x/", breaker.Failed)
		if w := wait(t, b, "/y/"); w != 2*time.Second {
			t.Errorf("the pause is %v", w)
		}
	})
}

// What was under way when it opened, or before it closed, and failed says nothing
// of now; what succeeds is a sign of life.
func TestBreaker_UnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Config{Name: "test"})
		var under []*breaker.Call
		for i := range 30 {
			c, err := b.Allow(fmt.Sprintf("/%d/", i))
			if err != nil {
				t.Fatal(err)
			}
			under = append(under, c)
		}
		for _, c := range under[:10] {
			c.Done(breaker.Failed, errDown)
		}
		if w := wait(t, b, "/x/"); w != time.Second {
			t.Errorf("waits %v", w)
		}
		under[10].Done(breaker.Succeeded, nil)
		if b.Check("/x/") != nil {
			t.Error("a success is no sign of life")
		}
		for _, c := range under[11:] {
			c.Done(breaker.Failed, errDown)
		}
		if b.Check("/x/") != nil {
			t.Error("failures of before open it again")
		}
	})
}

// Of a service that comes and goes each few seconds, and of one that fails half
// of its calls, few calls fail; when it is well it is used again soon.
func TestBreaker_Flapping(t *testing.T) {
	t.Parallel()
	for period, maxFailed := range map[time.Duration]int{2 * time.Second: 600, 5 * time.Second: 130, 20 * time.Second: 250} {
		t.Run(period.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := breaker.New(breaker.Config{Name: "test"})
				began, failed, asked := time.Now(), 0, 0
				up := func() bool { return time.Since(began)/period%2 == 1 }
				for time.Since(began) < 10*time.Minute {
					asked++
					outcome := breaker.Failed
					if up() {
						outcome = breaker.Succeeded
					}
					if report(b, fmt.Sprintf("/%d/", asked), outcome) && outcome == breaker.Failed {
						failed++
					}
					time.Sleep(20 * time.Millisecond)
				}
				if failed > maxFailed {
					t.Errorf("%d of %d calls went to a service that was down, want at most %d", failed, asked, maxFailed)
				}
				down := time.Now()
				for !report(b, "/well/", breaker.Succeeded) {
					time.Sleep(20 * time.Millisecond)
				}
				if took := time.Since(down); took > breaker.DefaultMaxPause+20*time.Millisecond {
					t.Errorf("it is used again after %v", took)
				}
			})
		})
	}
}

// A pause that has grown is not kept for long after the service was well.
func TestBreaker_PauseShrinks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		for range 4 {
			time.Sleep(10 * time.Second)
			report(b, "/x/", breaker.Failed)
		}
		time.Sleep(30 * time.Second)
		report(b, "/x/", breaker.Succeeded)
		open := func() {
			for i := range 5 {
				report(b, fmt.Sprintf("/%d/", i), breaker.Failed)
			}
		}
		time.Sleep(20 * time.Second)
		open()
		if w := wait(t, b, "/new/"); w != breaker.DefaultMaxPause {
			t.Errorf("right after, the pause is %v", w)
		}
		time.Sleep(breaker.DefaultMaxPause)
		report(b, "/new/", breaker.Succeeded)
		time.Sleep(31 * time.Second)
		open()
		if w := wait(t, b, "/new/"); w != breaker.DefaultPause {
			t.Errorf("much later, the pause is %v", w)
		}
	})
}

// Somebody asks for one bad address five times a second, with three tries each,
// and somebody else invents a new bad one each second. Others notice nothing.
func TestBreaker_BadAddresses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := breaker.New(breaker.Config{Name: "test"})
		refused := 0
		for i := range 3000 { // five minutes
			if i%2 == 0 {
				for range 3 {
					report(b, "/bad/", breaker.Failed)
				}
			}
			if i%10 == 0 {
				report(b, fmt.Sprintf("/bad %d/", i), breaker.Failed)
			}
			for j := range 4 {
				if !report(b, fmt.Sprintf("/good %d/", (7*i+j)%50), breaker.Succeeded) {
					refused++
				}
			}
			time.Sleep(100 * time.Millisecond)
		}
		if refused > 0 {
			t.Errorf("%d of 12000 good calls are refused", refused)
		}
	})
}

// If five bad addresses do open it, asking for them, or for ever new ones, keeps
// the good ones out for no more than a few pauses.
func TestBreaker_BadAddressAsProbe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := opened(t)
		began := time.Now()
		for i := 0; ; i++ {
			report(b, fmt.Sprintf("/%d/", i%5), breaker.Failed)
			if i%4 == 0 {
				report(b, fmt.Sprintf("/invented %d/", i), breaker.Failed)
			}
			if report(b, "/good/", breaker.Succeeded) {
				break
			}
			if time.Sleep(37 * time.Millisecond); time.Since(began) > time.Minute {
				break
			}
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the good address is let through after %v", took)
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
			report(b, fmt.Sprintf("/%d/", i), breaker.Failed)
		}
		time.Sleep(1500 * time.Millisecond)
		report(b, "/x/", breaker.Succeeded)
		const want = "level=WARN msg=\"circuit breaker opened\" route=users failures=5 pause=1s err=down\n" +
			"level=INFO msg=\"circuit breaker closed\" route=users open=1.5s\n"
		if out.String() != want {
			t.Errorf("got\n%s\nwant\n%s", &out, want)
		}
	})
}
