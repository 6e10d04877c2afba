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

// A result is the response to an operation that reads two resources, one of which fails, and its calls.
type result struct {
	Code        string        // the error code of the failing field; "" without an error
	Retryable   bool          // the error's retryable
	RetryAfter  time.Duration // the error's retryAfterMs; 0 without one
	Data        string        // of the failing field; "" for null
	StaleReason string        // the reason in extensions.freshness; "" for fresh data
	Age         time.Duration // of stale data
	Calls       int           // for the failing resource, including those in the background
	Duration    time.Duration
}

const (
	latency = 20 * time.Millisecond // of every call

	// failureWait is the retryAfterMs after a first failure of Mixcloud.
	failureWait = time.Second

	// The delays before the retries of a call: the maximum, as the tests have no jitter.
	firstBackoff, secondBackoff = 100 * time.Millisecond, 200 * time.Millisecond

	// The pauses after a rate limit without Retry-After.
	firstPause, secondPause = time.Second, 2 * time.Second

	// The age of a cache entry that is served while it is refreshed, and of one that is served only if Mixcloud fails.
	revalidateAge, ifErrorAge = 10 * time.Minute, 2 * time.Hour

	cachedData = `{"name":"Spartacus","city":"London"}`
)

// Results that several failures have in common. A refresh that fails is not retried. For five seconds, responses have its
// reason; the first request after that starts another refresh.
var (
	fetchedNow      = result{Data: cachedData, Calls: 1, Duration: latency}
	refreshFails    = [3]result{revalidating(revalidateAge, 1), staleResult(revalidateAge+time.Second, "UNAVAILABLE", 0), revalidating(revalidateAge+10*time.Second, 1)}
	refreshHangs    = [3]result{revalidating(revalidateAge, 1), revalidating(revalidateAge+time.Second, 0), revalidating(revalidateAge+10*time.Second, 0)}
	refreshSucceeds = [3]result{revalidating(revalidateAge, 1), {Data: cachedData}, {Data: cachedData}}
	retriesFail     = result{Code: "UPSTREAM_UNAVAILABLE", Retryable: true, RetryAfter: failureWait, Calls: 3, Duration: 3*latency + firstBackoff + secondBackoff}
	badResponse     = result{Code: "UPSTREAM_BAD_RESPONSE", Calls: 1, Duration: latency}
	timedOut        = result{Code: "UPSTREAM_TIMEOUT", Retryable: true, RetryAfter: failureWait, Calls: 1, Duration: 30 * time.Second}
	staleServed     = withDuration(latency, staleResult(ifErrorAge+latency, "UNAVAILABLE", 1))
	staleAfterDelay = withDuration(time.Second, staleResult(ifErrorAge+time.Second, "UNAVAILABLE", 1))
)

// revalidating returns the result of an operation that gets stale data while it is refreshed.
func revalidating(age time.Duration, calls int) result {
	return staleResult(age, "REVALIDATING", calls)
}

// staleResult returns the result of an operation that gets stale data.
func staleResult(age time.Duration, reason string, calls int) result {
	return result{Data: cachedData, StaleReason: reason, Age: age, Calls: calls}
}

func withDuration(d time.Duration, r result) result {
	r.Duration = d
	return r
}

// A failure is one way in which a call fails, with the results of operations during the failure.
type failure struct {
	fault     emulator.Fault
	transport roundTripFunc // if not nil, used instead of the emulator
	clockJump time.Duration

	cold       result    // with an empty cache
	revalidate [3]result // with a cache entry of age revalidateAge: at once, after one second and after ten
	ifError    result    // with a cache entry of age ifErrorAge
}

