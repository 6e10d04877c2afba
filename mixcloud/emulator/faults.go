package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A FaultKind is a kind of fault.
type FaultKind string

// The kinds of faults. Where the description does not mention Delay, it is the time
// before the response starts.
const (
	FaultRateLimit       FaultKind = "rate-limit"         // 403 RateLimitException with Retry-After and retry_after
	FaultRateLimitNoWait FaultKind = "rate-limit-no-wait" // 403 RateLimitException without a time to wait
	FaultHTML403         FaultKind = "html-403"           // the bot protection's page
	FaultHTML413         FaultKind = "html-413"           // the proxy rejects the size of the body
	FaultHTML502         FaultKind = "html-502"           // the proxy gets no response
	FaultHTML503         FaultKind = "html-503"           // the proxy has no backend; with Retry-After if RetryAfter is set
	FaultError500        FaultKind = "error-500"          // status 500 with an empty body
	FaultSlowHeaders     FaultKind = "slow-headers"       // no response headers for the time of Delay
	FaultSlowBody        FaultKind = "slow-body"          // the body in ten pieces, spread over Delay
	FaultTruncatedBody   FaultKind = "truncated-body"     // the connection ends in the middle of the body
	FaultTruncatedJSON   FaultKind = "truncated-json"     // a complete response with half of the JSON
	FaultEndlessBody     FaultKind = "endless-body"       // valid JSON that does not end; a piece every Delay
	FaultReset           FaultKind = "reset"              // the connection is reset before the response
	FaultError200        FaultKind = "error-200"          // the body of an error with status 200
	FaultSuccessFalse    FaultKind = "success-false"      // status 200 with {"result": {"success": false}}
	FaultContentType     FaultKind = "content-type"       // the correct body as text/html
	FaultEmptyPage       FaultKind = "empty-page"         // a page without items that has a next link; lists only
	FaultRepeatedPage    FaultKind = "repeated-page"      // a page whose next link leads to itself; lists only
	FaultNotJSON         FaultKind = "not-json"           // status 200 with a plain text
	FaultURLEncodedToken FaultKind = "urlencoded-token"   // the access token as access_token=…; token exchange only
	FaultEarly400        FaultKind = "early-400"          // a PostValidationError before the body is read, then the connection is closed; POST only
	FaultEarly413        FaultKind = "early-413"          // as early-400, with the proxy's 413 page
	FaultEarly503        FaultKind = "early-503"          // as early-400, with the proxy's 503 page; with Retry-After if RetryAfter is set
	FaultUploadReset     FaultKind = "upload-reset"       // the connection is reset after After bytes of the body were read; uploads and edits only
)

// FaultKinds returns all kinds, in the order of their declaration.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultRateLimit, FaultRateLimitNoWait, FaultHTML403, FaultHTML413, FaultHTML502, FaultHTML503, FaultError500,
		FaultSlowHeaders, FaultSlowBody, FaultTruncatedBody, FaultTruncatedJSON, FaultEndlessBody, FaultReset,
		FaultError200, FaultSuccessFalse, FaultContentType, FaultEmptyPage, FaultRepeatedPage, FaultNotJSON,
		FaultURLEncodedToken, FaultEarly400, FaultEarly413, FaultEarly503, FaultUploadReset,
	}
}

// A Fault changes responses of the API. A write has no effect, although its whole body
// is read, if the fault is a rate limit, success-false, error-200 or a page with status
// 403, 413 or 503. With every other fault it has an effect, and only the response is
// lost.
type Fault struct {
	// Match selects requests by their escaped path below the mount prefix, in which
	// * matches any text including slashes, optionally after a method and a space.
	// "/spartacus/" matches one path, "/spartacus/*" all with this prefix,
	// "/*/cloudcasts/" the cloudcasts of all users, "POST *" all POST requests; ""
	// or "*" matches every request.
	Match string
	// Times is the number of responses that the fault changes; 0 for all until it is
	// cleared.
	Times int
	// Kind is the kind of the fault.
	Kind FaultKind
	// RetryAfter is the wait of a rate limit or an HTML 503, in whole seconds; for a
	// rate limit 0 means 60 seconds.
	RetryAfter time.Duration
	// Delay is the duration of the fault; for slow headers and a slow body 0 means
	// one second.
	Delay time.Duration
	// After is the number of bytes of an upload that are read before a reset.
	After int64
}

