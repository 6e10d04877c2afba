package emulator_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"mixcloud-graphql/mixcloud/emulator"
)

// A discardWriter is a ResponseWriter that discards the response.
type discardWriter struct{ header http.Header }

func (s discardWriter) Header() http.Header         { return s.header }
func (s discardWriter) Write(p []byte) (int, error) { return len(p), nil }
func (s discardWriter) WriteHeader(int)             {}

func BenchmarkServe(b *testing.B) {
	e, err := emulator.New()
	if err != nil {
		b.Fatal(err)
	}
	for name, path := range map[string]string{
		"user":       "/demo/?metadata=1",
		"cloudcast":  "/spartacus/party-time/",
		"cloudcasts": "/demo/cloudcasts/",
		"favorites":  "/demo/favorites/?limit=100",
		"token":      "/demo/favorites/?access_token=demo-token",
		"followers":  "/demo/followers/",
		"popular":    "/popular/",
		"tag":        "/genres/funk/popular/",
		"search":     "/search/?q=night&type=cloudcast",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			s := discardWriter{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(s.header)
				e.ServeHTTP(s, r)
			}
		})
	}
}

// BenchmarkUpload uploads a file of 64 MiB without a socket.
func BenchmarkUpload(b *testing.B) {
	e := newWritableEmulator(b)
	const size = 64 << 20
	noise := make([]byte, 1<<20)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	contentType, head, tail := formAround(b, "name=Long")
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		parts := []io.Reader{strings.NewReader(head)}
		for range size / len(noise) {
			parts = append(parts, bytes.NewReader(noise))
		}
		r := httptest.NewRequest(http.MethodPost, "/upload/?access_token="+pro, io.MultiReader(append(parts, strings.NewReader(tail))...))
		r.Header.Set("Content-Type", contentType)
		if w := do(e, r); w.Code != http.StatusOK {
			b.Fatalf("POST /upload/: status %d, want 200: %s", w.Code, w.Body)
		}
	}
}
