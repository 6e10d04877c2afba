package graphhttp

import (
	"net/http"
	"slices"
	"time"

	"github.com/rs/cors"
)

// The request headers that a cross-origin page may send, and the response headers that it may
// read in addition to the safelisted ones.
var (
	corsRequestHeaders = []string{
		"Authorization", "Content-Type",
		"GraphQL-Require-Preflight", "Apollo-Require-Preflight", "X-Requested-With", "X-Apollo-Operation-Name",
		CostHeader, DryRunHeader, TraceHeader, "Idempotency-Key", "X-Request-Id",
		"If-None-Match", "Cache-Control", "Last-Event-ID", "traceparent", "tracestate",
	}
	corsResponseHeaders = []string{
		"X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy", "ETag", "Idempotent-Replayed",
	}
)

// corsMaxAge is how long a browser may cache the response to a preflight request. Browsers
// apply a lower maximum of their own.
const corsMaxAge = 24 * time.Hour

// CORS returns middleware that lets cross-origin pages use the endpoints at some paths, and read
// all their responses, including errors. Without origins every origin is allowed, but never with
// the session cookie. With origins, only these are allowed, and they may use the cookie. It
// responds to preflight requests itself.
func CORS(paths, origins []string) func(http.Handler) http.Handler {
	options := cors.Options{
		AllowedOrigins:   origins,
		AllowCredentials: len(origins) > 0,
		AllowedMethods:   []string{http.MethodGet, http.MethodHead, http.MethodPost},
		AllowedHeaders:   corsRequestHeaders,
		ExposedHeaders:   corsResponseHeaders,
		MaxAge:           int(corsMaxAge / time.Second),
	}
	if len(origins) == 0 {
		options.AllowedOrigins = []string{"*"}
	}
	protocol := cors.New(options)
	return func(next http.Handler) http.Handler {
		shared := protocol.Handler(next)
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if slices.Contains(paths, r.URL.Path) {
				shared.ServeHTTP(w, r)
			} else {
				next.ServeHTTP(w, r)
			}
		})
	}
}
