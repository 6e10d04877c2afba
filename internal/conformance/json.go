package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// An object is a decoded JSON object. Its values are objects (map[string]any), lists
// ([]any), string, json.Number, bool or nil.
type object = map[string]any

func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

func member(o object, name string) object {
	in, _ := o[name].(object)
	return in
}

func has(o object, name string) bool {
	_, ok := o[name]
	return ok
}

// objects returns the elements of a list that are objects.
func objects(list any) []object {
	elements, _ := list.([]any)
	out := make([]object, 0, len(elements))
	for _, e := range elements {
		if o, ok := e.(object); ok {
			out = append(out, o)
		}
	}
	return out
}

// number parses a count, which may be a number or, incorrectly, a string.
func number(o object, name string) (int, bool) {
	var digits string
	switch v := o[name].(type) {
	case json.Number:
		digits = v.String()
	case string:
		digits = v
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil
}

// timeOf parses a time with or without fractional seconds.
func timeOf(o object, name string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text(o, name))
	return t, err == nil
}

// find returns a matching value, a member or an element (with the name ""), and its path, such as
// data[3].user.name. If several members of an object match, it returns the one with the
// alphabetically first name, so that the result is deterministic.
func find(v any, match func(name string, v any) bool) (path string, value any, found bool) {
	switch v := v.(type) {
	case object:
		first := ""
		for name, in := range v {
			if found && name > first {
				continue
			}
			if at, is, ok := findAt(name, name, in, match); ok {
				first, path, value, found = name, at, is, true
			}
		}
	case []any:
		for i, in := range v {
			if path, value, found = findAt("["+strconv.Itoa(i)+"]", "", in, match); found {
				return path, value, true
			}
		}
	}
	return path, value, found
}

// findAt is like find for a value at a path, and also checks the value itself.
func findAt(path, name string, v any, match func(string, any) bool) (string, any, bool) {
	if match(name, v) {
		return path, v, true
	}
	below, value, found := find(v, match)
	if found && below[0] != '[' {
		path += "."
	}
	return path + below, value, found
}

// isUser and isCloudcast detect resources by members that all of their forms have.
func isUser(o object) bool      { return has(o, "username") && has(o, "pictures") }
func isCloudcast(o object) bool { return has(o, "play_count") && has(o, "slug") }

// object fetches a resource: a response with status 200 that is a JSON object and not
// an error. For any other response it returns an inconclusive error.
func (s *session) object(ctx context.Context, ref string) (object, error) {
	return parseResource(s.get(ctx, ref))
}

func (s *session) objectAsViewer(ctx context.Context, ref string) (object, error) {
	return parseResource(s.getAsViewer(ctx, ref))
}

func parseResource(a *response, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	o, ok := a.doc.(object)
	if a.status != http.StatusOK || !ok {
		return nil, inconclusive("the response is not a JSON object with status 200: %s", a)
	}
	if e := a.apiError(); e.message != "" {
		return nil, inconclusive("the response is an error: %s, message %q", a, e.message)
	}
	return o, nil
}

// String returns the status, the type of the body and the path of a response.
func (a *response) String() string {
	what := "JSON"
	if a.doc == nil {
		what = "not JSON"
	}
	u, err := url.Parse(a.url)
	if err != nil {
		return "status " + strconv.Itoa(a.status)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery, "&")
	return "status " + strconv.Itoa(a.status) + ", " + what + ", at " + u.RequestURI()
}

// A page is a response with a list.
type page struct {
	*response
	envelope object
	items    []object
}

// page fetches a page of a list.
func (s *session) page(ctx context.Context, ref string) (page, error) {
	return parsePage(s.get(ctx, ref))
}

func parsePage(a *response, err error) (page, error) {
	o, err := parseResource(a, err)
	if err != nil {
		return page{}, err
	}
	if _, ok := o["data"].([]any); !ok {
		return page{}, inconclusive("the response has no list data: %s", a)
	}
	return page{a, o, objects(o["data"])}, nil
}

// link returns the query of a paging link, raw and parsed; false if there is none.
func (p page) link(name string) (raw string, query url.Values, ok bool) {
	u, err := url.Parse(text(member(p.envelope, "paging"), name))
	if err != nil || u.RawQuery == "" {
		return "", nil, false
	}
	return u.RawQuery, u.Query(), true
}

func (p page) linkURL(name string) string { return text(member(p.envelope, "paging"), name) }

// jsonpFunction is the callback of a JSONP request.
const jsonpFunction = "callback"

// An apiError is the content of an error body, inside the member error or not.
type apiError struct {
	wrapped                   bool
	message, kind, retryAfter string
}

func (a *response) apiError() apiError {
	o, _ := a.doc.(object)
	if call, ok := bytes.CutPrefix(a.body, []byte(jsonpFunction+"(")); ok {
		o, _ = decode(bytes.TrimRight(call, ")")).(object)
	}
	e, wrapped := o["error"].(object)
	if !wrapped {
		if e = o; !has(e, "message") {
			return apiError{}
		}
	}
	f := apiError{wrapped: wrapped, message: text(e, "message"), kind: text(e, "type")}
	if n, ok := number(e, "retry_after"); ok {
		f.retryAfter = strconv.Itoa(n)
	}
	return f
}

// firstMembers returns the names of the first three members of every object with a key,
// a url and a name, in the order of the text.
func firstMembers(body []byte) [][]string {
	type frame struct {
		names  []string
		object bool
		value  bool // the next token is a member's value
	}
	var stack []frame
	var found [][]string
	dec := json.NewDecoder(bytes.NewReader(body))
	for {
		token, err := dec.Token()
		if err != nil {
			return found
		}
		top := len(stack) - 1
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			names := strings.Join(stack[top].names, " ") + " "
			if strings.Contains(names, "key ") && strings.Contains(names, "url ") && strings.Contains(names, "name ") {
				found = append(found, stack[top].names[:min(3, len(stack[top].names))])
			}
			stack = stack[:top]
			continue
		}
		if top >= 0 && stack[top].object {
			if name, ok := token.(string); ok && !stack[top].value {
				stack[top].names = append(stack[top].names, name)
				stack[top].value = true
				continue
			}
			stack[top].value = false
		}
		if delim, ok := token.(json.Delim); ok {
			stack = append(stack, frame{object: delim == '{'})
		}
	}
}

var escaped = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
