package mixcloud

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// An Input names a resource as a person typed or pasted it. It differs from a
// [Ref] in two ways.
//
// Its key is in Unicode NFC, as Mixcloud's keys are. Some systems send letters
// decomposed (e and U+0301 for é), and Mixcloud does not find a resource by such a
// key. Received is the key as it was typed, if it differs: if Key is not found,
// try Received.
//
// URLs that have the form of a resource's URL but name another page (tabs of a
// profile, live streams and pages of the website) return an [*InvalidError] with
// the reason. Use [ParseRef] for keys from Mixcloud, because a show can have such
// a key.
type Input struct {
	Ref
	Received Key // zero if it is the same as Key
}

// Keys returns the keys to try, in order: Key, and Received if it is set.
func (in Input) Keys() []Key {
	if in.Received.IsZero() {
		return []Key{in.Key}
	}
	return []Key{in.Key, in.Received}
}

// ParseInput parses a key or a URL that a person typed or pasted. It accepts what
// [ParseRef] accepts, and the URL of a player, whose parameter feed names a
// resource. It ignores spaces, quotes and invisible characters around the text,
// and punctuation after a URL. It makes no call.
func ParseInput(s string, baseURLs ...string) (Input, error) {
	pasted, problem := extractURL(s, baseURLs)
	if problem != "" {
		return Input{}, &InvalidError{Arg: "key", Reason: problem}
	}
	ref, err := ParseRef(pasted, baseURLs...)
	if err != nil {
		return Input{}, err
	}
	if problem := pageProblem(ref); problem != "" {
		return Input{}, &InvalidError{Arg: "key", Reason: problem}
	}
	return normalizeRef(ref), nil
}

// ParseInput is [ParseInput] with the client's base URLs.
func (c *Client) ParseInput(s string) (Input, error) {
	return ParseInput(s, c.baseURLs...)
}

// UserInput returns the user with a name that a person typed; see [UserKey].
func UserInput(username string) (Input, error) {
	username = trimPasted(username)
	if strings.Contains(username, "://") {
		return Input{}, &InvalidError{Arg: "username", Reason: "is a URL, not a name"}
	}
	key, err := UserKey(username)
	if err != nil {
		return Input{}, err
	}
	ref := Ref{KindUser, ParseKey(key)}
	if problem := pageProblem(ref); problem != "" {
		return Input{}, &InvalidError{Arg: "username", Reason: "is not a possible username"}
	}
	return normalizeRef(ref), nil
}

// TagInput returns the tag with a name or slug that a person typed; see [TagKey].
func TagInput(nameOrSlug string) (Input, error) {
	return namedInput(KindTag, func(f nameForm) (string, error) { return tagKey(nameOrSlug, f) })
}

// CityInput returns the city with a name or slug that a person typed; see
// [CityKey].
func CityInput(nameOrSlug string) (Input, error) {
	return namedInput(KindCity, func(f nameForm) (string, error) { return cityKey(nameOrSlug, f) })
}

// CategoryInput returns the category with a name or slug that a person typed; see
// [CategoryKey].
func CategoryInput(slug string) (Input, error) {
	return namedInput(KindCategory, func(f nameForm) (string, error) { return categoryKey(slug, f) })
}

// DiscoverInput returns the combination of tags and a city that a person typed;
// see [DiscoverKey].
func DiscoverInput(tags []string, city string) (Input, error) {
	return namedInput(KindTag, func(f nameForm) (string, error) { return discoverKey(tags, city, f) })
}

// NFC returns text in Unicode NFC, the form that names on Mixcloud have. Some
// systems send letters decomposed, and a search for such text has no results.
func NFC(text string) string { return norm.NFC.String(text) }

// A nameForm changes a name before its slug is made.
type nameForm func(name string) string

// unchanged is the nameForm that returns the name as it was received.
func unchanged(name string) string { return name }

// namedInput makes the key from the name as it was received and from the name in
// NFC. The name is composed before its slug is made, because some decomposed
// letters have another lower case.
func namedInput(kind Kind, key func(nameForm) (string, error)) (Input, error) {
	received, err := key(unchanged)
	if err != nil {
		return Input{}, err
	}
	nfc, err := key(NFC)
	if err != nil {
		return Input{}, err
	}
	in := Input{Ref: Ref{kind, ParseKey(nfc)}}
	if received != nfc {
		in.Received = ParseKey(received)
	}
	return in, nil
}

