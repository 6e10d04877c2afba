package mixcloud

import (
	"net/url"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// An Input is a resource as a client of a program names it: typed, pasted from
// a page, or copied from another answer. It differs from a [Ref] in two ways.
//
// Its key is in Unicode NFC, as Mixcloud's keys are. Some systems decompose
// letters (e and U+0301 for é), and the API finds nothing under such a key.
// Received is the key in the form that was received, if that differs: a program
// that gets a 404 for Key tries it once.
//
// Addresses that people take for a resource and that are none are refused with
// the reason: tabs of a profile, live streams, pages of the site. A show can have
// such a slug all the same, so keys in Mixcloud's answers are never read this way.
type Input struct {
	Ref
	Received string // "" if it equals Key
}

// Keys lists the keys to try, in this order.
func (in Input) Keys() []string {
	if in.Received == "" {
		return []string{in.Key}
	}
	return []string{in.Key, in.Received}
}

// ParseInput reads a key or an address that a client has sent. It accepts what
// [ParseRef] accepts, and the address of a player, whose "feed" names a
// resource. Spaces, quotes and invisible characters around it are ignored, and
// so is punctuation after an address. It makes no call.
func ParseInput(s string, roots ...string) (Input, error) {
	pasted, problem := cleanPasted(s, roots)
	if problem != "" {
		return Input{}, &InvalidError{Arg: "key", Reason: problem}
	}
	ref, err := ParseRef(pasted, roots...)
	if err != nil {
		return Input{}, err
	}
	if problem := noResource(ref); problem != "" {
		return Input{}, &InvalidError{Arg: "key", Reason: problem}
	}
	return composed(ref), nil
}

// ParseInput is the package's ParseInput, and accepts the client's own roots too.
func (c *Client) ParseInput(s string) (Input, error) {
	return ParseInput(s, c.api.String(), c.site.String())
}

// UserInput is the user with the name that a client has sent; see [UserKey].
func UserInput(username string) (Input, error) {
	username = trimPasted(username)
	if strings.Contains(username, "://") {
		return Input{}, &InvalidError{Arg: "username", Reason: "is an address, not a name"}
	}
	key, err := UserKey(username)
	if err != nil {
		return Input{}, err
	}
	ref := Ref{KindUser, key}
	if problem := noResource(ref); problem != "" {
		return Input{}, &InvalidError{Arg: "username", Reason: "can be no user's name"}
	}
	return composed(ref), nil
}

// TagInput is the tag with the name or slug that a client has sent; see [TagKey].
func TagInput(nameOrSlug string) (Input, error) {
	return namedInput(KindTag, func(f form) (string, error) { return tagKey(nameOrSlug, f) })
}

// CityInput is the city with the name or slug that a client has sent; see
// [CityKey].
func CityInput(nameOrSlug string) (Input, error) {
	return namedInput(KindCity, func(f form) (string, error) { return cityKey(nameOrSlug, f) })
}

// CategoryInput is the category with the name or slug that a client has sent;
// see [CategoryKey].
func CategoryInput(slug string) (Input, error) {
	return namedInput(KindCategory, func(f form) (string, error) { return categoryKey(slug, f) })
}

// DiscoverInput is the combination of tags and a city that a client has sent;
// see [DiscoverKey].
func DiscoverInput(tags []string, city string) (Input, error) {
	return namedInput(KindTag, func(f form) (string, error) { return discoverKey(tags, city, f) })
}

// Compose returns the text of a client's search in Unicode NFC.
func Compose(text string) string { return norm.NFC.String(text) }

// A form is a change to a name before its slug is made.
type form func(name string) string

// asReceived changes nothing.
func asReceived(name string) string { return name }

// inNFC composes a name. The slug is made of the composed name, since some
// decomposed letters have another lower case.
func inNFC(name string) string { return norm.NFC.String(name) }

// namedInput makes both forms of a key.
func namedInput(kind Kind, key func(form) (string, error)) (Input, error) {
	received, err := key(asReceived)
	if err != nil {
		return Input{}, err
	}
	nfc, err := key(inNFC)
	if err != nil {
		return Input{}, err
	}
	in := Input{Ref: Ref{kind, nfc}}
	if received != nfc {
		in.Received = received
	}
	return in, nil
}

// composed brings the key of a reference into NFC.
func composed(ref Ref) Input {
	path := elements(ref.Key)
	changed := false
	for i, element := range path {
		plain, err := url.PathUnescape(element)
		if err != nil || norm.NFC.IsNormalString(plain) {
			continue
		}
		// A raw plus separates tags, an escaped one belongs to a name.
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
	return Input{Ref: Ref{ref.Kind, joinPath(path)}, Received: ref.Key}
}

// pages are first elements of the site's own pages that [ParseRef] takes for a
// user's name, with what they are.
var pages = map[string]string{
	"live":   "names a live stream, which Mixcloud's API does not have",
	"select": "names a page of the site, not a resource",
	"pro":    "names a page of the site, not a resource",
}

// tabs are the parts of a profile that have no list in the API under that name.
var tabs = map[string]bool{"uploads": true, "stream": true, "reposts": true, "select": true, "about": true}

// noResource says why an address names no resource, although a resource could
// have such a key; "" if it may name one.
func noResource(ref Ref) string {
	path := elements(ref.Key)
	if problem := pages[lowerPlain(path[0])]; problem != "" {
		return problem
	}
	if tab := lowerPlain(path[len(path)-1]); ref.Kind == KindCloudcast && tabs[tab] {
		return `names the tab "` + tab + `" of a profile, not a cloudcast: look up the user`
	}
	return ""
}

// cleanPasted takes what was pasted for an address or a key out of what
// surrounds it.
func cleanPasted(s string, roots []string) (pasted, problem string) {
	if len(s) > 4*maxPath {
		return "", "is too long"
	}
	s = unwrapped(s)
	if strings.ContainsAny(s, "<>") {
		return "", "is a piece of HTML: give the address alone"
	}
	feed, player := playerFeed(s, roots)
	switch {
	case !player:
		return s, ""
	case feed == "":
		return "", "is the address of a player without a feed"
	}
	return unwrapped(feed), ""
}

// unwrapped is what was pasted without what surrounds it, and unescaped if all
// of it was escaped, slashes included, as a parameter of another address.
func unwrapped(s string) string {
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

// trimPasted drops spaces, quotes and invisible characters at both ends.
func trimPasted(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) && !unicode.Is(unicode.Prepended_Concatenation_Mark, r) ||
			strings.ContainsRune("<>\"'`‘’“”«»", r)
	})
}

// playerHost is where today's players are.
const playerHost = "player-widget.mixcloud.com"

// playerFeed returns what the player of an address plays, if it is an address of
// a player.
func playerFeed(s string, roots []string) (feed string, player bool) {
	s, _, _ = strings.Cut(s, "#")
	address, query, _ := strings.Cut(s, "?")
	rest, _ := cutScheme(address)
	path, ours := cutRoot(rest, roots)
	if host, tail, _ := strings.Cut(rest, "/"); !ours {
		player = strings.EqualFold(host, playerHost)
		if !player && !knownHost(host) {
			return "", false
		}
		path = tail
	}
	path = strings.ToLower(strings.Trim(path, "/")) + "/"
	// The last was the player of Flash's days.
	player = player || strings.HasPrefix(path, "widget/") || strings.HasPrefix(path, "player/") || strings.HasPrefix(path, "media/swf/")
	if !player {
		return "", false
	}
	// Addresses out of HTML have &amp; between parameters.
	values, _ := url.ParseQuery(strings.ReplaceAll(query, "&amp;", "&"))
	return values.Get("feed"), true
}
