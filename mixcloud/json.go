package mixcloud

import (
	"iter"

	"mixcloud-graphql/mixcloud/rawjson"
)

// A value is a JSON value of a response, which was validated and indexed once. An
// object, the objects nested in it and their plain strings are substrings of the
// response, so storing an object's JSON needs no copy and no second parse.
//
// If the value has another JSON type than a method expects, the method returns no
// members, no elements or an empty string.
type value struct{ rawjson.Value }

// parse returns the value of a JSON text; false if it is not valid.
func parse(text []byte) (value, bool) {
	v, ok := rawjson.Parse(text)
	return value{v}, ok
}

// first returns the first byte, which shows the JSON type; 0 for an absent value.
func (v value) first() byte { return v.Kind() }

// members iterates over the members of an object in their order. A duplicate name
// occurs twice, so that assigning each value keeps the last one, as encoding/json
// does.
func (v value) members() iter.Seq2[string, value] {
	return func(yield func(string, value) bool) {
		for m := v.Iterate(); m.Next(); {
			if !yield(m.Name(), value{m.Value()}) {
				return
			}
		}
	}
}

// member returns the last member called name, or an absent value.
func (v value) member(name string) value { return value{v.Member(name)} }

// elements iterates over the elements of an array.
func (v value) elements() iter.Seq[value] {
	return func(yield func(value) bool) {
		for e := range v.Elements() {
			if !yield(value{e}) {
				return
			}
		}
	}
}

// isArray reports whether the value is an array.
func (v value) isArray() bool { return v.first() == '[' }
