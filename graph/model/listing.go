package model

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"mixcloud-graphql/mixcloud"
)

// A Category is one of the fixed categories of the site.
type Category struct {
	*mixcloud.Category
	full bool
}

// NewCategory wraps a partial category. It returns nil for nil.
func NewCategory(c *mixcloud.Category) *Category {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Category{Category: c}
}

// NewCategories wraps the list of all categories.
func NewCategories(all []mixcloud.Category) []*Category { return wrapAll(all, NewCategory) }

// NewFullCategory wraps a full category. It returns nil for nil.
func NewFullCategory(c *mixcloud.Category) *Category {
	category := NewCategory(c)
	if category != nil {
		category.full = true
	}
	return category
}

// Full returns the full category, or nil for a partial one.
func (c *Category) Full() *mixcloud.Category {
	if c.full {
		return c.Category
	}
	return nil
}

// ID returns the global id.
func (c *Category) ID() string { return resourceID(KindCategory, c.Key) }

// Format returns the format, or nil if Mixcloud sends none or an unknown one.
func (c *Category) Format() *CategoryFormat {
	format := CategoryFormat(strings.ToUpper(c.Category.Format))
	if !format.IsValid() {
		return nil
	}
	return &format
}

// Pictures returns all sizes of the picture, smallest first.
func (c *Category) Pictures() []*Picture { return NewPictures(c.Category.Pictures) }

// Picture returns the largest picture up to size, or else the smallest one.
func (c *Category) Picture(size *PictureSize) *Picture { return pictureFor(c.Category.Pictures, size) }

// IsNode marks Category as a Node.
func (*Category) IsNode() {}

// IsResource marks Category as a Resource.
func (*Category) IsResource() {}

// A Playlist is a user's list of cloudcasts.
type Playlist struct {
	*mixcloud.Playlist
	full bool
}

// NewPlaylist wraps a partial playlist. It returns nil for nil.
func NewPlaylist(p *mixcloud.Playlist) *Playlist {
	if p == nil || p.Key.IsZero() {
		return nil
	}
	return &Playlist{Playlist: p}
}

// NewFullPlaylist wraps a full playlist. It returns nil for nil.
func NewFullPlaylist(p *mixcloud.Playlist) *Playlist {
	playlist := NewPlaylist(p)
	if playlist != nil {
		playlist.full = true
	}
	return playlist
}

// Full returns the full playlist, or nil for a partial one.
func (p *Playlist) Full() *mixcloud.Playlist {
	if p.full {
		return p.Playlist
	}
	return nil
}

// ID returns the global id.
func (p *Playlist) ID() string { return resourceID(KindPlaylist, p.Key) }

// Owner returns the user who created the playlist, as a partial user.
func (p *Playlist) Owner(context.Context) *User { return NewUser(p.Playlist.Owner) }

// Pictures returns all sizes of the picture, smallest first.
func (p *Playlist) Pictures() []*Picture { return NewPictures(p.Playlist.Pictures) }

// Picture returns the largest picture up to size, or else the smallest one.
func (p *Playlist) Picture(size *PictureSize) *Picture { return pictureFor(p.Playlist.Pictures, size) }

// IsNode marks Playlist as a Node.
func (*Playlist) IsNode() {}

// IsResource marks Playlist as a Resource.
func (*Playlist) IsResource() {}

// A Comment is a comment on a cloudcast or on a user's profile.
type Comment struct {
	*mixcloud.Comment
	owner mixcloud.CanonicalKey // the cloudcast or the user
}

// NewComment wraps a comment of the owner's list. It returns nil for nil.
func NewComment(c *mixcloud.Comment, owner mixcloud.CanonicalKey) *Comment {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Comment{Comment: c, owner: owner}
}

// ID returns the global id. It contains the owner of the list, because a comment has no URL of its
// own.
func (c *Comment) ID() string { return listItemID(KindComment, c.Key, c.owner, c.SubmitDate) }

// CreatedAt returns the time of the comment, or nil if Mixcloud sends none.
func (c *Comment) CreatedAt() *time.Time { return c.SubmitDate }

// User returns the author, as a partial user.
func (c *Comment) User(context.Context) *User { return NewUser(c.Comment.User) }

// Raw returns the REST JSON.
func (c *Comment) Raw() json.RawMessage { return WithoutMetadata(c.Comment.Raw()) }

// IsNode marks Comment as a Node.
func (*Comment) IsNode() {}

// listItemID returns the global id of a comment or an activity.
func listItemID(kind Kind, key mixcloud.Key, owner mixcloud.CanonicalKey, at *time.Time) string {
	id := NodeID{Kind: kind, Key: key, Owner: owner}
	if at != nil {
		id.Time = at.UTC()
	} else {
		id.Time = time.Unix(0, 0).UTC()
	}
	return id.String()
}

// lastSegment returns the last path segment of a key, unescaped and without the prefix
// of cities.
func lastSegment(key mixcloud.Key) string {
	trimmed := strings.Trim(key.String(), "/")
	segment := trimmed[strings.LastIndexByte(trimmed, '/')+1:]
	segment = strings.TrimPrefix(segment, "city:")
	if plain, err := url.PathUnescape(segment); err == nil {
		return plain
	}
	return segment
}
