package graphhttp

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"mixcloud-graphql/internal/accept"
	"mixcloud-graphql/internal/opstats"
)

// vary are the request headers that affect a response.
const vary = "Accept, Accept-Encoding, Authorization, Cookie, " + CostHeader + ", " + DryRunHeader + ", " + TraceHeader

// withStats is middleware that collects the stats of each request and writes the resulting
// headers: cache lifetime, Retry-After, and the state of Mixcloud's rate limit.
func withStats(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		state, r := withState(r)
		state.counting = statsWriter{ResponseWriter: w, request: r, stats: &state.stats}
		next.ServeHTTP(&state.counting, r)
	})
}

// A statsWriter adds the headers when the status is written.
type statsWriter struct {
	http.ResponseWriter
	request *http.Request
	stats   *stats
	done    bool
}

func (h *statsWriter) WriteHeader(status int) {
	if !h.done && status >= 200 { // a 1xx is not the final status
		h.done = true
		status = h.stats.write(h.Header(), h.request, status)
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *statsWriter) Write(b []byte) (int, error) {
	if !h.done {
		h.WriteHeader(http.StatusOK)
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (h *statsWriter) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// write adds the headers of a response to r, and returns its status.
func (s *stats) write(h http.Header, r *http.Request, status int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.retry > 0 {
		h.Set("Retry-After", seconds(s.retry))
	}
	if s.operation == nil {
		return status
	}
	accept.Vary(h, vary)
	if h.Get("ETag") == "" { // the state of a rate limit must not be cached
		writeRateLimit(h, s.operation.RateLimit(), s.limited)
	}
	return status
}

// maxAge returns how many seconds caches may store a response to r, or 0 if they must not store it.
func (s *stats) maxAge(r *http.Request, status int) int64 {
	// Whether a cookie authenticates depends on other headers too, so an anonymous response to
	// a request with a cookie must not be cached for later requests.
	if s == nil || status != http.StatusOK || !isGet(r) || len(r.Header["Cookie"]) > 0 {
		return 0
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return int64(s.public / time.Second)
}

// limitName is the policy's name in the headers.
const limitName = `"mixcloud"`

// A numberedValue is a header value that ends with a number. All responses share the values of
// small numbers: a handler may replace them, but not modify them.
type numberedValue struct {
	prefix string
	known  [1024]atomic.Pointer[[]string]
}

var policyValue, remainingValue = numberedValue{prefix: limitName + ";q="}, numberedValue{prefix: limitName + ";r="}

// of returns the header value with the number n.
func (v *numberedValue) of(n int) []string {
	if n < 0 || n >= len(v.known) {
		return []string{v.prefix + strconv.Itoa(n)}
	}
	if known := v.known[n].Load(); known != nil {
		return *known
	}
	values := []string{v.prefix + strconv.Itoa(n)}
	v.known[n].Store(&values)
	return values
}

// The header names in their canonical form, because other forms allocate for each response.
const (
	policyKey    = "Ratelimit-Policy"
	rateLimitKey = "Ratelimit"
)

// writeRateLimit sets the headers of
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/, and omits unknown
// values. limited is the longest wait of a rate limit error in the response. Retry-After contains
// this wait, and both headers should report the same time.
func writeRateLimit(h http.Header, r opstats.RateLimit, limited time.Duration) {
	left, wait := time.Duration(0), ""
	if r.RetryAt != nil {
		left = time.Until(*r.RetryAt)
	}
	if r.Remaining != nil && *r.Remaining == 0 {
		left = max(left, limited)
	}
	if left > 0 {
		wait = ";t=" + seconds(left)
	}
	switch {
	case r.Budget != nil && r.Remaining != nil:
		h[policyKey] = policyValue.of(*r.Budget)
		h[rateLimitKey] = remainingValue.of(*r.Remaining)
		if wait != "" {
			h.Set(rateLimitKey, h.Get(rateLimitKey)+wait)
		}
	case wait != "":
		h.Set(rateLimitKey, limitName+";r=0"+wait)
	}
}

// seconds formats a duration in seconds, rounded up, so that a client never retries too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
