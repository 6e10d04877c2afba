package rawjson_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"mixcloud-graphql/mixcloud/rawjson"
)

var texts = []string{
	``, ` `, `null`, `true`, `false`, `tru`, `nulll`, `0`, `-0`, `01`, `-`, `1.`, `.5`, `1.5e3`, `1e`, `1E+2`, `1e-`, `--1`, `1 2`,
	`""`, `"a"`, `"a`, `"\"`, `"\\"`, `"\u12"`, `"\u12AF"`, `"\x"`, "\"a\nb\"", "\"\x7f\"", "\"\xff\"", `"é😀"`, `"\ud83d\ude00 \ud83d"`,
	`"1234567\"89012345\\6789"`, "\"12345678\x01\"", `{}`, `{ }`, `{"a":1}`, `{"a":1,}`, `{"a"}`, `{"a":}`, `{,}`, `{a:1}`, `{"a":1 "b":2}`,
	`{"a":1,"a":2}`, `{"\u0061":[1,{"b":[]}],"c":"d\n"}`, `[]`, `[ ]`, `[1,2]`, `[1,]`, `[,]`, `[1 2]`, `[[[]]]`, `[`, `{`, `]`,
	" \t\r\n[1 , 2 ]\n", `{"a":{"b":{"c":null}},"d":[true,false,"x",-1.5E+3]}`, strings.Repeat(`[`, 10_000) + strings.Repeat(`]`, 10_000),
	strings.Repeat(`[`, 10_001) + strings.Repeat(`]`, 10_001), strings.Repeat(`{"a":`, 10_001) + `1` + strings.Repeat(`}`, 10_001),
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, text := range texts {
		check(t, []byte(text))
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) { check(t, text) })
}

// check compares a text's index with encoding/json.
func check(t *testing.T, text []byte) {
	t.Helper()
	v, ok := rawjson.Parse(text)
	if want := json.Valid(text); ok != want {
		t.Fatalf("Parse(%.100q) returned %t, want %t, as json.Valid", text, ok, want)
	}
	if !ok {
		if v.Kind() != 0 || v.Raw() != "" {
			t.Fatalf("Parse(%.100q) = %q with false, want an absent value", text, v.Raw())
		}
		return
	}
	if got, want := v.Raw(), strings.Trim(string(text), " \t\r\n"); got != want {
		t.Fatalf("Raw of %.100q = %.100q, want %.100q", text, got, want)
	}
	if !utf8.Valid(text) {
		return // encoding/json replaces invalid bytes, Parse leaves that to its caller
	}
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var want any
	if err := decoder.Decode(&want); err != nil {
		t.Fatal(err)
	}
	if got := decode(v); !reflect.DeepEqual(got, want) {
		t.Fatalf("Parse(%.200q) is decoded as %.200v, want %.200v, as by encoding/json", text, got, want)
	}
}

// decode converts a value as encoding/json does.
func decode(v rawjson.Value) any {
	switch v.Kind() {
	case '{':
		object := map[string]any{}
		for name, member := range v.Members() {
			object[name] = decode(member)
		}
		for name := range object {
			if got := decode(v.Member(name)); !reflect.DeepEqual(got, object[name]) {
				panic("Member(" + name + ") differs from Members")
			}
		}
		return object
	case '[':
		list := make([]any, 0, v.Len())
		for element := range v.Elements() {
			list = append(list, decode(element))
		}
		return list
	case '"':
		return v.Text()
	case 't':
		return true
	case 'f':
		return false
	case 'n':
		return nil
	}
	return json.Number(v.Raw())
}

func TestValue_absent(t *testing.T) {
	t.Parallel()
	var v rawjson.Value
	if v.Kind() != 0 || v.Raw() != "" || v.Text() != "" || v.Len() != 0 || v.Size() != 0 || v.Escaped() || v.Member("a").Kind() != 0 {
		t.Errorf("zero Value: Kind %d, Raw %q, Text %q, Len %d, Size %d, Escaped %t, kind of a member %d; want 0, \"\" or false for each",
			v.Kind(), v.Raw(), v.Text(), v.Len(), v.Size(), v.Escaped(), v.Member("a").Kind())
	}
	for range v.Members() {
		t.Error("zero Value: Members returned a member, want none")
	}
}

func BenchmarkParse(b *testing.B) {
	page := page(b)
	b.Run("Parse", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := rawjson.Parse(page); !ok {
				b.Fatal("the page is not valid")
			}
		}
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.SetBytes(int64(len(page)))
		for b.Loop() {
			if !json.Valid(page) {
				b.Fatal("the page is not valid")
			}
		}
	})
}

// page returns a page of 100 cloudcasts, made of recorded ones.
func page(b *testing.B) []byte {
	b.Helper()
	recorded, err := os.ReadFile(filepath.Join("..", "testdata", "recorded", "popular_with_token_2017.json"))
	if err != nil {
		b.Fatal(err)
	}
	var popular struct{ Data []json.RawMessage }
	if err := json.Unmarshal(recorded, &popular); err != nil {
		b.Fatal(err)
	}
	items := make([]json.RawMessage, 100)
	for i := range items {
		items[i] = popular.Data[i%len(popular.Data)]
	}
	page, err := json.Marshal(map[string]any{"data": items})
	if err != nil {
		b.Fatal(err)
	}
	return page
}
