package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/upstream"
	"mixcloud-graphql/mixcloud/emulator"
)

// TestFaults_SeenBefore lets every field meet every fault when it has been seen
// hours ago: the whole answer is as it was, with a note at the field's place.
func TestFaults_SeenBefore(t *testing.T) {
	t.Parallel()
	seeded()
	for _, kind := range emulator.FaultKinds() {
		if faults[kind].code == "" {
			continue
		}
		for _, v := range victims {
			t.Run(string(kind)+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newStage(t, set{config: config.Serve{RequestTimeout: deadline}})
					before := dataOf(t, s.ask(t, "", v.query, nil), 0)
					time.Sleep(23 * time.Hour)
					if err := s.mixcloud.Fail(emulator.Fault{Match: v.match, Kind: kind, RetryAfter: time.Minute, Delay: faultDelay(kind)}); err != nil {
						t.Fatal(err)
					}
					s.upstream()
					began := time.Now()
					a := s.ask(t, "", v.query, nil)
					if took := time.Since(began); took > time.Second {
						t.Errorf("took %v", took)
					}
					if d := cmp.Diff(before, dataOf(t, a, 0)); d != "" {
						t.Errorf("the answer is another one: %s", d)
					}
					told := slices.ContainsFunc(freshnessOf(t, a), func(n freshNote) bool {
						return n.Stale && n.AgeMs >= (23*time.Hour).Milliseconds() && strings.HasPrefix(dotted(v.path), dotted(n.Path))
					})
					if !told {
						t.Errorf("%s is not among what is not fresh: %+v", dotted(v.path), freshnessOf(t, a))
					}
				})
			})
		}
	}
}

// dataOf is the data of an answer that has so many errors.
func dataOf(t *testing.T, a answer, errs int) (data map[string]any) {
	t.Helper()
	if got := a.decode(t, &data); a.status != http.StatusOK || len(got) != errs {
		t.Fatalf("status %d, %d errors, want %d: %s", a.status, len(got), errs, a.body)
	}
	return data
}

func dotted(path []any) string {
	words := make([]string, len(path))
	for i, step := range path {
		words[i] = fmt.Sprint(step)
	}
	return strings.Join(words, ".")
}

// faultDelay is how long a fault takes where time belongs to it.
func faultDelay(kind emulator.FaultKind) time.Duration {
	switch kind {
	case emulator.FaultSlowHeaders, emulator.FaultSlowBody:
		return time.Hour
	case emulator.FaultEndlessBody:
		return time.Second
	}
	return 0
}

// TestFaults_OneOfAList fails a load below one item of a page: the fields that
// it was for are null, each with an error at its own place, and everything else
// of the page is as without the fault.
func TestFaults_OneOfAList(t *testing.T) {
	t.Parallel()
	seeded()
	const query = `{ popular(first: 12) { nodes { key name picturePrimaryColor user { key name biog city } } } }`
	for _, kind := range emulator.FaultKinds() {
		want := faults[kind]
		if want.code == "" || want.code == "RATE_LIMITED" { // which is everybody's
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				whole := dataOf(t, newStage(t, set{}).ask(t, "", query, nil), 0)
				nodes := at(whole, []any{"popular", "nodes"}).([]any)
				struck := at(nodes[5], []any{"user", "key"}).(string)
				wanted := map[string]string{}
				for i, node := range nodes {
					user := node.(map[string]any)["user"].(map[string]any)
					if user["key"] != struck {
						continue
					}
					for _, field := range []string{"biog", "city"} {
						user[field] = nil
						wanted[fmt.Sprintf("popular.nodes.%d.user.%s", i, field)] = want.code
					}
				}
				s := newStage(t, set{config: config.Serve{RequestTimeout: deadline}})
				if err := s.mixcloud.Fail(emulator.Fault{Match: struck, Kind: kind, Delay: faultDelay(kind), RetryAfter: 90 * time.Second}); err != nil {
					t.Fatal(err)
				}
				a := s.ask(t, "", query, nil)
				if d := cmp.Diff(whole, dataOf(t, a, len(wanted))); d != "" {
					t.Errorf("data: %s", d)
				}
				got := map[string]string{}
				for _, e := range a.decode(t, nil) {
					got[dotted(e.Path)] = e.code()
				}
				if d := cmp.Diff(wanted, got); d != "" {
					t.Errorf("errors: %s", d)
				}
				calls := s.upstream()
				if n := len(slices.DeleteFunc(calls, func(c string) bool { return c != "GET "+struck })); n != 1 {
					t.Errorf("%d calls for what failed, want one", n)
				}
			})
		})
	}
}

