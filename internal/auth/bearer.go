package auth

import "strings"

// MaxToken is the maximum length of a token in bytes. Mixcloud's tokens have 32.
const MaxToken = 1024

// parseBearer returns the token of the Authorization headers, or a description of the problem.
// The description never quotes the headers.
func parseBearer(headers []string) (token, problem string) {
	if len(headers) > 1 {
		return "", "it occurs more than once"
	}
	scheme, token, found := strings.Cut(strings.TrimSpace(headers[0]), " ")
	token = strings.TrimLeft(token, " ")
	switch {
	case !strings.EqualFold(scheme, "Bearer"):
		return "", "its scheme is not Bearer"
	case !found || token == "":
		return "", "it has no token"
	case len(token) > MaxToken:
		return "", "the token is too long"
	case !isB64Token(token):
		return "", "the token has invalid characters"
	}
	return token, ""
}

// isB64Token reports whether s is a b64token: letters, digits and -._~+/, followed by any
// number of =.
func isB64Token(s string) bool {
	s = strings.TrimRight(s, "=")
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
