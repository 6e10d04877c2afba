package emulator

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// A writer builds a JSON text in the form of the live service: indented by four
// spaces, everything outside ASCII escaped (observed 2018:
// user_full_metadata_2018.json). It keeps no errors: the code that drives it
// opens and closes in pairs.
type writer struct {
	buf     []byte
	depth   int
	more    bool // something stands before, on this level
	compact bool // no indentation
	raw     bool // no \u escapes
	quoted  bool // numbers as strings
	fine    bool // times with fractions
}

const indent = "                                                                " // 16 levels

func (w *writer) newline() {
	if w.compact {
		return
	}
	w.buf = append(w.buf, '\n')
	w.buf = append(w.buf, indent[:min(4*w.depth, len(indent))]...)
}

// next stands before every member and every element.
func (w *writer) next() {
	if w.more {
		w.buf = append(w.buf, ',')
	}
	w.more = true
	w.newline()
}

// open begins an object or a list: after key, after next, or as the whole text.
func (w *writer) open(bracket byte) {
	w.buf = append(w.buf, bracket)
	w.depth++
	w.more = false
}

func (w *writer) close(bracket byte) {
	w.depth--
	if w.more {
		w.newline()
	}
	w.buf = append(w.buf, bracket)
	w.more = true
}

// key begins a member; a value must follow. Names are plain ASCII.
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

// object begins a member that is an object.
func (w *writer) object(name string) {
	w.key(name)
	w.open('{')
}

// list begins a member that is a list.
func (w *writer) list(name string) {
	w.key(name)
	w.open('[')
}

// element begins an element that is an object.
func (w *writer) element() {
	w.next()
	w.open('{')
}

func (w *writer) string(name, value string) {
	w.key(name)
	w.text(value)
}

// join writes a member whose value is made of three parts.
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
	if w.quoted {
		w.text(strconv.Itoa(value))
		return
	}
	w.buf = strconv.AppendInt(w.buf, int64(value), 10)
}

func (w *writer) bool(name string, value bool) {
	w.key(name)
	w.buf = strconv.AppendBool(w.buf, value)
}

func (w *writer) null(name string) {
	w.key(name)
	w.buf = append(w.buf, "null"...)
}

// time writes a member as 2018-04-11T09:30:00Z: UTC, whole seconds (observed).
func (w *writer) time(name string, t time.Time) {
	layout := "2006-01-02T15:04:05Z"
	if w.fine {
		layout = "2006-01-02T15:04:05.000Z"
	}
	w.key(name)
	w.buf = append(w.buf, '"')
	w.buf = t.UTC().AppendFormat(w.buf, layout)
	w.buf = append(w.buf, '"')
}

func (w *writer) text(s string) {
	w.buf = append(w.buf, '"')
	w.escape(s)
	w.buf = append(w.buf, '"')
}

// isPlain says whether s stands in a JSON string as it is.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// escape appends s as the inside of a JSON string.
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
				w.unit(r)
			default: // a surrogate pair
				r -= 0x10000
				w.unit(0xd800 + r>>10)
				w.unit(0xdc00 + r&0x3ff)
			}
		}
		i += size
		plain = i
	}
	w.buf = append(w.buf, s[plain:]...)
}

// unit appends one UTF-16 code unit as \uXXXX.
func (w *writer) unit(r rune) {
	const hex = "0123456789abcdef"
	w.buf = append(w.buf, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
