package mixcloud

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"unicode/utf8"

	"mixcloud-graphql/internal/show"

	"github.com/google/go-cmp/cmp"
)

// mustParse returns the value of a JSON text.
func mustParse(t interface {
	Helper()
	Fatalf(format string, args ...any)
}, text string,
) value {
	t.Helper()
	v, ok := parse([]byte(text))
	if !ok {
		t.Fatalf("%s is not valid JSON", text)
	}
	return v
}

// decodeTree decodes a value with the methods of value only.
func decodeTree(v value) any {
	switch v.first() {
	case '{':
		m := map[string]any{}
		for name, member := range v.members() {
			m[name] = decodeTree(member)
		}
		return m
	case '[':
		list := []any{}
		for e := range v.elements() {
			list = append(list, decodeTree(e))
		}
		return list
	case '"':
		return v.Text()
	case 't', 'f':
		return v.Raw() == "true"
	case 'n':
		return nil
	}
	return json.Number(v.Raw())
}

// FuzzWalk compares the methods of value with encoding/json for any valid document.
func FuzzWalk(f *testing.F) {
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("testdata/recorded has no JSON files: %v", err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(body)
	}
	for _, s := range []string{
		`{}`, `[]`, ` [ ] `, `{"a":{"b":[1,-2.5e3,true,false,null,"x"]}}`, `"\""`, `"\\"`, `"\\\""`,
		`{"a\"b":1,"c\\":"}"}`, `["]","}",{"{":"["}]`, `{"a":1,"a":2}`, `"\ud83d\ude00\ud83d"`,
		"\ufeff{\"bom\":true}", `"\u0000"`, "\"\xff\"", `0`, `{"":""}`, "[\r\n\t 1 ,\r\n 2 ]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		trimmed := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
		valid := json.Valid(trimmed)
		v, failed := readJSON(200, nil, body)
		if failed != nil {
			if valid && !isFailure(mustParse(t, string(bytes.ToValidUTF8(trimmed, []byte("\ufffd"))))) {
				t.Fatalf("readJSON of valid JSON returned an error: %v", failed)
			}
			return
		}
		if !valid {
			t.Fatal("readJSON of invalid JSON returned no error")
		}
		decoder := json.NewDecoder(bytes.NewReader([]byte(v.Raw())))
		decoder.UseNumber()
		var want any
		if err := decoder.Decode(&want); err != nil {
			t.Fatal(err)
		}
		got := decodeTree(v)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("decoded document (-encoding/json +value):\n%s", diff)
		}
		if !utf8.ValidString(fmt.Sprint(got)) {
			t.Errorf("decoded document contains invalid UTF-8: %q", fmt.Sprint(got))
		}
		// Decoding valid JSON as any type must not panic.
		for _, decode := range decoders {
			decode(v)
		}
	})
}

// decoders decode a value as each type.
var decoders = []func(value){
	func(v value) { new(FullUser).decode(v) },
	func(v value) { new(FullCloudcast).decode(v) },
	func(v value) { new(Tag).decode(v) },
	func(v value) { new(Category).decode(v) },
	func(v value) { new(Playlist).decode(v) },
	func(v value) { new(Track).decode(v) },
	func(v value) { new(OEmbed).decode(v) },
	func(v value) { decodePage(new(Page[Cloudcast]), v) },
	func(v value) { decodePage(new(Page[Comment]), v) },
	func(v value) { decodePage(new(Page[Activity]), v) },
}

func TestDecode_Invalid(t *testing.T) {
	t.Parallel()
	for _, in := range []string{``, `{`, `{}`, `null`, `{"name":"x"}`, `{"error":{"type":"OAuthException"}}`} {
		u, err := Decode[FullUser](json.RawMessage(in))
		var e *Error
		if u != nil || !errors.As(err, &e) || e.Op != "Decode" || e.Status != 0 {
			t.Errorf("Decode(%s) = %v, %v; want nil and an *Error of Decode with status 0", in, show.Value(u), err)
		}
	}
}

func TestRaw_ReturnsACopy(t *testing.T) {
	t.Parallel()
	show, err := Decode[Cloudcast](json.RawMessage(`{"key":"/a/b/","user":{"key":"/a/"}}`))
	if err != nil {
		t.Fatal(err)
	}
	raw := show.Raw()
	clear(raw)
	if got := string(show.Raw()); got != `{"key":"/a/b/","user":{"key":"/a/"}}` {
		t.Errorf("Raw after its copy was overwritten = %s, want it unchanged", got)
	}
	if got := string(show.User.Raw()); got != `{"key":"/a/"}` {
		t.Errorf("Raw of the user = %s, want {\"key\":\"/a/\"}", got)
	}
	if got := (&User{}).Raw(); got != nil {
		t.Errorf("Raw of a value that was never decoded = %s, want nil", got)
	}
}
