package mixcloud

import (
	"html"
	"regexp"
	"strings"
	"unicode"
)

// sanitize returns a text from outside this package for the caller: at most the
// given number of characters, without markup, control and format characters, the
// token, and the parts of URLs that may contain a secret. The token is removed
// last, so that none of the other removals can hide it.
func sanitize(s string, token credential, most int) string {
	return cut(scrub(shortenURLs(printable(withoutMarkup(s))), token), most)
}

var (
	// inlineTag matches a tag within a sentence. blockTag matches any other tag, a
	// comment or a declaration. A "<" that is not before a letter is not a tag.
	inlineTag = regexp.MustCompile(`(?i)</?(a|abbr|b|code|em|i|mark|s|small|span|strong|sub|sup|u)(\s[^<>]*)?>`)
	blockTag  = regexp.MustCompile(`(?s)<!--.*?-->|<[/!?]?[a-zA-Z][^<>]*>`)
	// urlSecrets matches a URL with the parts that may contain a secret: user,
	// query and fragment.
	urlSecrets = regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)([^\s/?#@]*@)?([^\s?#"'<>]*)([?#][^\s"'<>]*)?`)
)

// withoutMarkup removes HTML tags and decodes references, such as &amp;.
func withoutMarkup(s string) string {
	s = html.UnescapeString(s)
	text := blockTag.ReplaceAllString(inlineTag.ReplaceAllString(s, ""), " ")
	if text == s {
		return s
	}
	return strings.Join(strings.Fields(text), " ")
}

// shortenURLs removes everything but scheme, host and path from URLs.
func shortenURLs(s string) string {
	if !strings.Contains(s, "://") {
		return s
	}
	return urlSecrets.ReplaceAllString(s, "$1$3")
}

// printable removes characters that do not print, and replaces white space by
// spaces.
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
