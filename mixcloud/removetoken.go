package mixcloud

import (
	"regexp"
	"strings"
)

const (
	tokenPair = `access_token(?:=|%3[Dd]|\\u003[dD])[^&\s"'<>\\]*`
	ampersand = `(?:&amp;|&|\\u0026)`
)

var (
	tokenBefore = regexp.MustCompile(tokenPair + ampersand)                   // before another parameter
	tokenLast   = regexp.MustCompile(`(?:\?|` + ampersand + `)?` + tokenPair) // as the last parameter
)

// removeToken removes the token parameter from the links in a response. The result
// is valid JSON. No recording shows whether Mixcloud's links repeat the token of a
// call. Results must not contain it, because they are displayed, cached and
// shared.
func removeToken(v value) value {
	if !strings.Contains(v.Raw(), "access_token") {
		return v
	}
	without, _ := parse(tokenLast.ReplaceAll(tokenBefore.ReplaceAll([]byte(v.Raw()), nil), nil))
	return without
}
