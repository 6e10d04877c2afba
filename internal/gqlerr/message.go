package gqlerr

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"mixcloud-graphql/mixcloud"
)

const internalMessage = "Internal server error. Report it with the request id in extensions.requestId."

// message returns the message for an error of the REST client. The error's own message may
// quote Mixcloud, so it is never used.
func message(code Code, err error, wait time.Duration) string {
	switch code {
	case CodeRateLimited:
		return "Mixcloud's rate limit is exceeded. " + retryAdvice(wait)
	case CodeUnauthenticated:
		return "Mixcloud requires a valid access token for this. Send \"Authorization: Bearer <token>\", or sign in again if your token was revoked."
	case CodeForbidden:
		return refused(err, "Mixcloud denied access. Use the access token of a user who has permission.")
	case CodeNotFound:
		return "Mixcloud did not find this. It may have been deleted, renamed or made private."
	case CodeUpstreamTimeout:
		return "Mixcloud did not respond in time. " + retryAdvice(wait)
	case CodeUpstreamUnavailable:
		if errors.Is(err, context.Canceled) {
			return "The request was canceled before it was complete. Send it again."
		}
		if api, ok := errors.AsType[*mixcloud.Error](err); ok && api.Local != "" {
			return "This server cannot call Mixcloud at the moment. " + retryAdvice(wait)
		}
		return "Mixcloud cannot be reached or is failing. " + retryAdvice(wait)
	case CodeUpstreamBadResponse:
		if errors.Is(err, mixcloud.ErrMoved) {
			return "Mixcloud redirected the call to a URL that this server does not follow."
		}
		return refused(err, "Mixcloud returned an invalid response.")
	case CodeBadUserInput:
		return "The input is not valid."
	default:
		return internalMessage
	}
}

// refusals are the messages for permanent refusals of a resource or call, by Mixcloud's status.
var refusals = map[int]string{
	http.StatusPaymentRequired:            "Mixcloud requires a payment or a subscription for this (402 Payment Required).",
	http.StatusMethodNotAllowed:           "Mixcloud does not support this here (405 Method Not Allowed).",
	http.StatusConflict:                   "Mixcloud refused the call: it conflicts with an existing object (409 Conflict).",
	http.StatusRequestEntityTooLarge:      "Mixcloud refused the call: it is too large (413 Request Entity Too Large).",
	http.StatusLocked:                     "Mixcloud has locked this (423 Locked).",
	http.StatusUnavailableForLegalReasons: "Mixcloud does not make this available, for legal reasons (451 Unavailable For Legal Reasons).",
	http.StatusNotImplemented:             "Mixcloud does not support this (501 Not Implemented).",
}

// refused returns the message for the status of a refusal, or fallback if there is none.
func refused(err error, fallback string) string {
	api, ok := errors.AsType[*mixcloud.Error](err)
	if !ok {
		return fallback
	}
	if text, ok := refusals[api.Status]; ok {
		return text
	}
	if api.Kind == mixcloud.ErrRefused {
		return "Mixcloud refused the call (" + strings.TrimSpace(strconv.Itoa(api.Status)+" "+http.StatusText(api.Status)) + ")."
	}
	return fallback
}

// retryAdvice returns the advice to retry after a wait, which is rounded up to whole seconds.
func retryAdvice(wait time.Duration) string {
	switch s := int((wait + time.Second - 1) / time.Second); {
	case s <= 0:
		return "Try again in a moment."
	case s == 1:
		return "Try again in 1 second."
	default:
		return "Try again in " + strconv.Itoa(s) + " seconds."
	}
}

// limitMessage rewords the message of a limit that gqlgen checks.
func limitMessage(problem string) string {
	return "The operation exceeds a limit: " + problem + ". Select fewer fields or smaller pages."
}

// uncertainMessage returns the message for a write whose outcome is unknown.
func uncertainMessage(code Code) string {
	problem := "Mixcloud's response was lost."
	switch code {
	case CodeUpstreamTimeout:
		problem = "Mixcloud did not respond in time."
	case CodeUpstreamBadResponse:
		problem = "Mixcloud returned an invalid response."
	}
	return problem + " The change may have been made: check before you retry."
}
