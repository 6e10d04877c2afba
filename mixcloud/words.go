package mixcloud

import (
	"html"
	"regexp"
	"strings"
	"unicode"
)

// plain makes words that came from elsewhere fit to leave the package: text of at
// most a number of characters, without markup, control and format characters, the
// token, and what of an address may hold a secret. The token is looked for last,
// so that nothing that is removed can hide it.
func plain(s string, token credential, most int) string {
	return cut(scrub(shortenAddresses(printable(withoutMarkup(s))), token), most)
}

var (
	// inlineTag fits a tag within a sentence and blockTag any other tag, a comment
	// or a declaration. A "<" before anything else than a letter is a sign of its own.
	inlineTag = regexp.MustCompile(`(?i)</?(a|abbr|b|code|em|i|mark|s|small|span|strong|sub|sup|u)(\s[^<>]*)?>`)
	blockTag  = regexp.MustCompile(`(?s)<!--.*?-->|<[/!?]?[a-zA-Z][^<>]*>`)
	// addressSecrets fits the parts of an address that may hold a secret: its
	// user, query and fragment.
	addressSecrets = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)([^\s/?#@]*@)?([^\s?#"'<>]*)([?#][^\s"'<>]*)?`)
)

// withoutMarkup removes tags of HTML and reads its references, such as &amp;.
func withoutMarkup(s string) string {
	s = html.UnescapeString(s)
	text := blockTag.ReplaceAllString(inlineTag.ReplaceAllString(s, ""), " ")
	if text == s {
		return s
	}
	return strings.Join(strings.Fields(text), " ")
}

// shortenAddresses leaves scheme, host and path of addresses.
func shortenAddresses(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return addressSecrets.ReplaceAllString(s, "$1$3")
}

// printable removes what does not print. White space becomes spaces.
func printable(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s))
}

// cut shortens a text to a number of characters.
func cut(s string, most int) string {
	n, end := 0, 0
	for i := range s {
		if n++; n == most {
			end = i
		}
	}
	if n > most {
		return s[:end] + "…"
	}
	return s
}
