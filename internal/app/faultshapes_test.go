package app

import (
	"encoding/json"
	"fmt"
	"io"
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
	"mixcloud-graphql/mixcloud/emulator"
)

// TestFaults_StaleData injects every fault into the call of every target, with data in the cache that is 23 hours old. The
// response has the cached data, and an entry in extensions.freshness for the field.
func TestFaults_StaleData(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, kind := range emulator.FaultKinds() {
		if faultResults[kind].code == "" {
			continue
		}
		for _, v := range faultTargets {
			t.Run(string(kind)+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newTestServer(t, serverOptions{config: config.Serve{RequestTimeout: requestTimeout}})
					before := decodeData(t, s.execute(t, "", v.query, nil), 0)
					time.Sleep(23 * time.Hour)
					if err := s.emulator.Fail(emulator.Fault{Match: v.match, Kind: kind, RetryAfter: time.Minute, Delay: faultDelay(kind)}); err != nil {
						t.Fatal(err)
					}
					s.takeCalls()
					began := time.Now()
					resp := s.execute(t, "", v.query, nil)
					if took := time.Since(began); took > time.Second {
						t.Errorf("duration = %v, want at most 1s", took)
					}
					if d := cmp.Diff(before, decodeData(t, resp, 0)); d != "" {
						t.Errorf("data differs from the cached data (-want +got): %s", d)
					}
					reported := slices.ContainsFunc(freshnessOf(t, resp), func(n freshnessEntry) bool {
						return n.Stale && n.AgeMs >= (23*time.Hour).Milliseconds() && strings.HasPrefix(dottedPath(v.path), dottedPath(n.Path))
					})
					if !reported {
						t.Errorf("extensions.freshness = %+v, want a stale entry for %s", freshnessOf(t, resp), dottedPath(v.path))
					}
				})
			})
		}
	}
}

// decodeData returns the data of a response, which must have the given number of errors.
func decodeData(t *testing.T, resp response, errs int) (data map[string]any) {
	t.Helper()
	if got := resp.decode(t, &data); resp.status != http.StatusOK || len(got) != errs {
		t.Fatalf("status = %d, %d errors, want 200 and %d errors: %s", resp.status, len(got), errs, resp.body)
	}
	return data
}

// dottedPath returns a path as text, such as "popular.nodes.0".
func dottedPath(path []any) string {
	words := make([]string, len(path))
	for i, step := range path {
		words[i] = fmt.Sprint(step)
	}
	return strings.Join(words, ".")
}

// faultDelay returns the delay of a fault that needs one.
func faultDelay(kind emulator.FaultKind) time.Duration {
	switch kind {
	case emulator.FaultSlowHeaders, emulator.FaultSlowBody:
		return time.Hour
	case emulator.FaultEndlessBody:
		return time.Second
	}
	return 0
}

// If the load below one item of a page fails, the fields of that load are null, each with an error at its path. The other
// items are not affected.
func TestFaults_OneItemOfAList(t *testing.T) {
	t.Parallel()
	sharedWorld()
	const query = `{ popular(first: 12) { nodes { key name picturePrimaryColor user { key name biog city } } } }`
	for _, kind := range emulator.FaultKinds() {
		want := faultResults[kind]
		if want.code == "" || want.code == "RATE_LIMITED" { // a rate limit affects all calls
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				whole := decodeData(t, newTestServer(t, serverOptions{}).execute(t, "", query, nil), 0)
				nodes := valueAt(whole, []any{"popular", "nodes"}).([]any)
				failing := valueAt(nodes[5], []any{"user", "key"}).(string)
				wanted := map[string]string{}
				for i, node := range nodes {
					user := node.(map[string]any)["user"].(map[string]any)
					if user["key"] != failing {
						continue
					}
					for _, field := range []string{"biog", "city"} {
						user[field] = nil
						wanted[fmt.Sprintf("popular.nodes.%d.user.%s", i, field)] = want.code
					}
				}
				s := newTestServer(t, serverOptions{config: config.Serve{RequestTimeout: requestTimeout}})
				if err := s.emulator.Fail(emulator.Fault{Match: failing, Kind: kind, Delay: faultDelay(kind), RetryAfter: 90 * time.Second}); err != nil {
					t.Fatal(err)
				}
				resp := s.execute(t, "", query, nil)
				if d := cmp.Diff(whole, decodeData(t, resp, len(wanted))); d != "" {
					t.Errorf("data differs (-want +got): %s", d)
				}
				got := map[string]string{}
				for _, e := range resp.decode(t, nil) {
					got[dottedPath(e.Path)] = e.code()
				}
				if d := cmp.Diff(wanted, got); d != "" {
					t.Errorf("errors differ (-want +got): %s", d)
				}
				calls := s.takeCalls()
				if n := len(slices.DeleteFunc(calls, func(c string) bool { return c != "GET "+failing })); n != 1 {
					t.Errorf("%d calls for the failing user, want 1", n)
				}
			})
		})
	}
}

