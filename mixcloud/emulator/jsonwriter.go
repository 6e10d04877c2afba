package emulator

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// A writer writes JSON in the format of the live service: indented by four spaces,
// with non-ASCII characters escaped (observed 2018: user_full_metadata_2018.json). It
// does not check its use: callers must pair open and close.
type writer struct {
	buf        []byte
	depth      int
	needsComma bool // the current level has an element
	compact    bool // no indentation
	raw        bool // no \u escapes
}

const indent = "                                                                " // 16 levels

func (w *writer) newline() {
	if w.compact {
		return
	}
	w.buf = append(w.buf, '\n')
	w.buf = append(w.buf, indent[:min(4*w.depth, len(indent))]...)
}

// next starts a member or an element.
func (w *writer) next() {
	if w.needsComma {
		w.buf = append(w.buf, ',')
	}
	w.needsComma = true
	w.newline()
}

// open starts an object or a list: after key, after next, or as the root.
func (w *writer) open(bracket byte) {
	w.buf = append(w.buf, bracket)
	w.depth++
	w.needsComma = false
}

func (w *writer) close(bracket byte) {
	w.depth--
	if w.needsComma {
		w.newline()
	}
	w.buf = append(w.buf, bracket)
	w.needsComma = true
}

// key starts a member; a value must follow. The name must be plain ASCII.
func (w *writer) key(name string) {
	w.next()
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, name...)
	if w.compact {
		w.buf = append(w.buf, '"', ':')
	} else {
		w.buf = append(w.buf, '"', ':', ' ')
	}
}

// object starts a member that is an object.
func (w *writer) object(name string) {
	w.key(name)
	w.open('{')
}

// list starts a member that is a list.
func (w *writer) list(name string) {
	w.key(name)
	w.open('[')
}

// element starts an element that is an object.
func (w *writer) element() {
	w.next()
	w.open('{')
}

func (w *writer) string(name, value string) {
	w.key(name)
	w.text(value)
}

// join writes a member whose value is the concatenation of three strings.
func (w *writer) join(name, a, b, c string) {
	w.key(name)
	w.buf = append(w.buf, '"')
	w.escape(a)
	w.escape(b)
	w.escape(c)
	w.buf = append(w.buf, '"')
}

func (w *writer) int(name string, value int) {
	w.key(name)
	w.buf = strconv.AppendInt(w.buf, int64(value), 10)
}

func (w *writer) bool(name string, value bool) {
	w.key(name)
	w.buf = strconv.AppendBool(w.buf, value)
}

// time writes a member as 2018-04-11T09:30:00Z: UTC, whole seconds (observed).
func (w *writer) time(name string, t time.Time) {
	w.key(name)
	w.buf = append(w.buf, '"')
	w.buf = t.UTC().AppendFormat(w.buf, "2006-01-02T15:04:05Z")
	w.buf = append(w.buf, '"')
}

func (w *writer) text(s string) {
	w.buf = append(w.buf, '"')
	w.escape(s)
	w.buf = append(w.buf, '"')
}

// isPlain reports whether s is printable ASCII that needs no escaping in JSON.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// escape appends s, escaped for a JSON string, without quotes.
func (w *writer) escape(s string) {
	plain := 0
	for i := 0; i < len(s); {
		c := s[i]
		if ' ' <= c && c < 0x7f && c != '"' && c != '\\' {
			i++
			continue
		}
		w.buf = append(w.buf, s[plain:i]...)
		size := 1
		switch c {
		case '"', '\\':
			w.buf = append(w.buf, '\\', c)
		case '\n':
			w.buf = append(w.buf, '\\', 'n')
		case '\r':
			w.buf = append(w.buf, '\\', 'r')
		case '\t':
			w.buf = append(w.buf, '\\', 't')
		case '\b':
			w.buf = append(w.buf, '\\', 'b')
		case '\f':
			w.buf = append(w.buf, '\\', 'f')
		default:
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			switch {
			case w.raw && r >= 0x80:
				w.buf = utf8.AppendRune(w.buf, r)
			case r < 0x10000:
				w.codeUnit(r)
			default: // a surrogate pair
				r -= 0x10000
				w.codeUnit(0xd800 + r>>10)
				w.codeUnit(0xdc00 + r&0x3ff)
			}
		}
		i += size
		plain = i
	}
	w.buf = append(w.buf, s[plain:]...)
}

// codeUnit appends one UTF-16 code unit as \uXXXX.
func (w *writer) codeUnit(r rune) {
	const hex = "0123456789abcdef"
	w.buf = append(w.buf, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
