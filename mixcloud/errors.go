package mixcloud

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// The kinds of errors, for errors.Is. Every [*Error] and [*InvalidError] matches
// exactly one of them, or context.Canceled.
var (
	// ErrInvalid: an argument is not valid and no call was made. The error is an
	// [*InvalidError].
	ErrInvalid = errors.New("invalid argument")
	// ErrNotFound: Mixcloud has no such resource or list.
	ErrNotFound = errors.New("not found")
	// ErrUnauthenticated: the call needs a token, or Mixcloud does not accept the
	// one that was sent (an OAuthException in the body, with any status).
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: the user may not do this, or the resource is withheld. Also
	// status 402, 423 and 451, and a 401 for a call that sends no token.
	ErrForbidden = errors.New("forbidden")
	// ErrRefused: Mixcloud refuses this call, and would refuse it again: any other
	// 4xx, or a 501. See [Error.Message].
	ErrRefused = errors.New("refused")
	// ErrMoved: the response is a redirect, which is not followed. See
	// [Error.Location].
	ErrMoved = errors.New("redirected")
	// ErrRateLimited: too many calls. [RetryAfter] says how long to wait.
	ErrRateLimited = errors.New("rate limited")
	// ErrTimeout: the deadline of the context or the timeout of the client passed.
	ErrTimeout = errors.New("timed out")
	// ErrUnavailable: Mixcloud cannot be reached or does not work at the moment: the
	// connection failed or ended within the response, a 5xx, a 403 with an HTML page
	// (bot protection), a 408, 421 or 425, or a fault of this machine (see
	// [Error.Local]).
	ErrUnavailable = errors.New("unavailable")
	// ErrBadResponse: the response cannot be used. It has a success status but is
	// not JSON, is larger than [WithMaxBody] or contains an unknown error, or its
	// status is unknown.
	ErrBadResponse = errors.New("bad response")
)

// An Error describes a call that failed. Neither it nor the errors that it wraps
// contain a token or the query of a URL.
type Error struct {
	// Op is the name of the client's method, such as "UserFollowers".
	Op string
	// Kind is one of this package's Err values, or context.Canceled.
	Kind error
	// Status is the HTTP status, or 0 if there was no response.
	Status int
	// Type is Mixcloud's name of the error, such as
	// "ResourceNotFoundException", or "".
	Type string
	// Message is Mixcloud's own message (error.message), or "": plain text of at
	// most 500 characters, without markup and without queries of URLs.
	Message string
	// RetryAfter is the wait that Mixcloud requests, from the header or else from
	// the body; 0 if neither contains one.
	RetryAfter time.Duration
	// Details are Mixcloud's messages about single fields of an upload or an edit,
	// by Mixcloud's field names ("tags-0-tag"). It is nil if there are none.
	Details map[string][]string
	// FromAPI is true if the response was JSON, so that the error is from the API
	// itself. It is false if there was no response, or one from a proxy or a
	// firewall, such as an HTML page.
	FromAPI bool
	// Location is the path that a redirect leads to, if it is a resource of the same
	// kind or the same list of such a resource. Repeat the call with that key, or
	// with the same arguments and [WithLocation]. It is "" for any other redirect.
	Location string
	// Local is the name of a fault of this machine, such as "name resolution", or
	// "". Such a fault does not mean that Mixcloud is unavailable.
	Local string
	// NeverSent is true if the call failed before anything was sent. Then a retry
	// cannot execute a write twice.
	NeverSent bool
	// Err is the underlying error, or nil.
	Err error
}

// Error returns a description for logs. It may contain Mixcloud's message.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "mixcloud: %s: %v", e.Op, e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%d", e.Status)
		if text := http.StatusText(e.Status); text != "" {
			b.WriteString(" " + text)
		}
		b.WriteString(")")
	}
	if e.Local != "" {
		b.WriteString(": local fault: " + e.Local)
	}
	if e.Type != "" {
		b.WriteString(": " + e.Type)
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter)
	}
	if e.Err != nil && e.Err != e.Kind {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns Kind and Err, for errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	all := make([]error, 0, 2)
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// RetryAfter reports whether err is an [ErrRateLimited], and returns the wait that
// Mixcloud requests before the next call, or 0 if the response contains none.
func RetryAfter(err error) (wait time.Duration, limited bool) {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == ErrRateLimited {
		return e.RetryAfter, true
	}
	return 0, false
}

// An InvalidError reports an argument that is not valid. No call was made.
type InvalidError struct {
	Arg    string // the name of the argument, such as "key"
	Reason string // such as "is blank"; it never contains the value
}

// Error returns the name and the reason.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("mixcloud: %s %s", e.Arg, e.Reason)
}

// Is makes an InvalidError an [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }
