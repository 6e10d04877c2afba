package emulator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
)

// A fetchResult is the result of a client's request.
type fetchResult struct {
	status int
	header http.Header
	body   string
	err    error // of the request or of the body
}

// fetch sends a request and reads at most limit bytes of the response.
func fetch(client *http.Client, url string, limit int64) fetchResult {
	res, err := client.Get(url)
	if err != nil {
		return fetchResult{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit))
	return fetchResult{res.StatusCode, res.Header, string(body), err}
}

const maxBody = 1 << 20

// TestFaults checks the effect of each fault on a client, over a socket and over the
// transport.
func TestFaults(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	const path = "/demo/cloudcasts/?limit=5"
	whole := get(t, e, path).Body.String()
	whole = strings.ReplaceAll(whole, host, "BASE")
	for _, tt := range []struct {
		fault emulator.Fault
		check func(fetchResult) string // returns an error message
	}{
		{emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second}, func(r fetchResult) string {
			return describeUnless(r.status == 403 && r.header.Get("Retry-After") == "452", r) +
				cmp.Diff(recorded(t, "error_rate_limit_403.json"), object(t, []byte(r.body)))
		}},
		{emulator.Fault{Kind: emulator.FaultRateLimitNoWait}, func(r fetchResult) string {
			return describeUnless(r.status == 403 && r.header.Get("Retry-After") == "" && strings.Contains(r.body, "RateLimitException") && !strings.Contains(r.body, "retry_after"), r)
		}},
		{emulator.Fault{Kind: emulator.FaultHTML403}, isHTML(403)},
		{emulator.Fault{Kind: emulator.FaultHTML413}, isHTML(413)},
		{emulator.Fault{Kind: emulator.FaultHTML502}, isHTML(502)},
		{emulator.Fault{Kind: emulator.FaultHTML503, RetryAfter: 7 * time.Second}, func(r fetchResult) string {
			return isHTML(503)(r) + describeUnless(r.header.Get("Retry-After") == "7", r)
		}},
		{emulator.Fault{Kind: emulator.FaultError500}, func(r fetchResult) string { return describeUnless(r.status == 500 && r.body == "", r) }},
		{emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Millisecond}, isWhole(whole)},
		{emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Millisecond}, isWhole(whole)},
		{emulator.Fault{Kind: emulator.FaultTruncatedBody}, func(r fetchResult) string {
			return describeUnless(errors.Is(r.err, io.ErrUnexpectedEOF) && r.status == 200 && similarStart(whole, r.body), r)
		}},
		{emulator.Fault{Kind: emulator.FaultTruncatedJSON}, func(r fetchResult) string {
			return describeUnless(r.err == nil && r.status == 200 && len(r.body) < len(whole) && similarStart(whole, r.body), r)
		}},
		{emulator.Fault{Kind: emulator.FaultEndlessBody}, func(r fetchResult) string { return describeUnless(r.status == 200 && len(r.body) == maxBody, r) }},
		{emulator.Fault{Kind: emulator.FaultReset}, func(r fetchResult) string { return describeUnless(errors.Is(r.err, syscall.ECONNRESET), r) }},
		{emulator.Fault{Kind: emulator.FaultError200}, func(r fetchResult) string {
			return describeUnless(r.status == 200 && strings.HasPrefix(r.body, "{\n    \"error\""), r)
		}},
		{emulator.Fault{Kind: emulator.FaultSuccessFalse}, func(r fetchResult) string {
			return describeUnless(r.status == 200 && strings.Contains(r.body, `"success": false`), r)
		}},
		{emulator.Fault{Kind: emulator.FaultContentType}, func(r fetchResult) string {
			return isWhole(whole)(r) + describeUnless(strings.HasPrefix(r.header.Get("Content-Type"), "text/html"), r)
		}},
		{emulator.Fault{Kind: emulator.FaultEmptyPage}, func(r fetchResult) string {
			return describeUnless(r.status == 200 && strings.Contains(r.body, `"data": []`) && strings.Contains(r.body, "limit=5&until="), r)
		}},
		{emulator.Fault{Kind: emulator.FaultRepeatedPage}, func(r fetchResult) string {
			return describeUnless(r.status == 200 && strings.Contains(r.body, `cloudcasts/?limit=5"`), r)
		}},
		{emulator.Fault{Kind: emulator.FaultNotJSON}, func(r fetchResult) string {
			return describeUnless(r.status == 200 && !strings.HasPrefix(r.body, "{"), r)
		}},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			srv := httptest.NewServer(e)
			defer srv.Close()
			tt.fault.Times = 1
			for name, client := range map[string]*http.Client{"socket": srv.Client(), "transport": {Transport: e.Transport()}} {
				if err := e.Fail(tt.fault); err != nil {
					t.Fatal(err)
				}
				r := fetch(client, srv.URL+path, maxBody)
				r.body = strings.ReplaceAll(r.body, srv.URL, "BASE")
				if problem := tt.check(r); problem != "" {
					t.Errorf("over the %s: %s", name, problem)
				}
				if r := fetch(client, srv.URL+path, maxBody); isWhole(whole)(fetchResult{r.status, r.header, strings.ReplaceAll(r.body, srv.URL, "BASE"), r.err}) != "" {
					t.Errorf("over the %s: the second response is not the whole body, want the fault to apply once", name)
				}
			}
		})
	}
}

