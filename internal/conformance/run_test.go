package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
)

// TestRun_EmulatorAgrees checks for several seeds that all probes agree with the
// emulator, which implements the rules, with a limited number of requests.
func TestRun_EmulatorAgrees(t *testing.T) {
	t.Parallel()
	worlds := map[string][]emulator.Option{
		"seed 1": {emulator.WithWorld(sharedWorld())},
		"seed 2": {emulator.WithSeed(2)},
		"seed 3": {emulator.WithSeed(3)},
	}
	for name, options := range worlds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e *emulator.Emulator
			runInBubble(t, func() http.RoundTripper {
				e = newEmulatorWithWorld(t, options...)
				return e.Transport()
			}, nil, func(t *testing.T, r Report, err error) {
				if err != nil {
					t.Fatal(err)
				}
				if list := notAgreeing(r); len(list) > 0 {
					t.Errorf("probes that do not agree:\n%s", strings.Join(list, "\n"))
				}
				if r.Requests >= 150 || r.Requests != len(r.Exchanges) {
					t.Errorf("the run made %d requests and recorded %d exchanges, want equal numbers below 150", r.Requests, len(r.Exchanges))
				}
				if r.Differs() || r.Incomplete || !r.Viewer {
					t.Errorf("report: differs %t, incomplete %t, viewer %t, want false, false, true", r.Differs(), r.Incomplete, r.Viewer)
				}
				for _, q := range e.Requests() {
					if q.Method != http.MethodGet {
						t.Errorf("%s %s was sent, want only GET requests", q.Method, q.Path)
					}
				}
			})
		})
	}
}

// TestRun_WithoutToken checks that without a token the probes that need one are
// inconclusive and the others agree.
func TestRun_WithoutToken(t *testing.T) {
	t.Parallel()
	runInBubble(t, func() http.RoundTripper { return newEmulator(t).Transport() }, func(c *Config) { c.Token = "" },
		func(t *testing.T, r Report, err error) {
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range r.Probes {
				needs := p.Detail == "no access token is configured"
				if p.Verdict != Agrees && !needs {
					t.Errorf("probe %s without a token: verdict %s, want agrees or a missing token: %s", p.Name, p.Verdict, p.Detail)
				}
			}
			if n := verdicts(r)[Inconclusive]; n != 7 || r.Viewer {
				t.Errorf("without a token %d probes are inconclusive, viewer %t, want 7, false", n, r.Viewer)
			}
		})
}

// TestRun_RequestsOnlyDeclaredPaths checks that every probe requests exactly the paths
// that it declares, in addition to discoveryPaths.
func TestRun_RequestsOnlyDeclaredPaths(t *testing.T) {
	t.Parallel()
	runInBubble(t, func() http.RoundTripper { return newEmulator(t).Transport() }, nil, func(t *testing.T, r Report, err error) {
		if err != nil {
			t.Fatal(err)
		}
		said := make(map[string]probe)
		for _, p := range probes() {
			said[p.name] = p
		}
		for _, result := range r.Probes {
			p := said[result.Name]
			asked := make(map[string]bool)
			for _, i := range result.Exchanges {
				path := asPattern(t, r, r.Exchanges[i].URL)
				matches := slices.DeleteFunc(slices.Concat(p.paths, discoveryPaths), func(pattern string) bool { return !matchesPattern(pattern, path) })
				if len(matches) == 0 {
					t.Errorf("probe %s requests %s, which it does not declare", p.name, path)
				}
				for _, m := range matches {
					asked[m] = true
				}
			}
			for _, pattern := range p.paths {
				if !asked[pattern] {
					t.Errorf("probe %s declares %s but does not request it", p.name, pattern)
				}
			}
		}
	})
}

// asPattern returns the path of an exchange in the format of probe.paths.
func asPattern(t *testing.T, r Report, address string) string {
	t.Helper()
	for prefix, base := range map[string]string{"oembed ": r.OEmbedURL, "site ": r.SiteURL} {
		if rest, ok := strings.CutPrefix(address, strings.TrimSuffix(base, "/")+"/"); ok && (prefix == "oembed ") == strings.Contains(address, "oembed") {
			path, _, _ := strings.Cut("/"+rest, "?")
			return prefix + path
		}
	}
	path, _, _ := strings.Cut(strings.TrimPrefix(address, r.APIURL), "?")
	return path
}