// TestFaults_Write lets an action meet what can go wrong. It is sent once,
// unless it never left; and whatever became of it, the next read asks anew.
func TestFaults_Write(t *testing.T) {
	t.Parallel()
	type seen struct {
		Code   string
		Retry  bool
		Wait   time.Duration
		User   string // of the payload's userErrors
		Sent   int
		Took   time.Duration
		Beside bool // a read in the same mutation is answered
	}
	const one = `mutation { followUser(input: {username: "spartacus"}) { userErrors { code } viewer { username } } }`
	unavailable := seen{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Sent: 1}
	nonsense := seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1}
	timeout := seen{Code: "UPSTREAM_TIMEOUT", Retry: true, Sent: 1, Took: deadline}
	for name, test := range map[string]struct {
		fault emulator.Fault
		wire  roundTrip
		want  seen
	}{
		"reset":                {fault: emulator.Fault{Kind: emulator.FaultReset}, want: unavailable},
		"slow headers":         {fault: emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Hour}, want: timeout},
		"slow body":            {fault: emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Hour}, want: timeout},
		"truncated body":       {fault: emulator.Fault{Kind: emulator.FaultTruncatedBody}, want: unavailable},
		"truncated JSON":       {fault: emulator.Fault{Kind: emulator.FaultTruncatedJSON}, want: nonsense},
		"error 500":            {fault: emulator.Fault{Kind: emulator.FaultError500}, want: unavailable},
		"HTML 502":             {fault: emulator.Fault{Kind: emulator.FaultHTML502}, want: unavailable},
		"HTML 403":             {fault: emulator.Fault{Kind: emulator.FaultHTML403}, want: unavailable},
		"a sentence":           {fault: emulator.Fault{Kind: emulator.FaultNotJSON}, want: nonsense},
		"200 with an error":    {fault: emulator.Fault{Kind: emulator.FaultError200}, want: nonsense},
		"success: false":       {fault: emulator.Fault{Kind: emulator.FaultSuccessFalse}, want: seen{User: "REFUSED", Sent: 1, Beside: true}},
		"endless body":         {fault: emulator.Fault{Kind: emulator.FaultEndlessBody}, want: nonsense},
		"limit":                {fault: emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Minute}, want: seen{Code: "RATE_LIMITED", Retry: true, Wait: time.Minute, Sent: 1}},
		"limit without a wait": {fault: emulator.Fault{Kind: emulator.FaultRateLimitNoWait}, want: seen{Code: "RATE_LIMITED", Retry: true, Wait: firstPause, Sent: 1}},
		"301":                  {wire: answering("HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere/\r\n\r\n"), want: seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Took: lag}},
		"204":                  {wire: answering("HTTP/1.1 204 No Content\r\n\r\n"), want: seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Took: lag}},
		"200 with null":        {wire: answering("HTTP/1.1 200 OK\r\n\r\nnull"), want: seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Took: lag}},
		"no answer":            {wire: answering(""), want: seen{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Sent: 1, Took: lag}},
		"DNS failure": { // it cannot have been done
			wire: func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
			},
			want: seen{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Sent: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t, set{writes: true, config: config.Serve{RequestTimeout: deadline, UpstreamRetries: 2}})
				next := s.wire.next
				s.wire.next = roundTrip(func(r *http.Request) (*http.Response, error) {
					if test.wire != nil && r.Method == http.MethodPost {
						return test.wire(r)
					}
					return next.RoundTrip(r)
				})
				if test.fault.Kind != "" {
					test.fault.Match = "POST *"
					if err := s.mixcloud.Fail(test.fault); err != nil {
						t.Fatal(err)
					}
				}
				following := func() bool {
					var data struct {
						User struct{ ViewerIsFollowing bool }
					}
					if errs := s.ask(t, "demo-token", `{ user(username: "spartacus") { viewerIsFollowing } }`, nil).decode(t, &data); len(errs) > 0 {
						t.Fatalf("%+v", errs)
					}
					return data.User.ViewerIsFollowing
				}
				following()
				s.upstream()
				began := time.Now()
				a := s.ask(t, "demo-token", one, nil)
				got := seen{Took: time.Since(began)}
				var data struct {
					FollowUser *struct {
						UserErrors []struct{ Code string }
						Viewer     *struct{ Username string }
					}
				}
				for _, e := range a.decode(t, &data) {
					if d := cmp.Diff([]any{"followUser"}, e.Path); d != "" {
						t.Errorf("path: %s", d)
					}
					wait, _ := e.Extensions["retryAfterMs"].(float64)
					got.Code, got.Retry, got.Wait = e.code(), e.Extensions["retryable"] == true, time.Duration(wait)*time.Millisecond
				}
				if p := data.FollowUser; p != nil {
					got.Beside = p.Viewer != nil && p.Viewer.Username == "demo"
					for _, e := range p.UserErrors {
						got.User = e.Code
					}
				}
				for _, call := range s.upstream() {
					if strings.HasPrefix(call, "POST ") {
						got.Sent++
					}
				}
				if d := cmp.Diff(test.want, got); d != "" {
					t.Errorf("(-want +got):\n%s\n%s", d, a.body)
				}
				// Whether it was done, Mixcloud knows; nothing that was kept does.
				time.Sleep(2 * time.Minute)
				var reply struct {
					Following bool `json:"following"`
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, mixcloudURL+"/spartacus/?access_token=demo-token", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := s.mixcloud.Transport().RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
					t.Fatal(err)
				}
				if read := following(); read != reply.Following {
					t.Errorf("the viewer reads %v, and it is %v", read, reply.Following)
				}
			})
		})
	}
}

