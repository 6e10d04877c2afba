package conformance

import (
	"context"
	"net/http"
	"strconv"
)

// noSuchName is the name of nobody and nothing.
const noSuchName = "conformance-no-such-name-7f3a"

// absent asks for what does not exist and wants to be told so.
func absent(ctx context.Context, s *session, path string) (*answer, failure, error) {
	a, err := s.get(ctx, path)
	if err != nil {
		return nil, failure{}, err
	}
	e := a.failure()
	if e.message == "" {
		return nil, failure{}, unsure("there is no message: %s", a)
	}
	return a, e, nil
}

// says is a probe of the message about something that does not exist.
func says(name string, sure Confidence, section, path, pattern, message string) probe {
	return probe{
		name: name, section: section, sure: sure, asks: []string{pattern},
		rule: "At " + pattern + ", what does not exist is told with the message \"" + message + "\"",
		judge: func(ctx context.Context, s *session) error {
			_, e, err := absent(ctx, s, path)
			if err == nil && e.message != message {
				return differs("%q", e.message)
			}
			return err
		},
	}
}

var errorProbes = []probe{
	{
		name: "not-found-is-404", section: "errors", sure: ClientCode, asks: []string{"/{user}/"},
		rule: "What does not exist is answered with status 404.",
		judge: func(ctx context.Context, s *session) error {
			a, _, err := absent(ctx, s, "/"+noSuchName+"/")
			if err == nil && a.status != http.StatusNotFound {
				return differs("%s", a)
			}
			return err
		},
	},
	{
		name: "errors-are-wrapped", section: "errors", sure: Documented, asks: []string{"/{user}/"},
		rule: "An error's message and type stand inside the member error.",
		judge: func(ctx context.Context, s *session) error {
			a, e, err := absent(ctx, s, "/"+noSuchName+"/")
			if err == nil && !e.wrapped {
				return differs("%s", a.body)
			}
			return err
		},
	},
	{
		name: "errors-have-a-type", section: "errors", sure: ClientCode, asks: []string{"/{user}/"},
		rule: "The type of an error about something that does not exist is ResourceNotFoundException.",
		judge: func(ctx context.Context, s *session) error {
			_, e, err := absent(ctx, s, "/"+noSuchName+"/")
			if err == nil && e.kind != "ResourceNotFoundException" {
				return differs("%q", e.kind)
			}
			return err
		},
	},
	says("no-such-user", ClientCode, "errors", "/"+noSuchName+"/", "/{user}/", "User does not exist."),
	says("no-such-cloudcast", Unknown, "unknown", "/"+example+"/"+noSuchName+"/", "/{user}/{cloudcast}/", "Cloudcast does not exist."),
	says("no-such-tag", Unknown, "unknown", "/genres/"+noSuchName+"/", "/genres/{tag}/", "Tag does not exist."),
}

// limitedAnswer is how the rate limit refused a request of this run. Nobody
// provokes it: without one nothing can be told.
func limitedAnswer(s *session) (*answer, error) {
	if len(s.limited) == 0 {
		return nil, unsure("the rate limit was not reached")
	}
	return s.limited[0], nil
}

// rateLimitProbes look at what came by, so they stand at the end.
var rateLimitProbes = []probe{
	{
		name: "rate-limit-is-403", section: "rate-limit", sure: Observed,
		rule: "The rate limit answers with status 403.",
		judge: func(_ context.Context, s *session) error {
			a, err := limitedAnswer(s)
			if err == nil && a.status != http.StatusForbidden {
				return differs("status %d", a.status)
			}
			return err
		},
	},
	{
		name: "rate-limit-has-retry-after", section: "rate-limit", sure: Documented,
		rule: "The rate limit's answer has a Retry-After header in seconds.",
		judge: func(_ context.Context, s *session) error {
			a, err := limitedAnswer(s)
			if err != nil {
				return err
			}
			if _, err := strconv.Atoi(a.header.Get("Retry-After")); err != nil {
				return differs("Retry-After: %s", a.header.Get("Retry-After"))
			}
			return nil
		},
	},
	{
		name: "rate-limit-has-retry-after-member", section: "rate-limit", sure: Observed,
		rule: "The rate limit's error has the seconds in retry_after.",
		judge: func(_ context.Context, s *session) error {
			a, err := limitedAnswer(s)
			if err == nil && a.failure().retryAfter == "" {
				return differs("%s", a.body)
			}
			return err
		},
	},
}
