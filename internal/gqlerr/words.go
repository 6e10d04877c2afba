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

// words says what happened and what to do, for errors that come from the REST
// client. Its own message may quote the upstream, so it is never used.
func words(code Code, err error, wait time.Duration) string {
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

// refusals are the words for refusals of one resource or call that last, by the
// status of Mixcloud's answer.
var refusals = map[int]string{
	http.StatusPaymentRequired:            "Mixcloud shows this only to those who pay for it.",
	http.StatusMethodNotAllowed:           "Mixcloud does not offer this here (405 Method Not Allowed).",
	http.StatusConflict:                   "Mixcloud refused this, because it conflicts with something that exists (409 Conflict).",
	http.StatusRequestEntityTooLarge:      "This is larger than Mixcloud accepts (413 Request Entity Too Large).",
	http.StatusLocked:                     "This is locked on Mixcloud.",
	http.StatusUnavailableForLegalReasons: "This is not available here: Mixcloud withholds it for legal reasons.",
	http.StatusNotImplemented:             "Mixcloud does not offer this (501 Not Implemented).",
}

// refused returns the words for a refusal by its status; otherwise is for an
// answer that is none of these.
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

// again rounds up: who waits as long as it says never comes too early.
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

// limitMessage rewords the limit that gqlgen checks.
func limitMessage(found string) string {
	return "The query asks for too much at once: " + found + ". Ask for fewer fields or smaller pages."
}

// openMessage is said when nobody knows whether something was done.
func openMessage(code Code) string {
	happened := "Mixcloud's answer was lost."
	switch code {
	case CodeUpstreamTimeout:
		happened = "Mixcloud took too long to answer."
	case CodeUpstreamBadResponse:
		happened = "Mixcloud gave an answer that this server cannot read."
	}
	return happened + " It may have done this all the same: look before you send it again."
}
