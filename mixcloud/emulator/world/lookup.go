package world

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// An index maps names to the objects of a World. The case of ASCII letters in
// user names is ignored, as in Mixcloud's paths; slugs are case-sensitive.
type index struct {
	users      map[string]*User
	cloudcasts map[pair]*Cloudcast
	tags       map[string]*Tag
	cities     map[string]*City
	categories map[string]*Category
	artists    map[string]*Artist
	tracks     map[pair]*Track
	playlists  map[pair]*Playlist
	reserved   map[pair]*Cloudcast // not in lists yet
}

// A pair is an owner's lower-case name and a slug.
type pair struct{ owner, slug string }

// fold converts ASCII letters to lower case and does not change others.
func fold(username string) string {
	for i := range len(username) {
		if c := username[i]; 'A' <= c && c <= 'Z' {
			b := []byte(username)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return username
}

// User returns a user by name, ignoring the case of ASCII letters, or nil.
func (w *World) User(username string) *User { return w.index.users[fold(username)] }

// Cloudcast returns a cloudcast, including unlisted ones and drafts, or nil.
func (w *World) Cloudcast(owner, slug string) *Cloudcast {
	return w.index.cloudcasts[pair{fold(owner), slug}]
}

// Tag returns a tag by its slug, or nil.
func (w *World) Tag(slug string) *Tag { return w.index.tags[slug] }

// City returns a city by its slug, without the prefix "city:", or nil.
func (w *World) City(slug string) *City { return w.index.cities[slug] }

// Category returns a category by its slug, or nil.
func (w *World) Category(slug string) *Category { return w.index.categories[slug] }

// Artist returns an artist by slug, or nil.
func (w *World) Artist(slug string) *Artist { return w.index.artists[slug] }

// Track returns a track by its artist's slug and its own, or nil.
func (w *World) Track(artist, track string) *Track { return w.index.tracks[pair{artist, track}] }

// Playlist returns a user's playlist, or nil.
func (w *World) Playlist(owner, slug string) *Playlist {
	return w.index.playlists[pair{fold(owner), slug}]
}

// AddCloudcast calls [World.Reserve] and [World.AddToLists].
func (w *World) AddCloudcast(c *Cloudcast) {
	w.Reserve(c)
	w.AddToLists(c)
}

// freeSlug returns a slug that is unique for its owner.
func (w *World) freeSlug(owner, slug string) string {
	return uniqueSlug(slug, func(slug string) bool { return w.FindReserved(owner, slug) != nil })
}

// uniqueSlug appends a number to a slug that is taken or reserved for a user's
// list. An empty slug becomes "upload".
func uniqueSlug(slug string, taken func(string) bool) string {
	if slug == "" {
		slug = "upload"
	}
	free := slug
	for n := 2; taken(free) || slices.Contains(reservedSlugs, free); n++ {
		free = slug + "-" + strconv.Itoa(n)
	}
	return free
}

// reservedSlugs are the path segments of a user's lists and actions.
var reservedSlugs = []string{
	"cloudcasts", "comments", "favorites", "feed", "follow", "followers", "following", "listen-later", "listens",
	"playlists",
}

// insertByCreated inserts c before the first cloudcast that is not newer.
func insertByCreated(list []*Cloudcast, c *Cloudcast) []*Cloudcast {
	return slices.Insert(list, insertIndex(list, c.Created, func(have *Cloudcast) time.Time { return have.Created }), c)
}

// buildIndex sets the index from the generated lists.
func (w *World) buildIndex(cloudcasts []*Cloudcast) {
	x := index{
		users:      make(map[string]*User, len(w.Users)),
		cloudcasts: make(map[pair]*Cloudcast, len(cloudcasts)),
		tags:       make(map[string]*Tag, len(w.Tags)),
		cities:     make(map[string]*City, len(w.Cities)),
		categories: make(map[string]*Category, len(w.Categories)),
		artists:    make(map[string]*Artist, len(w.Artists)),
		tracks:     make(map[pair]*Track, 4*len(w.Artists)),
		playlists:  make(map[pair]*Playlist, len(w.Users)),
	}
	for _, c := range cloudcasts {
		x.cloudcasts[pair{fold(c.Owner.Username), c.Slug}] = c
	}
	for _, u := range w.Users {
		owner := fold(u.Username)
		x.users[owner] = u
		for _, p := range u.Playlists {
			x.playlists[pair{owner, p.Slug}] = p
		}
	}
	for _, t := range w.Tags {
		x.tags[t.Slug] = t
	}
	for _, c := range w.Cities {
		x.cities[c.Slug] = c
	}
	for _, c := range w.Categories {
		x.categories[c.Slug] = c
	}
	for _, a := range w.Artists {
		x.artists[a.Slug] = a
		for _, t := range a.Tracks {
			x.tracks[pair{a.Slug, t.Slug}] = t
		}
	}
	w.index = x
}

// tagName returns the name that Mixcloud shows for a tag: the first letter in
// upper case, the rest as typed (observed: "Funky house", "Avant-Garde").
func tagName(typed string) string {
	for i, r := range typed {
		return typed[:i] + strings.ToUpper(string(r)) + typed[i+len(string(r)):]
	}
	return ""
}