func matchesPattern(pattern, path string) bool {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return false
	}
	for i := range want {
		if !strings.HasPrefix(want[i], "{") && want[i] != have[i] || want[i] != "" && have[i] == "" {
			return false
		}
	}
	return true
}

// TestRun_ReportRoundTrip checks that a report can be decoded from its JSON, and contains the exact
// bodies.
func TestRun_ReportRoundTrip(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	var e *emulator.Emulator
	runInBubble(t, func() http.RoundTripper {
		e = newEmulator(t, emulator.WithBroken("no-vary"))
		return e.Transport()
	}, func(c *Config) { c.Report = &file }, func(t *testing.T, r Report, err error) {
		if err != nil {
			t.Fatal(err)
		}
		var again Report
		dec := json.NewDecoder(&file)
		dec.DisallowUnknownFields()
		if err := dec.Decode(&again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Errorf("the decoded report (-encoded +decoded):\n%s", diff)
		}
		i := slices.IndexFunc(again.Exchanges, func(x Exchange) bool { return x.URL == testAPI+"/me/" && !x.Token })
		if i < 0 {
			t.Fatal("the request for /me/ is not in the report")
		}
		want := "{\n    \"error\": {\n        \"message\": \"An access_token is required to access this resource.\",\n        \"type\": \"OAuthException\"\n    }\n}"
		if diff := cmp.Diff(want, again.Exchanges[i].Body); diff != "" {
			t.Errorf("the body of /me/ (-want +got):\n%s", diff)
		}
	})
}

// TestRun_Rate checks that requests are sent at the configured rate.
func TestRun_Rate(t *testing.T) {
	t.Parallel()
	for rate, distance := range map[float64]time.Duration{1: time.Second, 4: 250 * time.Millisecond, 0.5: 2 * time.Second} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := newEmulator(t, emulator.WithLatency(300*time.Millisecond))
				var arrivals []time.Time
				cfg := testConfig(roundTripFunc(func(r *http.Request) (*http.Response, error) {
					arrivals = append(arrivals, time.Now())
					return e.Transport().RoundTrip(r)
				}))
				cfg.Rate = rate
				if _, err := Run(t.Context(), cfg); err != nil {
					t.Fatal(err)
				}
				if len(arrivals) < 50 {
					t.Fatalf("the run made %d requests, want at least 50", len(arrivals))
				}
				for i := 1; i < len(arrivals); i++ {
					if d := arrivals[i].Sub(arrivals[i-1]); d < distance {
						t.Fatalf("request %d arrived %v after the previous one, want at least %v", i, d, distance)
					}
				}
			})
		})
	}
}

