package graphhttp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"mixcloud-graphql/internal/gqlerr"
)

// byteOrderMark may precede a JSON text, but is not part of it (RFC 8259, section 8.1).
var byteOrderMark = []byte("\uFEFF")

// trimMark returns a JSON text without its byte order mark.
func trimMark(text []byte) []byte { return bytes.TrimPrefix(text, byteOrderMark) }

// checkUnicode refuses a valid JSON text that is not UTF-8, and strings with a lone surrogate,
// which does not encode a character.
func checkUnicode(text []byte, label string) error {
	if !utf8.Valid(text) {
		return badRequest(label + " is not valid UTF-8.")
	}
	at := -1
	if bytes.Contains(text, []byte(`\u`)) {
		at = loneSurrogate(string(text))
	}
	if at < 0 {
		return nil
	}
	err := fmt.Sprintf("%s contains a lone surrogate, %s, which is not a valid character", label, text[at:at+6])
	if path := pathAt(text, int64(at)); path != "" {
		err += ", at " + gqlerr.Excerpt(path)
	}
	return badRequest(err + ".")
}

// loneSurrogate returns the offset of the first unpaired surrogate escape (\uD800 to \uDFFF) in a
// valid JSON text, or -1.
func loneSurrogate(text string) int {
	if !strings.Contains(text, `\u`) {
		return -1
	}
	for i := strings.IndexByte(text, '"'); i < len(text); {
		length, lone := stringLength(text[i:])
		if lone >= 0 {
			return i + lone
		}
		i += length
		next := strings.IndexByte(text[i:], '"')
		if next < 0 {
			break
		}
		i += next
	}
	return -1
}

// pathAt returns the path of the value at an offset of a valid JSON text, such as
// "variables.input.name".
func pathAt(text []byte, offset int64) string {
	type container struct {
		key   string
		items int // -1 for an object
	}
	var path []container
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	wantKey := false
	for {
		token, err := dec.Token()
		if err != nil {
			return ""
		}
		top := len(path) - 1
		if delim, ok := token.(json.Delim); ok && (delim == '}' || delim == ']') {
			path = path[:top]
			wantKey = top > 0 && path[top-1].items < 0
			continue
		}
		if top >= 0 && path[top].items >= 0 {
			path[top].key = strconv.Itoa(path[top].items)
			path[top].items++
		}
		if key, ok := token.(string); ok && wantKey {
			path[top].key = key
		}
		if dec.InputOffset() > offset {
			names := make([]string, len(path))
			for i, c := range path {
				names[i] = c.key
			}
			return strings.Join(names, ".")
		}
		switch token {
		case json.Delim('{'):
			path = append(path, container{items: -1})
			wantKey = true
		case json.Delim('['):
			path = append(path, container{})
			wantKey = false
		default:
			wantKey = top >= 0 && path[top].items < 0 && !wantKey
		}
	}
}

// encoded reports whether the body has a content coding other than "identity" (RFC 9110,
// section 8.4.1).
func encoded(h http.Header) bool {
	for _, line := range h.Values("Content-Encoding") {
		for coding := range strings.SplitSeq(line, ",") {
			coding = strings.TrimSpace(coding)
			if coding != "" && !strings.EqualFold(coding, "identity") {
				return true
			}
		}
	}
	return false
}
