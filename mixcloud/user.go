package mixcloud

import "time"

// A User is a user as lists and other resources contain it. [Client.User] returns
// the complete one.
type User struct {
	Object
	Key      Key    // "/spartacus/", as received
	URL      string // the page on the site; derived from Key when absent
	Name     string // the display name, which its owner may change; derived from Key when absent
	Username string // plain text; derived from Key when absent
	Type     string // "user"; only with [WithMetadata]
	Pictures Pictures
	// Following reports whether the owner of the token follows this user. It is
	// nil without a token.
	Following *bool
	// ListenTime is the time at which this user listened to the cloudcast. Only
	// [Client.CloudcastListeners] sets it.
	ListenTime *time.Time
}

// A FullUser is a complete user, from [Client.User] or [Client.Me]. The counts are
// Mixcloud's, and may differ from the lengths of the lists.
type FullUser struct {
	User
	Biog                *string // nil or empty if the user has no biography
	Created             *time.Time
	Updated             *time.Time
	FollowerCount       *int
	FollowingCount      *int
	CloudcastCount      *int
	FavoriteCount       *int
	ListenCount         *int
	IsPro               *bool
	IsPremium           *bool
	City                *string // free text
	Country             *string // free text
	PicturePrimaryColor *string // six hex digits without "#"
	CoverPictures       Pictures
	Follower            *bool // whether this user follows the owner of the token; nil without a token
	IsCurrentUser       *bool // true for the owner of the token; mostly nil for others
	Metadata            Metadata
}

func (u *User) identity() Key { return u.Key }

func (u *User) decode(v value) {
	u.json = v.Value
	for name, m := range v.members() {
		u.member(name, m)
	}
	u.derive()
}

func (u *User) member(name string, v value) bool {
	switch name {
	case "key":
		u.Key = v.key()
	case "url":
		u.URL = v.text()
	case "name":
		u.Name = v.text()
	case "username":
		u.Username = v.text()
	case "type":
		u.Type = v.text()
	case "pictures":
		u.Pictures = decodePictures(v)
	case "following":
		u.Following = v.flag()
	case "listen_time":
		u.ListenTime = v.instant()
	default:
		return false
	}
	return true
}

func (u *User) derive() {
	if u.URL == "" {
		u.URL = siteURL(u.Key)
	}
	if u.Username == "" {
		u.Username = lastElement(u.Key)
	}
	if u.Name == "" {
		u.Name = u.Username
	}
}

func (u *FullUser) decode(v value) {
	u.json = v.Value
	for name, m := range v.members() {
		if !u.member(name, m) {
			u.fullMember(name, m)
		}
	}
	u.derive()
}

func (u *FullUser) fullMember(name string, v value) {
	switch name {
	case "biog":
		u.Biog = v.textOrNil()
	case "created_time":
		u.Created = v.instant()
	case "updated_time":
		u.Updated = v.instant()
	case "follower_count":
		u.FollowerCount = v.integer()
	case "following_count":
		u.FollowingCount = v.integer()
	case "cloudcast_count":
		u.CloudcastCount = v.integer()
	case "favorite_count":
		u.FavoriteCount = v.integer()
	case "listen_count":
		u.ListenCount = v.integer()
	case "is_pro":
		u.IsPro = v.flag()
	case "is_premium":
		u.IsPremium = v.flag()
	case "city":
		u.City = v.textOrNil()
	case "country":
		u.Country = v.textOrNil()
	case "picture_primary_color":
		u.PicturePrimaryColor = v.textOrNil()
	case "cover_pictures":
		u.CoverPictures = decodePictures(v)
	case "follower":
		u.Follower = v.flag()
	case "is_current_user":
		u.IsCurrentUser = v.flag()
	case "metadata":
		u.Metadata.decode(v)
	}
}