// TestRun_RateLimit checks that a request that the rate limit rejects is sent once more
// after the wait in the response.
func TestRun_RateLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		reason   string
		fault    emulator.Fault
		timeout  time.Duration
		waits    time.Duration // at least, and less than a minute more
		refused  int           // responses of the rate limit
		succeeds bool
		differs  bool
	}{
		"once": {
			reason: "the retry succeeds",
			fault:  emulator.Fault{Match: "/artist/*", Times: 1, Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second},
			waits:  452 * time.Second, refused: 1, succeeds: true,
		},
		"twice": {
			reason: "there is no second retry",
			fault:  emulator.Fault{Match: "/artist/*", Times: 2, Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second},
			waits:  452 * time.Second, refused: 2,
		},
		"without a wait": {
			reason:  "without a wait there is no retry",
			fault:   emulator.Fault{Match: "/artist/*", Times: 1, Kind: emulator.FaultRateLimitNoWait},
			refused: 1, differs: true,
		},
		"deadline": {
			reason:  "there is no wait beyond the deadline",
			fault:   emulator.Fault{Match: "/artist/*", Times: 1, Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second},
			timeout: 100 * time.Second, refused: 1,
		},
		"always": {
			reason: "after a few waits no more requests are sent",
			fault:  emulator.Fault{Match: "*", Kind: emulator.FaultRateLimit, RetryAfter: 100 * time.Second},
			waits:  300 * time.Second, refused: 6,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e, err := emulator.New(emulator.WithWorld(sharedWorld()))
				if err != nil {
					t.Fatal(err)
				}
				if err := e.Fail(tt.fault); err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if tt.timeout > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, tt.timeout)
					defer cancel()
				}
				start := time.Now()
				r, err := Run(ctx, testConfig(e.Transport()))
				if err != nil {
					t.Fatal(err)
				}
				if d := time.Since(start); d < tt.waits || d > tt.waits+time.Minute {
					t.Errorf("%s: the run took %v, want %v to %v", tt.reason, d, tt.waits, tt.waits+time.Minute)
				}
				refused := 0
				for _, q := range e.Requests() {
					if q.Status == http.StatusForbidden {
						refused++
					}
				}
				if refused != tt.refused {
					t.Errorf("%s: %d responses of the rate limit, want %d", tt.reason, refused, tt.refused)
				}
				i := slices.IndexFunc(r.Probes, func(p Result) bool { return p.Name == "artist-pages" })
				if succeeds := r.Probes[i].Verdict == Agrees; succeeds != tt.succeeds || r.Differs() != tt.differs {
					t.Errorf("%s: artist-pages succeeds: %t, report differs: %t, want %t, %t: %s", tt.reason, succeeds, r.Differs(), tt.succeeds, tt.differs, r.Probes[i].Detail)
				}
			})
		})
	}
}

// TestRun_Canceled checks that an ended context ends the run at any point, and that the report
// contains the results up to that point.
func TestRun_Canceled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		cfg := testConfig(newEmulator(t).Transport())
		cfg.Rate = 1
		var file bytes.Buffer
		cfg.Report = &file
		// The rate limit's wait is longer than the deadline: the run does not wait for
		// it, and continues until the deadline.
		r, err := Run(ctx, cfg)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Run = %v, want context.DeadlineExceeded", err)
		}
		if n := len(r.Probes); n < 5 || n == len(probes()) || !r.Incomplete {
			t.Errorf("the report of a canceled run has %d probes, incomplete %t, want some but not all, true", n, r.Incomplete)
		}
		if !json.Valid(file.Bytes()) {
			t.Errorf("the report of a canceled run is not JSON: %s", &file)
		}
	})
}

// TestRun_UnreachableHost checks that a host that never responds is an immediate error,
// and that a run ends after a few requests if the host stops responding.
func TestRun_UnreachableHost(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead := "http://" + listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	r, err := Run(t.Context(), Config{APIURL: dead, SiteURL: dead, Token: testToken, Out: &out})
	if err == nil || !strings.Contains(err.Error(), "GET "+dead) || len(r.Probes) > 0 || out.Len() > 0 {
		t.Errorf("Run against a closed port: error %v, %d probes, table %q, want an error with GET %s and no output", err, len(r.Probes), &out, dead)
	}

	for after, wantErr := range map[int]bool{1: true, 40: true} {
		sent := 0
		e := newEmulator(t).Transport()
		runInBubble(t, func() http.RoundTripper {
			return roundTripFunc(func(r *http.Request) (*http.Response, error) {
				if sent++; sent > after {
					return nil, errConnection
				}
				return e.RoundTrip(r)
			})
		}, nil, func(t *testing.T, r Report, err error) {
			if (err != nil) != wantErr || err != nil && !strings.Contains(err.Error(), errConnection.Error()) {
				t.Errorf("host fails after %d requests: Run = %v, want a connection error: %t", after, err, wantErr)
			}
			if len(r.Probes) == 0 || sent > after+maxFailures {
				t.Errorf("host fails after %d requests: %d probes and %d requests, want some probes and at most %d requests", after, len(r.Probes), sent, after+maxFailures)
			}
		})
	}
}

