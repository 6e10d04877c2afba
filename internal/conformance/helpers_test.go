package conformance

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mixcloud-graphql/mixcloud/emulator"
	"mixcloud-graphql/mixcloud/emulator/world"
)

const (
	testAPI   = "http://mixcloud.test"
	testToken = "demo-token"
)

// sharedWorld is shared by all tests, which do not write to it.
var sharedWorld = sync.OnceValue(func() *world.World { return world.New(1) })

// newEmulator returns an emulator whose rate limit rejects the first request for the
// chart, so that the probes of the rate limit have a response.
func newEmulator(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	return newEmulatorWithWorld(t, append([]emulator.Option{emulator.WithWorld(sharedWorld())}, options...)...)
}

// newEmulatorWithWorld is like newEmulator, but with the data that options set.
func newEmulatorWithWorld(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	e, err := emulator.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Fail(emulator.Fault{Match: "/popular/", Times: 1, Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second}); err != nil {
		t.Fatal(err)
	}
	return e
}

func testConfig(transport http.RoundTripper) Config {
	return Config{
		APIURL: testAPI, SiteURL: testAPI + "/www", Token: testToken,
		HTTPClient: &http.Client{Transport: transport},
	}
}

// runInBubble runs all probes in the fake time of a synctest bubble. A request that is
// not a GET without a body fails the test.
func runInBubble(t *testing.T, transport func() http.RoundTripper, change func(*Config), check func(*testing.T, Report, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		under := transport()
		cfg := testConfig(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet || r.Body != nil && r.Body != http.NoBody {
				t.Errorf("got a %s of %s, with a body: %t; want a GET without one", r.Method, r.URL.Path, r.Body != nil)
			}
			return under.RoundTrip(r)
		}))
		if change != nil {
			change(&cfg)
		}
		report, err := Run(t.Context(), cfg)
		check(t, report, err)
	})
}

// A roundTripFunc is a function that implements [http.RoundTripper].
type roundTripFunc func(*http.Request) (*http.Response, error)

func (t roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// alwaysRespond returns a transport with the same response for all requests.
func alwaysRespond(status int, header http.Header, body string) roundTripFunc {
	return func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		maps.Copy(w.Header(), header)
		w.WriteHeader(status)
		_, _ = w.WriteString(body)
		res := w.Result()
		res.Request = r
		return res, nil
	}
}

var errConnection = errors.New("connection refused")

// verdicts returns the number of probes per verdict.
func verdicts(r Report) map[Verdict]int {
	count := make(map[Verdict]int)
	for _, p := range r.Probes {
		count[p.Verdict]++
	}
	return count
}

// notAgreeing returns the probes that did not agree, with their messages.
func notAgreeing(r Report) []string {
	var list []string
	for _, p := range r.Probes {
		if p.Verdict != Agrees {
			list = append(list, string(p.Verdict)+" "+p.Name+": "+p.Detail)
		}
	}
	return list
}
