package emulator_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/mixcloud/emulator"
)

// writeControl sends a request to the control API from a loopback address.
func writeControl(h http.Handler, method, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://127.0.0.1:8081/__emulator/"+path, strings.NewReader(body))
	r.RemoteAddr = "127.0.0.1:50000"
	return do(h, r)
}

func TestControl_requests(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	for _, path := range []string{
		"/demo/?access_token=demo-token", "/demo/cloudcasts/?limit=2&access%5Ftoken=demo-token&metadata=1", "/no-such-user/", "/spartacus?a=b",
		"/%CE%BD/", "/www/oembed/?url=x", "/www/demo/", "/www/unsafe/10x10/profile/a", "/__emulator/settings",
	} {
		get(t, e, path)
	}
	do(e, httptest.NewRequest(http.MethodPost, "/demo/?access_token=demo-token", nil))
	want := []emulator.Request{
		{Method: "GET", Path: "/demo/", Query: "", Status: 200},
		{Method: "GET", Path: "/demo/cloudcasts/", Query: "limit=2&metadata=1", Status: 200},
		{Method: "GET", Path: "/no-such-user/", Query: "", Status: 404},
		{Method: "GET", Path: "/spartacus", Query: "a=b", Status: 301},
		{Method: "GET", Path: "/%CE%BD/", Query: "", Status: 404},
		{Method: "GET", Path: "/www/oembed/", Query: "url=x", Status: 404},
		{Method: "POST", Path: "/demo/", Query: "", Status: 405},
	}
	if diff := cmp.Diff(want, e.Requests()); diff != "" {
		t.Errorf("journal (-want +got):\n%s", diff)
	}
	var got []emulator.Request
	if err := json.Unmarshal(writeControl(e, http.MethodGet, "requests", "").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("journal in JSON (-want +got):\n%s", diff)
	}
	var raw []map[string]any
	if err := json.Unmarshal(writeControl(e, http.MethodGet, "requests", "").Body.Bytes(), &raw); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"method": "GET", "path": "/demo/", "query": "", "status": 200.0}, raw[0]); diff != "" {
		t.Errorf("first entry of the journal in JSON (-want +got):\n%s", diff)
	}
	if w := writeControl(e, http.MethodDelete, "requests", ""); w.Code != http.StatusOK {
		t.Errorf("DELETE requests: status %d, want 200", w.Code)
	}
	if w := writeControl(e, http.MethodGet, "requests", ""); strings.TrimSpace(w.Body.String()) != "[]" {
		t.Errorf("requests after DELETE: %s, want []", w.Body)
	}
}

// TestRequests_bound checks that the journal has the last 100,000 requests.
func TestRequests_bound(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	const more = 100_003
	for range 3 {
		get(t, e, "/no-such-user/")
	}
	r := httptest.NewRequest(http.MethodPut, "/demo/", nil)
	for range more - 3 {
		e.ServeHTTP(discardResponse{}, r)
	}
	list := e.Requests()
	if len(list) != 100_000 || list[0].Method != http.MethodPut {
		t.Errorf("the journal has %d requests, the oldest %v; want 100000, the oldest a PUT", len(list), list[0])
	}
}

type discardResponse struct{}

func (discardResponse) Header() http.Header         { return http.Header{} }
func (discardResponse) Write(p []byte) (int, error) { return len(p), nil }
func (discardResponse) WriteHeader(int)             {}

