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

// population is shared: nothing here writes to it.
var population = sync.OnceValue(func() *world.World { return world.New(1) })

// newEmulator is a Mixcloud that refuses the first look at its chart, so that
// the rate limit shows itself.
func newEmulator(t testing.TB, options ...emulator.Option) *emulator.Emulator {
	t.Helper()
	return newEmulatorOf(t, append([]emulator.Option{emulator.WithWorld(population())}, options...)...)
}

// newEmulatorOf is newEmulator with a world of its own.
func newEmulatorOf(t testing.TB, options ...emulator.Option) *emulator.Emulator {
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

func asking(transport http.RoundTripper) Config {
	return Config{
		APIURL: testAPI, SiteURL: testAPI + "/www", Token: testToken,
		HTTPClient: &http.Client{Transport: transport},
	}
}

// inBubble runs a whole comparison in virtual time, waits and all. Anything but a
// plain GET is a failure.
func inBubble(t *testing.T, transport func() http.RoundTripper, change func(*Config), check func(*testing.T, Report, error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		under := transport()
		cfg := asking(tripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet || r.Body != nil && r.Body != http.NoBody {
				t.Errorf("%s %s with a body: %t", r.Method, r.URL.Path, r.Body != nil)
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

// A tripper is a transport made of a function.
type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// saying is a transport that answers everything alike.
func saying(status int, header http.Header, body string) tripper {
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

var errDead = errors.New("connection refused")

// verdicts counts what was found.
func verdicts(r Report) map[Verdict]int {
	count := make(map[Verdict]int)
	for _, p := range r.Probes {
		count[p.Verdict]++
	}
	return count
}

// disagreeing are the probes that did not agree, with what they saw.
func disagreeing(r Report) []string {
	var list []string
	for _, p := range r.Probes {
		if p.Verdict != Agrees {
			list = append(list, string(p.Verdict)+" "+p.Name+": "+p.Seen)
		}
	}
	return list
}
