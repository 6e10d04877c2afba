package model

import (
	"strings"

	"mixcloud-graphql/mixcloud"
)

// A Tag is a genre; the whole of it comes along wherever it is nested.
type Tag struct {
	*mixcloud.Tag
	full bool
}

// NewTag wraps a tag as it was nested or listed; nil gives nil.
func NewTag(t *mixcloud.Tag) *Tag {
	if t == nil || t.Key.IsZero() {
		return nil
	}
	return &Tag{Tag: t}
}

// NewFullTag wraps a tag that its own address gave; nil gives nil.
func NewFullTag(t *mixcloud.Tag) *Tag {
	tag := NewTag(t)
	if tag != nil {
		tag.full = true
	}
	return tag
}

// Full is the loaded tag, nil when it only came along.
func (t *Tag) Full() *mixcloud.Tag {
	if t.full {
		return t.Tag
	}
	return nil
}

// ID is the global id. All paths under which Mixcloud has one tag give one id.
func (t *Tag) ID() string { return resourceID(KindTag, t.Key) }

// Name is the name without the " shows" that the tag's own page appends to it.
func (t *Tag) Name() string { return tagName(t.Tag) }

// IsNode marks Tag as a Node.
func (*Tag) IsNode() {}

// IsResource marks Tag as a Resource.
func (*Tag) IsResource() {}

// tagName drops one trailing " shows" if what remains is the slug's own name:
// a tag that is really called "Live shows" keeps it.
func tagName(t *mixcloud.Tag) string {
	plain, found := strings.CutSuffix(t.Name, " shows")
	if found && mixcloud.Slug(plain) == lastSegment(t.Key) {
		return plain
	}
	return t.Name
}

// A City is a place with its own lists.
type City struct {
	*mixcloud.Tag
	full bool
}

// NewFullCity wraps a city that its own address gave; nil gives nil.
func NewFullCity(t *mixcloud.Tag) *City {
	if t == nil || t.Key.IsZero() {
		return nil
	}
	return &City{Tag: t, full: true}
}

// Full is the loaded city.
func (c *City) Full() *mixcloud.Tag { return c.Tag }

// ID is the global id.
func (c *City) ID() string { return resourceID(KindCity, c.Key) }

// Name is the name without the " shows" that the city's own page appends.
func (c *City) Name() string { return tagName(c.Tag) }

// IsNode marks City as a Node.
func (*City) IsNode() {}

// IsResource marks City as a Resource.
func (*City) IsResource() {}

// A Discovery is where some tags and a city meet. It costs nothing itself.
type Discovery struct {
	Key mixcloud.Key // in Unicode NFC
	URL string
	// Received is the key in the form that was received, for after a 404; zero if
	// that is Key.
	Received mixcloud.Key
}
