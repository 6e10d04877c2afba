package model

import (
	"context"
	"time"

	"mixcloud-graphql/mixcloud"
)

// A Cloudcast is an uploaded show, in its partial or in its full form.
type Cloudcast struct {
	*mixcloud.Cloudcast
	full *mixcloud.FullCloudcast
}

// NewCloudcast wraps a partial cloudcast. It returns nil for nil.
func NewCloudcast(c *mixcloud.Cloudcast) *Cloudcast {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Cloudcast{Cloudcast: c}
}

// NewFullCloudcast wraps a full cloudcast. It returns nil for nil.
func NewFullCloudcast(c *mixcloud.FullCloudcast) *Cloudcast {
	if c == nil || c.Key.IsZero() {
		return nil
	}
	return &Cloudcast{Cloudcast: &c.Cloudcast, full: c}
}

// Full returns the full cloudcast, or nil for a partial one.
func (c *Cloudcast) Full() *mixcloud.FullCloudcast { return c.full }

// ID returns the global id.
func (c *Cloudcast) ID() string { return resourceID(KindCloudcast, c.Key) }

// Tags returns the tags.
func (c *Cloudcast) Tags(context.Context) []*Tag { return wrapAll(c.Cloudcast.Tags, NewTag) }

// Pictures returns all sizes of the picture, smallest first.
func (c *Cloudcast) Pictures() []*Picture { return NewPictures(c.Cloudcast.Pictures) }

// Picture returns the largest picture up to size, or else the smallest one.
func (c *Cloudcast) Picture(size *PictureSize) *Picture {
	return pictureFor(c.Cloudcast.Pictures, size)
}

// CreatedAt returns the time of publication, or nil if Mixcloud sends none.
func (c *Cloudcast) CreatedAt() *time.Time { return c.CreatedTime }

// UpdatedAt returns the time of the last change, or nil if Mixcloud sends none.
func (c *Cloudcast) UpdatedAt() *time.Time { return c.UpdatedTime }

// HiddenStats reports whether the uploader hides the counts. Mixcloud sends the
// member only if it is true.
func (c *Cloudcast) HiddenStats() bool { return isTrue(c.Cloudcast.HiddenStats) }

// IsExclusive reports whether the cloudcast is for subscribers only. It is false if
// Mixcloud does not send the member.
func (c *Cloudcast) IsExclusive() bool { return isTrue(c.Cloudcast.IsExclusive) }

// PlayCount returns nil if the counts are hidden: Mixcloud then sends a wrong zero.
func (c *Cloudcast) PlayCount() *int { return c.unlessHidden(c.Cloudcast.PlayCount) }

// FavoriteCount returns nil if the counts are hidden.
func (c *Cloudcast) FavoriteCount() *int { return c.unlessHidden(c.Cloudcast.FavoriteCount) }

// ListenerCount returns nil if the counts are hidden.
func (c *Cloudcast) ListenerCount() *int { return c.unlessHidden(c.Cloudcast.ListenerCount) }

// RepostCount returns nil if the counts are hidden.
func (c *Cloudcast) RepostCount() *int { return c.unlessHidden(c.Cloudcast.RepostCount) }

// User returns the uploader, as a partial user.
func (c *Cloudcast) User(context.Context) *User { return NewUser(c.Cloudcast.User) }

// Hosts returns the hosts other than the uploader, as partial users.
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

// wrapAll wraps each value of a list. It omits values that wrap returns nil for. It
// returns nil for nil, and an empty list for an empty list.
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
