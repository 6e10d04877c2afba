package rawjson

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// maxDepth is the maximum depth of nested values, as in encoding/json.
const maxDepth = 10_000

// maxScratch is the maximum size of an index, in nodes, whose memory is reused for the next text.
const maxScratch = 1 << 16

var scratch = sync.Pool{New: func() any { return new([]node) }}

// Parse validates a JSON text, and returns its value. It copies the text. Like json.Valid
// it does not check that strings are valid UTF-8. It returns false if the text is not JSON, is
// nested too deeply, or is larger than 2 GiB.
func Parse(text []byte) (Value, bool) {
	if len(text) > math.MaxInt32 {
		return Value{}, false
	}
	buffer := scratch.Get().(*[]node)
	p := parser{text: text, nodes: (*buffer)[:0]}
	i, ok := p.value(p.space(0), 0)
	ok = ok && p.space(i) == len(text)
	var v Value
	if ok {
		v.doc = &document{string(text), slices.Clip(slices.Clone(p.nodes))}
	}
	if cap(p.nodes) <= maxScratch {
		*buffer = p.nodes
		scratch.Put(buffer)
	}
	return v, ok
}

// A parser validates a text. Its methods take the index at which a part of the text begins, such as a number, and return
// the index after it, and false if the part is not valid.
type parser struct {
	text  []byte
	nodes []node
}

// at returns the byte at an index, or 0 after the end. No valid JSON contains a 0.
func (p *parser) at(i int) byte {
	if i < len(p.text) {
		return p.text[i]
	}
	return 0
}

func (p *parser) space(i int) int {
	for ; i < len(p.text); i++ {
		switch p.text[i] {
		case ' ', '\n', '\r', '\t':
		default:
			return i
		}
	}
	return i
}

// open appends the node of a value that begins at i.
func (p *parser) open(i int) (index int) {
	p.nodes = append(p.nodes, node{start: uint32(i)}) //nolint:gosec // at most MaxInt32
	return len(p.nodes) - 1
}

// end sets the end of a node's value, and the node after it.
func (p *parser) end(index, i int, flag uint32) {
	n := &p.nodes[index]
	n.end, n.next = uint32(i), uint32(len(p.nodes))|flag //nolint:gosec // at most MaxInt32
}

func (p *parser) value(i, depth int) (int, bool) {
	index := p.open(i)
	var ok bool
	switch c := p.at(i); c {
	case '"':
		var flag uint32
		i, flag, ok = p.quoted(i)
		p.end(index, i, flag)
		return i, ok
	case '{':
		i, ok = p.object(i, depth+1)
	case '[':
		i, ok = p.array(i, depth+1)
	case 't':
		i, ok = p.literal(i, "true")
	case 'f':
		i, ok = p.literal(i, "false")
	case 'n':
		i, ok = p.literal(i, "null")
	default:
		i, ok = p.number(i)
	}
	p.end(index, i, 0)
	return i, ok
}

func (p *parser) literal(i int, word string) (int, bool) {
	end := i + len(word)
	return end, end <= len(p.text) && string(p.text[i:end]) == word
}

func (p *parser) object(i, depth int) (int, bool) {
	if depth > maxDepth {
		return i, false
	}
	if i = p.space(i + 1); p.at(i) == '}' {
		return i + 1, true
	}
	for {
		if p.at(i) != '"' {
			return i, false
		}
		name := p.open(i)
		i2, flag, ok := p.quoted(i)
		p.end(name, i2, flag)
		if i = p.space(i2); !ok || p.at(i) != ':' {
			return i, false
		}
		if i, ok = p.value(p.space(i+1), depth); !ok {
			return i, false
		}
		switch i = p.space(i); p.at(i) {
		case ',':
			i = p.space(i + 1)
		case '}':
			return i + 1, true
		default:
			return i, false
		}
	}
}

func (p *parser) array(i, depth int) (int, bool) {
	if depth > maxDepth {
		return i, false
	}
	if i = p.space(i + 1); p.at(i) == ']' {
		return i + 1, true
	}
	for {
		var ok bool
		if i, ok = p.value(i, depth); !ok {
			return i, false
		}
		switch i = p.space(i); p.at(i) {
		case ',':
			i = p.space(i + 1)
		case ']':
			return i + 1, true
		default:
			return i, false
		}
	}
}

// quoted reads a string. The flag is escaped if it contains a backslash.
func (p *parser) quoted(i int) (end int, flag uint32, ok bool) {
	for i++; ; {
		if i = p.plain(i); i >= len(p.text) {
			return i, flag, false
		}
		switch c := p.text[i]; {
		case c == '"':
			return i + 1, flag, true
		case c != '\\':
			return i, flag, false // a control character
		}
		flag = escaped
		switch p.at(i + 1) {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			i += 2
		case 'u':
			for _, c := range []byte{p.at(i + 2), p.at(i + 3), p.at(i + 4), p.at(i + 5)} {
				if !isHex(c) {
					return i, flag, false
				}
			}
			i += 6
		default:
			return i, flag, false
		}
	}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

const (
	each = 0x0101010101010101 // one in each byte
	high = 0x8080808080808080 // the high bit of each byte
)

// plain returns the index of the first quote, backslash or control character at or after i. It tests eight bytes at a time:
// x-each&^x sets the high bit of each zero byte of x, and of other bytes only if they are above a zero byte.
func (p *parser) plain(i int) int {
	for ; i+8 <= len(p.text); i += 8 {
		x := binary.LittleEndian.Uint64(p.text[i:])
		quote, backslash := x^(each*'"'), x^(each*'\\')
		found := ((quote-each)&^quote | (backslash-each)&^backslash | (x-each*0x20)&^x) & high
		if found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(p.text); i++ {
		if c := p.text[i]; c == '"' || c == '\\' || c < 0x20 {
			return i
		}
	}
	return i
}

func (p *parser) number(i int) (int, bool) {
	if p.at(i) == '-' {
		i++
	}
	start := i
	switch i = p.digits(i); {
	case i == start, p.text[start] == '0' && i > start+1:
		return i, false
	}
	if p.at(i) == '.' {
		start = i + 1
		if i = p.digits(start); i == start {
			return i, false
		}
	}
	if c := p.at(i); c == 'e' || c == 'E' {
		i++
		if c := p.at(i); c == '+' || c == '-' {
			i++
		}
		start = i
		if i = p.digits(start); i == start {
			return i, false
		}
	}
	return i, true
}

func (p *parser) digits(i int) int {
	for ; i < len(p.text) && '0' <= p.text[i] && p.text[i] <= '9'; i++ {
	}
	return i
}