// TestFaults_ClockJumps lets the wall clock jump while a wait that Mixcloud has
// named is in force, and while what is kept is young, old and nearly gone: only
// the time that really passes counts.
func TestFaults_ClockJumps(t *testing.T) {
	t.Parallel()
	seeded()
	for _, jump := range []time.Duration{-50 * 365 * 24 * time.Hour, -90 * time.Second, 90 * time.Second, 50 * 365 * 24 * time.Hour} {
		t.Run(jump.String()+"/wait", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFaulty(t)
				f.begin(t, misbehaviours["limit with a wait"])
				f.sees(t, "", misbehaviours["limit with a wait"].cold)
				f.jump = jump
				time.Sleep(20*time.Second - lag)
				f.sees(t, "", cell{Code: "RATE_LIMITED", Retry: true, Wait: 40 * time.Second})
				var told struct{ RateLimit struct{ RetryAt time.Time } }
				f.stage.ask(t, "", `{ rateLimit { retryAt } }`, nil).decode(t, &told)
				if at := time.Now().Add(jump + 40*time.Second - lag).UTC().Truncate(time.Second); told.RateLimit.RetryAt.Sub(at).Abs() > time.Second {
					t.Errorf("retryAt is %v, want %v by the clock that people see", told.RateLimit.RetryAt, at)
				}
				f.mixcloud.ClearFaults()
				time.Sleep(40*time.Second - 3*lag)
				f.sees(t, "", took(3*lag, anew)) // the rest of the wait is short enough to wait for
			})
		})
		t.Run(jump.String()+"/stale", func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFaulty(t)
				f.sees(t, "", anew)
				f.begin(t, misbehaviours["reset"])
				time.Sleep(5*time.Minute - 2*lag)
				f.sees(t, "", cell{Data: seen}) // the last moment of its freshness
				f.jump = jump
				time.Sleep(5 * time.Minute)
				f.sees(t, "", beingFetched(10*time.Minute, 1))
				f.jump = 0
				time.Sleep(110*time.Minute - lag)
				f.jump = jump
				f.sees(t, "", took(lag, standsIn(2*time.Hour+lag, "UNAVAILABLE", 1)))
				time.Sleep(22*time.Hour - 4*lag)
				f.sees(t, "", took(lag, standsIn(24*time.Hour-lag, "UNAVAILABLE", 1)))
				f.jump = 0
				time.Sleep(10 * time.Second)
				f.sees(t, "", triesFail)
			})
		})
	}
}

