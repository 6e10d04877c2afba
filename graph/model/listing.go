package model

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"mixcloud-graphql/mixcloud"
)

// A Category is one of the site's fixed shelves.
type Category struct {
	*mixcloud.Category
	full bool
}

// NewCategory wraps a category of the list of all; nil gives nil.
func NewCategory(c *mixcloud.Category) *Category {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Category{Category: c}
}

// NewCategories wraps the list of all categories.
func NewCategories(all []mixcloud.Category) []*Category { return wrapAll(all, NewCategory) }

// NewFullCategory wraps a category that its own address gave; nil gives nil.
func NewFullCategory(c *mixcloud.Category) *Category {
	category := NewCategory(c)
	if category != nil {
		category.full = true
	}
	return category
}

// Full is the loaded category, nil when it was listed.
func (c *Category) Full() *mixcloud.Category {
	if c.full {
		return c.Category
	}
	return nil
}

// ID is the global id.
func (c *Category) ID() string { return resourceID(KindCategory, c.Key) }

// Format is nil when Mixcloud says nothing or something unheard of.
func (c *Category) Format() *CategoryFormat {
	format := CategoryFormat(strings.ToUpper(c.Category.Format))
	if !format.IsValid() {
		return nil
	}
	return &format
}

// Pictures are all sizes of the picture, smallest first.
func (c *Category) Pictures() []*Picture { return NewPictures(c.Category.Pictures) }

// Picture is the largest that is not above size, else the smallest.
func (c *Category) Picture(size *PictureSize) *Picture { return pick(c.Category.Pictures, size) }

// IsNode marks Category as a Node.
func (*Category) IsNode() {}

// IsResource marks Category as a Resource.
func (*Category) IsResource() {}

// A Playlist is a user's list of cloudcasts.
type Playlist struct {
	*mixcloud.Playlist
	full bool
}

// NewPlaylist wraps a listed playlist; nil gives nil.
func NewPlaylist(p *mixcloud.Playlist) *Playlist {
	if p == nil || p.Key.IsZero() {
		return nil
	}
	return &Playlist{Playlist: p}
}

// NewFullPlaylist wraps a playlist that its own address gave; nil gives nil.
func NewFullPlaylist(p *mixcloud.Playlist) *Playlist {
	playlist := NewPlaylist(p)
	if playlist != nil {
		playlist.full = true
	}
	return playlist
}

// Full is the loaded playlist, nil when it was listed.
func (p *Playlist) Full() *mixcloud.Playlist {
	if p.full {
		return p.Playlist
	}
	return nil
}

// ID is the global id.
func (p *Playlist) ID() string { return resourceID(KindPlaylist, p.Key) }

// Owner is who made it, as a partial user.
func (p *Playlist) Owner(context.Context) *User { return NewUser(p.Playlist.Owner) }

// Pictures are all sizes of the picture, smallest first.
func (p *Playlist) Pictures() []*Picture { return NewPictures(p.Playlist.Pictures) }

// Picture is the largest that is not above size, else the smallest.
func (p *Playlist) Picture(size *PictureSize) *Picture { return pick(p.Playlist.Pictures, size) }

// IsNode marks Playlist as a Node.
func (*Playlist) IsNode() {}

// IsResource marks Playlist as a Resource.
func (*Playlist) IsResource() {}

// A Comment stands on a cloudcast or a profile, its owner.
type Comment struct {
	*mixcloud.Comment
	owner mixcloud.CanonicalKey
}

// NewComment wraps a comment of the owner's list; nil gives nil.
func NewComment(c *mixcloud.Comment, owner mixcloud.CanonicalKey) *Comment {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Comment{Comment: c, owner: owner}
}

// ID is the global id; it names the list that holds the comment, since a
// comment has no address of its own.
func (c *Comment) ID() string { return listedID(KindComment, c.Key, c.owner, c.SubmitDate) }

// CreatedAt is when it was written; nil when Mixcloud does not say.
func (c *Comment) CreatedAt() *time.Time { return c.SubmitDate }

// User is who wrote it, as a partial user.
func (c *Comment) User(context.Context) *User { return NewUser(c.Comment.User) }

// Raw is the untouched REST object.
func (c *Comment) Raw() json.RawMessage { return WithoutMetadata(c.Comment.Raw()) }

// IsNode marks Comment as a Node.
func (*Comment) IsNode() {}

func listedID(kind Kind, key mixcloud.Key, owner mixcloud.CanonicalKey, at *time.Time) string {
	id := NodeID{Kind: kind, Key: key, Owner: owner}
	if at != nil {
		id.Time = at.UTC()
	} else {
		id.Time = time.Unix(0, 0).UTC()
	}
	return id.String()
}

// lastSegment is the plain text of the last part of a key, without a city's
// mark.
func lastSegment(key mixcloud.Key) string {
	trimmed := strings.Trim(key.String(), "/")
	segment := trimmed[strings.LastIndexByte(trimmed, '/')+1:]
	segment = strings.TrimPrefix(segment, "city:")
	if plain, err := url.PathUnescape(segment); err == nil {
		return plain
	}
	return segment
}
