package graphhttp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"mixcloud-graphql/internal/gqlerr"
)

// maxNesting is the maximum depth of objects and lists in a client's JSON. The inputs of the
// schema are far less deep.
const maxNesting = 100

// decode decodes one JSON value: a map[string]any, []any, string, json.Number, bool or nil.
// label is its name in messages. It is stricter than encoding/json, and the same for every
// transport:
//
//   - Names of members are case-sensitive: "QUERY" is not "query".
//   - A name that occurs twice in one object is refused, as GraphQL refuses it in a literal.
//     Parsers differ in which of the two they take, so a gateway could check a different
//     operation than the one that is executed.
//   - Numbers are not converted to float64, which GraphQL's Int does not accept.
//   - Text that is not valid Unicode is refused, because encoding/json would replace it.
//
// The value does not refer to the text.
func decode(text []byte, label string) (any, error) {
	text = trimMark(text)
	if value, ok := parseJSON(text); ok {
		return value, nil
	}
	return explain(text, label)
}

// explain decodes a text in several passes, each of which finds the reason for one kind of
// refusal.
func explain(text []byte, label string) (any, error) {
	if depth := nesting(text); depth > maxNesting {
		return nil, &gqlerr.Error{
			Code:    gqlerr.CodeLimitExceeded,
			Message: fmt.Sprintf("%s is nested too deeply: objects and lists may have at most %d levels.", label, maxNesting),
			Details: map[string]any{"limit": "json-nesting", "value": depth, "maximum": maxNesting},
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil {
		return nil, badRequest(label + " is not valid JSON.")
	}
	if _, more := dec.Token(); more != io.EOF {
		return nil, badRequest(label + " has more than one JSON value.")
	}
	if err := checkUnicode(text, label); err != nil {
		return nil, err
	}
	if path := (&memberWalk{text: string(text)}).value(); path != nil {
		slices.Reverse(path)
		return nil, badRequest(fmt.Sprintf("%s has a duplicate member %q.", label, gqlerr.Excerpt(strings.Join(path, "."))))
	}
	return value, nil
}

// nesting returns the maximum depth of objects and lists in a JSON text.
func nesting(text []byte) int {
	depth, deepest := 0, 0
	inString := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && inString:
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

// A memberWalk finds a name that occurs twice in one object of a valid JSON text.
type memberWalk struct {
	text string
	at   int
}

// value skips the next value. It returns the path of a repeated name, innermost step first, or
// nil.
func (w *memberWalk) value() []string {
	switch w.next() {
	case '{':
		return w.object()
	case '[':
		return w.list()
	case '"':
		w.str()
		return nil
	}
	for w.at < len(w.text) && !strings.ContainsRune(",]} \t\r\n", rune(w.text[w.at])) {
		w.at++
	}
	return nil
}

// next skips white space, commas and colons, and returns the next byte.
func (w *memberWalk) next() byte {
	for strings.IndexByte(" \t\r\n,:", w.text[w.at]) >= 0 {
		w.at++
	}
	return w.text[w.at]
}

func (w *memberWalk) object() []string {
	names := map[string]bool{}
	for w.at++; w.next() != '}'; {
		name := unquote(w.str())
		if names[name] {
			return []string{name}
		}
		names[name] = true
		if path := w.value(); path != nil {
			return append(path, name)
		}
	}
	w.at++
	return nil
}

func (w *memberWalk) list() []string {
	item := 0
	for w.at++; w.next() != ']'; item++ {
		if path := w.value(); path != nil {
			return append(path, strconv.Itoa(item))
		}
	}
	w.at++
	return nil
}

// str skips a string and returns it with its quotes.
func (w *memberWalk) str() string {
	begin := w.at
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.text[begin:w.at]
}

// unquote returns the content of a valid string.
func unquote(text string) (content string) {
	if !strings.Contains(text, `\`) {
		return text[1 : len(text)-1]
	}
	_ = json.Unmarshal([]byte(text), &content)
	return content
}

// textMember returns a string member, or "" if it is absent or null.
func textMember(members map[string]any, name string) (string, error) {
	text, isText := members[name].(string)
	if members[name] != nil && !isText {
		return "", gqlerr.Invalid(name, "must be a JSON string, not a JSON "+jsonKind(members[name]))
	}
	return text, nil
}

// objectMember returns an object member, or nil if it is absent or null.
func objectMember(members map[string]any, name string) (map[string]any, error) {
	object, isObject := members[name].(map[string]any)
	if members[name] != nil && !isObject {
		return nil, gqlerr.Invalid(name, "must be a JSON object, not a JSON "+jsonKind(members[name]))
	}
	return object, nil
}

func jsonKind(value any) string {
	switch value.(type) {
	case bool:
		return "boolean"
	case string:
		return "string"
	case json.Number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