// early reports whether the response of a fault is sent before the body is read.
func (f *Fault) early() bool {
	return f.is(FaultEarly400) || f.is(FaultEarly413) || f.is(FaultEarly503)
}

// rejectsWrite reports whether a write with this fault has no effect.
func (f *Fault) rejectsWrite() bool {
	if f == nil {
		return false
	}
	switch f.Kind {
	case FaultRateLimit, FaultRateLimitNoWait, FaultHTML403, FaultHTML413, FaultHTML503, FaultSuccessFalse, FaultError200:
		return true
	}
	return false
}

// is reports whether f is a fault of the given kind. f may be nil.
func (f *Fault) is(kind FaultKind) bool { return f != nil && f.Kind == kind }

func (f *Fault) delay() time.Duration {
	if f.Delay == 0 && (f.Kind == FaultSlowHeaders || f.Kind == FaultSlowBody) {
		return time.Second
	}
	return f.Delay
}

func (f *Fault) check() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("emulator: unknown fault %q; use one of %q", f.Kind, FaultKinds())
	}
	if f.Times < 0 || f.RetryAfter < 0 || f.Delay < 0 || f.After < 0 {
		return fmt.Errorf("emulator: times, retryAfter, delay and after of a fault must not be negative")
	}
	return nil
}

// matches reports whether the fault applies to a request to a route, which is nil for
// an unknown path.
func (f *Fault) matches(method, path string, r *route) bool {
	switch f.Kind {
	case FaultEmptyPage, FaultRepeatedPage:
		if r == nil || !r.list {
			return false
		}
	case FaultURLEncodedToken:
		if !strings.HasPrefix(path, "/www/oauth/access_token") {
			return false
		}
	}
	if f.early() && method != http.MethodPost || f.is(FaultUploadReset) && (r == nil || !r.body) {
		return false
	}
	pattern := f.Match
	if want, rest, ok := strings.Cut(pattern, " "); ok {
		if want != method {
			return false
		}
		pattern = rest
	}
	return pattern == "" || glob(pattern, path)
}

// glob reports whether s matches a pattern in which * matches any text.
func glob(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	s, ok := strings.CutPrefix(s, parts[0])
	if !ok || len(parts) == 1 {
		return ok && s == ""
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(s, part)
		if i < 0 {
			return false
		}
		s = s[i+len(part):]
	}
	return strings.HasSuffix(s, parts[len(parts)-1])
}

type faultList struct {
	mu   sync.Mutex
	list []*Fault
	left []int // remaining times of each; -1 for no limit
}

// Fail adds a fault. If several faults match a request, the first one that was added
// and has remaining times applies.
func (e *Emulator) Fail(f Fault) error {
	if err := f.check(); err != nil {
		return err
	}
	l := &e.faults
	l.mu.Lock()
	defer l.mu.Unlock()
	left := f.Times
	if left == 0 {
		left = -1
	}
	l.list, l.left = append(l.list, &f), append(l.left, left)
	return nil
}

// ClearFaults removes all faults. It does not affect responses in progress.
func (e *Emulator) ClearFaults() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.list, e.faults.left = nil, nil
}

// take returns the fault that applies to a request, or nil, and counts the response
// towards its Times.
func (l *faultList) take(method, path string, r *route) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.list {
		if l.left[i] == 0 || !f.matches(method, path, r) {
			continue
		}
		if l.left[i] > 0 {
			l.left[i]--
		}
		return f
	}
	return nil
}
