// Package gqlerr turns errors into what a client of the graph may see of them:
// a code of a closed list in extensions.code, words for people, and whether
// trying again can help. Everything else about an error goes to the log.
//
// Resolvers return errors as they come, wrapped at will, or make one of their
// own with [Invalid], [Limit], [NotFound] or [Unauthenticated]; [Presenter]
// classifies them. Nothing here is ever written into an error that was passed
// in: a loader hands one error value to many fields at the same time.
package gqlerr

import (
	"context"
	"errors"
	"slices"

	"github.com/99designs/gqlgen/graphql/errcode"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"mixcloud-graphql/mixcloud"
)

// A Code is a value of extensions.code. The list is closed: every error that
// leaves the server carries exactly one of the constants below.
type Code string

// Codes of this server.
const (
	// CodeBadUserInput is for a request, argument or variable that is wrong in
	// itself: sent again unchanged it fails again.
	CodeBadUserInput Code = "BAD_USER_INPUT"
	// CodeUnauthenticated is for a missing token, or one that Mixcloud refused.
	CodeUnauthenticated Code = "UNAUTHENTICATED"
	// CodeForbidden is for what the viewer may not see or do.
	CodeForbidden Code = "FORBIDDEN"
	// CodeNotFound is for something that hangs on an existing object and is not there.
	CodeNotFound Code = "NOT_FOUND"
	// CodeRateLimited is for Mixcloud's rate limit; retryable.
	CodeRateLimited Code = "RATE_LIMITED"
	// CodeUpstreamTimeout is for an answer that did not come in time; retryable.
	CodeUpstreamTimeout Code = "UPSTREAM_TIMEOUT"
	// CodeUpstreamUnavailable is for a Mixcloud that cannot be reached or fails; retryable.
	CodeUpstreamUnavailable Code = "UPSTREAM_UNAVAILABLE"
	// CodeUpstreamBadResponse is for an answer that makes no sense.
	CodeUpstreamBadResponse Code = "UPSTREAM_BAD_RESPONSE"
	// CodeLimitExceeded is for a request that asks for more than this server gives at once.
	CodeLimitExceeded Code = "LIMIT_EXCEEDED"
	// CodeInternal is for a fault of this server; extensions.requestId finds it in the log.
	CodeInternal Code = "INTERNAL"
)

// Codes that gqlgen sets and clients know by these names.
const (
	// CodeParseFailed is for a document that is not GraphQL.
	CodeParseFailed Code = errcode.ParseFailed
	// CodeValidationFailed is for a document or variables that do not fit the schema.
	CodeValidationFailed Code = errcode.ValidationFailed
	// CodePersistedQueryNotFound asks the client to send the query along with its hash.
	CodePersistedQueryNotFound Code = "PERSISTED_QUERY_NOT_FOUND"
)

// Codes returns every code, in the order of the constants. The slice is the caller's.
func Codes() []Code {
	return []Code{
		CodeBadUserInput, CodeUnauthenticated, CodeForbidden, CodeNotFound, CodeRateLimited,
		CodeUpstreamTimeout, CodeUpstreamUnavailable, CodeUpstreamBadResponse,
		CodeLimitExceeded, CodeInternal,
		CodeParseFailed, CodeValidationFailed, CodePersistedQueryNotFound,
	}
}

// Retryable tells whether the same request may succeed later.
func (c Code) Retryable() bool {
	return c == CodeRateLimited || c == CodeUpstreamTimeout || c == CodeUpstreamUnavailable
}

// kinds maps what the REST client reports to codes. Order matters where an
// error is several things at once: the first match wins.
var kinds = []struct {
	is   error
	code Code
}{
	{mixcloud.ErrInvalid, CodeBadUserInput},
	{mixcloud.ErrRateLimited, CodeRateLimited},
	{mixcloud.ErrUnauthenticated, CodeUnauthenticated},
	{mixcloud.ErrForbidden, CodeForbidden},
	{mixcloud.ErrNotFound, CodeNotFound},
	// The client went away, or the server is stopping: nothing is wrong with
	// the request, so a client that still listens may send it again.
	{context.Canceled, CodeUpstreamUnavailable},
	{mixcloud.ErrTimeout, CodeUpstreamTimeout},
	{context.DeadlineExceeded, CodeUpstreamTimeout},
	{mixcloud.ErrUnavailable, CodeUpstreamUnavailable},
	{mixcloud.ErrBadResponse, CodeUpstreamBadResponse},
	{mixcloud.ErrRefused, CodeUpstreamBadResponse},
	{mixcloud.ErrMoved, CodeUpstreamBadResponse},
}

// CodeOf classifies err, however deeply it is wrapped. What it does not know
// is [CodeInternal]; a nil error has no code ("").
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if own, ok := errors.AsType[*Error](err); ok {
		return own.Code
	}
	for _, k := range kinds {
		if errors.Is(err, k.is) {
			return k.code
		}
	}
	if g, ok := errors.AsType[*gqlerror.Error](err); ok {
		return foreign(g)
	}
	return CodeInternal
}

// foreign reads the code that gqlgen or an extension of it put into an error.
func foreign(g *gqlerror.Error) Code {
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
