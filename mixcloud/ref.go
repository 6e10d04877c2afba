package mixcloud

import (
	"slices"
	"strings"
)

// A Kind is a kind of resource. [Client.Resource] reads resources of all kinds.
type Kind string

// The kinds of resources. A combination of tags counts as a tag.
const (
	KindUser      Kind = "User"
	KindCloudcast Kind = "Cloudcast"
	KindTag       Kind = "Tag"
	KindCity      Kind = "City"
	KindCategory  Kind = "Category"
	KindPlaylist  Kind = "Playlist"
	KindArtist    Kind = "Artist"
	KindTrack     Kind = "Track"
)

// A Ref names a resource by its kind and its key. The key begins and ends with a
// slash and is percent-encoded with upper-case digits. The case of its letters,
// and the prefix of a tag, are as in the text that was parsed.
type Ref struct {
	Kind Kind
	Key  Key
}

// ParseRef parses a key or the URL of a page. The form of the path says which
// kind of resource it names; no call is made, so the resource may not exist.
//
// A URL may have http, https or no scheme. Its host is mixcloud.com, also with
// www, m, api or app before it, or it begins with one of baseURLs, such as
// "http://127.0.0.1:8080/emulator". The query and the fragment are ignored. The
// slashes at both ends may be left out, and the path may be percent-encoded.
//
// Anything else is an [*InvalidError]: other hosts, and paths of lists
// ("/spartacus/followers/"), comments, feed entries and other pages of the
// website.
func ParseRef(s string, baseURLs ...string) (Ref, error) {
	path, problem := refPath(strings.TrimSpace(s), baseURLs)
	if problem == "" {
		path, problem = cleanPath(path)
	}
	if problem == "" {
		var kind Kind
		parts := elements(path)
		if kind, problem = pathKind(parts); problem == "" {
			return Ref{kind, ParseKey(joinPath(parts))}, nil
		}
	}
	return Ref{}, &InvalidError{Arg: "key", Reason: problem}
}

// ParseRef is [ParseRef] with the client's base URLs.
func (c *Client) ParseRef(s string) (Ref, error) {
	return ParseRef(s, c.baseURLs...)
}

// refPath returns the path of a key or a URL, without scheme, host, the path of a
// base URL, query and fragment.
func refPath(s string, baseURLs []string) (path, problem string) {
	if len(s) > 4*maxPath {
		return "", "is too long"
	}
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	rest, absolute := cutScheme(s)
	if !absolute && strings.HasPrefix(rest, "/") {
		return rest, ""
	}
	if path, ok := cutBaseURL(rest, baseURLs); ok {
		return path, ""
	}
	host, path, _ := strings.Cut(rest, "/")
	if knownHost(host) {
		return path, ""
	}
	// Without a scheme, "spartacus/party-time" is a key that lacks its first
	// slash, and "example.com/party-time" is a page of another site.
	if absolute || strings.ContainsAny(host, ".:@") {
		return "", "is a URL of another site"
	}
	return rest, ""
}

// cutScheme removes http:// or https:// or a bare // from a URL.
func cutScheme(s string) (rest string, absolute bool) {
	for _, scheme := range []string{"https://", "http://", "//"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return s[len(scheme):], true
		}
	}
	return s, false
}

// cutBaseURL removes the longest of baseURLs with which rest begins. rest is a
// URL without its scheme.
func cutBaseURL(rest string, baseURLs []string) (path string, ok bool) {
	longest := -1
	for _, base := range baseURLs {
		base, _ = cutScheme(strings.TrimRight(base, "/"))
		host, _, _ := strings.Cut(base, "/")
		if host == "" || len(base) <= longest || len(rest) < len(base) {
			continue
		}
		if !strings.EqualFold(rest[:len(host)], host) || rest[len(host):len(base)] != base[len(host):] {
			continue
		}
		if tail := rest[len(base):]; tail == "" || tail[0] == '/' {
			path, longest = tail, len(base)
		}
	}
	return path, longest >= 0
}