// failures are all ways in which a call can fail.
var failures = map[string]failure{
	"reset": {
		fault: emulator.Fault{Kind: emulator.FaultReset},
		cold:  retriesFail, revalidate: refreshFails, ifError: staleServed,
	},
	"DNS failure": {
		transport: func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "mixcloud.test", IsNotFound: true}}
		},
		cold:       withDuration(firstBackoff+secondBackoff, retriesFail),
		revalidate: refreshFails,
		// The call for the other field takes the latency.
		ifError: withDuration(latency, staleResult(ifErrorAge, "UNAVAILABLE", 1)),
	},
	"slow headers": {
		fault: emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Hour},
		cold:  timedOut, revalidate: refreshHangs, ifError: staleAfterDelay,
	},
	"slow body": {
		fault: emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Hour},
		cold:  timedOut, revalidate: refreshHangs, ifError: staleAfterDelay,
	},
	"a byte a second": {
		transport: byteASecond,
		cold:      timedOut, revalidate: refreshHangs, ifError: staleAfterDelay,
	},
	"truncated JSON": {
		fault: emulator.Fault{Kind: emulator.FaultTruncatedJSON},
		cold:  badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"truncated body": {
		fault: emulator.Fault{Kind: emulator.FaultTruncatedBody},
		cold:  retriesFail, revalidate: refreshFails, ifError: staleServed,
	},
	"truncated headers": {
		transport: rawResponse("HTTP/1.1 200 OK\r\nContent-Type: text/javasc"),
		cold:      retriesFail, revalidate: refreshFails, ifError: staleServed,
	},
	"endless body": {
		fault: emulator.Fault{Kind: emulator.FaultEndlessBody},
		cold:  badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"endless body, slowly": {
		fault: emulator.Fault{Kind: emulator.FaultEndlessBody, Delay: time.Second},
		cold:  timedOut, revalidate: refreshHangs, ifError: staleAfterDelay,
	},
	"HTML 502": {
		fault: emulator.Fault{Kind: emulator.FaultHTML502},
		cold:  retriesFail, revalidate: refreshFails, ifError: staleServed,
	},
	"HTML 503 with Retry-After": {
		fault:      emulator.Fault{Kind: emulator.FaultHTML503, RetryAfter: time.Minute},
		cold:       result{Code: "UPSTREAM_UNAVAILABLE", Retryable: true, RetryAfter: time.Minute, Calls: 1, Duration: latency},
		revalidate: refreshFails, ifError: staleServed,
	},
	"HTML 403": { // from bot protection
		fault:      emulator.Fault{Kind: emulator.FaultHTML403},
		cold:       result{Code: "UPSTREAM_UNAVAILABLE", Retryable: true, RetryAfter: failureWait, Calls: 1, Duration: latency},
		revalidate: refreshFails, ifError: staleServed,
	},
	"limit with Retry-After": {
		fault: emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Minute},
		cold:  result{Code: "RATE_LIMITED", Retryable: true, RetryAfter: time.Minute, Calls: 1, Duration: latency},
		revalidate: [3]result{
			revalidating(revalidateAge, 1),
			staleResult(revalidateAge+time.Second, "RATE_LIMITED", 0),
			staleResult(revalidateAge+10*time.Second, "RATE_LIMITED", 0),
		},
		ifError: withDuration(latency, staleResult(ifErrorAge+latency, "RATE_LIMITED", 1)),
	},
	"limit until a date": {
		transport: rawResponse("HTTP/1.1 403 Forbidden\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nRetry-After: Mon, 02 Jan 2006 15:05:05 GMT\r\n\r\n" +
			`{"error": {"type": "RateLimitException", "message": "You have hit your rate limit."}}`),
		cold: result{Code: "RATE_LIMITED", Retryable: true, RetryAfter: time.Minute, Calls: 1, Duration: latency},
		revalidate: [3]result{
			revalidating(revalidateAge, 1),
			staleResult(revalidateAge+time.Second, "RATE_LIMITED", 0),
			staleResult(revalidateAge+10*time.Second, "RATE_LIMITED", 0),
		},
		ifError: withDuration(latency, staleResult(ifErrorAge+latency, "RATE_LIMITED", 1)),
	},
	"limit without Retry-After": {
		fault: emulator.Fault{Kind: emulator.FaultRateLimitNoWait},
		cold:  result{Code: "RATE_LIMITED", Retryable: true, RetryAfter: 4 * time.Second, Calls: 3, Duration: 3*latency + firstPause + secondPause},
		revalidate: [3]result{
			revalidating(revalidateAge, 1),
			staleResult(revalidateAge+time.Second, "RATE_LIMITED", 0),
			revalidating(revalidateAge+10*time.Second, 1),
		},
		ifError: withDuration(latency, staleResult(ifErrorAge+latency, "RATE_LIMITED", 1)),
	},
	"status 429": { // which Mixcloud is not known to send
		transport: rawResponse("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"),
		cold:      result{Code: "RATE_LIMITED", Retryable: true, RetryAfter: time.Minute, Calls: 1, Duration: latency},
		revalidate: [3]result{
			revalidating(revalidateAge, 1),
			staleResult(revalidateAge+time.Second, "RATE_LIMITED", 0),
			staleResult(revalidateAge+10*time.Second, "RATE_LIMITED", 0),
		},
		ifError: withDuration(latency, staleResult(ifErrorAge+latency, "RATE_LIMITED", 1)),
	},
	"5xx flapping": {
		fault:      emulator.Fault{Kind: emulator.FaultError500, Times: 1},
		cold:       result{Data: cachedData, Calls: 2, Duration: 2*latency + firstBackoff},
		revalidate: refreshFails, // the second refresh succeeds
		ifError:    staleServed,
	},
	"200 with an error": {
		fault: emulator.Fault{Kind: emulator.FaultError200},
		cold:  badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"200 with a sentence": {
		fault: emulator.Fault{Kind: emulator.FaultNotJSON},
		cold:  badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"200 with null": {
		transport: rawResponse("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnull"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"200 with an array": {
		transport: rawResponse("HTTP/1.1 200 OK\r\n\r\n[{\"key\": \"/spartacus/\", \"name\": \"Spartacus\"}]"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"200 with nothing": {
		transport: rawResponse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"200 with garbage for gzip": {
		transport: rawResponse("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\nthis was never compressed"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"204": {
		transport: rawResponse("HTTP/1.1 204 No Content\r\n\r\n"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"304": {
		transport: rawResponse("HTTP/1.1 304 Not Modified\r\nEtag: \"x\"\r\n\r\n"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"301": {
		transport: rawResponse("HTTP/1.1 301 Moved Permanently\r\nLocation: /spartacus/\r\nContent-Length: 0\r\n\r\n"),
		cold:      badResponse, revalidate: refreshFails, ifError: staleServed,
	},
	"huge headers": {
		transport: rawResponse("HTTP/1.1 200 OK\r\nX-Padding: " + strings.Repeat("x", 1<<20) + "\r\n\r\n{}"),
		cold:      retriesFail, revalidate: refreshFails, ifError: staleServed,
	},
	"not HTTP": {
		transport: rawResponse("SSH-2.0-OpenSSH_9.6\r\n"),
		cold:      retriesFail, revalidate: refreshFails, ifError: staleServed,
	},
	"the right body as HTML": {
		fault: emulator.Fault{Kind: emulator.FaultContentType},
		cold:  fetchedNow, revalidate: refreshSucceeds, ifError: fetchedNow,
	},
	"clock jump ahead": {
		clockJump: 50 * 365 * 24 * time.Hour,
		cold:      fetchedNow, revalidate: refreshSucceeds, ifError: fetchedNow,
	},
	"clock jump back": {
		clockJump: -50 * 365 * 24 * time.Hour,
		cold:      fetchedNow, revalidate: refreshSucceeds, ifError: fetchedNow,
	},
}

// principals contains the tokens that read the resource before the failure, and the token that
// reads it during the failure.
var principals = map[string]struct {
	before []string
	during string
}{
	"anonymous after tokens":  {[]string{"demo-token", "spartacus-token"}, ""},
	"a token after anonymous": {[]string{""}, "demo-token"},
	"a token after another":   {[]string{"spartacus-token"}, "demo-token"},
}

// TestFaultMatrix combines each failure with each state of the cache. The other field of the operation is never affected.
// Data that the principal has read before stays available. Data of other principals has no effect.
func TestFaultMatrix(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for name, m := range failures {
		t.Run(name+"/empty cache", m.test(func(t *testing.T, f *faultServer) {
			f.inject(t, m)
			f.check(t, "", m.cold)
		}))
		t.Run(name+"/fresh", m.test(func(t *testing.T, f *faultServer) {
			f.check(t, "", fetchedNow)
			f.inject(t, m)
			f.check(t, "", result{Data: cachedData})
		}))
		t.Run(name+"/revalidate", m.test(func(t *testing.T, f *faultServer) {
			f.check(t, "", fetchedNow)
			time.Sleep(revalidateAge - latency)
			f.inject(t, m)
			f.check(t, "", m.revalidate[0])
			time.Sleep(time.Second - latency)
			f.check(t, "", m.revalidate[1])
			time.Sleep(9*time.Second - latency)
			f.check(t, "", m.revalidate[2])
		}))
		t.Run(name+"/if error", m.test(func(t *testing.T, f *faultServer) {
			f.check(t, "", fetchedNow)
			time.Sleep(ifErrorAge - latency)
			f.inject(t, m)
			f.check(t, "", m.ifError)
		}))
		for who, principal := range principals {
			t.Run(name+"/"+who, m.test(func(t *testing.T, f *faultServer) {
				f.markVerified("demo-token", "spartacus-token")
				for _, token := range principal.before {
					f.check(t, token, fetchedNow)
				}
				f.inject(t, m)
				f.check(t, principal.during, m.cold)
			}))
		}
		// A failure for an unverified token has no effect on anonymous requests.
		t.Run(name+"/anonymous after an unverified token", m.test(func(t *testing.T, f *faultServer) {
			f.inject(t, m)
			code := ""
			for _, e := range f.testServer.execute(t, "demo-token", `{ user(username: "spartacus") { name } }`, nil).decode(t, nil) {
				code = e.code()
			}
			if code != m.cold.Code {
				t.Errorf("error code with the token = %q, want %q", code, m.cold.Code)
			}
			f.emulator.ClearFaults() // for faults that occur a limited number of times
			f.inject(t, m)
			f.check(t, "", m.cold)
		}))
	}
}

// test returns a test with a new server and a synthetic clock. After the failure has ended, every principal must get fresh
// data again, with the second request at the latest.
func (m failure) test(run func(*testing.T, *faultServer)) func(*testing.T) {
	return func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newFaultServer(t)
			run(t, f)
			f.setTransport(nil)
			f.setClockJump(0)
			f.emulator.ClearFaults()
			time.Sleep(2 * time.Minute)
			for _, token := range []string{"", "demo-token"} {
				f.observe(t, token)
				time.Sleep(time.Second)
				if got := f.observe(t, token); got.Data != cachedData || got.StaleReason != "" {
					t.Errorf("after the failure, token %q: result = %+v, want fresh data", token, got)
				}
			}
		})
	}
}

// failingPath is the path of the failing resource.
const failingPath = "/spartacus/"

// A faultServer is a test server whose transport to Mixcloud and whose wall clock can be replaced. The fields are atomic,
// since calls in the background read them.
type faultServer struct {
	*testServer
	transport atomic.Pointer[roundTripFunc] // for failingPath; nil for the emulator's
	allDown   atomic.Bool                   // transport is used for all paths
	clockJump atomic.Int64                  // how far the wall clock is ahead, in nanoseconds
}

// setTransport replaces the transport. Nil restores the emulator's.
func (f *faultServer) setTransport(transport roundTripFunc) {
	if transport == nil {
		f.transport.Store(nil)
		return
	}
	f.transport.Store(&transport)
}

// setClockJump sets how far the wall clock is ahead.
func (f *faultServer) setClockJump(jump time.Duration) { f.clockJump.Store(int64(jump)) }

const maxBody = 256 << 10

func newFaultServer(t *testing.T) *faultServer {
	t.Helper()
	e := newEmulator(t, emulator.WithLatency(latency))
	f := &faultServer{}
	s := serverOptions{
		mixcloud: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if transport := f.transport.Load(); transport != nil && (f.allDown.Load() || r.URL.Path == failingPath) {
				return (*transport)(r)
			}
			return e.Transport().RoundTrip(r)
		}),
		client: []mixcloud.Option{
			mixcloud.WithMaxBody(maxBody),
			mixcloud.WithObserver(func(c mixcloud.Call) {
				if c.Bytes > maxBody+1 {
					t.Errorf("client read %d bytes of %s, want at most %d", c.Bytes, c.Path, maxBody+1)
				}
			}),
		},
		tune: []func(*upstream.Options){func(o *upstream.Options) {
			o.Wall = func() time.Time { return time.Now().Add(time.Duration(f.clockJump.Load())) }
			o.Jitter = func(most time.Duration) time.Duration { return most }
		}},
	}
	s.config.UpstreamRetries = 2
	f.testServer = newTestServer(t, s)
	f.emulator = e
	return f
}

// inject starts a failure.
func (f *faultServer) inject(t *testing.T, m failure) {
	t.Helper()
	f.setTransport(m.transport)
	f.setClockJump(m.clockJump)
	if fault := m.fault; fault.Kind != "" {
		fault.Match = failingPath
		if err := f.emulator.Fail(fault); err != nil {
			t.Fatal(err)
		}
	}
}

// markVerified makes the server treat tokens as accepted by Mixcloud, as after a sign-in.
func (f *faultServer) markVerified(tokens ...string) {
	for _, token := range tokens {
		f.app.store.MarkVerified(token)
	}
}

// check compares the result of an operation with want.
func (f *faultServer) check(t *testing.T, token string, want result) {
	t.Helper()
	if d := cmp.Diff(want, f.observe(t, token)); d != "" {
		t.Errorf("result differs (-want +got):\n%s", d)
	}
}

// observe executes an operation that reads two resources, and returns the result of the failing
// one. The other one must be complete, and fresh or being refreshed. Before observe returns, it
// waits for the latency of one call, so that calls in the background can end.
func (f *faultServer) observe(t *testing.T, token string) result {
	t.Helper()
	f.takeCalls()
	began := time.Now()
	resp := f.testServer.execute(t, token, `{ failing: user(username: "spartacus") { name city } other: user(username: "demo") { name city } }`, nil)
	got := result{Duration: time.Since(began)}
	if resp.status != http.StatusOK {
		t.Errorf("status = %d, want 200", resp.status)
	}
	time.Sleep(latency)
	synctest.Wait()
	for _, call := range f.takeCalls() {
		if path, _, _ := strings.Cut(strings.TrimPrefix(call, "GET "), " "); path == failingPath {
			got.Calls++
		}
	}
	var data struct{ Failing, Other json.RawMessage }
	for _, e := range resp.decode(t, &data) {
		if d := cmp.Diff([]any{"failing"}, e.Path); d != "" {
			t.Errorf("path of the error differs (-want +got): %s", d)
		}
		got.Code = e.code()
		got.Retryable = e.Extensions["retryable"] == true
		wait, _ := e.Extensions["retryAfterMs"].(float64)
		got.RetryAfter = time.Duration(wait) * time.Millisecond
	}
	if text := string(data.Failing); text != "null" {
		got.Data = text
	}
	if d := cmp.Diff(`{"name":"Robin Hale","city":"London"}`, string(data.Other)); d != "" {
		t.Errorf("other field differs (-want +got): %s", d)
	}
	for _, n := range freshnessOf(t, resp) {
		switch path := dottedPath(n.Path); {
		case !n.Stale:
			t.Errorf("entry of extensions.freshness = %+v, want stale = true", n)
		case path == "failing":
			got.StaleReason, got.Age = n.Reason, time.Duration(n.AgeMs)*time.Millisecond
		case path != "other" || n.Reason != "REVALIDATING":
			t.Errorf("entry of extensions.freshness = %+v, want the path other with REVALIDATING", n)
		}
	}
	return got
}

// A freshnessEntry is an entry of extensions.freshness.
type freshnessEntry struct {
	Path   []any
	AgeMs  int64
	Stale  bool
	Reason string
}

func freshnessOf(t *testing.T, resp response) []freshnessEntry {
	t.Helper()
	var whole struct {
		Extensions struct{ Freshness []freshnessEntry }
	}
	if err := json.Unmarshal(resp.body, &whole); err != nil {
		t.Fatal(err)
	}
	return whole.Extensions.Freshness
}