// normalizeRef returns the input with the key of ref in NFC.
func normalizeRef(ref Ref) Input {
	if !strings.Contains(ref.Key.text, "%") {
		return Input{Ref: ref} // ASCII only, which is in NFC
	}
	path := elements(ref.Key.text)
	changed := false
	for i, element := range path {
		plain, err := url.PathUnescape(element)
		if err != nil || norm.NFC.IsNormalString(plain) {
			continue
		}
		// A raw plus separates tags. An escaped one is part of a name.
		parts := strings.Split(element, "+")
		for j, part := range parts {
			plain, _ := url.PathUnescape(part)
			parts[j] = strings.ReplaceAll(url.PathEscape(norm.NFC.String(plain)), "+", "%2B")
		}
		path[i], changed = strings.Join(parts, "+"), true
	}
	if !changed {
		return Input{Ref: ref}
	}
	return Input{Ref: Ref{ref.Kind, ParseKey(joinPath(path))}, Received: ref.Key}
}

// sitePages maps first path elements of pages of the site, which [ParseRef] parses
// as a user's name, to a description of the problem.
var sitePages = map[string]string{
	"live":   "names a live stream, which Mixcloud's API does not have",
	"select": "names a page of the site, not a resource",
	"pro":    "names a page of the site, not a resource",
}

// profileTabs are the tabs of a profile that are not lists of the API.
var profileTabs = map[string]bool{"uploads": true, "stream": true, "reposts": true, "select": true, "about": true}

// pageProblem returns why a URL does not name a resource, although a resource
// could have such a key. It returns "" if it may name a resource.
func pageProblem(ref Ref) string {
	path := strings.Trim(ref.Key.text, "/")
	first, _, _ := strings.Cut(path, "/")
	if problem := sitePages[lowerEscaped(first)]; problem != "" {
		return problem
	}
	if tab := lowerEscaped(path[strings.LastIndexByte(path, '/')+1:]); ref.Kind == KindCloudcast && profileTabs[tab] {
		return `names the tab "` + tab + `" of a profile, not a cloudcast: look up the user`
	}
	return ""
}

// extractURL returns the URL or key that a pasted text contains.
func extractURL(s string, baseURLs []string) (pasted, problem string) {
	if len(s) > 4*maxPath {
		return "", "is too long"
	}
	s = unwrap(s)
	if strings.ContainsAny(s, "<>") {
		return "", "is HTML: pass only the URL"
	}
	feed, player := playerFeed(s, baseURLs)
	switch {
	case !player:
		return s, ""
	case feed == "":
		return "", "is the URL of a player without a feed"
	}
	return unwrap(feed), ""
}

// unwrap returns a pasted text without quotes, spaces and punctuation around it. A
// text whose slashes are escaped was a parameter of another URL, and is unescaped.
func unwrap(s string) string {
	s = trimPasted(s)
	lower := strings.ToLower(s[:min(len(s), len("https%3a%2f"))])
	for _, start := range []string{"https%3a%2f", "http%3a%2f", "%2f"} {
		if strings.HasPrefix(lower, start) {
			if plain, err := url.PathUnescape(s); err == nil {
				s = trimPasted(plain)
			}
			break
		}
	}
	if rest, absolute := cutScheme(s); absolute || knownHost(strings.Split(rest, "/")[0]) {
		s = strings.TrimRight(s, ".,;:!)]}'\"’”»…")
	}
	return s
}

// trimPasted removes spaces, quotes and invisible characters from both ends.
func trimPasted(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
			strings.ContainsRune("<>\"'`‘’“”«»", r)
	})
}

// playerHost is the host of the current players.
const playerHost = "player-widget.mixcloud.com"

// playerFeed reports whether s is the URL of a player, and returns its feed: the
// URL of the resource that it plays.
func playerFeed(s string, baseURLs []string) (feed string, player bool) {
	s, _, _ = strings.Cut(s, "#")
	page, query, _ := strings.Cut(s, "?")
	rest, _ := cutScheme(page)
	path, ours := cutBaseURL(rest, baseURLs)
	if host, tail, _ := strings.Cut(rest, "/"); !ours {
		player = strings.EqualFold(host, playerHost)
		if !player && !knownHost(host) {
			return "", false
		}
		path = tail
	}
	path = strings.ToLower(strings.Trim(path, "/")) + "/"
	// media/swf was the Flash player.
	player = player || strings.HasPrefix(path, "widget/") || strings.HasPrefix(path, "player/") || strings.HasPrefix(path, "media/swf/")
	if !player {
		return "", false
	}
	// URLs that were copied from HTML have &amp; between parameters.
	values, _ := url.ParseQuery(strings.ReplaceAll(query, "&amp;", "&"))
	return values.Get("feed"), true
}
