package emulator

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// An apiError is an answer of the API that says why there is no other
// (documented; observed: error_rate_limit_403.json).
type apiError struct {
	status     int
	kind       string // member type
	message    string
	retryAfter int                 // seconds; 0 for none
	details    map[string][]string // refusals of single fields; nil for none
}

func (e *apiError) Error() string { return e.kind + ": " + e.message }

const oauthError = "OAuthException"

// What is said of what is not there. Only the sentence about users was ever
// seen, in a client's tests; the others are inferred from it.
const (
	noUser      = "User does not exist."
	noCloudcast = "Cloudcast does not exist."
	noTag       = "Tag does not exist."
)

// notFound is the answer for what is not there.
func notFound(message string) error {
	return &apiError{status: http.StatusNotFound, kind: "ResourceNotFoundException", message: message}
}

// refused is the answer to a missing or wrong token. Its messages are observed
// and documented, its status is inferred.
func refused(message string) error {
	return &apiError{status: http.StatusBadRequest, kind: oauthError, message: message}
}

// rateLimited is the answer to one request too many (observed:
// error_rate_limit_403.json, with 452 seconds).
func rateLimited(seconds int) error {
	return &apiError{
		status:     http.StatusForbidden,
		kind:       "RateLimitException",
		message:    fmt.Sprintf("You have hit your rate limit. Retry after %d seconds.", seconds),
		retryAfter: seconds,
	}
}

// fail makes err the answer, instead of whatever stands in the body.
func (c *call) fail(err error) {
	switch {
	case errors.Is(err, errGone):
		panic(http.ErrAbortHandler)
	case errors.Is(err, errCut):
		c.torn = true
		return
	case errors.Is(err, errTooLarge):
		c.hasty = true
		c.page5xx(http.StatusRequestEntityTooLarge)
		return
	}
	failure, ok := err.(*apiError)
	if !ok {
		failure = &apiError{status: http.StatusInternalServerError, kind: "InternalError", message: err.Error()}
	}
	c.status = failure.status
	if c.status == http.StatusNotFound && c.breaks(notFoundIs200) {
		c.status = http.StatusOK
	}
	if failure.kind == oauthError && c.breaks(tokenRefusals401) {
		c.status = http.StatusUnauthorized
	}
	if failure.retryAfter > 0 {
		c.retryAfter = strconv.Itoa(failure.retryAfter)
		if c.breaks(rateLimitIs429) {
			c.status = http.StatusTooManyRequests
		}
	}
	c.begin()
	w := &c.writer
	w.open('{')
	if !c.breaks(bareErrors) {
		w.object("error")
	}
	message := failure.message
	if r, ok := otherWords[message]; ok && c.breaks(r) {
		message = "Not found."
	}
	w.string("message", message)
	if !c.breaks(untypedErrors) {
		w.string("type", failure.kind)
	}
	if failure.retryAfter > 0 && !c.breaks(retryAfterBodyMissing) {
		w.int("retry_after", failure.retryAfter)
	}
	if !c.breaks(bareErrors) {
		w.close('}')
	}
	if failure.details != nil {
		w.details(failure.details)
	}
	w.close('}')
}

// details writes refusals of single fields (client code).
func (w *writer) details(all map[string][]string) {
	w.object("details")
	for _, field := range slices.Sorted(maps.Keys(all)) {
		w.next()
		w.text(field) // strangers choose it
		w.buf = append(w.buf, ": "...)
		w.open('[')
		for _, text := range all[field] {
			w.next()
			w.text(text)
		}
		w.close(']')
	}
	w.close('}')
}
