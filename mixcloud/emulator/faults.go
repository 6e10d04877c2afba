package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// A FaultKind names a way to misbehave.
type FaultKind string

// The faults. Those that send a body take Delay into account where they say so;
// everywhere else Delay is waited before the answer begins.
const (
	FaultRateLimit       FaultKind = "rate-limit"         // 403 RateLimitException with Retry-After and retry_after
	FaultRateLimitNoWait FaultKind = "rate-limit-no-wait" // the same without a wait
	FaultHTML403         FaultKind = "html-403"           // the bot protection's page
	FaultHTML413         FaultKind = "html-413"           // the proxy refuses the body's size
	FaultHTML502         FaultKind = "html-502"           // the proxy gets no answer
	FaultHTML503         FaultKind = "html-503"           // the proxy has nobody to ask; with Retry-After if one is given
	FaultError500        FaultKind = "error-500"          // status 500 with an empty body
	FaultSlowHeaders     FaultKind = "slow-headers"       // nothing at all for the time of Delay
	FaultSlowBody        FaultKind = "slow-body"          // the body in ten pieces, spread over Delay
	FaultTruncatedBody   FaultKind = "truncated-body"     // the connection ends in the middle of the body
	FaultTruncatedJSON   FaultKind = "truncated-json"     // a complete answer with half of the JSON
	FaultEndlessBody     FaultKind = "endless-body"       // valid JSON so far, without end; a piece every Delay
	FaultReset           FaultKind = "reset"              // the connection is reset before any answer
	FaultError200        FaultKind = "error-200"          // an error's body with status 200
	FaultSuccessFalse    FaultKind = "success-false"      // status 200 with {"result": {"success": false}}
	FaultContentType     FaultKind = "content-type"       // the right body as text/html
	FaultEmptyPage       FaultKind = "empty-page"         // a page without items that has a next link; lists only
	FaultRepeatedPage    FaultKind = "repeated-page"      // a page whose next link leads to itself; lists only
	FaultNotJSON         FaultKind = "not-json"           // status 200, and a sentence
	FaultURLEncodedToken FaultKind = "urlencoded-token"   // the access token as access_token=…; token exchange only
	FaultEarly400        FaultKind = "early-400"          // a PostValidationError before the body is read, and the connection ends; POST only
	FaultEarly413        FaultKind = "early-413"          // the same with the proxy's page for a body too large
	FaultEarly503        FaultKind = "early-503"          // the same with the proxy's page when nobody is there; with Retry-After if one is given
	FaultUploadReset     FaultKind = "upload-reset"       // the connection is reset when After bytes of the body were read, if there are so many; uploads and edits only
)

// FaultKinds lists all of them, in the order of their declaration.
func FaultKinds() []FaultKind {
	return []FaultKind{
		FaultRateLimit, FaultRateLimitNoWait, FaultHTML403, FaultHTML413, FaultHTML502, FaultHTML503, FaultError500,
		FaultSlowHeaders, FaultSlowBody, FaultTruncatedBody, FaultTruncatedJSON, FaultEndlessBody, FaultReset,
		FaultError200, FaultSuccessFalse, FaultContentType, FaultEmptyPage, FaultRepeatedPage, FaultNotJSON,
		FaultURLEncodedToken, FaultEarly400, FaultEarly413, FaultEarly503, FaultUploadReset,
	}
}

// A Fault disturbs answers of the API. A write that is refused by one, with a
// rate limit, success-false, error-200 or a page of status 403, 413 or 503, is
// not done, although all of its body is read; with every other fault it is done,
// and only the answer is lost.
type Fault struct {
	// Match says which requests: an escaped path below the mount prefix, in
	// which * stands for any text, slashes too; a method and a space may stand
	// before it. "/spartacus/" is one path, "/spartacus/*" all that begin so,
	// "/*/cloudcasts/" the shows of everybody, "POST *" all posts; "" or "*"
	// matches every request.
	Match string
	// Times is how many answers are disturbed; 0 for all until the fault is
	// cleared.
	Times int
	// Kind says how.
	Kind FaultKind
	// RetryAfter is the wait that a rate limit or an HTML 503 names, in whole
	// seconds; for a rate limit 0 counts as 60.
	RetryAfter time.Duration
	// Delay is how long the fault takes where time belongs to it; 0 counts as
	// one second for slow headers and a slow body.
	Delay time.Duration
	// After is how many bytes of an upload are read before it is cut.
	After int64
}

// early says whether a fault answers before the body is read.
func (f *Fault) early() bool {
	return f.is(FaultEarly400) || f.is(FaultEarly413) || f.is(FaultEarly503)
}

// refuses says whether a write that a fault disturbs is not done.
func (f *Fault) refuses() bool {
	if f == nil {
		return false
	}
	switch f.Kind {
	case FaultRateLimit, FaultRateLimitNoWait, FaultHTML403, FaultHTML413, FaultHTML503, FaultSuccessFalse, FaultError200:
		return true
	}
	return false
}

// is says whether f is of a kind; a nil fault is of none.
func (f *Fault) is(kind FaultKind) bool { return f != nil && f.Kind == kind }

func (f *Fault) delay() time.Duration {
	if f.Delay == 0 && (f.Kind == FaultSlowHeaders || f.Kind == FaultSlowBody) {
		return time.Second
	}
	return f.Delay
}

func (f *Fault) check() error {
	if !slices.Contains(FaultKinds(), f.Kind) {
		return fmt.Errorf("emulator: no fault is called %q; there are %q", f.Kind, FaultKinds())
	}
	if f.Times < 0 || f.RetryAfter < 0 || f.Delay < 0 || f.After < 0 {
		return fmt.Errorf("emulator: a fault with a negative number")
	}
	return nil
}

// fits says whether the fault disturbs a request to a route; nil for a path
// that has none.
func (f *Fault) fits(method, path string, r *route) bool {
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

// glob matches s against a pattern in which * stands for any text.
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
	left []int // how many times each is still to come; -1 for no end
}

// Fail adds a fault. Of several that match a request the one added first
// disturbs it, until its times are used up.
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

// ClearFaults ends all faults; answers already begun go on as they are.
func (e *Emulator) ClearFaults() {
	e.faults.mu.Lock()
	defer e.faults.mu.Unlock()
	e.faults.list, e.faults.left = nil, nil
}

// take gives the fault that disturbs a request, nil for none, and counts it.
func (l *faultList) take(method, path string, r *route) *Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, f := range l.list {
		if l.left[i] == 0 || !f.fits(method, path, r) {
			continue
		}
		if l.left[i] > 0 {
			l.left[i]--
		}
		return f
	}
	return nil
}
