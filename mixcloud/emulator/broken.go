package emulator

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A broken rule is a deliberate deviation from the API. Broken rules test the conformance
// command: for each of them, only the probe of that rule must fail.
//
// The code that handles requests does not depend on broken rules. A rule is a row of the
// table [rules]: its name, its description for callers, the condition under which it
// applies, and functions that change the request before it is handled, the decoded JSON
// body, and the status, headers and body before they are sent. One method for each phase
// calls the functions of all rules that this emulator breaks, in the order of the table:
//
//	breakRequest    after the request was read, before it is routed
//	breakDocument   after the response was made, if it is JSON
//	breakResponse   before the response is sent
//
// The code that handles a request records the list, the error and the viewer in the
// [call], for use by these functions.
type rule struct {
	name string // accepted by [WithBroken]
	doc  string // returned by [BrokenRuleDoc]
	when func(*call) bool
	deviation
}

// A deviation contains the functions of a broken rule, one for each phase. Each may be
// nil.
type deviation struct {
	request  func(*call)
	document func(*call, *document)
	response func(*call, http.Header)
}

// changeRequest changes the request before it is handled. The links of the response
// still have the path and query as sent.
func changeRequest(f func(*call)) deviation { return deviation{request: f} }

// changeJSON changes the decoded body of the response.
func changeJSON(f func(*call, *document)) deviation { return deviation{document: f} }

// changeHeader changes the status and the headers of the response, or its body if that is
// not JSON.
func changeHeader(f func(*call, http.Header)) deviation { return deviation{response: f} }

// and combines deviations of different phases.
func (d deviation) and(other deviation) deviation {
	if other.request != nil {
		d.request = other.request
	}
	if other.document != nil {
		d.document = other.document
	}
	if other.response != nil {
		d.response = other.response
	}
	return d
}

// breakRequest applies the broken rules to the request.
func (c *call) breakRequest() {
	if len(c.broken) == 0 {
		return
	}
	c.query = maps.Clone(c.query) // c.sent has the original
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, r := range c.broken {
		if r.request != nil && r.when(c) {
			r.request(c)
		}
	}
}

// breakDocument applies the broken rules to a JSON body. It does not change other bodies.
func (c *call) breakDocument() {
	if len(c.broken) == 0 || c.contentType != javascript {
		return
	}
	text := c.buf
	if c.callback != "" {
		text = bytes.TrimSuffix(bytes.TrimPrefix(text, []byte(c.callback+"(")), []byte(")"))
	}
	d, err := decodeDocument(text)
	if err != nil {
		return
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, r := range c.broken {
		if r.document != nil && r.when(c) {
			r.document(c, d)
		}
	}
	c.beginBody()
	c.compact, c.raw = d.compact, d.raw
	c.value(d.root)
	c.endBody()
}

// breakResponse applies the broken rules to the response before it is sent.
func (c *call) breakResponse(h http.Header) {
	for _, r := range c.broken {
		if r.response != nil && r.when(c) {
			r.response(c, h)
		}
	}
}

// BrokenRules returns the names that [WithBroken] accepts, sorted.
func BrokenRules() []string {
	names := make([]string, 0, len(rules))
	for _, r := range rules {
		names = append(names, r.name)
	}
	slices.Sort(names)
	return names
}

// BrokenRuleDoc returns the description of a broken rule, or "" for an unknown name.
func BrokenRuleDoc(name string) string {
	for _, r := range rules {
		if r.name == name {
			return r.doc
		}
	}
	return ""
}

// WithBroken makes the emulator break one rule of the API, with a name of
// [BrokenRules]. It may be used more than once. An unknown name is an error.
func WithBroken(name string) Option {
	return func(e *Emulator) error {
		for i := range rules {
			if rules[i].name == name {
				e.broken = append(e.broken, &rules[i])
				return nil
			}
		}
		return fmt.Errorf("emulator: unknown broken rule %q; see BrokenRules", name)
	}
}

// The conditions under which rules apply.

func always(*call) bool { return true }

// on applies to requests whose route has one of the patterns.
func on(patterns ...string) func(*call) bool {
	return func(c *call) bool {
		found, _, ok := routes.find(c.sent.path)
		return ok && slices.Contains(patterns, found.Pattern)
	}
}

// onTags applies to requests for tags or, if orders are given, for the lists of tags with
// these orders.
func onTags(orders ...string) func(*call) bool {
	if len(orders) == 0 {
		return on("/genres/{tags}/", "/discover/{tags}/", "/tag/{tags}/")
	}
	var patterns []string
	for _, order := range orders {
		patterns = append(patterns, "/genres/{tags}/"+order+"/", "/discover/{tags}/"+order+"/", "/tag/{tags}/"+order+"/")
	}
	return on(patterns...)
}

var allOrders = []string{orderPopular, orderLatest, orderNew, orderHot}

func either(a, b func(*call) bool) func(*call) bool {
	return func(c *call) bool { return a(c) || b(c) }
}

func both(a, b func(*call) bool) func(*call) bool {
	return func(c *call) bool { return a(c) && b(c) }
}

func onPages(c *call) bool       { return c.listPage.paged }
func onPagesByDate(c *call) bool { return c.listPage.paged && c.listPage.byDate }
func onPagesByOffset(c *call) bool {
	return c.listPage.paged && !c.listPage.byDate && !c.listPage.unpaged
}
func onErrors(c *call) bool        { return c.failure != nil }
func onRateLimits(c *call) bool    { return c.failure != nil && c.failure.retryAfter > 0 }
func onRedirects(c *call) bool     { return c.location != "" }
func withMetadata(c *call) bool    { return c.metadata }
func withoutMetadata(c *call) bool { return !c.metadata }
func withViewer(c *call) bool      { return c.viewer != nil }

// searching applies to searches with the given type parameter.
func searching(kind string) func(*call) bool {
	search := on("/search/")
	return func(c *call) bool { return search(c) && c.query.Get("type") == kind }
}

// selecting applies to requests for tags and their lists if matches returns true for the
// segment that selects the tags.
func selecting(matches func(segment string) bool) func(*call) bool {
	tags := either(onTags(), onTags(allOrders...))
	return func(c *call) bool { return tags(c) && matches(c.selected()) }
}

func allTags(segment string) bool    { return segment == "all" }
func joinedTags(segment string) bool { return strings.Contains(segment, "+") }
func singleCity(segment string) bool {
	return strings.HasPrefix(segment, "city:") && !joinedTags(segment)
}

func singleTag(segment string) bool {
	return !allTags(segment) && !joinedTags(segment) && !singleCity(segment)
}

// selected returns the segment of the path that selects tags, unescaped.
func (c *call) selected() string {
	_, args, _ := routes.find(c.sent.path)
	return args[0]
}
