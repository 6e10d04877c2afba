package app

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
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
	Code  string        // of the error on the disturbed field; "" for none
	Retry bool          // it is worth a retry
	Wait  time.Duration // before that; 0 if there is no point in it
	Data  string        // of the disturbed field, "" for null
	Stale string        // the reason in extensions.freshness; "" for a fresh answer
	Age   time.Duration // of a stale answer
	Calls int           // for the disturbed resource, those in the background too
	Took  time.Duration
}

const (
	lag = 20 * time.Millisecond // of every answer of Mixcloud

	// moment is what clients are told to wait for a Mixcloud that has just failed.
	moment = time.Second

	// The tries again of the tests wait for as long as they may.
	firstTry, secondTry = 100 * time.Millisecond, 200 * time.Millisecond

	// The pauses after a limit that names no wait.
	firstPause, secondPause = time.Second, 2 * time.Second

	// How old what was seen is: so that it still answers at once, and so that it
	// only stands in.
	young, old = 10 * time.Minute, 2 * time.Hour

	seen = `{"name":"Spartacus","city":"London"}`
)

// What several rows have in common. A refresh that fails is not tried again; the
// one who asks within five seconds is told why, and the next one after that
// brings about another try.
var (
	anew           = cell{Data: seen, Calls: 1, Took: lag}
	refreshFails   = [3]cell{beingFetched(young, 1), standsIn(young+time.Second, "UNAVAILABLE", 0), beingFetched(young+10*time.Second, 1)}
	refreshHangs   = [3]cell{beingFetched(young, 1), beingFetched(young+time.Second, 0), beingFetched(young+10*time.Second, 0)}
	refreshWorks   = [3]cell{beingFetched(young, 1), {Data: seen}, {Data: seen}}
	triesFail      = cell{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Wait: moment, Calls: 3, Took: 3*lag + firstTry + secondTry}
	readsNonsense  = cell{Code: "UPSTREAM_BAD_RESPONSE", Calls: 1, Took: lag}
	timesOut       = cell{Code: "UPSTREAM_TIMEOUT", Retry: true, Wait: moment, Calls: 1, Took: 30 * time.Second}
	oldStandsIn    = took(lag, standsIn(old+lag, "UNAVAILABLE", 1))
	oldAfterAWhile = took(time.Second, standsIn(old+time.Second, "UNAVAILABLE", 1))
)

func beingFetched(age time.Duration, calls int) cell { return standsIn(age, "REVALIDATING", calls) }

func standsIn(age time.Duration, reason string, calls int) cell {
	return cell{Data: seen, Stale: reason, Age: age, Calls: calls}
}

func took(d time.Duration, c cell) cell {
	c.Took = d
	return c
}

// A misbehaviour is one thing that can go wrong with an answer, with what it
// does to who has seen nothing, to who has seen it ten minutes ago (and asks at
// once, a second and ten seconds later), and to who has seen it hours ago.
type misbehaviour struct {
	fault emulator.Fault
	wire  roundTripFunc // instead of Mixcloud
	jump  time.Duration

	cold  cell
	young [3]cell
	old   cell
}

