package emulator_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"mixcloud-graphql/mixcloud/emulator"
)

// sink is a writer that costs nothing.
type sink struct{ header http.Header }

func (s sink) Header() http.Header         { return s.header }
func (s sink) Write(p []byte) (int, error) { return len(p), nil }
func (s sink) WriteHeader(int)             {}

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
			s := sink{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(s.header)
				e.ServeHTTP(s, r)
			}
		})
	}
}