// similarStart reports whether a part of a body is not empty and starts like the whole
// body. The rest can differ, because base URLs have different lengths.
func similarStart(whole, piece string) bool {
	return len(piece) > 50 && strings.HasPrefix(whole, piece[:50])
}

// describeUnless returns a description of a response unless it is the expected one.
func describeUnless(ok bool, r fetchResult) string {
	if ok {
		return ""
	}
	return fmt.Sprintf("unexpected response for the fault: status %d, error %v, body %.300s", r.status, r.err, r.body)
}

func isHTML(status int) func(fetchResult) string {
	return func(r fetchResult) string {
		return describeUnless(r.status == status && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") && strings.HasPrefix(r.body, "<html>"), r)
	}
}

func isWhole(whole string) func(fetchResult) string {
	return func(r fetchResult) string {
		return describeUnless(r.status == 200 && r.err == nil && r.body == whole, r)
	}
}

func TestFaults_match(t *testing.T) {
	t.Parallel()
	for pattern, want := range map[string]map[string]bool{
		"":                 {"/demo/": true, "/popular/": true, "/www/oembed/": true},
		"*":                {"/demo/": true},
		"/demo/":           {"/demo/": true, "/demo/cloudcasts/": false, "/spartacus/": false},
		"/demo/*":          {"/demo/": true, "/demo/cloudcasts/": true, "/spartacus/": false},
		"/*/cloudcasts/":   {"/demo/cloudcasts/": true, "/demo/": false, "/demo/playlists/x/cloudcasts/": true},
		"GET /demo/":       {"/demo/": true},
		"POST *":           {"/demo/": false},
		"/demo/*s/*/*end/": {"/demo/x/": false},
	} {
		for path, hit := range want {
			e := newEmulator(t)
			if err := e.Fail(emulator.Fault{Match: pattern, Kind: emulator.FaultError500}); err != nil {
				t.Fatal(err)
			}
			if got := get(t, e, path).Code == http.StatusInternalServerError; got != hit {
				t.Errorf("a fault with Match %q applies to GET %s: %t, want %t", pattern, path, got, hit)
			}
		}
	}
}

// TestFaults_order checks that faults apply in the order in which they were added, each
// for its number of times.
func TestFaults_order(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	for _, f := range []emulator.Fault{
		{Match: "/demo/", Kind: emulator.FaultHTML502, Times: 2},
		{Match: "/demo/", Kind: emulator.FaultEmptyPage, Times: 1}, // not a list: does not apply
		{Match: "/*", Kind: emulator.FaultHTML503, Times: 1},
	} {
		if err := e.Fail(f); err != nil {
			t.Fatal(err)
		}
	}
	var got []int
	for range 4 {
		got = append(got, get(t, e, "/demo/").Code)
	}
	if diff := cmp.Diff([]int{502, 502, 503, 200}, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	for _, f := range []emulator.Fault{{Kind: "nonsense"}, {Kind: emulator.FaultReset, Times: -1}, {Kind: emulator.FaultReset, Delay: -1}} {
		if e.Fail(f) == nil {
			t.Errorf("Fail(%+v) returned no error, want one", f)
		}
	}
}

// TestTransport_time checks that the transport uses the fake time of a synctest bubble.
func TestTransport_time(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	synctest.Test(t, func(t *testing.T) {
		client := &http.Client{Transport: e.Transport()}
		if err := e.Set(emulator.Settings{Latency: time.Minute}); err != nil {
			t.Fatal(err)
		}
		for _, f := range []emulator.Fault{
			{Match: "/spartacus/", Kind: emulator.FaultSlowBody, Delay: time.Hour},
			{Match: "/popular/", Kind: emulator.FaultSlowHeaders, Delay: time.Hour},
		} {
			if err := e.Fail(f); err != nil {
				t.Fatal(err)
			}
		}
		for path, want := range map[string]time.Duration{
			"/demo/":      time.Minute,
			"/spartacus/": time.Hour + time.Minute,
			"/popular/":   time.Hour + time.Minute,
		} {
			began := time.Now()
			if r := fetch(client, host+path, maxBody); r.status != 200 || r.err != nil {
				t.Errorf("GET %s: status %d, error %v; want 200, nil", path, r.status, r.err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%s took %v, want %v", path, took, want)
			}
		}
	})
}

// TestTransport_cancel checks that a canceled context ends a request that waits for
// headers or reads the body.
func TestTransport_cancel(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	for _, f := range []emulator.Fault{
		{Match: "/spartacus/", Kind: emulator.FaultSlowBody, Delay: time.Hour},
		{Match: "/popular/", Kind: emulator.FaultSlowHeaders, Delay: time.Hour},
		{Match: "/new/", Kind: emulator.FaultEndlessBody},
		{Match: "/demo/", Kind: emulator.FaultEndlessBody, Delay: time.Minute},
	} {
		if err := e.Fail(f); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/spartacus/", "/popular/", "/demo/"} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, host+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := e.Transport().RoundTrip(req)
			if err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				res.Body.Close()
			}
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("GET %s: error %v, want %v", path, err, context.DeadlineExceeded)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // an early Close leaks no goroutine
		res, err := (&http.Client{Transport: e.Transport()}).Get(host + "/new/")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, res.Body, 1000); err != nil {
			t.Error(err)
		}
		res.Body.Close()
		if _, err := res.Body.Read(make([]byte, 1)); err == nil {
			t.Error("Read after Close returned no error, want one")
		}
	})
}

