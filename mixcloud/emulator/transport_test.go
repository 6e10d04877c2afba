package emulator_test

import (
	"bytes"
	"context"
	"errors"
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

// A reply is what a client makes of an answer.
type reply struct {
	status int
	header http.Header
	body   string
	err    error // of the request or of the body
}

// ask reads at most most bytes.
func ask(client *http.Client, url string, most int64) reply {
	res, err := client.Get(url)
	if err != nil {
		return reply{err: err}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, most))
	return reply{res.StatusCode, res.Header, string(body), err}
}

const enough = 1 << 20

// Each fault, seen by a client over a socket and over the transport.
func TestFaults(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	const path = "/demo/cloudcasts/?limit=5"
	whole := get(t, e, path).Body.String()
	whole = strings.ReplaceAll(whole, host, "BASE")
	for _, tt := range []struct {
		fault emulator.Fault
		check func(reply) string // says what is wrong
	}{
		{emulator.Fault{Kind: emulator.FaultRateLimit, RetryAfter: 452 * time.Second}, func(r reply) string {
			return unless(r.status == 403 && r.header.Get("Retry-After") == "452", r) +
				cmp.Diff(recorded(t, "error_rate_limit_403.json"), object(t, []byte(r.body)))
		}},
		{emulator.Fault{Kind: emulator.FaultRateLimitNoWait}, func(r reply) string {
			return unless(r.status == 403 && r.header.Get("Retry-After") == "" && strings.Contains(r.body, "RateLimitException") && !strings.Contains(r.body, "retry_after"), r)
		}},
		{emulator.Fault{Kind: emulator.FaultHTML403}, isHTML(403)},
		{emulator.Fault{Kind: emulator.FaultHTML413}, isHTML(413)},
		{emulator.Fault{Kind: emulator.FaultHTML502}, isHTML(502)},
		{emulator.Fault{Kind: emulator.FaultHTML503, RetryAfter: 7 * time.Second}, func(r reply) string {
			return isHTML(503)(r) + unless(r.header.Get("Retry-After") == "7", r)
		}},
		{emulator.Fault{Kind: emulator.FaultError500}, func(r reply) string { return unless(r.status == 500 && r.body == "", r) }},
		{emulator.Fault{Kind: emulator.FaultSlowHeaders, Delay: time.Millisecond}, isWhole(whole)},
		{emulator.Fault{Kind: emulator.FaultSlowBody, Delay: time.Millisecond}, isWhole(whole)},
		{emulator.Fault{Kind: emulator.FaultTruncatedBody}, func(r reply) string {
			return unless(errors.Is(r.err, io.ErrUnexpectedEOF) && r.status == 200 && startsLike(whole, r.body), r)
		}},
		{emulator.Fault{Kind: emulator.FaultTruncatedJSON}, func(r reply) string {
			return unless(r.err == nil && r.status == 200 && len(r.body) < len(whole) && startsLike(whole, r.body), r)
		}},
		{emulator.Fault{Kind: emulator.FaultEndlessBody}, func(r reply) string { return unless(r.status == 200 && len(r.body) == enough, r) }},
		{emulator.Fault{Kind: emulator.FaultReset}, func(r reply) string { return unless(errors.Is(r.err, syscall.ECONNRESET), r) }},
		{emulator.Fault{Kind: emulator.FaultError200}, func(r reply) string {
			return unless(r.status == 200 && strings.HasPrefix(r.body, "{\n    \"error\""), r)
		}},
		{emulator.Fault{Kind: emulator.FaultSuccessFalse}, func(r reply) string {
			return unless(r.status == 200 && strings.Contains(r.body, `"success": false`), r)
		}},
		{emulator.Fault{Kind: emulator.FaultContentType}, func(r reply) string {
			return isWhole(whole)(r) + unless(strings.HasPrefix(r.header.Get("Content-Type"), "text/html"), r)
		}},
		{emulator.Fault{Kind: emulator.FaultEmptyPage}, func(r reply) string {
			return unless(r.status == 200 && strings.Contains(r.body, `"data": []`) && strings.Contains(r.body, "limit=5&until="), r)
		}},
		{emulator.Fault{Kind: emulator.FaultRepeatedPage}, func(r reply) string {
			return unless(r.status == 200 && strings.Contains(r.body, `cloudcasts/?limit=5"`), r)
		}},
		{emulator.Fault{Kind: emulator.FaultNotJSON}, func(r reply) string { return unless(r.status == 200 && !strings.HasPrefix(r.body, "{"), r) }},
	} {
		t.Run(string(tt.fault.Kind), func(t *testing.T) {
			srv := httptest.NewServer(e)
			defer srv.Close()
			tt.fault.Times = 1
			for name, client := range map[string]*http.Client{"socket": srv.Client(), "transport": {Transport: e.Transport()}} {
				if err := e.Fail(tt.fault); err != nil {
					t.Fatal(err)
				}
				r := ask(client, srv.URL+path, enough)
				r.body = strings.ReplaceAll(r.body, srv.URL, "BASE")
				if wrong := tt.check(r); wrong != "" {
					t.Errorf("over the %s: %s", name, wrong)
				}
				if r := ask(client, srv.URL+path, enough); isWhole(whole)(reply{r.status, r.header, strings.ReplaceAll(r.body, srv.URL, "BASE"), r.err}) != "" {
					t.Errorf("over the %s: the request after it is disturbed too", name)
				}
			}
		})
	}
}

