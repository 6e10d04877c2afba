package rawjson

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape returns the content of a JSON string that Parse has validated, as encoding/json decodes it: an unpaired
// surrogate becomes U+FFFD.
func unescape(raw string) string {
	rest := raw[1 : len(raw)-1]
	text := make([]byte, 0, len(rest))
	for {
		i := strings.IndexByte(rest, '\\')
		if i < 0 {
			return string(append(text, rest...))
		}
		text = append(text, rest[:i]...)
		c := rest[i+1]
		rest = rest[i+2:]
		switch c {
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			r := hex(rest)
			rest = rest[4:]
			if utf16.IsSurrogate(r) {
				if len(rest) >= 6 && rest[0] == '\\' && rest[1] == 'u' {
					r = utf16.DecodeRune(r, hex(rest[2:]))
				} else {
					r = utf8.RuneError
				}
				if r != utf8.RuneError {
					rest = rest[6:]
				}
			}
			text = utf8.AppendRune(text, r)
		default: // a quote, a backslash or a slash
			text = append(text, c)
		}
	}
}

// hex parses the first four bytes of a text as a hexadecimal number.
func hex(text string) rune {
	n, _ := strconv.ParseUint(text[:4], 16, 16)
	return rune(n)
}
