package graphhttp

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"mixcloud-graphql/internal/clientlimit"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/telemetry"
)

// ClientLimits returns middleware that refuses requests of clients over their limits with
// status 429, before they are parsed. Name returns the client of a request. A nil limiter
// refuses nothing.
func ClientLimits(limiter *clientlimit.Limiter, name func(*http.Request) string, log *slog.Logger) func(http.Handler) http.Handler {
	var sampler telemetry.Sampler
	return func(next http.Handler) http.Handler {
		if limiter == nil {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodOptions {
				next.ServeHTTP(w, r)
				return
			}
			request, refusal := limiter.Admit(name(r))
			if refusal != nil {
				sampler.Log(r.Context(), log, slog.LevelWarn, refusal.Limit,
					"request refused: client limit reached", "limit", refusal.Limit, "maximum", refusal.Maximum)
				w.Header().Set("Retry-After", seconds(refusal.Wait))
				err := overClientLimit(refusal)
				if e := logEntryFrom(r.Context()); e != nil {
					e.errors, e.code = 1, string(err.Code)
				}
				gqlerr.Write(w, r, http.StatusTooManyRequests, err)
				return
			}
			defer request.Close()
			next.ServeHTTP(w, r.WithContext(clientlimit.NewContext(r.Context(), request)))
		})
	}
}

// clientLimitMessages are the error messages by limit.
var clientLimitMessages = map[string]string{
	"client-inflight": "This client has %d requests in flight; at most %d are allowed.",
	"client-requests": "This client has sent %d requests within a minute; at most %d are allowed.",
	"client-calls":    "The operations of this client have made %d calls to Mixcloud within a minute; at most %d are allowed.",
}

func overClientLimit(r *clientlimit.Refusal) *gqlerr.Error {
	return &gqlerr.Error{
		Code:    gqlerr.CodeLimitExceeded,
		Message: fmt.Sprintf(clientLimitMessages[r.Limit]+" Retry after the time in the header Retry-After.", r.Value, r.Maximum),
		Details: map[string]any{
			"limit": r.Limit, "value": r.Value, "maximum": r.Maximum,
			"retryable": true, "retryAfterMs": (r.Wait + time.Millisecond - 1).Milliseconds(),
		},
	}
}
