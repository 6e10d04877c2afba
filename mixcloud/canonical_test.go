package mixcloud

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestParseKey(t *testing.T) {
	t.Parallel()
	tests := map[string]string{
		"/NTSRadio/":                    "/ntsradio/",
		"/NTSRadio/Knee-Deep/":          "/ntsradio/Knee-Deep/",
		"/NTSRadio/playlists/Best/":     "/ntsradio/playlists/Best/",
		"/NTSRadio/feed/566658648/":     "/ntsradio/feed/566658648/",
		"/tag/funk/":                    "/genres/funk/",
		"/Tag/funk/":                    "/genres/funk/",
		"/tag/":                         "/tag/", // a name, not a prefix
		"/discover/funk/":               "/genres/funk/",
		"/genres/funk/":                 "/genres/funk/",
		"/discover/city:athens/":        "/genres/city:athens/",
		"/discover/bu%e1%bb%93n/":       "/genres/bu%E1%BB%93n/",
		"/discover/buồn/":               "/genres/bu%E1%BB%93n/",
		"/genres/a%2Bb+c/":              "/genres/a%2Bb+c/",
		"/%C3%96zg%C3%BCr/":             "/%C3%96zg%C3%BCr/", // only ASCII folds
		"/%4e%54s/":                     "/nts/",
		"/categories/ambient/":          "/categories/ambient/",
		"/artist/aphex-twin/":           "/artist/aphex-twin/",
		"/comments/cr/204/28/c8955637/": "/comments/cr/204/28/c8955637/",
		"spartacus":                     "/spartacus/",
		"":                              "",
		"/":                             "/",
		"/../":                          "/../",
		"/a//b/":                        "/a//b/",
		"/100%/":                        "/100%/",
		"/A B/":                         "/A B/",
	}
	for in, want := range tests {
		key := ParseKey(in)
		if got := key.Canonical().String(); got != want {
			t.Errorf("the canonical form of %q is %q, want %q", in, got, want)
		}
		if key.String() != in || key.IsZero() != (in == "") {
			t.Errorf("ParseKey(%q): String = %q, IsZero = %t; want the text, %t", in, key, key.IsZero(), in == "")
		}
	}
}

func TestKey_Owner(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"/NTSRadio/Knee-Deep/": "/ntsradio/", "/ntsradio/": "/ntsradio/", "NTSRadio/x": "/ntsradio/", "/NTSRadio/playlists/x/": "/ntsradio/"} {
		if got := ParseKey(in).Owner(); got != ParseKey(want).Canonical() {
			t.Errorf("the owner of %q is %q, want %q", in, got, want)
		}
	}
}

// TestKey_Text checks that a key is printed, and written to JSON, as it was
// received.
func TestKey_Text(t *testing.T) {
	t.Parallel()
	type object struct {
		Key  Key
		None Key `json:",omitzero"`
	}
	text, err := json.Marshal(object{Key: ParseKey("/NTSRadio/")})
	if err != nil || string(text) != `{"Key":"/NTSRadio/"}` {
		t.Errorf("Marshal returned %s, %v; want {\"Key\":\"/NTSRadio/\"}", text, err)
	}
	var read object
	if err := json.Unmarshal(text, &read); err != nil || !read.Key.Equal(ParseKey("/ntsradio/")) || read.Key.String() != "/NTSRadio/" {
		t.Errorf("Unmarshal returned %v, %v; want the key /NTSRadio/", read, err)
	}
	if got := fmt.Sprint(read.Key, read.Key.Canonical(), read.Key.Canonical().Key()); got != "/NTSRadio/ /ntsradio/ /ntsradio/" {
		t.Errorf("key, Canonical() and Canonical().Key() = %s, want /NTSRadio/ /ntsradio/ /ntsradio/", got)
	}
}

// keyText generates texts of keys, most of them with an unusual spelling.
func keyText() *rapid.Generator[string] {
	element := rapid.OneOf(
		rapid.SampledFrom([]string{"tag", "discover", "genres", "Genres", "DISCOVER", "playlists", "feed", "city:athens", "a+b", "a%2Bb", "%2e", "..", "", "buồn", "bu%e1%bb%93n", "%C3%96zg", "%20", "%c2%85", "%ff", "%", "%4", "%4N", "x%2Fy", "~.$&=@!*()'"}),
		rapid.StringMatching(`[a-zA-Z0-9_-]{1,4}`),
		rapid.StringN(0, 4, -1),
	)
	path := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"/", "", "//"}).Draw(t, "start") +
			strings.Join(rapid.SliceOfN(element, 0, 4).Draw(t, "elements"), "/") +
			rapid.SampledFrom([]string{"/", "", "//"}).Draw(t, "end")
	})
	return rapid.OneOf(path, rapid.StringMatching(`(/(tag|discover|genres|[a-zA-Z0-9_-]{0,4})){0,3}/?`), rapid.String())
}

