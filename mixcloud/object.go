package mixcloud

import (
	"encoding/json"
	"net/url"
	"strings"

	"mixcloud-graphql/mixcloud/rawjson"
)

// siteBase is the base of the url member of every object since 2014 (observed).
// Until then the scheme was http.
const siteBase = "https://www.mixcloud.com"

// An Object is the JSON that a value was decoded from. It is embedded in every
// type that this package decodes, so that all of them have its methods. It keeps
// the whole response that contains the value in memory.
type Object struct{ json rawjson.Value }

// Raw returns the JSON as it was received, with the members that this package
// has no field for. It is a copy, which the caller may change. It is nil for a
// value that was not decoded from JSON.
func (o Object) Raw() json.RawMessage {
	if o.json.Kind() == 0 {
		return nil
	}
	return json.RawMessage(o.json.Raw())
}

// JSON returns the value's JSON without a copy. It is absent for a value that was
// not decoded from JSON. It shows what was received, even if fields of the value
// were changed later.
func (o Object) JSON() rawjson.Value { return o.json }

// Metadata describes a resource that was read with [WithMetadata].
type Metadata struct {
	// Connections contains the URLs of the lists of the resource, by name
	// ("followers"). The URLs may be outdated (observed 2018): use the names
	// only. It is nil without [WithMetadata].
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

// key returns a member as a Key. It returns the zero Key for a text that is not
// a path.
func (v value) key() Key {
	if text := v.text(); strings.HasPrefix(text, "/") {
		return ParseKey(text)
	}
	return Key{}
}

// siteURL returns the URL of the page of the object with the given key.
func siteURL(key Key) string {
	if key.IsZero() {
		return ""
	}
	return siteBase + key.text
}

// lastElement returns the last path element of a key as plain text: a slug or a
// username.
func lastElement(key Key) string {
	path := strings.TrimSuffix(key.text, "/")
	last := path[strings.LastIndexByte(path, '/')+1:]
	if plain, err := url.PathUnescape(last); err == nil {
		return plain
	}
	return last
}

// Decodable is implemented by pointers to the types that [Decode] and the items
// of [DecodePage] can have: [User], [FullUser], [Cloudcast], [FullCloudcast],
// [Tag], [Category], [Playlist], [Artist], [Track], [Comment] and [Activity].
// Callers need not specify it, because Go infers it from T.
type Decodable[T any] interface {
	*T
	decode(value)  // from validated JSON
	identity() Key // zero if the object has no key
}

// decodeList decodes an array of objects. It drops elements that are not objects
// or have no key, and returns their number. The list is nil if v is not an array.
func decodeList[T any, P Decodable[T]](v value) (list []T, dropped int) {
	if !v.isArray() {
		return nil, 0
	}
	n := v.Len()
	list = make([]T, 0, n)
	for e := range v.elements() {
		list = list[:len(list)+1]
		item := P(&list[len(list)-1])
		if item.decode(e); item.identity().IsZero() {
			list[len(list)-1] = *new(T)
			list = list[:len(list)-1]
			dropped++
		}
	}
	return list, dropped
}

// decodeOne decodes a nested object. It returns nil if v is not an object.
func decodeOne[T any, P Decodable[T]](v value) *T {
	if v.first() != '{' {
		return nil
	}
	one := new(T)
	P(one).decode(v)
	return one
}
