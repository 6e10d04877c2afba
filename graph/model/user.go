package model

import "mixcloud-graphql/mixcloud"

// A User is a user as a list or another resource carries it, or as its own
// address gives it.
type User struct {
	*mixcloud.User
	full *mixcloud.FullUser
	me   bool
}

// NewUser wraps a partial user; nil gives nil.
func NewUser(u *mixcloud.User) *User {
	if u == nil || u.Key.IsZero() {
		return nil
	}
	return &User{User: u}
}

// NewFullUser wraps a loaded user; nil gives nil.
func NewFullUser(u *mixcloud.FullUser) *User {
	if u == nil || u.Key.IsZero() {
		return nil
	}
	return &User{User: &u.User, full: u, me: u.IsCurrentUser != nil && *u.IsCurrentUser}
}

// NewViewer wraps what /me/ gave: the user whose token was sent.
func NewViewer(u *mixcloud.FullUser) *User {
	v := NewFullUser(u)
	if v != nil {
		v.me = true
	}
	return v
}

// Full is the loaded user, nil when only a part of it came along.
func (u *User) Full() *mixcloud.FullUser { return u.full }

// IsKnownViewer reports whether the user is known, without a call, to be the
// viewer; their own lists are then read under /me/.
func (u *User) IsKnownViewer() bool { return u.me }

// Path is where the user's own lists are: /me/ for the known viewer.
func (u *User) Path() string {
	if u.me {
		return "/me/"
	}
	return u.Key.String()
}

// ID is the global id.
func (u *User) ID() string { return resourceID(KindUser, u.Key) }

// Pictures are all sizes of the profile picture, smallest first.
func (u *User) Pictures() []*Picture { return NewPictures(u.User.Pictures) }

// Picture is the largest that is not above size, else the smallest.
func (u *User) Picture(size *PictureSize) *Picture { return pick(u.User.Pictures, size) }

// IsNode marks User as a Node.
func (*User) IsNode() {}

// IsResource marks User as a Resource.
func (*User) IsResource() {}

func resourceID(kind Kind, key mixcloud.Key) string { return NodeID{Kind: kind, Key: key}.String() }