// TestParseKey_Properties checks the properties that maps keyed by canonical keys
// rely on.
func TestParseKey_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.SliceOfN(keyText(), 3, 3).Draw(t, "texts")
		if rapid.Bool().Draw(t, "related") {
			texts[1], texts[2] = strings.ToUpper(texts[0]), strings.Trim(texts[0], "/")
		}
		a, b, c := ParseKey(texts[0]), ParseKey(texts[1]), ParseKey(texts[2])
		if again := ParseKey(a.Canonical().String()); again.Canonical() != a.Canonical() {
			t.Fatalf("the canonical form of %q is %q, whose canonical form is %q, want the same", a, a.Canonical(), again.Canonical())
		}
		if !a.Equal(a) || a.Equal(b) != b.Equal(a) || a.Equal(b) && b.Equal(c) && !a.Equal(c) {
			t.Fatalf("Equal is not an equivalence relation for %q, %q and %q", a, b, c)
		}
		if a.Equal(b) != (a.Canonical() == b.Canonical()) || !a.Equal(a.Canonical().Key()) {
			t.Fatalf("Equal(%q, %q) = %t, but canonical forms are equal: %t", a, b, a.Equal(b), a.Canonical() == b.Canonical())
		}
		checkCanonical(t, texts[0])
	})
}

func FuzzParseKey(f *testing.F) {
	for _, text := range []string{"/spartacus/", "/NTSRadio/x/", "/Discover/funk+city:athens/", "/a%2Bb/c+d/", "/bu%e1%bb%93n/", "/%4e/", "/%2e%2e/", "//a/b", "/a b/", "/%c2%a0/"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) { checkCanonical(t, text) })
}

// checkCanonical compares the canonical form and the clean path of a text with
// those of a simple implementation.
func checkCanonical(t interface{ Fatalf(string, ...any) }, text string) {
	clean, problem := simpleCleanPath(text)
	if got, gotProblem := cleanPath(text); got != clean || gotProblem != problem {
		t.Fatalf("cleanPath(%q) = %q, %q, want %q, %q", text, got, gotProblem, clean, problem)
	}
	want := text
	if problem == "" {
		path := strings.Split(strings.Trim(clean, "/"), "/")
		path[0] = lowerEscaped(path[0])
		if len(path) > 1 && slices.Contains(tagPrefixes, path[0]) {
			path[0] = tagPrefix
		}
		want = joinPath(path)
	}
	if got := ParseKey(text).Canonical().String(); got != want {
		t.Fatalf("the canonical form of %q is %q, want %q", text, got, want)
	}
}

// simpleCleanPath implements cleanPath with the functions of net/url.
func simpleCleanPath(path string) (clean, problem string) {
	if len(path) > maxPath {
		return "", "is too long"
	}
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return "", "is empty"
	}
	elements := strings.Split(path, "/")
	for i, element := range elements {
		parts := strings.Split(element, "+")
		for j, part := range parts {
			plain, err := url.PathUnescape(part)
			switch {
			case err != nil:
				return "", "has a % that is not part of an escape"
			case plain == "":
				return "", "has an empty element"
			case plain == "." || plain == "..":
				return "", `has "." or ".." as an element`
			case strings.ContainsAny(plain, `/\`):
				return "", "has a slash inside an element"
			case !utf8.ValidString(plain):
				return "", "is not valid UTF-8"
			case strings.ContainsFunc(plain, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
				return "", "has a space or a control character"
			}
			parts[j] = strings.ReplaceAll(url.PathEscape(plain), "+", "%2B")
		}
		elements[i] = strings.Join(parts, "+")
	}
	return "/" + strings.Join(elements, "/") + "/", ""
}

// TestParseKey_Allocations checks that ParseKey does not allocate for a canonical
// key, and only the canonical text for another spelling.
func TestParseKey_Allocations(t *testing.T) { //nolint:paralleltest // AllocsPerRun counts the allocations of the whole process
	for text, most := range map[string]float64{
		"/spartacus/party-time/":                      0,
		"/genres/bu%E1%BB%93n/":                       0,
		"/genres/funk+city:athens/":                   0,
		"/NTSRadio/" + strings.Repeat("a", 100) + "/": 1,
		"/discover/funk/":                             1,
		"/genres/Buồn/":                               1,
	} {
		if n := testing.AllocsPerRun(100, func() { ParseKey(text) }); n != most {
			t.Errorf("%s: %v allocations, want %v", text, n, most)
		}
	}
}

func BenchmarkParseKey(b *testing.B) {
	for name, text := range map[string]string{
		"canonical": "/spartacus/party-time-with-friends/", "escaped": "/genres/bu%E1%BB%93n/", "folded": "/NTSRadio/knee-deep/", "retired": "/discover/funk/",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ParseKey(text)
			}
		})
	}
}
