package graphhttp_test

import (
	"io"
	"log/slog"
	"net/http"
	"os"
	"testing"

	"mixcloud-graphql/internal/graphhttp"
	"mixcloud-graphql/internal/telemetry"
)

// BenchmarkAccessLog measures a line of the access log, including the write to a file.
func BenchmarkAccessLog(b *testing.B) {
	for _, format := range []telemetry.Format{telemetry.Text, telemetry.JSON} {
		b.Run(string(format), func(b *testing.B) {
			out, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
			if err != nil {
				b.Fatal(err)
			}
			defer out.Close()
			log, err := telemetry.NewLogger(out, format, slog.LevelInfo)
			if err != nil {
				b.Fatal(err)
			}
			h := graphhttp.AccessLog(log, 1)(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "ok")
			}))
			r := request(b, http.MethodPost, "/graphql", "")
			r = r.WithContext(telemetry.WithRequestID(r.Context(), telemetry.NewRequestID()))
			w := discardWriter{}
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(w, r)
			}
		})
	}
}

// A discardWriter is a response writer without a connection.
type discardWriter struct{}

func (discardWriter) Header() http.Header         { return http.Header{} }
func (discardWriter) WriteHeader(int)             {}
func (discardWriter) Write(b []byte) (int, error) { return len(b), nil }
