package model

import (
	"context"
	"time"

	"mixcloud-graphql/mixcloud"
)

// A Cloudcast is an uploaded show as a list or an activity carries it, or as
// its own address gives it.
type Cloudcast struct {
	*mixcloud.Cloudcast
	full *mixcloud.FullCloudcast
}

// NewCloudcast wraps the list form; nil gives nil.
func NewCloudcast(c *mixcloud.Cloudcast) *Cloudcast {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Cloudcast{Cloudcast: c}
}

// NewFullCloudcast wraps a loaded cloudcast; nil gives nil.
func NewFullCloudcast(c *mixcloud.FullCloudcast) *Cloudcast {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Cloudcast{Cloudcast: &c.Cloudcast, full: c}
}

// Full is the loaded cloudcast, nil when only the list form came along.
func (c *Cloudcast) Full() *mixcloud.FullCloudcast { return c.full }

// ID is the global id.
func (c *Cloudcast) ID() string { return resourceID(KindCloudcast, c.Key) }

// Tags are the tags it carries.
func (c *Cloudcast) Tags(context.Context) []*Tag { return wrapAll(c.Cloudcast.Tags, NewTag) }

// Pictures are all sizes of the cover, smallest first.
func (c *Cloudcast) Pictures() []*Picture { return NewPictures(c.Cloudcast.Pictures) }

// Picture is the largest that is not above size, else the smallest.
func (c *Cloudcast) Picture(size *PictureSize) *Picture { return pick(c.Cloudcast.Pictures, size) }

// CreatedAt is when it was published; nil when Mixcloud does not say.
func (c *Cloudcast) CreatedAt() *time.Time { return c.CreatedTime }

// UpdatedAt is when it last changed; nil when Mixcloud does not say.
func (c *Cloudcast) UpdatedAt() *time.Time { return c.UpdatedTime }

// HiddenStats reports whether the uploader hides the counts. Mixcloud only
// ever says so when they do, so absence is false.
func (c *Cloudcast) HiddenStats() bool { return isTrue(c.Cloudcast.HiddenStats) }

// IsExclusive reports whether it is for subscribers; absence is false.
func (c *Cloudcast) IsExclusive() bool { return isTrue(c.Cloudcast.IsExclusive) }

// PlayCount is nil when hidden: Mixcloud then sends a zero that is not true.
func (c *Cloudcast) PlayCount() *int { return c.unlessHidden(c.Cloudcast.PlayCount) }

// FavoriteCount is nil when hidden.
func (c *Cloudcast) FavoriteCount() *int { return c.unlessHidden(c.Cloudcast.FavoriteCount) }

// ListenerCount is nil when hidden.
func (c *Cloudcast) ListenerCount() *int { return c.unlessHidden(c.Cloudcast.ListenerCount) }

// RepostCount is nil when hidden.
func (c *Cloudcast) RepostCount() *int { return c.unlessHidden(c.Cloudcast.RepostCount) }

// User is the uploader, as a partial user.
func (c *Cloudcast) User(context.Context) *User { return NewUser(c.Cloudcast.User) }

// Hosts are the users who host it beside the uploader.
func (c *Cloudcast) Hosts(context.Context) []*User { return wrapAll(c.Cloudcast.Hosts, NewUser) }

// IsNode marks Cloudcast as a Node.
func (*Cloudcast) IsNode() {}

// IsResource marks Cloudcast as a Resource.
func (*Cloudcast) IsResource() {}

func (c *Cloudcast) unlessHidden(count *int) *int {
	if c.HiddenStats() {
		return nil
	}
	return count
}

func isTrue(b *bool) bool { return b != nil && *b }

// wrapAll wraps each value of a list, dropping what cannot be shown. A list
// that is absent stays nil; an empty one stays empty.
func wrapAll[V any, N any](values []V, wrap func(*V) *N) []*N {
	if values == nil {
		return nil
	}
	nodes := make([]*N, 0, len(values))
	for i := range values {
		if n := wrap(&values[i]); n != nil {
			nodes = append(nodes, n)
		}
	}
	return nodes
}