// TestRun_OneResponseLost checks that a request without a response is sent again.
func TestRun_OneResponseLost(t *testing.T) {
	t.Parallel()
	runInBubble(t, func() http.RoundTripper {
		e := newEmulator(t)
		if err := e.Fail(emulator.Fault{Match: "/search/", Times: 1, Kind: emulator.FaultReset}); err != nil {
			t.Fatal(err)
		}
		return e.Transport()
	}, nil, func(t *testing.T, r Report, err error) {
		if list := notAgreeing(r); err != nil || len(list) > 0 {
			t.Errorf("Run = %v, probes that do not agree are %q, want none", err, list)
		}
	})
}

// TestRun_UnreachableOEmbedHost checks that only the probes of oEmbed are inconclusive if
// its host is down.
func TestRun_UnreachableOEmbedHost(t *testing.T) {
	t.Parallel()
	runInBubble(t, func() http.RoundTripper {
		e := newEmulator(t).Transport()
		return roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if r.URL.Host == "oembed.test" {
				return nil, errConnection
			}
			return e.RoundTrip(r)
		})
	}, func(c *Config) { c.OEmbedURL = "https://oembed.test/oembed/" }, func(t *testing.T, r Report, err error) {
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range r.Probes {
			if (p.Verdict != Agrees) != strings.HasPrefix(p.Name, "oembed-") {
				t.Errorf("probe %s: verdict %s, want only the oembed probes not to agree: %s", p.Name, p.Verdict, p.Detail)
			}
		}
	})
}

// TestRun_OtherHosts checks that a run with hosts that are not Mixcloud returns a verdict for each
// probe and does not panic.
func TestRun_OtherHosts(t *testing.T) {
	t.Parallel()
	page := http.Header{"Content-Type": {"text/html"}}
	hosts := map[string]http.RoundTripper{
		"HTML everywhere": alwaysRespond(200, page, "<html><body>Hello</body></html>"),
		"bot protection":  alwaysRespond(403, page, "<html>Denied</html>"),
		"proxy error":     alwaysRespond(502, page, "<html>502</html>"),
		"empty":           alwaysRespond(200, nil, ""),
		"null":            alwaysRespond(200, nil, "null"),
		"list":            alwaysRespond(200, nil, "[1, {}]"),
		"empty lists":     alwaysRespond(200, nil, `{"data": []}`),
		"wrong lists":     alwaysRespond(200, nil, `{"data": [null, 1, {"key": 1, "tags": {}, "user": []}], "paging": []}`),
		"redirects":       alwaysRespond(301, http.Header{"Location": {"https://elsewhere.test/"}}, ""),
		"two documents":   alwaysRespond(200, nil, "{} {}"),
		"error with 200":  alwaysRespond(200, nil, `{"error": {"message": "no", "type": "E"}}`),
	}
	for name, host := range hosts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var elsewhere []string
			runInBubble(t, func() http.RoundTripper {
				return roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if r.URL.Host != "mixcloud.test" {
						elsewhere = append(elsewhere, r.URL.Host)
					}
					return host.RoundTrip(r)
				})
			}, nil, func(t *testing.T, r Report, err error) {
				if err != nil {
					t.Fatal(err)
				}
				if len(elsewhere) > 0 {
					t.Errorf("redirects were followed to %q", elsewhere)
				}
				if len(r.Probes) != len(probes()) || verdicts(r)[Agrees] > 9 {
					t.Errorf("got %d probes with the verdicts %v, want %d, of which at most 9 agree", len(r.Probes), verdicts(r), len(probes()))
				}
			})
		})
	}
}

