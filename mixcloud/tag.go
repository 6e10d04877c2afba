package mixcloud

import "strings"

// A Tag is a tag, a city, or a combination of them; it is complete wherever it
// is met.
type Tag struct {
	object
	Key  string // "/genres/funk/", also "/discover/…" and "/tag/…", as received
	URL  string // derived from Key when absent
	Name string // as received; derived from Key when absent. See also [Tag.PlainName]
	Type string // "tag"; only with [WithMetadata]
	// Metadata is empty unless the tag was fetched with [WithMetadata].
	Metadata Metadata
}

// Slug is what tells the tag from others, as plain text: "funk",
// "city:athens", "funk+city:athens".
func (t *Tag) Slug() string { return lastElement(t.Key) }

// PlainName is Name without the word that a fetched tag's name ends in and a
// nested tag's does not: "Funk shows" is "Funk" (documented), because "Funk"
// alone already gives the slug. "Talk shows" of the slug "talk-shows" stays.
func (t *Tag) PlainName() string {
	if plain, ok := strings.CutSuffix(t.Name, " shows"); ok && Slug(plain) == t.Slug() {
		return plain
	}
	return t.Name
}

func (t *Tag) identity() string { return t.Key }

func (t *Tag) decode(v value) {
	t.raw = string(v)
	for name, m := range v.members() {
		switch name {
		case "key":
			t.Key = m.key()
		case "url":
			t.URL = m.text()
		case "name":
			t.Name = m.text()
		case "type":
			t.Type = m.text()
		case "metadata":
			t.Metadata.decode(m)
		}
	}
	if t.URL == "" {
		t.URL = siteURL(t.Key)
	}
	if t.Name == "" {
		t.Name = lastElement(t.Key)
	}
}