func TestControl_settings(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, emulator.WithLatency(time.Millisecond))
	defaults := map[string]any{"latency": "1ms", "lag": "0s", "limit": 0.0, "pageCap": 100.0, "sinceOrder": "nearest", "readRate": 0.0, "marks": false}
	if diff := cmp.Diff(defaults, object(t, writeControl(e, http.MethodGet, "settings", "").Body.Bytes())); diff != "" {
		t.Errorf("GET settings: defaults (-want +got):\n%s", diff)
	}
	for body, want := range map[string]int{
		`{"latency": "20ms", "pageCap": 30}`:                200,
		`{"limit": 5, "lag": "2s", "sinceOrder": "newest"}`: 200,
		`{"latency": 20}`:          400,
		`{"latency": "soon"}`:      400,
		`{"latency": "-1s"}`:       400,
		`{"sinceOrder": "oldest"}`: 400,
		`{"pageCap": -1}`:          400,
		`{"speed": 3}`:             400,
		``:                         400,
	} {
		if w := writeControl(e, http.MethodPost, "settings", body); w.Code != want {
			t.Errorf("POST settings %s: status %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
	want := emulator.Settings{Latency: 20 * time.Millisecond, Lag: 2 * time.Second, Limit: 5, PageCap: 30, SinceOrder: "newest"}
	if diff := cmp.Diff(want, e.Settings()); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}

func TestControl_faultsAndReset(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	for body, want := range map[string]int{
		`{"match": "/demo/", "times": 1, "fault": "rate-limit", "retryAfter": 9, "delay": "1ns"}`: 200,
		`{"fault": "nonsense"}`:                    400,
		`{"fault": "reset", "times": -1}`:          400,
		`{"fault": "reset", "delay": "soon"}`:      400,
		`{"fault": "reset", "retryAfter": "soon"}`: 400,
		`{"fault": "reset", "retryAfter": true}`:   400,
		`{"fault": "reset", "every": 2}`:           400,
		`[]`:                                       400,
	} {
		if w := writeControl(e, http.MethodPost, "faults", body); w.Code != want {
			t.Errorf("POST faults %s: status %d, want %d: %s", body, w.Code, want, w.Body)
		}
	}
	want := `[
  {
    "match": "/demo/",
    "times": 1,
    "fault": "rate-limit",
    "retryAfter": 9,
    "delay": "1ns"
  }
]
`
	if diff := cmp.Diff(want, writeControl(e, http.MethodGet, "faults", "").Body.String()); diff != "" {
		t.Errorf("GET faults (-want +got):\n%s", diff)
	}
	if w := get(t, e, "/demo/"); w.Code != 403 || w.Header().Get("Retry-After") != "9" {
		t.Errorf("GET /demo/: status %d, Retry-After %q; want 403, 9", w.Code, w.Header().Get("Retry-After"))
	}
	writeControl(e, http.MethodPost, "faults", `{"fault": "html-503", "times": 1, "retryAfter": "1m30s"}`)
	if w := get(t, e, "/demo/"); w.Header().Get("Retry-After") != "90" {
		t.Errorf("Retry-After = %q, want 90", w.Header().Get("Retry-After"))
	}
	writeControl(e, http.MethodPost, "faults", `{"fault": "html-502"}`)
	writeControl(e, http.MethodDelete, "faults", "")
	if w := get(t, e, "/demo/"); w.Code != 200 {
		t.Errorf("GET /demo/ after DELETE faults: status %d, want 200", w.Code)
	}
	writeControl(e, http.MethodPost, "faults", `{"fault": "html-502"}`)
	writeControl(e, http.MethodPost, "settings", `{"pageCap": 3}`)
	if w := writeControl(e, http.MethodPost, "reset", ""); w.Code != 200 {
		t.Errorf("POST reset: status %d, want 200", w.Code)
	}
	if got := len(e.Requests()); got != 0 {
		t.Errorf("the journal has %d requests after a reset, want 0", got)
	}
	if n := len(keys(getJSON(t, e, "/demo/cloudcasts/"))); n != 20 {
		t.Errorf("a page has %d items after a reset, want 20", n)
	}
	for path, want := range map[string]string{"GET uploads": "[]\n", "GET nothing": "", "POST requests": "", "PUT settings": ""} {
		method, name, _ := strings.Cut(path, " ")
		w := writeControl(e, method, name, "")
		if want == "" && w.Code != 404 || want != "" && w.Body.String() != want {
			t.Errorf("%s: status %d, body %q; want %q (or status 404, if empty)", path, w.Code, w.Body, want)
		}
	}
}

// TestControl_local checks that the control API accepts only requests from programs on
// this machine.
func TestControl_local(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"program":   {func(*http.Request) {}, 200},
		"IPv6":      {func(r *http.Request) { r.RemoteAddr, r.Host = "[::1]:50000", "[::1]:8081" }, 200},
		"localhost": {func(r *http.Request) { r.Host = "localhost:8081" }, 200},
		"own page": {func(r *http.Request) {
			r.Header.Set("Origin", "http://127.0.0.1:8081")
			r.Header.Set("Sec-Fetch-Site", "same-origin")
		}, 200},
		"other machine": {func(r *http.Request) { r.RemoteAddr = "192.0.2.1:50000" }, 403},
		"no address":    {func(r *http.Request) { r.RemoteAddr = "" }, 403},
		"proxy":         {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "127.0.0.1") }, 403},
		"other name":    {func(r *http.Request) { r.Host = "evil.example" }, 403},
		"other site":    {func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		"other origin":  {func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		"opaque origin": {func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8081/__emulator/settings", nil)
			r.RemoteAddr = "127.0.0.1:50000"
			tt.change(r)
			w := do(sharedEmulator(), r)
			if w.Code != tt.want {
				t.Errorf("status %d, want %d", w.Code, tt.want)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("the response has an Access-Control-Allow-Origin header, want none")
			}
		})
	}
	r := fetch(&http.Client{Transport: sharedEmulator().Transport()}, host+"/__emulator/settings", maxBody)
	if r.status != http.StatusOK {
		t.Errorf("GET settings over the transport: status %d, want 200: %s", r.status, r.body)
	}
}
