package gqlerr

import (
	"strings"
	"time"
)

// An Error is an error of this server whose words are meant for the client.
// Its fields must not change once it was returned.
type Error struct {
	Code     Code
	Message  string        // for people: what happened and what to do
	Argument string        // the argument at fault as a client writes it, such as "first" or "input.name"; "" if none
	Wait     time.Duration // how long to wait before a retry; 0 if not known
	Err      error         // the cause, for the log alone; may be nil

	// Details are further members of extensions, such as the numbers of a limit;
	// values are what encoding/json can write. They give way to members that
	// every error has. Nil for none.
	Details map[string]any
}

// Error returns the words with the code and the cause, for a log.
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

// Invalid reports an argument that is wrong in itself: BAD_USER_INPUT. Reason
// continues the argument's name, as in "must be between 0 and 100".
func Invalid(arg, reason string) error {
	return &Error{Code: CodeBadUserInput, Argument: arg, Message: invalidMessage(arg, reason)}
}

// Limit reports a request for more than this server gives at once:
// LIMIT_EXCEEDED. The message should name the limit and a way to stay within.
func Limit(message string) error { return &Error{Code: CodeLimitExceeded, Message: message} }

// NotFound reports something missing under an existing object: NOT_FOUND. A
// root look-up that finds nothing is null instead, without an error.
func NotFound(message string) error { return &Error{Code: CodeNotFound, Message: message} }

// Unauthenticated reports that a viewer is needed: UNAUTHENTICATED.
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

// Internal reports a fault of this server: INTERNAL. The cause goes to the log
// alone; it may be nil if it is there already.
func Internal(cause error) error {
	return &Error{Code: CodeInternal, Message: internalMessage, Err: cause}
}

// Uncertain marks an error after which nobody knows whether what was asked for
// has been done, and after which doing it again would do it twice: clients are
// told so, and not to try again unseen. Its code is err's. A nil err stays nil.
func Uncertain(err error) error {
	if err == nil {
		return nil
	}
	return &uncertainError{err}
}

type uncertainError struct{ err error }

func (e *uncertainError) Error() string { return "done or not: " + e.err.Error() }
func (e *uncertainError) Unwrap() error { return e.err }
