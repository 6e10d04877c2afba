package upstream

import (
	"errors"
	"net/http"
	"runtime/debug"
	"time"

	"mixcloud-graphql/internal/breaker"
	"mixcloud-graphql/internal/cache"
	"mixcloud-graphql/internal/gqlerr"
	"mixcloud-graphql/internal/monotime"
	"mixcloud-graphql/internal/opstats"
	"mixcloud-graphql/internal/telemetry"
	"mixcloud-graphql/mixcloud"
)

// This file interprets the error of a call for the circuit breaker, for retries, for the cache,
// and for the client.

// outcomeOf returns the outcome of a call for a circuit breaker. A 5xx, a broken connection and a
// timeout are failures. A 404 or any other 4xx is a success. Refusals by the rate limit, canceled
// calls and local faults are ignored.
func outcomeOf(err error) breaker.Outcome {
	if err == nil {
		return breaker.Succeeded
	}
	if localFault(err) != "" {
		return breaker.Ignored
	}
	for kind, outcome := range outcomes {
		if errors.Is(err, kind) {
			return outcome
		}
	}
	return breaker.Ignored
}

var outcomes = map[error]breaker.Outcome{
	mixcloud.ErrNotFound:        breaker.Succeeded,
	mixcloud.ErrUnauthenticated: breaker.Succeeded,
	mixcloud.ErrForbidden:       breaker.Succeeded,
	mixcloud.ErrRefused:         breaker.Succeeded,
	mixcloud.ErrMoved:           breaker.Succeeded,
	mixcloud.ErrUnavailable:     breaker.Failed,
	mixcloud.ErrTimeout:         breaker.Failed,
}

// localFault returns the name of the local fault that prevented a call, or "".
func localFault(err error) string {
	if failed, ok := errors.AsType[*mixcloud.Error](err); ok {
		return failed.Local
	}
	return ""
}

// isLasting reports whether the same read would probably fail again right away. Errors that do
// not depend on the read are not lasting: the rate limit, a refused token, a canceled call, a
// local fault.
func isLasting(err error) bool {
	failed, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || localFault(err) != "" {
		return false
	}
	switch failed.Kind {
	case mixcloud.ErrUnavailable, mixcloud.ErrTimeout, mixcloud.ErrBadResponse, mixcloud.ErrRefused, mixcloud.ErrMoved, mixcloud.ErrForbidden:
		return true
	}
	return false
}

// retryable reports whether a retry of a read may succeed at once: after a broken connection,
// before or within the response, a 5xx, or a 4xx that invites a retry (408, 421, 425). Other
// errors are not retryable: an error with a Retry-After, whose wait is honored instead; a
// timeout, because the time is used up; a malformed response; the HTML page of a bot protection.
func retryable(err error) bool {
	e, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || e.RetryAfter > 0 {
		return false
	}
	return e.Kind == mixcloud.ErrUnavailable && e.Status != http.StatusForbidden
}

// allowsStale reports whether a stale entry may be served instead of an error (stale-if-error,
// RFC 5861): the error depends on Mixcloud's state and not on the resource.
func allowsStale(err error) bool {
	for _, kind := range []error{mixcloud.ErrUnavailable, mixcloud.ErrTimeout, mixcloud.ErrRateLimited, mixcloud.ErrBadResponse, mixcloud.ErrRefused, mixcloud.ErrMoved} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return Overloaded(err)
}

// reasonOf returns why Mixcloud returned no response.
func reasonOf(err error) opstats.Reason {
	if errors.Is(err, mixcloud.ErrRateLimited) {
		return opstats.RateLimited
	}
	return opstats.Unavailable
}

// startCooldown starts the cooldown of an entry after a failed call.
func startCooldown(e *cache.Entry, now monotime.Time, err error) {
	wait, _ := mixcloud.RetryAfter(err)
	e.StartCooldown(now, min(wait, maxPause), err)
}

// refusalOf replaces a breaker's refusal by the failure that opened it, with the remaining
// wait.
func refusalOf(err error) error {
	open, ok := errors.AsType[*breaker.OpenError](err)
	if !ok {
		return err
	}
	refused := mixcloud.Error{Kind: mixcloud.ErrUnavailable, Err: open.Cause}
	if failed, ok := errors.AsType[*mixcloud.Error](open.Cause); ok {
		refused = *failed
	}
	refused.RetryAfter, refused.NeverSent = max(open.Wait, 100*time.Millisecond), false
	return &refused
}

// minNamedWait is the maximum wait that errors omit, because clients wait as long without it.
const minNamedWait = time.Second

// withWait adds a wait to an error that a retry may resolve.
func withWait(err error, wait time.Duration) error {
	failed, ok := errors.AsType[*mixcloud.Error](err)
	if !ok || failed.Kind != mixcloud.ErrUnavailable && failed.Kind != mixcloud.ErrTimeout {
		return err
	}
	waiting := *failed
	if waiting.RetryAfter = wait; wait <= minNamedWait {
		waiting.RetryAfter = 0
	}
	return &waiting
}

// errOverloaded is wrapped by errors that report an overload of this server, not of Mixcloud.
var errOverloaded = errors.New("overloaded")

// Overloaded reports whether err refuses an operation, or a part of it, because this server is
// overloaded: HTTP status 503, with the wait of the [gqlerr.Error].
func Overloaded(err error) bool { return errors.Is(err, errOverloaded) }

func overloaded(wait time.Duration) error {
	return &gqlerr.Error{
		Code: gqlerr.CodeRateLimited, Wait: wait, Err: errOverloaded,
		Message: "The server is overloaded. Try again in a moment.",
	}
}

// maxPause bounds the Retry-After of a refusal.
const maxPause = time.Hour

// queueRetry is the wait in the error of a full queue.
const queueRetry = time.Second

// A PanicError is a panic in a read. All waiters receive it as their error.
type PanicError struct {
	value string
	stack []byte
}

// NewPanicError returns an error with a recovered value and the current stack.
func NewPanicError(p any) *PanicError { return &PanicError{telemetry.Panicked(p), debug.Stack()} }

// Error returns the panic and its stack, for the log. Clients receive an internal error.
func (e *PanicError) Error() string { return "upstream: panic: " + e.value + "\n" + string(e.stack) }
