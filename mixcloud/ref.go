package mixcloud

import (
	"slices"
	"strings"
)

// A Kind is a type of resource that can be fetched by its key.
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

// A Ref names a resource: its kind and its key. The key has a slash at both
// ends and its elements percent-encoded with upper-case digits; its letters'
// case and, for a tag, its prefix are as they were given: see [Canonical].
type Ref struct {
	Kind Kind
	Key  string
}

// ParseRef reads a key or the address of a page, as somebody pasted it, and
// tells by the path's shape alone what it names. It makes no call.
//
// Addresses may have http, https or no scheme, the host mixcloud.com alone or
// with www, m, api or app before it, or one of roots (such as
// "http://127.0.0.1:8080/emulator"), whose path is cut off. Query and
// fragment are dropped; the case of the host, a missing slash at either end,
// and whether the path is escaped do not matter.
//
// Anything else is an [*InvalidError]: other hosts, paths of the site's own
// pages, of lists ("/spartacus/followers/"), of comments and of feed entries.
func ParseRef(s string, roots ...string) (Ref, error) {
	path, problem := refPath(strings.TrimSpace(s), roots)
	if problem == "" {
		path, problem = cleanPath(path)
	}
	if problem == "" {
		var ref Ref
		if ref, problem = shape(elements(path)); problem == "" {
			return ref, nil
		}
	}
	return Ref{}, &InvalidError{Arg: "key", Reason: problem}
}

// ParseRef is the package's ParseRef, and accepts the client's own roots too.
func (c *Client) ParseRef(s string) (Ref, error) {
	return ParseRef(s, c.api.String(), c.site.String())
}

// refPath cuts scheme, host, a root's path, query and fragment off.
func refPath(s string, roots []string) (path, problem string) {
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
	if path, ok := cutRoot(rest, roots); ok {
		return path, ""
	}
	host, path, _ := strings.Cut(rest, "/")
	if knownHost(host) {
		return path, ""
	}
	// Without a scheme, "spartacus/party-time" is a key that lacks its first
	// slash, and "example.com/party-time" is somebody else's page.
	if absolute || strings.ContainsAny(host, ".:@") {
		return "", "is an address of another site"
	}
	return rest, ""
}

// cutScheme removes http:// or https:// or a bare // from an address.
func cutScheme(s string) (rest string, absolute bool) {
	for _, scheme := range []string{"https://", "http://", "//"} {
		if len(s) >= len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) {
			return s[len(scheme):], true
		}
	}
	return s, false
}

// cutRoot removes the longest of roots that rest, an address without its
// scheme, begins with.
func cutRoot(rest string, roots []string) (path string, ok bool) {
	longest := -1
	for _, root := range roots {
		root, _ = cutScheme(strings.TrimRight(root, "/"))
		host, _, _ := strings.Cut(root, "/")
		if host == "" || len(root) <= longest || len(rest) < len(root) {
			continue
		}
		if !strings.EqualFold(rest[:len(host)], host) || rest[len(host):len(root)] != root[len(host):] {
			continue
		}
		if tail := rest[len(root):]; tail == "" || tail[0] == '/' {
			path, longest = tail, len(root)
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

// tagPrefixes are the first elements of tag keys, by age: to 2014, 2015 to
// 2023, since 2024. All three name the same tag (observed).
var tagPrefixes = []string{"tag", "discover", "genres"}

// tagPrefix is the one that requests for a tag known by name are made with:
// the documented one of today.
const tagPrefix = "genres"

// reserved are first path elements that are pages of the API or the site, so
// that no user can have them as a name.
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

// userConnections are the lists of a user, and the one action on it: second
// elements that are no cloudcast's slug.
var userConnections = map[string]bool{
	"cloudcasts": true, "favorites": true, "listens": true, "followers": true,
	"following": true, "comments": true, "feed": true, "playlists": true,
	"listen-later": true, "follow": true,
}

// shape tells what a clean path names, or what is wrong with it. The API's own
// words in it are brought into lower case.
func shape(path []string) (ref Ref, problem string) {
	word := lowerPlain(path[0])
	kind := Kind("")
	switch {
	case slices.Contains(tagPrefixes, word) && len(path) == 2:
		if kind = KindTag; strings.HasPrefix(path[1], "city:") && !strings.Contains(path[1], "+") {
			kind = KindCity
		}
		if path[1] == "city:" {
			return Ref{}, "names no city"
		}
	case word == "categories" && len(path) == 2:
		kind = KindCategory
	case word == "artist" && len(path) == 2:
		kind = KindArtist
	case word == "track" && len(path) == 3:
		kind = KindTrack
	case reserved[word]:
		return Ref{}, "names a page or a list, not a resource"
	case len(path) == 1:
		return Ref{KindUser, joinPath(path)}, ""
	case len(path) == 2 && !userConnections[lowerPlain(path[1])]:
		return Ref{KindCloudcast, joinPath(path)}, ""
	case len(path) == 3 && lowerPlain(path[1]) == "playlists":
		path[1] = "playlists"
		return Ref{KindPlaylist, joinPath(path)}, ""
	default:
		return Ref{}, "names a list or an entry of one, not a resource"
	}
	path[0] = word
	return Ref{kind, joinPath(path)}, ""
}

// Canonical folds the spellings of one key into one, for use as an identity:
// the case of ASCII letters in a username, the three prefixes of a tag, and
// escaping. What is no path at all is returned as it is. The result still
// answers when it is requested, but what the API shows is the key as received.
func Canonical(key string) string {
	if isPlain(key) {
		return key
	}
	return canonical(key)
}

// isPlain reports whether a key needs no work: most do not. It is false for some
// keys that are canonical.
func isPlain(key string) bool {
	if len(key) < 3 || len(key) > maxPath || key[0] != '/' || key[len(key)-1] != '/' {
		return false
	}
	element := 1
	for i := 1; i < len(key); i++ {
		switch c := key[i]; {
		case c == '/' && key[i-1] == '/':
			return false
		case c == '/':
			if element == 1 && i < len(key)-1 && slices.Contains(tagPrefixes, key[1:i]) && key[1:i] != tagPrefix {
				return false
			}
			element++
		case 'A' <= c && c <= 'Z' && element == 1:
			return false
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// canonical is [Canonical] for any key.
func canonical(key string) string {
	clean, problem := cleanPath(key)
	if problem != "" {
		return key
	}
	path := elements(clean)
	path[0] = lowerPlain(path[0])
	if len(path) > 1 && slices.Contains(tagPrefixes, path[0]) {
		path[0] = tagPrefix
	}
	return joinPath(path)
}

// lowerPlain lowers an escaped element, but not the digits of its escapes.
func lowerPlain(escaped string) string {
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
