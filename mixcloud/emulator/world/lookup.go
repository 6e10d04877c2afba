package world

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// An index finds things by their names. Names of users fold ASCII case, as
// Mixcloud's paths do; slugs are taken as they are.
type index struct {
	users      map[string]*User
	cloudcasts map[pair]*Cloudcast
	tags       map[string]*Tag
	cities     map[string]*City
	categories map[string]*Category
	artists    map[string]*Artist
	tracks     map[pair]*Track
	playlists  map[pair]*Playlist
	reserved   map[pair]*Cloudcast // not filed yet
}

// A pair is an owner's folded name and a slug.
type pair struct{ owner, slug string }

// fold lowers ASCII letters and leaves every other script alone.
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

// User finds a user by name, whatever the case of its ASCII letters; nil when
// there is none.
func (w *World) User(username string) *User { return w.index.users[fold(username)] }

// Cloudcast finds an upload, unlisted ones and drafts too; nil when there is none.
func (w *World) Cloudcast(owner, slug string) *Cloudcast {
	return w.index.cloudcasts[pair{fold(owner), slug}]
}

// Tag finds a tag by its slug; nil when there is none.
func (w *World) Tag(slug string) *Tag { return w.index.tags[slug] }

// City finds a city by its slug, without the prefix "city:"; nil when there is none.
func (w *World) City(slug string) *City { return w.index.cities[slug] }

// Category finds a category by its slug; nil when there is none.
func (w *World) Category(slug string) *Category { return w.index.categories[slug] }

// Artist finds an artist by slug; nil when there is none.
func (w *World) Artist(slug string) *Artist { return w.index.artists[slug] }

// Track finds a track by its artist's slug and its own; nil when there is none.
func (w *World) Track(artist, track string) *Track { return w.index.tracks[pair{artist, track}] }

// Playlist finds a playlist of a user; nil when there is none.
func (w *World) Playlist(owner, slug string) *Playlist {
	return w.index.playlists[pair{fold(owner), slug}]
}

// AddCloudcast reserves c and files it at once, see [World.Reserve] and
// [World.File].
func (w *World) AddCloudcast(c *Cloudcast) {
	w.Reserve(c)
	w.File(c)
}

// freeSlug makes a slug unique for its owner.
func (w *World) freeSlug(owner, slug string) string {
	return uniqueSlug(slug, func(slug string) bool { return w.Reserved(owner, slug) != nil })
}

// uniqueSlug numbers a slug that is taken. An upload whose name holds nothing
// that a slug could keep is called "upload", and the path of a user's list is
// never an upload's.
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

// reservedSlugs are what follows a user's key and is no upload.
var reservedSlugs = []string{
	"cloudcasts", "comments", "favorites", "feed", "follow", "followers", "following", "listen-later", "listens",
	"playlists",
}

// insertNewest puts c before the first that is not newer than it.
func insertNewest(list []*Cloudcast, c *Cloudcast) []*Cloudcast {
	return slices.Insert(list, firstUpTo(list, c.Created, func(have *Cloudcast) time.Time { return have.Created }), c)
}

// buildIndex fills the maps from the lists of a generated world.
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

// tagName is how Mixcloud shows a tag: the first letter is a capital, the rest
// stands as typed (observed: "Funky house", "Avant-Garde").
func tagName(typed string) string {
	for i, r := range typed {
		return typed[:i] + strings.ToUpper(string(r)) + typed[i+len(string(r)):]
	}
	return ""
}
