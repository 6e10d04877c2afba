package graphhttp

import (
	"encoding/json"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// parseJSON decodes a JSON text in one pass, with the rules of [decode]. It returns false if
// decode must refuse the text; [explain] then finds the reason.
func parseJSON(text []byte) (value any, ok bool) {
	p := jsonParser{text: text}
	value, ok = p.value(0)
	p.space()
	return value, ok && p.at == len(text)
}

// A jsonParser decodes a JSON text. It copies strings, since the text may be in a reused buffer.
type jsonParser struct {
	text []byte
	at   int
}

// space skips white space.
func (p *jsonParser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\r', '\n':
			p.at++
		default:
			return
		}
	}
}

// next skips white space and then the character c. It returns false if another character follows.
func (p *jsonParser) next(c byte) bool {
	p.space()
	if p.at == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

// value decodes the next value, which is nested in depth objects and lists.
func (p *jsonParser) value(depth int) (any, bool) {
	p.space()
	if p.at == len(p.text) {
		return nil, false
	}
	switch c := p.text[p.at]; c {
	case '{':
		p.at++
		return p.object(depth + 1)
	case '[':
		p.at++
		return p.list(depth + 1)
	case '"':
		return boxed(p.str())
	case 't':
		return true, p.literal("true")
	case 'f':
		return false, p.literal("false")
	case 'n':
		return nil, p.literal("null")
	default:
		return p.number()
	}
}

func boxed(text string, ok bool) (any, bool) { return text, ok }

func (p *jsonParser) literal(word string) bool {
	if len(p.text)-p.at < len(word) || string(p.text[p.at:p.at+len(word)]) != word {
		return false
	}
	p.at += len(word)
	return true
}

func (p *jsonParser) object(depth int) (any, bool) {
	members := map[string]any{}
	if depth > maxNesting || p.next('}') {
		return members, depth <= maxNesting
	}
	for {
		p.space()
		name, ok := p.str()
		if !ok || !p.next(':') {
			return nil, false
		}
		known := len(members)
		value, ok := p.value(depth)
		if members[name] = value; !ok || len(members) == known { // a duplicate adds no member
			return nil, false
		}
		if !p.next(',') {
			return members, p.next('}')
		}
	}
}

func (p *jsonParser) list(depth int) (any, bool) {
	items := []any{}
	if depth > maxNesting || p.next(']') {
		return items, depth <= maxNesting
	}
	for {
		item, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		items = append(items, item)
		if !p.next(',') {
			return items, p.next(']')
		}
	}
}

// number decodes a number (RFC 8259, section 6).
func (p *jsonParser) number() (any, bool) {
	begin := p.at
	p.skip('-')
	if !p.skip('0') && !p.digits() {
		return nil, false
	}
	if p.skip('.') && !p.digits() {
		return nil, false
	}
	if p.skip('e') || p.skip('E') {
		_ = p.skip('+') || p.skip('-')
		if !p.digits() {
			return nil, false
		}
	}
	return json.Number(p.text[begin:p.at]), true
}

// skip skips the character c. It returns false if another character follows.
func (p *jsonParser) skip(c byte) bool {
	if p.at == len(p.text) || p.text[p.at] != c {
		return false
	}
	p.at++
	return true
}

// digits skips digits, and reports whether there are any.
func (p *jsonParser) digits() bool {
	begin := p.at
	for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
		p.at++
	}
	return p.at > begin
}

// str decodes a string.
func (p *jsonParser) str() (string, bool) {
	if !p.skip('"') {
		return "", false
	}
	begin, ascii := p.at, true
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '"':
			content := p.text[begin:p.at]
			p.at++
			return string(content), ascii || utf8.Valid(content)
		case c == '\\':
			return p.escaped(begin)
		case c < ' ':
			return "", false
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	return "", false
}

// escapes are the characters of the escapes with two characters.
var escapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escaped decodes the rest of a string, from its first escape. begin is the offset of its
// content.
func (p *jsonParser) escaped(begin int) (string, bool) {
	content := append(make([]byte, 0, 2*(p.at-begin)+64), p.text[begin:p.at]...)
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		switch {
		case c == '"':
			return string(content), utf8.Valid(content)
		case c < ' ':
			return "", false
		case c != '\\':
			content = append(content, c)
		case p.skip('u'):
			character, ok := p.unicode()
			if !ok {
				return "", false
			}
			content = utf8.AppendRune(content, character)
		case p.at == len(p.text) || escapes[p.text[p.at]] == 0:
			return "", false
		default:
			content = append(content, escapes[p.text[p.at]])
			p.at++
		}
	}
	return "", false
}

// unicode decodes the digits of an escape \u, or of two that are a surrogate pair.
func (p *jsonParser) unicode() (rune, bool) {
	first, ok := p.unit()
	if !ok || !utf16.IsSurrogate(first) {
		return first, ok
	}
	if !p.skip('\\') || !p.skip('u') {
		return 0, false
	}
	second, ok := p.unit()
	pair := utf16.DecodeRune(first, second)
	return pair, ok && pair != utf8.RuneError
}

// unit decodes four hexadecimal digits.
func (p *jsonParser) unit() (rune, bool) {
	if len(p.text)-p.at < 4 {
		return 0, false
	}
	unit, err := strconv.ParseUint(string(p.text[p.at:p.at+4]), 16, 16)
	p.at += 4
	return rune(unit), err == nil //nolint:gosec // 16 bits
}
