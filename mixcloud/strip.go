package mixcloud

import (
	"regexp"
	"strings"
)

// Whether Mixcloud's links repeat the token of the call is not recorded. What is
// kept of an answer must not hold it, for it is shown, stored and shared.

const (
	tokenPair = `access_token(?:=|%3[Dd]|\\u003[dD])[^&\s"'<>\\]*`
	ampersand = `(?:&amp;|&|\\u0026)`
)

var (
	tokenBefore = regexp.MustCompile(tokenPair + ampersand)                   // another parameter
	tokenLast   = regexp.MustCompile(`(?:\?|` + ampersand + `)?` + tokenPair) // of all
)

// strip takes the parameter with the token out of an answer's links. JSON stays
// JSON.
func strip(v value) value {
	if !strings.Contains(string(v), "access_token") {
		return v
	}
	return value(tokenLast.ReplaceAllString(tokenBefore.ReplaceAllString(string(v), ""), ""))
}
