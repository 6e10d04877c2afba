package graphhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"mixcloud-graphql/internal/gqlerr"
)

// FuzzDecode checks that decode returns the same as encoding/json, or a client error.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{
		`{"query":"{ a }","variables":{"a":[1,-0.5e3,"x\u00e9\"",true,null,{}]}}`, `[]`, `7`, `null`, "\ufeff{}", `{"a":1,"a":2}`, `{"a":[{"b":1,"\u0062":2}]}`,
		`{} {}`, `{"a" 1}`, `[1,]`, `{"a":1,}`, `"\ud800"`, strings.Repeat("[", 101) + strings.Repeat("]", 101), strings.Repeat("[", 100_000), `"{[{[\"{["`,
		`["\ud83d\ude00","\ud83d\u0041","\u12","\u00_1","\x","\/\b\f\n\r\t\\"]`, `[-,01,1.,.5,1e,1e+1,-0,-0.0E-5]`, `tru`, `"\u+123"`, "\"a\x00\"", "\"\xff\\n\"", `{"":{},"b":[],"":1}`, " [ 1 , 2 ] \n", `{"a":1 "b":2}`, `"\`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decode(text, "It")
		if slow, refused := explain(trimMark(text), "It"); (refused == nil) != (err == nil) || !reflect.DeepEqual(slow, got) {
			t.Fatalf("decode(%q) = %v, %v; explain = %v, %v", text, got, err, slow, refused)
		}
		if _, ok := parseJSON(trimMark(text)); ok != (err == nil) {
			t.Fatalf("parseJSON(%q) reports %v, want %v as decode", text, ok, err == nil)
		}
		dec := json.NewDecoder(bytes.NewReader(trimMark(text)))
		dec.UseNumber()
		var want any
		valid := dec.Decode(&want) == nil
		if _, more := dec.Token(); more != io.EOF {
			valid = false
		}
		if err != nil {
			refused, ok := errors.AsType[*gqlerr.Error](err)
			if !ok || refused.Code == gqlerr.CodeInternal {
				t.Fatal(err)
			}
			if ours := strings.Contains(err.Error(), "duplicate") || strings.Contains(err.Error(), "too deeply") || strings.Contains(err.Error(), "surrogate"); valid && utf8.Valid(text) && !ours {
				t.Fatalf("decode(%q) failed: %v, want the result of encoding/json", text, err)
			}
			return
		}
		if !valid || !reflect.DeepEqual(want, got) {
			t.Fatalf("decode(%q) = %v, want %v; valid JSON: %v", text, got, want, valid)
		}
	})
}

// TestDecode_refuses checks that errors contain the problem and its path.
func TestDecode_refuses(t *testing.T) {
	t.Parallel()
	deep := func(n int) string { return strings.Repeat(`{"a":[`, n/2) + strings.Repeat("]}", n/2) }
	for text, want := range map[string]string{
		deep(100):                               "",
		deep(102):                               "It is nested too deeply: objects and lists may have at most 100 levels.",
		strings.Repeat("[", 1_000_000):          "It is nested too deeply: objects and lists may have at most 100 levels.",
		`"` + strings.Repeat("[", 200) + `\"{"`: "",
		`{"a":1,"b":2,"a":1}`:                   `It has a duplicate member "a".`,
		`{"v":{"i":[0,{"n":1,"\u006e":2}]}}`:    `It has a duplicate member "v.i.1.n".`,
		`{"a":1,"A":2}`:                         "",
		`{"a":`:                                 "It is not valid JSON.",
		`{} 1`:                                  "It has more than one JSON value.",
	} {
		_, err := decode([]byte(text), "It")
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("decode(%.50s) = %v, want the error %q", text, err, want)
		}
	}
}

// BenchmarkDecode decodes a small request and a large one.
func BenchmarkDecode(b *testing.B) {
	for name, text := range map[string]string{
		"small": `{"query":"query($n: Int) { popular(first: $n) { nodes { name url user { name } } } }","variables":{"n":20}}`,
		"large": `{"query":"{ a }","variables":{"l":[` + strings.Repeat(`{"name":"a name of a show","n":12,"flag":true},`, 5000) + `null]}}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, err := decode([]byte(text), "It"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
