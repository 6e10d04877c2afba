package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// maxMemoryGrowth is the maximum growth of the server's memory by one operation.
const maxMemoryGrowth = 160 << 20

// aliased returns a selection of a field with n aliases.
func aliased(n int, prefix, field string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %s%d: %s", prefix, i, field)
	}
	return b.String()
}

// sized returns a selection of n different pages of a list.
func sized(n int, field string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " %s%d: %s(first: %d, offset: %d) { __typename }", field, i, field, 1+i%100, i/100)
	}
	return b.String()
}

func page(selection string) string { return "{ popular(first: 100) { nodes {" + selection + "} } }" }

// largeResponses are short queries with large responses, one for each way in which a response can grow.
var largeResponses = map[string]string{
	"__typename of lists":       page(" tags {" + aliased(1000, "a", "__typename") + "}"),
	"__typename, allowed":       page(" user {" + aliased(990, "a", "__typename") + "}"),
	"strings, allowed":          page(aliased(900, "a", "name") + " user {" + aliased(999, "b", "key") + "}"),
	"numbers and times":         page(aliased(990, "a", "createdAt") + " user {" + aliased(990, "b", "__typename") + "}"),
	"fields with resolvers":     page(aliased(190, "a", "audioLength") + aliased(800, "b", "playCount")),
	"raw":                       page(aliased(1000, "r", "raw")),
	"raw, fewer":                page(aliased(150, "r", "raw")),
	"pictures":                  page(aliased(20, "a", "pictures {"+aliased(9, "b", "url")+"}")),
	"connections, other pages":  "{ categories {" + aliased(99, "c", "cloudcasts(first: 100) { nodes { key } }") + "} }",
	"connections":               page(" user {" + aliased(190, "c", "cloudcasts(first: 100) { __typename }") + "}"),
	"connections, few items":    page(" user {" + aliased(190, "c", "cloudcasts(first: 1) { nodes { key } }") + "}"),
	"connections, allowed":      page(" user {" + aliased(4, "c", "cloudcasts(first: 100) { __typename }") + "}"),
	"connections below lists":   "{ popular(first: 10) { nodes { user { cloudcasts(first: 10) { nodes { user {" + aliased(190, "c", "cloudcasts(first: 10) { edges { cursor } }") + "} } } } } } }",
	"connections of many sizes": "{ user(username: \"demo\") {" + sized(60, "cloudcasts") + sized(60, "followers") + sized(60, "feed") + "} }",
	"aliases cubed":             "{" + aliased(20, "p", "popular(first: 100) {"+aliased(10, "n", "nodes {"+aliased(10, "u", "user { key }")+"}")+"}") + "}",
	"nodes, users, keys":        "{ popular(first: 100) {" + aliased(9, "n", "nodes {"+aliased(190, "e", "raw")+"}") + "} }",
	"nested lists":              "{ popular(first: 10) { nodes { user { cloudcasts(first: 10) { nodes { tags {" + aliased(900, "a", "name") + "} } } } } } }",
	"fragments":                 page("...f ...g") + " fragment f on Cloudcast {" + aliased(500, "f", "url") + " ...g } fragment g on Cloudcast {" + aliased(490, "g", "slug") + " user { ...h } } fragment h on User {" + aliased(900, "h", "url") + "}",
	"introspection":             "{ __schema { types {" + aliased(10, "a", "fields { type { ofType { ofType {"+aliased(10, "b", "name")+"} } } args {"+aliased(10, "c", "name")+"} }") + "} } }",
	"introspection, allowed":    "{ __schema { types { fields { name args { name type { kind name } } type { kind name ofType { kind name } } } } } }",
	"unknown directives":        "query " + strings.Repeat("@a ", 7000) + "{ __typename }",
}