// A Mixcloud that fails altogether is left alone soon, and what was seen keeps
// coming at once, for a day.
func TestFaults_DownForADay(t *testing.T) {
	t.Parallel()
	seeded()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		f.ask(t, "")
		f.wire = func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
		time.Sleep(2 * time.Hour)
		f.ask(t, "")
		calls, slowest := 0, time.Duration(0)
		const questions = 21 * 60
		for range questions {
			time.Sleep(time.Minute)
			got := f.ask(t, "")
			calls += got.Calls
			slowest = max(slowest, got.Took)
			if got.Data != seen || got.Stale == "" {
				t.Fatalf("got %+v", got)
			}
			// A balancer must not take away the replica that still answers.
			for _, path := range []string{"/livez", "/readyz"} {
				if a := f.serve(httptest.NewRequest(http.MethodGet, path, nil), ""); a.status != http.StatusOK {
					t.Fatalf("%s is %d", path, a.status)
				}
			}
		}
		if calls > questions || slowest > lag {
			t.Errorf("%d questions were %d calls, and the slowest took %v", questions, calls, slowest)
		}
		f.wire = nil
		time.Sleep(time.Minute)
		if d := cmp.Diff(anew, f.ask(t, "")); d != "" {
			t.Errorf("well again: %s", d)
		}
	})
}

// What nobody has seen is refused at once by a Mixcloud that was found to be
// down, and the log has a line when that begins and one when it ends.
func TestFaults_Log(t *testing.T) {
	t.Parallel()
	seeded()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		f.wire = func(*http.Request) (*http.Response, error) { return nil, errors.New("connection refused") }
		for range 100 {
			f.ask(t, "")
			time.Sleep(time.Second)
		}
		f.wire = nil
		time.Sleep(upstream.DefaultTimeout)
		f.ask(t, "")
		lines := map[string]int{}
		for line := range strings.Lines(f.log.String()) {
			var l struct{ Level, Msg string }
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			if l.Level != "DEBUG" {
				lines[l.Level+" "+l.Msg]++
			}
		}
		want := map[string]int{
			"WARN mixcloud keeps failing and is left alone": 1,
			"INFO mixcloud answers again":                   1,
			"INFO request":                                  101,
			"WARN field failed":                             10, // one in ten seconds
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	})
}

// A limit that many calls run into is one line of the log, and the next one is
// another.
func TestFaults_LimitLog(t *testing.T) {
	t.Parallel()
	seeded()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		for _, wait := range []time.Duration{time.Minute, time.Hour} {
			if err := f.mixcloud.Fail(emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: wait}); err != nil {
				t.Fatal(err)
			}
			var query strings.Builder
			for i := range 30 {
				fmt.Fprintf(&query, "u%d: user(username: \"u%d\") { name } ", i, i)
			}
			f.upstream()
			f.stage.ask(t, "", "{ "+query.String()+"}", nil)
			if calls := len(f.upstream()); wait == time.Minute && calls < 20 {
				t.Fatalf("%d calls were refused", calls)
			}
			f.mixcloud.ClearFaults()
			time.Sleep(wait)
		}
		if got := strings.Count(f.log.String(), "rate limit is reached\",\"signed"); got != 2 {
			t.Errorf("two limits are %d lines", got)
		}
	})
}

// With --stale-for 0 nothing that is not fresh is shown, however Mixcloud is.
func TestFaults_FreshOnly(t *testing.T) {
	t.Parallel()
	seeded()
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t, set{freshOnly: true})
		const query = `{ user(username: "spartacus") { name } }`
		dataOf(t, s.ask(t, "", query, nil), 0)
		if err := s.mixcloud.Fail(emulator.Fault{Kind: emulator.FaultReset}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5*time.Minute - 1)
		dataOf(t, s.ask(t, "", query, nil), 0)
		time.Sleep(1)
		a := s.ask(t, "", query, nil)
		if data := dataOf(t, a, 1); data["user"] != nil || len(freshnessOf(t, a)) > 0 {
			t.Errorf("%s", a.body)
		}
	})
}
