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

// A Kind says what a cursor counts by.
type Kind byte

// The numbers are part of every cursor ever given out: never change them.
const (
	ByTime   Kind = 1 // by the time that the item itself carries
	ByPage   Kind = 2 // by the time in its page's links, and its place there
	ByOffset Kind = 3 // by its distance from the top of the list; read, but no longer given out
	ByWindow Kind = 4 // by its distance from the top of the list, or its place in a page read by offset
)

// A Cursor marks an item in a list. Which fields count depends on Kind; the
// others are zero. Place and Above find the insertion point when the item is
// gone.
type Cursor struct {
	Kind Kind
	// Key is the item's, see cursorKey; noItem for a cursor that stands before
	// the first item of its second. Not with ByOffset and ByWindow.
	Key string
	// Second is, in Unix seconds, when the item was listed (ByTime), or when
	// the first item of its page was (ByPage; -1 for a page from the top of the
	// list whose links did not say).
	Second int64
	// Next is set on the last item of a page alone. ByPage it is when that item
	// was listed; -1 where it is not known. ByWindow, with a Span, it is the
	// offset of the page below; 0 where it is not known.
	Next int64
	// Place is how many items are known to stand before this one: of the same
	// second (ByTime), or in its page (ByPage, ByWindow with a Span).
	Place int
	// Above is a digest of the key of the item just before this one; 0 if
	// Place is.
	Above uint32
	// Offset is how many items of the list stand before this one (ByOffset,
	// ByWindow), or before the first one of its page (ByWindow with a Span).
	Offset int
	// Span is, ByWindow, the limit with which the item's page was asked for, if
	// that page was shorter. Mixcloud may have left items out of it, so the
	// item's own distance from the top is not known. 0 when it is.
	Span int
	// Head is, ByWindow, a digest of the key of the first item of the page. A
	// page at another offset that begins with the same item shows that the
	// upstream ignores offsets. 0 when it is not known.
	Head uint32
}

// noItem is the key of a cursor that marks a second, not an item.
const noItem = "/#/"

const (
	cursorVersion = 1
	maxKey        = 255
	// A resume asks for the offset after a cursor's, which has to fit an Int.
	maxCursorOffset = math.MaxInt32 - 1

	hasSecond = 1 << 0
	hasNext   = 1 << 1
)

// A Binding ties cursors to a list and its filters.
type Binding [8]byte

// Bind derives the binding of a list from its identity and its bounds in Unix
// seconds, -1 for none. It says nothing about who asks.
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

// Encode writes the cursor as clients see it: base64url of a version, the kind,
// the binding, and what the kind needs. It carries no signature: any replica
// reads it, for ever.
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

// Parse reads a cursor that Encode wrote for the same binding. Anything else is
// BAD_USER_INPUT that names arg ("after" or "before").
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
	// Base64 and varints both allow several spellings; one of them is ours.
	if !p.ok || len(p.rest) > 0 || c.Encode(Binding(b[2:])) != s {
		return Cursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	if Binding(b[2:]) != from {
		return Cursor{}, gqlerr.Invalid(arg, "is a cursor of another list, or of other filters")
	}
	return c, nil
}

// A payload is what is left to read of a cursor, and whether all was well.
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

func (p *payload) number(most int64) int64 {
	v, n := binary.Uvarint(p.rest)
	if !p.ok || n <= 0 || v > uint64(most) {
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

// validKey says whether a key has the form of a Mixcloud key, "/…/".
func validKey(key string) bool {
	return len(key) >= 3 && len(key) <= maxKey &&
		key[0] == '/' && key[len(key)-1] == '/' && !strings.Contains(key, "//") &&
		utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// cursorKey is what cursors hold of an item's key: the key itself, or a digest
// of one that is too long for a cursor or has an unheard-of form.
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
