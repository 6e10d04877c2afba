package mixcloud

import (
	"bytes"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPath is the maximum length of a key in bytes. The longest recorded key has
// 180 bytes, in escaped form.
const maxPath = 2048

// cleanPath returns the form of a path that calls use: with a slash at both ends,
// every element escaped once, whether it was plain or escaped, and hexadecimal
// digits in upper case. For a path that the API cannot have it returns the
// problem. It does not allocate if path is clean already.
func cleanPath(path string) (clean, problem string) {
	var buffer [256]byte
	b, problem := appendClean(buffer[:0], path, false)
	switch {
	case problem != "":
		return "", problem
	case string(b) == path:
		return path, ""
	}
	return string(b), ""
}

// appendClean appends the clean form of a path to b, which must be empty. If fold
// is true it appends the canonical form: the first element in lower case, and
// tagPrefix as the prefix of a tag.
func appendClean(b []byte, path string, fold bool) (clean []byte, problem string) {
	if len(path) > maxPath {
		return nil, "is too long"
	}
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil, "is empty"
	}
	b = append(b, '/')
	for more := true; more; {
		var element string
		element, path, more = strings.Cut(path, "/")
		if b, problem = appendElement(b, element, fold); problem != "" {
			return nil, problem
		}
		if fold && more && isTagPrefix(b[1:]) {
			b = append(b[:1], tagPrefix...)
		}
		fold = false // only the first element
		b = append(b, '/')
	}
	return b, ""
}

func isTagPrefix(element []byte) bool {
	return slices.ContainsFunc(tagPrefixes, func(prefix string) bool { return string(element) == prefix })
}

// cleanElement escapes a path element, which may be plain or escaped.
func cleanElement(element string) (escaped, problem string) {
	var buffer [256]byte
	b, problem := appendElement(buffer[:0], element, false)
	return string(b), problem
}

// appendElement escapes a path element, which may be plain or escaped. A raw plus
// separates tags and stays raw. An escaped plus is part of a name and stays
// escaped. If lower is true, ASCII letters become lower case.
func appendElement(b []byte, element string, lower bool) (escaped []byte, problem string) {
	for more := true; more; {
		var part string
		part, element, more = strings.Cut(element, "+")
		var buffer [256]byte
		plain, ok := appendUnescaped(buffer[:0], part)
		if !ok {
			return nil, "has a % that is not part of an escape"
		}
		if problem := badElement(plain); problem != "" {
			return nil, problem
		}
		for _, c := range plain {
			switch {
			case !pathByte[c]:
				b = append(b, '%', upperHex[c>>4], upperHex[c&15])
			case lower && 'A' <= c && c <= 'Z':
				b = append(b, c+('a'-'A'))
			default:
				b = append(b, c)
			}
		}
		if more {
			b = append(b, '+')
		}
	}
	return b, ""
}

const upperHex = "0123456789ABCDEF"

// pathByte is the set of bytes that are not escaped in a clean element: those
// that [url.PathEscape] does not escape, without the plus.
var pathByte = func() (table [256]bool) {
	for c := range table {
		escaped := url.PathEscape(string([]byte{byte(c)}))
		table[c] = len(escaped) == 1 && c != '+'
	}
	return table
}()

// appendUnescaped appends a text with its escapes decoded. ok is false if a % is
// not part of an escape.
func appendUnescaped(b []byte, text string) (plain []byte, ok bool) {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '%' {
			b = append(b, c)
			continue
		}
		if i+2 >= len(text) {
			return nil, false
		}
		high, ok1 := unhex(text[i+1])
		low, ok2 := unhex(text[i+2])
		if !ok1 || !ok2 {
			return nil, false
		}
		b = append(b, high<<4|low)
		i += 2
	}
	return b, true
}

func unhex(digit byte) (value byte, ok bool) {
	switch {
	case '0' <= digit && digit <= '9':
		return digit - '0', true
	case 'a' <= digit && digit <= 'f':
		return digit - 'a' + 10, true
	case 'A' <= digit && digit <= 'F':
		return digit - 'A' + 10, true
	}
	return 0, false
}

// badElement returns why a plain path element cannot be part of a key, or "".
func badElement(plain []byte) string {
	switch {
	case len(plain) == 0:
		return "has an empty element"
	case string(plain) == "." || string(plain) == "..":
		return `has "." or ".." as an element`
	case bytes.ContainsAny(plain, `/\`):
		return "has a slash inside an element"
	case !utf8.Valid(plain):
		return "is not valid UTF-8"
	case bytes.ContainsFunc(plain, unprintable):
		return "has a space or a control character"
	}
	return ""
}

func unprintable(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// elements splits a clean path into its elements.
func elements(clean string) []string { return strings.Split(strings.Trim(clean, "/"), "/") }

// joinPath joins elements to a clean path.
func joinPath(elements []string) string {
	length := 1
	for _, element := range elements {
		length += len(element) + 1
	}
	var b strings.Builder
	b.Grow(length)
	b.WriteByte('/')
	for _, element := range elements {
		b.WriteString(element)
		b.WriteByte('/')
	}
	return b.String()
}
