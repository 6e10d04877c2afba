package app

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"testing"

	"mixcloud-graphql/internal/race"
)

// TestQueryCache_Memory executes many different documents. The cache of parsed documents is bounded
// by the size of their text, and a document with everything compiled from it takes about 30 times
// that size.
func TestQueryCache_Memory(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector needs more memory")
	}
	server := defaultServer(t)
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // the second one empties the pools
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc) //nolint:gosec // far below the limit
	}
	text := 0
	execute := func(i int) {
		body := []byte(`{"query":"{`)
		for field := range 100 {
			body = fmt.Appendf(body, ` a%d: user(username: \"demo\") { b%d: name }`, field, i)
		}
		body = append(body, `}"}`...)
		text += len(body)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://server.test/graphql", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.RemoteAddr, r.RequestURI = "192.0.2.7:4711", "/graphql"
		r.Header.Set("Content-Type", "application/json")
		w := &reusedWriter{header: http.Header{}}
		server.ServeHTTP(w, r)
		if w.status != http.StatusOK {
			t.Fatalf("status = %d, want 200: %s", w.status, w.body)
		}
	}
	execute(0)
	before := heap()
	for i := range 500 {
		execute(i + 1)
	}
	grown := heap() - before
	t.Logf("%d KiB of heap after %d KiB of documents", grown>>10, text>>10)
	if grown > 24<<20 {
		t.Errorf("%d different documents took %d bytes of memory, want at most 24 MiB", 500, grown)
	}
	runtime.KeepAlive(server)
}