// TestRun_NoTokenLeaks checks that the output of a run does not contain the token, even
// if it needs escaping and the host returns it in all forms.
func TestRun_NoTokenLeaks(t *testing.T) {
	t.Parallel()
	const canary = "c4n4ry/+ &=%tök€n"
	e := newEmulator(t)
	echo := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		sent := r.URL.Query().Get("access_token") + r.Header.Get("Authorization")
		if sent == "" {
			return e.Transport().RoundTrip(r)
		}
		h := http.Header{"X-Echo": {r.URL.RawQuery, sent}, "Location": {r.URL.String()}}
		body, err := json.Marshal(map[string]any{
			"data": []any{}, "paging": map[string]string{"next": "http://mixcloud.test/popular/?" + r.URL.RawQuery},
			"error": map[string]string{"message": "no such token: " + sent, "type": "OAuthException"}, "key": sent, "username": sent,
		})
		if err != nil {
			return nil, err
		}
		return alwaysRespond(400, h, string(body)).RoundTrip(r)
	})
	broken := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r.URL.Query().Has("access_token") {
			return nil, &url.Error{Op: "Get", URL: r.URL.String(), Err: errors.New("lost " + r.URL.String())}
		}
		return e.Transport().RoundTrip(r)
	})
	for name, host := range map[string]http.RoundTripper{"echo": echo, "failing": broken} {
		t.Run(name, func(t *testing.T) {
			var out, file, log bytes.Buffer
			runInBubble(t, func() http.RoundTripper { return host }, func(c *Config) {
				c.Token, c.Out, c.Report = canary, &out, &file
				c.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			}, func(t *testing.T, r Report, err error) {
				if err == nil && name == "failing" {
					t.Error("Run against a host without responses returned no error")
				}
				if !slices.ContainsFunc(r.Exchanges, func(x Exchange) bool { return x.Token }) {
					t.Fatal("the token was never sent")
				}
				everything := fmt.Sprintf("%+v %v", r, err) + out.String() + file.String() + log.String()
				if i := strings.Index(everything, "c4n4ry"); i >= 0 {
					t.Errorf("the output contains the token: …%s…", everything[max(0, i-80):min(len(everything), i+80)])
				}
			})
		})
	}
}

// TestRun_InvalidURLs checks that an invalid base URL is an error before any request.
func TestRun_InvalidURLs(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "mixcloud", "ftp://mixcloud.test", "http://", "http://m.test/?a=b", "http://u:p@m.test", "http://m.test/#f", "http://m test"} {
		for _, cfg := range []Config{{APIURL: bad, SiteURL: testAPI}, {APIURL: testAPI, SiteURL: bad}, {APIURL: testAPI, SiteURL: testAPI, OEmbedURL: bad + "?"}} {
			cfg.HTTPClient = &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
				t.Errorf("URL %q: a request was sent, want an error before", bad)
				return nil, errConnection
			})}
			if _, err := Run(t.Context(), cfg); err == nil {
				t.Errorf("URL %q: Run returned no error", bad)
			} else if strings.Contains(err.Error(), "u:p") {
				t.Errorf("URL %q: the error contains the password: %v", bad, err)
			}
		}
	}
}

// TestRun_FailingWriter checks that a failing writer ends the run.
func TestRun_FailingWriter(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"table":  func(c *Config) { c.Out = failingWriter{} },
		"report": func(c *Config) { c.Report = failingWriter{} },
	} {
		runInBubble(t, func() http.RoundTripper { return alwaysRespond(200, nil, "{}") }, change, func(t *testing.T, _ Report, err error) {
			if !errors.Is(err, os.ErrPermission) {
				t.Errorf("%s cannot be written: Run = %v, want os.ErrPermission", name, err)
			}
		})
	}
}

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, os.ErrPermission }

// TestRun_OverTheNetwork runs the probes over a socket, and below a path.
func TestRun_OverTheNetwork(t *testing.T) {
	t.Parallel()
	e, err := emulator.New(emulator.WithWorld(sharedWorld()))
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.StripPrefix("/emulator", e))
	defer srv.Close()
	r, err := Run(t.Context(), Config{APIURL: srv.URL + "/emulator/", SiteURL: srv.URL + "/emulator/www/", Token: testToken})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range r.Probes {
		if p.Verdict != Agrees && p.Section != docPath+"#rate-limit" {
			t.Errorf("probe %s: verdict %s, want agrees: %s", p.Name, p.Verdict, p.Detail)
		}
	}
}
