package mixcloud

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestKeyFunctions(t *testing.T) {
	t.Parallel()
	discover := func(tags ...string) func(string) (string, error) {
		return func(city string) (string, error) { return DiscoverKey(tags, city) }
	}
	tests := []struct {
		name string
		make func(string) (string, error)
		in   string
		want string // "" if the key is invalid
	}{
		{"user", UserKey, "spartacus", "/spartacus/"},
		{"user", UserKey, "NTSRadio", "/NTSRadio/"},
		{"user", UserKey, "/spartacus/", "/spartacus/"},
		{"user", UserKey, " spartacus ", "/spartacus/"},
		{"user", UserKey, "趙曉慧", "/%E8%B6%99%E6%9B%89%E6%85%A7/"},
		{"user", UserKey, "%E8%B6%99%E6%9B%89%E6%85%A7", "/%E8%B6%99%E6%9B%89%E6%85%A7/"},
		{"user", UserKey, "", ""},
		{"user", UserKey, "/", ""},
		{"user", UserKey, "///", ""},
		{"user", UserKey, "..", ""},
		{"user", UserKey, "%2e%2e", ""},
		{"user", UserKey, "a/b", ""},
		{"user", UserKey, "me", ""},
		{"user", UserKey, "Popular", ""},
		{"user", UserKey, "genres", ""},
		{"user", UserKey, "a\x00", ""},
		{"user", UserKey, "a b", ""},
		{"user", UserKey, "https://www.mixcloud.com/spartacus/", ""},
		{"tag", TagKey, "Funk", "/genres/funk/"},
		{"tag", TagKey, "Drum & Bass", "/genres/drum-bass/"},
		{"tag", TagKey, "drum-bass", "/genres/drum-bass/"},
		{"tag", TagKey, "Đi lắc", "/genres/%C4%91i-l%E1%BA%AFc/"},
		{"tag", TagKey, "%C4%91i-l%E1%BA%AFc", "/genres/%C4%91i-l%E1%BA%AFc/"},
		{"tag", TagKey, "100% Vinyl", "/genres/100-vinyl/"},
		{"tag", TagKey, "../me", "/genres/me/"},
		{"tag", TagKey, "a+b", "/genres/ab/"},
		{"tag", TagKey, "", ""},
		{"tag", TagKey, "&", ""},
		{"tag", TagKey, "..", ""},
		{"tag", TagKey, strings.Repeat("a", 5000), ""},
		{"city", CityKey, "Athens", "/genres/city:athens/"},
		{"city", CityKey, "city:athens", "/genres/city:athens/"},
		{"city", CityKey, "São Paulo", "/genres/city:s%C3%A3o-paulo/"},
		{"city", CityKey, "city:", ""},
		{"category", CategoryKey, "ambient", "/categories/ambient/"},
		{"category", CategoryKey, "", ""},
		{"discover", discover(), "", "/genres/all/"},
		{"discover", discover("Funk"), "", "/genres/funk/"},
		{"discover", discover("Funk"), "Athens", "/genres/funk+city:athens/"},
		{"discover", discover("Funk", "Drum & Bass"), "", "/genres/funk+drum-bass/"},
		{"discover", discover(), "city:athens", "/genres/city:athens/"},
		{"discover", discover("Funk", ""), "", ""},
		{"discover", discover(), "-", ""},
	}
	for _, test := range tests {
		got, err := test.make(test.in)
		if got != test.want || (err == nil) != (test.want != "") || err != nil && !errors.Is(err, ErrInvalid) {
			t.Errorf("%s key of %q = %q, %v; want %q", test.name, test.in, got, err, test.want)
		}
	}
}

// TestSlug_Recorded compares Slug with the slug of every recorded tag.
func TestSlug_Recorded(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/recorded/*.json")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var visit func(value)
	visit = func(v value) {
		var tag Tag
		tag.decode(v)
		if ref, err := ParseRef(tag.Key.String()); err == nil && ref.Kind == KindTag {
			seen[tag.Name] = true
			if got := Slug(tag.PlainName()); got != tag.Slug() {
				t.Errorf("Slug(%q) = %q, want %q, as in the key %s", tag.PlainName(), got, tag.Slug(), tag.Key)
			}
		}
		for _, m := range v.members() {
			visit(m)
		}
		for e := range v.elements() {
			visit(e)
		}
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		v, failed := readJSON(200, nil, body)
		if failed == nil {
			visit(v)
		}
	}
	for _, name := range []string{"Funk shows", "Hip-Hop/Rap", "R&b", "Buồn của anh", "#No Genre Discrimination"} {
		if !seen[name] {
			t.Errorf("the %d recorded tags do not include %q", len(seen), name)
		}
	}
}

func TestSlug_Idempotent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		slug := Slug(rapid.StringN(-1, -1, 80).Draw(t, "name"))
		if again := Slug(slug); again != slug {
			t.Fatalf("Slug(%q) = %q, want a slug unchanged", slug, again)
		}
		if slug == "" {
			return
		}
		key, err := TagKey(slug)
		if err != nil {
			t.Fatalf("TagKey(%q): %v", slug, err)
		}
		ref, err := ParseRef(key)
		if err != nil || ref.Kind != KindTag || ref.Key.String() != key {
			t.Fatalf("TagKey(%q) = %q, which is parsed as %v, %v; want a tag with the same key", slug, key, ref, err)
		}
		if got := (&Tag{Key: ParseKey(key)}).Slug(); got != slug {
			t.Fatalf("TagKey(%q) = %q, whose slug is %q, want the same slug", slug, key, got)
		}
	})
}

func TestPlainName(t *testing.T) {
	t.Parallel()
	tests := []struct{ key, name, want string }{
		{"/genres/funk/", "Funk shows", "Funk"},
		{"/genres/funk/", "Funk", "Funk"},
		{"/genres/talk-shows/", "Talk shows", "Talk shows"},
		{"/genres/talk-shows/", "Talk shows shows", "Talk shows"},
		{"/genres/drum-bass/", "Drum & Bass shows", "Drum & Bass"},
		{"/genres/bu%E1%BB%93n/", "Buồn shows", "Buồn"},
		{"/genres/shows/", " shows", " shows"},
		{"", "", ""},
	}
	for _, test := range tests {
		if got := (&Tag{Key: ParseKey(test.key), Name: test.name}).PlainName(); got != test.want {
			t.Errorf("PlainName of %q with key %s is %q, want %q", test.name, test.key, got, test.want)
		}
	}
}
