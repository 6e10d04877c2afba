package mixcloud

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath bounds what is taken for a key: the longest recorded one has 180
// bytes, in escaped form.
const maxPath = 2048

// cleanPath brings a path into the one form that requests are made with: a
// slash at both ends, every element escaped once whether it came plain or
// escaped, hexadecimal digits in upper case. It reports what is wrong with a
// path that cannot be a path of the API.
func cleanPath(path string) (clean, problem string) {
	if len(path) > maxPath {
		return "", "is too long"
	}
	path = strings.TrimPrefix(path, "/")
	path = strings.TrimSuffix(path, "/")
	if path == "" {
		return "", "is empty"
	}
	var b strings.Builder
	b.Grow(len(path) + 2)
	b.WriteByte('/')
	for element := range strings.SplitSeq(path, "/") {
		escaped, problem := cleanElement(element)
		if problem != "" {
			return "", problem
		}
		b.WriteString(escaped)
		b.WriteByte('/')
	}
	return b.String(), ""
}

// cleanElement escapes one path element, given plain or escaped. A raw plus
// separates tags and stays raw, an escaped one belongs to a name and stays
// escaped.
func cleanElement(element string) (escaped, problem string) {
	var b strings.Builder
	for part := range strings.SplitSeq(element, "+") {
		plain, err := url.PathUnescape(part)
		if err != nil {
			return "", "has a % that begins no escape"
		}
		if problem := badElement(plain); problem != "" {
			return "", problem
		}
		if b.Len() > 0 {
			b.WriteByte('+')
		}
		b.WriteString(strings.ReplaceAll(url.PathEscape(plain), "+", "%2B"))
	}
	return b.String(), ""
}

// badElement says why a plain path element can be no part of a key, or "".
func badElement(plain string) string {
	switch {
	case plain == "":
		return "has an empty element"
	case plain == "." || plain == "..":
		return "has a dot element"
	case strings.ContainsAny(plain, `/\`):
		return "has a slash inside an element"
	case !utf8.ValidString(plain):
		return "is no valid UTF-8"
	case strings.ContainsFunc(plain, unprintable):
		return "has a space or a control character"
	}
	return ""
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// elements splits a clean path, and joinPath is its inverse.
func elements(clean string) []string { return strings.Split(strings.Trim(clean, "/"), "/") }

func joinPath(elements []string) string { return "/" + strings.Join(elements, "/") + "/" }
