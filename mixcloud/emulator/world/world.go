// Package world generates the data of the Mixcloud emulator from a seed: users,
// cloudcasts, tags and the relations between them. A [World] is one such data set.
//
// The same seed generates the same data, byte for byte, on every machine: the
// package does not depend on a clock, a map's iteration order or a global random
// source. A World is not safe for concurrent use; the caller must lock it.
package world

import "time"

// A World is the complete data of an emulator. Lists that Mixcloud pages by date are
// sorted newest first; elements with equal times keep their order.
type World struct {
	Seed       int64
	Now        time.Time // the fixed time at which the seeded data ends
	Users      []*User
	Tags       []*Tag
	Cities     []*City
	Categories []*Category
	Artists    []*Artist
	Popular    []*Cloudcast // the popular chart, best first
	Hot        []*Cloudcast // the hot chart, best first
	Latest     []*Cloudcast // every public cloudcast, newest first

	index           index
	lastCloudcastID int
	lastActivityID  int // 0 until the first activity is added
}

// A UserEdge is a user in a list, with the time at which they were added.
type UserEdge struct {
	User *User
	At   time.Time
}

// A CloudcastEdge is a cloudcast in a list, with the time at which it was added.
type CloudcastEdge struct {
	Cloudcast *Cloudcast
	At        time.Time
}

// A Section is an entry of a tracklist: a track, or a chapter if Track is nil.
type Section struct {
	Track     *Track
	Chapter   string
	StartTime int // seconds; negative if the API omits it
}

// A Tag is identified by its slug.
type Tag struct {
	Slug       string // plain text, lower case, words joined by '-'
	Name       string
	Cloudcasts []*Cloudcast // newest first
}

// A City is a place that has lists like a tag.
type City struct {
	Slug, Name string
	Cloudcasts []*Cloudcast // newest first
}

// A Category is one of the site's fixed categories.
type Category struct {
	Slug, Name         string
	Format             string // "music" or "talk"
	Picture            string
	Cloudcasts         []*Cloudcast
	Users              []*User
	UserpickCloudcasts []*Cloudcast
	UserpickUsers      []*User
}

// An Artist is the artist of tracks in tracklists.
type Artist struct {
	Slug, Name string
	Tracks     []*Track
	Cloudcasts []*Cloudcast // newest first
}

// Key returns "/artist/<slug>/".
func (a *Artist) Key() string { return "/artist/" + escape(a.Slug) + "/" }

// A Track is a track in tracklists.
type Track struct {
	Slug, Name string
	Artist     *Artist
	Cloudcasts []*Cloudcast // newest first
}

// Key returns "/track/<artist>/<track>/".
func (t *Track) Key() string {
	return "/track/" + escape(t.Artist.Slug) + "/" + escape(t.Slug) + "/"
}

// A Comment is a comment on a cloudcast or on a user's profile.
type Comment struct {
	ID     int
	Thread string // the two middle segments of the key, such as "204/28"
	Author *User
	Text   string
	At     time.Time
}

// An Activity is an entry of a user's feed. Kind is "upload", "listen",
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

// A Playlist is a user's playlist.
type Playlist struct {
	Owner      *User
	Slug, Name string
	Cloudcasts []*Cloudcast
}

// Key returns "/<owner>/playlists/<slug>/".
func (p *Playlist) Key() string { return p.Owner.Key() + "playlists/" + escape(p.Slug) + "/" }
