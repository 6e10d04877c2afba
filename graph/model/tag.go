package model

import (
	"strings"

	"mixcloud-graphql/mixcloud"
)

// A Tag is a genre or a subject. Its partial form has all members.
type Tag struct {
	*mixcloud.Tag
	full bool
}

// NewTag wraps a partial tag. It returns nil for nil.
func NewTag(t *mixcloud.Tag) *Tag {
	if t == nil || t.Key.IsZero() {
		return nil
	}
	return &Tag{Tag: t}
}

// NewFullTag wraps a full tag. It returns nil for nil.
func NewFullTag(t *mixcloud.Tag) *Tag {
	tag := NewTag(t)
	if tag != nil {
		tag.full = true
	}
	return tag
}

// Full returns the full tag, or nil for a partial one.
func (t *Tag) Full() *mixcloud.Tag {
	if t.full {
		return t.Tag
	}
	return nil
}

// ID returns the global id. It is the same for all paths of a tag.
func (t *Tag) ID() string { return resourceID(KindTag, t.Key) }

// Name returns the name, without the " shows" that Mixcloud appends in the full form.
func (t *Tag) Name() string { return tagName(t.Tag) }

// IsNode marks Tag as a Node.
func (*Tag) IsNode() {}

// IsResource marks Tag as a Resource.
func (*Tag) IsResource() {}

// tagName removes one trailing " shows" if the rest is the name of the slug. A tag whose
// name is "Live shows" keeps it.
func tagName(t *mixcloud.Tag) string {
	plain, found := strings.CutSuffix(t.Name, " shows")
	if found && mixcloud.Slug(plain) == lastSegment(t.Key) {
		return plain
	}
	return t.Name
}

// A City is a city with its own lists.
type City struct {
	*mixcloud.Tag
	full bool
}

// NewFullCity wraps a city, which REST returns as a tag. It returns nil for nil.
func NewFullCity(t *mixcloud.Tag) *City {
	if t == nil || t.Key.IsZero() {
		return nil
	}
	return &City{Tag: t, full: true}
}

// Full returns the full city.
func (c *City) Full() *mixcloud.Tag { return c.Tag }

// ID returns the global id.
func (c *City) ID() string { return resourceID(KindCity, c.Key) }

// Name returns the name, without the " shows" that Mixcloud appends.
func (c *City) Name() string { return tagName(c.Tag) }

// IsNode marks City as a Node.
func (*City) IsNode() {}

// IsResource marks City as a Resource.
func (*City) IsResource() {}

// A Discovery contains the lists of cloudcasts for tags, for a city, or for both. It makes no call
// until one of its lists is read.
type Discovery struct {
	Key mixcloud.Key // in Unicode NFC
	URL string
	// Received is the key as received, for a second try after a 404. It is zero if it is
	// the same as Key.
	Received mixcloud.Key
}