// misbehaviours are all that can go wrong with an answer.
var misbehaviours = map[string]misbehaviour{
	"reset": {
		fault: emulator.Fault{Kind: emulator.FaultReset},
		cold:  triesFail, young: refreshFails, old: oldStandsIn,
	},
	"DNS failure": {
		wire: func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "mixcloud.test", IsNotFound: true}}
		},
		cold:  took(firstTry+secondTry, triesFail),
		young: refreshFails,
		// What stands beside it takes as long as Mixcloud does.
		old: took(lag, standsIn(old, "UNAVAILABLE", 1)),
	},
	"slow headers": {
		fault: emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Hour},
		cold:  timesOut, young: refreshHangs, old: oldAfterAWhile,
	},
	"slow body": {
		fault: emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Hour},
		cold:  timesOut, young: refreshHangs, old: oldAfterAWhile,
	},
	"a byte a second": {
		wire: trickling,
		cold: timesOut, young: refreshHangs, old: oldAfterAWhile,
	},
	"truncated JSON": {
		fault: emulator.Fault{Kind: emulator.FaultTruncatedJSON},
		cold:  readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"truncated body": {
		fault: emulator.Fault{Kind: emulator.FaultTruncatedBody},
		cold:  triesFail, young: refreshFails, old: oldStandsIn,
	},
	"truncated headers": {
		wire: answering("HTTP/1.1 200 OK\r\nContent-Type: text/javasc"),
		cold: triesFail, young: refreshFails, old: oldStandsIn,
	},
	"endless body": {
		fault: emulator.Fault{Kind: emulator.FaultEndlessBody},
		cold:  readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"endless body, slowly": {
		fault: emulator.Fault{Kind: emulator.FaultEndlessBody, Delay: time.Second},
		cold:  timesOut, young: refreshHangs, old: oldAfterAWhile,
	},
	"HTML 502": {
		fault: emulator.Fault{Kind: emulator.FaultHTML502},
		cold:  triesFail, young: refreshFails, old: oldStandsIn,
	},
	"HTML 503 with a wait": {
		fault: emulator.Fault{Kind: emulator.FaultHTML503, RetryAfter: time.Minute},
		cold:  cell{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Wait: time.Minute, Calls: 1, Took: lag},
		young: refreshFails, old: oldStandsIn,
	},
	"HTML 403": { // of a bot protection
		fault: emulator.Fault{Kind: emulator.FaultHTML403},
		cold:  cell{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Wait: moment, Calls: 1, Took: lag},
		young: refreshFails, old: oldStandsIn,
	},
	"limit with a wait": {
		fault: emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Minute},
		cold:  cell{Code: "RATE_LIMITED", Retry: true, Wait: time.Minute, Calls: 1, Took: lag},
		young: [3]cell{
			beingFetched(young, 1),
			standsIn(young+time.Second, "RATE_LIMITED", 0),
			standsIn(young+10*time.Second, "RATE_LIMITED", 0),
		},
		old: took(lag, standsIn(old+lag, "RATE_LIMITED", 1)),
	},
	"limit until a date": {
		wire: answering("HTTP/1.1 403 Forbidden\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nRetry-After: Mon, 02 Jan 2006 15:05:05 GMT\r\n\r\n" +
			`{"error": {"type": "RateLimitException", "message": "You have hit your rate limit."}}`),
		cold: cell{Code: "RATE_LIMITED", Retry: true, Wait: time.Minute, Calls: 1, Took: lag},
		young: [3]cell{
			beingFetched(young, 1),
			standsIn(young+time.Second, "RATE_LIMITED", 0),
			standsIn(young+10*time.Second, "RATE_LIMITED", 0),
		},
		old: took(lag, standsIn(old+lag, "RATE_LIMITED", 1)),
	},
	"limit without a wait": {
		fault: emulator.Fault{Kind: emulator.FaultRateLimitNoWait},
		cold:  cell{Code: "RATE_LIMITED", Retry: true, Wait: 4 * time.Second, Calls: 3, Took: 3*lag + firstPause + secondPause},
		young: [3]cell{
			beingFetched(young, 1),
			standsIn(young+time.Second, "RATE_LIMITED", 0),
			beingFetched(young+10*time.Second, 1),
		},
		old: took(lag, standsIn(old+lag, "RATE_LIMITED", 1)),
	},
	"status 429": { // which Mixcloud was never seen to send
		wire: answering("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"),
		cold: cell{Code: "RATE_LIMITED", Retry: true, Wait: time.Minute, Calls: 1, Took: lag},
		young: [3]cell{
			beingFetched(young, 1),
			standsIn(young+time.Second, "RATE_LIMITED", 0),
			standsIn(young+10*time.Second, "RATE_LIMITED", 0),
		},
		old: took(lag, standsIn(old+lag, "RATE_LIMITED", 1)),
	},
	"5xx flapping": {
		fault: emulator.Fault{Kind: emulator.FaultError500, Times: 1},
		cold:  cell{Data: seen, Calls: 2, Took: 2*lag + firstTry},
		young: refreshFails, // and the second one works
		old:   oldStandsIn,
	},
	"200 with an error": {
		fault: emulator.Fault{Kind: emulator.FaultError200},
		cold:  readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"200 with a sentence": {
		fault: emulator.Fault{Kind: emulator.FaultNotJSON},
		cold:  readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"200 with null": {
		wire: answering("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"200 with an array": {
		wire: answering("HTTP/1.1 200 OK\r\n\r\n[{\"key\": \"/spartacus/\", \"name\": \"Spartacus\"}]"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"200 with nothing": {
		wire: answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"200 with garbage for gzip": {
		wire: answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\nthis was never compressed"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"204": {
		wire: answering("HTTP/1.1 204 No Content\r\n\r\n"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"304": {
		wire: answering("HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"301": {
		wire: answering("HTTP/1.1 301 Moved Permanently\r\nLocation: /spartacus/\r\nContent-Length: 0\r\n\r\n"),
		cold: readsNonsense, young: refreshFails, old: oldStandsIn,
	},
	"huge headers": {
		wire: answering("HTTP/1.1 200 OK\r\nX-Padding: " + strings.Repeat("x", 1<<20) + "\r\n\r\n{}"),
		cold: triesFail, young: refreshFails, old: oldStandsIn,
	},
	"no HTTP": {
		wire: answering("SSH-2.0-OpenSSH_9.6\r\n"),
		cold: triesFail, young: refreshFails, old: oldStandsIn,
	},
	"the right body as HTML": {
		fault: emulator.Fault{Kind: emulator.FaultContentType},
		cold:  anew, young: refreshWorks, old: anew,
	},
	"clock jump ahead": {
		jump: 50 * 365 * 24 * time.Hour,
		cold: anew, young: refreshWorks, old: anew,
	},
	"clock jump back": {
		jump: -50 * 365 * 24 * time.Hour,
		cold: anew, young: refreshWorks, old: anew,
	},
}

// principals are the principals that read the resource first, and the one that asks then.
var principals = map[string]struct {
	before []string
	asks   string
}{
	"anonymous after tokens":  {[]string{"demo-token", "spartacus-token"}, ""},
	"a token after anonymous": {[]string{""}, "demo-token"},
	"a token after another":   {[]string{"spartacus-token"}, "demo-token"},
}

// TestFaultMatrix crosses what can go wrong with what was seen before. Whatever it
// is, the field beside it is whole, what was seen keeps answering, and what
// another principal has seen does not: the principal that asks gets what it would get without them.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, m := range misbehaviours {
		t.Run(name+"/cold", m.test(func(t *testing.T, f *faulty) {
			f.begin(t, m)
			f.sees(t, "", m.cold)
		}))
		t.Run(name+"/fresh", m.test(func(t *testing.T, f *faulty) {
			f.sees(t, "", anew)
			f.begin(t, m)
			f.sees(t, "", cell{Data: seen})
		}))
		t.Run(name+"/young", m.test(func(t *testing.T, f *faulty) {
			f.sees(t, "", anew)
			time.Sleep(young - lag)
			f.begin(t, m)
			f.sees(t, "", m.young[0])
			time.Sleep(time.Second - lag)
			f.sees(t, "", m.young[1])
			time.Sleep(9*time.Second - lag)
			f.sees(t, "", m.young[2])
		}))
		t.Run(name+"/old", m.test(func(t *testing.T, f *faulty) {
			f.sees(t, "", anew)
			time.Sleep(old - lag)
			f.begin(t, m)
			f.sees(t, "", m.old)
		}))
		for who, principal := range principals {
			t.Run(name+"/"+who, m.test(func(t *testing.T, f *faulty) {
				f.markVerified("demo-token", "spartacus-token")
				for _, token := range principal.before {
					f.sees(t, token, anew)
				}
				f.begin(t, m)
				f.sees(t, principal.asks, m.cold)
			}))
		}
		// Of this token nothing is known yet. What goes wrong for it is not everybody's.
		t.Run(name+"/anonymous after an unknown token", m.test(func(t *testing.T, f *faulty) {
			f.begin(t, m)
			code := ""
			for _, e := range f.testServer.execute(t, "demo-token", `{ user(username: "spartacus") { name } }`, nil).decode(t, nil) {
				code = e.code()
			}
			if code != m.cold.Code {
				t.Errorf("the token sees %q, want %q", code, m.cold.Code)
			}
			f.emulator.ClearFaults() // one that is over begins anew
			f.begin(t, m)
			f.sees(t, "", m.cold)
		}))
	}
}

// test runs a cell in a time of its own. When what went wrong is over, everybody
// gets a fresh answer again, from the second question on at the latest.
func (m misbehaviour) test(run func(*testing.T, *faulty)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFaulty(t)
			run(t, f)
			f.setWire(nil)
			f.setJump(0)
			f.emulator.ClearFaults()
			time.Sleep(2 * time.Minute)
			for _, token := range []string{"", "demo-token"} {
				f.ask(t, token)
				time.Sleep(time.Second)
				if got := f.ask(t, token); got.Data != seen || got.Stale != "" {
					t.Errorf("when it is over, %q sees %+v", token, got)
				}
			}
		})
	}
}

// disturbed is the resource that a fault strikes.
const disturbed = "/spartacus/"

// A faulty is a server over a Mixcloud whose wire and whose clock can be
// disturbed. Calls in the background read the fields while a test sets them.
type faulty struct {
	*testServer
	wire atomic.Pointer[roundTripFunc] // of the disturbed resource; nil for Mixcloud's own
	down atomic.Bool                   // wire is used for all resources
	jump atomic.Int64                  // of the clock, in nanoseconds
}

// setWire replaces the wire; nil restores Mixcloud's own.
func (f *faulty) setWire(wire roundTripFunc) {
	if wire == nil {
		f.wire.Store(nil)
		return
	}
	f.wire.Store(&wire)
}

// setJump sets how far the clock is ahead.
func (f *faulty) setJump(jump time.Duration) { f.jump.Store(int64(jump)) }

const maxBody = 256 << 10

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	e := newEmulator(t, emulator.WithLatency(lag))
	f := &faulty{}
	s := serverOptions{
		mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if wire := f.wire.Load(); wire != nil && (f.down.Load() || r.URL.Path == disturbed) {
				return (*wire)(r)
			}
			return e.Transport().RoundTrip(r)
		}),
		client: []mixcloud.Option{
			mixcloud.WithMaxBody(maxBody),
			mixcloud.WithObserver(func(c mixcloud.Call) {
				if c.Bytes > maxBody+1 {
					t.Errorf("%d bytes of %s were read", c.Bytes, c.Path)
				}
			}),
		},
		tune: []func(*upstream.Options){func(o *upstream.Options) {
			o.Wall = func() time.Time { return time.Now().Add(time.Duration(f.jump.Load())) }
			o.Jitter = func(most time.Duration) time.Duration { return most }
		}},
	}
	s.config.UpstreamRetries = 2
	f.testServer = newTestServer(t, s)
	f.emulator = e
	return f
}

// begin lets a misbehaviour begin.
func (f *faulty) begin(t *testing.T, m misbehaviour) {
	t.Helper()
	f.setWire(m.wire)
	f.setJump(m.jump)
	if fault := m.fault; fault.Kind != "" {
		fault.Match = disturbed
		if err := f.emulator.Fail(fault); err != nil {
			t.Fatal(err)
		}
	}
}

// markVerified lets Mixcloud's acceptance of tokens be known already, as after a sign-in.
func (f *faulty) markVerified(tokens ...string) {
	for _, token := range tokens {
		f.app.store.MarkVerified(token)
	}
}

// sees holds what a client sees against what it should.
func (f *faulty) sees(t *testing.T, token string, want cell) {
	t.Helper()
	if d := cmp.Diff(want, f.ask(t, token)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// ask asks for two resources and tells what came of the first. The other one
// must be whole, and as fresh as its age allows. Calls in the background have
// the time of an answer of Mixcloud to end.
func (f *faulty) ask(t *testing.T, token string) cell {
	t.Helper()
	f.takeCalls()
	began := time.Now()
	resp := f.testServer.execute(t, token, `{ struck: user(username: "spartacus") { name city } beside: user(username: "demo") { name city } }`, nil)
	got := cell{Took: time.Since(began)}
	if resp.status != http.StatusOK {
		t.Errorf("status = %d, want 200", resp.status)
	}
	time.Sleep(lag)
	synctest.Wait()
	for _, call := range f.takeCalls() {
		if path, _, _ := strings.Cut(strings.TrimPrefix(call, "GET "), " "); path == disturbed {
			got.Calls++
		}
	}
	var data struct{ Struck, Beside json.RawMessage }
	for _, e := range resp.decode(t, &data) {
		if d := cmp.Diff([]any{"struck"}, e.Path); d != "" {
			t.Errorf("an error is at another path: %s", d)
		}
		got.Code = e.code()
		got.Retry = e.Extensions["retryable"] == true
		wait, _ := e.Extensions["retryAfterMs"].(float64)
		got.Wait = time.Duration(wait) * time.Millisecond
	}
	if text := string(data.Struck); text != "null" {
		got.Data = text
	}
	if d := cmp.Diff(`{"name":"Robin Hale","city":"London"}`, string(data.Beside)); d != "" {
		t.Errorf("the field beside it: %s", d)
	}
	for _, n := range freshnessOf(t, resp) {
		switch path := dotted(n.Path); {
		case !n.Stale:
			t.Errorf("extensions.freshness has %+v", n)
		case path == "struck":
			got.Stale, got.Age = n.Reason, time.Duration(n.AgeMs)*time.Millisecond
		case path != "beside" || n.Reason != "REVALIDATING":
			t.Errorf("extensions.freshness has %+v", n)
		}
	}
	return got
}

// A freshNote is a line of extensions.freshness.
type freshNote struct {
	Path   []any
	AgeMs  int64
	Stale  bool
	Reason string
}

func freshnessOf(t *testing.T, resp response) []freshNote {
	t.Helper()
	var whole struct {
		Extensions struct{ Freshness []freshNote }
	}
	if err := json.Unmarshal(resp.body, &whole); err != nil {
		t.Fatal(err)
	}
	return whole.Extensions.Freshness
}