// TestFaults_TruncatedAnywhere truncates a response at many positions. If the connection breaks, Mixcloud is unavailable; if the
// part has a matching Content-Length, the response is invalid. The data of a truncated response is never used.
func TestFaults_TruncatedAnywhere(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaultServer(t)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, mixcloudURL+failingPath, nil)
		resp, err := f.emulator.Transport().RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		whole := strings.TrimSpace(string(body))
		for _, test := range []struct {
			code     string
			declared func(cut int) int
		}{
			{"UPSTREAM_UNAVAILABLE", func(int) int { return len(whole) }},
			{"UPSTREAM_BAD_RESPONSE", func(cut int) int { return cut }},
		} {
			for cut := 0; cut < len(whole); cut += 7 {
				f.setTransport(rawResponse(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", test.declared(cut), whole[:cut])))
				if got := f.observe(t, ""); got.Code != test.code || got.Data != "" {
					t.Fatalf("truncated after %d bytes of %d: result = %+v, want %s", cut, test.declared(cut), got, test.code)
				}
				time.Sleep(time.Minute) // so that the circuit breaker closes
			}
		}
		f.setTransport(rawResponse(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole)))
		if d := cmp.Diff(fetchedNow, f.observe(t, "")); d != "" {
			t.Errorf("result of the complete response (-want +got): %s", d)
		}
	})
}

