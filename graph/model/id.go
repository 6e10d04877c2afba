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

// A Kind is the type of the node that a global id names. Resources have the kinds of package
// mixcloud. Comments and activities have no URL of their own in REST.
type Kind string

// The kinds of nodes. They have the names of their GraphQL types, but all activities
// are of one kind.
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

// kindCodes are the codes of kinds in ids, so that a Go name can change and ids do not.
// A released code never changes its meaning.
var kindCodes = map[Kind]string{
	KindUser: "u", KindCloudcast: "c", KindTag: "t", KindCity: "y", KindCategory: "g",
	KindPlaylist: "p", KindArtist: "a", KindTrack: "k", KindComment: "m", KindActivity: "f",
}

// idVersion is the first character of every id. A later format gets the next digit, and
// this format stays supported: the ids of every release can be decoded.
const idVersion = "1"

// maxID is the maximum length of an id that is decoded: two keys of the maximum length,
// in base64.
const maxID = 6 << 10

// A NodeID is a parsed global id.
type NodeID struct {
	Kind Kind
	Key  mixcloud.Key

	// Owner and Time are set for comments and activities only: the resource whose list contains the
	// item, and the item's time in that list, in whole seconds.
	Owner mixcloud.CanonicalKey
	Time  time.Time
}

// errInvalidID is the error for every invalid id. It has no details, because ids are
// opaque.
var errInvalidID = errors.New("is not a valid id; use an id from a response")

// String returns the id that clients see: URL-safe base64. It is unsigned and needs no
// state, so that every server can decode it.
func (id NodeID) String() string {
	var buffer, encoded [256]byte // long enough for nearly every id
	plain := append(append(buffer[:0], idVersion...), kindCodes[id.Kind]...)
	plain = append(append(plain, '\n'), id.key()...)
	if id.Kind.listItem() {
		plain = append(append(plain, '\n'), id.Owner.String()...)
		plain = strconv.AppendInt(append(plain, '\n'), id.Time.Unix(), 10)
	}
	return string(base64.RawURLEncoding.AppendEncode(encoded[:0], plain))
}

// key returns the key in the id: the canonical key of a resource, and the key of a
// comment or an activity as it was received. This is part of the format and must not
// change.
func (id NodeID) key() string {
	if id.Kind.listItem() {
		return id.Key.String()
	}
	return id.Key.Canonical().String()
}

// ParseID is the inverse of String. It returns an error for a text that String never
// returns, such as another encoding of an id, or a key that its kind cannot have. So a
// forged id is refused before a call.
func ParseID(text string) (NodeID, error) {
	if len(text) > maxID {
		return NodeID{}, errInvalidID
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return NodeID{}, errInvalidID
	}
	fields := strings.Split(string(plain), "\n")
	id := NodeID{Kind: kindOf(fields[0])}
	switch {
	case len(fields) == 2 && !id.Kind.listItem():
		ref, err := mixcloud.ParseRef(fields[1])
		if err != nil || Kind(ref.Kind) != id.Kind {
			return NodeID{}, errInvalidID
		}
		id.Key = ref.Key
	case len(fields) == 4 && id.Kind.listItem():
		seconds, err := strconv.ParseInt(fields[3], 10, 64)
		if err != nil || seconds < 0 || seconds > maxUnix {
			return NodeID{}, errInvalidID
		}
		id.Key, id.Owner = mixcloud.ParseKey(fields[1]), mixcloud.ParseKey(fields[2]).Canonical()
		id.Time = time.Unix(seconds, 0).UTC()
	default:
		return NodeID{}, errInvalidID
	}
	if id.Kind.listItem() && !id.validListItem() || id.String() != text {
		return NodeID{}, errInvalidID
	}
	return id, nil
}

// maxUnix is the last second of the year 9999.
const maxUnix = 253402300799

// kindOf returns the kind of an id from its first line, or "" if the version or the
// code is unknown.
func kindOf(line string) Kind {
	code, ok := strings.CutPrefix(line, idVersion)
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

// listItem reports whether nodes of the kind have no URL of their own. They are found in a list of
// their owner.
func (k Kind) listItem() bool { return k == KindComment || k == KindActivity }

// validListItem reports whether the key and the owner can be those of a comment or an
// activity.
func (id NodeID) validListItem() bool {
	if id.Kind == KindComment {
		return strings.HasPrefix(id.key(), "/comments/") && validPath(id.key()) && isKeyOf(id.Owner, KindUser, KindCloudcast)
	}
	list, below := strings.CutPrefix(id.Key.Canonical().String(), id.Owner.String())
	return below && strings.HasPrefix(list, "feed/") && validPath(id.key()) && isKeyOf(id.Owner, KindUser)
}

// isKeyOf reports whether a key can be that of a resource of one of kinds.
func isKeyOf(key mixcloud.CanonicalKey, kinds ...Kind) bool {
	ref, err := mixcloud.ParseRef(key.String())
	return err == nil && ref.Key.Canonical() == key && slices.Contains(kinds, Kind(ref.Kind))
}

// validPath reports whether a key is a path that can be called: with a slash at both
// ends, and without empty segments, dot segments and control characters.
func validPath(key string) bool {
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
