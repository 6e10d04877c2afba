package mixcloud

import "strings"

// A Key is Mixcloud's name of a resource: the path of its page, such as
// "/spartacus/" for a user and "/spartacus/party-time/" for a cloudcast. It
// contains the received text, which [Key.String] returns and calls use, and the
// canonical spelling.
//
// Mixcloud accepts several spellings of a key: usernames in any case, three
// prefixes of a tag, and letters with or without percent-encoding. Compare keys
// with [Key.Equal], and use [Key.Canonical] as the key of a map. A Key cannot be
// compared with ==.
//
// The zero Key means that there is no key.
type Key struct {
	_         [0]func() // forbids ==
	text      string
	canonical string
}

// A CanonicalKey is the canonical spelling of a key. Two canonical keys are equal
// with == if and only if they name the same resource. [Key.Canonical] returns it.
type CanonicalKey struct{ path string }

// ParseKey returns the key with the given text. It accepts any text, so that a
// response with an unusual key can be decoded; a text that is not a path is its
// own canonical spelling. Use [ParseRef] or [ParseInput] to check a text.
//
// It does not allocate if the text is canonical.
func ParseKey(text string) Key {
	return Key{text: text, canonical: canonicalText(text)}
}

// String returns the key as it was received.
func (k Key) String() string { return k.text }

// Canonical returns the canonical spelling of the key.
func (k Key) Canonical() CanonicalKey { return CanonicalKey{k.canonical} }

// Equal reports whether two keys name the same resource.
func (k Key) Equal(other Key) bool { return k.canonical == other.canonical }

// IsZero reports whether k is the zero Key.
func (k Key) IsZero() bool { return k.text == "" }

// Owner returns the first element of the key, which is the user for a cloudcast or
// a playlist: "/spartacus/" for "/Spartacus/party-time/".
func (k Key) Owner() CanonicalKey {
	first, _, _ := strings.Cut(strings.TrimPrefix(k.canonical, "/"), "/")
	return CanonicalKey{"/" + first + "/"}
}

// MarshalText returns the key as it was received. In JSON a Key is a string.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.text), nil }

// UnmarshalText sets k to the key with the given text, as [ParseKey] does.
func (k *Key) UnmarshalText(text []byte) error {
	*k = ParseKey(string(text))
	return nil
}

// String returns the text. Mixcloud accepts it as a key.
func (c CanonicalKey) String() string { return c.path }

// Key converts c to a Key.
func (c CanonicalKey) Key() Key { return Key{text: c.path, canonical: c.path} }

// canonicalText returns the canonical spelling of a key: the ASCII letters of the
// first element in lower case, tagPrefix as the prefix of a tag, and every
// element escaped the same way. It returns text unchanged if it is not a path.
func canonicalText(text string) string {
	var buffer [256]byte
	if first := firstElement(text); first != "" { // fast path for most keys
		rest := text[1+len(first):]
		clean := appendLower(append(buffer[:0], '/'), first)
		if rest != "/" && isTagPrefix(clean[1:]) {
			clean = append(clean[:1], tagPrefix...)
		}
		if string(clean[1:]) == first {
			return text
		}
		return string(append(clean, rest...))
	}
	clean, problem := appendClean(buffer[:0], text, true)
	if problem != "" || string(clean) == text {
		return text
	}
	return string(clean)
}

// firstElement returns the first element of a clean path in which no character is
// or needs to be escaped. It returns "" for any other text.
func firstElement(path string) string {
	if len(path) < 3 || len(path) > maxPath || path[0] != '/' || path[len(path)-1] != '/' {
		return ""
	}
	for i := 1; i < len(path); i++ {
		if c := path[i]; !plainByte[c] && (c != '/' || path[i-1] == '/') {
			return ""
		}
	}
	return path[1 : 1+strings.IndexByte(path[1:], '/')]
}

func appendLower(b []byte, text string) []byte {
	for i := range len(text) {
		c := text[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// plainByte is the set of bytes that are never escaped: ASCII letters and digits,
// hyphen and underscore.
var plainByte = func() (table [256]bool) {
	for c := range table {
		table[c] = 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
	}
	return table
}()
