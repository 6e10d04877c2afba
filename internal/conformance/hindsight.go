package conformance

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

var wholeSeconds = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// overall is a probe of every member that the run has seen in an answer of the
// API.
func overall(name, rule string, wrong func(name string, v any) bool) probe {
	return probe{name: name, rule: rule, section: "resources", sure: Observed, judge: func(ctx context.Context, s *session) error {
		if _, err := s.charted(ctx); err != nil { // something must have been seen
			return err
		}
		for _, r := range s.sorted() {
			if place, v, found := find(r.answer.doc, wrong); found {
				s.used = append(s.used, r.exchanges...)
				return differs("%s is %s: %s", place, spelled(v), r.answer)
			}
		}
		return nil
	}}
}

// spelled is a value as it was on the wire.
func spelled(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "unspeakable"
	}
	return string(text)
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

// hindsightProbes look back at all that the others have seen.
var hindsightProbes = slices.Concat([]probe{
	overall("nothing-is-null", "What is not there is left out: no value is null.", func(_ string, v any) bool {
		return v == nil
	}),
	overall("times-are-whole-seconds", "Times are UTC in whole seconds, such as 2018-04-11T09:30:00Z.", func(name string, v any) bool {
		if name != "submit_date" && name != "created_time" && name != "updated_time" && name != "listen_time" {
			return false
		}
		value, ok := v.(string)
		return !ok || !wholeSeconds.MatchString(value)
	}),
	overall("counts-are-numbers", "Counts and lengths are JSON numbers.", func(name string, v any) bool {
		if !strings.HasSuffix(name, "_count") && name != "audio_length" {
			return false
		}
		_, ok := v.(json.Number)
		return !ok && v != nil
	}),
}, rateLimitProbes)

func isDifference(err error) bool {
	_, ok := err.(*difference)
	return ok
}
