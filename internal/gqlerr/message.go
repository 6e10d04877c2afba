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

const internalMessage = "Something went wrong inside this server. Quote the request id when you report it."

// message returns the message for an error of the REST client. The error's own message may
// quote Mixcloud, so it is never used.
func message(code Code, err error, wait time.Duration) string {
	switch code {
	case CodeRateLimited:
		return "Mixcloud's rate limit is reached. " + again(wait)
	case CodeUnauthenticated:
		return "Mixcloud wants a valid access token for this. Send one as \"Authorization: Bearer <token>\", or sign in again if yours was revoked."
	case CodeForbidden:
		return refused(err, "Mixcloud does not allow this.")
	case CodeNotFound:
		return "Mixcloud has nothing here. It may have been removed, renamed or made private."
	case CodeUpstreamTimeout:
		return "Mixcloud took too long to answer. " + again(wait)
	case CodeUpstreamUnavailable:
		if errors.Is(err, context.Canceled) {
			return "The request was cancelled before it was answered. Send it again."
		}
		if api, ok := errors.AsType[*mixcloud.Error](err); ok && api.Local != "" {
			return "This server cannot call Mixcloud at the moment. " + again(wait)
		}
		return "Mixcloud cannot be reached or is failing. " + again(wait)
	case CodeUpstreamBadResponse:
		if errors.Is(err, mixcloud.ErrMoved) {
			return "Mixcloud redirects this to an address that this server does not follow."
		}
		return refused(err, "Mixcloud gave an answer that this server cannot read.")
	case CodeBadUserInput:
		return "The input is not valid."
	default:
		return internalMessage
	}
}

// refusals are the messages for permanent refusals of a resource or call, by Mixcloud's status.
var refusals = map[int]string{
	http.StatusPaymentRequired:            "Mixcloud shows this only to those who pay for it.",
	http.StatusMethodNotAllowed:           "Mixcloud does not offer this here (405 Method Not Allowed).",
	http.StatusConflict:                   "Mixcloud refused this, because it conflicts with something that exists (409 Conflict).",
	http.StatusRequestEntityTooLarge:      "This is larger than Mixcloud accepts (413 Request Entity Too Large).",
	http.StatusLocked:                     "This is locked on Mixcloud.",
	http.StatusUnavailableForLegalReasons: "This is not available here: Mixcloud withholds it for legal reasons.",
	http.StatusNotImplemented:             "Mixcloud does not offer this (501 Not Implemented).",
}

// refused returns the message for a refusal by its status, or otherwise.
func refused(err error, otherwise string) string {
	api, ok := errors.AsType[*mixcloud.Error](err)
	if !ok {
		return otherwise
	}
	if own, ok := refusals[api.Status]; ok {
		return own
	}
	if api.Kind == mixcloud.ErrRefused {
		return "Mixcloud refused this request (" + strings.TrimSpace(strconv.Itoa(api.Status)+" "+http.StatusText(api.Status)) + ")."
	}
	return otherwise
}

// again returns the advice to retry after a wait, rounded up so that the retry is never too
// early.
func again(wait time.Duration) string {
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
func limitMessage(found string) string {
	return "The query asks for too much at once: " + found + ". Ask for fewer fields or smaller pages."
}

// uncertainMessage returns the message for a write whose outcome is unknown.
func uncertainMessage(code Code) string {
	happened := "Mixcloud's answer was lost."
	switch code {
	case CodeUpstreamTimeout:
		happened = "Mixcloud took too long to answer."
	case CodeUpstreamBadResponse:
		happened = "Mixcloud gave an answer that this server cannot read."
	}
	return happened + " It may have done this all the same: look before you send it again."
}
