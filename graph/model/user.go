package model

import "mixcloud-graphql/mixcloud"

// A User is a user, in its partial or in its full form.
type User struct {
	*mixcloud.User
	full     *mixcloud.FullUser
	isViewer bool // false if unknown
}

// NewUser wraps a partial user. It returns nil for nil.
func NewUser(u *mixcloud.User) *User {
	if u == nil || u.Key.IsZero() {
		return nil
	}
	return &User{User: u}
}

// NewFullUser wraps a full user. It returns nil for nil.
func NewFullUser(u *mixcloud.FullUser) *User {
	if u == nil || u.Key.IsZero() {
		return nil
	}
	return &User{User: &u.User, full: u, isViewer: isTrue(u.IsCurrentUser)}
}

// NewViewer wraps the response of /me/: the user whose token was sent.
func NewViewer(u *mixcloud.FullUser) *User {
	v := NewFullUser(u)
	if v != nil {
		v.isViewer = true
	}
	return v
}

// Full returns the full user, or nil for a partial one.
func (u *User) Full() *mixcloud.FullUser { return u.full }

// IsKnownViewer reports whether the user is known to be the viewer, without a call.
func (u *User) IsKnownViewer() bool { return u.isViewer }

// Path returns the path of the user's lists. It is /me/ if the user is known to be the
// viewer.
func (u *User) Path() string {
	if u.isViewer {
		return "/me/"
	}
	return u.Key.String()
}

// ID returns the global id.
func (u *User) ID() string { return resourceID(KindUser, u.Key) }

// Pictures returns all sizes of the profile picture, smallest first.
func (u *User) Pictures() []*Picture { return NewPictures(u.User.Pictures) }

// Picture returns the largest picture up to size, or else the smallest one.
func (u *User) Picture(size *PictureSize) *Picture { return pictureFor(u.User.Pictures, size) }

// IsNode marks User as a Node.
func (*User) IsNode() {}

// IsResource marks User as a Resource.
func (*User) IsResource() {}

func resourceID(kind Kind, key mixcloud.Key) string { return NodeID{Kind: kind, Key: key}.String() }
