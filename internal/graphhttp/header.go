package graphhttp

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"mixcloud-graphql/internal/accept"
)

// vary are the headers of a request that decide about its answer.
var vary = []string{"Accept", "Accept-Encoding", "Authorization", "Cookie", CostHeader, DryRunHeader}

// accounted keeps a ledger for each request and writes its headers: for how
// long anybody may keep the answer, when to come again, and what is known of
// Mixcloud's rate limit.
func accounted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l := new(ledger)
		next.ServeHTTP(&headed{ResponseWriter: w, request: r, ledger: l}, r.WithContext(context.WithValue(r.Context(), ledgerKey{}, l)))
	})
}

// headed writes the headers when the rest of them is known.
type headed struct {
	http.ResponseWriter
	request *http.Request
	ledger  *ledger
	done    bool
}

func (h *headed) WriteHeader(status int) {
	if !h.done && status >= 200 { // a 1xx is not the answer yet
		h.done = true
		status = h.ledger.write(h.Header(), h.request, status)
	}
	h.ResponseWriter.WriteHeader(status)
}

func (h *headed) Write(b []byte) (int, error) {
	if !h.done {
		h.WriteHeader(http.StatusOK)
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (h *headed) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// write adds to the header of an answer to r, and gives its status.
func (l *ledger) write(h http.Header, r *http.Request, status int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.retry > 0 {
		h.Set("Retry-After", seconds(l.retry))
	}
	if l.account == nil {
		return status
	}
	accept.Vary(h, vary...)
	if h.Get("ETag") == "" { // a limit of this moment is nothing to keep
		l.account.RateLimit().write(h, l.limited)
	}
	return status
}

// maxAge returns for how many seconds caches may keep a response to r: 0 for not at all.
func (l *ledger) maxAge(r *http.Request, status int) int64 {
	// Whether a cookie signs anybody in depends on other headers too: an anonymous response to a request with a cookie must not
	// be kept for later ones.
	if l == nil || status != http.StatusOK || !isGet(r) || len(r.Header["Cookie"]) > 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return int64(l.public / time.Second)
}

// limitName is the name of the policy in the headers.
const limitName = `"mixcloud"`

// write tells the limit in the headers of
// https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/: what
// is not known is left out. Limited is how long an error of the answer says to
// wait for the limit: Retry-After says the same, and both should name one moment.
func (r RateLimit) write(h http.Header, limited time.Duration) {
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
		h.Set("RateLimit-Policy", limitName+";q="+strconv.Itoa(*r.Budget))
		h.Set("RateLimit", limitName+";r="+strconv.Itoa(*r.Remaining)+wait)
	case wait != "":
		h.Set("RateLimit", limitName+";r=0"+wait)
	}
}

// seconds rounds up: who waits as long as it says never comes too early.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
