package conformance

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// redirect fetches a user's path without the trailing slash, and requires a redirect.
func redirect(ctx context.Context, s *session) (location string, a *response, err error) {
	a, err = s.get(ctx, "/"+exampleUser+"?limit=7")
	if err != nil {
		return "", nil, err
	}
	if location = a.header.Get("Location"); a.status < 300 || a.status >= 400 || location == "" {
		return "", nil, inconclusive("the response is not a redirect: %s", a)
	}
	return location, a, nil
}

// chartResponse fetches the chart, whose headers and format are checked, because it has
// varied texts.
func chartResponse(ctx context.Context, s *session) (*response, error) {
	a, err := s.get(ctx, chartPath)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, inconclusive("%s", a)
	}
	return a, nil
}

// headerProbe returns a probe of one header of a successful response.
func headerProbe(name, header, rule string, check func(got string) error) probe {
	return probe{name: name, rule: rule, section: "transport", confidence: Observed, check: func(ctx context.Context, s *session) error {
		a, err := chartResponse(ctx, s)
		if err != nil {
			return err
		}
		return check(a.header.Get(header))
	}}
}

func equals(want string) func(string) error {
	return func(got string) error {
		if !strings.EqualFold(got, want) {
			return differs("%q instead of %q", got, want)
		}
		return nil
	}
}

var (
	requestID = regexp.MustCompile(`^[0-9a-f]{32}$`)
	indented  = regexp.MustCompile(`^\{\n {4}"`)
)

var transportProbes = []probe{
	{
		name: "missing-slash-redirects", section: "transport", confidence: Observed, paths: []string{"/{user}"},
		rule: "A path without its trailing slash is redirected.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/"+exampleUser+"?limit=7")
			if err != nil {
				return err
			}
			if a.status == http.StatusOK {
				return differs("the response is not a redirect: %s", a)
			}
			_, _, err = redirect(ctx, s)
			return err
		},
	},
	{
		name: "redirect-is-permanent", section: "transport", confidence: Observed, paths: []string{"/{user}"},
		rule: "The redirect to the path with a slash has status 301.",
		check: func(ctx context.Context, s *session) error {
			_, a, err := redirect(ctx, s)
			if err == nil && a.status != http.StatusMovedPermanently {
				return differs("the status is %d", a.status)
			}
			return err
		},
	},
	{
		name: "redirect-is-relative", section: "transport", confidence: Observed, paths: []string{"/{user}"},
		rule: "The Location of the redirect is a path, without scheme and host.",
		check: func(ctx context.Context, s *session) error {
			location, _, err := redirect(ctx, s)
			if err == nil && !strings.HasPrefix(location, "/") {
				return differs("the Location is %s", location)
			}
			return err
		},
	},
	{
		name: "redirect-keeps-query", section: "transport", confidence: Observed, paths: []string{"/{user}"},
		rule: "The redirect has the unchanged query.",
		check: func(ctx context.Context, s *session) error {
			location, _, err := redirect(ctx, s)
			if err == nil && !strings.HasSuffix(location, "?limit=7") {
				return differs("the Location is %s", location)
			}
			return err
		},
	},
	{
		name: "redirect-has-no-body", section: "transport", confidence: Observed, paths: []string{"/{user}"},
		rule: "The redirect has an empty body.",
		check: func(ctx context.Context, s *session) error {
			_, a, err := redirect(ctx, s)
			if err == nil && len(a.body) > 0 {
				return differs("the body has %d bytes", len(a.body))
			}
			return err
		},
	},
	headerProbe("content-type-javascript", "Content-Type", "JSON is served as text/javascript; charset=utf-8.", equals("text/javascript; charset=utf-8")),
	headerProbe("cors-any-origin", "Access-Control-Allow-Origin", "Pages of every origin may read responses: Access-Control-Allow-Origin is *.", equals("*")),
	headerProbe("vary-encoding-origin", "Vary", "Responses vary by Accept-Encoding and Origin.", func(got string) error {
		low := strings.ToLower(got)
		if !strings.Contains(low, "accept-encoding") || !strings.Contains(low, "origin") {
			return differs("Vary is %q", got)
		}
		return nil
	}),
	headerProbe("request-id", "X-Request-Id", "Every response has an X-Request-Id of 32 hexadecimal digits.", func(got string) error {
		if !requestID.MatchString(got) {
			return differs("X-Request-Id is %q", got)
		}
		return nil
	}),
	{
		name: "no-rate-limit-headers", section: "rate-limit", confidence: Observed,
		rule: "A successful response has no header with the state of the rate limit.",
		check: func(ctx context.Context, s *session) error {
			a, err := chartResponse(ctx, s)
			if err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(a.header)) {
				if strings.Contains(strings.ToLower(name), "ratelimit") {
					return differs("the header %s is %s", name, a.header.Get(name))
				}
			}
			return nil
		},
	},
	{
		name: "body-indented", section: "transport", confidence: Observed,
		rule: "JSON is indented by four spaces.",
		check: func(ctx context.Context, s *session) error {
			a, err := chartResponse(ctx, s)
			switch {
			case err != nil:
				return err
			case a.doc == nil:
				return inconclusive("%s", a)
			case !indented.Match(a.body):
				return differs("the body begins with %q", a.body[:min(len(a.body), 20)])
			}
			return nil
		},
	},
	{
		name: "body-is-ascii", section: "transport", confidence: Observed,
		rule: "Non-ASCII characters are escaped as \\uXXXX.",
		check: func(ctx context.Context, s *session) error {
			for _, ref := range cloudcastLists {
				a, err := s.get(ctx, ref)
				if err != nil {
					return err
				}
				if a.doc == nil {
					return inconclusive("%s", a)
				}
				if i := bytes.IndexFunc(a.body, func(r rune) bool { return r > '~' }); i >= 0 {
					return differs("%q is not escaped", a.body[i:min(len(a.body), i+12)])
				}
				if bytes.Contains(a.body, []byte(`\u`)) {
					return nil
				}
			}
			return inconclusive("no non-ASCII character was found")
		},
	},
	{
		name: "jsonp", section: "transport", confidence: Documented, paths: []string{"/{user}/"},
		rule: "With the parameter callback, the body is a call of that function.",
		check: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/"+exampleUser+"/?callback="+jsonpFunction)
			if err != nil {
				return err
			}
			if !bytes.HasPrefix(a.body, []byte(jsonpFunction+"(")) {
				if a.doc == nil {
					return inconclusive("%s", a)
				}
				return differs("the body begins with %q", a.body[:min(len(a.body), 20)])
			}
			return nil
		},
	},
}
