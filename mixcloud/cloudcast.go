package mixcloud

import "time"

// A Cloudcast, which the website calls a show, is an upload as lists and other
// resources contain it. [Client.Cloudcast] returns the complete one.
type Cloudcast struct {
	Object
	Key         Key    // "/spartacus/party-time/", as received
	URL         string // the page on the site; derived from Key when absent
	Name        string // the title; derived from Key when absent
	Slug        string // plain text; derived from Key when absent
	Type        string // "cloudcast"; only with [WithMetadata]
	Tags        []Tag  // nil when absent, empty when it has none
	CreatedTime *time.Time
	// UpdatedTime may be earlier than CreatedTime, which is the time of
	// publication (observed).
	UpdatedTime *time.Time
	// Mixcloud's counters. If HiddenStats is true all but CommentCount are 0
	// (observed 2018).
	PlayCount, FavoriteCount, CommentCount, ListenerCount, RepostCount *int
	// HiddenStats is true or nil; false was never observed.
	HiddenStats *bool
	Pictures    Pictures
	User        *User  // the uploader; nil when absent
	Hosts       []User // nil when absent (before about 2024), empty when it has none
	AudioLength *int   // in seconds; nil when absent (observed 2017)
	IsExclusive *bool  // client code; never observed
	// PercentageMusic was part of the API until 2013.
	PercentageMusic *int
	// Favorited, Reposted and IsListenLater report whether the owner of the token
	// favorited or reposted the cloudcast, or added it to their listen-later list.
	// They are nil without a token.
	Favorited, Reposted, IsListenLater *bool
	// ListenTime is the time at which the user listened to the cloudcast. Only
	// [Client.UserListens] sets it.
	ListenTime *time.Time
}

// A FullCloudcast is a complete cloudcast, from [Client.Cloudcast].
type FullCloudcast struct {
	Cloudcast
	Description         *string   // plain text, perhaps with "\r\n"; nil when absent
	Sections            []Section // nil when absent; empty for all uploads since about 2017
	PicturePrimaryColor *string   // six hex digits without "#"
	Metadata            Metadata
}

func (c *Cloudcast) identity() Key { return c.Key }

func (c *Cloudcast) decode(v value) {
	c.json = v.Value
	for name, m := range v.members() {
		c.member(name, m)
	}
	c.derive()
}

func (c *Cloudcast) member(name string, v value) bool {
	switch name {
	case "key":
		c.Key = v.key()
	case "url":
		c.URL = v.text()
	case "name":
		c.Name = v.text()
	case "slug":
		c.Slug = v.text()
	case "type":
		c.Type = v.text()
	case "tags":
		c.Tags, _ = decodeList[Tag](v)
	case "created_time":
		c.CreatedTime = v.instant()
	case "updated_time":
		c.UpdatedTime = v.instant()
	case "play_count":
		c.PlayCount = v.integer()
	case "favorite_count":
		c.FavoriteCount = v.integer()
	case "comment_count":
		c.CommentCount = v.integer()
	case "listener_count":
		c.ListenerCount = v.integer()
	case "repost_count":
		c.RepostCount = v.integer()
	case "hidden_stats":
		c.HiddenStats = v.flag()
	case "pictures":
		c.Pictures = decodePictures(v)
	case "user":
		c.User = decodeOne[User](v)
	case "hosts":
		c.Hosts, _ = decodeList[User](v)
	case "audio_length":
		c.AudioLength = v.integer()
	case "is_exclusive":
		c.IsExclusive = v.flag()
	case "percentage_music":
		c.PercentageMusic = v.integer()
	case "favorited":
		c.Favorited = v.flag()
	case "reposted":
		c.Reposted = v.flag()
	case "is_listen_later":
		c.IsListenLater = v.flag()
	case "listen_time":
		c.ListenTime = v.instant()
	default:
		return false
	}
	return true
}

func (c *Cloudcast) derive() {
	if c.URL == "" {
		c.URL = siteURL(c.Key)
	}
	if c.Slug == "" {
		c.Slug = lastElement(c.Key)
	}
	if c.Name == "" {
		c.Name = c.Slug
	}
}

func (c *FullCloudcast) decode(v value) {
	c.json = v.Value
	for name, m := range v.members() {
		if c.member(name, m) {
			continue
		}
		switch name {
		case "description":
			c.Description = m.textOrNil()
		case "sections":
			c.Sections = decodeSections(m)
		case "picture_primary_color":
			c.PicturePrimaryColor = m.textOrNil()
		case "metadata":
			c.Metadata.decode(m)
		}
	}
	c.derive()
}
