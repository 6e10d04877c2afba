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

// TestFaults_SeenBefore lets every field meet every fault when it has been seen
// hours ago: the whole answer is as it was, with a note at the field's place.
func TestFaults_SeenBefore(t *testing.T) {
	t.Parallel()
	sharedWorld()
	for _, kind := range emulator.FaultKinds() {
		if faults[kind].code == "" {
			continue
		}
		for _, v := range victims {
			t.Run(string(kind)+"/"+v.name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := newTestServer(t, serverOptions{config: config.Serve{RequestTimeout: deadline}})
					before := dataOf(t, s.execute(t, "", v.query, nil), 0)
					time.Sleep(23 * time.Hour)
					if err := s.emulator.Fail(emulator.Fault{Match: v.match, Kind: kind, RetryAfter: time.Minute, Delay: faultDelay(kind)}); err != nil {
						t.Fatal(err)
					}
					s.takeCalls()
					began := time.Now()
					resp := s.execute(t, "", v.query, nil)
					if took := time.Since(began); took > time.Second {
						t.Errorf("took %v", took)
					}
					if d := cmp.Diff(before, dataOf(t, resp, 0)); d != "" {
						t.Errorf("the answer is another one: %s", d)
					}
					told := slices.ContainsFunc(freshnessOf(t, resp), func(n freshNote) bool {
						return n.Stale && n.AgeMs >= (23*time.Hour).Milliseconds() && strings.HasPrefix(dotted(v.path), dotted(n.Path))
					})
					if !told {
						t.Errorf("%s is not among what is not fresh: %+v", dotted(v.path), freshnessOf(t, resp))
					}
				})
			})
		}
	}
}

// dataOf is the data of an answer that has so many errors.
func dataOf(t *testing.T, resp response, errs int) (data map[string]any) {
	t.Helper()
	if got := resp.decode(t, &data); resp.status != http.StatusOK || len(got) != errs {
		t.Fatalf("status = %d, want 200, %d errors, want %d: %s", resp.status, len(got), errs, resp.body)
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
	sharedWorld()
	const query = `{ popular(first: 12) { nodes { key name picturePrimaryColor user { key name biog city } } } }`
	for _, kind := range emulator.FaultKinds() {
		want := faults[kind]
		if want.code == "" || want.code == "RATE_LIMITED" { // which is everybody's
			continue
		}
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				whole := dataOf(t, newTestServer(t, serverOptions{}).execute(t, "", query, nil), 0)
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
				s := newTestServer(t, serverOptions{config: config.Serve{RequestTimeout: deadline}})
				if err := s.emulator.Fail(emulator.Fault{Match: struck, Kind: kind, Delay: faultDelay(kind), RetryAfter: 90 * time.Second}); err != nil {
					t.Fatal(err)
				}
				resp := s.execute(t, "", query, nil)
				if d := cmp.Diff(whole, dataOf(t, resp, len(wanted))); d != "" {
					t.Errorf("data: %s", d)
				}
				got := map[string]string{}
				for _, e := range resp.decode(t, nil) {
					got[dotted(e.Path)] = e.code()
				}
				if d := cmp.Diff(wanted, got); d != "" {
					t.Errorf("errors: %s", d)
				}
				calls := s.takeCalls()
				if n := len(slices.DeleteFunc(calls, func(c string) bool { return c != "GET "+struck })); n != 1 {
					t.Errorf("%d calls for what failed, want one", n)
				}
			})
		})
	}
}

// TestFaults_CutAnywhere ends an answer behind each of its bytes: when the
// connection breaks that is Mixcloud's absence, when half comes as if it were all
// it is nonsense, and never is half of it shown.
func TestFaults_CutAnywhere(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		f := newFaulty(t)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, mixcloudURL+disturbed, nil)
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
				f.setWire(answering(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", test.declared(cut), whole[:cut])))
				if got := f.ask(t, ""); got.Code != test.code || got.Data != "" {
					t.Fatalf("behind %d bytes of %d: %+v", cut, test.declared(cut), got)
				}
				time.Sleep(time.Minute) // for breakers
			}
		}
		f.setWire(answering(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(whole), whole)))
		if d := cmp.Diff(anew, f.ask(t, "")); d != "" {
			t.Errorf("whole: %s", d)
		}
	})
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
	unavailable := seen{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Wait: moment, Sent: 1}
	nonsense := seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1}
	timeout := seen{Code: "UPSTREAM_TIMEOUT", Retry: true, Wait: moment, Sent: 1, Took: deadline}
	for name, test := range map[string]struct {
		fault emulator.Fault
		wire  roundTripFunc
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
		"200 with an error":    {fault: emulator.Fault{Kind: emulator.FaultError200}, want: seen{User: "REFUSED", Sent: 1, Beside: true}},
		"success: false":       {fault: emulator.Fault{Kind: emulator.FaultSuccessFalse}, want: seen{User: "REFUSED", Sent: 1, Beside: true}},
		"endless body":         {fault: emulator.Fault{Kind: emulator.FaultEndlessBody}, want: nonsense},
		"limit":                {fault: emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: time.Minute}, want: seen{Code: "RATE_LIMITED", Retry: true, Wait: time.Minute, Sent: 1}},
		"limit without a wait": {fault: emulator.Fault{Kind: emulator.FaultRateLimitNoWait}, want: seen{Code: "RATE_LIMITED", Retry: true, Wait: firstPause, Sent: 1}},
		"301":                  {wire: answering("HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere/\r\n\r\n"), want: seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Took: lag}},
		"204":                  {wire: answering("HTTP/1.1 204 No Content\r\n\r\n"), want: seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Took: lag}},
		"200 with null":        {wire: answering("HTTP/1.1 200 OK\r\n\r\nnull"), want: seen{Code: "UPSTREAM_BAD_RESPONSE", Sent: 1, Took: lag}},
		"no answer":            {wire: answering(""), want: seen{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Wait: moment, Sent: 1, Took: lag}},
		"DNS failure": { // it cannot have been done
			wire: func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", IsNotFound: true}}
			},
			want: seen{Code: "UPSTREAM_UNAVAILABLE", Retry: true, Wait: moment, Sent: 2},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newTestServer(t, serverOptions{writable: true, config: config.Serve{RequestTimeout: deadline, UpstreamRetries: 2}})
				next := s.recorder.next
				s.recorder.next = roundTripFunc(func(r *http.Request) (*http.Response, error) {
					if test.wire != nil && r.Method == http.MethodPost {
						return test.wire(r)
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
						t.Fatalf("%+v", errs)
					}
					return data.User.ViewerIsFollowing
				}
				following()
				s.takeCalls()
				began := time.Now()
				a := s.execute(t, "demo-token", one, nil)
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
				for _, call := range s.takeCalls() {
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
				resp, err := s.emulator.Transport().RoundTrip(r)
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
