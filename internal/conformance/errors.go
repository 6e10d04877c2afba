package conformance

import (
	"context"
	"net/http"
	"strconv"
)

// unknownName is a name that no user, cloudcast or tag has.
const unknownName = "conformance-no-such-name-7f3a"

// fetchMissing fetches a path that does not exist, and requires an error message.
func fetchMissing(ctx context.Context, s *session, path string) (*response, apiError, error) {
	a, err := s.get(ctx, path)
	if err != nil {
		return nil, apiError{}, err
	}
	e := a.apiError()
	if e.message == "" {
		return nil, apiError{}, inconclusive("the response has no error message: %s", a)
	}
	return a, e, nil
}

// messageProbe returns a probe of the message for a resource that does not exist.
func messageProbe(name string, confidence Confidence, section, path, pattern, message string) probe {
	return probe{
		name: name, section: section, confidence: confidence, paths: []string{pattern},
		rule: "The message for a missing resource at " + pattern + " is \"" + message + "\"",
		check: func(ctx context.Context, s *session) error {
			_, e, err := fetchMissing(ctx, s, path)
			if err == nil && e.message != message {
				return differs("the message is %q", e.message)
			}
			return err
		},
	}
}

var errorProbes = []probe{
	{
		name: "not-found-is-404", section: "errors", confidence: ClientCode, paths: []string{"/{user}/"},
		rule: "The response for a resource that does not exist has status 404.",
		check: func(ctx context.Context, s *session) error {
			a, _, err := fetchMissing(ctx, s, "/"+unknownName+"/")
			if err == nil && a.status != http.StatusNotFound {
				return differs("the response has %s", a)
			}
			return err
		},
	},
	{
		name: "errors-are-wrapped", section: "errors", confidence: Documented, paths: []string{"/{user}/"},
		rule: "The message and the type of an error are inside the member error.",
		check: func(ctx context.Context, s *session) error {
			a, e, err := fetchMissing(ctx, s, "/"+unknownName+"/")
			if err == nil && !e.wrapped {
				return differs("the body is %s", a.body)
			}
			return err
		},
	},
	{
		name: "errors-have-a-type", section: "errors", confidence: ClientCode, paths: []string{"/{user}/"},
		rule: "The type of the error for a resource that does not exist is ResourceNotFoundException.",
		check: func(ctx context.Context, s *session) error {
			_, e, err := fetchMissing(ctx, s, "/"+unknownName+"/")
			if err == nil && e.kind != "ResourceNotFoundException" {
				return differs("the type is %q", e.kind)
			}
			return err
		},
	},
	messageProbe("no-such-user", ClientCode, "errors", "/"+unknownName+"/", "/{user}/", "User does not exist."),
	messageProbe("no-such-cloudcast", Unknown, "unknown", "/"+exampleUser+"/"+unknownName+"/", "/{user}/{cloudcast}/", "Cloudcast does not exist."),
	messageProbe("no-such-tag", Unknown, "unknown", "/genres/"+unknownName+"/", "/genres/{tag}/", "Tag does not exist."),
}

// rateLimitResponse returns the first rate limit error of this run. The run does not
// cause one on purpose; without one the probes are inconclusive.
func rateLimitResponse(s *session) (*response, error) {
	if len(s.rateLimited) == 0 {
		return nil, inconclusive("the rate limit was not reached")
	}
	return s.rateLimited[0], nil
}

// rateLimitProbes check the responses of other probes, so they run last.
var rateLimitProbes = []probe{
	{
		name: "rate-limit-is-403", section: "rate-limit", confidence: Observed,
		rule: "The rate limit error has status 403.",
		check: func(_ context.Context, s *session) error {
			a, err := rateLimitResponse(s)
			if err == nil && a.status != http.StatusForbidden {
				return differs("the status is %d", a.status)
			}
			return err
		},
	},
	{
		name: "rate-limit-has-retry-after", section: "rate-limit", confidence: Documented,
		rule: "The rate limit error has a Retry-After header in seconds.",
		check: func(_ context.Context, s *session) error {
			a, err := rateLimitResponse(s)
			if err != nil {
				return err
			}
			if _, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil {
				return differs("the Retry-After header is %q", a.header.Get("Retry-After"))
			}
			return nil
		},
	},
	{
		name: "rate-limit-has-retry-after-member", section: "rate-limit", confidence: Observed,
		rule: "The rate limit error has the seconds in retry_after.",
		check: func(_ context.Context, s *session) error {
			a, err := rateLimitResponse(s)
			if err == nil && a.apiError().retryAfter == "" {
				return differs("the body is %s", a.body)
			}
			return err
		},
	},
}
