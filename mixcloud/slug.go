package mixcloud

import (
	"strings"
	"unicode"
)

// Slug makes the slug of a tag or city from its name, the way Mixcloud did for
// every tag that was recorded: lower case, runs of spaces and hyphens become
// one hyphen, letters, digits and marks of any script and the underscore stay,
// everything else vanishes. "Drum & Bass" is "drum-bass", "R&B" is "rb",
// "Hip-Hop/Rap" is "hip-hoprap". A slug is its own slug; a name without a
// single letter or digit has none and gives "".
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
