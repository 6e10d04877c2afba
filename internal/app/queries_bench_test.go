package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"mixcloud-graphql/internal/config"
	"mixcloud-graphql/mixcloud"
)

// benchmarkQueries are queries of clients: one object, a list, fields that need a load for each item, and nested lists.
var benchmarkQueries = []struct{ name, query string }{
	{"user", `{ user(username: "demo") { key username name url picture(size: LARGE) { url } } }`},
	{"cloudcasts", `{ user(username: "demo") { key username name
		cloudcasts(first: 20) { nodes { key name slug createdAt playCount audioLength picture(size: LARGE) { url } tags { name } } } } }`},
	{"descriptions", `{ popular(first: 20) { nodes { key name description } } }`},
	{"uploaders", `{ popular(first: 20) { nodes { key name user { username followerCount biog } } } }`},
	{"comments", `{ search(query: "funk") { cloudcasts(first: 10) { nodes { name comments(first: 10) { nodes { text user { username city } } } } } } }`},
	{"everything", `{ popular(first: 100) { nodes {
		key url name slug createdAt updatedAt playCount favoriteCount commentCount listenerCount repostCount audioLength
		small: picture(size: SMALL) { url } medium: picture(size: MEDIUM) { url } large: picture(size: LARGE) { url } extraLarge: picture(size: EXTRA_LARGE) { url }
		tags { key url name }
		user { key url name username small: picture(size: SMALL) { url } medium: picture(size: MEDIUM) { url } large: picture(size: LARGE) { url } }
	} } }`},
	{"followers", `{ user(username: "demo") { name city followers(first: 10) { nodes { username cloudcasts(first: 10) { nodes { name tags { name } } } } } } }`},
}

// BenchmarkQueries measures queries without a network: cold, when every call is made and its
// response comes from memory, and warm, when all responses are in the cache; each with and without
// the projection.
func BenchmarkQueries(b *testing.B) {
	for _, q := range benchmarkQueries {
		for _, temperature := range []string{"cold", "warm"} {
			for _, disable := range []string{"", config.Projection} {
				name := q.name + "/" + temperature
				if disable != "" {
					name += " without " + disable
				}
				b.Run(name, func(b *testing.B) {
					send := newQueryFunc(b, q.query, temperature == "cold", disable)
					send()
					b.ReportAllocs()
					for b.Loop() {
						send()
					}
				})
			}
		}
	}
}

// newQueryFunc returns a function that sends a query to a server whose calls are served from memory.
func newQueryFunc(tb testing.TB, query string, cold bool, disable string) func() {
	tb.Helper()
	cfg := config.Serve{CacheBytes: 64 << 20}
	if cold {
		cfg.CacheBytes = 0
	}
	if disable != "" {
		cfg.Disable = append(cfg.Disable, disable)
	}
	client, err := mixcloud.New(mixcloud.WithAPIURL(mixcloudURL), mixcloud.WithHTTPClient(&http.Client{Transport: &storedResponses{next: newEmulator(tb).Transport()}}))
	if err != nil {
		tb.Fatal(err)
	}
	a, err := NewWithClient(cfg, client, slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = a.Close(context.WithoutCancel(tb.Context())) })
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		tb.Fatal(err)
	}
	w := &reusedWriter{header: http.Header{}}
	return func() {
		r, _ := http.NewRequestWithContext(tb.Context(), http.MethodPost, "http://server.test/graphql", bytes.NewReader(body))
		r.RemoteAddr, r.RequestURI = "192.0.2.7:4711", "/graphql"
		r.Header.Set("Content-Type", "application/json")
		clear(w.header)
		w.status, w.body = 0, w.body[:0]
		a.ServeHTTP(w, r)
		if w.status != http.StatusOK || bytes.Contains(w.body, []byte(`"errors"`)) {
			tb.Fatalf("status = %d, want 200 without errors: %.300s", w.status, w.body)
		}
	}
}

// storedResponses is a transport that makes each request once, and then serves it from memory.
type storedResponses struct {
	next   http.RoundTripper
	bodies sync.Map // by URL
}

func (s *storedResponses) RoundTrip(r *http.Request) (*http.Response, error) {
	body, ok := s.bodies.Load(r.URL.String())
	if !ok {
		resp, err := s.next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		read, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			return nil, err
		}
		body, _ = s.bodies.LoadOrStore(r.URL.String(), read)
	}
	text := body.([]byte)
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(text)),
		Body: io.NopCloser(bytes.NewReader(text)), Request: r, ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}
