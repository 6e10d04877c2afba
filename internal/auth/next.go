package auth

import (
	"net/url"
	"slices"
	"strings"
)

// maxNext is the maximum length of the path to redirect to: it must fit into a cookie.
const maxNext = 1024

// safeRedirect returns next if it is a safe redirect target after signing in or out, else "/".
//
// A safe target is an absolute path on this server, with optional query and fragment, that
// every browser and proxy reads in the same way: printable ASCII without backslashes, no
// scheme, no host, no empty or dot segments, and no escapes in the path that would change its
// meaning if decoded twice. The paths under /oauth are refused, because they would cause a
// redirect loop.
func safeRedirect(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.ContainsFunc(next, mustEscape) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Opaque != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") {
		return "/"
	}
	if strings.ContainsFunc(u.Path, unsafeInPath) || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
		return "/"
	}
	segments := strings.Split(u.Path[1:], "/")
	for i, segment := range segments {
		if segment == "." || segment == ".." || segment == "" && i < len(segments)-1 {
			return "/"
		}
	}
	if strings.EqualFold(segments[0], "oauth") {
		return "/"
	}
	return next
}

// mustEscape reports whether a character must be escaped in a URL.
func mustEscape(r rune) bool {
	return r <= ' ' || r > '~' || slices.Contains([]rune{'\\', '"', '<', '>', '^', '`', '{', '|', '}'}, r)
}

// unsafeInPath reports whether a character must not occur in a path even if it is escaped.
func unsafeInPath(r rune) bool {
	return r < ' ' || r == 0x7f || r == '\\' || r == '%' || r == '\ufffd'
}
