package emulator

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// An apiError is an error response of the API (documented; observed:
// error_rate_limit_403.json).
type apiError struct {
	status     int
	kind       string // member type
	message    string
	retryAfter int                 // seconds; 0 for none
	details    map[string][]string // errors by field; nil for none
}

func (e *apiError) Error() string { return e.kind + ": " + e.message }

const oauthError = "OAuthException"

// Messages of 404 responses. The one about users is observed, in a client's tests;
// the others are inferred from it.
const (
	noUser      = "User does not exist."
	noCloudcast = "Cloudcast does not exist."
	noTag       = "Tag does not exist."
	noCity      = "City does not exist."
	noResource  = "Resource does not exist."
)

// notFound returns the error of a 404 response.
func notFound(message string) error {
	return &apiError{status: http.StatusNotFound, kind: "ResourceNotFoundException", message: message}
}

// oauthException returns the error for a missing or invalid token. Its messages are
// observed and documented; its status is inferred.
func oauthException(message string) error {
	return &apiError{status: http.StatusBadRequest, kind: oauthError, message: message}
}

// rateLimited returns the error of the rate limit (observed:
// error_rate_limit_403.json, with 452 seconds).
func rateLimited(seconds int) error {
	return &apiError{
		status:     http.StatusForbidden,
		kind:       "RateLimitException",
		message:    fmt.Sprintf("You have hit your rate limit. Retry after %d seconds.", seconds),
		retryAfter: seconds,
	}
}

// fail replaces the response with an error.
func (c *call) fail(err error) {
	switch {
	case errors.Is(err, errClientGone):
		panic(http.ErrAbortHandler)
	case errors.Is(err, errReset):
		c.resetConn = true
		return
	case errors.Is(err, errTooLarge):
		c.respondsEarly = true
		c.proxyPage(http.StatusRequestEntityTooLarge)
		return
	}
	failure, ok := err.(*apiError)
	if !ok {
		failure = &apiError{status: http.StatusInternalServerError, kind: "InternalError", message: err.Error()}
	}
	c.status, c.failure, c.listPage = failure.status, failure, listPage{}
	c.beginBody()
	w := &c.writer
	w.open('{')
	w.object("error")
	w.string("message", failure.message)
	w.string("type", failure.kind)
	if failure.retryAfter > 0 {
		c.retryAfter = strconv.Itoa(failure.retryAfter)
		w.int("retry_after", failure.retryAfter)
	}
	w.close('}')
	if failure.details != nil {
		w.details(failure.details)
	}
	w.close('}')
}

// details writes errors by field (client code).
func (w *writer) details(all map[string][]string) {
	w.object("details")
	for _, field := range slices.Sorted(maps.Keys(all)) {
		w.next()
		w.text(field) // clients choose the name, so escape it
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
