package emulator

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// FuzzWriter_text checks that every text can be decoded after it was written.
func FuzzWriter_text(f *testing.F) {
	for _, seed := range []string{"", "plain", "\"\\/\b\f\n\r\t\x00\x1f\x7f", "mlö 趙曉慧", "😀\U0010ffff", "\xff broken"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, raw := range []bool{false, true} {
			w := writer{raw: raw}
			w.text(s)
			var back string
			if err := json.Unmarshal(w.buf, &back); err != nil {
				t.Fatalf("%q is encoded as %s, which is not JSON: %v", s, w.buf, err)
			}
			if want := strings.ToValidUTF8(s, "\ufffd"); utf8.ValidString(s) && back != want {
				t.Fatalf("%q is encoded as %s, which is decoded as %q, want %q", s, w.buf, back, want)
			}
			if !raw {
				for _, c := range w.buf {
					if c < ' ' || c > '~' {
						t.Fatalf("%q is encoded as %q, want printable ASCII", s, w.buf)
					}
				}
			}
			if isPlain(s) && string(w.buf) != `"`+s+`"` {
				t.Fatalf("the plain text %q is encoded as %s, want it in quotes only", s, w.buf)
			}
		}
	})
}

func TestWriter(t *testing.T) {
	t.Parallel()
	w := writer{}
	w.open('{')
	w.string("a", "ö😀\"")
	w.list("empty")
	w.close(']')
	w.list("list")
	w.element()
	w.int("n", -3)
	w.bool("yes", true)
	w.close('}')
	w.element()
	w.close('}')
	w.close(']')
	w.join("url", "https://", "x", "/")
	w.time("at", time.Date(2018, 4, 11, 11, 30, 0, 999, time.FixedZone("", 7200)))
	w.key("none")
	w.value(nil)
	w.close('}')
	want := `{
    "a": "\u00f6\ud83d\ude00\"",
    "empty": [],
    "list": [
        {
            "n": -3,
            "yes": true
        },
        {}
    ],
    "url": "https://x/",
    "at": "2018-04-11T09:30:00Z",
    "none": null
}`
	if diff := cmp.Diff(want, string(w.buf)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
}

// FuzzGlob checks that a glob matches if its parts occur in order, without overlap.
func FuzzGlob(f *testing.F) {
	f.Add("/*/cloudcasts/", "/demo/cloudcasts/")
	f.Add("*a*a", "a")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		var slow func(p, s string) bool
		slow = func(p, s string) bool {
			switch {
			case p == "":
				return s == ""
			case p[0] == '*':
				return slow(p[1:], s) || s != "" && slow(p, s[1:])
			}
			return s != "" && p[0] == s[0] && slow(p[1:], s[1:])
		}
		if strings.Count(pattern, "*") > 3 || len(s) > 30 {
			return
		}
		if got, want := glob(pattern, s), slow(pattern, s); got != want {
			t.Errorf("glob(%q, %q) = %t, want %t", pattern, s, got, want)
		}
	})
}
