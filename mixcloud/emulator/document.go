package emulator

import (
	"bytes"
	"encoding/json"
	"slices"
)

// A document is a decoded JSON body in which the members of objects have their
// original order. Broken rules change it; then it is encoded again.
//
// A value is an *object, a []any, a string, a [json.Number], a bool or nil.
type document struct {
	root    any
	compact bool // encode without indentation
	raw     bool // encode without \u escapes
}

type object struct{ members []member }

type member struct {
	name  string
	value any
}

// decodeDocument decodes a JSON text.
func decodeDocument(text []byte) (*document, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	root, err := decodeValue(d)
	if err != nil {
		return nil, err
	}
	return &document{root: root}, nil
}

func decodeValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := &object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := decodeValue(d)
			if err != nil {
				return nil, err
			}
			o.members = append(o.members, member{name.(string), value})
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := decodeValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// value writes a decoded value.
func (w *writer) value(v any) {
	switch v := v.(type) {
	case *object:
		w.open('{')
		for _, m := range v.members {
			w.next()
			w.text(m.name)
			w.buf = append(w.buf, ':')
			if !w.compact {
				w.buf = append(w.buf, ' ')
			}
			w.value(m.value)
		}
		w.close('}')
	case []any:
		w.open('[')
		for _, item := range v {
			w.next()
			w.value(item)
		}
		w.close(']')
	case string:
		w.text(v)
	case json.Number:
		w.buf = append(w.buf, v...)
	case bool:
		w.buf = append(w.buf, map[bool]string{false: "false", true: "true"}[v]...)
	default:
		w.buf = append(w.buf, "null"...)
	}
}

func (o *object) index(name string) int {
	if o == nil {
		return -1
	}
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

func (o *object) has(name string) bool { return o.index(name) >= 0 }

// get returns the value of a member, nil if there is none.
func (o *object) get(name string) any {
	if i := o.index(name); i >= 0 {
		return o.members[i].value
	}
	return nil
}

// text returns the value of a member that is a string, otherwise "".
func (o *object) text(name string) string {
	s, _ := o.get(name).(string)
	return s
}

// object returns the value of a member that is an object, otherwise nil.
func (o *object) object(name string) *object {
	child, _ := o.get(name).(*object)
	return child
}

// put sets a member. A new one is inserted before the first member that is in
// before, or appended.
func (o *object) put(name string, value any, before ...string) {
	if i := o.index(name); i >= 0 {
		o.members[i].value = value
		return
	}
	at := slices.IndexFunc(o.members, func(m member) bool { return slices.Contains(before, m.name) })
	if at < 0 {
		at = len(o.members)
	}
	o.members = slices.Insert(o.members, at, member{name, value})
}

// move puts an existing member before the first one that is in before, or at the
// end.
func (o *object) move(name string, before ...string) {
	if i := o.index(name); i >= 0 {
		value := o.members[i].value
		o.members = slices.Delete(o.members, i, i+1)
		o.put(name, value, before...)
	}
}

// all returns a copy of the members.
func (o *object) all() []member {
	if o == nil {
		return nil
	}
	return slices.Clone(o.members)
}

func (o *object) rename(from, to string) {
	if i := o.index(from); i >= 0 {
		o.members[i].name = to
	}
}

func (o *object) delete(names ...string) {
	if o != nil {
		o.members = slices.DeleteFunc(o.members, func(m member) bool { return slices.Contains(names, m.name) })
	}
}

// rootObject returns the root, nil if it is not an object.
func (d *document) rootObject() *object {
	o, _ := d.root.(*object)
	return o
}

// page returns the root if it is the envelope of a list, otherwise nil.
func (d *document) page() *object {
	if _, ok := d.rootObject().get("data").([]any); ok {
		return d.rootObject()
	}
	return nil
}

// objects calls f for every object of the document, parents first.
func (d *document) objects(f func(o *object)) { eachObject(d.root, f) }

func eachObject(v any, f func(*object)) {
	switch v := v.(type) {
	case *object:
		f(v)
		for _, m := range v.members {
			eachObject(m.value, f)
		}
	case []any:
		for _, item := range v {
			eachObject(item, f)
		}
	}
}

// The kinds of resources, as the member type names them.
const (
	kindUser      = "user"
	kindCloudcast = "cloudcast"
	kindTag       = "tag"
	kindTrack     = "track"
	kindArtist    = "artist"
	kindCategory  = "category"
	kindPlaylist  = "playlist"
	kindComment   = "comment"
	kindSection   = "section"
	kindActivity  = "activity" // its member type has the kind of activity instead
)

// kind returns the kind of a resource, detected by a member that only this kind has,
// or "" for another object.
func (o *object) kind() string {
	if o.text("key") == "" && o.text("section_type") == "" {
		return ""
	}
	for _, k := range []struct{ member, kind string }{
		{"section_type", kindSection},
		{"comment", kindComment},
		{"from", kindActivity},
		{"owner", kindPlaylist},
		{"username", kindUser},
		{"play_count", kindCloudcast},
		{"format", kindCategory},
		{"artist", kindTrack},
	} {
		if o.has(k.member) {
			return k.kind
		}
	}
	switch key := split(o.text("key")); key[0] {
	case "artist":
		return kindArtist
	case "genres", "discover", "tag":
		return kindTag
	}
	return ""
}