// startsLike says whether a piece of a body is there, and is like the whole. The
// rest differs in the length of the base.
func startsLike(whole, piece string) bool {
	return len(piece) > 50 && strings.HasPrefix(whole, piece[:50])
}

func unless(ok bool, r reply) string {
	if ok {
		return ""
	}
	return "wrong: " + http.StatusText(r.status) + " " + r.body[:min(len(r.body), 300)] + " " + errText(r.err)
}

func errText(err error) string {
	if err == nil {
		return "without an error"
	}
	return err.Error()
}

func isHTML(status int) func(reply) string {
	return func(r reply) string {
		return unless(r.status == status && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") && strings.HasPrefix(r.body, "<html>"), r)
	}
}

func isWhole(whole string) func(reply) string {
	return func(r reply) string { return unless(r.status == 200 && r.err == nil && r.body == whole, r) }
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
			e := fresh(t)
			if err := e.Fail(emulator.Fault{Match: pattern, Kind: emulator.FaultError500}); err != nil {
				t.Fatal(err)
			}
			if got := get(t, e, path).Code == http.StatusInternalServerError; got != hit {
				t.Errorf("%q on %s: %t, want %t", pattern, path, got, hit)
			}
		}
	}
}

// Faults come in the order in which they were added, each as often as it said.
func TestFaults_order(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	for _, f := range []emulator.Fault{
		{Match: "/demo/", Kind: emulator.FaultHTML502, Times: 2},
		{Match: "/demo/", Kind: emulator.FaultEmptyPage, Times: 1}, // not a list: never
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
			t.Errorf("no error for %+v", f)
		}
	}
}

// Time over the transport is the bubble's: nobody waits.
func TestTransport_time(t *testing.T) {
	t.Parallel()
	e := fresh(t)
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
			if r := ask(client, host+path, enough); r.status != 200 || r.err != nil {
				t.Errorf("%s: status %d, %v", path, r.status, r.err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("%s took %v, want %v", path, took, want)
			}
		}
	})
}

// A context ends a request while it waits for headers, and while it reads.
func TestTransport_cancel(t *testing.T) {
	t.Parallel()
	e := fresh(t)
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
				t.Errorf("%s: %v, want the deadline's error", path, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) { // closing early leaves nothing behind
		res, err := (&http.Client{Transport: e.Transport()}).Get(host + "/new/")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(io.Discard, res.Body, 1000); err != nil {
			t.Error(err)
		}
		res.Body.Close()
		if _, err := res.Body.Read(make([]byte, 1)); err == nil {
			t.Error("a closed body can be read")
		}
	})
}

// A transport's request is the handler's: with its host, scheme and body.
func TestTransport_asServed(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(shared())
	defer srv.Close()
	for _, path := range []string{"/demo/?metadata=1", "/nobody/", "/demo/cloudcasts/?limit=2", "/spartacus/party-time/embed-html/", "/%CE%BD%CF%85%CF%87%CF%84%CE%B5%CF%81%CE%B9%CE%BD%CF%8C-%CF%84%CF%81%CE%B1%CE%BC/"} {
		over, direct := ask(srv.Client(), srv.URL+path, enough), ask(&http.Client{Transport: shared().Transport()}, srv.URL+path, enough)
		for _, name := range []string{"X-Request-Id", "Date"} {
			over.header.Del(name)
			direct.header.Del(name)
		}
		if diff := cmp.Diff(over, direct, cmp.AllowUnexported(reply{})); diff != "" {
			t.Errorf("%s (-socket +transport):\n%s", path, diff)
		}
	}
	body := &closed{Reader: strings.NewReader("name=x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/demo/", body)
	if err != nil {
		t.Fatal(err)
	}
	res, err := shared().Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed || !body.closed {
		t.Errorf("status %d; body closed: %t", res.StatusCode, body.closed)
	}
}

type closed struct {
	io.Reader
	closed bool
}

func (c *closed) Close() error {
	c.closed = true
	return nil
}

// The limit counts all callers, and names the wait.
func TestLimitPerSecond(t *testing.T) {
	t.Parallel()
	e := fresh(t, emulator.WithSettings(emulator.Settings{Limit: 3}))
	synctest.Test(t, func(t *testing.T) {
		e.Reset()
		for second := range 3 {
			var got []int
			for range 5 {
				got = append(got, get(t, e, "/demo/").Code)
			}
			if diff := cmp.Diff([]int{200, 200, 200, 403, 403}, got); diff != "" {
				t.Errorf("second %d (-want +got):\n%s", second, diff)
			}
			w := get(t, e, "/popular/?callback=f")
			if w.Header().Get("Retry-After") != "1" || !strings.HasPrefix(w.Body.String(), "f({") || !bytes.Contains(w.Body.Bytes(), []byte(`"retry_after": 1`)) {
				t.Errorf("the answer is %v %s", w.Header(), w.Body)
			}
			time.Sleep(time.Second)
		}
	})
}

// Everything at once, for the race detector.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	e := fresh(t)
	client := &http.Client{Transport: e.Transport()}
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			for _, path := range []string{
				"/popular/", "/genres/funk/hot/", "/search/?q=night&type=cloudcast", "/me/feed/" + token, "/demo/?metadata=1", "/www/demo/",
			} {
				if r := ask(client, host+path, enough); r.err != nil || r.status != http.StatusOK && r.status != http.StatusBadGateway {
					t.Errorf("%s: status %d, %v", path, r.status, r.err)
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
