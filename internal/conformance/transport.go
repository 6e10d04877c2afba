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

// redirected is the answer to a user's path without its closing slash.
func redirected(ctx context.Context, s *session) (location string, a *answer, err error) {
	a, err = s.get(ctx, "/"+example+"?limit=7")
	if err != nil {
		return "", nil, err
	}
	if location = a.header.Get("Location"); a.status < 300 || a.status >= 400 || location == "" {
		return "", nil, unsure("it is not redirected: %s", a)
	}
	return location, a, nil
}

// plain is an answer whose headers and form are looked at: a show's list, since
// it has all sorts of text.
func plain(ctx context.Context, s *session) (*answer, error) {
	a, err := s.get(ctx, chart)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK {
		return nil, unsure("%s", a)
	}
	return a, nil
}

// ofHeader is a probe of one header of a good answer.
func ofHeader(name, header, rule string, check func(got string) error) probe {
	return probe{name: name, rule: rule, section: "transport", sure: Observed, judge: func(ctx context.Context, s *session) error {
		a, err := plain(ctx, s)
		if err != nil {
			return err
		}
		return check(a.header.Get(header))
	}}
}

func isExactly(want string) func(string) error {
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
		name: "missing-slash-redirects", section: "transport", sure: Observed, asks: []string{"/{user}"},
		rule: "A path without its closing slash is redirected.",
		judge: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/"+example+"?limit=7")
			if err != nil {
				return err
			}
			if a.status == http.StatusOK {
				return differs("it is answered at once: %s", a)
			}
			_, _, err = redirected(ctx, s)
			return err
		},
	},
	{
		name: "redirect-is-permanent", section: "transport", sure: Observed, asks: []string{"/{user}"},
		rule: "The redirect to the path with a slash has status 301.",
		judge: func(ctx context.Context, s *session) error {
			_, a, err := redirected(ctx, s)
			if err == nil && a.status != http.StatusMovedPermanently {
				return differs("status %d", a.status)
			}
			return err
		},
	},
	{
		name: "redirect-is-relative", section: "transport", sure: Observed, asks: []string{"/{user}"},
		rule: "The redirect's Location is a path, without scheme and host.",
		judge: func(ctx context.Context, s *session) error {
			location, _, err := redirected(ctx, s)
			if err == nil && !strings.HasPrefix(location, "/") {
				return differs("Location: %s", location)
			}
			return err
		},
	},
	{
		name: "redirect-keeps-query", section: "transport", sure: Observed, asks: []string{"/{user}"},
		rule: "The redirect keeps the query as it was sent.",
		judge: func(ctx context.Context, s *session) error {
			location, _, err := redirected(ctx, s)
			if err == nil && !strings.HasSuffix(location, "?limit=7") {
				return differs("Location: %s", location)
			}
			return err
		},
	},
	{
		name: "redirect-has-no-body", section: "transport", sure: Observed, asks: []string{"/{user}"},
		rule: "The redirect has an empty body.",
		judge: func(ctx context.Context, s *session) error {
			_, a, err := redirected(ctx, s)
			if err == nil && len(a.body) > 0 {
				return differs("a body of %d bytes", len(a.body))
			}
			return err
		},
	},
	ofHeader("content-type-javascript", "Content-Type", "JSON is served as text/javascript; charset=utf-8.", isExactly("text/javascript; charset=utf-8")),
	ofHeader("cors-any-origin", "Access-Control-Allow-Origin", "Every origin may read: Access-Control-Allow-Origin is *.", isExactly("*")),
	ofHeader("vary-encoding-origin", "Vary", "Answers vary by Accept-Encoding and Origin.", func(got string) error {
		low := strings.ToLower(got)
		if !strings.Contains(low, "accept-encoding") || !strings.Contains(low, "origin") {
			return differs("Vary: %s", got)
		}
		return nil
	}),
	ofHeader("request-id", "X-Request-Id", "Every answer has an X-Request-Id of 32 hexadecimal digits.", func(got string) error {
		if !requestID.MatchString(got) {
			return differs("X-Request-Id: %s", got)
		}
		return nil
	}),
	{
		name: "no-rate-limit-headers", section: "rate-limit", sure: Observed,
		rule: "A good answer does not tell what is left of the rate limit.",
		judge: func(ctx context.Context, s *session) error {
			a, err := plain(ctx, s)
			if err != nil {
				return err
			}
			for _, name := range slices.Sorted(maps.Keys(a.header)) {
				if strings.Contains(strings.ToLower(name), "ratelimit") {
					return differs("%s: %s", name, a.header.Get(name))
				}
			}
			return nil
		},
	},
	{
		name: "body-indented", section: "transport", sure: Observed,
		rule: "JSON is indented by four spaces.",
		judge: func(ctx context.Context, s *session) error {
			a, err := plain(ctx, s)
			switch {
			case err != nil:
				return err
			case a.doc == nil:
				return unsure("%s", a)
			case !indented.Match(a.body):
				return differs("it begins %q", a.body[:min(len(a.body), 20)])
			}
			return nil
		},
	},
	{
		name: "body-is-ascii", section: "transport", sure: Observed,
		rule: "Text outside ASCII is escaped as \\uXXXX.",
		judge: func(ctx context.Context, s *session) error {
			for _, ref := range shelves {
				a, err := s.get(ctx, ref)
				if err != nil {
					return err
				}
				if a.doc == nil {
					return unsure("%s", a)
				}
				if i := bytes.IndexFunc(a.body, func(r rune) bool { return r > '~' }); i >= 0 {
					return differs("%q stands as it is", a.body[i:min(len(a.body), i+12)])
				}
				if bytes.Contains(a.body, []byte(`\u`)) {
					return nil
				}
			}
			return unsure("no text outside ASCII was found")
		},
	},
	{
		name: "jsonp", section: "transport", sure: Documented, asks: []string{"/{user}/"},
		rule: "The parameter callback wraps the body in a call of that function.",
		judge: func(ctx context.Context, s *session) error {
			a, err := s.get(ctx, "/"+example+"/?callback="+jsonpFunction)
			if err != nil {
				return err
			}
			if !bytes.HasPrefix(a.body, []byte(jsonpFunction+"(")) {
				if a.doc == nil {
					return unsure("%s", a)
				}
				return differs("the body begins %q", a.body[:min(len(a.body), 20)])
			}
			return nil
		},
	},
}
