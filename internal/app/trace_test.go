package app

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/trace"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/emulator"
)

// tracingServer returns a server that permits traces and whose calls take callLatency.
func tracingServer(t *testing.T, o serverOptions) *testServer {
	t.Helper()
	o.config.Trace = "always"
	o.client = append(o.client, mixcloud.WithMiddleware(trace.Transport))
	o.emulator = append(o.emulator, emulator.WithLatency(callLatency))
	return newTestServer(t, o)
}

// traced executes an operation with the header for a trace.
func (s *testServer) traced(t *testing.T, token, query string, variables map[string]any) (response, *trace.Trace) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GraphQL-Trace", "true")
	resp := s.do(r, token)
	var got struct {
		Extensions struct{ Trace *trace.Trace }
	}
	if err := json.Unmarshal(resp.body, &got); err != nil {
		t.Fatalf("response is not JSON: %v: %s", err, resp.body)
	}
	return resp, got.Extensions.Trace
}

// In synthetic time, a trace contains the exact times of calls: first two parallel calls, because
// the URL of the second does not depend on the response to the first, then cache hits and stale
// reads.
func TestTrace(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := tracingServer(t, serverOptions{})
		defer closeStore(t, s)
		const query = `query ($n: Int) { user(username: "spartacus") { name cloudcasts(first: $n) { nodes { name } } } }`
		resp, got := s.traced(t, "", query, map[string]any{"n": 2})
		if got == nil {
			t.Fatalf("response = %s, want a trace", resp.body)
		}
		want := &trace.Trace{
			Duration: 100,
			Fields: []trace.Field{
				{Path: []any{"user"}, Duration: 100},
				{Path: []any{"user", "cloudcasts"}, Start: 100},
			},
			Calls: []trace.Call{
				{Method: "GET", Path: "/spartacus/", Outcome: trace.Called, Duration: 100, Status: 200},
				{Method: "GET", Path: "/spartacus/cloudcasts/", Parameters: []string{"limit"}, Outcome: trace.LookedAhead, Duration: 100, Status: 200},
			},
		}
		ignoreParameters := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Calls.Parameters" }, cmp.Ignore())
		if diff := cmp.Diff(want, got, ignoreParameters); diff != "" {
			t.Errorf("trace differs (-want +got):\n%s", diff)
		}
		if cache := resp.header.Get("Cache-Control"); cache != "no-store" {
			t.Errorf("Cache-Control = %q, want no-store", cache)
		}
		_, got = s.traced(t, "", query, map[string]any{"n": 2})
		for i, c := range got.Calls {
			if c.Outcome != trace.Hit || c.Duration != 0 || c.Path != want.Calls[i].Path {
				t.Errorf("call of the second operation = %+v, want a hit of %s", c, want.Calls[i].Path)
			}
		}
		time.Sleep(10 * time.Minute)
		_, got = s.traced(t, "", query, map[string]any{"n": 2})
		if len(got.Calls) != 2 || got.Calls[0].Outcome != trace.Stale {
			t.Errorf("calls after the freshness lifetime = %+v, want stale reads", got.Calls)
		}
		synctest.Wait() // for the revalidation, which belongs to no operation
	})
}

// A trace contains the time that a call waited for a slot, and the method of a write.
func TestTrace_WaitAndMethod(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := tracingServer(t, serverOptions{writable: true, config: config.Serve{MaxUpstream: 1}})
		defer closeStore(t, s)
		_, got := s.traced(t, "", `{ a: user(username: "demo") { name } b: user(username: "spartacus") { name } }`, nil)
		if len(got.Calls) != 2 || got.Calls[0].Wait+got.Calls[1].Wait != 100 || got.Calls[0].Duration+got.Calls[1].Duration != 300 {
			t.Errorf("calls = %+v, want one that waited 100 ms for the other", got.Calls)
		}
		_, got = s.traced(t, "demo-token", `mutation { followUser(input: {username: "spartacus"}) { changed } }`, nil)
		methods := make([]string, 0, len(got.Calls))
		for _, c := range got.Calls {
			methods = append(methods, c.Method+" "+c.Path)
		}
		if !strings.Contains(strings.Join(methods, ", "), "POST /spartacus/follow") {
			t.Errorf("calls = %v, want POST /spartacus/follow", methods)
		}
	})
}

// Operations that run at the same time share a call. One trace reports the call, the other a
// coalesced one.
func TestTrace_Coalesced(t *testing.T) {
	t.Parallel()
	sharedWorld()
	synctest.Test(t, func(t *testing.T) {
		s := tracingServer(t, serverOptions{})
		defer closeStore(t, s)
		outcomes := make(chan trace.Outcome, 2)
		for range 2 {
			go func() {
				_, got := s.traced(t, "", `{ user(username: "spartacus") { name } }`, nil)
				outcomes <- got.Calls[0].Outcome
			}()
		}
		seen := map[trace.Outcome]int{<-outcomes: 1}
		seen[<-outcomes]++
		if seen[trace.Called] != 1 || seen[trace.Coalesced] != 1 {
			t.Errorf("outcomes = %v, want one call and one coalesced", seen)
		}
	})
}

// A trace contains no token, no variable and no value of a query. Without permission, a response
// contains no trace.
func TestTrace_Secrets(t *testing.T) {
	t.Parallel()
	const query = `query ($q: String!) { search(query: $q) { users(first: 1) { nodes { name } } } viewer { name } }`
	const canary = "canary-4711"
	s := tracingServer(t, serverOptions{})
	_, got := s.traced(t, "demo-token", query, map[string]any{"q": canary})
	text, err := json.Marshal(got)
	if err != nil || len(got.Calls) < 2 {
		t.Fatalf("trace is %s (error %v), want at least 2 calls", text, err)
	}
	for _, secret := range []string{canary, "demo-token", "4711"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("trace contains %s: %s", secret, text)
		}
	}
	for _, setting := range []string{"never", "demo"} { // this server is not the demo
		s := newTestServer(t, serverOptions{config: config.Serve{Trace: setting}})
		if resp, got := s.traced(t, "", `{ user(username: "demo") { name } }`, nil); got != nil {
			t.Errorf("--trace=%s: response = %s, want no trace", setting, resp.body)
		}
	}
}

func closeStore(t *testing.T, s *testServer) {
	t.Helper()
	if err := s.app.store.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
