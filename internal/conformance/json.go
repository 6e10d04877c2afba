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

// An object is a JSON object as decoded: its values are objects
// (map[string]any), lists ([]any), string, json.Number, bool or nil.
type object = map[string]any

func text(o object, name string) string {
	s, _ := o[name].(string)
	return s
}

func inside(o object, name string) object {
	in, _ := o[name].(object)
	return in
}

func has(o object, name string) bool {
	_, ok := o[name]
	return ok
}

// objects are the elements of a list that are objects.
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

// number reads a count, be it spelled as a number or, wrongly, as text.
func number(o object, name string) (int, bool) {
	var spelled string
	switch v := o[name].(type) {
	case json.Number:
		spelled = v.String()
	case string:
		spelled = v
	}
	n, err := strconv.Atoi(spelled)
	return n, err == nil
}

// instant reads a time, with or without fractions of a second.
func instant(o object, name string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, text(o, name))
	return t, err == nil
}

// find looks for a value that is wrong, a member or an element, whose name is "",
// and gives its place, such as data[3].user.name. Of several in one object it is
// the one whose name comes first in the alphabet, so that two runs find the same.
func find(v any, wrong func(name string, v any) bool) (place string, value any, found bool) {
	switch v := v.(type) {
	case object:
		first := ""
		for name, in := range v {
			if found && name > first {
				continue
			}
			if at, is, ok := here(name, name, in, wrong); ok {
				first, place, value, found = name, at, is, true
			}
		}
	case []any:
		for i, in := range v {
			if place, value, found = here("["+strconv.Itoa(i)+"]", "", in, wrong); found {
				return place, value, true
			}
		}
	}
	return place, value, found
}

// here looks at a value that stands at a place, and below it.
func here(place, name string, v any, wrong func(string, any) bool) (string, any, bool) {
	if wrong(name, v) {
		return place, v, true
	}
	below, value, found := find(v, wrong)
	if found && below[0] != '[' {
		place += "."
	}
	return place + below, value, found
}

// isUser and isCloudcast tell resources apart by what every form of them has.
func isUser(o object) bool      { return has(o, "username") && has(o, "pictures") }
func isCloudcast(o object) bool { return has(o, "play_count") && has(o, "slug") }

// object is a resource: the whole answer of status 200, which is a JSON object
// and no error. Anything else cannot be judged further.
func (s *session) object(ctx context.Context, ref string) (object, error) {
	return resource(s.get(ctx, ref))
}

func (s *session) objectAsViewer(ctx context.Context, ref string) (object, error) {
	return resource(s.getAsViewer(ctx, ref))
}

func resource(a *answer, err error) (object, error) {
	if err != nil {
		return nil, err
	}
	o, ok := a.doc.(object)
	if a.status != http.StatusOK || !ok {
		return nil, unsure("%s", a)
	}
	if e := a.failure(); e.message != "" {
		return nil, unsure("%s says: %s", a, e.message)
	}
	return o, nil
}

// String says in a few words what an answer was.
func (a *answer) String() string {
	what := "JSON"
	if a.doc == nil {
		what = "no JSON"
	}
	u, err := url.Parse(a.sentTo)
	if err != nil {
		return "status " + strconv.Itoa(a.status)
	}
	u.RawQuery = strings.TrimPrefix(u.RawQuery, "&")
	return "status " + strconv.Itoa(a.status) + ", " + what + ", at " + u.RequestURI()
}

// A page is a list's answer.
type page struct {
	*answer
	envelope object
	items    []object
}

// page asks for a list and wants its envelope.
func (s *session) page(ctx context.Context, ref string) (page, error) {
	return listed(s.get(ctx, ref))
}

func listed(a *answer, err error) (page, error) {
	o, err := resource(a, err)
	if err != nil {
		return page{}, err
	}
	if _, ok := o["data"].([]any); !ok {
		return page{}, unsure("%s: there is no list data", a)
	}
	return page{a, o, objects(o["data"])}, nil
}

// link is the query of a paging link, raw and read; false when it is not there.
func (p page) link(name string) (raw string, query url.Values, ok bool) {
	u, err := url.Parse(text(inside(p.envelope, "paging"), name))
	if err != nil || u.RawQuery == "" {
		return "", nil, false
	}
	return u.RawQuery, u.Query(), true
}

func (p page) linkURL(name string) string { return text(inside(p.envelope, "paging"), name) }

// jsonpFunction is whom a JSONP answer calls.
const jsonpFunction = "judge"

// A failure is what an error's body says, be it wrapped as it should be or not.
type failure struct {
	wrapped                   bool
	message, kind, retryAfter string
}

func (a *answer) failure() failure {
	o, _ := a.doc.(object)
	if call, ok := bytes.CutPrefix(a.body, []byte(jsonpFunction+"(")); ok {
		o, _ = decode(bytes.TrimRight(call, ")")).(object)
	}
	e, wrapped := o["error"].(object)
	if !wrapped {
		if e = o; !has(e, "message") {
			return failure{}
		}
	}
	f := failure{wrapped: wrapped, message: text(e, "message"), kind: text(e, "type")}
	if n, ok := number(e, "retry_after"); ok {
		f.retryAfter = strconv.Itoa(n)
	}
	return f
}

// firstMembers are the names of the first three members of every object of a
// JSON text that has a key, a url and a name, in the order of the text.
func firstMembers(body []byte) [][]string {
	type frame struct {
		names  []string
		object bool
		value  bool // a member's value comes next
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
