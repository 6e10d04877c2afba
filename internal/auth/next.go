package auth

import (
	"net/url"
	"slices"
	"strings"
)

// maxNext bounds where to go after signing in: it has to fit into a cookie.
const maxNext = 1024

// ownPath returns next if it is an address of this server that is good to go to
// after signing in or out, else "/".
//
// It must be a path from the root, with a query and a fragment if need be, that
// every browser and proxy reads alike: printable ASCII without backslashes, no
// scheme, no host, no empty or dot segments, and nothing encoded in the path that
// would change its meaning if somebody decoded it once more. Those of signing in itself are no place to end: they would
// lead around in a circle.
func ownPath(next string) string {
	if len(next) > maxNext || !strings.HasPrefix(next, "/") || strings.ContainsFunc(next, notPlain) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Opaque != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(u.Path, "/") {
		return "/"
	}
	if strings.ContainsFunc(u.Path, notPlainInPath) || strings.Contains(strings.ToLower(u.EscapedPath()), "%2f") {
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

// notPlain is for what may not stand in an address as it is.
func notPlain(r rune) bool {
	return r <= ' ' || r > '~' || slices.Contains([]rune{'\\', '"', '<', '>', '^', '`', '{', '|', '}'}, r)
}

// notPlainInPath is for what may not be encoded in a path either.
func notPlainInPath(r rune) bool {
	return r < ' ' || r == 0x7f || r == '\\' || r == '%' || r == '\ufffd'
}
