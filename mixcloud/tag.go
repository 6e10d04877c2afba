package mixcloud

import "strings"

// A Tag is a tag, a city, or a combination of them. Tags in lists have all fields
// that [Client.Tag] sets, except Metadata.
type Tag struct {
	Object
	Key  Key    // "/genres/funk/", also "/discover/…" and "/tag/…", as received
	URL  string // derived from Key when absent
	Name string // as received; derived from Key when absent. See also [Tag.PlainName]
	Type string // "tag"; only with [WithMetadata]
	// Metadata is set only by [Client.Tag] of a client with [WithMetadata].
	Metadata Metadata
}

// Slug returns the last part of the key as plain text: "funk", "city:athens" or
// "funk+city:athens".
func (t *Tag) Slug() string { return lastElement(t.Key) }

// PlainName returns Name without the word "shows", which Mixcloud adds to the name
// of a tag that is read by its key (documented): "Funk" for "Funk shows". The word
// is not removed if the slug has it too, as in "talk-shows".
func (t *Tag) PlainName() string {
	if plain, ok := strings.CutSuffix(t.Name, " shows"); ok && Slug(plain) == t.Slug() {
		return plain
	}
	return t.Name
}

func (t *Tag) identity() Key { return t.Key }

func (t *Tag) decode(v value) {
	t.json = v.Value
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