// TestLargeResponses executes queries with large responses. It checks the server's memory, and the latency of small operations of
// another client meanwhile.
func TestLargeResponses(t *testing.T) {
	// With the server's own GOGC the garbage collector would run only close to the memory limit. Garbage does not count.
	server := startWith(t, []string{"GOGC=100"}, "--demo", "--addr", "127.0.0.1:0", "--log-level", "error")
	go func() { _, _ = io.Copy(io.Discard, server.log) }()
	execute := func(query string) (status int, body []byte) {
		text, err := json.Marshal(map[string]string{"query": query})
		if err != nil {
			t.Error(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.base+"/graphql", bytes.NewReader(text))
		if err != nil {
			t.Error(err)
			return 0, nil
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/graphql-response+json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0, nil
		}
		defer resp.Body.Close()
		if body, err = io.ReadAll(resp.Body); err != nil {
			t.Error(err)
		}
		return resp.StatusCode, body
	}
	// Fill the cache, whose memory does not count.
	execute(page("key tags { name }"))
	execute(page("user { cloudcasts(first: 100) { __typename } }"))
	execute("{ categories { cloudcasts(first: 100) { __typename } } }")
	execute(largeResponses["connections of many sizes"])
	other := repeat(func() { execute(`{ user(username: "demo") { name } }`) })
	time.Sleep(time.Second)
	idle, idleMemory := median(other.takeDurations()), memory(t, server.Process.Pid, "VmRSS")
	var waits []time.Duration
	for name, query := range largeResponses {
		begun := time.Now()
		status, body := execute(query)
		took := time.Since(begun)
		during := other.takeDurations()
		waits = append(waits, during...)
		busy := median(during)
		peak := memory(t, server.Process.Pid, "VmHWM") - idleMemory
		t.Logf("%-28s %6d bytes of query: status %d, %8d bytes, %8v, memory at most +%3d MiB, other client %v (%.1f x idle)",
			name, len(query), status, len(body), took.Round(time.Millisecond), peak>>20, busy, float64(busy)/float64(idle))
		if peak > maxMemoryGrowth {
			t.Errorf("%s: memory grew by %d MiB, want at most %d", name, peak>>20, maxMemoryGrowth>>20)
		}
		if len(body) > 16<<20+1000 {
			t.Errorf("%s: response has %d bytes, want at most 16 MiB", name, len(body))
		}
		var got struct {
			Errors []struct{ Extensions map[string]any }
		}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Errorf("%s: response is not JSON: %v: %.300s", name, err, body)
		}
		if name == "connections" && (len(got.Errors) != 1 || got.Errors[0].Extensions["limit"] != "list-items") {
			t.Errorf("%s: errors = %v, want one of the limit list-items", name, got.Errors)
		}
		for _, e := range got.Errors {
			if e.Extensions["code"] != "LIMIT_EXCEEDED" {
				t.Errorf("%s: extensions = %v, want LIMIT_EXCEEDED", name, e.Extensions)
			}
		}
	}
	other.stop()
	slices.Sort(waits)
	if all := waits[len(waits)/2]; all > 5*idle {
		t.Errorf("latency of another client = %v, want at most 5 times %v as on an idle server", all, idle)
	} else {
		t.Logf("latency of another client = %v (median), %v on an idle server", all, idle)
	}
	server.signal(t)
	if err := server.Wait(); err != nil {
		t.Error(err)
	}
}

// memory returns a value of /proc/PID/status in bytes, or 0 if it does not exist.
func memory(t *testing.T, pid int, name string) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, name+":"); found {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	return 0
}

// A repeater calls a function repeatedly and records the durations.
type repeater struct {
	mu    sync.Mutex
	took  []time.Duration
	ended chan struct{}
	done  chan struct{}
}

func repeat(f func()) *repeater {
	w := &repeater{ended: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(w.done)
		for {
			begun := time.Now()
			f()
			w.mu.Lock()
			w.took = append(w.took, time.Since(begun))
			w.mu.Unlock()
			select {
			case <-w.ended:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	return w
}

func (w *repeater) stop() {
	close(w.ended)
	<-w.done
}

// takeDurations returns the durations since the last takeDurations.
func (w *repeater) takeDurations() []time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	took := w.took
	w.took = nil
	return took
}

func median(took []time.Duration) time.Duration {
	if len(took) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(took))[len(took)/2]
}
