package paging

import (
	"testing"

	"pgregory.net/rapid"
)

func TestWriteCursor(t *testing.T) {
	t.Parallel()
	list, other := Bind("/a/|favorites", noTime, noTime), Bind("/b/|favorites", noTime, noTime)
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SampledFrom([]string{"/a/b/", "/a/%C3%A9/", "no key", "/" + rapid.StringMatching("[a-z]{1,400}").Draw(t, "slug") + "/"}).Draw(t, "key")
		c := NewWriteCursor(key, rapid.Int64Range(0, 1<<50).Draw(t, "at"))
		text := c.Encode(list)
		got, err := ParseWrite("after", text, list)
		if err != nil || got != c || !got.Matches(key) || got.Matches(key+"x/") {
			t.Fatalf("ParseWrite(%q) returned %+v, %v, want %+v", text, got, err, c)
		}
		if KindOf(text) != ByWrite {
			t.Fatalf("got kind %d, want ByWrite", KindOf(text))
		}
		if _, err := ParseWrite("after", text, other); err == nil {
			t.Fatal("ParseWrite accepted the cursor of another list")
		}
		if _, err := Parse("after", text, list); err == nil {
			t.Fatal("Parse accepted a write cursor")
		}
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		if forged, err := ParseWrite("after", text[:at]+"_"+text[at+1:], list); err == nil && forged.Encode(list) != text[:at]+"_"+text[at+1:] {
			t.Fatal("ParseWrite accepted a forged cursor")
		}
		if _, err := ParseWrite("after", text+"A", list); err == nil {
			t.Fatal("ParseWrite accepted trailing characters")
		}
	})
	if _, err := ParseWrite("after", Cursor{Kind: ByOffset}.Encode(list), list); err == nil {
		t.Error("ParseWrite accepted a cursor of another kind")
	}
}