// TestTransport_sameAsSocket checks that the handler gets the host, the scheme and the
// body of the transport's request.
func TestTransport_sameAsSocket(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(sharedEmulator())
	defer srv.Close()
	for _, path := range []string{"/demo/?metadata=1", "/no-such-user/", "/demo/cloudcasts/?limit=2", "/spartacus/party-time/embed-html/", "/%CE%BD%CF%85%CF%87%CF%84%CE%B5%CF%81%CE%B9%CE%BD%CF%8C-%CF%84%CF%81%CE%B1%CE%BC/"} {
		over, direct := fetch(srv.Client(), srv.URL+path, maxBody), fetch(&http.Client{Transport: sharedEmulator().Transport()}, srv.URL+path, maxBody)
		for _, name := range []string{"X-Request-Id", "Date"} {
			over.header.Del(name)
			direct.header.Del(name)
		}
		if diff := cmp.Diff(over, direct, cmp.AllowUnexported(fetchResult{})); diff != "" {
			t.Errorf("%s (-socket +transport):\n%s", path, diff)
		}
	}
	body := &closeRecorder{Reader: strings.NewReader("name=x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/demo/", body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := sharedEmulator().Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || !body.closed {
		t.Errorf("status %d, request body closed: %t; want 405, true", res.StatusCode, body.closed)
	}
}

type closeRecorder struct {
	io.Reader
	closed bool
}

func (c *closeRecorder) Close() error {
	c.closed = true
	return nil
}

// TestLimitPerSecond checks that all clients share the limit, and that the error
// contains Retry-After.
func TestLimitPerSecond(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, emulator.WithSettings(emulator.Settings{Limit: 3}))
	synctest.Test(t, func(t *testing.T) {
		e.Reset()
		for second := range 3 {
			var got []int
			for range 5 {
				got = append(got, get(t, e, "/demo/").Code)
			}
			if diff := cmp.Diff([]int{200, 200, 200, 403, 403}, got); diff != "" {
				t.Errorf("statuses in second %d (-want +got):\n%s", second, diff)
			}
			w := get(t, e, "/popular/?callback=f")
			if w.Header().Get("Retry-After") != "1" || !strings.HasPrefix(w.Body.String(), "f({") || !bytes.Contains(w.Body.Bytes(), []byte(`"retry_after": 1`)) {
				t.Errorf("rate limit error: headers %v, body %s; want Retry-After 1, retry_after 1 and the callback", w.Header(), w.Body)
			}
			time.Sleep(time.Second)
		}
	})
}

// TestConcurrent uses all parts of the emulator concurrently, for the race detector.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	client := &http.Client{Transport: e.Transport()}
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			for _, path := range []string{
				"/popular/", "/genres/funk/hot/", "/search/?q=night&type=cloudcast", "/me/feed/" + token, "/demo/?metadata=1", "/www/demo/",
			} {
				if r := fetch(client, host+path, maxBody); r.err != nil || r.status != http.StatusOK && r.status != http.StatusBadGateway {
					t.Errorf("GET %s: status %d, error %v; want 200 or 502, nil", path, r.status, r.err)
				}
			}
			switch i % 4 {
			case 0:
				e.Reset()
			case 1:
				_ = e.Fail(emulator.Fault{Kind: emulator.FaultHTML502, Times: 2})
			case 2:
				_ = e.Set(emulator.Settings{PageCap: 1 + i})
			default:
				_ = e.Requests()
			}
		})
	}
	g.Wait()
}
