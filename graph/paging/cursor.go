package paging

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"mixcloud-graphql/internal/gqlerr"
)

// A Kind is the way in which a cursor identifies a position.
type Kind byte

// The numbers are encoded in all cursors that clients have: never change them.
const (
	ByTime   Kind = 1 // by the time that the item itself has
	ByPage   Kind = 2 // by the time in the links of its page, and its place in the page
	ByOffset Kind = 3 // by its distance from the top of the list; accepted, but no longer issued
	ByWindow Kind = 4 // by its distance from the top of the list, or its place in a page read by offset
)

// A Cursor marks an item in a list. Kind determines which fields are used; the
// others are zero. Place and Above locate the insertion point if the item is
// deleted.
type Cursor struct {
	Kind Kind
	// Key is the item's cursorKey, or noItem for a cursor before the first item of
	// its second. Unused ByOffset and ByWindow.
	Key string
	// Second is a time in Unix seconds: ByTime when the item was listed, ByPage
	// when the first item of its page was listed. ByPage it is -1 for a page at the
	// top of a list whose links had no time.
	Second int64
	// Next is set only on the last item of a page. ByPage it is when that item was
	// listed, or -1 if unknown. ByWindow with a Span it is the offset of the page
	// below, or 0 if unknown.
	Next int64
	// Place is the number of items known to precede this one: in the same second
	// (ByTime), or in its page (ByPage, and ByWindow with a Span).
	Place int
	// Above is a digest of the key of the item directly before this one; 0 if Place
	// is 0.
	Above uint32
	// Offset is the number of items in the list before this one (ByOffset,
	// ByWindow), or before the first item of its page (ByWindow with a Span).
	Offset int
	// Span is, ByWindow, the limit of the request for the item's page, if that page
	// was shorter than the limit. Mixcloud may have left items out of it, so the
	// item's own distance from the top is unknown. 0 if it is known.
	Span int
	// Head is, ByWindow, a digest of the key of the page's first item. If a page at
	// another offset starts with the same item, the upstream ignores offsets. 0 if
	// unknown.
	Head uint32
}

// noItem is the key of a cursor that marks a second instead of an item.
const noItem = "/#/"

const (
	cursorVersion = 1
	maxKey        = 255
	// Resuming requests the offset after the cursor's, which must fit in an Int.
	maxCursorOffset = math.MaxInt32 - 1

	hasSecond = 1 << 0
	hasNext   = 1 << 1
)

// A Binding ties cursors to a list and its filters.
type Binding [8]byte

// Bind derives the binding of a list from its identity and its bounds in Unix
// seconds (-1 for none). It does not depend on the viewer.
func Bind(identity string, since, until int64) Binding {
	var b []byte
	for _, part := range []string{identity, boundText(since), boundText(until)} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	sum := sha256.Sum256(b)
	return Binding(sum[:8])
}

func boundText(second int64) string {
	if second == noTime {
		return ""
	}
	return strconv.FormatInt(second, 10)
}

