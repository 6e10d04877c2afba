// Package gqlerr converts errors to the form that clients see: a code of a closed list in
// extensions.code, a message, and whether a retry can help. All other details of an error go
// only to the log.
//
// Resolvers return errors with any wrapping, or create one with [Invalid], [Limit], [NotFound]
// or [Unauthenticated]; [Presenter] classifies them. The package never modifies an error that
// it receives, because a loader returns one error value to many fields at the same time.
package gqlerr

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/mixcloud"
)

// A Code is a value of extensions.code. The list is closed: every error in a response has
// exactly one of the constants below.
type Code string

// Codes of this server.
const (
	// CodeBadUserInput is for an invalid request, argument or variable: a retry without
	// changes fails again.
	CodeBadUserInput Code = "BAD_USER_INPUT"
	// CodeUnauthenticated is for a missing token, or one that Mixcloud has refused.
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	// CodeForbidden is for an object or an action that the viewer has no permission for.
	CodeForbidden Code = "FORBIDDEN"
	// CodeNotFound is for a missing part of an existing object.
	CodeNotFound Code = "NOT_FOUND"
	// CodeRateLimited is for Mixcloud's rate limit; retryable.
	CodeRateLimited Code = "RATE_LIMITED"
	// CodeUpstreamTimeout is for a response of Mixcloud that did not arrive in time;
	// retryable.
	CodeUpstreamTimeout Code = "UPSTREAM_TIMEOUT"
	// CodeUpstreamUnavailable is for a Mixcloud that cannot be reached or fails; retryable.
	CodeUpstreamUnavailable Code = "UPSTREAM_UNAVAILABLE"
	// CodeUpstreamBadResponse is for an invalid response of Mixcloud.
	CodeUpstreamBadResponse Code = "UPSTREAM_BAD_RESPONSE"
	// CodeLimitExceeded is for a request that exceeds a limit of this server.
	CodeLimitExceeded Code = "LIMIT_EXCEEDED"
	// CodeInternal is for a fault of this server; extensions.requestId identifies it in the
	// log.
	CodeInternal Code = "INTERNAL"
)

// Codes that gqlgen sets, with the names that clients expect.
const (
	// CodeParseFailed is for a document with a syntax error.
	CodeParseFailed Code = errcode.ParseFailed
	// CodeValidationFailed is for a document or variables that do not match the schema.
	CodeValidationFailed Code = errcode.ValidationFailed
	// CodePersistedQueryNotFound is for an unknown hash: the client must send the query with
	// its hash.
	CodePersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
)

// Codes returns all codes in the order of the constants. The caller may modify the slice.
func Codes() []Code {
	return []Code{
		CodeBadUserInput, CodeUnauthenticated, CodeForbidden, CodeNotFound, CodeRateLimited,
		CodeUpstreamTimeout, CodeUpstreamUnavailable, CodeUpstreamBadResponse,
		CodeLimitExceeded, CodeInternal,
		CodeParseFailed, CodeValidationFailed, CodePersistedQueryNotFound,
	}
}

// Retryable reports whether the same request may succeed later.
func (c Code) Retryable() bool {
	return c == CodeRateLimited || c == CodeUpstreamTimeout || c == CodeUpstreamUnavailable
}

// kinds maps errors of the REST client to codes. If several match, the first is used.
var kinds = []struct {
	is   error
	code Code
}{
	{mixcloud.ErrInvalid, CodeBadUserInput},
	{mixcloud.ErrRateLimited, CodeRateLimited},
	{mixcloud.ErrUnauthenticated, CodeUnauthenticated},
	{mixcloud.ErrForbidden, CodeForbidden},
	{mixcloud.ErrNotFound, CodeNotFound},
	// The client disconnected, or the server is shutting down: the request is valid, so a
	// client that is still connected may retry it.
	{context.Canceled, CodeUpstreamUnavailable},
	{mixcloud.ErrTimeout, CodeUpstreamTimeout},
	{context.DeadlineExceeded, CodeUpstreamTimeout},
	{mixcloud.ErrUnavailable, CodeUpstreamUnavailable},
	{mixcloud.ErrBadResponse, CodeUpstreamBadResponse},
	{mixcloud.ErrRefused, CodeUpstreamBadResponse},
	{mixcloud.ErrMoved, CodeUpstreamBadResponse},
}

// CodeOf returns the code of err, with any wrapping. The code of an unknown error is
// [CodeInternal], and that of nil is "".
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if custom, ok := errors.AsType[*Error](err); ok {
		return custom.Code
	}
	for _, k := range kinds {
		if errors.Is(err, k.is) {
			return k.code
		}
	}
	if g, ok := errors.AsType[*gqlerror.Error](err); ok {
		return gqlgenCode(g)
	}
	return CodeInternal
}

// gqlgenCode returns the code that gqlgen or an extension of it has set in an error.
func gqlgenCode(g *gqlerror.Error) Code {
	set, _ := g.Extensions["code"].(string)
	switch code := Code(set); {
	case set == "COMPLEXITY_LIMIT_EXCEEDED":
		return CodeLimitExceeded
	case slices.Contains(Codes(), code):
		return code
	default:
		return CodeInternal
	}
}
