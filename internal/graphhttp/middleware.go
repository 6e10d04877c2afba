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

// RequestID gives every request an id: the one it came with in X-Request-Id,
// if that is fit for a log, else a new one. The answer carries it back.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !sane(id) {
			id = telemetry.NewRequestID()
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(telemetry.WithRequestID(r.Context(), id)))
	})
}

// sane tells whether an id from outside can stand in a log and a header: 8 to
// 64 letters, digits and -._ of ASCII.
func sane(id string) bool {
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

// Recover turns a panic into a 500 without a word of it, and logs it whole. The
// panic that net/http knows as "abort this answer" passes.
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

// The values are shared by all responses: a handler replaces them, and never changes them in place.
var securityHeaders = http.Header{
	"X-Content-Type-Options":     {"nosniff"},
	"Referrer-Policy":            {"no-referrer"},
	"Content-Security-Policy":    {"default-src 'none'; frame-ancestors 'none'"},
	"Cross-Origin-Opener-Policy": {"same-origin"},
}

// SecurityHeaders sets what holds for every answer: no guessing of types, no
// address leaked to other sites, and nothing that a page of ours could load or
// run unless its handler sets a policy of its own.
func SecurityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		maps.Copy(w.Header(), securityHeaders)
		next.ServeHTTP(w, r)
	})
}
