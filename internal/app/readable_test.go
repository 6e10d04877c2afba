package app

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// readableWidth is the maximum length of a line of a response in a document, unless
// a single value is longer.
const readableWidth = 110

// readable formats a response. An object or array is on one line if it fits; one with
// a single member does not indent it.
func readable(t *testing.T, response []byte) string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(response))
	d.UseNumber()
	var b strings.Builder
	if err := writeReadable(&b, readJSON(t, d), "", 0); err != nil {
		t.Fatalf("cannot rewrite the response: %v: %s", err, response)
	}
	return b.String() + "\n"
}

// A jsonValue is a JSON value that keeps the order of its members.
type jsonValue struct {
	scalar  any
	open    json.Delim // '{' or '[' if it is not a scalar
	names   []string   // of the members of an object
	members []jsonValue
}

func readJSON(t *testing.T, d *json.Decoder) jsonValue {
	t.Helper()
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	open, composite := token.(json.Delim)
	if !composite {
		return jsonValue{scalar: token}
	}
	v := jsonValue{open: open}
	for d.More() {
		if open == '{' {
			v.names = append(v.names, readJSON(t, d).scalar.(string))
		}
		v.members = append(v.members, readJSON(t, d))
	}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	return v
}

// writeReadable writes a value that begins in a column of a line with an indentation.
func writeReadable(b *strings.Builder, v jsonValue, indentation string, column int) error {
	var line strings.Builder
	if err := writeLine(&line, v); err != nil {
		return err
	}
	if len(v.members) == 0 || column+utf8.RuneCountInString(line.String()) <= readableWidth {
		b.WriteString(line.String())
		return nil
	}
	if len(v.members) == 1 {
		return writeSingle(b, v, indentation, column)
	}
	inner := indentation + "  "
	b.WriteString(v.open.String())
	for i, member := range v.members {
		var name strings.Builder
		if v.names != nil {
			if err := writeScalar(&name, v.names[i]); err != nil {
				return err
			}
			name.WriteString(": ")
		}
		b.WriteString("\n" + inner + name.String())
		if err := writeReadable(b, member, inner, len(inner)+utf8.RuneCountInString(name.String())+1); err != nil {
			return err
		}
		if i < len(v.members)-1 {
			b.WriteString(",")
		}
	}
	b.WriteString("\n" + indentation + closing(v))
	return nil
}

// writeSingle writes an object or array with one member, which begins on its line.
func writeSingle(b *strings.Builder, v jsonValue, indentation string, column int) error {
	before, after := "[", "]"
	if v.names != nil {
		var name strings.Builder
		if err := writeScalar(&name, v.names[0]); err != nil {
			return err
		}
		before, after = "{ "+name.String()+": ", " }"
	}
	b.WriteString(before)
	if err := writeReadable(b, v.members[0], indentation, column+utf8.RuneCountInString(before)); err != nil {
		return err
	}
	b.WriteString(after)
	return nil
}

// writeLine writes a value without line breaks.
func writeLine(b *strings.Builder, v jsonValue) error {
	if v.open == 0 {
		return writeScalar(b, v.scalar)
	}
	b.WriteString(v.open.String())
	for i, member := range v.members {
		if i > 0 {
			b.WriteString(",")
		}
		if v.names != nil {
			b.WriteString(" ")
			if err := writeScalar(b, v.names[i]); err != nil {
				return err
			}
			b.WriteString(": ")
		} else if i > 0 {
			b.WriteString(" ")
		}
		if err := writeLine(b, member); err != nil {
			return err
		}
	}
	if v.names != nil {
		b.WriteString(" ")
	}
	b.WriteString(closing(v))
	return nil
}

func closing(v jsonValue) string {
	if v.open == '{' {
		return "}"
	}
	return "]"
}

func writeScalar(b *strings.Builder, v any) error {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	b.Write(bytes.TrimSpace(text.Bytes()))
	return err
}

func TestReadable(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 85)
	const response = `{"data":{"user":{"name":"<a>","tags":[],"ids":[1,2.50,null]},"long":"LONG","list":[{"a":"LONG"},{"b":true}]}}`
	const want = `{ "data": {
  "user": { "name": "<a>", "tags": [], "ids": [1, 2.50, null] },
  "long": "LONG",
  "list": [
    { "a": "LONG" },
    { "b": true }
  ]
} }
`
	if got := readable(t, []byte(strings.ReplaceAll(response, "LONG", long))); got != strings.ReplaceAll(want, "LONG", long) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
