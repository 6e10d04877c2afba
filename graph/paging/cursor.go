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
	ByTime Kind = 1 // by the time that the item itself has
	ByPage Kind = 2 // by the time in the links of its page, and its index in the page
	// ByOffset: by its distance from the top of the list. It is issued for unpaged lists.
	// Older releases issued it for all lists that page by offset.
	ByOffset Kind = 3
	// ByOffsetPage: by its distance from the top of the list or, if that is unknown, by the
	// offset of its page and its index in the page.
	ByOffsetPage Kind = 4
)

// A Cursor marks an item in a list. Kind determines which fields are used; the
// others are zero. Index and PreviousDigest locate the insertion point if the item is
// deleted.
type Cursor struct {
	Kind Kind
	// Key is the item's cursorKey, or noItem for a cursor before the first item of
	// its second. Unused by the offset kinds.
	Key string
	// Second is a time in Unix seconds: for ByTime the time when the item was listed, for
	// ByPage the time when the first item of its page was listed. It is -1 for a page at
	// the top of a list whose links had no time.
	Second int64
	// Next is set only on the last item of a page. For ByPage it is the time when that
	// item was listed, or -1 if unknown. For ByOffsetPage with a PageLimit it is the offset
	// of the next page, or 0 if unknown.
	Next int64
	// Index is the number of items known to precede this one: in the same second
	// (ByTime), or in its page (ByPage, and ByOffsetPage with a PageLimit).
	Index int
	// PreviousDigest is a digest of the key of the item directly before this one; 0 if
	// Index is 0.
	PreviousDigest uint32
	// Offset is the number of items in the list before this one (ByOffset,
	// ByOffsetPage), or before the first item of its page (ByOffsetPage with a PageLimit).
	Offset int
	// PageLimit is used by ByOffsetPage. If the item's page had fewer items than the limit
	// of its call, PageLimit is that limit. Mixcloud may have left out items of such a page,
	// so the item's distance from the top is unknown. Otherwise PageLimit is 0.
	PageLimit int
	// FirstDigest is used by ByOffsetPage. It is a digest of the key of the page's first
	// item, or 0 if unknown. If a page at another offset starts with the same item, the
	// upstream ignores offsets.
	FirstDigest uint32
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
func (c Cursor) Encode(binding Binding) string {
	b := append([]byte{cursorVersion, byte(c.Kind)}, binding[:]...)
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
	case ByOffsetPage:
		b = binary.AppendUvarint(b, uint64(c.Offset))
		b = binary.AppendUvarint(b, uint64(c.PageLimit))
		if c.PageLimit > 0 {
			b = binary.AppendUvarint(b, uint64(c.Index))
			b = binary.AppendUvarint(b, uint64(c.Next))
		}
		b = binary.BigEndian.AppendUint32(b, c.FirstDigest)
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func (c Cursor) appendItem(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(c.Index))
	if c.Index > 0 {
		b = binary.BigEndian.AppendUint32(b, c.PreviousDigest)
	}
	b = append(b, byte(len(c.Key)))
	return append(b, c.Key...)
}

// Parse decodes a cursor that Encode created for the same binding. Any other text
// is a BAD_USER_INPUT error that names arg ("after" or "before").
func Parse(arg, s string, binding Binding) (Cursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2+len(binding) {
		return Cursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	if b[0] != cursorVersion {
		return Cursor{}, gqlerr.Invalid(arg, "is a cursor of another version")
	}
	c := Cursor{Kind: Kind(b[1])}
	d := decoder{rest: b[2+len(binding):], ok: true}
	switch c.Kind {
	case ByTime:
		c.Second, c.Next = d.number(maxTime-1), 0
		d.item(&c)
	case ByPage:
		c.Second, c.Next = noTime, noTime
		flags := d.byte()
		if flags&hasSecond != 0 {
			c.Second = d.number(maxTime - 1)
		}
		if flags&hasNext != 0 {
			c.Next = d.number(maxTime - 1)
		}
		// The last item of a page is no newer than its first.
		d.ok = d.ok && (c.Second == noTime || c.Next <= c.Second)
		d.item(&c)
	case ByOffset:
		c.Offset = int(d.number(maxCursorOffset))
	case ByOffsetPage:
		c.Offset = int(d.number(maxCursorOffset))
		c.PageLimit = int(d.number(MaxPageSize))
		if c.PageLimit > 0 {
			c.Index = int(d.number(maxCursorOffset))
			c.Next = d.number(maxCursorOffset)
			d.ok = d.ok && (c.Next == 0 || c.Next > int64(c.Offset))
		}
		c.FirstDigest = binary.BigEndian.Uint32(d.take(4))
	default:
		d.ok = false
	}
	// Base64 and varints both allow several encodings of a value; only the one that
	// Encode writes is valid.
	if !d.ok || len(d.rest) > 0 || c.Encode(Binding(b[2:])) != s {
		return Cursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	if Binding(b[2:]) != binding {
		return Cursor{}, gqlerr.Invalid(arg, "is a cursor of another list, or of other filters")
	}
	return c, nil
}

// A decoder reads the fields of a cursor. Its ok is false after a read error.
type decoder struct {
	rest []byte
	ok   bool
}

func (d *decoder) take(n int) []byte {
	if !d.ok || len(d.rest) < n {
		d.ok = false
		return make([]byte, n)
	}
	head := d.rest[:n]
	d.rest = d.rest[n:]
	return head
}

func (d *decoder) byte() byte { return d.take(1)[0] }

func (d *decoder) number(maxValue int64) int64 {
	v, n := binary.Uvarint(d.rest)
	if !d.ok || n <= 0 || v > uint64(maxValue) {
		d.ok = false
		return 0
	}
	d.rest = d.rest[n:]
	return int64(v)
}

func (d *decoder) item(c *Cursor) {
	c.Index = int(d.number(math.MaxInt32))
	if c.Index > 0 {
		c.PreviousDigest = binary.BigEndian.Uint32(d.take(4))
	}
	c.Key = string(d.take(int(d.byte())))
	d.ok = d.ok && validKey(c.Key)
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

// digest shortens a cursorKey for the digests in a Cursor.
func digest(key string) uint32 {
	sum := sha256.Sum256([]byte(key))
	return binary.BigEndian.Uint32(sum[:4])
}
