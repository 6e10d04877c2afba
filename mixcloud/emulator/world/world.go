// Package world is the population of the embedded Mixcloud: users, cloudcasts,
// tags and everything between them, generated from a seed.
//
// The same seed gives the same world, byte for byte, on every machine: nothing
// here reads a clock, a map's iteration order or a global random source. A
// World is not safe for concurrent use; whoever serves it guards it.
package world

import "time"

// A World is everything that the emulator knows. All lists that Mixcloud pages
// by date are kept newest first; ties keep the order in which they stand.
type World struct {
	Seed       int64
	Now        time.Time // the fixed instant at which the seeded world stands still
	Users      []*User
	Tags       []*Tag
	Cities     []*City
	Categories []*Category
	Artists    []*Artist
	Popular    []*Cloudcast // the site's chart, best first
	Hot        []*Cloudcast // rising, best first
	Latest     []*Cloudcast // every public cloudcast, newest first

	index           index
	lastCloudcastID int
	lastActivityID  int // 0 while nobody has asked
}

// A User of the seeded world.
type User struct {
	ID                   int
	Username             string // canonical case, plain text, any script
	Name                 string // display name
	Biog                 string
	City, Country        string // "" when not set
	PrimaryColor         string // six lower-case hex digits, "" when not known
	Picture              string // path of the picture below a size's directory; "" for a default picture
	Cover                string // same for the wide cover; "" when there is none
	Created, Updated     time.Time
	IsPro, IsPremium     bool
	HideListens          bool         // a Pro user's choice: listens are seen with that user's token only
	Cloudcasts           []*Cloudcast // the public ones
	Private              []*Cloudcast // unlisted uploads, drafts and scheduled ones
	Favorites, Listens   []CloudcastEdge
	ListenLater          []CloudcastEdge
	Reposts              []CloudcastEdge
	Followers, Following []UserEdge
	Comments             []*Comment // on the profile
	Feed                 []*Activity
	Playlists            []*Playlist
}

// Key is the percent-encoded path of the user, such as "/spartacus/".
func (u *User) Key() string { return "/" + escape(u.Username) + "/" }

// A UserEdge is a user on a list, and when they came onto it.
type UserEdge struct {
	User *User
	At   time.Time
}

// A CloudcastEdge is a cloudcast on a list, and when it came onto it.
type CloudcastEdge struct {
	Cloudcast *Cloudcast
	At        time.Time
}

// A Cloudcast is an uploaded show.
type Cloudcast struct {
	ID                       int
	Owner                    *User
	Slug                     string // plain text, any script, unique per owner
	Name                     string
	Description              string    // "" when there is none; may hold \r\n
	Tags                     []*Tag    // at most 5
	Hosts                    []*User   // at most 2
	Created, Updated         time.Time // Updated may be earlier than Created
	AudioLength              int       // seconds; 0 when the API leaves it out
	PlayCount, ListenerCount int
	HiddenStats, Exclusive   bool
	Unlisted                 bool // found by key only, on no list
	Draft                    bool // not found at all, except by its owner's token
	DisableComments          bool
	PublishAt                time.Time // zero when published
	WasPublic                bool      // it was on public lists and may not be any more
	PrimaryColor             string
	Picture                  string
	Sections                 []Section
	Favorites, Reposts       []UserEdge // who, newest first
	Listeners                []UserEdge
	Comments                 []*Comment
	Similar                  []*Cloudcast
}

// Private says that the cloudcast is on no public list: it is unlisted, a draft
// or waits for its day.
func (c *Cloudcast) Private() bool { return c.Unlisted || c.Draft || !c.PublishAt.IsZero() }

// Key is the percent-encoded path of the cloudcast, "/owner/slug/".
func (c *Cloudcast) Key() string { return c.Owner.Key() + escape(c.Slug) + "/" }

// A Section is a line of a tracklist: a track, or a chapter when Track is nil.
type Section struct {
	Track     *Track
	Chapter   string
	StartTime int // seconds; negative when the API leaves it out
}

// A Tag, known by its slug.
type Tag struct {
	Slug       string // plain text, lower case, words joined by '-'
	Name       string
	Cloudcasts []*Cloudcast // newest first
}

// A City is a tag-like place with its own lists.
type City struct {
	Slug, Name string
	Cloudcasts []*Cloudcast // newest first
}

// A Category is one of the site's fixed shelves.
type Category struct {
	Slug, Name         string
	Format             string // "music" or "talk"
	Picture            string
	Cloudcasts         []*Cloudcast
	Users              []*User
	UserpickCloudcasts []*Cloudcast
	UserpickUsers      []*User
}

// An Artist of a tracklist.
type Artist struct {
	Slug, Name string
	Tracks     []*Track
	Cloudcasts []*Cloudcast // newest first
}

// Key is "/artist/<slug>/".
func (a *Artist) Key() string { return "/artist/" + escape(a.Slug) + "/" }

// A Track of a tracklist.
type Track struct {
	Slug, Name string
	Artist     *Artist
	Cloudcasts []*Cloudcast // newest first
}

// Key is "/track/<artist>/<track>/".
func (t *Track) Key() string {
	return "/track/" + escape(t.Artist.Slug) + "/" + escape(t.Slug) + "/"
}

// A Comment stands on a cloudcast or on a user's profile.
type Comment struct {
	ID     int
	Thread string // "204/28": the two middle segments of its key
	Author *User
	Text   string
	At     time.Time
}

// An Activity is a line of a user's feed. Kind is "upload", "listen",
// "favorite" or "follow"; exactly one of Cloudcasts and Users is set.
type Activity struct {
	ID         int
	Kind       string
	Title      string
	From       *User
	At         time.Time
	Cloudcasts []*Cloudcast
	Users      []*User
}

// A Playlist of a user.
type Playlist struct {
	Owner      *User
	Slug, Name string
	Cloudcasts []*Cloudcast
}

// Key is "/<owner>/playlists/<slug>/".
func (p *Playlist) Key() string { return p.Owner.Key() + "playlists/" + escape(p.Slug) + "/" }
