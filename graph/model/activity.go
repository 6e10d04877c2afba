package model

import (
	"context"
	"encoding/json"
	"time"

	"mixcloud-graphql/mixcloud"
)

// An Activity is an item of a user's feed.
type Activity interface {
	Node
	IsActivity()
}

// activity contains the fields of all kinds of activity.
type activity struct {
	*mixcloud.Activity
	owner mixcloud.CanonicalKey
}

// NewActivity wraps an item of the owner's feed in the type of its kind, an
// OtherActivity if the kind is unknown. It returns nil for nil.
func NewActivity(a *mixcloud.Activity, owner mixcloud.CanonicalKey) Activity {
	if a == nil || a.Key.IsZero() {
		return nil
	}
	common := activity{a, owner}
	switch a.Kind {
	case "upload":
		return &UploadActivity{common}
	case "listen":
		return &ListenActivity{common}
	case "favorite":
		return &FavoriteActivity{common}
	case "follow":
		return &FollowActivity{common}
	}
	return &OtherActivity{common}
}

// ID returns the global id. It contains the owner of the feed, because an activity has no URL of
// its own.
func (a activity) ID() string { return listItemID(KindActivity, a.Key, a.owner, a.CreatedTime) }

// Raw returns the REST JSON.
func (a activity) Raw() json.RawMessage { return WithoutMetadata(a.Activity.Raw()) }

// From returns the user who acted, as a partial user.
func (a activity) From(context.Context) *User { return NewUser(a.Activity.From) }

// CreatedAt returns the time of the activity, or nil if Mixcloud sends none.
func (a activity) CreatedAt() *time.Time { return a.CreatedTime }

// Cloudcasts returns the cloudcasts that the activity is about, in their partial form.
func (a activity) Cloudcasts(context.Context) []*Cloudcast {
	return wrapAll(a.Activity.Cloudcasts, NewCloudcast)
}

// Users returns the users that the activity is about, as partial users.
func (a activity) Users(context.Context) []*User { return wrapAll(a.Activity.Users, NewUser) }

// Subjects returns the cloudcasts and then the users that the activity is about.
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

// IsNode marks all activities as Nodes.
func (activity) IsNode() {}

// IsActivity marks all activities as Activities.
func (activity) IsActivity() {}

// An UploadActivity reports that the user uploaded a cloudcast.
type UploadActivity struct{ activity }

// A ListenActivity reports that the user listened to a cloudcast.
type ListenActivity struct{ activity }

// A FavoriteActivity reports that the user favorited a cloudcast.
type FavoriteActivity struct{ activity }

// A FollowActivity reports that the user followed a user.
type FollowActivity struct{ activity }

// An OtherActivity is an activity of an unknown kind.
type OtherActivity struct{ activity }

// Type returns Mixcloud's name of the kind, or nil if Mixcloud sends none.
func (a *OtherActivity) Type() *string {
	if a.Kind == "" {
		return nil
	}
	return &a.Kind
}
