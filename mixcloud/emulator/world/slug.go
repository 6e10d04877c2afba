package world

import (
	"strings"
	"unicode"
)

// escape is Escape, for use in methods of this package's types.
func escape(s string) string { return Escape(s) }

// Escape percent-encodes a path segment as Mixcloud's keys do: UTF-8 with
// upper-case hex (observed: "ml%C3%B6"). It does not encode ASCII letters and
// digits, "-", "_", "." and "~", nor ":" and "+", which join tags and cities in
// one segment (documented: "funk+city:athens").
func Escape(s string) string {
	const hex = "0123456789ABCDEF"
	n := 0
	for i := range len(s) {
		if !rawInPath(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*n)
	for i := range len(s) {
		if c := s[i]; rawInPath(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

func rawInPath(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("-_.~:+", c) >= 0
}

// Slugify returns the slug of a name: lower case, words joined by "-", letters of
// any script, punctuation removed without a separator (observed: "RnB/Hip Hop" is
// "rnbhip-hop", "Drum & Bass" is "drum-bass"). The result is "" for a name without
// a letter or a digit. Slugify is idempotent.
func Slugify(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	gap := false
	for _, r := range name {
		switch {
		case r == '-' || unicode.IsSpace(r):
			gap = true
		case r == '_', unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r) && b.Len() > 0:
			if gap && b.Len() > 0 {
				b.WriteByte('-')
			}
			gap = false
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}