// TestFaults_Write injects faults into an action. It is sent once, unless the first call failed before it was sent. The next
// read after the action does not use the cache.
func TestFaults_Write(t *testing.T) {
	t.Parallel()
	type writeResult struct {
		Code       string
		Retryable  bool
		RetryAfter time.Duration
		UserError  string // the code in the payload's userErrors
		Sent       int
		Duration   time.Duration
		Other      bool // a read in the payload has a value
	}
	const follow = `mutation { followUser(input: {username: "spartacus"}) { userErrors { code } viewer { username } } }`
	unavailable := writeResult{Code: "UPSTREAM_UNAVAILABLE", Retryable: true, RetryAfter: failureWait, Sent: 1}
	badResponse := writeResult{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1}
	timeout := writeResult{Code: "UPSTREAM_TIMEOUT", Retryable: true, RetryAfter: failureWait, Sent: 1, Duration: requestTimeout}
	for name, test := range map[string]struct {
		fault     emulator.Fault
		transport roundTripFunc
		want      writeResult
	}{
		"reset":                     {fault: emulator.Fault{Kind: emulator.FaultReset}, want: unavailable},
		"slow headers":              {fault: emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Hour}, want: timeout},
		"slow body":                 {fault: emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Hour}, want: timeout},
		"truncated body":            {fault: emulator.Fault{Kind: emulator.FaultTruncatedBody}, want: unavailable},
		"truncated JSON":            {fault: emulator.Fault{Kind: emulator.FaultTruncatedJSON}, want: badResponse},
		"error 500":                 {fault: emulator.Fault{Kind: emulator.FaultError500}, want: unavailable},
		"HTML 502":                  {fault: emulator.Fault{Kind: emulator.FaultHTML502}, want: unavailable},
		"HTML 403":                  {fault: emulator.Fault{Kind: emulator.FaultHTML403}, want: unavailable},
		"not JSON":                  {fault: emulator.Fault{Kind: emulator.FaultNotJSON}, want: badResponse},
		"200 with an error":         {fault: emulator.Fault{Kind: emulator.FaultError200}, want: writeResult{UserError: "REFUSED", Sent: 1, Other: true}},
		"success: false":            {fault: emulator.Fault{Kind: emulator.FaultSuccessFalse}, want: writeResult{UserError: "REFUSED", Sent: 1, Other: true}},
		"endless body":              {fault: emulator.Fault{Kind: emulator.FaultEndlessBody}, want: badResponse},
		"limit":                     {fault: emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Minute}, want: writeResult{Code: "RATE_LIMITED", Retryable: true, RetryAfter: time.Minute, Sent: 1}},
		"limit without Retry-After": {fault: emulator.Fault{Kind: emulator.FaultRateLimitNoWait}, want: writeResult{Code: "RATE_LIMITED", Retryable: true, RetryAfter: firstPause, Sent: 1}},
		"301":                       {transport: rawResponse("HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere/\r\n\r\n"), want: writeResult{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Duration: latency}},
		"204":                       {transport: rawResponse("HTTP/1.1 204 No Content\r\n\r\n"), want: writeResult{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Duration: latency}},
		"200 with null":             {transport: rawResponse("HTTP/1.1 200 OK\r\n\r\nnull"), want: writeResult{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Duration: latency}},
		"no response":               {transport: rawResponse(""), want: writeResult{Code: "UPSTREAM_UNAVAILABLE", Retryable: true, RetryAfter: failureWait, Sent: 1, Duration: latency}},
		"DNS failure": { // the call was not sent, so it can be repeated
			transport: func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
			},
			want: writeResult{Code: "UPSTREAM_UNAVAILABLE", Retryable: true, RetryAfter: failureWait, Sent: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{writable: true, config: config.Serve{RequestTimeout: requestTimeout, UpstreamRetries: 2}})
				next := s.recorder.next
				s.recorder.next = roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if test.transport != nil && r.Method == http.MethodPost {
						return test.transport(r)
					}
					return next.RoundTrip(r)
				})
				if test.fault.Kind != "" {
					test.fault.Match = "POST *"
					if err := s.emulator.Fail(test.fault); err != nil {
						t.Fatal(err)
					}
				}
				following := func() bool {
					var data struct {
						User struct{ ViewerIsFollowing bool }
					}
					if errs := s.execute(t, "demo-token", `{ user(username: "spartacus") { viewerIsFollowing } }`, nil).decode(t, &data); len(errs) > 0 {
						t.Fatalf("errors = %+v, want none", errs)
					}
					return data.User.ViewerIsFollowing
				}
				following()
				s.takeCalls()
				began := time.Now()
				written := s.execute(t, "demo-token", follow, nil)
				got := writeResult{Duration: time.Since(began)}
				var data struct {
					FollowUser *struct {
						UserErrors []struct{ Code string }
						Viewer     *struct{ Username string }
					}
				}
				for _, e := range written.decode(t, &data) {
					if d := cmp.Diff([]any{"followUser"}, e.Path); d != "" {
						t.Errorf("path of the error differs (-want +got): %s", d)
					}
					wait, _ := e.Extensions["retryAfterMs"].(float64)
					got.Code, got.Retryable, got.RetryAfter = e.code(), e.Extensions["retryable"] == true, time.Duration(wait)*time.Millisecond
				}
				if p := data.FollowUser; p != nil {
					got.Other = p.Viewer != nil && p.Viewer.Username == "demo"
					for _, e := range p.UserErrors {
						got.UserError = e.Code
					}
				}
				for _, call := range s.takeCalls() {
					if strings.HasPrefix(call, "POST ") {
						got.Sent++
					}
				}
				if d := cmp.Diff(test.want, got); d != "" {
					t.Errorf("result differs (-want +got):\n%s\n%s", d, written.body)
				}
				// The server must read from Mixcloud, not from the cache, whether the action had an effect.
				time.Sleep(2 * time.Minute)
				var reply struct {
					Following bool `json:"following"`
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, mixcloudURL+"/spartacus/?access_token=demo-token", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := s.emulator.Transport().RoundTrip(r)
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
					t.Fatal(err)
				}
				if got := following(); got != reply.Following {
					t.Errorf("viewerIsFollowing = %t, want %t as in the emulator", got, reply.Following)
				}
			})
		})
	}
}
