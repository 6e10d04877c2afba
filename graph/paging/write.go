package paging

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"mixcloud-graphql/internal/gqlerr"
)

// ByWrite is the kind of the cursors of items that the viewer has just added to a list
// and that Mixcloud's reads do not return yet. [Read] does not accept them: its caller,
// which has put the item into the page, must find the position after it. The number is
// encoded in every such cursor and must not change.
const ByWrite Kind = 16

// A WriteCursor identifies an item by its key and the time of the write.
type WriteCursor struct {
	At  int64 // Unix milliseconds
	key string
}

// NewWriteCursor returns the cursor of the item with a canonical key.
func NewWriteCursor(key string, at int64) WriteCursor {
	return WriteCursor{At: max(at, 0), key: cursorKey(key)}
}

// clockSkew is the number of seconds by which Mixcloud's clock for list times may
// be ahead of the clock that dated a write.
const clockSkew = 60

// SearchStart returns a cursor that [Read] accepts, from which to search for the item in
// a list that pages by date. It is above all items that were listed at the time of the
// write.
func (c WriteCursor) SearchStart(binding Binding) string {
	return Cursor{Kind: ByPage, Key: noItem, Second: min(c.At/1000+clockSkew, maxTime-1), Next: noTime}.Encode(binding)
}

// Matches reports whether the cursor is that of the item with a canonical key.
func (c WriteCursor) Matches(key string) bool { return c.key == cursorKey(key) }

// Encode returns the cursor as clients see it, in the form of [Cursor.Encode].
func (c WriteCursor) Encode(binding Binding) string {
	b := append([]byte{cursorVersion, byte(ByWrite)}, binding[:]...)
	b = binary.AppendUvarint(b, uint64(c.At))
	b = append(b, byte(len(c.key)))
	return base64.RawURLEncoding.EncodeToString(append(b, c.key...))
}

// ParseWrite decodes a cursor that [WriteCursor.Encode] created for the same
// binding. Any other text is a BAD_USER_INPUT error that names arg ("after" or
// "before").
func ParseWrite(arg, s string, binding Binding) (WriteCursor, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(b) < 2+len(binding) || b[0] != cursorVersion || Kind(b[1]) != ByWrite {
		return WriteCursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	d := decoder{rest: b[2+len(binding):], ok: true}
	c := WriteCursor{At: d.number(math.MaxInt64)}
	c.key = string(d.take(int(d.byte())))
	if !d.ok || !validKey(c.key) || len(d.rest) > 0 || c.Encode(Binding(b[2:])) != s {
		return WriteCursor{}, gqlerr.Invalid(arg, "is not a cursor of this server")
	}
	if Binding(b[2:]) != binding {
		return WriteCursor{}, gqlerr.Invalid(arg, "is a cursor of another list, or of other filters")
	}
	return c, nil
}

// BindUnbounded returns the binding of the cursors of a list that is read without since
// and until.
func BindUnbounded(identity string) Binding { return Bind(identity, noTime, noTime) }

// Bind returns the binding of the cursors of a list that is read with these arguments.
func (r CheckedArgs) Bind(identity string) Binding { return Bind(identity, r.since, r.until) }
