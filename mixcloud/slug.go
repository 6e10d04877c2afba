package mixcloud

import (
	"strings"
	"unicode"
)

// Slug returns the slug of a tag or city, made from its name as Mixcloud made all
// that were recorded: in lower case, with one hyphen for each run of spaces and
// hyphens, and without characters other than letters, digits, marks and the
// underscore. "Drum & Bass" is "drum-bass", "R&B" is "rb", "Hip-Hop/Rap" is
// "hip-hoprap". The slug of a slug is itself. It is "" for a name without a letter
// or digit.
func Slug(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	pending, any := false, false
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.IsMark(r), r == '_':
			if pending && b.Len() > 0 {
				b.WriteByte('-')
			}
			pending = false
			any = any || !unicode.IsMark(r) && r != '_'
			b.WriteRune(r)
		case r == '-', unicode.IsSpace(r):
			pending = true
		}
	}
	if !any {
		return ""
	}
	return b.String()
}
