package app

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/internal/race"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// allocationLimits are operations with their maximum number of allocations in [App.ServeHTTP], including middleware and access log. The
// user is in the cache.
var allocationLimits = []struct {
	name, query string
	allocations int
}{
	{"typename", `{ __typename }`, 110},
	{"user", `{ user(username: \"demo\") { name } }`, 180},
}

// BenchmarkServeHTTP measures a request, without a client and a connection.
func BenchmarkServeHTTP(b *testing.B) {
	for _, m := range allocationLimits {
		b.Run(m.name, func(b *testing.B) {
			send := newRequestFunc(b, m.query)
			send()
			b.ReportAllocs()
			for b.Loop() {
				send()
			}
		})
	}
}

// TestServeHTTP_Allocations checks the allocations of a request.
func TestServeHTTP_Allocations(t *testing.T) {
	if race.Enabled {
		t.Skip("the race detector allocates")
	}
	for _, m := range allocationLimits {
		send := newRequestFunc(t, m.query)
		got := m.allocations + 1
		for range 3 { // other goroutines allocate too, so the minimum of three runs counts
			got = min(got, int(testing.AllocsPerRun(100, send)))
		}
		if got > m.allocations {
			t.Errorf("%s: %d allocations, want at most %d. Run the benchmark ServeHTTP with -memprofile to see where", m.name, got, m.allocations)
		}
	}
}

// newRequestFunc returns a function that sends a POST request to a server with the default configuration. It reuses the request and the
// response, so that only the server allocates.
func newRequestFunc(tb testing.TB, query string) func() {
	tb.Helper()
	server := defaultServer(tb)
	body := []byte(`{"query":"` + query + `"}`)
	reader := bytes.NewReader(body)
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://server.test/graphql", io.NopCloser(reader))
	if err != nil {
		tb.Fatal(err)
	}
	r.RemoteAddr, r.RequestURI, r.ContentLength = "192.0.2.7:4711", "/graphql", int64(len(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/graphql-response+json, application/json;q=0.9")
	r.Header.Set("Accept-Encoding", "gzip")
	sent, w := r.Body, &reusedWriter{header: http.Header{}}
	return func() {
		reader.Reset(body)
		r.Body = sent
		clear(w.header)
		w.status, w.body = 0, w.body[:0]
		server.ServeHTTP(w, r)
		if compressed := w.header.Get("Content-Encoding") != ""; w.status != http.StatusOK || !compressed && !bytes.HasPrefix(w.body, []byte(`{"data":{`)) {
			tb.Fatalf("status = %d, want 200 with data: %s", w.status, w.body)
		}
	}
}

// defaultServer returns a server with the defaults of the command line and an emulator. A testServer would allocate more, since it records
// the calls and a debug log.
func defaultServer(tb testing.TB) *App {
	tb.Helper()
	cmd, err := config.Parse([]string{"serve"}, nil, io.Discard)
	if err != nil {
		tb.Fatal(err)
	}
	cfg := *cmd.(*config.Serve)
	transport := newEmulator(tb).Transport()
	client, err := mixcloud.New(mixcloud.WithAPIURL(mixcloudURL), mixcloud.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		tb.Fatal(err)
	}
	log, err := telemetry.NewLogger(io.Discard, telemetry.JSON, slog.LevelInfo)
	if err != nil {
		tb.Fatal(err)
	}
	server, err := newApp(cfg, client, nil, log)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = server.Close(context.WithoutCancel(tb.Context())) })
	return server
}

// A reusedWriter is a response writer that reuses its memory. Like a connection it has deadlines.
type reusedWriter struct {
	header http.Header
	status int
	body   []byte
}

func (*reusedWriter) SetReadDeadline(time.Time) error  { return nil }
func (*reusedWriter) SetWriteDeadline(time.Time) error { return nil }

func (w *reusedWriter) Header() http.Header    { return w.header }
func (w *reusedWriter) WriteHeader(status int) { w.status = status }

func (w *reusedWriter) Write(b []byte) (int, error) {
	w.body = append(w.body, b...)
	return len(b), nil
}
