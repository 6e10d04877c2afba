package mixcloud

import (
	"encoding/json"
	"iter"
	"strings"
)

// A value is a JSON value: a substring of a text that json.Valid has accepted.
//
// A response is validated once and then read in place. An object, the objects
// nested in it and their plain strings are substrings of the response, so storing
// an object's JSON needs no copy and no second parse. The methods rely on that
// validation. If the value has another JSON type than a method expects, the
// method returns no members, no elements or an empty string.
type value string

// first returns the first byte, which shows the JSON type: one of
// { [ " t f n - 0…9.
func (v value) first() byte {
	if v == "" {
		return 0
	}
	return v[0]
}

// members iterates over the members of an object in their order. A duplicate name
// occurs twice, so that assigning each value keeps the last one, as encoding/json
// does.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		if v.first() != '{' {
			return
		}
		for i := skipSpace(v, 1); v[i] != '}'; {
			end := skipString(v, i)
			name := unquote(v[i:end])
			i = skipSpace(v, end) // the colon
			i = skipSpace(v, i+1) // the value
			end = skipValue(v, i)
			if !yield(name, v[i:end]) {
				return
			}
			if i = skipSpace(v, end); v[i] == ',' {
				i = skipSpace(v, i+1)
			}
		}
	}
}

// member returns the last member called name, or "".
func (v value) member(name string) (found value) {
	for n, m := range v.members() {
		if n == name {
			found = m
		}
	}
	return found
}

// elements returns the elements of an array, or nil if v is not an array.
func (v value) elements() []value { return v.appendElements(nil) }

// appendElements appends the elements of an array to all, which may be a buffer.
// It returns nil if and only if v is not an array.
func (v value) appendElements(all []value) []value {
	if v.first() != '[' {
		return nil
	}
	if all == nil {
		all = []value{}
	}
	for i := skipSpace(v, 1); v[i] != ']'; {
		end := skipValue(v, i)
		all = append(all, v[i:end])
		if i = skipSpace(v, end); v[i] == ',' {
			i = skipSpace(v, i+1)
		}
	}
	return all
}

func skipSpace(v value, i int) int {
	for v[i] == ' ' || v[i] == '\n' || v[i] == '\r' || v[i] == '\t' {
		i++
	}
	return i
}

// skipString returns the index after the string that begins at i.
func skipString(v value, i int) int {
	for i++; ; {
		i += strings.IndexByte(string(v[i:]), '"')
		slashes := 0
		for v[i-1-slashes] == '\\' {
			slashes++
		}
		i++
		if slashes%2 == 0 {
			return i
		}
	}
}

// skipValue returns the index after the value that begins at i.
func skipValue(v value, i int) int {
	switch v[i] {
	case '"':
		return skipString(v, i)
	case '{', '[':
		for depth := 0; ; {
			switch v[i] {
			case '"':
				i = skipString(v, i)
				continue
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
			i++
		}
	}
	for i < len(v) {
		switch v[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			return i
		}
		i++
	}
	return i
}

// unquote returns the content of a JSON string. It is a substring of v unless it
// contains an escape.
func unquote(v value) string {
	if strings.IndexByte(string(v), '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	var s string
	_ = json.Unmarshal([]byte(v), &s) // cannot fail: v was validated as a string
	return s
}
