package conformance

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

var wholeSeconds = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// overall is a probe of every value that the run has seen in a good answer of
// the API.
func overall(name, section, rule string, check func(place string, v any) error) probe {
	return probe{name: name, rule: rule, section: section, sure: Observed, judge: func(ctx context.Context, s *session) error {
		if _, err := s.page(ctx, chart); err != nil { // something must have been seen
			return err
		}
		var found error
		for _, r := range s.sorted() {
			walk(r.answer.doc, "", func(place string, v any) bool {
				if found == nil {
					if found = check(place, v); found != nil {
						found = differs("%s at %s", found, r.answer)
						s.used = append(s.used, r.exchanges...)
					}
				}
				return found == nil
			})
		}
		return found
	}}
}

// sorted are the API's answers in the order in which they came.
func (s *session) sorted() []reply {
	var list []reply
	for req, r := range s.answers {
		if r.err == nil && req.base == onAPI {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b reply) int { return a.exchanges[0] - b.exchanges[0] })
	return list
}

func member(place string) string { return place[strings.LastIndexByte(place, '.')+1:] }

// hindsightProbes look back at all that the others have seen.
var hindsightProbes = slices.Concat([]probe{
	overall("nothing-is-null", "resources", "What is not there is left out: no value is null.", func(place string, v any) error {
		if v == nil && place != "" {
			return differs("%s is null", place)
		}
		return nil
	}),
	overall("times-are-whole-seconds", "resources", "Times are UTC in whole seconds, such as 2018-04-11T09:30:00Z.", func(place string, v any) error {
		name := member(place)
		value, isText := v.(string)
		if (strings.HasSuffix(name, "_time") && name != "start_time" || name == "submit_date") && (!isText || !wholeSeconds.MatchString(value)) {
			return differs("%s is %v", place, v)
		}
		return nil
	}),
	overall("counts-are-numbers", "resources", "Counts and lengths are JSON numbers.", func(place string, v any) error {
		name := member(place)
		if !strings.HasSuffix(name, "_count") && name != "audio_length" {
			return nil
		}
		if _, ok := v.(json.Number); !ok && v != nil {
			return differs("%s is %q", place, v)
		}
		return nil
	}),
}, rateLimitProbes)

func isDifference(err error) bool {
	_, ok := err.(*difference) //nolint:errorlint // judges return it as it is
	return ok
}