func knownHost(host string) bool {
	host = strings.ToLower(host)
	host = strings.TrimSuffix(strings.TrimSuffix(host, ":443"), ":80")
	switch strings.TrimSuffix(host, ".mixcloud.com") {
	case "mixcloud.com", "www", "m", "api", "app":
		return host == "mixcloud.com" || strings.HasSuffix(host, ".mixcloud.com")
	}
	return false
}

// tagPrefixes are the first elements of tag keys, oldest first: until 2014, 2015
// to 2023, since 2024. All three name the same tag (observed).
var tagPrefixes = []string{"tag", "discover", "genres"}

// tagPrefix is the prefix of the keys that this package builds from names. It is
// the documented one.
const tagPrefix = "genres"

// reserved are first path elements that name pages of the API or the site. No
// user can have one of them as a name.
var reserved = map[string]bool{
	"about": true, "account": true, "admin": true, "advertise": true, "api": true,
	"artist": true, "artists": true, "branding": true, "careers": true, "categories": true,
	"comments": true, "contact": true, "copyright": true, "dashboard": true, "developers": true,
	"discover": true, "embed": true, "favicon.ico": true, "faq": true, "genres": true,
	"graphql": true, "help": true, "jobs": true, "login": true, "logout": true, "me": true,
	"media": true, "new": true, "notifications": true, "oauth": true, "oembed": true,
	"player": true, "popular": true, "press": true, "privacy": true, "register": true,
	"robots.txt": true, "search": true, "settings": true, "signup": true, "static": true,
	"support": true, "tag": true, "tags": true, "terms": true, "track": true, "tracks": true,
	"upload": true, "widget": true, "www": true,
}

// userConnections are the second path elements that name a list of a user, or
// the action on a user. No cloudcast has one of them as its slug.
var userConnections = map[string]bool{
	"cloudcasts": true, "favorites": true, "listens": true, "followers": true,
	"following": true, "comments": true, "feed": true, "playlists": true,
	"listen-later": true, "follow": true,
}

// pathKind returns the kind of resource that the elements of a clean path name,
// or a description of the problem if they name none. It changes fixed elements of
// the API in path, such as "categories", to lower case.
func pathKind(path []string) (kind Kind, problem string) {
	word := lowerEscaped(path[0])
	switch {
	case slices.Contains(tagPrefixes, word) && len(path) == 2:
		if kind = KindTag; strings.HasPrefix(path[1], "city:") && !strings.Contains(path[1], "+") {
			kind = KindCity
		}
		if path[1] == "city:" {
			return "", "names no city"
		}
	case word == "categories" && len(path) == 2:
		kind = KindCategory
	case word == "artist" && len(path) == 2:
		kind = KindArtist
	case word == "track" && len(path) == 3:
		kind = KindTrack
	case reserved[word]:
		return "", "names a page or a list, not a resource"
	case len(path) == 1:
		return KindUser, ""
	case len(path) == 2 && !userConnections[lowerEscaped(path[1])]:
		return KindCloudcast, ""
	case len(path) == 3 && lowerEscaped(path[1]) == "playlists":
		path[1] = "playlists"
		return KindPlaylist, ""
	default:
		return "", "names a list or an entry of one, not a resource"
	}
	path[0] = word
	return kind, ""
}

// lowerEscaped returns an escaped element with its ASCII letters in lower case,
// except for the hexadecimal digits of its escapes.
func lowerEscaped(escaped string) string {
	if !strings.ContainsFunc(escaped, func(r rune) bool { return 'A' <= r && r <= 'Z' }) {
		return escaped
	}
	var b strings.Builder
	b.Grow(len(escaped))
	for i := 0; i < len(escaped); i++ {
		switch c := escaped[i]; {
		case c == '%' && i+2 < len(escaped):
			b.WriteString(escaped[i : i+3])
			i += 2
		case 'A' <= c && c <= 'Z':
			b.WriteByte(c + ('a' - 'A'))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
