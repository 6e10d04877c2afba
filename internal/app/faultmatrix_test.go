package app

import (
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// A cell is what a client sees of a Mixcloud that misbehaves on one of two
// resources, and what it costs.
type cell struct {
	Code   string // of the error on the disturbed field; "" for none
	Data   string // of the disturbed field; "" for null
	Stale  string // the reason in extensions.freshness; "" for a fresh answer
	Calls  int    // for the disturbed resource
	Took   time.Duration
	Beside int // errors and notes on the other field, which nothing disturbs
}

const (
	lag = 20 * time.Millisecond // of every answer of Mixcloud

	// The tries again of the tests wait for as long as they may.
	firstTry, secondTry = 100 * time.Millisecond, 200 * time.Millisecond

	// The pauses after a limit that names no wait.
	firstPause, secondPause = time.Second, 2 * time.Second

	seenAs = "Spartacus"
)

// misbehaviours are all that can go wrong with an answer, each with what it
// does to who has seen nothing, and to who has seen it hours ago.
var misbehaviours = map[string]struct {
	fault       emulator.Fault
	wire        error // instead of any answer
	jump        time.Duration
	cold, stale cell
}{
	"reset": {
		fault: emulator.Fault{Kind: emulator.FaultReset},
		cold:  cell{Code: "UPSTREAM_UNAVAILABLE", Calls: 3, Took: 3*lag + firstTry + secondTry},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"DNS failure": {
		wire:  &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "mixcloud.test", IsNotFound: true}},
		cold:  cell{Code: "UPSTREAM_UNAVAILABLE", Calls: 3, Took: firstTry + secondTry},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"slow headers": {
		fault: emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Hour},
		cold:  cell{Code: "UPSTREAM_TIMEOUT", Calls: 1, Took: 30 * time.Second},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: time.Second},
	},
	"slow body": {
		fault: emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Hour},
		cold:  cell{Code: "UPSTREAM_TIMEOUT", Calls: 1, Took: 30 * time.Second},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: time.Second},
	},
	"truncated JSON": {
		fault: emulator.Fault{Kind: emulator.FaultTruncatedJSON},
		cold:  cell{Code: "UPSTREAM_BAD_RESPONSE", Calls: 1, Took: lag},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"truncated body": {
		fault: emulator.Fault{Kind: emulator.FaultTruncatedBody},
		cold:  cell{Code: "UPSTREAM_BAD_RESPONSE", Calls: 3, Took: 3*lag + firstTry + secondTry},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"endless body": {
		fault: emulator.Fault{Kind: emulator.FaultEndlessBody},
		cold:  cell{Code: "UPSTREAM_BAD_RESPONSE", Calls: 1, Took: lag},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"HTML 502": {
		fault: emulator.Fault{Kind: emulator.FaultHTML502},
		cold:  cell{Code: "UPSTREAM_UNAVAILABLE", Calls: 3, Took: 3*lag + firstTry + secondTry},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"limit with a wait": {
		fault: emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Minute},
		cold:  cell{Code: "RATE_LIMITED", Calls: 1, Took: lag},
		stale: cell{Data: seenAs, Stale: "RATE_LIMITED", Calls: 1, Took: lag},
	},
	"limit without a wait": {
		fault: emulator.Fault{Kind: emulator.FaultRateLimitNoWait},
		cold:  cell{Code: "RATE_LIMITED", Calls: 3, Took: 3*lag + firstPause + secondPause},
		stale: cell{Data: seenAs, Stale: "RATE_LIMITED", Calls: 1, Took: lag},
	},
	"5xx flapping": {
		fault: emulator.Fault{Kind: emulator.FaultError500, Times: 1},
		cold:  cell{Data: seenAs, Calls: 2, Took: 2*lag + firstTry},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"200 with an error": {
		fault: emulator.Fault{Kind: emulator.FaultError200},
		cold:  cell{Code: "UPSTREAM_BAD_RESPONSE", Calls: 1, Took: lag},
		stale: cell{Data: seenAs, Stale: "UNAVAILABLE", Calls: 1, Took: lag},
	},
	"clock jump ahead": {
		jump:  50 * 365 * 24 * time.Hour,
		cold:  cell{Data: seenAs, Calls: 1, Took: lag},
		stale: cell{Data: seenAs, Calls: 1, Took: lag},
	},
	"clock jump back": {
		jump:  -50 * 365 * 24 * time.Hour,
		cold:  cell{Data: seenAs, Calls: 1, Took: lag},
		stale: cell{Data: seenAs, Calls: 1, Took: lag},
	},
}

// TestFaultMatrix crosses what can go wrong with what was seen before. Whatever it
// is, the field beside it is answered, what was seen keeps answering, and what
// another audience has seen does not.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	for name, m := range misbehaviours {
		for state, want := range map[string]cell{
			"cold":           m.cold,
			"other audience": m.cold,
			"fresh":          {Data: seenAs},
			"stale":          m.stale,
		} {
			t.Run(name+"/"+state, func(t *testing.T) {
				t.Parallel()
				seeded()
				synctest.Test(t, func(t *testing.T) {
					f := newFaulty(t)
					switch state {
					case "fresh":
						f.ask(t, "")
					case "stale":
						f.ask(t, "")
						time.Sleep(2 * time.Hour)
					case "other audience":
						f.ask(t, "demo-token")
						f.ask(t, "spartacus-token")
					}
					f.wire, f.jump = m.wire, m.jump
					if fault := m.fault; fault.Kind != "" {
						fault.Match = disturbed
						if err := f.mixcloud.Fail(fault); err != nil {
							t.Fatal(err)
						}
					}
					if d := cmp.Diff(want, f.ask(t, "")); d != "" {
						t.Errorf("(-want +got):\n%s", d)
					}
				})
			})
		}
	}
}

// disturbed is the resource that a fault strikes.
const disturbed = "/spartacus/"

// A faulty is a server over a Mixcloud whose wire and whose clock can be
// disturbed.
type faulty struct {
	*stage
	wire error
	jump time.Duration
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	e, err := emulator.New(emulator.WithWorld(seeded()), emulator.WithLatency(lag))
	if err != nil {
		t.Fatal(err)
	}
	f := &faulty{}
	s := set{
		upstream: roundTrip(func(r *http.Request) (*http.Response, error) {
			if f.wire != nil && r.URL.Path == disturbed {
				return nil, f.wire
			}
			return e.Transport().RoundTrip(r)
		}),
		client: []mixcloud.Option{mixcloud.WithMaxBody(256 << 10)},
		tune: []func(*upstream.Options){func(o *upstream.Options) {
			o.Wall = func() time.Time { return time.Now().Add(f.jump) }
			o.Jitter = func(most time.Duration) time.Duration { return most }
		}},
	}
	s.config.UpstreamRetries = 2
	f.stage = newStage(t, s)
	f.mixcloud = e
	return f
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// ask asks for two resources and tells what came of the first.
func (f *faulty) ask(t *testing.T, token string) cell {
	t.Helper()
	f.upstream()
	began := time.Now()
	a := f.stage.ask(t, token, `{ struck: user(username: "spartacus") { name } beside: user(username: "demo") { name } }`, nil)
	got := cell{Took: time.Since(began)}
	synctest.Wait()
	for _, call := range f.upstream() {
		if path, _, _ := strings.Cut(strings.TrimPrefix(call, "GET "), " "); path == disturbed {
			got.Calls++
		}
	}
	var whole struct {
		Struck, Beside *struct{ Name string }
	}
	for _, e := range a.decode(t, &whole) {
		if len(e.Path) != 1 || e.Path[0] != "struck" {
			got.Beside++
			continue
		}
		got.Code = e.code()
	}
	if whole.Beside == nil || whole.Beside.Name == "" {
		t.Errorf("the field beside it has no data: %s", a.body)
	}
	if whole.Struck != nil {
		got.Data = whole.Struck.Name
	}
	for path, reason := range staleness(t, a) {
		if path == "struck" {
			got.Stale = reason
		} else {
			got.Beside++
		}
	}
	return got
}

// staleness gives the reasons in extensions.freshness by their path.
func staleness(t *testing.T, a answer) map[string]string {
	t.Helper()
	var whole struct {
		Extensions struct {
			Freshness []struct {
				Path   []string
				AgeMs  int64
				Stale  bool
				Reason string
			}
		}
	}
	if err := json.Unmarshal(a.body, &whole); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for _, n := range whole.Extensions.Freshness {
		reasons[strings.Join(n.Path, ".")] = n.Reason
		if !n.Stale || n.AgeMs < (5*time.Minute-lag).Milliseconds() || n.Reason == "" {
			t.Errorf("extensions.freshness has %+v", n)
		}
	}
	return reasons
}

// A Mixcloud that fails altogether is left alone soon, and what was seen keeps
// coming at once, for a day.
func TestFaults_DownForADay(t *testing.T) {
	t.Parallel()
	seeded()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		f.ask(t, "")
		f.wire = errors.New("connection refused")
		time.Sleep(2 * time.Hour)
		f.ask(t, "")
		calls, slowest := 0, time.Duration(0)
		const questions = 21 * 60
		for range questions {
			time.Sleep(time.Minute)
			got := f.ask(t, "")
			calls += got.Calls
			slowest = max(slowest, got.Took)
			if got.Data != seenAs || got.Stale == "" {
				t.Fatalf("got %+v", got)
			}
		}
		if calls > questions || slowest > lag {
			t.Errorf("%d questions were %d calls, and the slowest took %v", questions, calls, slowest)
		}
		f.wire = nil
		time.Sleep(time.Minute)
		got := f.ask(t, "")
		if got.Data != seenAs || got.Stale != "" || got.Calls != 1 {
			t.Errorf("well again: %+v", got)
		}
	})
}
