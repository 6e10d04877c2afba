package graphhttp

import (
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"slices"

	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/telemetry"
)

// Chain wraps h in middleware, the first outermost.
func Chain(h http.Handler, middleware ...func(http.Handler) http.Handler) http.Handler {
	for _, wrap := range slices.Backward(middleware) {
		h = wrap(h)
	}
	return h
}

// RequestID is middleware that assigns an id to each request: that of X-Request-Id if it is valid,
// else a new one. The response has the same header.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !validRequestID(id) {
			id = telemetry.NewRequestID()
		}
		w.Header().Set("X-Request-Id", id)
		state, r := withState(r)
		state.id = id
		next.ServeHTTP(w, r)
	})
}

// validRequestID reports whether a client's id is safe in logs and headers: 8 to 64 ASCII
// letters, digits and -._.
func validRequestID(id string) bool {
	if len(id) < 8 || len(id) > 64 {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

// Recover returns middleware that turns a panic into a 500 without details, and logs it
// completely. It passes on http.ErrAbortHandler.
func Recover(log *slog.Logger) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				p := recover()
				if p == nil {
					return
				}
				if p == http.ErrAbortHandler {
					panic(p)
				}
				log.ErrorContext(r.Context(), "panic in a handler",
					"path", r.URL.Path, "panic", telemetry.Panicked(p), "stack", string(debug.Stack()))
				gqlerr.Write(w, r, http.StatusInternalServerError, gqlerr.Internal(nil))
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// All responses share these values: a handler may replace them, but not modify them.
var securityHeaders = http.Header{
	"X-Content-Type-Options":     {"nosniff"},
	"Referrer-Policy":            {"no-referrer"},
	"Content-Security-Policy":    {"default-src 'none'; frame-ancestors 'none'"},
	"Cross-Origin-Opener-Policy": {"same-origin"},
}

// SecurityHeaders is middleware that sets headers for every response: no content sniffing, no
// referrer to other sites, and a Content-Security-Policy that permits nothing unless the handler
// sets its own.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), securityHeaders)
		next.ServeHTTP(w, r)
	})
}
