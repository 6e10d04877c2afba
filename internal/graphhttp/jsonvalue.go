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

// maxNesting is how deep objects and lists may be nested in a JSON text of a
// client. No input of the schema comes near it.
const maxNesting = 100

// decode reads one JSON value, called by what it is: a map[string]any, []any,
// string, json.Number, bool or nil. It is stricter than encoding/json, and the same
// for every transport:
//
//   - Names of members are exact: "QUERY" is not "query".
//   - A name that occurs twice in one object is refused, as GraphQL refuses it in a
//     literal. Parsers differ in which of the two they take, so that a gateway
//     could judge another operation than the one that is executed.
//   - Numbers stay as written: as floats they would no longer fit Int.
//   - Text that is not Unicode is refused, because encoding/json would replace it.
func decode(text []byte, what string) (any, error) {
	text = unmarked(text)
	if depth := nesting(text); depth > maxNesting {
		return nil, &gqlerr.Error{
			Code:    gqlerr.CodeLimitExceeded,
			Message: fmt.Sprintf("%s is nested too deeply: objects and lists may have at most %d levels.", what, maxNesting),
			Details: map[string]any{"limit": "json-nesting", "value": depth, "maximum": maxNesting},
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if dec.Decode(&value) != nil {
		return nil, badRequest(what + " is not valid JSON.")
	}
	if _, more := dec.Token(); more != io.EOF {
		return nil, badRequest(what + " has more than one JSON value.")
	}
	if err := checkUnicode(text, what); err != nil {
		return nil, err
	}
	if path := (&memberWalk{text: string(text)}).value(); path != nil {
		slices.Reverse(path)
		return nil, badRequest(fmt.Sprintf("%s has the member %q twice.", what, short(strings.Join(path, "."))))
	}
	return value, nil
}

// nesting returns the depth of the deepest object or list of a JSON text.
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

// A memberWalk looks for a name that occurs twice in one object of a valid JSON text.
type memberWalk struct {
	text string
	at   int
}

// value passes the next value. It returns the path of a name that occurs twice,
// innermost step first; nil if there is none.
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

// next passes white space, commas and colons, and returns the byte behind them.
func (w *memberWalk) next() byte {
	for strings.IndexByte(" \t\r\n,:", w.text[w.at]) >= 0 {
		w.at++
	}
	return w.text[w.at]
}

func (w *memberWalk) object() []string {
	names := map[string]bool{}
	for w.at++; w.next() != '}'; {
		name := w.str()
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

// str passes a string and returns its content.
func (w *memberWalk) str() string {
	begin, escaped := w.at, false
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			escaped = true
			w.at++
		}
	}
	w.at++
	if !escaped {
		return w.text[begin+1 : w.at-1]
	}
	var content string
	_ = json.Unmarshal([]byte(w.text[begin:w.at]), &content) // a valid string
	return content
}

// textMember returns a member that is a text; "" if it is absent or null.
func textMember(members map[string]any, name string) (string, error) {
	text, isText := members[name].(string)
	if members[name] != nil && !isText {
		return "", gqlerr.Invalid(name, "cannot be a JSON "+jsonKind(members[name]))
	}
	return text, nil
}

// objectMember returns a member that is an object; nil if it is absent or null.
func objectMember(members map[string]any, name string) (map[string]any, error) {
	object, isObject := members[name].(map[string]any)
	if members[name] != nil && !isObject {
		return nil, gqlerr.Invalid(name, "cannot be a JSON "+jsonKind(members[name]))
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