// Encode returns the cursor as clients see it: base64url of a version, the kind,
// the binding, and the fields that the kind uses. It is not signed: every replica
// can read it, forever.
func (c Cursor) Encode(to Binding) string {
	b := append([]byte{cursorVersion, byte(c.Kind)}, to[:]...)
	switch c.Kind {
	case ByTime:
		b = binary.AppendUvarint(b, uint64(c.Second))
		b = c.appendItem(b)
	case ByPage:
		var flags byte
		var times []byte
		if c.Second != noTime {
			flags |= hasSecond
			times = binary.AppendUvarint(times, uint64(c.Second))
		}
		if c.Next != noTime {
			flags |= hasNext
			times = binary.AppendUvarint(times, uint64(c.Next))
		}
		b = append(append(b, flags), times...)
		b = c.appendItem(b)
	case ByOffset:
		b = binary.AppendUvarint(b, uint64(c.Offset))
	case ByWindow:
		b = binary.AppendUvarint(b, uint64(c.Offset))
		b = binary.AppendUvarint(b, uint64(c.Span))
		if c.Span > 0 {
			b = binary.AppendUvarint(b, uint64(c.Place))
			b = binary.AppendUvarint(b, uint64(c.Next))
		}
		b = binary.BigEndian.AppendUint32(b, c.Head)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (c Cursor) appendItem(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(c.Place))
	if c.Place > 0 {
		b = binary.BigEndian.AppendUint32(b, c.Above)
	}
	b = append(b, byte(len(c.Key)))
	return append(b, c.Key...)
}

// Parse decodes a cursor that Encode created for the same binding. Any other text
// is a BAD_USER_INPUT error that names arg ("after" or "before").
func Parse(arg, s string, from Binding) (Cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2+len(from) {
		return Cursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	if b[0] != cursorVersion {
		return Cursor{}, gqlerr.Invalid(arg, "is a cursor of another version")
	}
	c := Cursor{Kind: Kind(b[1])}
	p := payload{rest: b[2+len(from):], ok: true}
	switch c.Kind {
	case ByTime:
		c.Second, c.Next = p.number(maxTime-1), 0
		p.item(&c)
	case ByPage:
		c.Second, c.Next = noTime, noTime
		flags := p.byte()
		if flags&hasSecond != 0 {
			c.Second = p.number(maxTime - 1)
		}
		if flags&hasNext != 0 {
			c.Next = p.number(maxTime - 1)
		}
		// The last item of a page is no newer than its first.
		p.ok = p.ok && (c.Second == noTime || c.Next <= c.Second)
		p.item(&c)
	case ByOffset:
		c.Offset = int(p.number(maxCursorOffset))
	case ByWindow:
		c.Offset = int(p.number(maxCursorOffset))
		c.Span = int(p.number(MaxPageSize))
		if c.Span > 0 {
			c.Place = int(p.number(maxCursorOffset))
			c.Next = p.number(maxCursorOffset)
			p.ok = p.ok && (c.Next == 0 || c.Next > int64(c.Offset))
		}
		c.Head = binary.BigEndian.Uint32(p.take(4))
	default:
		p.ok = false
	}
	// Base64 and varints both allow several encodings of a value; only the one that
	// Encode writes is valid.
	if !p.ok || len(p.rest) > 0 || c.Encode(Binding(b[2:])) != s {
		return Cursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	if Binding(b[2:]) != from {
		return Cursor{}, gqlerr.Invalid(arg, "is a cursor of another list, or of other filters")
	}
	return c, nil
}

// A payload is the unread rest of a cursor. ok is false after a read error.
type payload struct {
	rest []byte
	ok   bool
}

func (p *payload) take(n int) []byte {
	if !p.ok || len(p.rest) < n {
		p.ok = false
		return make([]byte, n)
	}
	head := p.rest[:n]
	p.rest = p.rest[n:]
	return head
}

func (p *payload) byte() byte { return p.take(1)[0] }

func (p *payload) number(maxValue int64) int64 {
	v, n := binary.Uvarint(p.rest)
	if !p.ok || n <= 0 || v > uint64(maxValue) {
		p.ok = false
		return 0
	}
	p.rest = p.rest[n:]
	return int64(v)
}

func (p *payload) item(c *Cursor) {
	c.Place = int(p.number(math.MaxInt32))
	if c.Place > 0 {
		c.Above = binary.BigEndian.Uint32(p.take(4))
	}
	c.Key = string(p.take(int(p.byte())))
	p.ok = p.ok && validKey(c.Key)
}

// validKey reports whether a key has the form of a Mixcloud key, "/…/".
func validKey(key string) bool {
	return len(key) >= 3 && len(key) <= maxKey &&
		key[0] == '/' && key[len(key)-1] == '/' && !strings.Contains(key, "//") &&
		utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// cursorKey returns the form of an item's key that cursors contain: the key itself,
// or a digest if the key is too long for a cursor or has an unknown form.
func cursorKey(key string) string {
	if validKey(key) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "/#" + hex.EncodeToString(sum[:16]) + "/"
}

// digest shortens a cursorKey for Cursor.Above.
func digest(key string) uint32 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint32(sum[:4])
}
