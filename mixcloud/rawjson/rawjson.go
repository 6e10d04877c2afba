// Package rawjson reads JSON in place.
//
// [Parse] validates a text in one pass, as [encoding/json.Valid] does, and builds an index: one node for each value and
// each member name, in the order of the text. A [Value] is a position in this index. Reading a member or an element is a
// step from node to node, so no text is scanned twice, and a value's JSON is a substring of the text. Strings are decoded
// only when they are read.
//
// A Value keeps the whole text and its index in memory. Values are immutable and safe for concurrent use.
package rawjson

import (
	"iter"
	"unsafe"
)

// A document is a text and its index.
type document struct {
	text  string
	nodes []node
}

// A node is the position of a value or of a member name.
type node struct {
	start, end uint32 // in the text
	next       uint32 // index of the node after this value and everything in it; the high bit is escaped
}

// escaped marks a string that contains a backslash.
const escaped = 1 << 31

func (n node) after() uint32 { return n.next &^ escaped }

// A Value is a JSON value. The zero Value is absent: it has no members, no elements and no text.
type Value struct {
	doc *document
	at  uint32
}

// Kind returns the first byte of the value, which shows its type: one of { [ " t f n - and 0 to 9. It returns 0 for an
// absent value.
func (v Value) Kind() byte {
	if v.doc == nil {
		return 0
	}
	return v.doc.text[v.doc.nodes[v.at].start]
}

// Raw returns the JSON of the value, as received. It returns "" for an absent value.
func (v Value) Raw() string {
	if v.doc == nil {
		return ""
	}
	n := &v.doc.nodes[v.at]
	return v.doc.text[n.start:n.end]
}

// Equal reports whether two values have the same JSON, byte for byte.
func (v Value) Equal(w Value) bool { return v.Raw() == w.Raw() }

// Escaped reports whether the value is a string that contains a backslash.
func (v Value) Escaped() bool { return v.doc != nil && v.doc.nodes[v.at].next&escaped != 0 }

// Text returns the content of a string. It is a substring of the JSON unless the string is escaped. It returns "" for
// other values.
func (v Value) Text() string {
	if v.Kind() != '"' {
		return ""
	}
	raw := v.Raw()
	if !v.Escaped() {
		return raw[1 : len(raw)-1]
	}
	return unescape(raw)
}

// Size returns the number of bytes that the value keeps in memory: those of the whole text and its index.
func (v Value) Size() int {
	if v.doc == nil {
		return 0
	}
	return int(unsafe.Sizeof(document{})) + len(v.doc.text) + cap(v.doc.nodes)*int(unsafe.Sizeof(node{}))
}

// Members iterates over the members of an object in their order. A name can occur more than once; the last one counts, as
// in encoding/json. A value of another type has no members.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		for m := v.Iterate(); m.Next(); {
			if !yield(m.Name(), m.Value()) {
				return
			}
		}
	}
}

// Member returns the last member with the given name, or an absent value.
func (v Value) Member(name string) (found Value) {
	for m := v.Iterate(); m.Next(); {
		if m.Is(name) {
			found = m.Value()
		}
	}
	return found
}

// Elements iterates over the elements of an array. A value of another type has no elements.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() != '[' {
			return
		}
		end := v.doc.nodes[v.at].after()
		for i := v.at + 1; i < end; i = v.doc.nodes[i].after() {
			if !yield(Value{v.doc, i}) {
				return
			}
		}
	}
}

// Len returns the number of elements of an array. It returns 0 for a value of another type.
func (v Value) Len() int {
	n := 0
	for range v.Elements() {
		n++
	}
	return n
}

// A MemberIterator iterates over the members of an object without allocations:
//
//	for m := v.Iterate(); m.Next(); {
//		use(m.Name(), m.Value())
//	}
type MemberIterator struct {
	doc       *document
	name, end uint32 // nodes: the current member's name, and the first one after the object
	next      uint32 // node of the next member's name
}

// Iterate returns an iterator over the members of an object. A value of another type has none.
func (v Value) Iterate() MemberIterator {
	if v.Kind() != '{' {
		return MemberIterator{}
	}
	return MemberIterator{doc: v.doc, next: v.at + 1, end: v.doc.nodes[v.at].after()}
}

// Next moves to the next member. It returns false after the last one.
func (m *MemberIterator) Next() bool {
	if m.next >= m.end {
		return false
	}
	m.name = m.next
	m.next = m.doc.nodes[m.name+1].after()
	return true
}

// Value returns the value of the current member.
func (m *MemberIterator) Value() Value { return Value{m.doc, m.name + 1} }

// Name returns the name of the current member.
func (m *MemberIterator) Name() string {
	n := &m.doc.nodes[m.name]
	if n.next&escaped == 0 {
		return m.doc.text[n.start+1 : n.end-1]
	}
	return unescape(m.doc.text[n.start:n.end])
}

// Is reports whether the current member has the given name.
func (m *MemberIterator) Is(name string) bool {
	return m.Name() == name
}
