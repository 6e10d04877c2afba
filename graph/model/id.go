package model

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"mixcloud-graphql/mixcloud"
)

// A Kind says what a global id names. The kinds of resources are mixcloud's own;
// comments and activities have no address of their own in REST.
type Kind string

// Kinds of nodes, named as their GraphQL types; all activities are one kind.
const (
	KindUser      Kind = Kind(mixcloud.KindUser)
	KindCloudcast Kind = Kind(mixcloud.KindCloudcast)
	KindTag       Kind = Kind(mixcloud.KindTag)
	KindCity      Kind = Kind(mixcloud.KindCity)
	KindCategory  Kind = Kind(mixcloud.KindCategory)
	KindPlaylist  Kind = Kind(mixcloud.KindPlaylist)
	KindArtist    Kind = Kind(mixcloud.KindArtist)
	KindTrack     Kind = Kind(mixcloud.KindTrack)
	KindComment   Kind = "Comment"
	KindActivity  Kind = "Activity"
)

// kindCodes stand in ids, so that a Go name can change without breaking one.
// A code, once released, keeps its meaning for ever.
var kindCodes = map[Kind]string{
	KindUser: "u", KindCloudcast: "c", KindTag: "t", KindCity: "y", KindCategory: "g",
	KindPlaylist: "p", KindArtist: "a", KindTrack: "k", KindComment: "m", KindActivity: "f",
}

// idVersion begins every id. A later form gets the next digit, and this one
// stays readable: ids of every release decode for ever.
const idVersion = "1"

// maxID bounds what is decoded at all: two keys of the longest path that is
// accepted, base64's third on top.
const maxID = 6 << 10

// A NodeID is a parsed global id.
type NodeID struct {
	Kind Kind
	Key  mixcloud.Key

	// Owner and Time are set for comments and activities only: the resource
	// whose list holds the item, and the whole second at which it stands there.
	Owner mixcloud.CanonicalKey
	Time  time.Time
}

// errNoID is all that a stranger learns of an id that is none.
var errNoID = errors.New("is not an id that this server gives out")

// String is the id as clients see it: URL-safe text, stateless and unsigned,
// so that every server can read it.
func (id NodeID) String() string {
	var buffer, encoded [256]byte // long enough for nearly every id
	plain := append(append(buffer[:0], idVersion...), kindCodes[id.Kind]...)
	plain = append(append(plain, '\n'), id.key()...)
	if id.Kind.listed() {
		plain = append(append(plain, '\n'), id.Owner.String()...)
		plain = strconv.AppendInt(append(plain, '\n'), id.Time.Unix(), 10)
	}
	return string(base64.RawURLEncoding.AppendEncode(encoded[:0], plain))
}

// key is the key as it stands in the id. Keys of listed items stand there as they
// were received, which no release may change.
func (id NodeID) key() string {
	if id.Kind.listed() {
		return id.Key.String()
	}
	return id.Key.Canonical().String()
}

// ParseID is the inverse of String. Text that String never gives, such as
// another encoding of the same id or a key that is impossible for its kind, is
// an error, so that a forged id is refused before any call.
func ParseID(text string) (NodeID, error) {
	if len(text) > maxID {
		return NodeID{}, errNoID
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return NodeID{}, errNoID
	}
	fields := strings.Split(string(plain), "\n")
	id := NodeID{Kind: kindOf(fields[0])}
	switch {
	case len(fields) == 2 && !id.Kind.listed():
		ref, err := mixcloud.ParseRef(fields[1])
		if err != nil || Kind(ref.Kind) != id.Kind {
			return NodeID{}, errNoID
		}
		id.Key = ref.Key
	case len(fields) == 4 && id.Kind.listed():
		seconds, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil || seconds < 0 || seconds > maxUnix {
			return NodeID{}, errNoID
		}
		id.Key, id.Owner = mixcloud.ParseKey(fields[1]), mixcloud.ParseKey(fields[2]).Canonical()
		id.Time = time.Unix(seconds, 0).UTC()
	default:
		return NodeID{}, errNoID
	}
	if id.Kind.listed() && !id.possible() || id.String() != text {
		return NodeID{}, errNoID
	}
	return id, nil
}

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

func kindOf(head string) Kind {
	code, ok := strings.CutPrefix(head, idVersion)
	if !ok {
		return ""
	}
	for kind, c := range kindCodes {
		if c == code {
			return kind
		}
	}
	return ""
}

// listed reports whether the kind has no address of its own: it is found in a
// list of its owner.
func (k Kind) listed() bool { return k == KindComment || k == KindActivity }

// possible reports whether the key and the owner can belong to a comment or an
// activity.
func (id NodeID) possible() bool {
	if id.Kind == KindComment {
		return strings.HasPrefix(id.key(), "/comments/") && plainPath(id.key()) && names(id.Owner, KindUser, KindCloudcast)
	}
	list, below := strings.CutPrefix(id.Key.Canonical().String(), id.Owner.String())
	return below && strings.HasPrefix(list, "feed/") && plainPath(id.key()) && names(id.Owner, KindUser)
}

// names reports whether a key can name a resource of one of kinds.
func names(key mixcloud.CanonicalKey, kinds ...Kind) bool {
	ref, err := mixcloud.ParseRef(key.String())
	return err == nil && ref.Key.Canonical() == key && slices.Contains(kinds, Kind(ref.Kind))
}

// plainPath reports whether a key is a path that can be asked for: slashes at
// both ends, no empty and no dot segments, no control characters.
func plainPath(key string) bool {
	if len(key) < 3 || len(key) > 2048 || key[0] != '/' || key[len(key)-1] != '/' {
		return false
	}
	for segment := range strings.SplitSeq(key[1:len(key)-1], "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
	}
	return utf8.ValidString(key) &&
		!strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '?' || r == '#' })
}
