package conformance

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

var wholeSeconds = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$`)

// memberProbe returns a probe of every member in all responses of the API so far. wrong
// reports whether a member violates the rule.
func memberProbe(name, rule string, wrong func(name string, v any) bool) probe {
	return probe{name: name, rule: rule, section: "resources", confidence: Observed, check: func(ctx context.Context, s *session) error {
		if _, err := s.chartPage(ctx); err != nil { // at least one response is required
			return err
		}
		for _, r := range s.responsesInOrder() {
			if path, v, found := find(r.response.doc, wrong); found {
				s.exchanges = append(s.exchanges, r.exchanges...)
				return differs("%s is %s: %s", path, jsonText(v), r.response)
			}
		}
		return nil
	}}
}

// jsonText returns a value as JSON.
func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "a value that is not JSON"
	}
	return string(text)
}

// responsesInOrder returns the API's responses in the order of their arrival.
func (s *session) responsesInOrder() []outcome {
	var list []outcome
	for req, r := range s.outcomes {
		if r.err == nil && req.base == onAPI {
			list = append(list, r)
		}
	}
	slices.SortFunc(list, func(a, b outcome) int { return a.exchanges[0] - b.exchanges[0] })
	return list
}

// finalProbes check all responses of the other probes.
var finalProbes = slices.Concat([]probe{
	memberProbe("no-null-values", "Absent members are omitted: no value is null.", func(_ string, v any) bool {
		return v == nil
	}),
	memberProbe("times-are-whole-seconds", "Times are UTC in whole seconds, such as 2018-04-11T09:30:00Z.", func(name string, v any) bool {
		if name != "submit_date" && name != "created_time" && name != "updated_time" && name != "listen_time" {
			return false
		}
		value, ok := v.(string)
		return !ok || !wholeSeconds.MatchString(value)
	}),
	memberProbe("counts-are-numbers", "Counts and lengths are JSON numbers.", func(name string, v any) bool {
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
