package gqlerr

import (
	"strings"
	"time"
)

// An Error is an error with a message for the client. Its fields must not change after it was
// returned.
type Error struct {
	Code     Code
	Message  string        // what happened and what to do
	Argument string        // the invalid argument, such as "first" or "input.name"; "" if none
	Wait     time.Duration // wait before a retry; 0 if unknown
	Err      error         // the cause, only for the log; may be nil

	// Details are additional members of extensions, such as the values of a limit, which
	// encoding/json can marshal. Standard members take precedence. It may be nil.
	Details map[string]any
}

// Error returns the message with the code and the cause, for a log.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(string(e.Code))
	b.WriteString(": ")
	b.WriteString(e.Message)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalid returns the error of an invalid argument: BAD_USER_INPUT. The reason follows the
// argument's name, as in "must be between 0 and 100".
func Invalid(arg, reason string) error {
	return &Error{Code: CodeBadUserInput, Argument: arg, Message: invalidMessage(arg, reason)}
}

// Limit returns the error of a request that exceeds a limit of this server: LIMIT_EXCEEDED. The
// message should name the limit and how to stay within it.
func Limit(message string) error { return &Error{Code: CodeLimitExceeded, Message: message} }

// NotFound returns the error of a missing part of an existing object: NOT_FOUND. A root field
// whose object is missing is null instead, without an error.
func NotFound(message string) error { return &Error{Code: CodeNotFound, Message: message} }

// Unauthenticated returns the error of an operation that needs a viewer: UNAUTHENTICATED.
func Unauthenticated(message string) error {
	return &Error{Code: CodeUnauthenticated, Message: message}
}

func invalidMessage(arg, reason string) string {
	reason = strings.TrimSuffix(reason, ".")
	if arg == "" {
		return "The input " + reason + "."
	}
	return `Argument "` + arg + `" ` + reason + "."
}

// Internal returns the error of a fault of this server: INTERNAL. The cause goes only to the
// log; it may be nil if it was logged before.
func Internal(cause error) error {
	return &Error{Code: CodeInternal, Message: internalMessage, Err: cause}
}

// Uncertain marks an error after which the outcome of a write is unknown, so that a retry could
// repeat the write. The public error has the same code and extensions.outcome UNKNOWN, and is
// not retryable. Uncertain returns nil for a nil err.
func Uncertain(err error) error {
	if err == nil {
		return nil
	}
	return &uncertainError{err}
}

type uncertainError struct{ err error }

func (e *uncertainError) Error() string { return "outcome unknown: " + e.err.Error() }
func (e *uncertainError) Unwrap() error { return e.err }

// Excerpt shortens a client's text to about 100 bytes, to quote it in a message.
func Excerpt(s string) string {
	const limit = 100
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return s
}
