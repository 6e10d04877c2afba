package mixcloud

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What a caller may branch on, with errors.Is. Every error of this package is
// exactly one of these or the context's cancellation.
var (
	// ErrInvalid: an argument was refused and no call was made; an
	// [*InvalidError].
	ErrInvalid = errors.New("invalid argument")
	// ErrNotFound: there is no such object or list.
	ErrNotFound = errors.New("not found")
	// ErrUnauthenticated: a token is needed, or the one sent was refused.
	// Mixcloud says so with a body (an OAuthException), whatever the status.
	ErrUnauthenticated = errors.New("not authenticated")
	// ErrForbidden: the API knows who is asking and refuses, or it withholds
	// something: a 402, 423 or 451, whatever the body; a 401 of a call that sends
	// no token.
	ErrForbidden = errors.New("forbidden")
	// ErrRefused: the API is alive and refuses this one call for good, with any
	// other 4xx or a 501; [Error.Answered] tells whether it says why.
	ErrRefused = errors.New("refused")
	// ErrMoved: a redirect, which is not followed; see [Error.Location].
	ErrMoved = errors.New("redirected")
	// ErrRateLimited: too many calls; [Error.RetryAfter] has the wait.
	ErrRateLimited = errors.New("rate limited")
	// ErrTimeout: the context's deadline or the client's timeout passed.
	ErrTimeout = errors.New("timed out")
	// ErrUnavailable: nothing answered to the end, or something before the API
	// did: a connection that failed or broke off in an answer, a 5xx, a page of
	// HTML with a 403 (bot protection), a 408, 421 or 425, which ask for another
	// try, or a fault of this machine, see [Error.Local].
	ErrUnavailable = errors.New("unavailable")
	// ErrBadResponse: an answer that cannot be used: a success that is no
	// JSON, or half of one, is over the bound or has an unknown error in it; an
	// unknown status.
	ErrBadResponse = errors.New("bad response")
)

// An Error reports a call that was made and failed. Neither it nor what it
// wraps ever holds a token or an address with a query.
type Error struct {
	// Op is the method that was called, such as "UserFollowers".
	Op string
	// Kind is one of this package's Err values, or context.Canceled.
	Kind error
	// Status is the HTTP status, 0 if there was no answer.
	Status int
	// Type is the API's name of the error, such as
	// "ResourceNotFoundException"; "" if the answer named none.
	Type string
	// Message has the API's own words (error.message): plain text of at most 500
	// characters, without markup and without the query of an address, "" if it
	// said nothing.
	Message string
	// RetryAfter is how long the API asks to wait, from the header or else
	// from the body; 0 if it did not say.
	RetryAfter time.Duration
	// Details are the API's refusals of single fields of an upload or an edit,
	// by its names of them ("tags-0-tag"), as plain as Message; mostly nil.
	Details map[string][]string
	// Answered is true when the API itself refused the call, by an error in JSON.
	// It is false for a call without an answer and for an answer of something in
	// front of the API, such as a page of HTML.
	Answered bool
	// Location is where a redirect of a read leads, if that is another resource
	// of the same kind below the API's root, or the same list of one: its path,
	// which is a resource's key. Ask again with it, or with the same arguments and
	// [At]. "" for any other redirect.
	Location string
	// Local names the fault if it is this machine's, such as "name resolution":
	// the call says nothing of the API then. "" otherwise.
	Local string
	// NeverSent is true when the call failed before anything was sent: a write
	// can then be tried again without doing it twice.
	NeverSent bool
	// Err is the cause where there is one besides Kind; it may be nil.
	Err error
}

// Error says what failed, for logs: it may quote the API's words.
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

// Unwrap gives Kind and Err to errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	all := make([]error, 0, 2)
	for _, err := range []error{e.Kind, e.Err} {
		if err != nil {
			all = append(all, err)
		}
	}
	return all
}

// RetryAfter returns how long Mixcloud asks to wait, if err is a refusal for the
// rate limit; the wait is 0 if it did not say how long.
func RetryAfter(err error) (wait time.Duration, limited bool) {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind == ErrRateLimited {
		return e.RetryAfter, true
	}
	return 0, false
}

// An InvalidError reports an argument that was refused before any call.
type InvalidError struct {
	Arg    string // the argument's name
	Reason string // what is wrong with it, to follow the name; never its value
}

// Error says what is wrong.
func (e *InvalidError) Error() string {
	return fmt.Sprintf("mixcloud: %s %s", e.Arg, e.Reason)
}

// Is makes an InvalidError an [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }
