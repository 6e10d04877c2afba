package projection

import (
	"strings"
	"time"

	"mixcloud-graphql/graph/model"
	"mixcloud-graphql/mixcloud"
	"mixcloud-graphql/mixcloud/rawjson"
)

// A writer writes objects. Its methods return false, to leave the value to the executor, if a
// member is not of the expected kind or the result would be too large.
type writer struct {
	buf       []byte
	max       int  // of buf
	anonymous bool // the operation has no token
	size      Size
	page      page // the connection whose item is being written, and its index
	index     int
}

// A Size contains the amounts with which a written value counts toward the limits of a response.
// Package responselimit counts the executor's values in the same way.
type Size struct {
	Fields int64 // response keys
	Tasks  int64 // fields that the executor would have resolved in their own goroutines
	Items  int64 // objects in lists
	Read   int64 // items of the connections
}

// maxTasks is the maximum of Size.Tasks of one list, above which the list is left to the executor, which refuses it.
const maxTasks = 8_000

func (w *writer) null() bool {
	w.buf = append(w.buf, "null"...)
	return true
}

// object writes an object.
func (w *writer) object(p *plan, v rawjson.Value, isFull bool, r *results) bool {
	var own, loaded [maxMembers]rawjson.Value
	if len(p.members) > 0 {
		p.gather(v, &own)
	}
	fullOnes := &own
	if p.loads && !isFull {
		p.gather(r.nextLoad(), &loaded)
		fullOnes = &loaded
	}
	w.size.Fields += int64(len(p.slots))
	w.size.Tasks += p.tasks
	if len(p.slots) == 0 {
		w.buf = append(w.buf, "{}"...)
		return true
	}
	for i := range p.slots {
		s := &p.slots[i]
		w.buf = append(w.buf, s.prefix...)
		members := &own
		if s.full {
			members = fullOnes
		}
		if !w.value(p, s, v, members, isFull, r) {
			return false
		}
	}
	w.buf = append(w.buf, '}')
	return len(w.buf) <= w.max
}

// value writes the value of a slot.
func (w *writer) value(p *plan, s *slot, v rawjson.Value, members *[maxMembers]rawjson.Value, isFull bool, r *results) bool {
	var m rawjson.Value
	if s.index >= 0 {
		m = members[s.index]
	}
	switch s.kind {
	case kindTypename:
		w.buf = append(append(append(w.buf, '"'), p.typ...), '"')
		return true
	case kindID:
		return w.id(s.node, m)
	case kindItemID:
		item, ok := w.page.Item(w.index).(interface{ ID() string })
		if ok {
			w.buf = append(append(append(w.buf, '"'), item.ID()...), '"')
		}
		return ok
	case kindKey:
		return w.key(m)
	case kindText:
		return w.text(s, v, m)
	case kindTagName:
		if m.Escaped() || strings.HasSuffix(m.Raw(), ` shows"`) {
			return w.derived(s, v)
		}
		return w.text(s, v, m)
	case kindTextOrNull, kindTextOrEmpty:
		return w.textOr(s.kind, m)
	case kindInt:
		return w.int(m)
	case kindVisibleInt:
		return w.visibleInt(m, members[s.hidden])
	case kindTrue, kindBool:
		return w.bool(s.kind, m)
	case kindTime:
		return w.time(m)
	case kindColor:
		return w.color(m)
	case kindViewerFlag:
		if w.anonymous && m.Kind() == 0 {
			return w.null()
		}
		return m.Kind() != 0 && m.Kind() != 'n' && w.bool(kindBool, m)
	case kindAnonymousNull:
		return w.anonymous && w.null()
	case kindAnonymousFalse:
		w.buf = append(w.buf, "false"...)
		return w.anonymous && !isFull
	case kindRaw:
		w.buf = append(w.buf, v.Raw()...)
		return !strings.Contains(v.Raw(), `"metadata"`)
	case kindPictures:
		return w.pictures(s.child, m)
	case kindPicture:
		return w.picture(s, m)
	case kindObject:
		if !hasKey(m) {
			return w.null()
		}
		return w.object(s.child, m, false, r)
	case kindObjects:
		return w.objects(s.child, m, r)
	case kindConnection:
		return w.connection(s.child, r.nextConnection())
	default:
		return false
	}
}

// hasKey reports whether a value is an object with a key. Objects without a key are left out of the
// response.
func hasKey(v rawjson.Value) bool {
	if v.Kind() != '{' {
		return false
	}
	key := v.Member("key")
	if key.Kind() == '"' && !key.Escaped() {
		return strings.HasPrefix(key.Raw(), `"/`)
	}
	return strings.HasPrefix(key.Text(), "/")
}

// objects writes a list of nested objects.
func (w *writer) objects(p *plan, v rawjson.Value, r *results) bool {
	if v.Kind() != '[' {
		return w.null()
	}
	w.buf = append(w.buf, '[')
	n := 0
	for element := range v.Elements() {
		if !hasKey(element) {
			continue
		}
		if n++; n > 1 {
			w.buf = append(w.buf, ',')
		}
		if !w.object(p, element, false, r) {
			return false
		}
	}
	w.buf = append(w.buf, ']')
	w.size.Items += int64(n)
	return int64(n)*p.tasks <= maxTasks
}

func (w *writer) id(kind model.Kind, m rawjson.Value) bool {
	text := m.Text()
	if !strings.HasPrefix(text, "/") {
		return false
	}
	w.buf = append(w.buf, '"')
	w.buf = append(w.buf, model.NodeID{Kind: kind, Key: mixcloud.ParseKey(text)}.String()...)
	w.buf = append(w.buf, '"')
	return true
}

func (w *writer) key(m rawjson.Value) bool {
	if !strings.HasPrefix(m.Text(), "/") {
		return false
	}
	return w.string(m)
}

// text writes a text, or the derived value of a text that is absent.
func (w *writer) text(s *slot, v, m rawjson.Value) bool {
	if m.Kind() != '"' || m.Raw() == `""` {
		return w.derived(s, v)
	}
	return w.string(m)
}

func (w *writer) derived(s *slot, v rawjson.Value) bool {
	w.buf = appendQuoted(w.buf, s.derive(v))
	return true
}

func (w *writer) textOr(kind kind, m rawjson.Value) bool {
	switch c := m.Kind(); {
	case c == '"':
		return w.string(m)
	case isNumber(c):
		return false
	case kind == kindTextOrEmpty:
		w.buf = append(w.buf, `""`...)
		return true
	}
	return w.null()
}

func isNumber(c byte) bool { return c == '-' || '0' <= c && c <= '9' }

// maxDigits is the number of digits that always fit into an Int.
const maxDigits = 9

func (w *writer) int(m rawjson.Value) bool {
	switch c := m.Kind(); {
	case c == 0 || c == 'n':
		return w.null()
	case '0' <= c && c <= '9':
		digits := m.Raw()
		for i := range len(digits) {
			if digits[i] < '0' || digits[i] > '9' || i == maxDigits {
				return false
			}
		}
		w.buf = append(w.buf, digits...)
		return true
	}
	return false
}

func (w *writer) visibleInt(m, hidden rawjson.Value) bool {
	switch hidden.Kind() {
	case 0, 'n', 'f':
		return w.int(m)
	case 't':
		return w.null()
	}
	return false
}

func (w *writer) bool(kind kind, m rawjson.Value) bool {
	switch c := m.Kind(); {
	case c == 't' || c == 'f':
		w.buf = append(w.buf, m.Raw()...)
	case c != 0 && c != 'n':
		return false
	case kind == kindTrue:
		w.buf = append(w.buf, "false"...)
	default:
		return w.null()
	}
	return true
}

// time writes a time that is already in the format of the response.
func (w *writer) time(m rawjson.Value) bool {
	switch m.Kind() {
	case 0, 'n':
		return w.null()
	case '"':
	default:
		return false
	}
	raw := m.Raw()
	if len(raw) != len(`"2006-01-02T15:04:05Z"`) || raw[len(raw)-2] != 'Z' {
		return false
	}
	t, err := time.Parse(time.RFC3339, raw[1:len(raw)-1])
	if err != nil || t.Year() < 1 || t.IsZero() {
		return false
	}
	w.buf = append(w.buf, raw...)
	return true
}

func (w *writer) color(m rawjson.Value) bool {
	if m.Kind() != '"' {
		return !isNumber(m.Kind()) && w.null()
	}
	text := m.Text()
	hex := model.ColorHex(&text)
	if hex == nil {
		return w.null()
	}
	w.buf = append(append(append(w.buf, '"'), *hex...), '"')
	return true
}

// pictures writes all sizes of a picture.
func (w *writer) pictures(p *plan, m rawjson.Value) bool {
	var set pictureSet
	if !readPictures(m, &set) {
		return false
	}
	w.buf = append(w.buf, '[')
	n := 0
	for i := range set {
		if set[i].Kind() == 0 {
			continue
		}
		if n++; n > 1 {
			w.buf = append(w.buf, ',')
		}
		if !w.pictureSize(p, i, set[i]) {
			return false
		}
	}
	w.buf = append(w.buf, ']')
	w.size.Items += int64(n)
	return int64(n)*p.tasks <= maxTasks
}

// picture writes one size of a picture.
func (w *writer) picture(s *slot, m rawjson.Value) bool {
	var set pictureSet
	if !readPictures(m, &set) {
		return false
	}
	for _, i := range s.sizes {
		if set[i].Kind() != 0 {
			return w.pictureSize(s.child, int(i), set[i])
		}
	}
	return w.null()
}

func (w *writer) pictureSize(p *plan, i int, link rawjson.Value) bool {
	w.size.Fields += int64(len(p.slots))
	for j := range p.slots {
		s := &p.slots[j]
		w.buf = append(w.buf, s.prefix...)
		switch s.kind {
		case kindTypename:
			w.buf = append(w.buf, `"Picture"`...)
		case kindPictureURL:
			if !w.string(link) {
				return false
			}
		case kindPictureSize:
			w.buf = append(append(append(w.buf, '"'), pictureSizes[i].size...), '"')
		default: // a square
			w.buf = append(w.buf, pictureWidths[i]...)
		}
	}
	if len(p.slots) == 0 {
		w.buf = append(w.buf, '{')
	}
	w.buf = append(w.buf, '}')
	return true
}

// string writes a string as the executor does.
func (w *writer) string(m rawjson.Value) bool {
	if !m.Escaped() || onlySharedEscapes(m.Raw()) {
		w.buf = append(w.buf, m.Raw()...)
	} else {
		w.buf = appendQuoted(w.buf, m.Text())
	}
	return true
}

// onlySharedEscapes reports whether all escapes of a JSON string are escapes that the executor
// writes too.
func onlySharedEscapes(raw string) bool {
	for {
		i := strings.IndexByte(raw, '\\')
		if i < 0 {
			return true
		}
		switch raw[i+1] {
		case 'n', 'r', 't', '"', '\\':
		default:
			return false
		}
		raw = raw[i+2:]
	}
}

// appendQuoted appends a text as graphql.MarshalString writes it.
func appendQuoted(buf []byte, text string) []byte {
	const hex = "0123456789ABCDEF"
	buf = append(buf, '"')
	start := 0
	for i := range len(text) {
		c := text[i]
		if c >= 0x20 && c != '\\' && c != '"' {
			continue
		}
		buf = append(buf, text[start:i]...)
		start = i + 1
		switch c {
		case '\t':
			buf = append(buf, `\t`...)
		case '\r':
			buf = append(buf, `\r`...)
		case '\n':
			buf = append(buf, `\n`...)
		case '\\', '"':
			buf = append(buf, '\\', c)
		default:
			buf = append(buf, `\u00`...)
			buf = append(buf, hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(buf, text[start:]...), '"')
}
