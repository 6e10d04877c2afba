package model

import (
	"context"
	"encoding/json"
	"time"

	"mixcloud-graphql/mixcloud"
)

// An Activity is a line of a user's feed.
type Activity interface {
	Node
	IsActivity()
}

// activity is what all kinds share.
type activity struct {
	*mixcloud.Activity
	owner mixcloud.CanonicalKey
}

// NewActivity wraps a line of the owner's feed in the type of its kind; a kind
// that is not known gives an OtherActivity. Nil gives nil.
func NewActivity(a *mixcloud.Activity, owner mixcloud.CanonicalKey) Activity {
	if a == nil || a.Key.IsZero() {
		return nil
	}
	line := activity{a, owner}
	switch a.Kind {
	case "upload":
		return &UploadActivity{line}
	case "listen":
		return &ListenActivity{line}
	case "favorite":
		return &FavoriteActivity{line}
	case "follow":
		return &FollowActivity{line}
	}
	return &OtherActivity{line}
}

// ID is the global id; it names the feed that holds the activity, since an
// activity has no address of its own.
func (a activity) ID() string { return listedID(KindActivity, a.Key, a.owner, a.CreatedTime) }

// Raw is the untouched REST object.
func (a activity) Raw() json.RawMessage { return WithoutMetadata(a.Activity.Raw()) }

// From is who did it, as a partial user.
func (a activity) From(context.Context) *User { return NewUser(a.Activity.From) }

// CreatedAt is when they did it; nil when Mixcloud does not say.
func (a activity) CreatedAt() *time.Time { return a.CreatedTime }

// Cloudcasts are those it is about, in list form.
func (a activity) Cloudcasts(context.Context) []*Cloudcast {
	return wrapAll(a.Activity.Cloudcasts, NewCloudcast)
}

// Users are those it is about, as partial users.
func (a activity) Users(context.Context) []*User { return wrapAll(a.Activity.Users, NewUser) }

// Subjects returns everything it is about: its cloudcasts, then its users.
func (a activity) Subjects(ctx context.Context) []Resource {
	cloudcasts, users := a.Cloudcasts(ctx), a.Users(ctx)
	subjects := make([]Resource, 0, len(cloudcasts)+len(users))
	for _, c := range cloudcasts {
		subjects = append(subjects, c)
	}
	for _, u := range users {
		subjects = append(subjects, u)
	}
	return subjects
}

// IsNode marks all kinds as Nodes.
func (activity) IsNode() {}

// IsActivity marks all kinds as activities.
func (activity) IsActivity() {}

// An UploadActivity says that somebody has uploaded a cloudcast.
type UploadActivity struct{ activity }

// A ListenActivity says that somebody has listened to a cloudcast.
type ListenActivity struct{ activity }

// A FavoriteActivity says that somebody has favorited a cloudcast.
type FavoriteActivity struct{ activity }

// A FollowActivity says that somebody has begun to follow a user.
type FollowActivity struct{ activity }

// An OtherActivity is of a kind that was never recorded.
type OtherActivity struct{ activity }

// Type is Mixcloud's word for the kind; nil when it gives none.
func (a *OtherActivity) Type() *string {
	if a.Kind == "" {
		return nil
	}
	return &a.Kind
}
