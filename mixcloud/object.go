package mixcloud

import (
	"encoding/json"
	"net/url"
	"strings"
)

// siteRoot is what the url member of every object has begun with since 2014
// (observed; before that it was the same with http).
const siteRoot = "https://www.mixcloud.com"

// object is what every decoded value has: the text it was decoded from.
type object struct{ raw string }

// Raw returns the object as it was received, every member that this package
// does not model included. It is a copy that the caller owns, taken without
// parsing anything; it is nil if the value was not decoded from an answer.
func (o object) Raw() json.RawMessage {
	if o.raw == "" {
		return nil
	}
	return json.RawMessage(o.raw)
}

// Metadata is what an object fetched with [WithMetadata] says of itself.
type Metadata struct {
	// Connections has the address of each list that hangs on the object, by
	// its name ("followers"). The addresses can have a retired form and the
	// scheme of the request that asked (observed 2018): use the names, build
	// paths from the key. Nil when absent.
	Connections map[string]string
}

func (m *Metadata) decode(v value) {
	for name, link := range v.member("connections").members() {
		if m.Connections == nil {
			m.Connections = map[string]string{}
		}
		m.Connections[name] = link.text()
	}
}

// key is the text of a key; "" for what has not the form of one, a path.
func (v value) key() string {
	if key := v.text(); strings.HasPrefix(key, "/") {
		return key
	}
	return ""
}

// siteURL derives the site's address of the object with the given key.
func siteURL(key string) string {
	if key == "" {
		return ""
	}
	return siteRoot + key
}

// lastElement is the last path element of a key as plain text: a slug, a
// username.
func lastElement(key string) string {
	key = strings.TrimSuffix(key, "/")
	last := key[strings.LastIndexByte(key, '/')+1:]
	if plain, err := url.PathUnescape(last); err == nil {
		return plain
	}
	return last
}

// decodable is a pointer to a type of this package that reads itself from a
// validated value.
type decodable[T any] interface {
	*T
	decode(value)
	identity() string // the key, or "" when the object had none
}

// decodeList reads an array of objects, leaving out what is no object or has
// no key. It returns nil when v is no array, and how many were left out.
func decodeList[T any, P decodable[T]](v value) (list []T, dropped int) {
	elements := v.elements()
	if elements == nil {
		return nil, 0
	}
	list = make([]T, 0, len(elements))
	for _, e := range elements {
		list = list[:len(list)+1]
		item := P(&list[len(list)-1])
		if item.decode(e); item.identity() == "" {
			list[len(list)-1] = *new(T)
			list = list[:len(list)-1]
			dropped++
		}
	}
	return list, dropped
}

// decodeOne reads a nested object; nil when v is none.
func decodeOne[T any, P decodable[T]](v value) *T {
	if v.first() != '{' {
		return nil
	}
	one := new(T)
	P(one).decode(v)
	return one
}
